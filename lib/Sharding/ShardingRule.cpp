//===- ShardingRule.cpp - An operation as factors -------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/ShardingRule.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/Support/raw_ostream.h"

using namespace dtensor;
using llvm::ArrayRef;
using llvm::SmallVector;
using llvm::Twine;

namespace {
/// Where a factor stands in one tensor.
struct FactorPosition {
  unsigned dim, index;
};
} // namespace

static std::optional<FactorPosition> findFactor(const TensorMap &map,
                                                unsigned factor) {
  for (auto [dim, factors] : llvm::enumerate(map))
    for (auto [index, candidate] : llvm::enumerate(factors))
      if (candidate == factor)
        return FactorPosition{static_cast<unsigned>(dim),
                              static_cast<unsigned>(index)};
  return std::nullopt;
}

/// The product of the sizes of the factors right of `position`; null is 1.
static Expr sizeRightOf(const ShardingRule &rule, const TensorMap &map,
                        FactorPosition position) {
  Expr product;
  for (unsigned factor :
       ArrayRef(map[position.dim]).drop_front(position.index + 1)) {
    Expr size = rule.factors[factor].size;
    if (size.isConstant(1))
      continue;
    product = product ? product * size : size;
  }
  return product;
}

static Expr multiply(Expr lhs, Expr rhs) {
  if (!lhs || !rhs)
    return lhs ? lhs : rhs;
  return lhs * rhs;
}

static bool isOne(Expr size, const Facts *facts) {
  if (size.isConstant(1))
    return true;
  return facts && facts->proveEqual(size, Expr::constant(size.getContext(), 1));
}

static bool fail(std::string *why, const Twine &text) {
  if (why)
    *why = text.str();
  return false;
}

static std::string tensorName(bool isResult, unsigned index) {
  return ((isResult ? "result " : "operand ") + Twine(index)).str();
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

static bool verifyTensor(const ShardingRule &rule, const TensorMap &map,
                         bool isResult, unsigned index, EmitError emitError) {
  auto complain = [&](const Twine &what) {
    emitError("sharding rule: " + Twine(tensorName(isResult, index)) + " " +
              what);
    return false;
  };
  llvm::SmallBitVector seen(rule.factors.size());
  for (const auto &factors : map) {
    for (unsigned factor : factors) {
      if (factor >= rule.factors.size())
        return complain("names factor " + Twine(factor) + " of " +
                        Twine(rule.factors.size()));
      if (seen.test(factor))
        return complain("names factor " + Twine(factor) + " twice");
      seen.set(factor);
      if (isResult && rule.factors[factor].kind == FactorKind::Reduction)
        return complain("runs over reduction factor " + Twine(factor));
    }
  }
  return true;
}

bool ShardingRule::verify(EmitError emitError) const {
  for (auto [index, factor] : llvm::enumerate(factors))
    if (!factor.size || factor.size.isOverflow()) {
      emitError("sharding rule: factor " + Twine(index) + " has no size");
      return false;
    }
  for (auto [index, map] : llvm::enumerate(operands))
    if (!verifyTensor(*this, map, /*isResult=*/false, index, emitError))
      return false;
  for (auto [index, map] : llvm::enumerate(results))
    if (!verifyTensor(*this, map, /*isResult=*/true, index, emitError))
      return false;
  for (const auto &product : products)
    for (unsigned factor : product)
      if (factor >= factors.size()) {
        emitError("sharding rule: a product names factor " + Twine(factor) +
                  " of " + Twine(factors.size()));
        return false;
      }
  for (auto [index, signature] : llvm::enumerate(partials))
    if (signature.operands.size() != operands.size() ||
        signature.results.size() != results.size()) {
      emitError("sharding rule: partial signature " + Twine(index) + " has " +
                Twine(signature.operands.size()) + " operands and " +
                Twine(signature.results.size()) + " results, not " +
                Twine(operands.size()) + " and " + Twine(results.size()));
      return false;
    }
  return true;
}

//===----------------------------------------------------------------------===//
// Strategies
//===----------------------------------------------------------------------===//

/// Is `factor` the major-most factor above size 1 where it stands in `map`?
static bool isMajorMost(const ShardingRule &rule, const TensorMap &map,
                        FactorPosition position, const Facts *facts) {
  return llvm::all_of(
      ArrayRef(map[position.dim]).take_front(position.index),
      [&](unsigned left) { return isOne(rule.factors[left].size, facts); });
}

bool dtensor::canShardFactor(const ShardingRule &rule, unsigned factor,
                             const Facts *facts, std::string *why) {
  if (rule.factors[factor].kind == FactorKind::NeedReplication)
    return fail(why, "factor " + Twine(factor) + " needs replication");
  auto check = [&](ArrayRef<TensorMap> maps, bool isResult) {
    for (auto [index, map] : llvm::enumerate(maps))
      if (auto position = findFactor(map, factor))
        if (!isMajorMost(rule, map, *position, facts))
          return fail(why, "factor " + Twine(factor) +
                               " is not the major-most one in dimension " +
                               Twine(position->dim) + " of " +
                               tensorName(isResult, index));
    return true;
  };
  if (!check(rule.operands, false) || !check(rule.results, true))
    return false;
  // Ranks that all see the whole operand would each add the whole reduction.
  if (rule.factors[factor].kind == FactorKind::Reduction &&
      llvm::none_of(rule.operands, [&](const TensorMap &map) {
        return findFactor(map, factor).has_value();
      }))
    return fail(why, "reduction factor " + Twine(factor) + " is in no operand");
  return true;
}

static Placement placeFactor(const ShardingRule &rule, const TensorMap &map,
                             unsigned factor, Expr unit) {
  std::optional<FactorPosition> position = findFactor(map, factor);
  if (!position)
    return Placement::replicate();
  return Placement::shard(position->dim,
                          multiply(unit, sizeRightOf(rule, map, *position)));
}

Strategy dtensor::shardFactor(const ShardingRule &rule, unsigned factor,
                              Expr unit) {
  Strategy strategy;
  strategy.factor = factor;
  for (const TensorMap &map : rule.operands)
    strategy.operands.push_back(placeFactor(rule, map, factor, unit));
  const Factor &loop = rule.factors[factor];
  for (const TensorMap &map : rule.results)
    strategy.results.push_back(loop.kind == FactorKind::Reduction
                                   ? Placement::partial(loop.reduce)
                                   : placeFactor(rule, map, factor, unit));
  return strategy;
}

static SmallVector<Placement>
toPlacements(ArrayRef<std::optional<ReduceKind>> kinds) {
  SmallVector<Placement> placements;
  for (std::optional<ReduceKind> kind : kinds)
    placements.push_back(kind ? Placement::partial(*kind)
                              : Placement::replicate());
  return placements;
}

SmallVector<Strategy> dtensor::strategies(const ShardingRule &rule,
                                          ArrayRef<SmallVector<Expr>> units,
                                          const Facts *facts) {
  SmallVector<Strategy> all;
  Strategy replicated;
  replicated.operands.assign(rule.operands.size(), Placement::replicate());
  replicated.results.assign(rule.results.size(), Placement::replicate());
  all.push_back(std::move(replicated));
  for (unsigned factor = 0; factor < rule.factors.size(); ++factor) {
    if (!canShardFactor(rule, factor, facts))
      continue;
    all.push_back(shardFactor(rule, factor));
    if (factor >= units.size())
      continue;
    for (Expr unit : units[factor])
      if (unit && !unit.isConstant(1))
        all.push_back(shardFactor(rule, factor, unit));
  }
  for (const PartialSignature &signature : rule.partials)
    all.push_back({toPlacements(signature.operands),
                   toPlacements(signature.results), Strategy::kPartial});
  return all;
}
