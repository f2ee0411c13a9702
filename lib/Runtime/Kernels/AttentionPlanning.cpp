//===- AttentionPlanning.cpp - parts of the choice of kernels -------------===//

#include "AttentionPlanning.h"

#include <algorithm>
#include <cmath>

namespace dtensor::rt::cuda {

static std::string number(int64_t value) { return std::to_string(value); }

std::string checkAttentionExtents(int64_t batch, int64_t headsQ,
                                  int64_t headsKV, int64_t queries,
                                  int64_t keys, int64_t depth, int64_t depthV) {
  for (int64_t extent : {batch, headsQ, headsKV, queries, keys, depth, depthV})
    if (extent < 0)
      return "attention: an extent is negative";
  // The kernels hold queries, keys and values in tiles of one depth.
  int64_t widest = std::max(depth, depthV);
  if (widest > 256)
    return "attention: depth " + number(widest) + " exceeds 256";
  if (headsQ != 0 && (headsKV == 0 || headsQ % headsKV != 0))
    return "attention: " + number(headsQ) + " query heads do not divide by " +
           number(headsKV) + " key heads";
  int64_t group = headsKV == 0 ? 1 : headsQ / headsKV;
  int64_t limit = kMaxAttentionExtent;
  if (keys >= limit || queries >= limit || queries * group >= limit)
    return "attention: " + number(queries) + " queries of " + number(group) +
           " heads a group and " + number(keys) + " keys exceed the limit of " +
           number(limit);
  if (batch >= limit || headsQ >= limit || batch * headsQ >= limit)
    return "attention: batch " + number(batch) + " times " + number(headsQ) +
           " heads exceeds the limit of " + number(limit);
  return "";
}

bool takesWarpgroups(const AttentionDevice &device, AttentionType type,
                     int64_t widest, float scaleLog2) {
  return device.arch == 90 && device.encodeTiled &&
         type != AttentionType::F32 && widest <= 128 && scaleLog2 > 0 &&
         std::isfinite(scaleLog2);
}

int32_t sectionHeads(int64_t keys, int depth, AttentionType type, int64_t group,
                     int64_t heads) {
  int64_t headBytes =
      std::max<int64_t>(keys * depth * 2 * elementBytes(type), 1);
  int64_t kvHeads = std::max<int64_t>(kSectionBytes / headBytes, 1);
  return int32_t(std::min(kvHeads * group, heads));
}

bool alignedRows(const void *pointer, const AttentionStrides &s, int64_t width,
                 int64_t bytes) {
  return uintptr_t(pointer) % (width * bytes) == 0 && s.batch % width == 0 &&
         s.head % width == 0 && s.row % width == 0;
}

AttentionStrides usedStrides(AttentionStrides s, int64_t batch, int64_t heads,
                             int64_t rows, int64_t depth) {
  int64_t row = ceilDiv(depth, 16) * 16;
  if (rows == 1)
    s.row = row;
  if (heads == 1)
    s.head = row;
  if (batch == 1)
    s.batch = row;
  return s;
}

int32_t usedDiagonal(bool causal, int64_t diagonal, int64_t queries,
                     int64_t keys) {
  return int32_t(std::clamp(causal ? diagonal : keys, -queries, keys));
}

bool encodeMap(const AttentionDevice &device, AttentionTensorMap &map,
               AttentionType type, const void *pointer,
               const AttentionStrides &s, int64_t batch, int64_t heads,
               int64_t rows, int64_t depth, uint32_t boxRows) {
  if (uintptr_t(pointer) % 16 != 0)
    return false;
  const uint64_t extents[] = {uint64_t(depth), uint64_t(rows), uint64_t(heads),
                              uint64_t(batch)};
  const int64_t strides[] = {s.row * 2, s.head * 2, s.batch * 2};
  uint64_t byteStrides[3];
  for (int i = 0; i < 3; ++i) {
    // Overlapping or reversed rows are for the kernels that take any stride.
    if (strides[i] <= 0 || strides[i] % 16 != 0 ||
        strides[i] >= (int64_t(1) << 40))
      return false;
    byteStrides[i] = uint64_t(strides[i]);
  }
  const uint32_t box[] = {64, boxRows, 1, 1}, ones[] = {1, 1, 1, 1};
  // CU_TENSOR_MAP_DATA_TYPE_FLOAT16 = 6, _BFLOAT16 = 9; no interleave;
  // SWIZZLE_128B = 3; L2_PROMOTION_L2_256B = 3; fill with zeros.
  int element = type == AttentionType::BF16 ? 9 : 6;
  return device.encodeTiled(map.bytes, element, 4, const_cast<void *>(pointer),
                            extents, byteStrides, box, ones, 0, 3, 3, 0) == 0;
}

} // namespace dtensor::rt::cuda
