//===- AttentionKernels.cu - entry points of the attention kernels --------===//
//
// Attention.cpp chooses among them by name. All take the same list of
// parameters, of which those without tensor maps use the first.
//
//===----------------------------------------------------------------------===//

#include "AttentionMma.cuh"
#include "AttentionSimt.cuh"
#include "AttentionWgmma.cuh"

namespace dtensor::rt::cuda::attention {

extern __shared__ __align__(1024) char attentionShared[];

template <typename Element, int Depth, int Rows>
__device__ void runMma(const Parameters &p) {
  MmaBlock<Element, Depth, Rows>(p, attentionShared).run();
}

template <int Depth>
__device__ void runSimt(const Parameters &p) {
  SimtBlock<Depth>(p, reinterpret_cast<float *>(attentionShared)).run();
}

template <typename Element, int Depth>
__device__ void runWgmma(const Parameters &p, const AttentionTensorMap &q,
                         const AttentionTensorMap &k,
                         const AttentionTensorMap &v) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  WgmmaBlock<Element, Depth> block(
      p, uint32_t(__cvta_generic_to_shared(attentionShared)));
  block.initialise();
  // Registers of a block: 128 (24 + 2 * 240) = 384 * 168.
  if (threadIdx.x < 128) {
    dropRegisters<24>();
    if (threadIdx.x == 0)
      block.produce(q, k, v);
  } else {
    raiseRegisters<240>();
    block.consume();
  }
#else
  // Never chosen on other architectures.
  __trap();
#endif
}

/// out = sum_s w_s partial_s / sum_s w_s with w_s = 2^(log_s - max log); a
/// block a row, splits in order.
template <typename Element>
__device__ void combine(const Parameters &p) {
  __shared__ float logs[kAttentionMaxSplits], weights[kAttentionMaxSplits];
  int64_t rows = int64_t(p.batch) * p.headsQ * p.queries, row = blockIdx.x;
  int s = threadIdx.x;
  if (s < p.splits)
    logs[s] = p.partialLog[s * rows + row];
  __syncthreads();
  float top = negativeInfinity();
#pragma unroll 8
  for (int i = 0; i < p.splits; ++i)
    top = fmaxf(top, logs[i]);
  if (s < p.splits)
    weights[s] = top == negativeInfinity() ? 0.0f : exp2f(logs[s] - top);
  __syncthreads();
  int64_t slice = row / p.queries;
  Element *out =
      static_cast<Element *>(p.out) + slice / p.headsQ * p.outStrides.batch +
      slice % p.headsQ * p.outStrides.head + row % p.queries * p.outStrides.row;
  for (int column = threadIdx.x; column < p.depthV; column += blockDim.x) {
    const float *from = p.partial + row * p.depthV + column;
    float value = 0, sum = 0;
#pragma unroll 8
    for (int i = 0; i < p.splits; ++i) {
      sum += weights[i];
      value = fmaf(weights[i], from[i * rows * p.depthV], value);
    }
    out[column] = Convert<Element>::from(sum > 0 ? value / sum : 0.0f);
  }
}

} // namespace dtensor::rt::cuda::attention

#define DTENSOR_ATTENTION_KERNEL(NAME, BOUNDS, CALL)                           \
  extern "C" __global__ void BOUNDS dtensor_attention_##NAME(                  \
      const __grid_constant__ dtensor::rt::cuda::AttentionParameters p) {      \
    dtensor::rt::cuda::attention::CALL(p);                                     \
  }

#define DTENSOR_WGMMA(NAME, ELEMENT, DEPTH)                                    \
  extern "C" __global__ void __launch_bounds__(384, 1)                         \
      dtensor_attention_wgmma_##NAME##_##DEPTH(                                \
          const __grid_constant__ dtensor::rt::cuda::AttentionParameters p,    \
          const __grid_constant__ dtensor::rt::cuda::AttentionTensorMap q,     \
          const __grid_constant__ dtensor::rt::cuda::AttentionTensorMap k,     \
          const __grid_constant__ dtensor::rt::cuda::AttentionTensorMap v) {   \
    dtensor::rt::cuda::attention::runWgmma<ELEMENT, DEPTH>(p, q, k, v);        \
  }

#define DTENSOR_HALF_KERNELS(NAME, ELEMENT)                                    \
  DTENSOR_ATTENTION_KERNEL(mma_##NAME##_64, __launch_bounds__(128),            \
                           runMma<ELEMENT DTENSOR_COMMA 64 DTENSOR_COMMA 64>)  \
  DTENSOR_ATTENTION_KERNEL(mma_##NAME##_128, __launch_bounds__(128),           \
                           runMma<ELEMENT DTENSOR_COMMA 128 DTENSOR_COMMA 64>) \
  DTENSOR_ATTENTION_KERNEL(mma_##NAME##_256, __launch_bounds__(128),           \
                           runMma<ELEMENT DTENSOR_COMMA 256 DTENSOR_COMMA 64>) \
  DTENSOR_ATTENTION_KERNEL(few_##NAME##_64, __launch_bounds__(128),            \
                           runMma<ELEMENT DTENSOR_COMMA 64 DTENSOR_COMMA 16>)  \
  DTENSOR_ATTENTION_KERNEL(few_##NAME##_128, __launch_bounds__(128),           \
                           runMma<ELEMENT DTENSOR_COMMA 128 DTENSOR_COMMA 16>) \
  DTENSOR_ATTENTION_KERNEL(combine_##NAME, __launch_bounds__(128),             \
                           combine<ELEMENT>)                                   \
  DTENSOR_WGMMA(NAME, ELEMENT, 64)                                             \
  DTENSOR_WGMMA(NAME, ELEMENT, 128)
#define DTENSOR_COMMA ,

DTENSOR_HALF_KERNELS(bf16, __nv_bfloat16)
DTENSOR_HALF_KERNELS(f16, __half)
DTENSOR_ATTENTION_KERNEL(simt_f32_64, __launch_bounds__(256), runSimt<64>)
DTENSOR_ATTENTION_KERNEL(simt_f32_128, __launch_bounds__(256), runSimt<128>)
DTENSOR_ATTENTION_KERNEL(simt_f32_256, __launch_bounds__(256), runSimt<256>)
DTENSOR_ATTENTION_KERNEL(combine_f32, __launch_bounds__(128), combine<float>)
