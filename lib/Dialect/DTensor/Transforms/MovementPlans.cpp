//===- MovementPlans.cpp - what redistributions of a function cost --------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MovementPlans.h"
#include "dtensor/Dialect/DTensor/IR/Bytes.h"

using namespace mlir;
using namespace dtensor;

const Plan *MovementPlans::find(LayoutAttr from, LayoutAttr to, Type element,
                                std::string *error) {
  auto [slot, isNew] = known.try_emplace({{from, to}, element});
  if (isNew || !slot->second) {
    std::optional<Plan> plan = planRedistribution(
        from.getMesh().getMesh(), from.getLayout(), to.getLayout(),
        getElementBytes(element), facts, getExprContext(from.getContext()),
        CostModel(), error);
    if (plan)
      slot->second = std::make_unique<Plan>(std::move(*plan));
  }
  return slot->second.get();
}
