//===- ShardingRuleTest.cpp - Laws of sharding rules ----------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/ShardingRule.h"
#include "Ranks.h"
#include "gtest/gtest.h"

using namespace dtensor;
using namespace dtensor::test;

namespace {

class ShardingRuleTest : public testing::Test {
protected:
  Expr sym(llvm::StringRef name) { return Expr::symbol(context, name); }
  Expr num(int64_t value) { return Expr::constant(context, value); }

  /// (m k)(k n) -> (m n).
  ShardingRule matmul() {
    ShardingRule rule;
    rule.factors = {{FactorKind::Parallel, sym("M")},
                    {FactorKind::Reduction, sym("K")},
                    {FactorKind::Parallel, sym("N")}};
    rule.operands = {{{0}, {1}}, {{1}, {2}}};
    rule.results = {{{0}, {2}}};
    rule.partials = {{{ReduceKind::Sum, std::nullopt}, {ReduceKind::Sum}},
                     {{std::nullopt, ReduceKind::Sum}, {ReduceKind::Sum}}};
    return rule;
  }
  /// (h)(d) -> (h d), a view that flattens heads of width d.
  ShardingRule flatten() {
    ShardingRule rule;
    rule.factors = {{FactorKind::Parallel, sym("H")},
                    {FactorKind::Parallel, sym("D")}};
    rule.operands = {{{0}, {1}}};
    rule.results = {{{0, 1}}};
    return rule;
  }
  std::string reason(const ShardingRule &rule,
                     llvm::ArrayRef<Placement> operands,
                     llvm::ArrayRef<Placement> results,
                     const Facts *facts = nullptr) {
    std::string why;
    EXPECT_EQ(accepts(rule, operands, results, &why, facts), why.empty());
    return why;
  }
  std::string errorOf(const ShardingRule &rule) {
    Errors errors;
    auto sink = errors.sink();
    EXPECT_EQ(rule.verify(sink), errors.text.empty());
    return errors.text;
  }

  ExprContext context;
  const Placement r = Placement::replicate();
  const Placement s0 = Placement::shard(0), s1 = Placement::shard(1);
  const Placement sum = Placement::partial(ReduceKind::Sum);
  const Placement max = Placement::partial(ReduceKind::Max);
};

std::string str(const Strategy &strategy) {
  std::string text;
  for (const Placement &placement : strategy.operands)
    text += placement.str() + " ";
  text += "->";
  for (const Placement &placement : strategy.results)
    text += " " + placement.str();
  return text;
}

TEST_F(ShardingRuleTest, MatmulHasItsSixStrategies) {
  std::vector<std::string> found;
  for (const Strategy &strategy : strategies(matmul()))
    found.push_back(str(strategy));
  EXPECT_EQ(found, (std::vector<std::string>{
                       "replicate replicate -> replicate",
                       "shard(0) replicate -> shard(0)",
                       "shard(1) shard(0) -> partial(sum)",
                       "replicate shard(1) -> shard(1)",
                       "partial(sum) replicate -> partial(sum)",
                       "replicate partial(sum) -> partial(sum)",
                   }));
}

/// Both directions at once, over all assignments of one axis.
TEST_F(ShardingRuleTest, AcceptedIsExactlyWhatIsAStrategy) {
  ShardingRule rule = matmul();
  auto list = strategies(rule);
  const Placement all[] = {r, s0, s1, sum, max};
  for (const Placement &lhs : all)
    for (const Placement &rhs : all)
      for (const Placement &out : all) {
        bool isStrategy = false;
        for (const Strategy &strategy : list)
          isStrategy |=
              strategy.operands == llvm::SmallVector<Placement>{lhs, rhs} &&
              strategy.results == llvm::SmallVector<Placement>{out};
        EXPECT_EQ(accepts(rule, {lhs, rhs}, {out}), isStrategy)
            << lhs.str() << " " << rhs.str() << " " << out.str();
      }
}

TEST_F(ShardingRuleTest, UnitsOfAFactorAreTheSameForAllTensors) {
  ShardingRule rule = matmul();
  Placement by4 = Placement::shard(0, num(4)),
            by8 = Placement::shard(0, num(8));
  EXPECT_EQ(reason(rule, {by4, r}, {by4}), "");
  EXPECT_EQ(reason(rule, {by4, r}, {by8}),
            "result 0 is shard(0, unit = 8), whose unit cuts factor 0 "
            "elsewhere than the other tensors do");
  EXPECT_EQ(
      reason(rule,
             {Placement::shard(1, sym("D")), Placement::shard(0, sym("D"))},
             {sum}),
      "");
  llvm::SmallVector<Expr> units[] = {{num(4)}};
  EXPECT_EQ(str(strategies(rule, units)[2]),
            "shard(0, unit = 4) replicate -> shard(0, unit = 4)");
}

TEST_F(ShardingRuleTest, FlatteningTurnsAShardIntoAShardInUnits) {
  ShardingRule rule = flatten();
  Placement byD = Placement::shard(0, sym("D"));
  auto list = strategies(rule);
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[1].operands[0], s0);
  EXPECT_EQ(list[1].results[0], byD);
  EXPECT_EQ(str(shardFactor(rule, 0, num(2))),
            "shard(0, unit = 2) -> shard(0, unit = 2*D)");
  EXPECT_EQ(reason(rule, {s0}, {byD}), "");
  EXPECT_EQ(reason(rule, {Placement::shard(0, num(2))},
                   {Placement::shard(0, 2 * sym("D"))}),
            "");
  EXPECT_EQ(reason(rule, {s0}, {s0}),
            "result 0 is shard(0), whose unit is not a multiple of D, what one "
            "step of factor 0 covers");
  EXPECT_EQ(reason(rule, {s1}, {s0}),
            "factor 1 is not the major-most one in dimension 0 of result 0");
}

TEST_F(ShardingRuleTest, FactorsOfSizeOneDoNotStandInTheWay) {
  ShardingRule rule = flatten();
  rule.factors[0].size = num(1);
  EXPECT_TRUE(canShardFactor(rule, 1));
  EXPECT_EQ(reason(rule, {s1}, {s0}), "");
  // Proved to be one, not written as one.
  rule.factors[0].size = sym("H");
  Facts facts;
  SymbolFacts one;
  one.min = 1;
  one.max = 1;
  facts.declareSymbol("H", one);
  EXPECT_FALSE(canShardFactor(rule, 1));
  EXPECT_TRUE(canShardFactor(rule, 1, &facts));
  EXPECT_EQ(reason(rule, {s1}, {s0}, &facts), "");
}

TEST_F(ShardingRuleTest, NeedReplicationAndUnmappedDimensionsAreNotSharded) {
  ShardingRule rule;
  rule.factors = {{FactorKind::NeedReplication, sym("N")},
                  {FactorKind::Parallel, sym("M")}};
  rule.operands = {{{0}, {1}}};
  rule.results = {{{}, {1}}};
  EXPECT_EQ(strategies(rule).size(), 2u);
  EXPECT_EQ(reason(rule, {s0}, {r}), "factor 0 needs replication");
  EXPECT_EQ(reason(rule, {r}, {s0}),
            "result 0 is shard(0), a dimension that the operation cannot "
            "shard");
  EXPECT_EQ(reason(rule, {s1}, {s1}), "");
}

TEST_F(ShardingRuleTest, AReductionThatNoOperandHoldsIsNotSharded) {
  ShardingRule rule;
  rule.factors = {{FactorKind::Reduction, sym("N")}};
  rule.operands = {{}};
  rule.results = {{}};
  EXPECT_FALSE(canShardFactor(rule, 0));
  EXPECT_EQ(strategies(rule).size(), 1u);
}

TEST_F(ShardingRuleTest, ReasonsNameTheTensorAndBothPlacements) {
  ShardingRule rule = matmul();
  EXPECT_EQ(reason(rule, {s0, r}, {r}),
            "sharding factor 0 makes result 0 shard(0), but it is replicate");
  EXPECT_EQ(reason(rule, {sum, sum}, {sum}),
            "no partial signature of the operation has operand 0 as "
            "partial(sum) with the other placements");
  EXPECT_EQ(reason(rule, {Placement::open(), r}, {r}),
            "operand 0 has no placement yet");
  EXPECT_EQ(reason(rule, {r}, {r}),
            "the rule has 2 operands and 1 results, not 1 and 1");
}

TEST_F(ShardingRuleTest, LayoutsAreAcceptedAxisByAxis) {
  ShardingRule rule = matmul();
  Mesh mesh = unknownMesh({2, 2});
  auto layout = [&](Placement a, Placement b,
                    llvm::ArrayRef<unsigned> order = {}) {
    return Layout({a, b}, {sym("X"), sym("Y")}, order);
  };
  std::string why;
  EXPECT_TRUE(
      accepts(rule, mesh, {layout(s0, s1), layout(r, s0)}, {layout(s0, sum)}));
  EXPECT_FALSE(accepts(rule, mesh, {layout(s0, s1), layout(r, r)},
                       {layout(s0, sum)}, &why));
  EXPECT_EQ(why, "sharding factor 1 makes operand 1 shard(0), but it is "
                 "replicate on axis \"b\"");
}

TEST_F(ShardingRuleTest, AxesOfOneFactorNestInOneOrderEverywhere) {
  ShardingRule rule = matmul();
  Mesh mesh = unknownMesh({2, 2});
  auto rows = [&](llvm::ArrayRef<unsigned> order) {
    return Layout({s0, s0}, {sym("X"), sym("Y")}, order);
  };
  Layout whole = Layout::replicated(2, {sym("X"), sym("Y")});
  std::string why;
  EXPECT_TRUE(accepts(rule, mesh, {rows({1, 0}), whole}, {rows({1, 0})}));
  EXPECT_FALSE(
      accepts(rule, mesh, {rows({0, 1}), whole}, {rows({1, 0})}, &why));
  EXPECT_EQ(why, "the mesh axes that shard factor 0 nest in different orders");
}

TEST_F(ShardingRuleTest, ReductionsOfTwoKindsDoNotMixOnOneResult) {
  ShardingRule rule;
  rule.factors = {{FactorKind::Reduction, sym("X"), ReduceKind::Sum},
                  {FactorKind::Reduction, sym("Y"), ReduceKind::Max}};
  rule.operands = {{{0}, {1}}};
  rule.results = {{{}, {}}};
  Mesh mesh = unknownMesh({2, 2});
  Layout operand({s0, s1}, {sym("X"), sym("Y")});
  Layout result({sum, max}, {num(1), num(1)});
  std::string why;
  EXPECT_FALSE(accepts(rule, mesh, {operand}, {result}, &why));
  EXPECT_EQ(why, "result 0 mixes two kinds of reduction");
}

TEST_F(ShardingRuleTest, VerifyFindsRulesThatMakeNoSense) {
  EXPECT_EQ(errorOf(matmul()), "");
  EXPECT_EQ(errorOf(flatten()), "");
  ShardingRule rule = matmul();
  rule.operands[0][0] = {7};
  EXPECT_EQ(errorOf(rule), "sharding rule: operand 0 names factor 7 of 3");
  rule = matmul();
  rule.operands[1][1] = {1};
  EXPECT_EQ(errorOf(rule), "sharding rule: operand 1 names factor 1 twice");
  rule = matmul();
  rule.results[0][0] = {1};
  EXPECT_EQ(errorOf(rule),
            "sharding rule: result 0 runs over reduction factor 1");
  rule = matmul();
  rule.partials[0].operands.pop_back();
  EXPECT_EQ(errorOf(rule), "sharding rule: partial signature 0 has 1 operands "
                           "and 1 results, not 2 and 1");
  rule = matmul();
  rule.products = {{0, 3}};
  EXPECT_EQ(errorOf(rule), "sharding rule: a product names factor 3 of 3");
  rule = matmul();
  rule.factors[0].size = {};
  EXPECT_EQ(errorOf(rule), "sharding rule: factor 0 has no size");
}

} // namespace
