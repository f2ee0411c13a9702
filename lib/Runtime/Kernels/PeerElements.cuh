//===- PeerElements.cuh - what members combine, and where it goes ---------===//
//
// Elements are combined in f32 and rounded once.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_KERNELS_PEERELEMENTS_CUH
#define DTENSOR_RUNTIME_KERNELS_PEERELEMENTS_CUH

#include <cmath>
#include <cstdint>
#include <cuda_bf16.h>
#include <cuda_fp16.h>

namespace dtensor::rt::cuda {

/// Where byte `offset` of the message of member q comes to, in bytes of dst.
template <typename Arguments>
__device__ int64_t placeOf(const Arguments &args, int q, int64_t offset) {
  int64_t rowBytes = args.rows.rowBytes;
  if (rowBytes == args.bytes)
    return q * rowBytes + offset;
  uint32_t row =
      static_cast<uint32_t>(offset) / static_cast<uint32_t>(rowBytes);
  return row * args.rows.pitch + q * rowBytes + (offset - row * rowBytes);
}

/// The elements of a word of memory in f32.
template <typename T, typename Word>
struct PeerElements {
  static constexpr int kCount = sizeof(Word) / sizeof(T);
  float values[kCount];

  static __device__ PeerElements all(float value) {
    PeerElements elements;
#pragma unroll
    for (int e = 0; e < kCount; ++e)
      elements.values[e] = value;
    return elements;
  }
  __device__ void read(const Word &data) {
    const T *elements = reinterpret_cast<const T *>(&data);
#pragma unroll
    for (int e = 0; e < kCount; ++e)
      values[e] = static_cast<float>(elements[e]);
  }
  __device__ Word write() const {
    Word data;
    T *elements = reinterpret_cast<T *>(&data);
#pragma unroll
    for (int e = 0; e < kCount; ++e)
      elements[e] = static_cast<T>(values[e]);
    return data;
  }
  template <typename Op>
  __device__ void add(const PeerElements &next) {
#pragma unroll
    for (int e = 0; e < kCount; ++e)
      values[e] = Op::apply(values[e], next.values[e]);
  }
};

// neutral(): changes nothing, whatever it is applied to.

struct PeerSum {
  static __device__ float neutral() { return -0.0f; }
  static __device__ float apply(float a, float b) { return a + b; }
};
struct PeerProduct {
  static __device__ float neutral() { return 1; }
  static __device__ float apply(float a, float b) { return a * b; }
};
/// A NaN is kept.
struct PeerMax {
  static __device__ float neutral() { return -INFINITY; }
  static __device__ float apply(float a, float b) {
    return a > b || a != a ? a : b;
  }
};
struct PeerMin {
  static __device__ float neutral() { return INFINITY; }
  static __device__ float apply(float a, float b) {
    return a < b || a != a ? a : b;
  }
};

} // namespace dtensor::rt::cuda

/// MAKE(OP, CLASS, NAME, TYPE) for all reductions of all types.
#define DTENSOR_PEER_REDUCTIONS(MAKE)                                          \
  DTENSOR_PEER_TYPE(MAKE, f32, float)                                          \
  DTENSOR_PEER_TYPE(MAKE, f16, __half)                                         \
  DTENSOR_PEER_TYPE(MAKE, bf16, __nv_bfloat16)
#define DTENSOR_PEER_TYPE(MAKE, NAME, TYPE)                                    \
  MAKE(sum, PeerSum, NAME, TYPE)                                               \
  MAKE(product, PeerProduct, NAME, TYPE)                                       \
  MAKE(max, PeerMax, NAME, TYPE)                                               \
  MAKE(min, PeerMin, NAME, TYPE)

#endif // DTENSOR_RUNTIME_KERNELS_PEERELEMENTS_CUH
