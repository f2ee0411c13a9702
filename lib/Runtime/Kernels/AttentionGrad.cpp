//===- AttentionGrad.cpp - choice of gradient kernels and launch ----------===//
//
// Which kernel, how many splits and which grid, from shapes and the device
// alone, so that a shape always gives the same bits.
//
//===----------------------------------------------------------------------===//

#include "AttentionGrad.h"

#include "AttentionPlanning.h"

#include <algorithm>

namespace dtensor::rt::cuda {
using Problem = AttentionGradProblem;
using Parameters = AttentionGradParameters;

namespace {
/// Of the names "dtensor_attention_" WHAT "_" TYPE "_" DEPTH.
struct Names {
  const char *bf16[3], *f16[3], *f32[3];

  const char *of(AttentionType type, int depth) const {
    return kernelName(type == AttentionType::BF16  ? bf16
                      : type == AttentionType::F16 ? f16
                                                   : f32,
                      depth);
  }
};
} // namespace

#define DTENSOR_GRAD_NAMES(WHAT)                                               \
  {{"dtensor_attention_" WHAT "_bf16_64",                                      \
    "dtensor_attention_" WHAT "_bf16_128",                                     \
    "dtensor_attention_" WHAT "_bf16_256"},                                    \
   {"dtensor_attention_" WHAT "_f16_64", "dtensor_attention_" WHAT "_f16_128", \
    "dtensor_attention_" WHAT "_f16_256"},                                     \
   {"dtensor_attention_" WHAT "_f32_64", "dtensor_attention_" WHAT "_f32_128", \
    "dtensor_attention_" WHAT "_f32_256"}}

static constexpr Names queryWgmma = DTENSOR_GRAD_NAMES("query_grad_wgmma");
static constexpr Names querySimt = DTENSOR_GRAD_NAMES("query_grad_simt");
static constexpr Names keyValueWgmma =
    DTENSOR_GRAD_NAMES("key_value_grad_wgmma");
static constexpr Names keyValueSimt = DTENSOR_GRAD_NAMES("key_value_grad_simt");
#undef DTENSOR_GRAD_NAMES

static const char *combineName(AttentionType type) {
  return type == AttentionType::BF16  ? "dtensor_attention_grad_combine_bf16"
         : type == AttentionType::F16 ? "dtensor_attention_grad_combine_f16"
                                      : "dtensor_attention_grad_combine_f32";
}

/// Rows of the result that a block computes; those of the tiles that pass by.
static constexpr int64_t kWgmmaRows = 128, kWgmmaTile = 64;

/// Two tiles that stay, `stages` pairs that pass by with two numbers a row;
/// 1 KiB to align, 256 bytes of barriers.
static uint32_t wgmmaShared(int depth) {
  constexpr uint32_t stages = 4;
  return 2 * kWgmmaRows * depth * 2 +
         stages * (2 * kWgmmaTile * depth * 2 + 2 * kWgmmaTile * 4) + 1024 +
         256;
}

static int64_t simtSide(int depth) { return depth == 256 ? 32 : 64; }

static uint32_t simtShared(int depth) {
  int64_t side = simtSide(depth);
  return uint32_t((3 * side * (depth + 4) + 2 * side * (side + 4)) * 4);
}

static int64_t widest(const Problem &p) { return std::max(p.depth, p.depthV); }

static AttentionOperand used(const AttentionOperand &operand, const Problem &p,
                             int64_t heads, int64_t rows, int64_t depth) {
  return {operand.data,
          usedStrides(operand.strides, p.batch, heads, rows, depth)};
}

static void fillOperands(const Problem &p, Parameters &a) {
  a.grad = used(p.grad, p, p.headsQ, p.queries, p.depthV);
  a.q = used(p.q, p, p.headsQ, p.queries, p.depth);
  a.k = used(p.k, p, p.headsKV, p.keys, p.depth);
  a.v = used(p.v, p, p.headsKV, p.keys, p.depthV);
  a.gradQ = used(p.gradQ, p, p.headsQ, p.queries, p.depth);
  a.gradK = used(p.gradK, p, p.headsKV, p.keys, p.depth);
  a.gradV = used(p.gradV, p, p.headsKV, p.keys, p.depthV);
  a.logSumExp = used(p.logSumExp, p, p.headsQ, p.queries, 1);
  a.delta = used(p.delta, p, p.headsQ, p.queries, 1);
}

static void fillParameters(const Problem &p, Parameters &a) {
  fillOperands(p, a);
  a.batch = int32_t(p.batch);
  a.headsQ = int32_t(p.headsQ);
  a.headsKV = int32_t(p.headsKV);
  a.group = int32_t(p.headsQ / p.headsKV);
  a.queries = int32_t(p.queries);
  a.keys = int32_t(p.keys);
  a.depth = int32_t(p.depth);
  a.depthV = int32_t(p.depthV);
  a.diagonal = usedDiagonal(p.causal, p.diagonal, p.queries, p.keys);
  a.splits = 1;
  a.scale = float(p.scale);
  a.scaleLog2 = float(p.scale * 1.4426950408889634074);
  int64_t bytes = elementBytes(p.type), wide = 16 / bytes;
  a.wideLoads = p.depth % wide == 0 && p.depthV % wide == 0;
  for (const AttentionOperand *operand : {&a.grad, &a.q, &a.k, &a.v})
    a.wideLoads &= alignedRows(operand->data, operand->strides, wide, bytes);
  a.pairStores = true;
  for (const AttentionOperand *result : {&a.gradQ, &a.gradK, &a.gradV})
    a.pairStores &= alignedRows(result->data, result->strides, 2, bytes);
}

static bool encodeQueries(const Problem &p, const AttentionDevice &device,
                          const AttentionOperand &operand, int64_t depth,
                          int64_t boxRows, AttentionTensorMap &map) {
  return encodeMap(device, map, p.type, operand.data, operand.strides, p.batch,
                   p.headsQ, p.queries, depth, uint32_t(boxRows));
}
static bool encodeKeys(const Problem &p, const AttentionDevice &device,
                       const AttentionOperand &operand, int64_t depth,
                       int64_t boxRows, AttentionTensorMap &map) {
  return encodeMap(device, map, p.type, operand.data, operand.strides, p.batch,
                   p.headsKV, p.keys, depth, uint32_t(boxRows));
}

static std::string tooManyBlocks(const char *what, int64_t rows) {
  return std::string("attention gradient: ") + std::to_string(rows) + " " +
         what + " need more blocks than a grid holds";
}

/// Blocks of all heads of the result; false where no grid holds them.
static bool setGrid(AttentionGradPlan &plan, int64_t heads) {
  const Parameters &a = plan.parameters;
  int64_t grid = heads * a.rowBlocks * a.splits;
  plan.grad.grid = uint32_t(grid);
  return grid <= kMaxGrid;
}

/// Splits by heads of a group, each of as many, that fill the device one and a
/// half times: what the blocks have to do differs under a diagonal.
static void chooseSplits(const Problem &p, const AttentionDevice &device,
                         AttentionGradPlan &plan) {
  Parameters &a = plan.parameters;
  int64_t works = p.batch * p.headsKV * a.rowBlocks;
  int64_t room = std::max(device.multiprocessors, 1);
  int64_t wanted = ceilDiv(3 * room, 2 * works);
  a.splits = 1;
  while (a.splits < a.group && (a.splits < wanted || a.group % a.splits != 0))
    ++a.splits;
  if (a.splits == 1)
    return;
  int64_t rows = p.batch * p.headsKV * p.keys;
  plan.workspaceBytes = size_t(rows * a.splits * (p.depth + p.depthV) * 4);
  plan.combine = {combineName(p.type), uint32_t(std::min(rows, kMaxGrid)), 128,
                  0};
}

/// What the two gradients have in common; `heads` and `rows` are those of the
/// result. `encode` makes the tensor maps where the operands take them.
template <typename Encode>
static std::string planGrad(const Problem &p, const AttentionDevice &device,
                            AttentionGradPlan &plan, int64_t heads,
                            int64_t rows, const Names &wgmma, const Names &simt,
                            Encode encode) {
  plan = AttentionGradPlan();
  if (std::string error = checkAttentionExtents(
          p.batch, p.headsQ, p.headsKV, p.queries, p.keys, p.depth, p.depthV);
      !error.empty() || heads == 0 || rows == 0)
    return error;
  Parameters &a = plan.parameters;
  fillParameters(p, a);
  int depth = paddedDepth(widest(p));
  bool canUse = p.keys != 0 && p.queries != 0 &&
                takesWarpgroups(device, p.type, widest(p), a.scaleLog2) &&
                encode();
  if (canUse)
    plan.grad = {wgmma.of(p.type, depth), 0, 384, wgmmaShared(depth)};
  else
    plan.grad = {simt.of(p.type, depth), 0, 256, simtShared(depth)};
  a.rowBlocks = int32_t(ceilDiv(rows, canUse ? kWgmmaRows : simtSide(depth)));
  // The longest works of all heads first: the ends of sections would be idle.
  a.headsPerSection = int32_t(heads);
  return "";
}

std::string planQueryGrad(const AttentionGradProblem &p,
                          const AttentionDevice &device,
                          AttentionGradPlan &plan) {
  Parameters &a = plan.parameters;
  int64_t heads = p.batch * p.headsQ;
  std::string error =
      planGrad(p, device, plan, heads, p.queries, queryWgmma, querySimt, [&] {
        return encodeQueries(p, device, a.q, p.depth, kWgmmaRows,
                             plan.maps[0]) &&
               encodeQueries(p, device, a.grad, p.depthV, kWgmmaRows,
                             plan.maps[1]) &&
               encodeKeys(p, device, a.k, p.depth, kWgmmaTile, plan.maps[2]) &&
               encodeKeys(p, device, a.v, p.depthV, kWgmmaTile, plan.maps[3]);
      });
  if (!error.empty() || !plan.grad.kernel)
    return error;
  a.headsPerSection =
      sectionHeads(p.keys, paddedDepth(widest(p)), p.type, a.group, heads);
  return setGrid(plan, heads) ? "" : tooManyBlocks("queries", p.queries);
}

std::string planKeyValueGrad(const AttentionGradProblem &p,
                             const AttentionDevice &device,
                             AttentionGradPlan &plan) {
  Parameters &a = plan.parameters;
  int64_t heads = p.batch * p.headsKV;
  std::string error = planGrad(
      p, device, plan, heads, p.keys, keyValueWgmma, keyValueSimt, [&] {
        return encodeKeys(p, device, a.k, p.depth, kWgmmaRows, plan.maps[0]) &&
               encodeKeys(p, device, a.v, p.depthV, kWgmmaRows, plan.maps[1]) &&
               encodeQueries(p, device, a.q, p.depth, kWgmmaTile,
                             plan.maps[2]) &&
               encodeQueries(p, device, a.grad, p.depthV, kWgmmaTile,
                             plan.maps[3]);
      });
  if (!error.empty() || !plan.grad.kernel)
    return error;
  chooseSplits(p, device, plan);
  return setGrid(plan, heads) ? "" : tooManyBlocks("keys", p.keys);
}

void setGradWorkspace(AttentionGradPlan &plan, void *workspace) {
  Parameters &a = plan.parameters;
  int64_t rows = int64_t(a.batch) * a.headsKV * a.keys * a.splits;
  a.partialK = static_cast<float *>(workspace);
  a.partialV = a.partialK + rows * a.depth;
}

} // namespace dtensor::rt::cuda
