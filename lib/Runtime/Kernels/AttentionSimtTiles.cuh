//===- AttentionSimtTiles.cuh - products of tiles in float32 ----*- C++ -*-===//
//
// 256 threads as 16 x 16 and square tiles of scores; thread (y, x) owns the
// rows y * R + i, the columns x + 16 j of the scores and the columns 4 x + 64 j
// of what has a depth. A row thus lies in one half of a warp. Rows of a tile
// are padded by 16 bytes against bank conflicts.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_ATTENTION_SIMTTILES_CUH
#define DTENSOR_ATTENTION_SIMTTILES_CUH

#include "AttentionCommon.cuh"

namespace dtensor::rt::cuda::attention {

__device__ inline float dot4(float4 a, float4 b, float sum) {
  sum = fmaf(a.x, b.x, sum);
  sum = fmaf(a.y, b.y, sum);
  sum = fmaf(a.z, b.z, sum);
  return fmaf(a.w, b.w, sum);
}

__device__ inline void addScaled(float4 &to, float factor, float4 from) {
  to.x = fmaf(factor, from.x, to.x);
  to.y = fmaf(factor, from.y, to.y);
  to.z = fmaf(factor, from.z, to.z);
  to.w = fmaf(factor, from.w, to.w);
}

__device__ inline const float4 &quad(const float *from) {
  return *reinterpret_cast<const float4 *>(from);
}

__device__ inline float halfWarpMax(float x) {
  for (int lanes = 8; lanes > 0; lanes /= 2)
    x = fmaxf(x, __shfl_xor_sync(0xffffffff, x, lanes));
  return x;
}

__device__ inline float halfWarpSum(float x) {
  for (int lanes = 8; lanes > 0; lanes /= 2)
    x += __shfl_xor_sync(0xffffffff, x, lanes);
  return x;
}

/// Four elements from `from` on, `count` of which are there.
template <typename Element>
__device__ inline float4 readQuad(const Element *from, int count, bool wide) {
  if constexpr (sizeof(Element) == 4)
    if (wide)
      return quad(from);
  return make_float4(float(from[0]), count > 1 ? float(from[1]) : 0.0f,
                     count > 2 ? float(from[2]) : 0.0f,
                     count > 3 ? float(from[3]) : 0.0f);
}

template <int Depth>
struct SimtTiles {
  static constexpr int kSide = Depth == 256 ? 32 : 64;
  static constexpr int kThreads = 256;
  static constexpr int kPer = kSide / 16;
  static constexpr int kPitch = Depth + 4, kWeightPitch = kSide + 4;
  static constexpr int kColumns = Depth / 64;
  /// Floats of shared memory.
  static constexpr int kTileSize = kSide * kPitch;
  static constexpr int kWeightSize = kSide * kWeightPitch;

  using Scores = float[kPer][kPer];
  using Out = float4[kPer][kColumns];

  static __device__ int x() { return threadIdx.x % 16; }
  static __device__ int y() { return threadIdx.x / 16; }

  /// `rowPointer` is null where there is no row: zeros.
  template <typename RowPointer>
  static __device__ void load(float *tile, int depth, bool wide,
                              RowPointer rowPointer) {
    for (int i = threadIdx.x; i < kSide * (Depth / 4); i += kThreads) {
      int row = i / (Depth / 4), column = i % (Depth / 4) * 4;
      auto *from = rowPointer(row);
      float4 value = make_float4(0, 0, 0, 0);
      if (from && column < depth)
        value = readQuad(from + column, depth - column, wide);
      *reinterpret_cast<float4 *>(tile + row * kPitch + column) = value;
    }
  }

  /// scores = rows columns^T.
  static __device__ void dot(const float *rows, const float *columns,
                             Scores &scores) {
#pragma unroll
    for (int i = 0; i < kPer; ++i)
#pragma unroll
      for (int j = 0; j < kPer; ++j)
        scores[i][j] = 0;
#pragma unroll 4
    for (int d = 0; d < Depth; d += 4) {
      float4 a[kPer], b[kPer];
#pragma unroll
      for (int i = 0; i < kPer; ++i) {
        a[i] = quad(rows + (y() * kPer + i) * kPitch + d);
        b[i] = quad(columns + (x() + 16 * i) * kPitch + d);
      }
#pragma unroll
      for (int i = 0; i < kPer; ++i)
#pragma unroll
        for (int j = 0; j < kPer; ++j)
          scores[i][j] = dot4(a[i], b[j], scores[i][j]);
    }
  }

  /// The thread's part of a tile of weights.
  static __device__ void put(float *weights, const Scores &scores) {
#pragma unroll
    for (int i = 0; i < kPer; ++i)
#pragma unroll
      for (int j = 0; j < kPer; ++j)
        weights[(y() * kPer + i) * kWeightPitch + x() + 16 * j] = scores[i][j];
  }

  /// out += weights tile.
  static __device__ void addProduct(const float *weights, const float *tile,
                                    Out &out) {
#pragma unroll 2
    for (int row = 0; row < kSide; row += 4) {
      float4 w[kPer];
#pragma unroll
      for (int i = 0; i < kPer; ++i)
        w[i] = quad(weights + (y() * kPer + i) * kWeightPitch + row);
#pragma unroll
      for (int j = 0; j < kColumns; ++j) {
        const float *from = tile + row * kPitch + 4 * x() + 64 * j;
        float4 v0 = quad(from), v1 = quad(from + kPitch);
        float4 v2 = quad(from + 2 * kPitch), v3 = quad(from + 3 * kPitch);
#pragma unroll
        for (int i = 0; i < kPer; ++i) {
          addScaled(out[i][j], w[i].x, v0);
          addScaled(out[i][j], w[i].y, v1);
          addScaled(out[i][j], w[i].z, v2);
          addScaled(out[i][j], w[i].w, v3);
        }
      }
    }
  }

  static __device__ void clear(Out &out) {
#pragma unroll
    for (int i = 0; i < kPer; ++i)
#pragma unroll
      for (int j = 0; j < kColumns; ++j)
        out[i][j] = make_float4(0, 0, 0, 0);
  }

  static __device__ void shrink(float4 (&row)[kColumns], float factor) {
#pragma unroll
    for (int j = 0; j < kColumns; ++j) {
      row[j].x *= factor;
      row[j].y *= factor;
      row[j].z *= factor;
      row[j].w *= factor;
    }
  }

  template <typename Store>
  static __device__ void store(const Store &to, const float4 (&row)[kColumns]) {
#pragma unroll
    for (int j = 0; j < kColumns; ++j) {
      int column = 4 * x() + 64 * j;
      to.one(column, row[j].x);
      to.one(column + 1, row[j].y);
      to.one(column + 2, row[j].z);
      to.one(column + 3, row[j].w);
    }
  }
};

} // namespace dtensor::rt::cuda::attention

#endif // DTENSOR_ATTENTION_SIMTTILES_CUH
