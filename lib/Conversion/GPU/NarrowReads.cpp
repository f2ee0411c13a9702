//===- NarrowReads.cpp - Widened tensors stay out of memory ---------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NarrowReads.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace dtensor;
using linalg::GenericOp;

// The operation by which `op` widens its only input, element by element; null:
// it does something else.
static Operation *getWidening(GenericOp op) {
  if (op.getNumDpsInputs() != 1 || op->getNumResults() != 1 ||
      op.getNumReductionLoops() != 0 ||
      !llvm::all_of(op.getIndexingMapsArray(),
                    [](AffineMap map) { return map.isIdentity(); }))
    return nullptr;
  Operation *widening = &op.getBlock()->front();
  if (!isa<arith::ExtFOp, arith::ExtSIOp, arith::ExtUIOp>(widening) ||
      widening->getOperand(0) != op.getBlock()->getArgument(0) ||
      op.getBlock()->getTerminator()->getOperand(0) != widening->getResult(0))
    return nullptr;
  return widening;
}

static bool canReadNarrow(OpOperand &use) {
  if (isa<tensor::ExtractOp>(use.getOwner()))
    return true;
  auto generic = dyn_cast<GenericOp>(use.getOwner());
  return generic && generic.isDpsInput(&use);
}

static Value widen(OpBuilder &builder, Operation *widening, Value narrow) {
  Operation *clone = builder.clone(*widening);
  clone->setOperand(0, narrow);
  return clone->getResult(0);
}

static void narrowUse(OpOperand &use, Value source, Operation *widening) {
  OpBuilder builder(use.getOwner());
  if (auto extract = dyn_cast<tensor::ExtractOp>(use.getOwner())) {
    Value narrow = tensor::ExtractOp::create(builder, extract.getLoc(), source,
                                             extract.getIndices());
    extract.replaceAllUsesWith(widen(builder, widening, narrow));
    extract.erase();
    return;
  }
  auto generic = cast<GenericOp>(use.getOwner());
  BlockArgument argument = generic.getMatchingBlockArgument(&use);
  builder.setInsertionPointToStart(generic.getBlock());
  use.set(source);
  argument.setType(getElementTypeOrSelf(source.getType()));
  Value wide = widen(builder, widening, argument);
  argument.replaceAllUsesExcept(wide, wide.getDefiningOp());
}

void dtensor::readNarrow(const Cluster &cluster) {
  for (GenericOp op : cluster.ops) {
    Operation *widening = getWidening(op);
    if (!widening)
      continue;
    Value source = op.getDpsInputOperand(0)->get();
    SmallVector<OpOperand *> uses;
    bool allNarrow = true;
    for (OpOperand &use : op->getUses()) {
      if (cluster.contains(use.getOwner()))
        continue;
      if (canReadNarrow(use))
        uses.push_back(&use);
      else
        allNarrow = false;
    }
    // Not both the narrow and the wide result go to memory.
    Operation *producer = source.getDefiningOp();
    if (!allNarrow && producer && cluster.contains(producer))
      continue;
    for (OpOperand *use : uses)
      narrowUse(*use, source, widening);
  }
}
