//===- Attention.cpp - choice of attention kernel and launch --------------===//
//
// Which kernel, how many splits and which grid, from shapes and the device
// alone, so that a shape always gives the same bits.
//
//===----------------------------------------------------------------------===//

#include "AttentionPlanning.h"

#include <algorithm>

namespace dtensor::rt::cuda {
namespace {

struct Tile {
  int64_t rows, keys;
  uint32_t threads, sharedBytes;
};

Tile wgmmaTile(int depth) {
  // Queries, two stages of keys, two of values; 1 KiB to align, 128 bytes of
  // barriers.
  return {128, 128, 384, uint32_t(5 * 128 * depth * 2 + 1024 + 128)};
}

Tile mmaTile(int depth) {
  int keys = depth == 256 ? 32 : 64;
  return {64, keys, 128, uint32_t((64 + 4 * keys) * depth * 2)};
}

Tile fewTile(int depth) {
  return {16, 64, 128, uint32_t((16 + 4 * 64) * depth * 2)};
}

Tile simtTile(int depth) {
  int side = depth == 256 ? 32 : 64;
  return {side, side, 256,
          uint32_t((2 * side * (depth + 4) + side * (side + 4)) * 4)};
}

const char *wgmmaName(AttentionType type, int depth) {
  static const char *const bf16[] = {"dtensor_attention_wgmma_bf16_64",
                                     "dtensor_attention_wgmma_bf16_128",
                                     nullptr};
  static const char *const f16[] = {"dtensor_attention_wgmma_f16_64",
                                    "dtensor_attention_wgmma_f16_128", nullptr};
  return kernelName(type == AttentionType::BF16 ? bf16 : f16, depth);
}

const char *packedName(AttentionType type, int depth) {
  static const char *const bf16[] = {"dtensor_attention_mma_bf16_64",
                                     "dtensor_attention_mma_bf16_128",
                                     "dtensor_attention_mma_bf16_256"};
  static const char *const f16[] = {"dtensor_attention_mma_f16_64",
                                    "dtensor_attention_mma_f16_128",
                                    "dtensor_attention_mma_f16_256"};
  static const char *const f32[] = {"dtensor_attention_simt_f32_64",
                                    "dtensor_attention_simt_f32_128",
                                    "dtensor_attention_simt_f32_256"};
  if (type == AttentionType::F32)
    return kernelName(f32, depth);
  return kernelName(type == AttentionType::BF16 ? bf16 : f16, depth);
}

const char *fewName(AttentionType type, int depth) {
  static const char *const bf16[] = {"dtensor_attention_few_bf16_64",
                                     "dtensor_attention_few_bf16_128", nullptr};
  static const char *const f16[] = {"dtensor_attention_few_f16_64",
                                    "dtensor_attention_few_f16_128", nullptr};
  return kernelName(type == AttentionType::BF16 ? bf16 : f16, depth);
}

const char *combineName(AttentionType type) {
  switch (type) {
  case AttentionType::BF16:
    return "dtensor_attention_combine_bf16";
  case AttentionType::F16:
    return "dtensor_attention_combine_f16";
  case AttentionType::F32:
    return "dtensor_attention_combine_f32";
  }
  return nullptr;
}

std::string number(int64_t value) { return std::to_string(value); }

/// The kernels hold queries, keys and values in tiles of one depth.
int64_t widest(const AttentionProblem &p) {
  return std::max(p.depth, p.depthV);
}

void fillParameters(const AttentionProblem &p, AttentionParameters &a) {
  a.q = p.q, a.k = p.k, a.v = p.v, a.out = p.out;
  a.shift = p.causal ? p.shift : nullptr;
  a.qStrides = usedStrides(p.qStrides, p.batch, p.headsQ, p.queries, p.depth);
  a.kStrides = usedStrides(p.kStrides, p.batch, p.headsKV, p.keys, p.depth);
  a.vStrides = usedStrides(p.vStrides, p.batch, p.headsKV, p.keys, p.depthV);
  a.outStrides =
      usedStrides(p.outStrides, p.batch, p.headsQ, p.queries, p.depthV);
  a.batch = int32_t(p.batch);
  a.headsQ = int32_t(p.headsQ);
  a.headsKV = int32_t(p.headsKV);
  a.group = int32_t(p.headsQ / p.headsKV);
  a.queries = int32_t(p.queries);
  a.keys = int32_t(p.keys);
  a.depth = int32_t(p.depth);
  a.depthV = int32_t(p.depthV);
  a.diagonal = usedDiagonal(p.causal, p.diagonal, p.queries, p.keys);
  a.scale = float(p.scale);
  a.scaleLog2 = float(p.scale * 1.4426950408889634074);
  int64_t bytes = elementBytes(p.type), wide = 16 / bytes;
  a.wideLoads = p.depth % wide == 0 && p.depthV % wide == 0 &&
                alignedRows(p.q, a.qStrides, wide, bytes) &&
                alignedRows(p.k, a.kStrides, wide, bytes) &&
                alignedRows(p.v, a.vStrides, wide, bytes);
  a.pairStores = alignedRows(p.out, a.outStrides, 2, bytes);
}

bool encodeMaps(const AttentionProblem &p, const AttentionDevice &device,
                AttentionPlan &plan) {
  const AttentionParameters &a = plan.parameters;
  return encodeMap(device, plan.maps[0], p.type, p.q, a.qStrides, p.batch,
                   p.headsQ, p.queries, p.depth, 128) &&
         encodeMap(device, plan.maps[1], p.type, p.k, a.kStrides, p.batch,
                   p.headsKV, p.keys, p.depth, 128) &&
         encodeMap(device, plan.maps[2], p.type, p.v, a.vStrides, p.batch,
                   p.headsKV, p.keys, p.depthV, 128);
}

/// Splits over keys that fill the device when there are few row blocks, with
/// at least `leastTiles` tiles of keys for each.
int32_t chooseSplits(int64_t blocks, int64_t room, int64_t tiles,
                     int64_t leastTiles) {
  if (blocks * 4 > room * 3)
    return 1;
  int64_t splits = std::min(
      {room / blocks, tiles / leastTiles, int64_t(kAttentionMaxSplits)});
  return int32_t(std::max<int64_t>(splits, 1));
}

/// Whether the warpgroup kernels apply. Few rows leave their tiles empty, and
/// packing the heads of a group serves them better.
bool planWgmma(const AttentionProblem &p, const AttentionDevice &device,
               AttentionPlan &plan) {
  AttentionParameters &a = plan.parameters;
  if (p.queries < 64 || p.keys == 0 ||
      !takesWarpgroups(device, p.type, widest(p), a.scaleLog2))
    return false;
  if (!encodeMaps(p, device, plan))
    return false;
  int depth = paddedDepth(widest(p));
  Tile tile = wgmmaTile(depth);
  int64_t heads = p.batch * p.headsQ;
  a.rowBlocks = int32_t(ceilDiv(p.queries, tile.rows));
  a.splits = chooseSplits(a.rowBlocks * heads, device.multiprocessors,
                          ceilDiv(p.keys, tile.keys), 4);
  a.headsPerSection = sectionHeads(p.keys, depth, p.type, a.group, heads);
  int64_t grid = heads * a.rowBlocks * a.splits;
  if (grid > kMaxGrid)
    return false;
  // One block a multiprocessor takes several works in a fixed order, which
  // keeps blocks even while works get smaller. Every section starts anew with
  // large ones: there the hardware gives out the works.
  if (a.headsPerSection == heads)
    grid = std::min<int64_t>(grid, std::max(device.multiprocessors, 1));
  plan.attend = {wgmmaName(p.type, depth), uint32_t(grid), tile.threads,
                 tile.sharedBytes};
  return true;
}

bool planPacked(const AttentionProblem &p, const AttentionDevice &device,
                AttentionPlan &plan) {
  AttentionParameters &a = plan.parameters;
  int depth = paddedDepth(widest(p));
  bool few =
      p.type != AttentionType::F32 && depth <= 128 && p.queries * a.group <= 16;
  Tile tile = p.type == AttentionType::F32 ? simtTile(depth)
              : few                        ? fewTile(depth)
                                           : mmaTile(depth);
  int64_t heads = p.batch * p.headsKV;
  a.rowBlocks = int32_t(ceilDiv(p.queries * a.group, tile.rows));
  // Blocks that a multiprocessor holds at once.
  int64_t room = (few ? 3 : 2) * device.multiprocessors;
  a.splits =
      chooseSplits(a.rowBlocks * heads, room, ceilDiv(p.keys, tile.keys), 2);
  a.headsPerSection = int32_t(heads);
  int64_t grid = heads * a.rowBlocks * a.splits;
  if (grid > kMaxGrid)
    return false;
  plan.attend = {few ? fewName(p.type, depth) : packedName(p.type, depth),
                 uint32_t(grid), tile.threads, tile.sharedBytes};
  return true;
}

} // namespace

std::string planAttention(const AttentionProblem &problem,
                          const AttentionDevice &device, AttentionPlan &plan) {
  plan = AttentionPlan();
  if (std::string error = checkAttentionExtents(
          problem.batch, problem.headsQ, problem.headsKV, problem.queries,
          problem.keys, problem.depth, problem.depthV);
      !error.empty())
    return error;
  if (problem.batch == 0 || problem.headsQ == 0 || problem.queries == 0 ||
      problem.depthV == 0)
    return "";
  fillParameters(problem, plan.parameters);
  if (!planWgmma(problem, device, plan) && !planPacked(problem, device, plan))
    return "attention: " + number(problem.queries) +
           " queries need more blocks than a grid holds";
  AttentionParameters &a = plan.parameters;
  if (a.splits == 1)
    return "";
  int64_t rows = problem.batch * problem.headsQ * problem.queries;
  plan.workspaceBytes = size_t(rows * a.splits * (problem.depthV + 1) * 4);
  plan.combine = {combineName(problem.type), uint32_t(rows), 128, 0};
  return "";
}

void setAttentionWorkspace(AttentionPlan &plan, void *workspace) {
  AttentionParameters &a = plan.parameters;
  int64_t rows = int64_t(a.batch) * a.headsQ * a.queries * a.splits;
  a.partial = static_cast<float *>(workspace);
  a.partialLog = a.partial + rows * a.depthV;
}

} // namespace dtensor::rt::cuda
