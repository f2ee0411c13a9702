//===- AttentionPlanning.h - parts of the choice of kernels -----*- C++ -*-===//
//
// What the plans of attention and of its gradients share.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_KERNELS_ATTENTIONPLANNING_H
#define DTENSOR_RUNTIME_KERNELS_ATTENTIONPLANNING_H

#include "Attention.h"

namespace dtensor::rt::cuda {

/// Extents stay below this, so that int32 holds any row or key and a tile more.
inline constexpr int64_t kMaxAttentionExtent = int64_t(1) << 30;
inline constexpr int64_t kMaxGrid = (int64_t(1) << 31) - 1;
/// What a section of heads reads again and again and the L2 cache keeps.
inline constexpr int64_t kSectionBytes = int64_t(24) << 20;

inline int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

inline int64_t elementBytes(AttentionType type) {
  return type == AttentionType::F32 ? 4 : 2;
}

/// The depth of the tiles that hold rows of this depth.
inline int paddedDepth(int64_t depth) {
  return depth <= 64 ? 64 : depth <= 128 ? 128 : 256;
}

/// Of three names that of the padded depth.
inline const char *kernelName(const char *const table[3], int depth) {
  return table[depth == 64 ? 0 : depth == 128 ? 1 : 2];
}

/// The text of the error, empty where the kernels take these extents.
std::string checkAttentionExtents(int64_t batch, int64_t headsQ,
                                  int64_t headsKV, int64_t queries,
                                  int64_t keys, int64_t depth, int64_t depthV);

/// Whether the kernels of warpgroup products take these. The maximum of the
/// scores is taken before the scale is applied, which therefore is positive.
bool takesWarpgroups(const AttentionDevice &device, AttentionType type,
                     int64_t widest, float scaleLog2);

/// Heads of queries whose keys and values stay in the cache together.
int32_t sectionHeads(int64_t keys, int depth, AttentionType type, int64_t group,
                     int64_t heads);

/// Whether rows can be read or written `width` elements at a time.
bool alignedRows(const void *pointer, const AttentionStrides &s, int64_t width,
                 int64_t bytes);

/// A stride along an extent of one never moves: make it a harmless one.
AttentionStrides usedStrides(AttentionStrides s, int64_t batch, int64_t heads,
                             int64_t rows, int64_t depth);

/// i + diagonal + 1 >= keys for every i when all keys are visible, and <= 0 for
/// every i < queries when none is.
int32_t usedDiagonal(bool causal, int64_t diagonal, int64_t queries,
                     int64_t keys);

/// A tensor map of [batch, heads, rows, depth] whose boxes are `boxRows` rows
/// of 64 elements, stored with the 128-byte swizzle; beyond the extents it
/// reads zeros. False where the operand is not aligned for it.
bool encodeMap(const AttentionDevice &device, AttentionTensorMap &map,
               AttentionType type, const void *pointer,
               const AttentionStrides &s, int64_t batch, int64_t heads,
               int64_t rows, int64_t depth, uint32_t boxRows);

} // namespace dtensor::rt::cuda

#endif // DTENSOR_RUNTIME_KERNELS_ATTENTIONPLANNING_H
