//===- AttentionGradCommon.cuh - parts of every gradient kernel -*- C++ -*-===//
//
// A block computes a block of rows of one head of the result. `Rows` are the
// rows of the result, `tiles` those that pass by: of keys for the gradient of
// the queries, of the queries of all heads of the group for the other two.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_ATTENTION_GRADCOMMON_CUH
#define DTENSOR_ATTENTION_GRADCOMMON_CUH

#include "AttentionCommon.cuh"
#include "AttentionGrad.h"

namespace dtensor::rt::cuda::attention {

using GradParameters = AttentionGradParameters;

/// Keys j < visibleKeys(query) are visible; may be negative.
__device__ inline int visibleKeys(const GradParameters &p, int query) {
  return min(p.keys, query + p.diagonal + 1);
}

/// Queries i >= firstQuery(key) see it; may be negative.
__device__ inline int firstQuery(const GradParameters &p, int key) {
  return key - p.diagonal;
}

/// Rows of one head of an operand.
template <typename Element>
__device__ inline Element *headOf(const AttentionOperand &operand, int batch,
                                  int head) {
  return static_cast<Element *>(operand.data) + batch * operand.strides.batch +
         head * operand.strides.head;
}

/// The rows of log2(e) logSumExp of one query head, and of delta. A row that
/// has seen no key, and one that is none, has weights 2^-inf = 0.
struct QueryRows {
  const float *logs, *deltas;
  int64_t logPitch, deltaPitch;
  int count;

  __device__ QueryRows(const GradParameters &p, int batch, int head)
      : logs(headOf<float>(p.logSumExp, batch, head)),
        deltas(headOf<float>(p.delta, batch, head)),
        logPitch(p.logSumExp.strides.row), deltaPitch(p.delta.strides.row),
        count(p.queries) {}

  __device__ float logOf(int row) const {
    constexpr float log2e = 1.4426950408889634f;
    float log = row < count ? logs[row * logPitch] : negativeInfinity();
    return log == negativeInfinity() ? -log : log * log2e;
  }
  __device__ float deltaOf(int row) const {
    return row < count ? deltas[row * deltaPitch] : 0.0f;
  }
};

/// Row `row` of a finished gradient of the keys or values: to the result, or
/// to the workspace with splits.
template <typename Element>
__device__ inline RowStore<Element>
keyRowStore(const GradParameters &p, const AttentionOperand &result,
            float *partial, int split, int batch, int head, int row, int depth,
            float scale) {
  RowStore<Element> to;
  to.depth = depth;
  to.factor = scale;
  if (p.splits == 1) {
    to.out = headOf<Element>(result, batch, head) + row * result.strides.row;
    to.pairs = p.pairStores;
    return to;
  }
  int64_t heads = int64_t(p.batch) * p.headsKV;
  int64_t at =
      ((split * heads + batch * p.headsKV + head) * p.keys + row) * depth;
  to.partial = partial + at;
  to.pairs = depth % 2 == 0;
  return to;
}

/// Row `row` of a finished gradient of the queries.
template <typename Element>
__device__ inline RowStore<Element> queryRowStore(const GradParameters &p,
                                                  int batch, int head, int row,
                                                  float sum) {
  RowStore<Element> to;
  to.out = headOf<Element>(p.gradQ, batch, head) + row * p.gradQ.strides.row;
  to.pairs = p.pairStores;
  to.depth = p.depth;
  to.factor = sum > 0 ? p.scale / sum : 0.0f;
  return to;
}

__device__ inline void storeLog(const GradParameters &p, int batch, int head,
                                int row, float log) {
  headOf<float>(p.logSumExp, batch, head)[row * p.logSumExp.strides.row] = log;
}

/// The heads of a group that a split of the gradient of keys goes over.
__device__ inline int firstHead(const GradParameters &p, int split) {
  return p.group * split / p.splits;
}

/// result = sum of the splits, in their order.
template <typename Element>
__device__ inline void
combineRow(const GradParameters &p, const AttentionOperand &result,
           const float *partial, int64_t row, int64_t rows, int depth) {
  int64_t slice = row / p.keys;
  Element *out =
      headOf<Element>(result, int(slice / p.headsKV), int(slice % p.headsKV)) +
      row % p.keys * result.strides.row;
  for (int column = threadIdx.x; column < depth; column += blockDim.x) {
    float sum = 0;
    for (int split = 0; split < p.splits; ++split)
      sum += partial[(split * rows + row) * depth + column];
    out[column] = Convert<Element>::from(sum);
  }
}

template <typename Element>
__device__ inline void combineGrads(const GradParameters &p) {
  int64_t rows = int64_t(p.batch) * p.headsKV * p.keys;
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    combineRow<Element>(p, p.gradK, p.partialK, row, rows, p.depth);
    combineRow<Element>(p, p.gradV, p.partialV, row, rows, p.depthV);
  }
}

} // namespace dtensor::rt::cuda::attention

#endif // DTENSOR_ATTENTION_GRADCOMMON_CUH
