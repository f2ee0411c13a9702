//===- AttentionCommon.cuh - parts of every attention kernel ----*- C++ -*-===//
//
// Online softmax of a row over tiles of scores x, in base 2:
//   m' = max(m, max x), f = 2^(m - m'), l' = f l + sum 2^(x - m'),
//   o' = f o + sum 2^(x - m') v
// and out = o / l; its split form keeps o / l and log2(l) + m.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_ATTENTION_COMMON_CUH
#define DTENSOR_ATTENTION_COMMON_CUH

#include "Attention.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

namespace dtensor::rt::cuda::attention {

using Parameters = AttentionParameters;

__device__ inline float negativeInfinity() {
  return __int_as_float(0xff800000);
}

/// 2^x to about 22 bits; 2^-inf = 0.
__device__ inline float exp2Fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

template <typename Element>
struct Convert;
template <>
struct Convert<__nv_bfloat16> {
  static __device__ __nv_bfloat16 from(float x) {
    return __float2bfloat16_rn(x);
  }
  static __device__ uint32_t pack(float low, float high) {
    uint32_t both;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
    return both;
  }
};
template <>
struct Convert<__half> {
  static __device__ __half from(float x) { return __float2half_rn(x); }
  static __device__ uint32_t pack(float low, float high) {
    uint32_t both;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
    return both;
  }
};
template <>
struct Convert<float> {
  static __device__ float from(float x) { return x; }
};

/// Keys j < keyLimit(query) are visible; may be negative.
__device__ inline int keyLimit(const Parameters &p, int query) {
  int diagonal = p.diagonal;
  if (p.shift) {
    int64_t shifted = p.diagonal + *p.shift;
    diagonal = int(max(min(shifted, int64_t(p.keys)), -int64_t(p.queries)));
  }
  return min(p.keys, query + diagonal + 1);
}

/// The work of a block: a block of rows of one (batch, head), one split.
struct BlockWork {
  int head, rowBlock, split;
};

/// Works start in the order of their index: within a section of heads whose
/// keys fit the cache the row blocks with the most visible keys come first.
template <typename AnyParameters>
__device__ inline BlockWork blockWork(const AnyParameters &p, int heads,
                                      uint32_t index) {
  uint32_t perHead = p.rowBlocks * p.splits;
  uint32_t sectionWorks = p.headsPerSection * perHead;
  uint32_t section = index / sectionWorks, rest = index % sectionWorks;
  uint32_t first = section * p.headsPerSection;
  uint32_t count = min(uint32_t(p.headsPerSection), heads - first);
  uint32_t step = rest / count;
  return {int(first + rest % count), int(p.rowBlocks - 1 - step / p.splits),
          int(step % p.splits)};
}

/// Tiles of keys [first, last) for a split of the first `limit` keys.
struct TileRange {
  int first, last;
};

__device__ inline TileRange tileRange(const Parameters &p, int limit,
                                      int tileKeys, int split) {
  uint32_t tiles = limit <= 0 ? 0 : (limit + tileKeys - 1) / tileKeys;
  // floor(tiles i / splits) without products beyond 32 bits.
  uint32_t whole = tiles / p.splits, rest = tiles % p.splits;
  auto bound = [&](uint32_t i) { return int(whole * i + rest * i / p.splits); };
  return {bound(split), bound(split + 1)};
}

/// Where a finished row goes: to `out`, or to the workspace with splits.
template <typename Element>
struct RowStore {
  Element *out = nullptr;
  float *partial = nullptr;
  float factor = 0;
  int depth = 0;
  bool pairs = false;

  RowStore() = default;

  /// `sum` and `peak` describe the row: its weights are 2^(x - peak) / sum.
  __device__ RowStore(const Parameters &p, int split, int batch, int head,
                      int query, float sum, float peak) {
    depth = p.depthV;
    factor = sum > 0 ? 1.0f / sum : 0.0f;
    if (!p.partial) {
      out = static_cast<Element *>(p.out) + batch * p.outStrides.batch +
            head * p.outStrides.head + query * p.outStrides.row;
      pairs = p.pairStores;
      return;
    }
    int64_t row =
        ((int64_t(split) * p.batch + batch) * p.headsQ + head) * p.queries +
        query;
    partial = p.partial + row * depth;
    pairs = depth % 2 == 0;
    p.partialLog[row] = sum > 0 ? log2f(sum) + peak : negativeInfinity();
  }

  __device__ void one(int column, float value) const {
    if (column >= depth)
      return;
    if (partial)
      partial[column] = value * factor;
    else
      out[column] = Convert<Element>::from(value * factor);
  }

  /// Columns `column` (even) and column + 1, both present, in one store.
  __device__ void both(int column, float low, float high) const {
    low *= factor, high *= factor;
    if (partial)
      *reinterpret_cast<float2 *>(partial + column) = make_float2(low, high);
    else if constexpr (sizeof(Element) == 2)
      *reinterpret_cast<uint32_t *>(out + column) =
          Convert<Element>::pack(low, high);
    else
      *reinterpret_cast<float2 *>(out + column) = make_float2(low, high);
  }

  /// The row's parts in the accumulator o[4 n + 2 r + e] of column
  /// 8 n + column + e.
  template <int Count>
  __device__ void accumulated(const float (&o)[Count], int r,
                              int column) const {
    if (pairs && depth == 2 * Count) {
#pragma unroll
      for (int n = 0; n < Count / 4; ++n)
        both(8 * n + column, o[4 * n + 2 * r], o[4 * n + 2 * r + 1]);
      return;
    }
#pragma unroll
    for (int n = 0; n < Count / 4; ++n) {
      one(8 * n + column, o[4 * n + 2 * r]);
      one(8 * n + column + 1, o[4 * n + 2 * r + 1]);
    }
  }
};

__device__ inline float quadMax(float x) {
  x = fmaxf(x, __shfl_xor_sync(0xffffffff, x, 1));
  return fmaxf(x, __shfl_xor_sync(0xffffffff, x, 2));
}

__device__ inline float quadSum(float x) {
  x += __shfl_xor_sync(0xffffffff, x, 1);
  return x + __shfl_xor_sync(0xffffffff, x, 2);
}

/// Online softmax of the two rows that a thread holds of an mma accumulator:
/// scores[4 n + 2 r + e] is column 8 n + e from its first of row r; a row lies
/// in a quad of threads. `sum` is the thread's own part until `finish`.
struct QuadSoftmax {
  float peak[2] = {negativeInfinity(), negativeInfinity()};
  float sum[2] = {0, 0};

  /// Turns scores into weights; `factor` is what earlier outputs shrink by.
  /// `scale` > 0 turns a score into the exponent of 2.
  template <int Count>
  __device__ void update(float (&scores)[Count], float scale,
                         float (&factor)[2]) {
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      float top = peak[r];
#pragma unroll
      for (int i = 0; i < Count; i += 4)
        top = fmaxf(top, fmaxf(scores[i + 2 * r], scores[i + 2 * r + 1]));
      top = quadMax(top);
      // A row that has seen no key yet keeps weights 2^-inf = 0.
      float base = top == negativeInfinity() ? 0.0f : top * scale;
      factor[r] = exp2Fast(fmaf(peak[r], scale, -base));
      peak[r] = top;
      float added = 0;
#pragma unroll
      for (int i = 0; i < Count; i += 4)
#pragma unroll
        for (int e = 2 * r; e < 2 * r + 2; ++e) {
          scores[i + e] = exp2Fast(fmaf(scores[i + e], scale, -base));
          added += scores[i + e];
        }
      sum[r] = fmaf(sum[r], factor[r], added);
    }
  }

  /// Hides the scores of columns at or beyond limit[r]; the thread's first
  /// column is `column`.
  template <int Count>
  __device__ static void mask(float (&scores)[Count], int column,
                              const int (&limit)[2]) {
#pragma unroll
    for (int i = 0; i < Count; i += 4)
#pragma unroll
      for (int e = 0; e < 4; ++e)
        if (column + 2 * i + (e & 1) >= limit[e / 2])
          scores[i + e] = negativeInfinity();
  }

  __device__ void finish() {
    sum[0] = quadSum(sum[0]);
    sum[1] = quadSum(sum[1]);
  }
};

} // namespace dtensor::rt::cuda::attention

#endif // DTENSOR_ATTENTION_COMMON_CUH
