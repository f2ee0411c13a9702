//===- Plan.cpp - the steps of every redistribution -----------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MovementPlans.h"
#include "dtensor/Dialect/DTensor/Transforms/Passes.h"

#define DEBUG_TYPE "dtensor-plan"

namespace dtensor {
#define GEN_PASS_DEF_PLAN
#include "dtensor/Dialect/DTensor/Transforms/Passes.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;

namespace {
/// Writes the plans of one function down.
class Planner {
public:
  explicit Planner(func::FuncOp func) : plans(func) {}

  LogicalResult plan(RedistributeOp op) {
    auto type = cast<RankedTensorType>(op.getInput().getType());
    LayoutAttr from = getLayout(type), to = getLayout(op.getResult());
    if (!from || !to)
      return op.emitOpError("has an operand or result without a layout");
    std::string error;
    const Plan *plan = plans.find(from, to, type.getElementType(), &error);
    if (!plan)
      return op.emitOpError() << error;
    PlanAttr &known = attributes[plan];
    if (!known)
      known = PlanAttr::get(from.getMesh(), *plan, from.getExtents());
    op.setPlanAttr(known);
    return success();
  }

private:
  MovementPlans plans;
  DenseMap<const Plan *, PlanAttr> attributes;
};

struct PlanPass : public dtensor::impl::PlanBase<PlanPass> {
  void runOnOperation() override {
    Planner planner(getOperation());
    WalkResult result = getOperation().walk([&](RedistributeOp op) {
      return failed(planner.plan(op)) ? WalkResult::interrupt()
                                      : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
