//===- AttentionSimt.cuh - float32 attention --------------------*- C++ -*-===//
//
// Plain float32 products: no reduced precision. 256 threads as 16 x 16; thread
// (y, x) owns the packed rows y * R + i (row r is query r / group of head
// kv * group + r % group), the keys x + 16 j of a tile and the columns
// 4 x + 64 j of the output. A row thus lies in one half of a warp. Rows of a
// tile are padded by 16 bytes against bank conflicts.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_ATTENTION_SIMT_CUH
#define DTENSOR_ATTENTION_SIMT_CUH

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

template <int Depth>
class SimtBlock {
  static constexpr int kSide = Depth == 256 ? 32 : 64;
  static constexpr int kThreads = 256;
  static constexpr int kPer = kSide / 16;
  static constexpr int kPitch = Depth + 4, kWeightPitch = kSide + 4;
  static constexpr int kColumns = Depth / 64;

  const Parameters &p;
  float *queries, *keys, *weights;
  int batch, head, split, firstRow, rows;
  int x, y;
  float4 o[kPer][kColumns];
  float peak[kPer], sum[kPer];
  int limit[kPer];

  __device__ int rowOf(int i) const { return firstRow + y * kPer + i; }

  template <typename RowPointer>
  __device__ void load(float *tile, int depth, RowPointer rowPointer) const {
    for (int i = threadIdx.x; i < kSide * (Depth / 4); i += kThreads) {
      int row = i / (Depth / 4), column = i % (Depth / 4) * 4;
      const float *from = rowPointer(row);
      float4 value = make_float4(0, 0, 0, 0);
      if (from && column < depth) {
        if (p.wideLoads) {
          value = *reinterpret_cast<const float4 *>(from + column);
        } else {
          int left = depth - column;
          value.x = from[column];
          value.y = left > 1 ? from[column + 1] : 0.0f;
          value.z = left > 2 ? from[column + 2] : 0.0f;
          value.w = left > 3 ? from[column + 3] : 0.0f;
        }
      }
      *reinterpret_cast<float4 *>(tile + row * kPitch + column) = value;
    }
  }

  __device__ void loadQueries() const {
    const float *q = static_cast<const float *>(p.q) +
                     batch * p.qStrides.batch +
                     int64_t(head) * p.group * p.qStrides.head;
    load(queries, p.depth, [&](int row) -> const float * {
      int r = firstRow + row;
      return r < rows ? q + (r / p.group) * p.qStrides.row +
                            (r % p.group) * p.qStrides.head
                      : nullptr;
    });
  }

  __device__ void loadKeys(const void *from, const AttentionStrides &s,
                           int depth, int tile) const {
    const float *first =
        static_cast<const float *>(from) + batch * s.batch + head * s.head;
    load(keys, depth, [&](int row) -> const float * {
      int64_t key = int64_t(tile) * kSide + row;
      return key < p.keys ? first + key * s.row : nullptr;
    });
  }

  __device__ static const float4 &quad(const float *from) {
    return *reinterpret_cast<const float4 *>(from);
  }

  __device__ void multiplyKeys(float (&scores)[kPer][kPer]) const {
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
        a[i] = quad(queries + (y * kPer + i) * kPitch + d);
        b[i] = quad(keys + (x + 16 * i) * kPitch + d);
      }
#pragma unroll
      for (int i = 0; i < kPer; ++i)
#pragma unroll
        for (int j = 0; j < kPer; ++j)
          scores[i][j] = dot4(a[i], b[j], scores[i][j]);
    }
  }

  /// Scores to weights in shared memory; o and sum shrink to the new peak.
  __device__ void weigh(float (&scores)[kPer][kPer], int tile) {
#pragma unroll
    for (int i = 0; i < kPer; ++i) {
      float top = peak[i];
#pragma unroll
      for (int j = 0; j < kPer; ++j) {
        bool visible = tile * kSide + x + 16 * j < limit[i];
        scores[i][j] = visible ? scores[i][j] * p.scale : negativeInfinity();
        top = fmaxf(top, scores[i][j]);
      }
      for (int lanes = 8; lanes > 0; lanes /= 2)
        top = fmaxf(top, __shfl_xor_sync(0xffffffff, top, lanes));
      float base = top == negativeInfinity() ? 0.0f : top;
      float factor = expf(peak[i] - base), added = 0;
      peak[i] = top;
#pragma unroll
      for (int j = 0; j < kPer; ++j) {
        float weight = expf(scores[i][j] - base);
        added += weight;
        weights[(y * kPer + i) * kWeightPitch + x + 16 * j] = weight;
      }
      sum[i] = fmaf(sum[i], factor, added);
#pragma unroll
      for (int j = 0; j < kColumns; ++j) {
        o[i][j].x *= factor;
        o[i][j].y *= factor;
        o[i][j].z *= factor;
        o[i][j].w *= factor;
      }
    }
  }

  __device__ void multiplyValues() {
#pragma unroll 2
    for (int key = 0; key < kSide; key += 4) {
      float4 w[kPer];
#pragma unroll
      for (int i = 0; i < kPer; ++i)
        w[i] = quad(weights + (y * kPer + i) * kWeightPitch + key);
#pragma unroll
      for (int j = 0; j < kColumns; ++j) {
        const float *from = keys + key * kPitch + 4 * x + 64 * j;
        float4 v0 = quad(from), v1 = quad(from + kPitch);
        float4 v2 = quad(from + 2 * kPitch), v3 = quad(from + 3 * kPitch);
#pragma unroll
        for (int i = 0; i < kPer; ++i) {
          addScaled(o[i][j], w[i].x, v0);
          addScaled(o[i][j], w[i].y, v1);
          addScaled(o[i][j], w[i].z, v2);
          addScaled(o[i][j], w[i].w, v3);
        }
      }
    }
  }

  __device__ void store() {
    constexpr float log2e = 1.4426950408889634f;
#pragma unroll
    for (int i = 0; i < kPer; ++i) {
      for (int lanes = 8; lanes > 0; lanes /= 2)
        sum[i] += __shfl_xor_sync(0xffffffff, sum[i], lanes);
      int row = rowOf(i);
      if (row >= rows)
        continue;
      RowStore<float> to(p, split, batch, head * p.group + row % p.group,
                         row / p.group, sum[i], peak[i] * log2e);
#pragma unroll
      for (int j = 0; j < kColumns; ++j) {
        int column = 4 * x + 64 * j;
        to.one(column, o[i][j].x);
        to.one(column + 1, o[i][j].y);
        to.one(column + 2, o[i][j].z);
        to.one(column + 3, o[i][j].w);
      }
    }
  }

public:
  __device__ SimtBlock(const Parameters &parameters, float *shared)
      : p(parameters), queries(shared), keys(shared + kSide * kPitch),
        weights(shared + 2 * kSide * kPitch) {
    x = threadIdx.x % 16;
    y = threadIdx.x / 16;
    BlockWork work = blockWork(p, p.headsKV * p.batch, blockIdx.x);
    batch = work.head / p.headsKV;
    head = work.head % p.headsKV;
    split = work.split;
    firstRow = work.rowBlock * kSide;
    rows = p.queries * p.group;
  }

  __device__ void run() {
#pragma unroll
    for (int i = 0; i < kPer; ++i) {
      limit[i] = rowOf(i) < rows ? keyLimit(p, rowOf(i) / p.group) : 0;
      peak[i] = negativeInfinity();
      sum[i] = 0;
#pragma unroll
      for (int j = 0; j < kColumns; ++j)
        o[i][j] = make_float4(0, 0, 0, 0);
    }
    int lastRow = min(firstRow + kSide, rows) - 1;
    TileRange tiles =
        tileRange(p, keyLimit(p, lastRow / p.group), kSide, split);
    loadQueries();
    for (int tile = tiles.first; tile < tiles.last; ++tile) {
      __syncthreads();
      loadKeys(p.k, p.kStrides, p.depth, tile);
      __syncthreads();
      float scores[kPer][kPer];
      multiplyKeys(scores);
      weigh(scores, tile);
      // Keys and values share their place.
      __syncthreads();
      loadKeys(p.v, p.vStrides, p.depthV, tile);
      __syncthreads();
      multiplyValues();
    }
    store();
  }
};

} // namespace dtensor::rt::cuda::attention

#endif // DTENSOR_ATTENTION_SIMT_CUH
