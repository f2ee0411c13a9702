//===- CompiledCalls.cpp - the functions that compiled code calls -*-C++-*-===//
//
// A call that fails does not return: the failure is recorded by a function
// that owns what it needs and returns, then leave() jumps over frames that own
// nothing.
//
//===----------------------------------------------------------------------===//

#include "Buffer.h"
#include "Error.h"
#include "Rank.h"

#include <cstdio>

using namespace dtensor::rt;

namespace {

/// Outside of a run there is nobody to report to.
[[noreturn]] void die(const char *message) {
  std::fprintf(stderr, "dtensor runtime: %s\n", message);
  std::abort();
}

/// Fills a view from a descriptor; false when it cannot be one.
bool makeView(View &view, const void *descriptor, int64_t rank,
              int32_t dtype) noexcept {
  if (!descriptor || rank < 0 || rank > kMaxRank)
    return false;
  size_t bytes = dtensor_rt_dtype_bytes(dtype);
  if (!bytes)
    return false;
  const auto *head = static_cast<const RankedDescriptor *>(descriptor);
  view.base = static_cast<char *>(head->aligned) +
              head->offset * static_cast<int64_t>(bytes);
  view.dtype = dtype;
  view.rank = rank;
  for (int64_t d = 0; d < rank; ++d) {
    view.sizes[d] = head->sizes()[d];
    view.strides[d] = head->sizes()[rank + d];
  }
  return true;
}

void reportBadDescriptor(RankContext &context, const char *who, int64_t rank,
                         int32_t dtype) noexcept {
  context.fail(concat(who, ": no tensor of ", rank,
                      " dimensions and dtype code ", dtype));
}

RankContext &contextOf(void *ctx) {
  RankContext *current = RankContext::current();
  if (!current || ctx != current)
    die("a compiled function was called outside of its rank's run");
  return *current;
}

/// Everything but src, dst and axes is already in `call`.
void joinOrLeave(void *ctx, Collective &call, int64_t rank, void *src,
                 void *dst, int64_t axes, int32_t dtype) {
  RankContext &context = contextOf(ctx);
  call.axes = axes;
  bool ok = makeView(call.src, src, rank, dtype) &&
            makeView(call.dst, dst, rank, dtype);
  if (!ok)
    reportBadDescriptor(
        context, dtensor_rt_collective_name(static_cast<int32_t>(call.kind)),
        rank, dtype);
  if (!ok || !context.collective(call))
    context.leave();
}

void viewOrLeave(void *ctx, const char *who, View &view, const void *descriptor,
                 int64_t rank, int32_t dtype) {
  if (makeView(view, descriptor, rank, dtype))
    return;
  RankContext &context = contextOf(ctx);
  reportBadDescriptor(context, who, rank, dtype);
  context.leave();
}

template <typename Fn>
bool tryCompute(RankContext &context, Fn fn) noexcept {
  try {
    fn(context.getDevice());
    return true;
  } catch (const std::exception &error) {
    context.fail(error.what());
    return false;
  }
}

template <typename Fn>
void computeOrLeave(void *ctx, Fn fn) {
  RankContext &context = contextOf(ctx);
  if (!tryCompute(context, fn))
    context.leave();
}

bool setReduce(void *ctx, Collective &call, int32_t kind) {
  call.reduce = static_cast<Reduce>(kind);
  if (kind >= 0 && kind <= static_cast<int32_t>(Reduce::Product))
    return true;
  contextOf(ctx).fail(concat("unknown reduction code ", kind));
  return false;
}

void reportMessage(RankContext &context, const char *message, int64_t a,
                   int64_t b) noexcept {
  std::string text = message ? message : "failed";
  for (auto [mark, value] : {std::pair("{0}", a), std::pair("{1}", b)})
    for (size_t at; (at = text.find(mark)) != std::string::npos;)
      text.replace(at, 3, std::to_string(value));
  context.fail(text);
}

bool isPowerOfTwo(int64_t value) {
  return value > 0 && (value & (value - 1)) == 0;
}

void reportNoMemory(RankContext &context, int64_t bytes,
                    int64_t alignment) noexcept {
  context.fail(
      concat("cannot allocate ", bytes, " bytes aligned to ", alignment));
}

} // namespace

extern "C" {

void dtensor_rt_all_gather(void *ctx, int64_t rank, void *src, void *dst,
                           int64_t dim, int64_t unit, int64_t axes,
                           int32_t dtype) {
  Collective call(CollectiveKind::AllGather);
  call.dim = dim;
  call.unit = unit;
  joinOrLeave(ctx, call, rank, src, dst, axes, dtype);
}

void dtensor_rt_all_reduce(void *ctx, int64_t rank, void *src, void *dst,
                           int64_t axes, int32_t kind, int32_t dtype) {
  Collective call(CollectiveKind::AllReduce);
  if (!setReduce(ctx, call, kind))
    contextOf(ctx).leave();
  joinOrLeave(ctx, call, rank, src, dst, axes, dtype);
}

void dtensor_rt_reduce_scatter(void *ctx, int64_t rank, void *src, void *dst,
                               int64_t dim, int64_t offset, int64_t unit,
                               int64_t axes, int32_t kind, int32_t dtype) {
  Collective call(CollectiveKind::ReduceScatter);
  call.dim = dim;
  call.unit = unit;
  call.offset = offset;
  if (!setReduce(ctx, call, kind))
    contextOf(ctx).leave();
  joinOrLeave(ctx, call, rank, src, dst, axes, dtype);
}

void dtensor_rt_all_to_all(void *ctx, int64_t rank, void *src, void *dst,
                           int64_t gatherDim, int64_t gatherUnit,
                           int64_t splitDim, int64_t splitOffset,
                           int64_t splitUnit, int64_t axes, int32_t dtype) {
  Collective call(CollectiveKind::AllToAll);
  call.dim = gatherDim;
  call.unit = gatherUnit;
  call.splitUnit = splitUnit;
  call.splitDim = splitDim;
  call.offset = splitOffset;
  joinOrLeave(ctx, call, rank, src, dst, axes, dtype);
}

void dtensor_rt_collective_permute(void *ctx, int64_t rank, void *src,
                                   void *dst, int64_t source, int64_t axes,
                                   int32_t dtype) {
  Collective call(CollectiveKind::CollectivePermute);
  call.source = source;
  joinOrLeave(ctx, call, rank, src, dst, axes, dtype);
}

void dtensor_rt_launch_kernel(void *ctx, int32_t kernel, int64_t grid,
                              int64_t block, int64_t cluster,
                              int64_t sharedBytes, void *params,
                              int64_t numParams) {
  KernelLaunch launch = {kernel,
                         grid,
                         block,
                         cluster,
                         sharedBytes,
                         numParams,
                         static_cast<void **>(params)};
  computeOrLeave(ctx, [&](Device &device) { device.launch(launch); });
}

void dtensor_rt_matmul(void *ctx, int64_t rank, void *a, void *b, void *c,
                       int32_t transA, int32_t transB, int32_t dtypeIn,
                       int32_t dtypeOut, int32_t epilogue, void *bias,
                       void *addend, int32_t adds) {
  Matmul call;
  viewOrLeave(ctx, "matmul", call.a, a, rank, dtypeIn);
  viewOrLeave(ctx, "matmul", call.b, b, rank, dtypeIn);
  viewOrLeave(ctx, "matmul", call.c, c, rank, dtypeOut);
  if (bias)
    viewOrLeave(ctx, "matmul", call.bias, bias, 1, dtypeOut);
  if (addend && adds)
    viewOrLeave(ctx, "matmul", call.addend, addend, rank, dtypeOut);
  call.transA = transA != 0;
  call.transB = transB != 0;
  call.epilogue = static_cast<Epilogue>(epilogue);
  computeOrLeave(ctx, [&](Device &device) { device.matmul(call); });
}

void dtensor_rt_attention(void *ctx, void *q, void *k, void *v, void *out,
                          int64_t rank, int32_t dtype, double scale,
                          int32_t causal, int64_t queryOffset, int64_t total,
                          void *shift) {
  Attention call;
  viewOrLeave(ctx, "attention", call.q, q, rank, dtype);
  viewOrLeave(ctx, "attention", call.k, k, rank, dtype);
  viewOrLeave(ctx, "attention", call.v, v, rank, dtype);
  viewOrLeave(ctx, "attention", call.out, out, rank, dtype);
  call.scale = scale;
  call.causal = causal != 0;
  call.queryOffset = queryOffset;
  call.total = total;
  call.shift = static_cast<const int64_t *>(shift);
  computeOrLeave(ctx, [&](Device &device) { device.attention(call); });
}

/// What both gradients read.
static AttentionGrad readGradCall(void *ctx, void *grad, void *q, void *k,
                                  void *v, void *logSumExp, void *delta,
                                  int64_t rank, int32_t dtype, double scale,
                                  int32_t causal, int64_t diagonal) {
  const char *what = "attention gradient";
  AttentionGrad call;
  viewOrLeave(ctx, what, call.grad, grad, rank, dtype);
  viewOrLeave(ctx, what, call.q, q, rank, dtype);
  viewOrLeave(ctx, what, call.k, k, rank, dtype);
  viewOrLeave(ctx, what, call.v, v, rank, dtype);
  viewOrLeave(ctx, what, call.logSumExp, logSumExp, rank - 1, DTENSOR_RT_f32);
  viewOrLeave(ctx, what, call.delta, delta, rank - 1, DTENSOR_RT_f32);
  call.scale = scale;
  call.causal = causal != 0;
  call.diagonal = diagonal;
  return call;
}

void dtensor_rt_attention_query_grad(void *ctx, void *grad, void *q, void *k,
                                     void *v, void *delta, void *gradQ,
                                     void *logSumExp, int64_t rank,
                                     int32_t dtype, double scale,
                                     int32_t causal, int64_t diagonal) {
  AttentionGrad call = readGradCall(ctx, grad, q, k, v, logSumExp, delta, rank,
                                    dtype, scale, causal, diagonal);
  viewOrLeave(ctx, "attention gradient", call.gradQ, gradQ, rank, dtype);
  call.isOfQuery = true;
  computeOrLeave(ctx, [&](Device &device) { device.attentionGrad(call); });
}

void dtensor_rt_attention_key_value_grad(void *ctx, void *grad, void *q,
                                         void *k, void *v, void *logSumExp,
                                         void *delta, void *gradK, void *gradV,
                                         int64_t rank, int32_t dtype,
                                         double scale, int32_t causal,
                                         int64_t diagonal) {
  AttentionGrad call = readGradCall(ctx, grad, q, k, v, logSumExp, delta, rank,
                                    dtype, scale, causal, diagonal);
  viewOrLeave(ctx, "attention gradient", call.gradK, gradK, rank, dtype);
  viewOrLeave(ctx, "attention gradient", call.gradV, gradV, rank, dtype);
  computeOrLeave(ctx, [&](Device &device) { device.attentionGrad(call); });
}

void dtensor_rt_copy(void *ctx, int64_t rank, void *src, void *dst,
                     int32_t dtype) {
  View from, to;
  viewOrLeave(ctx, "copy", from, src, rank, dtype);
  viewOrLeave(ctx, "copy", to, dst, rank, dtype);
  computeOrLeave(ctx, [&](Device &device) { device.copy(to, from); });
}

void dtensor_rt_fill(void *ctx, int64_t rank, void *dst, int32_t dtype,
                     int64_t bits) {
  View view;
  viewOrLeave(ctx, "fill", view, dst, rank, dtype);
  computeOrLeave(ctx, [&](Device &device) { device.fill(view, bits); });
}

void *dtensor_rt_alloc(int64_t bytes, int64_t alignment) {
  if (alignment <= kAlignment)
    alignment = kAlignment;
  RankContext *context = RankContext::current();
  if (!context)
    return isPowerOfTwo(alignment) ? alignedAlloc(bytes, alignment) : nullptr;
  void *pointer =
      isPowerOfTwo(alignment) ? context->allocate(bytes, alignment) : nullptr;
  if (!pointer) {
    reportNoMemory(*context, bytes, alignment);
    context->leave();
  }
  return pointer;
}

void dtensor_rt_free(void *pointer) {
  RankContext *context = RankContext::current();
  if (!pointer)
    return;
  if (!context)
    return std::free(pointer);
  if (context->release(pointer))
    return;
  context->fail("the program frees memory that it did not allocate");
  context->leave();
}

void dtensor_rt_fail(void *ctx, void *message, int64_t a, int64_t b) {
  RankContext &context = contextOf(ctx);
  reportMessage(context, static_cast<const char *>(message), a, b);
  context.leave();
}

void *_mlir_memref_to_llvm_alloc(int64_t bytes) {
  return dtensor_rt_alloc(bytes, kAlignment);
}

void *_mlir_memref_to_llvm_aligned_alloc(int64_t alignment, int64_t bytes) {
  return dtensor_rt_alloc(bytes, alignment);
}

void _mlir_memref_to_llvm_free(void *pointer) { dtensor_rt_free(pointer); }

} // extern "C"
