//===- AttentionGrad.h - prebuilt kernels of attention's gradients -*- C++ -*-//
//
// With x[i, j] = scale <q[i], k[j]> for the keys j that query i sees (see
// Attention.h), p = exp(x - logSumExp), delta[i] = <grad[i], out[i]> and
// ds = p (<grad[i], v[j]> - delta[i]):
//
//   query grad:      logSumExp[i] = log sum_j exp x
//                    gradQ[i] = scale sum_j ds k[j]
//   key value grad:  gradK[j] = scale sum_i ds q[i],  gradV[j] = sum_i p
//   grad[i]
//
// where i runs over the queries of all heads that share the keys. The first
// computes its softmax as it goes, as the forward kernels do, so that nothing
// has to be kept from there. Two kernels compute the scores twice, 7 products
// in place of 5, and need no atomic additions: the same bits on every run.
// Nothing of size queries x keys is ever stored.
//
// Two families of kernels:
//   wgmma  bf16, f16; depth <= 128; 128 rows of the result a block, against
//          tiles of 64 rows; sm_90 only
//   simt   any type; depth <= 256; products in f32
//
// Few blocks of keys are split by the heads of their group: each split writes
// its sums to a workspace and the combine kernel, launched next, adds them in
// the order of the heads.
//
// Use: planQueryGrad or planKeyValueGrad; allocate plan.workspaceBytes;
// setGradWorkspace; launch plan.grad with gradKernelParameters and, if
// plan.combine has a kernel, launch that with the same parameters.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_KERNELS_ATTENTIONGRAD_H
#define DTENSOR_RUNTIME_KERNELS_ATTENTIONGRAD_H

#include "Attention.h"

namespace dtensor::rt::cuda {

/// An operand or a result; its last dimension is contiguous.
struct AttentionOperand {
  void *data;
  AttentionStrides strides;
};

struct AttentionGradProblem {
  /// The gradient of the output, and the operands of the forward.
  AttentionOperand grad, q, k, v;
  /// Of the planned gradient those that it is about.
  AttentionOperand gradQ, gradK, gradV;
  /// f32 [batch, headsQ, queries] by their strides; `logSumExp` is a result of
  /// the query grad.
  AttentionOperand logSumExp, delta;
  AttentionType type;
  int64_t batch, headsQ, headsKV;
  int64_t queries, keys, depth, depthV;
  double scale;
  bool causal;
  int64_t diagonal;
};

/// What every kernel receives by value. Extents and strides in elements.
struct AttentionGradParameters {
  AttentionOperand grad, q, k, v, gradQ, gradK, gradV, logSumExp, delta;
  /// [splits, batch, headsKV, keys, depth] and [.., depthV]; null without
  /// splits.
  float *partialK, *partialV;
  int32_t batch, headsQ, headsKV, group;
  int32_t queries, keys, depth, depthV, diagonal;
  int32_t rowBlocks, splits, headsPerSection;
  /// Rows of the operands can be read 16 bytes at a time.
  int32_t wideLoads;
  /// Rows of the results can be written two elements at a time.
  int32_t pairStores;
  float scale, scaleLog2;
};

struct AttentionGradPlan {
  AttentionLaunch grad, combine;
  size_t workspaceBytes = 0;
  AttentionGradParameters parameters{};
  /// Of the tiles that stay, then of those that pass by.
  AttentionTensorMap maps[4]{};
};

/// The text of the error, empty on success. Empty results give a plan without
/// launches.
std::string planQueryGrad(const AttentionGradProblem &problem,
                          const AttentionDevice &device,
                          AttentionGradPlan &plan);
std::string planKeyValueGrad(const AttentionGradProblem &problem,
                             const AttentionDevice &device,
                             AttentionGradPlan &plan);

/// `workspace` holds plan.workspaceBytes, aligned to 16 bytes.
void setGradWorkspace(AttentionGradPlan &plan, void *workspace);

/// Fills the kernel parameters of both launches as cuLaunchKernel takes them;
/// they point into `plan`.
inline void gradKernelParameters(AttentionGradPlan &plan, void *params[5]) {
  params[0] = &plan.parameters;
  for (int i = 0; i < 4; ++i)
    params[i + 1] = &plan.maps[i];
}

} // namespace dtensor::rt::cuda

#endif // DTENSOR_RUNTIME_KERNELS_ATTENTIONGRAD_H
