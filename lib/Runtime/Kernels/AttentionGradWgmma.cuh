//===- AttentionGradWgmma.cuh - gradients by warpgroup products -*- C++ -*-===//
//
// A block has 128 rows of the result: a warpgroup copies tiles, two compute 64
// rows each. Two tiles stay, [a, b] = [q, grad] of the rows or [k, v], and
// pairs of tiles of 64 rows pass by, [c, d] = [k, v] or [q, grad]:
//
//   query grad:      scores = a c^T, inner = b d^T, gradQ += ds c
//   key value grad:  scores = a c^T, inner = b d^T, gradK += ds c, gradV += p d
//
// (the latter transposed: its rows are keys). So the accumulators of the first
// two products are, rounded, operands in registers of the others, and nothing
// goes through shared memory but what is copied. The products into gradQ go on
// while the next tile's scores become weights; beside gradK and gradV there are
// no registers left for that, and one warpgroup multiplies while the other
// computes weights.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_ATTENTION_GRADWGMMA_CUH
#define DTENSOR_ATTENTION_GRADWGMMA_CUH

#include "AttentionGradCommon.cuh"
#include "AttentionHopper.cuh"

namespace dtensor::rt::cuda::attention {

/// The tensor maps of a, b, c and d.
struct GradMaps {
  const AttentionTensorMap *stay[2], *pass[2];
};

/// Tiles, barriers and products that both gradients have.
template <typename Element, int Depth>
struct GradTiles {
  static constexpr int kRows = 128, kTile = 64, kStages = 4;
  static constexpr int kColumns = Depth / 64;
  static constexpr uint32_t kStayColumn = kRows * 128, kColumn = kTile * 128;
  static constexpr uint32_t kStayBytes = kColumns * kStayColumn;
  static constexpr uint32_t kTileBytes = kColumns * kColumn;
  /// A thread has 2 rows of an accumulator.
  static constexpr int kScores = kTile / 2, kOut = Depth / 2;
  /// A warp's lane 0 arrives for it.
  static constexpr uint32_t kConsumers = 8;

  const GradParameters &p;
  uint32_t stay, pass, numbers, barriers;

  __device__ GradTiles(const GradParameters &parameters, uint32_t shared)
      : p(parameters) {
    stay = (shared + 1023) & ~1023u;
    pass = stay + 2 * kStayBytes;
    numbers = pass + kStages * 2 * kTileBytes;
    barriers = numbers + kStages * 2 * kTile * 4;
  }

  __device__ uint32_t stayFull() const { return barriers; }
  __device__ uint32_t full(int s) const { return barriers + 8 + 8 * s; }
  __device__ uint32_t empty(int s) const {
    return barriers + 8 + 8 * (kStages + s);
  }
  __device__ uint32_t tile(int s, int which) const {
    return pass + (2 * s + which) * kTileBytes;
  }
  /// Two numbers for each row of a tile: 64 of the first kind, then the others.
  __device__ uint32_t numbersOf(int s) const {
    return numbers + s * 2 * kTile * 4;
  }
  __device__ static int stage(int step) { return step % kStages; }
  __device__ static uint32_t parity(int step) { return step / kStages & 1; }

  /// `writers` threads write numbers of each tile.
  __device__ void initialise(uint32_t writers) const {
    if (threadIdx.x == 0) {
      barrierInit(stayFull(), 1);
      for (int s = 0; s < kStages; ++s) {
        barrierInit(full(s), 1 + writers);
        barrierInit(empty(s), kConsumers);
      }
      barrierFence();
    }
    __syncthreads();
  }

  __device__ void copyStay(const GradMaps &maps, int row, int head,
                           int batch) const {
    barrierExpect(stayFull(), 2 * kStayBytes);
    for (int which = 0; which < 2; ++which)
      for (int column = 0; column < kColumns; ++column)
        copyBox(stay + which * kStayBytes + column * kStayColumn,
                *maps.stay[which], stayFull(), column * 64, row, head, batch);
  }

  __device__ void waitEmpty(int step) const {
    barrierWait(empty(stage(step)), parity(step) ^ 1);
  }

  __device__ void copyPair(const GradMaps &maps, int step, int row, int head,
                           int batch) const {
    int s = stage(step);
    barrierExpect(full(s), 2 * kTileBytes);
    for (int which = 0; which < 2; ++which)
      for (int column = 0; column < kColumns; ++column)
        copyBox(tile(s, which) + column * kColumn, *maps.pass[which], full(s),
                column * 64, row, head, batch);
  }

  /// Where in a block or tile a consuming thread is.
  struct Place {
    int group = int(threadIdx.x / 128) - 1;
    int lane = threadIdx.x % 32;
    /// Its first column of a tile, and its first row of the block; the second
    /// one is 8 further.
    int column = lane % 4 * 2;
    int row = group * 64 + int(threadIdx.x / 32 % 4) * 16 + lane / 4;
  };

  __device__ void release(const Place &at, int step) const {
    if (at.lane == 0)
      barrierArrive(empty(stage(step)));
  }

  /// Issues scores = a c^T or inner = b d^T.
  __device__ void issueScores(float (&scores)[kScores], int which, int step,
                              const Place &at) const {
    uint32_t rows = stay + which * kStayBytes + at.group * 64 * 128;
    uint32_t others = tile(stage(step), which);
#pragma unroll
    for (int k = 0; k < Depth / 16; ++k)
      productShared<Element>(
          scores,
          tileDescriptor(rows + k / 4 * kStayColumn + k % 4 * 32, kStayColumn),
          tileDescriptor(others + k / 4 * kColumn + k % 4 * 32, kColumn),
          k != 0);
    productCommit();
  }

  /// Issues out += weights * (c or d).
  __device__ void issueSum(float (&out)[kOut],
                           const uint32_t (&weights)[kScores / 2], int which,
                           int step) const {
    uint32_t others = tile(stage(step), which);
#pragma unroll
    for (int k = 0; k < kTile / 16; ++k)
      productRegisters<Element>(out, weights + 4 * k,
                                tileDescriptor(others + k * 16 * 128, kColumn));
  }

  __device__ static void packWeights(uint32_t (&packed)[kScores / 2],
                                     const float (&weights)[kScores]) {
#pragma unroll
    for (int i = 0; i < kScores / 2; ++i)
      packed[i] = Convert<Element>::pack(weights[2 * i], weights[2 * i + 1]);
  }

  __device__ static void clear(float (&out)[kOut]) {
#pragma unroll
    for (int i = 0; i < kOut; ++i)
      out[i] = 0;
  }
};

//===----------------------------------------------------------------------===//
// Queries
//===----------------------------------------------------------------------===//

template <typename Element, int Depth>
class QueryGradBlock {
  using Tiles = GradTiles<Element, Depth>;
  using Place = typename Tiles::Place;

  const GradParameters &p;
  Tiles tiles;
  int batch, head, firstRow;
  /// Tiles of keys, from the last to the first: masks come first.
  int steps;

  struct State {
    Place at;
    QuadSoftmax softmax;
    int limit[2];
    float delta[2];
    /// Tiles whose last key is below are seen by every row of the warpgroup.
    int unmasked;
    float out[Tiles::kOut];
    float scores[Tiles::kScores], inner[Tiles::kScores];
    uint32_t packed[Tiles::kScores / 2];
  };

  __device__ int tileOf(int step) const { return steps - 1 - step; }

  __device__ void start(State &s) const {
    s.unmasked = visibleKeys(p, firstRow + s.at.group * 64);
    QueryRows rows(p, batch, head);
    for (int r = 0; r < 2; ++r) {
      int row = firstRow + s.at.row + 8 * r;
      s.limit[r] = visibleKeys(p, row);
      s.delta[r] = rows.deltaOf(row);
    }
    Tiles::clear(s.out);
  }

  /// Scores to weights of this tile, inner products to ds.
  __device__ void weigh(State &s, int step, float (&factor)[2]) const {
    int firstKey = tileOf(step) * Tiles::kTile;
    if (firstKey + Tiles::kTile > s.unmasked)
      QuadSoftmax::mask(s.scores, firstKey + s.at.column, s.limit);
    s.softmax.update(s.scores, p.scaleLog2, factor);
  }

  __device__ void differentiate(State &s) const {
#pragma unroll
    for (int i = 0; i < Tiles::kScores; ++i)
      s.inner[i] = s.scores[i] * (s.inner[i] - s.delta[i >> 1 & 1]);
  }

  __device__ void issueSum(State &s, int step) const {
    tiles.issueSum(s.out, s.packed, 0, step);
    productCommit();
  }

  /// Adds what the step before had to do with its keys, while this one's
  /// scores become weights.
  template <bool First>
  __device__ void compute(State &s, int step) const {
    barrierWait(tiles.full(Tiles::stage(step)), Tiles::parity(step));
    pin(s.scores);
    pin(s.inner);
    pin(s.out);
    productFence();
    tiles.issueScores(s.scores, 0, step, s.at);
    tiles.issueScores(s.inner, 1, step, s.at);
    if constexpr (!First)
      issueSum(s, step - 1);
    productWait<First ? 1 : 2>();
    pin(s.scores);
    float factor[2];
    weigh(s, step, factor);
    productWait<First ? 0 : 1>();
    pin(s.inner);
    differentiate(s);
    productWait<0>();
    pin(s.out);
    if constexpr (!First)
      tiles.release(s.at, step - 1);
    Tiles::packWeights(s.packed, s.inner);
#pragma unroll
    for (int i = 0; i < Tiles::kOut; ++i)
      s.out[i] *= factor[i >> 1 & 1];
  }

  __device__ void computeAll(State &s) const {
    barrierWait(tiles.stayFull(), 0);
    compute<true>(s, 0);
    for (int step = 1; step < steps; ++step)
      compute<false>(s, step);
    pin(s.out);
    productFence();
    issueSum(s, steps - 1);
    productWait<0>();
    pin(s.out);
  }

  __device__ void store(State &s) const {
    constexpr float ln2 = 0.6931471805599453f;
    s.softmax.finish();
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      int row = firstRow + s.at.row + 8 * r;
      if (row >= p.queries)
        continue;
      float sum = s.softmax.sum[r];
      queryRowStore<Element>(p, batch, head, row, sum)
          .accumulated(s.out, r, s.at.column);
      if (s.at.column == 0)
        storeLog(p, batch, head, row,
                 sum > 0 ? (log2f(sum) + s.softmax.peak[r] * p.scaleLog2) * ln2
                         : negativeInfinity());
    }
  }

public:
  __device__ QueryGradBlock(const GradParameters &parameters, uint32_t shared)
      : p(parameters), tiles(parameters, shared) {
    BlockWork work = blockWork(p, p.headsQ * p.batch, blockIdx.x);
    batch = work.head / p.headsQ;
    head = work.head % p.headsQ;
    firstRow = work.rowBlock * Tiles::kRows;
    int lastRow = min(firstRow + Tiles::kRows, p.queries) - 1;
    int limit = max(visibleKeys(p, lastRow), 0);
    steps = (limit + Tiles::kTile - 1) / Tiles::kTile;
  }

  __device__ void initialise() const { tiles.initialise(0); }

  __device__ void produce(const GradMaps &maps) const {
    if (threadIdx.x != 0 || steps == 0)
      return;
    tiles.copyStay(maps, firstRow, head, batch);
    for (int step = 0; step < steps; ++step) {
      tiles.waitEmpty(step);
      tiles.copyPair(maps, step, tileOf(step) * Tiles::kTile, head / p.group,
                     batch);
    }
  }

  __device__ void consume() const {
    State s;
    start(s);
    if (steps > 0)
      computeAll(s);
    store(s);
  }
};

//===----------------------------------------------------------------------===//
// Keys and values
//===----------------------------------------------------------------------===//

template <typename Element, int Depth>
class KeyValueGradBlock {
  using Tiles = GradTiles<Element, Depth>;
  using Place = typename Tiles::Place;

  const GradParameters &p;
  Tiles tiles;
  int batch, head, split, firstRow;
  /// Of queries in a head, from the first that sees one of the rows.
  int firstTile, tilesPerHead;
  /// Heads of queries [headBegin, headEnd).
  int headBegin, headEnd;

  struct State {
    Place at;
    /// The first query that sees the row.
    int first[2];
    /// All queries from here on see all rows of the warpgroup.
    int unmasked;
    float outK[Tiles::kOut], outV[Tiles::kOut];
    float scores[Tiles::kScores], inner[Tiles::kScores];
    uint32_t packedK[Tiles::kScores / 2], packedV[Tiles::kScores / 2];
  };

  __device__ int steps() const { return (headEnd - headBegin) * tilesPerHead; }
  __device__ int firstQueryOf(int step) const {
    return (firstTile + step % tilesPerHead) * Tiles::kTile;
  }

  __device__ static float2 readPair(uint32_t address) {
    float2 pair;
    asm volatile("ld.shared.v2.f32 {%0, %1}, [%2];"
                 : "=f"(pair.x), "=f"(pair.y)
                 : "r"(address));
    return pair;
  }

  /// Scores to weights: a row is a key, a column a query.
  __device__ void weigh(State &s, int step) const {
    uint32_t logs = tiles.numbersOf(Tiles::stage(step)) + s.at.column * 4;
#pragma unroll
    for (int i = 0; i < Tiles::kScores; i += 4) {
      float2 log = readPair(logs + 8 * i);
#pragma unroll
      for (int r = 0; r < 4; r += 2) {
        s.scores[i + r] = exp2Fast(fmaf(s.scores[i + r], p.scaleLog2, -log.x));
        s.scores[i + r + 1] =
            exp2Fast(fmaf(s.scores[i + r + 1], p.scaleLog2, -log.y));
      }
    }
    int query = firstQueryOf(step);
    if (query >= s.unmasked)
      return;
#pragma unroll
    for (int i = 0; i < Tiles::kScores; ++i)
      if (query + s.at.column + i / 4 * 8 + (i & 1) < s.first[i >> 1 & 1])
        s.scores[i] = 0;
  }

  __device__ void differentiate(State &s, int step) const {
    uint32_t deltas = tiles.numbersOf(Tiles::stage(step)) + Tiles::kTile * 4 +
                      s.at.column * 4;
#pragma unroll
    for (int i = 0; i < Tiles::kScores; i += 4) {
      float2 delta = readPair(deltas + 8 * i);
#pragma unroll
      for (int r = 0; r < 4; r += 2) {
        s.inner[i + r] = s.scores[i + r] * (s.inner[i + r] - delta.x);
        s.inner[i + r + 1] =
            s.scores[i + r + 1] * (s.inner[i + r + 1] - delta.y);
      }
    }
  }

  __device__ void compute(State &s, int step) const {
    barrierWait(tiles.full(Tiles::stage(step)), Tiles::parity(step));
    pin(s.scores);
    pin(s.inner);
    productFence();
    tiles.issueScores(s.scores, 0, step, s.at);
    tiles.issueScores(s.inner, 1, step, s.at);
    productWait<1>();
    pin(s.scores);
    weigh(s, step);
    productWait<0>();
    pin(s.inner);
    differentiate(s, step);
    Tiles::packWeights(s.packedV, s.scores);
    Tiles::packWeights(s.packedK, s.inner);
    pin(s.outK);
    pin(s.outV);
    productFence();
    tiles.issueSum(s.outV, s.packedV, 1, step);
    tiles.issueSum(s.outK, s.packedK, 0, step);
    productCommit();
    productWait<0>();
    pin(s.outK);
    pin(s.outV);
    tiles.release(s.at, step);
  }

  __device__ void store(const State &s) const {
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      int row = firstRow + s.at.row + 8 * r;
      if (row >= p.keys)
        continue;
      keyRowStore<Element>(p, p.gradK, p.partialK, split, batch, head, row,
                           p.depth, p.scale)
          .accumulated(s.outK, r, s.at.column);
      keyRowStore<Element>(p, p.gradV, p.partialV, split, batch, head, row,
                           p.depthV, 1)
          .accumulated(s.outV, r, s.at.column);
    }
  }

  /// The numbers of a tile's rows, by one warp.
  __device__ void writeNumbers(int step, int queryHead) const {
    QueryRows rows(p, batch, queryHead);
    uint32_t to = tiles.numbersOf(Tiles::stage(step));
    for (int row = threadIdx.x % 32; row < Tiles::kTile; row += 32) {
      int query = firstQueryOf(step) + row;
      asm volatile("st.shared.f32 [%0], %1;" ::"r"(to + row * 4),
                   "f"(rows.logOf(query))
                   : "memory");
      asm volatile(
          "st.shared.f32 [%0], %1;" ::"r"(to + (Tiles::kTile + row) * 4),
          "f"(rows.deltaOf(query))
          : "memory");
    }
  }

public:
  __device__ KeyValueGradBlock(const GradParameters &parameters,
                               uint32_t shared)
      : p(parameters), tiles(parameters, shared) {
    BlockWork work = blockWork(p, p.headsKV * p.batch, blockIdx.x);
    batch = work.head / p.headsKV;
    head = work.head % p.headsKV;
    split = work.split;
    // The first rows have the most to do under a diagonal.
    firstRow = (p.rowBlocks - 1 - work.rowBlock) * Tiles::kRows;
    int allTiles = (p.queries + Tiles::kTile - 1) / Tiles::kTile;
    firstTile = max(firstQuery(p, firstRow), 0) / Tiles::kTile;
    tilesPerHead = max(allTiles - firstTile, 0);
    headBegin = head * p.group + firstHead(p, split);
    headEnd = head * p.group + firstHead(p, split + 1);
  }

  __device__ void initialise() const { tiles.initialise(32); }

  /// The first warp's first thread copies tiles, the second warp numbers.
  __device__ void produce(const GradMaps &maps) const {
    int warp = threadIdx.x / 32;
    if (warp > 1 || (warp == 0 && threadIdx.x != 0) || steps() == 0)
      return;
    if (warp == 0)
      tiles.copyStay(maps, firstRow, head, batch);
    int step = 0;
    for (int queryHead = headBegin; queryHead < headEnd; ++queryHead)
      for (int tile = 0; tile < tilesPerHead; ++tile, ++step) {
        tiles.waitEmpty(step);
        if (warp == 0) {
          tiles.copyPair(maps, step, firstQueryOf(step), queryHead, batch);
        } else {
          writeNumbers(step, queryHead);
          barrierArrive(tiles.full(Tiles::stage(step)));
        }
      }
  }

  __device__ void consume() const {
    State s;
    for (int r = 0; r < 2; ++r)
      s.first[r] = firstQuery(p, firstRow + s.at.row + 8 * r);
    s.unmasked = firstQuery(p, firstRow + s.at.group * 64 + 63);
    Tiles::clear(s.outK);
    Tiles::clear(s.outV);
    int count = steps();
    if (count > 0)
      barrierWait(tiles.stayFull(), 0);
    for (int step = 0; step < count; ++step)
      compute(s, step);
    store(s);
  }
};

} // namespace dtensor::rt::cuda::attention

#endif // DTENSOR_ATTENTION_GRADWGMMA_CUH
