//===- KernelSources.cpp - What kernels start from ------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelSources.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using linalg::GenericOp;

// A cheap source is made anew for every user rather than stored.
static void cloneSources(Block &block) {
  SmallVector<GenericOp> sources;
  for (auto op : block.getOps<GenericOp>())
    if (op.getNumDpsInputs() == 0 && op.getNumReductionLoops() == 0 &&
        op->getNumResults() == 1)
      sources.push_back(op);
  for (GenericOp op : sources) {
    bool first = true;
    for (OpOperand &use : llvm::make_early_inc_range(op->getUses())) {
      auto user = dyn_cast<GenericOp>(use.getOwner());
      if (!user || user->getBlock() != &block)
        continue;
      if (!first) {
        OpBuilder builder(op);
        use.set(builder.clone(*op)->getResult(
            cast<OpResult>(use.get()).getResultNumber()));
      }
      first = false;
    }
  }
}

// linalg.fill stays only as the value that a generic starts from or reads.
static void expandFills(RewriterBase &rewriter, Block &block) {
  for (auto fill : llvm::make_early_inc_range(block.getOps<linalg::FillOp>())) {
    bool needed = llvm::any_of(fill->getUsers(), [&](Operation *user) {
      return !isa<GenericOp>(user) || user->getBlock() != &block;
    });
    if (!needed)
      continue;
    rewriter.setInsertionPoint(fill);
    auto type = cast<RankedTensorType>(fill.getResult(0).getType());
    AffineMap map = rewriter.getMultiDimIdentityMap(type.getRank());
    SmallVector<utils::IteratorType> kinds(type.getRank(),
                                           utils::IteratorType::parallel);
    Value scalar = fill.getInputs().front();
    auto generic = GenericOp::create(
        rewriter, fill.getLoc(), type, ValueRange(), fill.getOutputs(), map,
        kinds, [&](OpBuilder &builder, Location loc, ValueRange) {
          linalg::YieldOp::create(builder, loc, scalar);
        });
    rewriter.replaceUsesWithIf(fill.getResult(0), generic.getResult(0),
                               [&](OpOperand &use) {
                                 return !isa<GenericOp>(use.getOwner()) ||
                                        use.getOwner()->getBlock() != &block;
                               });
  }
}

// A tensor made of one scalar of the host.
static void expandScalars(RewriterBase &rewriter, Block &block) {
  for (auto op :
       llvm::make_early_inc_range(block.getOps<tensor::FromElementsOp>())) {
    if (op.getElements().size() != 1 || op.getType().getElementType().isIndex())
      continue;
    rewriter.setInsertionPoint(op);
    Value empty =
        tensor::EmptyOp::create(rewriter, op.getLoc(), op.getType().getShape(),
                                op.getType().getElementType());
    rewriter.replaceOpWithNewOp<linalg::FillOp>(op, op.getElements().front(),
                                                empty);
  }
}

void dtensor::prepareSources(RewriterBase &rewriter, Block &block) {
  expandScalars(rewriter, block);
  expandFills(rewriter, block);
  cloneSources(block);
}
