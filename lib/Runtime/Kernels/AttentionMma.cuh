//===- AttentionMma.cuh - attention with mma.sync ---------------*- C++ -*-===//
//
// Any GPU from compute capability 8.0 on. A block holds 64 packed rows, 16 a
// warp: row r is query r / group of head kv * group + r % group. For up to 16
// rows each warp takes a quarter of a tile's keys instead, and the warps'
// results are merged at the end. Keys and values go through two stages of
// shared memory each. Rows of a tile hold Depth / 8 chunks of 16 bytes; chunk c
// of row r lies at c ^ (r % 8), so that the 8 rows of an ldmatrix matrix use
// different banks.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_ATTENTION_MMA_CUH
#define DTENSOR_ATTENTION_MMA_CUH

#include "AttentionCommon.cuh"

namespace dtensor::rt::cuda::attention {

__device__ inline uint32_t sharedAddress(const void *pointer) {
  return uint32_t(__cvta_generic_to_shared(pointer));
}

/// Copies 16 bytes, or writes zeros where `valid` is false.
__device__ inline void copyAsync16(uint32_t to, const void *from, bool valid) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to),
               "l"(from), "r"(valid ? 16 : 0)
               : "memory");
}

__device__ inline void copyCommit() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}

template <int Pending>
__device__ inline void copyWait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
}

__device__ inline void loadMatrices(uint32_t (&r)[4], uint32_t address) {
  asm volatile(
      "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
      : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
      : "r"(address)
      : "memory");
}

__device__ inline void loadTransposed(uint32_t (&r)[4], uint32_t address) {
  asm volatile(
      "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
      : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
      : "r"(address)
      : "memory");
}

/// d[16 x 8] += a[16 x 16] b[16 x 8].
template <typename Element>
__device__ inline void multiplyAdd(float *d, const uint32_t *a, uint32_t b0,
                                   uint32_t b1) {
  if constexpr (sizeof(Element) == 2 && __is_same(Element, __nv_bfloat16))
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
                 "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0),
                   "r"(b1));
  else
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
                 "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0),
                   "r"(b1));
}

/// Eight elements one by one, zeros at and beyond `count`.
template <typename Element>
__device__ inline uint4 gatherChunk(const Element *from, int count) {
  union {
    uint4 all;
    uint16_t parts[8];
  } chunk;
#pragma unroll
  for (int i = 0; i < 8; ++i)
    chunk.parts[i] =
        i < count ? reinterpret_cast<const uint16_t *>(from)[i] : uint16_t(0);
  return chunk.all;
}

template <typename Element, int Depth, int Rows>
class MmaBlock {
  static constexpr int kRows = Rows;
  static constexpr int kRowWarps = Rows / 16, kKeyWarps = 4 / kRowWarps;
  static constexpr int kKeys = Depth == 256 ? 32 : 64;
  static constexpr int kThreads = 128;
  static constexpr int kChunks = Depth / 8;
  static constexpr uint32_t kPitch = Depth * 2;
  static constexpr uint32_t kTileBytes = kKeys * kPitch;
  static constexpr int kWarpKeys = kKeys / kKeyWarps;
  static constexpr int kScores = kWarpKeys / 2, kOut = Depth / 2;

  const Parameters &p;
  uint32_t queryTile, keyTiles, valueTiles;
  char *base;
  int batch, head, split, firstRow, rows;
  /// The warp's first row in the block and first key in a tile.
  int warpRow, warpKey, lane;
  float o[kOut];
  QuadSoftmax softmax;
  int limit[2];

  __device__ static uint32_t offset(int row, int chunk) {
    return row * kPitch + ((chunk ^ (row & 7)) << 4);
  }

  /// `rowPointer(r)` is row r's first element, null beyond the last row.
  template <int TileRows, typename RowPointer>
  __device__ void load(uint32_t tile, int depth, RowPointer rowPointer) {
#pragma unroll 4
    for (int i = threadIdx.x; i < TileRows * kChunks; i += kThreads) {
      int row = i / kChunks, chunk = i % kChunks;
      const Element *from = rowPointer(row);
      bool valid = from && chunk * 8 < depth;
      uint32_t to = tile + offset(row, chunk);
      if (p.wideLoads) {
        copyAsync16(to, valid ? from + chunk * 8 : p.q, valid);
        continue;
      }
      uint4 words =
          gatherChunk(from + chunk * 8, valid ? depth - chunk * 8 : 0);
      *reinterpret_cast<uint4 *>(base + (to - queryTile)) = words;
    }
  }

  __device__ void loadQueries() {
    const Element *q = static_cast<const Element *>(p.q) +
                       batch * p.qStrides.batch +
                       int64_t(head) * p.group * p.qStrides.head;
    load<kRows>(queryTile, p.depth, [&](int row) -> const Element * {
      int r = firstRow + row;
      return r < rows ? q + (r / p.group) * p.qStrides.row +
                            (r % p.group) * p.qStrides.head
                      : nullptr;
    });
  }

  __device__ void loadKeys(uint32_t tiles, const void *from,
                           const AttentionStrides &s, int depth, int tile,
                           int last) {
    if (tile < last) {
      const Element *first =
          static_cast<const Element *>(from) + batch * s.batch + head * s.head;
      load<kKeys>(tiles + (tile & 1) * kTileBytes, depth,
                  [&](int row) -> const Element * {
                    int64_t key = int64_t(tile) * kKeys + row;
                    return key < p.keys ? first + key * s.row : nullptr;
                  });
    }
    // An empty group keeps the count of groups in flight the same.
    copyCommit();
  }

  /// scores = q k^T for the warp's 16 rows.
  __device__ void multiplyKeys(float (&scores)[kScores], uint32_t keys) {
#pragma unroll
    for (int i = 0; i < kScores; ++i)
      scores[i] = 0;
#pragma unroll
    for (int step = 0; step < Depth / 16; ++step) {
      uint32_t a[4];
      int row = warpRow + (lane & 15), chunk = step * 2 + (lane >> 4);
      loadMatrices(a, queryTile + offset(row, chunk));
#pragma unroll
      for (int n = 0; n < kWarpKeys / 16; ++n) {
        uint32_t b[4];
        int key = warpKey + n * 16 + (lane >> 4) * 8 + (lane & 7);
        loadMatrices(b, keys + offset(key, step * 2 + ((lane >> 3) & 1)));
        multiplyAdd<Element>(scores + n * 8, a, b[0], b[1]);
        multiplyAdd<Element>(scores + n * 8 + 4, a, b[2], b[3]);
      }
    }
  }

  /// o += weights v.
  __device__ void multiplyValues(const float (&weights)[kScores],
                                 uint32_t values) {
#pragma unroll
    for (int step = 0; step < kWarpKeys / 16; ++step) {
      uint32_t a[4];
#pragma unroll
      for (int i = 0; i < 4; ++i)
        a[i] = Convert<Element>::pack(weights[step * 8 + 2 * i],
                                      weights[step * 8 + 2 * i + 1]);
#pragma unroll
      for (int n = 0; n < Depth / 16; ++n) {
        uint32_t b[4];
        int key = warpKey + step * 16 + (lane & 15),
            chunk = n * 2 + (lane >> 4);
        loadTransposed(b, values + offset(key, chunk));
        multiplyAdd<Element>(o + n * 8, a, b[0], b[1]);
        multiplyAdd<Element>(o + n * 8 + 4, a, b[2], b[3]);
      }
    }
  }

  __device__ void step(int tile, int last, int unmasked) {
    loadKeys(keyTiles, p.k, p.kStrides, p.depth, tile + 1, last);
    copyWait<2>();
    __syncthreads();
    float scores[kScores];
    multiplyKeys(scores, keyTiles + (tile & 1) * kTileBytes);
    // The scale may have any sign here, so it precedes the maximum.
#pragma unroll
    for (int i = 0; i < kScores; ++i)
      scores[i] *= p.scaleLog2;
    if ((tile + 1) * kKeys > unmasked)
      QuadSoftmax::mask(scores, tile * kKeys + warpKey + (lane & 3) * 2, limit);
    float factor[2];
    softmax.update(scores, 1.0f, factor);
#pragma unroll
    for (int i = 0; i < kOut; ++i)
      o[i] *= factor[(i >> 1) & 1];
    loadKeys(valueTiles, p.v, p.vStrides, p.depthV, tile + 1, last);
    copyWait<2>();
    __syncthreads();
    multiplyValues(scores, valueTiles + (tile & 1) * kTileBytes);
  }

  /// Adds the results of the other warps to warp 0's, in their order. Each
  /// lies in shared memory as [register][lane].
  __device__ void mergeWarps() {
    constexpr int kWords = (kOut + 4) * 32;
    float *words = reinterpret_cast<float *>(base) + lane;
    int warp = threadIdx.x / 32;
    __syncthreads();
    if (warp > 0) {
      float *mine = words + (warp - 1) * kWords;
#pragma unroll
      for (int i = 0; i < kOut; ++i)
        mine[i * 32] = o[i];
#pragma unroll
      for (int r = 0; r < 2; ++r) {
        mine[(kOut + r) * 32] = softmax.peak[r];
        mine[(kOut + 2 + r) * 32] = softmax.sum[r];
      }
    }
    __syncthreads();
    for (int other = 0; warp == 0 && other < kKeyWarps - 1; ++other)
      mergeOne(words + other * kWords);
  }

  __device__ void mergeOne(const float *theirs) {
    float own[2], added[2];
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      float peak = theirs[(kOut + r) * 32];
      float top = fmaxf(softmax.peak[r], peak);
      float zero = top == negativeInfinity() ? 0.0f : top;
      own[r] = exp2Fast(softmax.peak[r] - zero);
      added[r] = exp2Fast(peak - zero);
      softmax.peak[r] = top;
      softmax.sum[r] =
          softmax.sum[r] * own[r] + theirs[(kOut + 2 + r) * 32] * added[r];
    }
#pragma unroll
    for (int i = 0; i < kOut; ++i) {
      int r = (i >> 1) & 1;
      o[i] = o[i] * own[r] + theirs[i * 32] * added[r];
    }
  }

  __device__ void store() {
    softmax.finish();
    if constexpr (kKeyWarps > 1) {
      mergeWarps();
      if (threadIdx.x >= 32)
        return;
    }
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      int row = firstRow + warpRow + (lane >> 2) + 8 * r;
      if (row >= rows)
        continue;
      // The log of the workspace is written by each thread of the quad, with
      // the same value.
      RowStore<Element> to(p, split, batch, head * p.group + row % p.group,
                           row / p.group, softmax.sum[r], softmax.peak[r]);
      to.accumulated(o, r, (lane & 3) * 2);
    }
  }

public:
  __device__ MmaBlock(const Parameters &parameters, char *shared)
      : p(parameters), base(shared) {
    queryTile = sharedAddress(shared);
    keyTiles = queryTile + kRows * kPitch;
    valueTiles = keyTiles + 2 * kTileBytes;
    lane = threadIdx.x % 32;
    int warp = threadIdx.x / 32;
    warpRow = warp % kRowWarps * 16;
    warpKey = warp / kRowWarps * kWarpKeys;
    BlockWork work = blockWork(p, p.headsKV * p.batch, blockIdx.x);
    batch = work.head / p.headsKV;
    head = work.head % p.headsKV;
    split = work.split;
    firstRow = work.rowBlock * kRows;
    rows = p.queries * p.group;
  }

  __device__ void run() {
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      int row = firstRow + warpRow + (lane >> 2) + 8 * r;
      limit[r] = row < rows ? keyLimit(p, row / p.group) : 0;
    }
#pragma unroll
    for (int i = 0; i < kOut; ++i)
      o[i] = 0;
    int lastRow = min(firstRow + kRows, rows) - 1;
    TileRange tiles =
        tileRange(p, keyLimit(p, lastRow / p.group), kKeys, split);
    int unmasked = keyLimit(p, firstRow / p.group);
    loadQueries();
    loadKeys(keyTiles, p.k, p.kStrides, p.depth, tiles.first, tiles.last);
    loadKeys(valueTiles, p.v, p.vStrides, p.depthV, tiles.first, tiles.last);
    for (int tile = tiles.first; tile < tiles.last; ++tile)
      step(tile, tiles.last, unmasked);
    copyWait<0>();
    store();
  }
};

} // namespace dtensor::rt::cuda::attention

#endif // DTENSOR_ATTENTION_MMA_CUH
