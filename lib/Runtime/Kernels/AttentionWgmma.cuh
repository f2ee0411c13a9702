//===- AttentionWgmma.cuh - attention with warpgroup products ---*- C++ -*-===//
//
// Compute capability 9.0. A block stays on its multiprocessor and takes one
// work after the other: 128 queries of one head. Warpgroup 0 copies tiles of
// 128 keys and values through two stages each; warpgroups 1 and 2 take 64 rows
// each. In the steady state of a warpgroup the product q k^T of tile i and the
// product of weights i - 1 and values i - 1 are issued together, and the two
// warpgroups take turns in issuing: one's softmax overlaps the other's
// products. (Holding a warpgroup's wait for its own second product back until
// its exponentials are done measured 5 % slower.) Tiles go from the last to the
// first: masks come first.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_ATTENTION_WGMMA_CUH
#define DTENSOR_ATTENTION_WGMMA_CUH

#include "AttentionHopper.cuh"

namespace dtensor::rt::cuda::attention {

template <typename Element, int Depth>
class WgmmaBlock {
  static constexpr int kRows = 128, kKeys = 128, kStages = 2;
  static constexpr int kColumns = Depth / 64;
  static constexpr uint32_t kColumnBytes = 128 * 128;
  static constexpr uint32_t kTileBytes = kColumns * kColumnBytes;
  static constexpr int kScores = kKeys / 2, kOut = Depth / 2;
  /// A warp's lane 0 arrives for it.
  static constexpr uint32_t kConsumers = 8;
  static constexpr int kFirstTurn = 1, kTurnThreads = 256;

  const Parameters &p;
  uint32_t queryTile, keyTiles, valueTiles, barriers;
  int batch, head, split, firstRow;
  TileRange tiles;

  __device__ uint32_t queryFull() const { return barriers; }
  __device__ uint32_t keyFull(int s) const { return barriers + 8 + 8 * s; }
  __device__ uint32_t valueFull(int s) const { return barriers + 24 + 8 * s; }
  __device__ uint32_t keyEmpty(int s) const { return barriers + 40 + 8 * s; }
  __device__ uint32_t valueEmpty(int s) const { return barriers + 56 + 8 * s; }
  __device__ uint32_t queryEmpty() const { return barriers + 72; }
  __device__ static uint32_t stage(int step) { return step % kStages; }
  __device__ static uint32_t parity(int step) { return step / kStages & 1; }

  __device__ void copyTile(uint32_t to, const AttentionTensorMap &map,
                           uint32_t barrier, int row, int tileHead) const {
    barrierExpect(barrier, kTileBytes);
    for (int column = 0; column < kColumns; ++column)
      copyBox(to + column * kColumnBytes, map, barrier, column * 64, row,
              tileHead, batch);
  }

  /// Works in the order of the rounds of all blocks, every second round
  /// backwards: as works get smaller, the blocks' sums stay close. False at the
  /// end.
  __device__ bool take(int round) {
    // Works are below 2^31 and a round is shorter.
    uint32_t works = p.headsQ * p.batch * p.rowBlocks * p.splits;
    uint32_t index = round * gridDim.x +
                     (round & 1 ? gridDim.x - 1 - blockIdx.x : blockIdx.x);
    if (index >= works)
      return false;
    BlockWork work = blockWork(p, p.headsQ * p.batch, index);
    batch = work.head / p.headsQ;
    head = work.head % p.headsQ;
    split = work.split;
    firstRow = work.rowBlock * kRows;
    int lastRow = min(firstRow + kRows, p.queries) - 1;
    tiles = tileRange(p, keyLimit(p, lastRow), kKeys, split);
    return true;
  }

  /// `base` counts the tiles and `turn` the works with tiles before this one.
  struct Consumer {
    int base = 0, turn = 0;
    int group, lane, column;
    uint32_t queries;
    int unmasked;
    int limit[2];
    float o[kOut];
    float scores[kScores];
    uint32_t weights[kScores / 2];
    QuadSoftmax softmax;
  };

  __device__ void release(const Consumer &c, uint32_t barrier) const {
    if (c.lane == 0)
      barrierArrive(barrier);
  }

  /// Issues scores = q k^T.
  __device__ void issueKeys(Consumer &c, int step) const {
    uint32_t keys = keyTiles + stage(c.base + step) * kTileBytes;
#pragma unroll
    for (int k = 0; k < Depth / 16; ++k) {
      uint32_t offset = k / 4 * kColumnBytes + k % 4 * 32;
      productShared<Element>(
          c.scores, tileDescriptor(c.queries + offset, kColumnBytes),
          tileDescriptor(keys + offset, kColumnBytes), k != 0);
    }
    productCommit();
  }

  /// Issues o += weights v.
  __device__ void issueValues(Consumer &c, int step) const {
    uint32_t values = valueTiles + stage(c.base + step) * kTileBytes;
#pragma unroll
    for (int k = 0; k < kKeys / 16; ++k)
      productRegisters<Element>(
          c.o, c.weights + 4 * k,
          tileDescriptor(values + k * 16 * 128, kColumnBytes));
    productCommit();
  }

  __device__ bool needsMask(const Consumer &c, int step) const {
    return (tiles.last - step) * kKeys > c.unmasked;
  }

  /// Scores of the tile at `step` to weights in place.
  template <bool Masked>
  __device__ void weigh(Consumer &c, int step, float (&factor)[2]) const {
    if constexpr (Masked)
      QuadSoftmax::mask(c.scores, (tiles.last - 1 - step) * kKeys + c.column,
                        c.limit);
    c.softmax.update(c.scores, p.scaleLog2, factor);
  }

  __device__ static void packWeights(Consumer &c) {
#pragma unroll
    for (int i = 0; i < kScores / 2; ++i)
      c.weights[i] =
          Convert<Element>::pack(c.scores[2 * i], c.scores[2 * i + 1]);
  }

  __device__ void firstTile(Consumer &c) const {
    barrierWait(queryFull(), c.turn & 1);
    barrierWait(keyFull(stage(c.base)), parity(c.base));
    pin(c.scores);
    productFence();
    issueKeys(c, 0);
    productWait<0>();
    pin(c.scores);
    release(c, keyEmpty(stage(c.base)));
    float factor[2];
    weigh<true>(c, 0, factor);
    packWeights(c);
  }

  template <bool Masked>
  __device__ void nextTile(Consumer &c, int step, bool last) const {
    int now = c.base + step, before = now - 1;
    barrierWait(keyFull(stage(now)), parity(now));
    namedBarrierSync(kFirstTurn + c.group, kTurnThreads);
    pin(c.scores);
    pin(c.o);
    productFence();
    issueKeys(c, step);
    barrierWait(valueFull(stage(before)), parity(before));
    productFence();
    issueValues(c, step - 1);
    // The second group's last turn has no successor.
    if (!(last && c.group == 1))
      namedBarrierArrive(kFirstTurn + 1 - c.group, kTurnThreads);
    productWait<1>();
    pin(c.scores);
    release(c, keyEmpty(stage(now)));
    float factor[2];
    weigh<Masked>(c, step, factor);
    productWait<0>();
    pin(c.o);
    release(c, valueEmpty(stage(before)));
    packWeights(c);
#pragma unroll
    for (int i = 0; i < kOut; ++i)
      c.o[i] *= factor[(i >> 1) & 1];
  }

  __device__ void lastValues(Consumer &c, int step) const {
    int now = c.base + step;
    barrierWait(valueFull(stage(now)), parity(now));
    pin(c.o);
    productFence();
    issueValues(c, step);
    productWait<0>();
    pin(c.o);
    release(c, valueEmpty(stage(now)));
  }

  __device__ void store(Consumer &c) const {
    c.softmax.finish();
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      int row = firstRow + rowInBlock(c) + 8 * r;
      if (row >= p.queries)
        continue;
      RowStore<Element> to(p, split, batch, head, row, c.softmax.sum[r],
                           c.softmax.peak[r] * p.scaleLog2);
      to.accumulated(c.o, r, c.column);
    }
  }

  __device__ static int rowInBlock(const Consumer &c) {
    return c.group * 64 + int(threadIdx.x / 32 % 4) * 16 + c.lane / 4;
  }

public:
  __device__ WgmmaBlock(const Parameters &parameters, uint32_t shared)
      : p(parameters) {
    queryTile = (shared + 1023) & ~1023u;
    keyTiles = queryTile + kTileBytes;
    valueTiles = keyTiles + kStages * kTileBytes;
    barriers = valueTiles + kStages * kTileBytes;
  }

  __device__ void initialise() const {
    if (threadIdx.x == 0) {
      barrierInit(queryFull(), 1);
      barrierInit(queryEmpty(), kConsumers);
      for (int s = 0; s < kStages; ++s) {
        barrierInit(keyFull(s), 1);
        barrierInit(valueFull(s), 1);
        barrierInit(keyEmpty(s), kConsumers);
        barrierInit(valueEmpty(s), kConsumers);
      }
      barrierFence();
    }
    __syncthreads();
  }

  /// One thread issues every copy.
  __device__ void produce(const AttentionTensorMap &q,
                          const AttentionTensorMap &k,
                          const AttentionTensorMap &v) {
    int now = 0, turn = 0;
    for (int round = 0; take(round); ++round) {
      int kvHead = head / p.group;
      for (int tile = tiles.last - 1; tile >= tiles.first; --tile, ++now) {
        uint32_t s = stage(now), free = parity(now) ^ 1;
        barrierWait(keyEmpty(s), free);
        copyTile(keyTiles + s * kTileBytes, k, keyFull(s), tile * kKeys,
                 kvHead);
        if (tile == tiles.last - 1) {
          barrierWait(queryEmpty(), ~turn & 1);
          copyTile(queryTile, q, queryFull(), firstRow, head);
          ++turn;
        }
        barrierWait(valueEmpty(s), free);
        copyTile(valueTiles + s * kTileBytes, v, valueFull(s), tile * kKeys,
                 kvHead);
      }
    }
  }

  __device__ void consumeTiles(Consumer &c, int count) const {
    // The first group has the first turn of every work.
    if (count > 1 && c.group == 1)
      namedBarrierArrive(kFirstTurn, kTurnThreads);
    firstTile(c);
    int step = 1;
    for (; step < count && needsMask(c, step); ++step)
      nextTile<true>(c, step, step == count - 1);
    for (; step < count; ++step)
      nextTile<false>(c, step, step == count - 1);
    release(c, queryEmpty());
    lastValues(c, count - 1);
    c.base += count;
    ++c.turn;
  }

  __device__ void consume() {
    Consumer c;
    c.group = int(threadIdx.x / 128) - 1;
    c.lane = threadIdx.x % 32;
    c.column = c.lane % 4 * 2;
    c.queries = queryTile + c.group * 64 * 128;
    for (int round = 0; take(round); ++round) {
      c.unmasked = keyLimit(p, firstRow + c.group * 64);
      for (int r = 0; r < 2; ++r)
        c.limit[r] = keyLimit(p, firstRow + rowInBlock(c) + 8 * r);
#pragma unroll
      for (int i = 0; i < kOut; ++i)
        c.o[i] = 0;
      c.softmax = QuadSoftmax();
      if (tiles.first < tiles.last)
        consumeTiles(c, tiles.last - tiles.first);
      store(c);
    }
  }
};

} // namespace dtensor::rt::cuda::attention

#endif // DTENSOR_ATTENTION_WGMMA_CUH
