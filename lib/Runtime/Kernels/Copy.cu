//===- Copy.cu - strided copies, fills and order-keeping conversions ------===//
//
// The host makes a word as wide as the innermost run and the alignment of all
// addresses allow, so that most copies move 16 bytes per thread.
//
// Floats are compared as integers for max and min, so that a NaN wins as it
// must: with b the bits, b if b >= 0 else b ^ 0x7f..f keeps the order, and NaN
// becomes the largest (max) or smallest (min) integer, which is a NaN again
// when it is turned back.
//
//===----------------------------------------------------------------------===//

#include "Arguments.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

using namespace dtensor::rt::cuda;

template <typename Index>
static __device__ void locate(const CopyArguments &args, Index at, int64_t &dst,
                              int64_t &src) {
  dst = 0;
  src = 0;
  for (int d = 0; d + 1 < args.rank; ++d) {
    Index size = static_cast<Index>(args.sizes[d]);
    Index rest = at / size;
    int64_t i = static_cast<int64_t>(at - rest * size);
    dst += i * args.dstStrides[d];
    src += i * args.srcStrides[d];
    at = rest;
  }
  dst += static_cast<int64_t>(at) * args.dstStrides[args.rank - 1];
  src += static_cast<int64_t>(at) * args.srcStrides[args.rank - 1];
}

/// The value of a fill is the low bytes of `bits`, repeated.
template <typename Word>
static __device__ Word repeatBits(int64_t bits) {
  return static_cast<Word>(bits);
}
template <>
__device__ uint4 repeatBits<uint4>(int64_t bits) {
  unsigned low = static_cast<unsigned>(bits);
  unsigned high = static_cast<unsigned>(bits >> 32);
  return make_uint4(low, high, low, high);
}

/// Loads of one thread in flight at once.
constexpr int kInFlight = 4;

template <typename Word, typename Index, bool isFill>
static __device__ void copyWords(const CopyArguments &args) {
  constexpr Index kBlock = kCopyThreads * kInFlight;
  Index count = static_cast<Index>(args.count);
  // In Index, the last step may wrap: it is compared before it is taken.
  for (Index base = blockIdx.x * kBlock; base < count;) {
    Word values[kInFlight];
    int64_t places[kInFlight];
#pragma unroll
    for (int u = 0; u < kInFlight; ++u) {
      Index i = base + u * kCopyThreads + threadIdx.x;
      int64_t src;
      if (i >= count)
        continue;
      locate<Index>(args, i, places[u], src);
      values[u] = isFill ? repeatBits<Word>(args.bits)
                         : static_cast<const Word *>(args.src)[src];
    }
#pragma unroll
    for (int u = 0; u < kInFlight; ++u)
      if (base + u * kCopyThreads + threadIdx.x < count)
        static_cast<Word *>(args.dst)[places[u]] = values[u];
    Index step = gridDim.x * kBlock;
    if (count - base <= step)
      return;
    base += step;
  }
}

template <typename Word, bool isFill>
static __device__ void copyWords(const CopyArguments &args) {
  if (args.count <= INT32_MAX)
    copyWords<Word, uint32_t, isFill>(args);
  else
    copyWords<Word, uint64_t, isFill>(args);
}

/// A tile goes through shared memory, so that both sides are read and written
/// along packed elements.
template <typename Word>
static __device__ void transpose(const TransposeArguments &args) {
  constexpr int kTile = kTransposeTile, kLines = kCopyThreads / kTile;
  __shared__ Word
      tile[kTile][kTile + (sizeof(Word) < 4 ? 4 / sizeof(Word) : 1)];
  int64_t block = blockIdx.x;
  int64_t tileCol = block % args.tileCols;
  block /= args.tileCols;
  int64_t tileRow = block % args.tileRows;
  block /= args.tileRows;
  int64_t dst = 0, src = 0;
  for (int d = 0; d < args.rank; ++d) {
    int64_t at = block % args.sizes[d];
    block /= args.sizes[d];
    dst += at * args.dstStrides[d];
    src += at * args.srcStrides[d];
  }
  int64_t row = tileRow * kTile, col = tileCol * kTile;
  int x = threadIdx.x % kTile, y = threadIdx.x / kTile;
  const Word *from = static_cast<const Word *>(args.src) + src;
#pragma unroll 8
  for (int i = y; i < kTile; i += kLines)
    if (row + i < args.rows && col + x < args.cols)
      tile[i][x] = from[(row + i) * args.srcRow + col + x];
  __syncthreads();
  Word *to = static_cast<Word *>(args.dst) + dst;
#pragma unroll 8
  for (int j = y; j < kTile; j += kLines)
    if (row + x < args.rows && col + j < args.cols)
      to[(col + j) * args.dstRow + row + x] = tile[x][j];
}

#define DTENSOR_TRANSPOSE(BYTES, WORD)                                         \
  extern "C" __global__ void __launch_bounds__(kCopyThreads)                   \
      dtensor_transpose_##BYTES(                                               \
          const __grid_constant__ TransposeArguments args) {                   \
    transpose<WORD>(args);                                                     \
  }
DTENSOR_TRANSPOSE(1, uint8_t)
DTENSOR_TRANSPOSE(2, uint16_t)
DTENSOR_TRANSPOSE(4, uint32_t)
DTENSOR_TRANSPOSE(8, uint64_t)

#define DTENSOR_COPY(BYTES, WORD)                                              \
  extern "C" __global__ void __launch_bounds__(kCopyThreads)                   \
      dtensor_copy_##BYTES(const __grid_constant__ CopyArguments args) {       \
    copyWords<WORD, false>(args);                                              \
  }                                                                            \
  extern "C" __global__ void __launch_bounds__(kCopyThreads)                   \
      dtensor_fill_##BYTES(const __grid_constant__ CopyArguments args) {       \
    copyWords<WORD, true>(args);                                               \
  }
DTENSOR_COPY(1, uint8_t)
DTENSOR_COPY(2, uint16_t)
DTENSOR_COPY(4, uint32_t)
DTENSOR_COPY(8, uint64_t)
DTENSOR_COPY(16, uint4)

template <typename Int>
static __device__ Int flip(Int bits) {
  constexpr Int kMax = static_cast<Int>(~(Int(1) << (sizeof(Int) * 8 - 1)));
  return bits < 0 ? bits ^ kMax : bits;
}

template <typename Int>
static __device__ Int order(Int bits, bool isNan, bool isMax) {
  constexpr Int kMin = static_cast<Int>(Int(1) << (sizeof(Int) * 8 - 1));
  return isNan ? (isMax ? ~kMin : kMin) : flip(bits);
}

/// Element types: `Wide` is what NCCL reduces.
struct F32 {
  using Element = float;
  using Wide = int32_t;
  static __device__ Wide encode(float x, bool isMax) {
    return order<int32_t>(__float_as_int(x), x != x, isMax);
  }
  static __device__ float decode(Wide x) { return __int_as_float(flip(x)); }
};
struct F64 {
  using Element = double;
  using Wide = long long;
  static __device__ Wide encode(double x, bool isMax) {
    return order<long long>(__double_as_longlong(x), x != x, isMax);
  }
  static __device__ double decode(Wide x) {
    return __longlong_as_double(flip(x));
  }
};
struct F16 {
  using Element = __half;
  using Wide = int32_t;
  static __device__ Wide encode(__half x, bool isMax) {
    return F32::encode(__half2float(x), isMax);
  }
  static __device__ __half decode(Wide x) {
    return __float2half(F32::decode(x));
  }
};
struct BF16 {
  using Element = __nv_bfloat16;
  using Wide = int32_t;
  static __device__ Wide encode(__nv_bfloat16 x, bool isMax) {
    return F32::encode(__bfloat162float(x), isMax);
  }
  static __device__ __nv_bfloat16 decode(Wide x) {
    return __float2bfloat16(F32::decode(x));
  }
};
struct I16 {
  using Element = int16_t;
  using Wide = int32_t;
  static __device__ Wide encode(int16_t x, bool) { return x; }
  static __device__ int16_t decode(Wide x) { return static_cast<int16_t>(x); }
};
/// Product in f32, rounded once.
struct Half32 {
  using Element = __half;
  using Wide = float;
  static __device__ Wide encode(__half x, bool) { return __half2float(x); }
  static __device__ __half decode(Wide x) { return __float2half(x); }
};
struct BHalf32 {
  using Element = __nv_bfloat16;
  using Wide = float;
  static __device__ Wide encode(__nv_bfloat16 x, bool) {
    return __bfloat162float(x);
  }
  static __device__ __nv_bfloat16 decode(Wide x) { return __float2bfloat16(x); }
};

template <typename T>
static __device__ void encodeAll(const ConvertArguments &args, bool isMax) {
  int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  int64_t first = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  auto *src = static_cast<const typename T::Element *>(args.src);
  auto *dst = static_cast<typename T::Wide *>(args.dst);
  for (int64_t i = first; i < args.count; i += step)
    dst[i] = T::encode(src[i], isMax);
}

template <typename T>
static __device__ void decodeAll(const ConvertArguments &args) {
  int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  int64_t first = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  auto *src = static_cast<const typename T::Wide *>(args.src);
  auto *dst = static_cast<typename T::Element *>(args.dst);
  for (int64_t i = first; i < args.count; i += step)
    dst[i] = T::decode(src[i]);
}

#define DTENSOR_CONVERT(NAME, TYPE)                                            \
  extern "C" __global__ void __launch_bounds__(kCopyThreads)                   \
      dtensor_encode_max_##NAME(const __grid_constant__ ConvertArguments a) {  \
    encodeAll<TYPE>(a, true);                                                  \
  }                                                                            \
  extern "C" __global__ void __launch_bounds__(kCopyThreads)                   \
      dtensor_encode_min_##NAME(const __grid_constant__ ConvertArguments a) {  \
    encodeAll<TYPE>(a, false);                                                 \
  }                                                                            \
  extern "C" __global__ void __launch_bounds__(kCopyThreads)                   \
      dtensor_decode_##NAME(const __grid_constant__ ConvertArguments a) {      \
    decodeAll<TYPE>(a);                                                        \
  }
DTENSOR_CONVERT(f32, F32)
DTENSOR_CONVERT(f64, F64)
DTENSOR_CONVERT(f16, F16)
DTENSOR_CONVERT(bf16, BF16)
DTENSOR_CONVERT(i16, I16)
DTENSOR_CONVERT(half32, Half32)
DTENSOR_CONVERT(bhalf32, BHalf32)
