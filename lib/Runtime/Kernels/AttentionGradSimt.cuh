//===- AttentionGradSimt.cuh - gradients by float32 products ----*- C++ -*-===//
//
// For what has no tensor cores for it: f32, other architectures, depths above
// 128 and strides that no tensor map takes. Two tiles stay in shared memory, a
// third one holds in turn what passes by.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_ATTENTION_GRADSIMT_CUH
#define DTENSOR_ATTENTION_GRADSIMT_CUH

#include "AttentionGradCommon.cuh"
#include "AttentionSimtTiles.cuh"

namespace dtensor::rt::cuda::attention {

/// Rows [first, first + side) of a head, zeros beyond `count`.
template <typename Element, int Depth>
__device__ inline void loadRows(const GradParameters &p, float *tile,
                                const AttentionOperand &operand, int batch,
                                int head, int first, int count, int depth) {
  const Element *from = headOf<Element>(operand, batch, head);
  SimtTiles<Depth>::load(
      tile, depth, p.wideLoads, [&](int row) -> const Element * {
        int64_t at = int64_t(first) + row;
        return at < count ? from + at * operand.strides.row : nullptr;
      });
}

template <typename Element, int Depth>
class SimtQueryGradBlock {
  using Tiles = SimtTiles<Depth>;
  static constexpr int kSide = Tiles::kSide, kPer = Tiles::kPer;

  const GradParameters &p;
  float *queries, *grads, *passing, *weights;
  int batch, head, firstRow;
  typename Tiles::Out out;
  float peak[kPer], sum[kPer], delta[kPer];
  int limit[kPer];

  __device__ int rowOf(int i) const { return firstRow + Tiles::y() * kPer + i; }
  __device__ void loadQueries(float *tile, const AttentionOperand &operand,
                              int depth) const {
    loadRows<Element, Depth>(p, tile, operand, batch, head, firstRow, p.queries,
                             depth);
  }
  __device__ void loadKeys(const AttentionOperand &operand, int tile,
                           int depth) const {
    loadRows<Element, Depth>(p, passing, operand, batch, head / p.group,
                             tile * kSide, p.keys, depth);
  }

  /// Scores to ds in shared memory; what is summed shrinks to the new peak.
  __device__ void weigh(typename Tiles::Scores &scores,
                        const typename Tiles::Scores &inner, int tile) {
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
        float weight = expf(scores[i][j] - base);
        added += weight;
        scores[i][j] = weight * (inner[i][j] - delta[i]);
      }
      sum[i] = fmaf(sum[i], factor, added);
      Tiles::shrink(out[i], factor);
    }
    Tiles::put(weights, scores);
  }

  __device__ void store() {
#pragma unroll
    for (int i = 0; i < kPer; ++i) {
      sum[i] = halfWarpSum(sum[i]);
      int row = rowOf(i);
      if (row >= p.queries)
        continue;
      Tiles::store(queryRowStore<Element>(p, batch, head, row, sum[i]), out[i]);
      if (Tiles::x() == 0)
        storeLog(p, batch, head, row,
                 sum[i] > 0 ? logf(sum[i]) + peak[i] : negativeInfinity());
    }
  }

  __device__ void start() {
    QueryRows rows(p, batch, head);
#pragma unroll
    for (int i = 0; i < kPer; ++i) {
      limit[i] = visibleKeys(p, rowOf(i));
      delta[i] = rows.deltaOf(rowOf(i));
      peak[i] = negativeInfinity();
      sum[i] = 0;
    }
    Tiles::clear(out);
    loadQueries(queries, p.q, p.depth);
    loadQueries(grads, p.grad, p.depthV);
  }

public:
  __device__ SimtQueryGradBlock(const GradParameters &parameters, float *shared)
      : p(parameters), queries(shared), grads(shared + Tiles::kTileSize),
        passing(shared + 2 * Tiles::kTileSize),
        weights(shared + 3 * Tiles::kTileSize) {
    BlockWork work = blockWork(p, p.headsQ * p.batch, blockIdx.x);
    batch = work.head / p.headsQ;
    head = work.head % p.headsQ;
    firstRow = work.rowBlock * kSide;
  }

  __device__ void run() {
    start();
    int lastRow = min(firstRow + kSide, p.queries) - 1;
    int count = (max(visibleKeys(p, lastRow), 0) + kSide - 1) / kSide;
    for (int tile = 0; tile < count; ++tile) {
      typename Tiles::Scores scores, inner;
      __syncthreads();
      loadKeys(p.v, tile, p.depthV);
      __syncthreads();
      Tiles::dot(grads, passing, inner);
      __syncthreads();
      loadKeys(p.k, tile, p.depth);
      __syncthreads();
      Tiles::dot(queries, passing, scores);
      weigh(scores, inner, tile);
      __syncthreads();
      Tiles::addProduct(weights, passing, out);
    }
    store();
  }
};

template <typename Element, int Depth>
class SimtKeyValueGradBlock {
  using Tiles = SimtTiles<Depth>;
  static constexpr int kSide = Tiles::kSide, kPer = Tiles::kPer;

  const GradParameters &p;
  float *keys, *values, *passing, *weights, *gradWeights;
  int batch, head, split, firstRow;
  typename Tiles::Out outK, outV;

  __device__ int rowOf(int i) const { return firstRow + Tiles::y() * kPer + i; }
  __device__ void loadKeys(float *tile, const AttentionOperand &operand,
                           int depth) const {
    loadRows<Element, Depth>(p, tile, operand, batch, head, firstRow, p.keys,
                             depth);
  }
  __device__ void loadQueries(const AttentionOperand &operand, int queryHead,
                              int tile, int depth) const {
    loadRows<Element, Depth>(p, passing, operand, batch, queryHead,
                             tile * kSide, p.queries, depth);
  }

  /// Scores to weights: a row is a key, a column a query.
  __device__ void weigh(typename Tiles::Scores &scores, const QueryRows &rows,
                        int tile) const {
    constexpr float log2e = 1.4426950408889634f;
#pragma unroll
    for (int j = 0; j < kPer; ++j) {
      int query = tile * kSide + Tiles::x() + 16 * j;
      float log = rows.logOf(query);
#pragma unroll
      for (int i = 0; i < kPer; ++i) {
        bool visible = query >= firstQuery(p, rowOf(i));
        float exponent = fmaf(scores[i][j], p.scale * log2e, -log);
        scores[i][j] = visible ? exp2f(exponent) : 0.0f;
      }
    }
  }

  __device__ void differentiate(typename Tiles::Scores &inner,
                                const typename Tiles::Scores &scores,
                                const QueryRows &rows, int tile) const {
#pragma unroll
    for (int j = 0; j < kPer; ++j) {
      float delta = rows.deltaOf(tile * kSide + Tiles::x() + 16 * j);
#pragma unroll
      for (int i = 0; i < kPer; ++i)
        inner[i][j] = scores[i][j] * (inner[i][j] - delta);
    }
  }

  __device__ void addTile(int queryHead, int tile) {
    QueryRows rows(p, batch, queryHead);
    typename Tiles::Scores scores, inner;
    __syncthreads();
    loadQueries(p.q, queryHead, tile, p.depth);
    __syncthreads();
    Tiles::dot(keys, passing, scores);
    weigh(scores, rows, tile);
    Tiles::put(weights, scores);
    __syncthreads();
    loadQueries(p.grad, queryHead, tile, p.depthV);
    __syncthreads();
    Tiles::dot(values, passing, inner);
    differentiate(inner, scores, rows, tile);
    Tiles::put(gradWeights, inner);
    Tiles::addProduct(weights, passing, outV);
    __syncthreads();
    loadQueries(p.q, queryHead, tile, p.depth);
    __syncthreads();
    Tiles::addProduct(gradWeights, passing, outK);
  }

  __device__ void store() {
#pragma unroll
    for (int i = 0; i < kPer; ++i) {
      int row = rowOf(i);
      if (row >= p.keys)
        continue;
      Tiles::store(keyRowStore<Element>(p, p.gradK, p.partialK, split, batch,
                                        head, row, p.depth, p.scale),
                   outK[i]);
      Tiles::store(keyRowStore<Element>(p, p.gradV, p.partialV, split, batch,
                                        head, row, p.depthV, 1),
                   outV[i]);
    }
  }

public:
  __device__ SimtKeyValueGradBlock(const GradParameters &parameters,
                                   float *shared)
      : p(parameters), keys(shared), values(shared + Tiles::kTileSize),
        passing(shared + 2 * Tiles::kTileSize),
        weights(shared + 3 * Tiles::kTileSize),
        gradWeights(weights + Tiles::kWeightSize) {
    BlockWork work = blockWork(p, p.headsKV * p.batch, blockIdx.x);
    batch = work.head / p.headsKV;
    head = work.head % p.headsKV;
    split = work.split;
    // The first rows have the most to do under a diagonal.
    firstRow = (p.rowBlocks - 1 - work.rowBlock) * kSide;
  }

  __device__ void run() {
    Tiles::clear(outK);
    Tiles::clear(outV);
    loadKeys(keys, p.k, p.depth);
    loadKeys(values, p.v, p.depthV);
    int first = max(firstQuery(p, firstRow), 0) / kSide;
    int count = (p.queries + kSide - 1) / kSide;
    int end = head * p.group + firstHead(p, split + 1);
    for (int queryHead = head * p.group + firstHead(p, split); queryHead < end;
         ++queryHead)
      for (int tile = first; tile < count; ++tile)
        addTile(queryHead, tile);
    store();
  }
};

} // namespace dtensor::rt::cuda::attention

#endif // DTENSOR_ATTENTION_GRADSIMT_CUH
