//===- GenericPartials.cpp - partial values through a body ----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One walk over the body gives each value a state for a chosen set of partial
// inputs: whole (the same on all ranks), pending (its reduction over the ranks
// is the true value), or lost.
//
// A monotone g commutes with maxima: max_r g(x_r) = g(max_r x_r). It must also
// be defined on whatever a rank may hold, the neutral -inf of an empty shard
// included: the root of a pending maximum is NaN on that rank. With a pending
// minimum a rank with NaN means that the true value is NaN as well.
//
//===----------------------------------------------------------------------===//

#include "GenericPartials.h"

#include "dtensor/Dialect/DTensor/IR/Reductions.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;
using namespace dtensor;

void dtensor::addSignature(GenericOp op, const llvm::SmallBitVector &partial,
                           ReduceKind kind,
                           ArrayRef<std::optional<ReduceKind>> results,
                           SmallVectorImpl<PartialSignature> &found) {
  if (llvm::none_of(results, [](auto result) { return result.has_value(); }))
    return;
  for (auto [result, pending] : llvm::zip(op.getResults(), results))
    if (pending && !canReduce(*pending, getElementTypeOrSelf(result.getType())))
      return;
  PartialSignature signature;
  signature.operands.resize(op->getNumOperands());
  for (unsigned i : partial.set_bits())
    signature.operands[i] = kind;
  signature.results.assign(results.begin(), results.end());
  for (const PartialSignature &other : found)
    if (other.operands == signature.operands)
      return;
  found.push_back(std::move(signature));
}

namespace {
struct State {
  enum { Whole, Pending, Lost } kind = Whole;
  /// What is pending: Max, Min or Product.
  ReduceKind reduce = ReduceKind::Max;

  static State pending(ReduceKind reduce) { return {Pending, reduce}; }
  static State lost() { return {Lost, ReduceKind::Max}; }
  bool isPending(ReduceKind wanted) const {
    return kind == Pending && reduce == wanted;
  }
};

class BodyWalk {
public:
  BodyWalk(GenericOp op, const llvm::SmallBitVector &partial, ReduceKind kind) {
    Block &body = op.getBody().front();
    for (unsigned i : partial.set_bits())
      states[body.getArgument(i)] = State::pending(kind);
    for (Operation &inner : body.without_terminator()) {
      State state = compute(&inner);
      for (Value result : inner.getResults())
        states[result] = state;
    }
  }

  /// Captures, positions and values from outside are whole.
  State get(Value value) { return states.lookup(value); }

private:
  State compute(Operation *inner);
  State computeExtremum(Operation *inner, State first, ReduceKind kind);
  State computeProduct(Operation *inner);
  /// Whole only if everything it reads is, nested regions included.
  State computeUnknown(Operation *inner);

  DenseMap<Value, State> states;
};
} // namespace

/// Increasing, and defined on all numbers and infinities. The maximum of i1 is
/// `or`: there 1 is above 0, which holds for the unsigned casts only.
static bool isIncreasing(Operation *op) {
  if (isa<arith::SIToFPOp, arith::ExtSIOp>(op))
    return !op->getOperand(0).getType().isInteger(1);
  if (isa<arith::UIToFPOp, arith::ExtUIOp>(op))
    return op->getOperand(0).getType().isInteger(1);
  return isa<arith::ExtFOp, arith::TruncFOp, math::ExpOp, math::Exp2Op,
             math::ExpM1Op, math::TanhOp, math::ErfOp, math::AtanOp,
             math::SinhOp, math::AsinhOp, math::CbrtOp, math::CeilOp,
             math::FloorOp, math::RoundOp, math::RoundEvenOp, math::TruncOp>(
      op);
}

/// Increasing where defined, NaN below.
static bool isIncreasingOrNaN(Operation *op) {
  return isa<math::SqrtOp, math::LogOp, math::Log2Op, math::Log10Op,
             math::Log1pOp>(op);
}

/// The finite number that `value` is known to be.
static std::optional<APFloat> finiteLiteral(Value value) {
  APFloat number(0.0);
  if (matchPattern(value, m_ConstantFloat(&number)) && number.isFinite())
    return number;
  return std::nullopt;
}

State BodyWalk::computeUnknown(Operation *inner) {
  bool whole = true;
  inner->walk([&](Operation *nested) {
    for (Value operand : nested->getOperands())
      whole &= get(operand).kind == State::Whole;
  });
  return whole ? State() : State::lost();
}

static ReduceKind flip(ReduceKind kind) {
  return kind == ReduceKind::Max ? ReduceKind::Min : ReduceKind::Max;
}

/// `op` is max(x, y) or min(x, y) with NaN winning, of kind `kind`.
static bool isExtremum(Operation *op, ReduceKind kind) {
  if (kind == ReduceKind::Max)
    return isa<arith::MaximumFOp, arith::MaxSIOp>(op) ||
           (isa<arith::OrIOp>(op) && op->getResult(0).getType().isInteger(1));
  return isa<arith::MinimumFOp, arith::MinSIOp>(op) ||
         (isa<arith::AndIOp>(op) && op->getResult(0).getType().isInteger(1));
}

/// One operand is pending with `kind`, Max or Min; all others are whole or
/// pending with the same kind.
State BodyWalk::computeExtremum(Operation *inner, State first,
                                ReduceKind kind) {
  State same = State::pending(kind), flipped = State::pending(flip(kind));
  unsigned pending = llvm::count_if(inner->getOperands(), [&](Value operand) {
    return get(operand).kind == State::Pending;
  });
  if (isIncreasing(inner) ||
      (isIncreasingOrNaN(inner) && kind == ReduceKind::Min))
    return same;
  if (isa<arith::NegFOp>(inner))
    return flipped;
  // A whole value is its own maximum, so mixing it in does no harm.
  if (isExtremum(inner, kind))
    return same;
  if (isa<arith::SelectOp>(inner))
    return get(inner->getOperand(0)).kind == State::Whole ? same
                                                          : State::lost();
  if (pending > 1)
    return State::lost();
  if (isExtremum(inner, flip(kind)))
    return same;
  // x + c, x - c, c - x, x * c, x / c: c finite, or inf - inf might appear.
  bool pendingFirst = get(inner->getOperand(0)).kind == State::Pending;
  if (inner->getNumOperands() != 2)
    return State::lost();
  std::optional<APFloat> literal =
      finiteLiteral(inner->getOperand(pendingFirst ? 1 : 0));
  if (!literal)
    return State::lost();
  if (isa<arith::AddFOp>(inner))
    return same;
  if (isa<arith::SubFOp>(inner))
    return pendingFirst ? same : flipped;
  bool scales =
      isa<arith::MulFOp>(inner) || (isa<arith::DivFOp>(inner) && pendingFirst);
  if (!scales || literal->isZero())
    return State::lost();
  return literal->isNegative() ? flipped : same;
}

/// At least one operand is a pending product, none is lost.
State BodyWalk::computeProduct(Operation *inner) {
  State same = State::pending(ReduceKind::Product);
  auto isFactor = [&](Value value) {
    return get(value).kind == State::Pending ||
           matchPattern(value, m_OneFloat()) || matchPattern(value, m_One());
  };
  if (isa<arith::ExtFOp, arith::TruncFOp, math::AbsFOp, arith::TruncIOp>(inner))
    return same;
  if (isa<arith::MulFOp, arith::MulIOp>(inner) &&
      llvm::all_of(inner->getOperands(), isFactor))
    return same;
  if (isa<arith::SelectOp>(inner) &&
      get(inner->getOperand(0)).kind == State::Whole &&
      llvm::all_of(inner->getOperands().drop_front(), isFactor))
    return same;
  return State::lost();
}

State BodyWalk::compute(Operation *inner) {
  std::optional<State> first;
  for (Value operand : inner->getOperands()) {
    State state = get(operand);
    if (state.kind == State::Lost)
      return state;
    if (state.kind == State::Whole)
      continue;
    if (first && first->reduce != state.reduce)
      return State::lost();
    first = state;
  }
  if (!first || inner->getNumResults() != 1 || inner->getNumRegions() != 0)
    return computeUnknown(inner);
  if (first->reduce == ReduceKind::Product)
    return computeProduct(inner);
  return computeExtremum(inner, *first, first->reduce);
}

//===----------------------------------------------------------------------===//
// Candidates
//===----------------------------------------------------------------------===//

/// Adds the signature if the body allows it. A reduction inside the op must be
/// of the kind that is pending.
static bool tryInputs(GenericOp op, const llvm::SmallBitVector &partial,
                      ReduceKind kind,
                      SmallVectorImpl<PartialSignature> &found) {
  BodyWalk walk(op, partial, kind);
  SmallVector<std::optional<ReduceKind>> kinds(op.getNumResults());
  for (auto [i, value] : llvm::enumerate(op.getYield().getValues())) {
    State state = walk.get(value);
    if (state.kind == State::Lost)
      return false;
    if (state.kind == State::Whole)
      continue;
    if (op.hasReduction() && op.getReduction(i) != state.reduce)
      return false;
    kinds[i] = state.reduce;
  }
  addSignature(op, partial, kind, kinds, found);
  return true;
}

/// Each input alone, then all that are possible alone together.
static void tryKind(GenericOp op, ReduceKind kind,
                    SmallVectorImpl<PartialSignature> &found) {
  unsigned inputs = op.getInputs().size();
  llvm::SmallBitVector together(inputs);
  for (unsigned i = 0; i < inputs; ++i) {
    Type type = getElementTypeOrSelf(op.getInputs()[i].getType());
    if (!type.isSignlessIntOrIndexOrFloat())
      continue;
    llvm::SmallBitVector single(inputs);
    single.set(i);
    SmallVector<PartialSignature> ignored;
    bool isSmall = inputs <= kMaxSingles;
    if (tryInputs(op, single, kind, isSmall ? found : ignored))
      together.set(i);
  }
  if (together.count() > 1)
    tryInputs(op, together, kind, found);
}

SmallVector<PartialSignature> dtensor::derivePartialSignatures(GenericOp op) {
  SmallVector<PartialSignature> found;
  deriveLinearSignatures(op, found);
  tryKind(op, ReduceKind::Max, found);
  tryKind(op, ReduceKind::Min, found);
  // A product has no use for whole factors: x_r * c would count c once a rank.
  unsigned inputs = op.getInputs().size();
  llvm::SmallBitVector all(inputs);
  for (unsigned i = 0; i < inputs; ++i)
    if (getElementTypeOrSelf(op.getInputs()[i].getType()).isIntOrIndexOrFloat())
      all.set(i);
  if (all.any())
    tryInputs(op, all, ReduceKind::Product, found);
  return found;
}
