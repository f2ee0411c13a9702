//===- CostTest.cpp - Laws of costs ---------------------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/Cost.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace dtensor;

namespace {

const StepKind kinds[] = {StepKind::AllGather,     StepKind::AllReduce,
                          StepKind::ReduceScatter, StepKind::AllToAll,
                          StepKind::ShardSlice,    StepKind::InitPartial,
                          StepKind::Regroup};

TEST(Cost, AGroupOfOneRankIsFree) {
  for (StepKind kind : kinds)
    EXPECT_EQ(CostModel().stepTime(kind, 1e9, 1, 1, 0), 0);
}

TEST(Cost, MoreBytesNeverCostLess) {
  for (StepKind kind : kinds)
    for (int64_t group : {2, 3, 8, 1000})
      for (double bytes = 1; bytes < 1e12; bytes *= 8)
        EXPECT_LE(CostModel().stepTime(kind, bytes, group, 1, 0),
                  CostModel().stepTime(kind, 8 * bytes, group, 1, 0));
}

/// One step on g*h ranks against a step on h ranks, then one on g.
TEST(Cost, FusedAxesNeverCostMoreThanOneAfterTheOther) {
  CostModel model;
  for (double bytes = 1; bytes < 1e11; bytes *= 32)
    for (int64_t g : {2, 3, 8, 72})
      for (int64_t h : {2, 5, 8}) {
        EXPECT_LE(model.stepTime(StepKind::AllReduce, bytes, g * h),
                  model.stepTime(StepKind::AllReduce, bytes, g) +
                      model.stepTime(StepKind::AllReduce, bytes, h));
        EXPECT_LE(model.stepTime(StepKind::AllGather, bytes, g * h),
                  model.stepTime(StepKind::AllGather, bytes, g) +
                      model.stepTime(StepKind::AllGather, bytes / g, h));
      }
}

TEST(Cost, StepsTakeAboutTheirMeasuredTimes) {
  // Measured on 4 H200, NCCL 2.28: 64 MiB and 32 KiB, in microseconds.
  auto near = [](double model, double measured) {
    return model > measured / 1.4 && model < measured * 1.4;
  };
  CostModel model;
  double large = 64 << 20, small = 32 << 10;
  EXPECT_TRUE(near(model.stepTime(StepKind::AllReduce, large, 4), 319));
  EXPECT_TRUE(near(model.stepTime(StepKind::AllReduce, small, 4), 10.6));
  EXPECT_TRUE(near(model.stepTime(StepKind::AllGather, large, 4), 187));
  EXPECT_TRUE(near(model.stepTime(StepKind::AllGather, small, 4), 8.2));
  EXPECT_TRUE(near(model.stepTime(StepKind::ReduceScatter, large, 4), 187));
  EXPECT_TRUE(near(model.stepTime(StepKind::ReduceScatter, small, 4), 7.6));
}

TEST(Cost, TimesAreMultiplesOfAPowerOfTwo) {
  for (StepKind kind : kinds)
    for (double bytes : {1.0, 777.0, 123456789.0}) {
      double time = CostModel().stepTime(kind, bytes, 6, 1, 2) * 1024;
      EXPECT_EQ(time, std::floor(time));
    }
}

TEST(Cost, ForbiddenPairsCostInfinity) {
  Placement sum = Placement::partial(ReduceKind::Sum);
  Placement max = Placement::partial(ReduceKind::Max);
  EXPECT_TRUE(std::isinf(redistributionTime(Placement::shard(0), sum, 1, 2)));
  EXPECT_TRUE(std::isinf(redistributionTime(sum, max, 1, 2)));
  EXPECT_TRUE(std::isinf(
      redistributionTime(Placement::open(), Placement::replicate(), 1, 2)));
  EXPECT_EQ(redistributionTime(sum, sum, 1, 2), 0);
}

TEST(Cost, UnitsThatAgreeCostNothing) {
  ExprContext context;
  Placement plain = Placement::shard(0);
  Placement units = Placement::shard(0, Expr::constant(context, 4));
  CostModel model;
  EXPECT_GT(redistributionTime(plain, units, 1e6, 4, model), 0);
  EXPECT_EQ(redistributionTime(plain, units, 1e6, 4, model, true), 0);
}

} // namespace
