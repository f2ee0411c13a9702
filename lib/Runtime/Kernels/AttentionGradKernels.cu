//===- AttentionGradKernels.cu - entry points of the gradient kernels -----===//
//
// AttentionGrad.cpp chooses among them by name. All take the same list of
// parameters, of which those without tensor maps use the first.
//
//===----------------------------------------------------------------------===//

#include "AttentionGradSimt.cuh"
#include "AttentionGradWgmma.cuh"

namespace dtensor::rt::cuda::attention {

extern __shared__ __align__(1024) char gradShared[];

template <typename Block>
__device__ void runGradSimt(const GradParameters &p) {
  Block(p, reinterpret_cast<float *>(gradShared)).run();
}

template <typename Block>
__device__ void runGradWgmma(const GradParameters &p, const GradMaps &maps) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  Block block(p, uint32_t(__cvta_generic_to_shared(gradShared)));
  block.initialise();
  // Registers of a block: 128 (24 + 2 * 240) = 384 * 168.
  if (threadIdx.x < 128) {
    dropRegisters<24>();
    block.produce(maps);
  } else {
    raiseRegisters<240>();
    block.consume();
  }
#else
  // Never chosen on other architectures.
  __trap();
#endif
}

} // namespace dtensor::rt::cuda::attention

#define DTENSOR_GRAD_SIMT(WHAT, BLOCK, NAME, ELEMENT, DEPTH)                   \
  extern "C" __global__ void __launch_bounds__(256)                            \
      dtensor_attention_##WHAT##_grad_simt_##NAME##_##DEPTH(                   \
          const __grid_constant__ dtensor::rt::cuda::AttentionGradParameters   \
              p) {                                                             \
    using namespace dtensor::rt::cuda::attention;                              \
    runGradSimt<Simt##BLOCK<ELEMENT, DEPTH>>(p);                               \
  }

#define DTENSOR_GRAD_WGMMA(WHAT, BLOCK, NAME, ELEMENT, DEPTH)                  \
  extern "C" __global__ void __launch_bounds__(384, 1)                         \
      dtensor_attention_##WHAT##_grad_wgmma_##NAME##_##DEPTH(                  \
          const __grid_constant__ dtensor::rt::cuda::AttentionGradParameters   \
              p,                                                               \
          const __grid_constant__ dtensor::rt::cuda::AttentionTensorMap a,     \
          const __grid_constant__ dtensor::rt::cuda::AttentionTensorMap b,     \
          const __grid_constant__ dtensor::rt::cuda::AttentionTensorMap c,     \
          const __grid_constant__ dtensor::rt::cuda::AttentionTensorMap d) {   \
    using namespace dtensor::rt::cuda::attention;                              \
    runGradWgmma<BLOCK<ELEMENT, DEPTH>>(p, {{&a, &b}, {&c, &d}});              \
  }

#define DTENSOR_GRAD_COMBINE(NAME, ELEMENT)                                    \
  extern "C" __global__ void                                                   \
  __launch_bounds__(128) dtensor_attention_grad_combine_##NAME(                \
      const __grid_constant__ dtensor::rt::cuda::AttentionGradParameters p) {  \
    dtensor::rt::cuda::attention::combineGrads<ELEMENT>(p);                    \
  }

#define DTENSOR_GRAD_KERNELS(NAME, ELEMENT)                                    \
  DTENSOR_GRAD_SIMT(query, QueryGradBlock, NAME, ELEMENT, 64)                  \
  DTENSOR_GRAD_SIMT(query, QueryGradBlock, NAME, ELEMENT, 128)                 \
  DTENSOR_GRAD_SIMT(query, QueryGradBlock, NAME, ELEMENT, 256)                 \
  DTENSOR_GRAD_SIMT(key_value, KeyValueGradBlock, NAME, ELEMENT, 64)           \
  DTENSOR_GRAD_SIMT(key_value, KeyValueGradBlock, NAME, ELEMENT, 128)          \
  DTENSOR_GRAD_SIMT(key_value, KeyValueGradBlock, NAME, ELEMENT, 256)          \
  DTENSOR_GRAD_COMBINE(NAME, ELEMENT)

#define DTENSOR_GRAD_HOPPER(NAME, ELEMENT)                                     \
  DTENSOR_GRAD_WGMMA(query, QueryGradBlock, NAME, ELEMENT, 64)                 \
  DTENSOR_GRAD_WGMMA(query, QueryGradBlock, NAME, ELEMENT, 128)                \
  DTENSOR_GRAD_WGMMA(key_value, KeyValueGradBlock, NAME, ELEMENT, 64)          \
  DTENSOR_GRAD_WGMMA(key_value, KeyValueGradBlock, NAME, ELEMENT, 128)

DTENSOR_GRAD_KERNELS(bf16, __nv_bfloat16)
DTENSOR_GRAD_KERNELS(f16, __half)
DTENSOR_GRAD_KERNELS(f32, float)
DTENSOR_GRAD_HOPPER(bf16, __nv_bfloat16)
DTENSOR_GRAD_HOPPER(f16, __half)
