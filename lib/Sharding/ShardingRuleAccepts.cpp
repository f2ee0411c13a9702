//===- ShardingRuleAccepts.cpp - Do layouts follow a rule? ----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/ShardingRule.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVectorExtras.h"

using namespace dtensor;
using llvm::ArrayRef;
using llvm::SmallVector;
using llvm::Twine;

static std::string tensorName(unsigned numOperands, unsigned tensor) {
  return tensor < numOperands ? ("operand " + Twine(tensor)).str()
                              : ("result " + Twine(tensor - numOperands)).str();
}

/// Is every term of `value` a multiple of the one term of `divisor`? Unlike a
/// proof this holds where the divisor may be 0, as `B*D = B * D` does.
static bool isWrittenMultiple(Expr value, Expr divisor) {
  if (value.isOverflow() || divisor.isOverflow() ||
      divisor.getTerms().size() != 1)
    return false;
  const ExprTerm &unit = divisor.getTerms().front();
  return llvm::all_of(value.getTerms(), [&](const ExprTerm &term) {
    SmallVector<ExprAtom> left(term.factors);
    for (ExprAtom factor : unit.factors) {
      auto found = llvm::find(left, factor);
      if (found == left.end())
        return false;
      left.erase(found);
    }
    return term.coefficient % unit.coefficient == 0;
  });
}

namespace {
/// Operands then results of one operation, with their placements on one axis.
class AxisMatcher {
public:
  AxisMatcher(const ShardingRule &rule, ArrayRef<Placement> operands,
              ArrayRef<Placement> results, const Facts *facts)
      : rule(rule), operands(operands), results(results), facts(facts) {}

  /// The factor of the strategy that these placements are, or nullopt with a
  /// reason in `why`.
  std::optional<int> match(std::string &why) const;

private:
  bool matchFactor(unsigned factor, std::string &why) const;
  bool matchUnits(unsigned factor, std::string &why) const;
  bool matchPartial(const PartialSignature &signature) const;
  std::optional<unsigned> firstShardedFactor(std::string &why) const;

  unsigned numTensors() const { return operands.size() + results.size(); }
  bool isResult(unsigned tensor) const { return tensor >= operands.size(); }
  const Placement &placement(unsigned tensor) const {
    return isResult(tensor) ? results[tensor - operands.size()]
                            : operands[tensor];
  }
  const TensorMap &map(unsigned tensor) const {
    return isResult(tensor) ? rule.results[tensor - operands.size()]
                            : rule.operands[tensor];
  }
  std::string name(unsigned tensor) const {
    return tensorName(operands.size(), tensor);
  }
  bool equal(Expr lhs, Expr rhs) const {
    return lhs == rhs || (facts && facts->proveEqual(lhs, rhs));
  }

  bool divides(Expr divisor, Expr value) const {
    return isWrittenMultiple(value, divisor) ||
           (facts && facts->proveDivides(divisor, value));
  }

  const ShardingRule &rule;
  ArrayRef<Placement> operands, results;
  const Facts *facts;
};
} // namespace

/// The factor that a shard of dimension `dim` cuts: its major-most one of size
/// above 1, or the last one if all are 1.
static std::optional<unsigned> cutFactor(const ShardingRule &rule,
                                         const TensorMap &map, unsigned dim,
                                         const Facts *facts) {
  std::optional<unsigned> cut;
  if (dim >= map.size())
    return cut;
  for (unsigned factor : map[dim]) {
    cut = factor;
    Expr size = rule.factors[factor].size;
    Expr one = Expr::constant(size.getContext(), 1);
    if (size != one && !(facts && facts->proveEqual(size, one)))
      break;
  }
  return cut;
}

std::optional<unsigned>
AxisMatcher::firstShardedFactor(std::string &why) const {
  for (unsigned tensor = 0; tensor < numTensors(); ++tensor) {
    const Placement &here = placement(tensor);
    if (!here.isShard())
      continue;
    auto factor = cutFactor(rule, map(tensor), here.dim, facts);
    if (!factor)
      why = name(tensor) + " is " + here.str() +
            ", a dimension that the operation cannot shard";
    return factor;
  }
  return std::nullopt;
}

bool AxisMatcher::matchUnits(unsigned factor, std::string &why) const {
  Strategy plain = shardFactor(rule, factor);
  // Tensors agree if u(t) / right(t) is one number, the unit of the factor; the
  // first tensor with right = 1 states it, or else it is at least 1.
  std::optional<std::pair<Expr, Expr>> reference;
  for (unsigned tensor = 0; tensor < numTensors(); ++tensor) {
    const Placement &here = placement(tensor);
    if (!here.isShard())
      continue;
    ExprContext &context = rule.factors[factor].size.getContext();
    Expr one = Expr::constant(context, 1);
    const Placement &expected = isResult(tensor)
                                    ? plain.results[tensor - operands.size()]
                                    : plain.operands[tensor];
    Expr unit = here.unit ? here.unit : one;
    Expr right = expected.unit ? expected.unit : one;
    if (!equal(unit, right) && !divides(right, unit)) {
      why = name(tensor) + " is " + here.str() +
            ", whose unit is not a multiple of " + right.str() +
            ", what one step of factor " + Twine(factor).str() + " covers";
      return false;
    }
    if (!reference) {
      reference = {unit, right};
      continue;
    }
    if (!equal(unit * reference->second, reference->first * right)) {
      why = name(tensor) + " is " + here.str() + ", whose unit cuts factor " +
            Twine(factor).str() + " elsewhere than the other tensors do";
      return false;
    }
  }
  return true;
}

bool AxisMatcher::matchFactor(unsigned factor, std::string &why) const {
  if (!canShardFactor(rule, factor, facts, &why))
    return false;
  Strategy plain = shardFactor(rule, factor);
  for (unsigned tensor = 0; tensor < numTensors(); ++tensor) {
    Placement expected = isResult(tensor)
                             ? plain.results[tensor - operands.size()]
                             : plain.operands[tensor];
    Placement here = placement(tensor);
    if (here.isShard() && expected.isShard())
      expected.unit = here.unit;
    if (here == expected)
      continue;
    why = "sharding factor " + Twine(factor).str() + " makes " + name(tensor) +
          " " + expected.str() + ", but it is " + here.str();
    return false;
  }
  return matchUnits(factor, why);
}

bool AxisMatcher::matchPartial(const PartialSignature &signature) const {
  auto same = [](const Placement &placement, std::optional<ReduceKind> kind) {
    return placement ==
           (kind ? Placement::partial(*kind) : Placement::replicate());
  };
  return llvm::equal(operands, signature.operands, same) &&
         llvm::equal(results, signature.results, same);
}

std::optional<int> AxisMatcher::match(std::string &why) const {
  bool allReplicate = true;
  std::optional<unsigned> partial;
  for (unsigned tensor = 0; tensor < numTensors(); ++tensor) {
    if (placement(tensor).isOpen()) {
      why = name(tensor) + " has no placement yet";
      return std::nullopt;
    }
    allReplicate &= placement(tensor).isReplicate();
    if (placement(tensor).isPartial() && !partial)
      partial = tensor;
  }
  if (allReplicate)
    return Strategy::kReplicate;
  for (const PartialSignature &signature : rule.partials)
    if (matchPartial(signature))
      return Strategy::kPartial;
  if (std::optional<unsigned> factor = firstShardedFactor(why)) {
    if (matchFactor(*factor, why))
      return static_cast<int>(*factor);
    return std::nullopt;
  }
  if (why.empty() && partial)
    why = "no partial signature of the operation has " + name(*partial) +
          " as " + placement(*partial).str() + " with the other placements";
  return std::nullopt;
}

static std::optional<int> matchAxis(const ShardingRule &rule,
                                    ArrayRef<Placement> operands,
                                    ArrayRef<Placement> results,
                                    const Facts *facts, std::string &why) {
  if (operands.size() != rule.operands.size() ||
      results.size() != rule.results.size()) {
    why = ("the rule has " + Twine(rule.operands.size()) + " operands and " +
           Twine(rule.results.size()) + " results, not " +
           Twine(operands.size()) + " and " + Twine(results.size()))
              .str();
    return std::nullopt;
  }
  return AxisMatcher(rule, operands, results, facts).match(why);
}

bool dtensor::accepts(const ShardingRule &rule, ArrayRef<Placement> operands,
                      ArrayRef<Placement> results, std::string *why,
                      const Facts *facts) {
  std::string reason;
  bool accepted = matchAxis(rule, operands, results, facts, reason).has_value();
  if (!accepted && why)
    *why = reason;
  return accepted;
}

//===----------------------------------------------------------------------===//
// All axes
//===----------------------------------------------------------------------===//

static SmallVector<Placement> placementsOn(ArrayRef<Layout> layouts,
                                           unsigned axis) {
  return llvm::map_to_vector(
      layouts, [&](const Layout &layout) { return layout.placements[axis]; });
}

/// Does one tensor hold partial values of two kinds?
static bool mixesKinds(const Layout &layout) {
  SmallVector<unsigned> axes = layout.partialAxes();
  return llvm::any_of(axes, [&](unsigned axis) {
    return layout.placements[axis].reduce !=
           layout.placements[axes.front()].reduce;
  });
}

/// The axes of `layout` that shard `factor`, major to minor.
static SmallVector<unsigned> nestOf(const Layout &layout,
                                    ArrayRef<int> factorOfAxis, int factor) {
  for (const Placement &placement : layout.placements) {
    if (!placement.isShard())
      continue;
    SmallVector<unsigned> nest = layout.axesOf(placement.dim);
    llvm::erase_if(nest,
                   [&](unsigned axis) { return factorOfAxis[axis] != factor; });
    if (!nest.empty())
      return nest;
  }
  return {};
}

/// Axes that shard one factor must cut it in one order everywhere.
static bool nestsAgree(ArrayRef<Layout> tensors, ArrayRef<int> factorOfAxis,
                       int factor) {
  SmallVector<unsigned> reference;
  for (const Layout &layout : tensors) {
    SmallVector<unsigned> nest = nestOf(layout, factorOfAxis, factor);
    if (nest.empty())
      continue;
    if (!reference.empty() && nest != reference)
      return false;
    reference = nest;
  }
  return true;
}

bool dtensor::accepts(const ShardingRule &rule, const Mesh &mesh,
                      ArrayRef<Layout> operands, ArrayRef<Layout> results,
                      std::string *why, const Facts *facts) {
  std::string reason;
  auto refuse = [&](const Twine &text) {
    if (why)
      *why = text.str();
    return false;
  };
  SmallVector<int> factorOfAxis;
  for (unsigned axis = 0; axis < mesh.getNumAxes(); ++axis) {
    std::optional<int> factor =
        matchAxis(rule, placementsOn(operands, axis),
                  placementsOn(results, axis), facts, reason);
    if (!factor)
      return refuse(Twine(reason) + " on axis \"" + mesh.getName(axis) + "\"");
    factorOfAxis.push_back(*factor);
  }
  SmallVector<Layout> tensors(operands.begin(), operands.end());
  tensors.append(results.begin(), results.end());
  for (auto [index, layout] : llvm::enumerate(tensors))
    if (mixesKinds(layout))
      return refuse(Twine(tensorName(operands.size(), index)) +
                    " mixes two kinds of reduction");
  for (int factor : factorOfAxis)
    if (factor >= 0 && !nestsAgree(tensors, factorOfAxis, factor))
      return refuse("the mesh axes that shard factor " + Twine(factor) +
                    " nest in different orders");
  return true;
}
