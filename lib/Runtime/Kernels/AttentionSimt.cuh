//===- AttentionSimt.cuh - float32 attention --------------------*- C++ -*-===//
//
// Plain float32 products: no reduced precision. Packed row r is query
// r / group of head kv * group + r % group.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_ATTENTION_SIMT_CUH
#define DTENSOR_ATTENTION_SIMT_CUH

#include "AttentionSimtTiles.cuh"

namespace dtensor::rt::cuda::attention {

template <int Depth>
class SimtBlock {
  using Tiles = SimtTiles<Depth>;
  static constexpr int kSide = Tiles::kSide, kPer = Tiles::kPer;

  const Parameters &p;
  float *queries, *keys, *weights;
  int batch, head, split, firstRow, rows;
  typename Tiles::Out o;
  float peak[kPer], sum[kPer];
  int limit[kPer];

  __device__ int rowOf(int i) const { return firstRow + Tiles::y() * kPer + i; }

  __device__ void loadQueries() const {
    const float *q = static_cast<const float *>(p.q) +
                     batch * p.qStrides.batch +
                     int64_t(head) * p.group * p.qStrides.head;
    Tiles::load(queries, p.depth, p.wideLoads, [&](int row) -> const float * {
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
    Tiles::load(keys, depth, p.wideLoads, [&](int row) -> const float * {
      int64_t key = int64_t(tile) * kSide + row;
      return key < p.keys ? first + key * s.row : nullptr;
    });
  }

  /// Scores to weights in shared memory; o and sum shrink to the new peak.
  __device__ void weigh(typename Tiles::Scores &scores, int tile) {
#pragma unroll
    for (int i = 0; i < kPer; ++i) {
      float top = peak[i];
#pragma unroll
      for (int j = 0; j < kPer; ++j) {
        bool visible = tile * kSide + Tiles::x() + 16 * j < limit[i];
        scores[i][j] = visible ? scores[i][j] * p.scale : negativeInfinity();
        top = fmaxf(top, scores[i][j]);
      }
      top = halfWarpMax(top);
      float base = top == negativeInfinity() ? 0.0f : top;
      float factor = expf(peak[i] - base), added = 0;
      peak[i] = top;
#pragma unroll
      for (int j = 0; j < kPer; ++j) {
        scores[i][j] = expf(scores[i][j] - base);
        added += scores[i][j];
      }
      sum[i] = fmaf(sum[i], factor, added);
      Tiles::shrink(o[i], factor);
    }
    Tiles::put(weights, scores);
  }

  __device__ void store() {
    constexpr float log2e = 1.4426950408889634f;
#pragma unroll
    for (int i = 0; i < kPer; ++i) {
      sum[i] = halfWarpSum(sum[i]);
      int row = rowOf(i);
      if (row >= rows)
        continue;
      RowStore<float> to(p, split, batch, head * p.group + row % p.group,
                         row / p.group, sum[i], peak[i] * log2e);
      Tiles::store(to, o[i]);
    }
  }

public:
  __device__ SimtBlock(const Parameters &parameters, float *shared)
      : p(parameters), queries(shared), keys(shared + Tiles::kTileSize),
        weights(shared + 2 * Tiles::kTileSize) {
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
    }
    Tiles::clear(o);
    int lastRow = min(firstRow + kSide, rows) - 1;
    TileRange tiles =
        tileRange(p, keyLimit(p, lastRow / p.group), kSide, split);
    loadQueries();
    for (int tile = tiles.first; tile < tiles.last; ++tile) {
      __syncthreads();
      loadKeys(p.k, p.kStrides, p.depth, tile);
      __syncthreads();
      typename Tiles::Scores scores;
      Tiles::dot(queries, keys, scores);
      weigh(scores, tile);
      // Keys and values share their place.
      __syncthreads();
      loadKeys(p.v, p.vStrides, p.depthV, tile);
      __syncthreads();
      Tiles::addProduct(weights, keys, o);
    }
    store();
  }
};

} // namespace dtensor::rt::cuda::attention

#endif // DTENSOR_ATTENTION_SIMT_CUH
