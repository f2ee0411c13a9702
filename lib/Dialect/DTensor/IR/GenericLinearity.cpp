//===- GenericLinearity.cpp - bodies that are linear in some inputs -------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every value of the body is a sum of terms; a term knows the inputs that it is
// a product of (linear) and those that it uses in any other way (opaque):
//
//   a*b + exp(c)  =  {linear: a b}  +  {opaque: c}
//
// With S the partial inputs, a value is
//   linear in S  (sum)  iff  every term has exactly one linear input in S and
//                            no opaque one;
//   affine in S  (avg)  iff  every term has at most one and no opaque one.
// An average of n equal values is that value, so whole terms do no harm to it.
//
//===----------------------------------------------------------------------===//

#include "GenericPartials.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;
using namespace dtensor;

namespace {
/// Sets of inputs are bits of a word.
using InputSet = uint64_t;
constexpr unsigned kMaxInputs = 64;
constexpr unsigned kMaxTerms = 64;

struct Term {
  InputSet linear = 0;
  InputSet opaque = 0;

  InputSet all() const { return linear | opaque; }
};

/// No terms: the number zero.
using Terms = SmallVector<Term, 4>;

InputSet inputsOf(const Terms &terms) {
  InputSet all = 0;
  for (const Term &term : terms)
    all |= term.all();
  return all;
}

/// A value of which only the inputs are known.
Terms opaqueTerms(InputSet inputs) { return {Term{0, inputs}}; }

Terms bounded(Terms terms) {
  return terms.size() <= kMaxTerms ? terms : opaqueTerms(inputsOf(terms));
}

Terms sum(const Terms &lhs, const Terms &rhs) {
  Terms terms = lhs;
  terms.append(rhs);
  return bounded(terms);
}

/// A product of two terms is linear in an input that only one of them has.
Terms product(const Terms &lhs, const Terms &rhs) {
  if (lhs.empty() || rhs.empty() || lhs.size() * rhs.size() > kMaxTerms)
    return opaqueTerms(inputsOf(lhs) | inputsOf(rhs));
  Terms terms;
  for (const Term &x : lhs) {
    for (const Term &y : rhs) {
      InputSet opaque = x.opaque | y.opaque | (x.linear & y.linear);
      terms.push_back({(x.linear | y.linear) & ~opaque, opaque});
    }
  }
  return terms;
}

/// Every term also depends on `inputs` in an unknown way.
Terms clouded(Terms terms, InputSet inputs) {
  for (Term &term : terms) {
    term.opaque |= inputs;
    term.linear &= ~inputs;
  }
  return terms;
}

class Linearity {
public:
  explicit Linearity(GenericOp op) : op(op) {
    Block &body = op.getBody().front();
    for (auto [i, argument] : llvm::enumerate(body.getArguments()))
      known[argument] = i < op.getInputs().size()
                            ? Terms{Term{InputSet(1) << i, 0}}
                            : opaqueTerms(0);
    for (Operation &inner : body.without_terminator())
      for (Value result : inner.getResults())
        known[result] = compute(&inner);
  }

  Terms get(Value value) {
    if (matchPattern(value, m_AnyZeroFloat()) || matchPattern(value, m_Zero()))
      return {};
    auto entry = known.find(value);
    return entry == known.end() ? opaqueTerms(0) : entry->second;
  }

private:
  /// Inputs that `inner` depends on, nested regions included.
  InputSet inputsOfOp(Operation *inner) {
    InputSet inputs = 0;
    inner->walk([&](Operation *nested) {
      for (Value operand : nested->getOperands())
        inputs |= inputsOf(get(operand));
    });
    return inputs;
  }

  Terms compute(Operation *inner);

  GenericOp op;
  DenseMap<Value, Terms> known;
};

Terms Linearity::compute(Operation *inner) {
  auto operand = [&](unsigned i) { return get(inner->getOperand(i)); };
  if (inner->getNumResults() == 1) {
    if (isa<arith::AddFOp, arith::AddIOp, arith::SubFOp, arith::SubIOp>(inner))
      return sum(operand(0), operand(1));
    if (isa<arith::MulFOp, arith::MulIOp>(inner))
      return product(operand(0), operand(1));
    if (isa<arith::DivFOp>(inner))
      return clouded(operand(0), inputsOf(operand(1)));
    if (isa<math::FmaOp>(inner))
      return sum(product(operand(0), operand(1)), operand(2));
    if (isa<arith::SelectOp>(inner))
      return clouded(sum(operand(1), operand(2)), inputsOf(operand(0)));
    if (isa<arith::NegFOp, arith::ExtFOp, arith::TruncFOp, arith::SIToFPOp,
            arith::TruncIOp>(inner))
      return operand(0);
  }
  return opaqueTerms(inputsOfOp(inner));
}
} // namespace

//===----------------------------------------------------------------------===//
// Sets of inputs
//===----------------------------------------------------------------------===//

/// No term is opaque in the set or has two inputs of it.
static bool isAffineIn(ArrayRef<Terms> results, InputSet set) {
  return llvm::all_of(results, [&](const Terms &terms) {
    return llvm::all_of(terms, [&](const Term &term) {
      return !(term.opaque & set) && llvm::popcount(term.linear & set) <= 1;
    });
  });
}

/// Linear in the set, or independent of it.
static bool isLinearOrWhole(const Terms &terms, InputSet set) {
  return !(inputsOf(terms) & set) || llvm::all_of(terms, [&](const Term &term) {
    return llvm::popcount(term.linear & set) == 1;
  });
}

/// Grows {seed} to a set in which every result is affine, preferring inputs of
/// terms that have none yet.
static InputSet growSet(ArrayRef<Terms> results, unsigned seed,
                        InputSet candidates) {
  InputSet set = InputSet(1) << seed;
  for (const Terms &terms : results) {
    for (const Term &term : terms) {
      if (term.linear & set)
        continue;
      for (InputSet rest = term.linear & candidates; rest; rest &= rest - 1) {
        InputSet grown = set | (rest & -rest);
        if (!isAffineIn(results, grown))
          continue;
        set = grown;
        break;
      }
    }
  }
  return set;
}

static llvm::SmallBitVector toBits(InputSet set, unsigned size) {
  llvm::SmallBitVector bits(size);
  for (unsigned i = 0; i < size; ++i)
    if (set >> i & 1)
      bits.set(i);
  return bits;
}

/// A reduction inside the op adds, so a sum over the ranks may wait; a maximum
/// may not.
static bool reductionsAllow(GenericOp op, unsigned result) {
  return !op.hasReduction() || op.getReduction(result) == ReduceKind::Sum;
}

static void tryKind(GenericOp op, ArrayRef<Terms> results, InputSet set,
                    ReduceKind kind, SmallVectorImpl<PartialSignature> &found) {
  if (!isAffineIn(results, set))
    return;
  SmallVector<std::optional<ReduceKind>> kinds(results.size());
  for (auto [i, terms] : llvm::enumerate(results)) {
    if (!(inputsOf(terms) & set))
      continue;
    if (!reductionsAllow(op, i) ||
        (kind == ReduceKind::Sum && !isLinearOrWhole(terms, set)))
      return;
    kinds[i] = kind;
  }
  addSignature(op, toBits(set, op.getInputs().size()), kind, kinds, found);
}

/// Inputs that can hold a pending sum: numbers, not truth values.
static InputSet numericInputs(GenericOp op) {
  InputSet set = 0;
  for (auto [i, input] : llvm::enumerate(op.getInputs()))
    if (Type type = getElementTypeOrSelf(input.getType());
        type.isSignlessIntOrIndexOrFloat() && !type.isInteger(1))
      set |= InputSet(1) << i;
  return set;
}

void dtensor::deriveLinearSignatures(GenericOp op,
                                     SmallVectorImpl<PartialSignature> &found) {
  unsigned inputs = op.getInputs().size();
  if (inputs > kMaxInputs)
    return;
  Linearity linearity(op);
  SmallVector<Terms> results;
  for (Value value : op.getYield().getValues())
    results.push_back(linearity.get(value));
  InputSet candidates = numericInputs(op);
  SmallVector<InputSet> sets;
  for (unsigned i = 0; i < inputs; ++i) {
    InputSet single = InputSet(1) << i;
    if (!(candidates & single) || !isAffineIn(results, single))
      continue;
    if (inputs <= kMaxSingles)
      sets.push_back(single);
    sets.push_back(growSet(results, i, candidates));
  }
  for (InputSet set : sets)
    tryKind(op, results, set, ReduceKind::Sum, found);
  for (InputSet set : sets)
    tryKind(op, results, set, ReduceKind::Avg, found);
}
