//===- GpuAttention.cpp - attention and its gradients on a GPU --*- C++ -*-===//
//
// Views become problems of one batch dimension; what is in front of it is
// looped over.
//
//===----------------------------------------------------------------------===//

#include "Gpu.h"

#include "../../Core/Error.h"
#include "../../Kernels/Attention.h"
#include "../../Kernels/AttentionGrad.h"

#include <algorithm>
#include <optional>

using namespace dtensor::rt;
using namespace dtensor::rt::cuda;

template <typename Call>
[[noreturn]] static void badAttention(const Call &call, const char *why) {
  raise(DTENSOR_RT_RUN_FAILED, "attention of ", call.q.shapeString(), " over ",
        call.k.shapeString(), ": ", why);
}

template <typename Call>
static AttentionType attentionType(const Call &call) {
  switch (call.q.dtype) {
  case DTENSOR_RT_bf16:
    return AttentionType::BF16;
  case DTENSOR_RT_f16:
    return AttentionType::F16;
  case DTENSOR_RT_f32:
    return AttentionType::F32;
  }
  badAttention(call, "elements are f32, bf16 or f16");
}

/// Extent of a dimension counted from the last, 1 where there is none.
static int64_t sizeAt(const View &view, int64_t fromLast) {
  return view.rank >= fromLast ? view.sizes[view.rank - fromLast] : 1;
}
static int64_t strideAt(const View &view, int64_t fromLast) {
  return view.rank >= fromLast ? view.strides[view.rank - fromLast] : 0;
}

/// Of [.., batch, head, row] where `fromLast` is the row.
static AttentionStrides stridesOf(const View &view, int64_t fromLast) {
  return {strideAt(view, fromLast + 2), strideAt(view, fromLast + 1),
          strideAt(view, fromLast)};
}

template <typename Call>
static void checkDepths(const Call &call,
                        std::initializer_list<const View *> views) {
  if (call.q.rank < 2)
    badAttention(call, "at least 2 dimensions are needed");
  for (const View *view : views)
    if (sizeAt(*view, 1) > 1 && strideAt(*view, 1) != 1)
      badAttention(call, "the depth is not packed");
}

/// What the problems of both calls have in common.
template <typename Problem, typename Call>
static void fillExtents(Problem &problem, const Call &call) {
  problem.type = attentionType(call);
  problem.batch = sizeAt(call.q, 4);
  problem.headsQ = sizeAt(call.q, 3);
  problem.headsKV = sizeAt(call.k, 3);
  problem.queries = sizeAt(call.q, 2);
  problem.keys = sizeAt(call.k, 2);
  problem.depth = sizeAt(call.q, 1);
  problem.depthV = sizeAt(call.v, 1);
  problem.scale = call.scale;
  problem.causal = call.causal;
}

static AttentionProblem makeProblem(const Attention &call) {
  checkDepths(call, {&call.q, &call.k, &call.v, &call.out});
  AttentionProblem problem = {};
  fillExtents(problem, call);
  problem.qStrides = stridesOf(call.q, 2);
  problem.kStrides = stridesOf(call.k, 2);
  problem.vStrides = stridesOf(call.v, 2);
  problem.outStrides = stridesOf(call.out, 2);
  problem.shift = call.shift;
  problem.diagonal = call.queryOffset + problem.keys - call.total;
  return problem;
}

namespace {
/// The dimensions of the queries in front of the last batch dimension.
class OuterBatches {
public:
  explicit OuterBatches(const View &query)
      : rank(std::max<int64_t>(query.rank - 4, 0)) {
    for (int64_t d = 0; d < rank; ++d)
      count *= query.sizes[d];
  }

  int64_t size() const { return count; }

  /// Null of a view that the call lacks.
  char *at(const View &view, int64_t index) const {
    if (view.rank == 0)
      return nullptr;
    int64_t offset = 0;
    for (int64_t d = rank - 1; d >= 0; --d) {
      offset += index % view.sizes[d] * view.strides[d];
      index /= view.sizes[d];
    }
    return view.base + offset * view.elementBytes();
  }

private:
  int64_t rank, count = 1;
};
} // namespace

/// `set` gives a plan its workspace, `parameters` the kernels theirs.
template <typename Plan, typename Set, typename Parameters>
void Gpu::runAttentionPlan(Plan &plan, const AttentionLaunch &first, Set set,
                           Parameters parameters) {
  std::optional<Scratch> workspace;
  if (plan.workspaceBytes) {
    workspace.emplace(*this, static_cast<int64_t>(plan.workspaceBytes));
    set(plan, workspace->get());
  }
  void *params[5];
  parameters(plan, params);
  for (const AttentionLaunch &part : {first, plan.combine})
    if (part.kernel)
      launch(getKernel(part.kernel, part.sharedBytes), {part.grid, 1, 1},
             {part.block, 1, 1}, part.sharedBytes, params);
}

void Gpu::attention(const Attention &call) {
  if (call.out.numElements() == 0)
    return;
  AttentionProblem problem = makeProblem(call);
  AttentionDevice device = {arch, multiprocessors, getDriver().encodeTiled};
  OuterBatches outer(call.q);
  for (int64_t i = 0; i < outer.size(); ++i) {
    problem.q = outer.at(call.q, i);
    problem.k = outer.at(call.k, i);
    problem.v = outer.at(call.v, i);
    problem.out = outer.at(call.out, i);
    AttentionPlan plan;
    std::string error = planAttention(problem, device, plan);
    if (!error.empty())
      raise(DTENSOR_RT_RUN_FAILED, error);
    runAttentionPlan(plan, plan.attend, setAttentionWorkspace,
                     attentionKernelParameters);
  }
}

void Gpu::attentionGrad(const AttentionGrad &call) {
  checkDepths(call, {&call.grad, &call.q, &call.k, &call.v, &call.gradQ,
                     &call.gradK, &call.gradV});
  AttentionGradProblem problem = {};
  fillExtents(problem, call);
  problem.diagonal = call.diagonal;
  AttentionDevice device = {arch, multiprocessors, getDriver().encodeTiled};
  OuterBatches outer(call.q);
  for (int64_t i = 0; i < outer.size(); ++i) {
    auto operand = [&](const View &view, int64_t row) {
      return AttentionOperand{outer.at(view, i), stridesOf(view, row)};
    };
    problem.grad = operand(call.grad, 2);
    problem.q = operand(call.q, 2);
    problem.k = operand(call.k, 2);
    problem.v = operand(call.v, 2);
    problem.gradQ = operand(call.gradQ, 2);
    problem.gradK = operand(call.gradK, 2);
    problem.gradV = operand(call.gradV, 2);
    problem.logSumExp = operand(call.logSumExp, 1);
    problem.delta = operand(call.delta, 1);
    AttentionGradPlan plan;
    std::string error = call.isOfQuery
                            ? planQueryGrad(problem, device, plan)
                            : planKeyValueGrad(problem, device, plan);
    if (!error.empty())
      raise(DTENSOR_RT_RUN_FAILED, error);
    runAttentionPlan(plan, plan.grad, setGradWorkspace, gradKernelParameters);
  }
}
