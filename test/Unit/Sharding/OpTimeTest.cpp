//===- OpTimeTest.cpp - Laws of what an op costs a rank -------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/OpTime.h"
#include "gtest/gtest.h"

using namespace dtensor;

namespace {

/// c[m, n] = a[m, k] * b[k, n], each extent 1000, elements of 4 bytes.
class OpTimeTest : public testing::Test {
protected:
  OpTimeTest() {
    Expr size = Expr::constant(context, 1000);
    rule.factors = {{FactorKind::Parallel, size},
                    {FactorKind::Parallel, size},
                    {FactorKind::Reduction, size}};
    rule.operands = {TensorMap{{0u}, {2u}}, TensorMap{{2u}, {1u}}};
    rule.results = {TensorMap{{0u}, {1u}}};
    work.operands = {4e6, 4e6};
    work.results = {4e6};
    replicated.operands = {Placement::replicate(), Placement::replicate()};
    replicated.results = {Placement::replicate()};
  }

  double time(const Strategy &strategy, int64_t group) {
    return opTime(rule, strategy, work, group, facts, model);
  }
  double memory(double bytes) { return bytes / model.memoryBandwidth; }

  ExprContext context;
  Facts facts;
  CostModel model;
  ShardingRule rule;
  OpWork work;
  Strategy replicated;
};

TEST_F(OpTimeTest, AReplicatedOpCostsEveryRankAllOfIt) {
  double all = memory(12e6) + 2e9 / model.arithmetic;
  EXPECT_DOUBLE_EQ(time(replicated, 1), all);
  EXPECT_DOUBLE_EQ(time(replicated, 8), all);
}

TEST_F(OpTimeTest, AShardedFactorDividesWhatItIndexesAndTheArithmetic) {
  Strategy rows = shardFactor(rule, 0); // a and c, not b
  EXPECT_DOUBLE_EQ(time(rows, 4), memory(6e6) + 2e9 / 4 / model.arithmetic);
  Strategy reduction = shardFactor(rule, 2); // a and b, not c
  EXPECT_DOUBLE_EQ(time(reduction, 4), time(rows, 4) + memory(0));
}

TEST_F(OpTimeTest, OtherAxesShareTheArithmetic) {
  double before = time(replicated, 2);
  work.sharers = 4;
  EXPECT_DOUBLE_EQ(time(replicated, 2),
                   before - 2e9 * 3 / 4 / model.arithmetic);
}

TEST_F(OpTimeTest, ASumOfOneTensorIsNoContraction) {
  work.operands[1] = std::nullopt;
  EXPECT_DOUBLE_EQ(time(replicated, 2), memory(8e6));
}

TEST_F(OpTimeTest, ProductsThatAreNamedAreAdded) {
  rule.products = {{0, 1}, {1, 2}, {0, 1, 2}};
  double all = memory(12e6) + (2e6 + 2e6 + 2e9) / model.arithmetic;
  EXPECT_DOUBLE_EQ(time(replicated, 8), all);
  // Nothing needs to be summed over for that.
  rule.factors[2].kind = FactorKind::Parallel;
  EXPECT_DOUBLE_EQ(time(replicated, 8), all);
}

TEST_F(OpTimeTest, ALookedUpTableIsReadAsOftenAsTheResultIsWritten) {
  rule.lookedUp = {1};
  work.operands[1] = 4e12;
  EXPECT_DOUBLE_EQ(time(replicated, 2), memory(12e6));
}

} // namespace
