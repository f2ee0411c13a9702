//===- AttentionPlanTest.cpp - choice of attention kernels ----------------===//

#include "../../../lib/Runtime/Kernels/AttentionGrad.h"

#include "gtest/gtest.h"

using namespace dtensor::rt::cuda;

namespace {

int mapsEncoded = 0;

int encode(void *, int, uint32_t, void *, const uint64_t *, const uint64_t *,
           const uint32_t *, const uint32_t *, int, int, int, int) {
  ++mapsEncoded;
  return 0;
}

const AttentionDevice hopper = {90, 132, encode};
const AttentionDevice ampere = {80, 108, encode};

/// Operands [batch, rows, heads, depth], packed, at addresses never read.
AttentionProblem problemOf(int64_t headsQ, int64_t headsKV, int64_t queries,
                           int64_t keys, int64_t depth) {
  auto address = [](uintptr_t at) { return reinterpret_cast<void *>(at); };
  AttentionStrides q = {queries * headsQ * depth, depth, headsQ * depth};
  AttentionStrides kv = {keys * headsKV * depth, depth, headsKV * depth};
  return {address(0x10000),
          address(0x20000),
          address(0x30000),
          address(0x40000),
          q,
          kv,
          kv,
          q,
          AttentionType::BF16,
          1,
          headsQ,
          headsKV,
          queries,
          keys,
          depth,
          depth,
          0.125,
          true,
          keys - queries,
          /*shift=*/nullptr};
}

std::string kernelOf(const AttentionProblem &problem,
                     const AttentionDevice &device) {
  AttentionPlan plan;
  std::string error = planAttention(problem, device, plan);
  return error.empty() ? plan.attend.kernel ? plan.attend.kernel : "none"
                       : error;
}

TEST(AttentionPlan, LongQueriesOnHopperTakeWarpgroupProducts) {
  mapsEncoded = 0;
  EXPECT_EQ(kernelOf(problemOf(32, 4, 1000, 1000, 128), hopper),
            "dtensor_attention_wgmma_bf16_128");
  EXPECT_EQ(mapsEncoded, 3);
  EXPECT_EQ(kernelOf(problemOf(32, 4, 1000, 1000, 128), ampere),
            "dtensor_attention_mma_bf16_128");
}

TEST(AttentionPlan, WithoutTensorMapsOrAlignmentMmaRuns) {
  AttentionProblem problem = problemOf(32, 4, 1000, 1000, 128);
  EXPECT_EQ(kernelOf(problem, {90, 132, nullptr}),
            "dtensor_attention_mma_bf16_128");
  problem.kStrides.row += 1;
  EXPECT_EQ(kernelOf(problem, hopper), "dtensor_attention_mma_bf16_128");
}

TEST(AttentionPlan, DecodingSplitsTheKeysAndCombines) {
  AttentionPlan plan;
  ASSERT_EQ(planAttention(problemOf(32, 4, 1, 8192, 128), hopper, plan), "");
  EXPECT_STREQ(plan.attend.kernel, "dtensor_attention_few_bf16_128");
  int64_t splits = plan.parameters.splits;
  EXPECT_GT(splits, 1);
  EXPECT_LE(splits, kAttentionMaxSplits);
  EXPECT_EQ(plan.attend.grid, 4 * splits);
  EXPECT_STREQ(plan.combine.kernel, "dtensor_attention_combine_bf16");
  EXPECT_EQ(plan.combine.grid, 32u);
  EXPECT_EQ(plan.workspaceBytes, size_t(32 * splits * (128 + 1) * 4));
}

TEST(AttentionPlan, TheDiagonalIsClampedAndAbsentWithoutCausal) {
  AttentionPlan plan;
  AttentionProblem problem = problemOf(2, 2, 7, 9, 64);
  problem.diagonal = int64_t(1) << 40;
  ASSERT_EQ(planAttention(problem, ampere, plan), "");
  EXPECT_EQ(plan.parameters.diagonal, 9);
  problem.diagonal = -(int64_t(1) << 40);
  ASSERT_EQ(planAttention(problem, ampere, plan), "");
  EXPECT_EQ(plan.parameters.diagonal, -7);
  problem.causal = false;
  ASSERT_EQ(planAttention(problem, ampere, plan), "");
  EXPECT_EQ(plan.parameters.diagonal, 9);
}

TEST(AttentionPlan, AnEmptyOutputLaunchesNothingAndNoKeysStillWriteZeros) {
  EXPECT_EQ(kernelOf(problemOf(4, 2, 0, 5, 64), hopper), "none");
  EXPECT_EQ(kernelOf(problemOf(0, 0, 3, 5, 64), hopper), "none");
  EXPECT_EQ(kernelOf(problemOf(4, 2, 100, 0, 64), hopper),
            "dtensor_attention_mma_bf16_64");
}

TEST(AttentionPlan, ValuesMayHaveADepthOfTheirOwn) {
  AttentionProblem problem = problemOf(4, 2, 8, 8, 64);
  problem.depthV = 200;
  EXPECT_EQ(kernelOf(problem, hopper), "dtensor_attention_mma_bf16_256");
  problem.depthV = 257;
  EXPECT_EQ(kernelOf(problem, hopper), "attention: depth 257 exceeds 256");
}

TEST(AttentionPlan, BadProblemsAreToldWithTheirNumbers) {
  EXPECT_EQ(kernelOf(problemOf(4, 2, 8, 8, 320), hopper),
            "attention: depth 320 exceeds 256");
  EXPECT_EQ(kernelOf(problemOf(5, 2, 8, 8, 64), hopper),
            "attention: 5 query heads do not divide by 2 key heads");
  EXPECT_EQ(kernelOf(problemOf(4, 4, 8, -1, 64), hopper),
            "attention: an extent is negative");
}

} // namespace

/// The same for gradients, which lie as what they are of.
static AttentionGradProblem gradProblemOf(int64_t headsQ, int64_t headsKV,
                                          int64_t queries, int64_t keys,
                                          int64_t depth) {
  AttentionProblem of = problemOf(headsQ, headsKV, queries, keys, depth);
  auto operand = [](uintptr_t at, AttentionStrides strides) {
    return AttentionOperand{reinterpret_cast<void *>(at), strides};
  };
  AttentionStrides rows = {headsQ * queries, queries, 1};
  return {operand(0x10000, of.qStrides),
          operand(0x20000, of.qStrides),
          operand(0x30000, of.kStrides),
          operand(0x40000, of.vStrides),
          operand(0x50000, of.qStrides),
          operand(0x60000, of.kStrides),
          operand(0x70000, of.vStrides),
          operand(0x80000, rows),
          operand(0x90000, rows),
          of.type,
          of.batch,
          of.headsQ,
          of.headsKV,
          of.queries,
          of.keys,
          of.depth,
          of.depthV,
          of.scale,
          of.causal,
          of.diagonal};
}

static std::string gradKernelsOf(const AttentionGradProblem &problem,
                                 const AttentionDevice &device) {
  std::string names;
  for (auto *make : {planQueryGrad, planKeyValueGrad}) {
    AttentionGradPlan plan;
    std::string error = make(problem, device, plan);
    if (!error.empty())
      return error;
    names += plan.grad.kernel ? plan.grad.kernel : "none";
    names += " ";
  }
  return names;
}

namespace {

TEST(AttentionGradPlan, HopperTakesWarpgroupProductsAndOthersAnyType) {
  AttentionGradProblem problem = gradProblemOf(32, 4, 1000, 1000, 128);
  EXPECT_EQ(gradKernelsOf(problem, hopper),
            "dtensor_attention_query_grad_wgmma_bf16_128 "
            "dtensor_attention_key_value_grad_wgmma_bf16_128 ");
  EXPECT_EQ(gradKernelsOf(problem, ampere),
            "dtensor_attention_query_grad_simt_bf16_128 "
            "dtensor_attention_key_value_grad_simt_bf16_128 ");
  problem.grad.strides.row += 1;
  EXPECT_EQ(gradKernelsOf(problem, hopper),
            "dtensor_attention_query_grad_simt_bf16_128 "
            "dtensor_attention_key_value_grad_simt_bf16_128 ");
  EXPECT_EQ(gradKernelsOf(gradProblemOf(2, 2, 9, 9, 200), hopper),
            "dtensor_attention_query_grad_simt_bf16_256 "
            "dtensor_attention_key_value_grad_simt_bf16_256 ");
}

TEST(AttentionGradPlan, FewBlocksOfKeysAreSplitByEqualNumbersOfHeads) {
  AttentionGradPlan plan;
  // 4 heads of 8 blocks; 198 blocks are wanted, 8 heads are in a group.
  ASSERT_EQ(
      planKeyValueGrad(gradProblemOf(32, 4, 1000, 1000, 128), hopper, plan),
      "");
  EXPECT_EQ(plan.parameters.splits, 8);
  EXPECT_EQ(plan.grad.grid, 4u * 8 * 8);
  EXPECT_STREQ(plan.combine.kernel, "dtensor_attention_grad_combine_bf16");
  EXPECT_EQ(plan.workspaceBytes, size_t(4 * 1000 * 8) * (128 + 128) * 4);
  // 3 splits would do, but 3 does not divide 4.
  ASSERT_EQ(
      planKeyValueGrad(gradProblemOf(32, 8, 1280, 1280, 128), hopper, plan),
      "");
  EXPECT_EQ(plan.parameters.splits, 4);
  ASSERT_EQ(
      planKeyValueGrad(gradProblemOf(32, 32, 2000, 2000, 128), hopper, plan),
      "");
  EXPECT_EQ(plan.parameters.splits, 1);
  EXPECT_EQ(plan.combine.kernel, nullptr);
  EXPECT_EQ(plan.workspaceBytes, 0u);
}

TEST(AttentionGradPlan, EmptyResultsLaunchNothingAndNoTermsStillWriteZeros) {
  EXPECT_EQ(gradKernelsOf(gradProblemOf(0, 0, 3, 5, 64), hopper), "none none ");
  EXPECT_EQ(gradKernelsOf(gradProblemOf(4, 2, 0, 5, 64), hopper),
            "none dtensor_attention_key_value_grad_simt_bf16_64 ");
  EXPECT_EQ(gradKernelsOf(gradProblemOf(4, 2, 5, 0, 64), hopper),
            "dtensor_attention_query_grad_simt_bf16_64 none ");
}

TEST(AttentionGradPlan, BadProblemsAreToldWithTheirNumbers) {
  EXPECT_EQ(gradKernelsOf(gradProblemOf(4, 2, 8, 8, 320), hopper),
            "attention: depth 320 exceeds 256");
}

} // namespace
