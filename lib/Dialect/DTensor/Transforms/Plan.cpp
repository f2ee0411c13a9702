//===- Plan.cpp - the steps of every redistribution -----------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/DTensor.h"
#include "dtensor/Dialect/DTensor/Transforms/Passes.h"

#define DEBUG_TYPE "dtensor-plan"

namespace dtensor {
#define GEN_PASS_DEF_PLAN
#include "dtensor/Dialect/DTensor/Transforms/Passes.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;

namespace {
struct PlanPass : public dtensor::impl::PlanBase<PlanPass> {
  void runOnOperation() override {
    Facts facts = getFacts(getOperation());
    WalkResult result = getOperation().walk([&](RedistributeOp op) {
      return failed(plan(op, facts)) ? WalkResult::interrupt()
                                     : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

  /// Equal questions have equal answers; a program of many layers asks few.
  LogicalResult plan(RedistributeOp op, const Facts &facts) {
    auto type = cast<RankedTensorType>(op.getInput().getType());
    LayoutAttr from = getLayout(type), to = getLayout(op.getResult());
    if (!from || !to)
      return op.emitOpError("has an operand or result without a layout");
    Type element = type.getElementType();
    PlanAttr &known = plans[{{from, to}, element}];
    if (!known) {
      unsigned bytes =
          element.isIntOrFloat()
              ? llvm::divideCeil(element.getIntOrFloatBitWidth(), 8)
              : 8;
      std::string error;
      std::optional<Plan> plan = planRedistribution(
          from.getMesh().getMesh(), from.getLayout(), to.getLayout(), bytes,
          facts, getExprContext(op.getContext()), CostModel(), &error);
      if (!plan)
        return op.emitOpError() << error;
      known = PlanAttr::get(from.getMesh(), *plan, from.getExtents());
    }
    op.setPlanAttr(known);
    return success();
  }

  DenseMap<std::pair<std::pair<Attribute, Attribute>, Type>, PlanAttr> plans;
};
} // namespace
