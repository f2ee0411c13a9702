//===- Uniformity.cpp - what is the same on every rank --------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Analysis/Uniformity.h"
#include "dtensor/Dialect/DTensor/IR/DTensor.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace dtensor;

bool Uniformity::isUniform(Value value) {
  auto [slot, isNew] = known.try_emplace(value, true); // Cycles: optimistic.
  if (!isNew)
    return slot->second;
  bool uniform = compute(value);
  known[value] = uniform;
  return uniform;
}

bool Uniformity::compute(Value value) {
  if (LayoutAttr layout = getLayout(value))
    return layout.getLayout().isReplicated();
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    Operation *parent = argument.getOwner()->getParentOp();
    if (isa<FunctionOpInterface>(parent)) // Scalars are given to all ranks.
      return !isa<ShapedType>(value.getType());
    // What a loop carries is uniform if all that the loop reads and yields is.
    bool uniform = llvm::all_of(parent->getOperands(),
                                [&](Value v) { return isUniform(v); });
    for (Region &region : parent->getRegions())
      for (Block &block : region)
        uniform =
            uniform && llvm::all_of(block.getTerminator()->getOperands(),
                                    [&](Value v) { return isUniform(v); });
    return uniform;
  }
  Operation *op = value.getDefiningOp();
  if (isa<AxisIndexOp>(op))
    return false;
  for (Region &region : op->getRegions())
    for (Block &block : region)
      if (block.mightHaveTerminator() &&
          !llvm::all_of(block.getTerminator()->getOperands(),
                        [&](Value v) { return isUniform(v); }))
        return false;
  return llvm::all_of(op->getOperands(), [&](Value v) { return isUniform(v); });
}

Value Uniformity::findDivergence(Operation *op) {
  for (Operation *parent = op->getParentOp();
       parent && !isa<FunctionOpInterface>(parent);
       parent = parent->getParentOp()) {
    if (auto loop = dyn_cast<scf::WhileOp>(parent)) {
      Value condition = loop.getConditionOp().getCondition();
      if (!isUniform(condition))
        return condition;
      continue;
    }
    // Conditions and bounds are the operands that are no tensors.
    for (Value operand : parent->getOperands())
      if (!isa<TensorType>(operand.getType()) && !isUniform(operand))
        return operand;
  }
  return {};
}
