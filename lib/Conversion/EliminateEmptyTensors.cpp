//===- EliminateEmptyTensors.cpp - Compute where the result is wanted -----===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tensor.empty E may become the destination D of what is computed in it only
// if size(E) = size(D) whenever E is executed. Equal types do not say so when
// sizes are dynamic. It holds along destinations of ops and casts, and through
// an scf.if for an E inside of the branch: then the branch was taken, and the
// result of the scf.if is that branch's value.
//
//===----------------------------------------------------------------------===//

#include "dtensor/Conversion/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotModuleBufferize.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

namespace dtensor {
#define GEN_PASS_DEF_ELIMINATEEMPTYTENSORS
#include "dtensor/Conversion/Passes.h.inc"
} // namespace dtensor

using namespace mlir;

// Is `value` computed in `empty`, by ops that nobody else looks into, and has
// it the same size?
static bool isComputedIn(tensor::EmptyOp empty, Value value) {
  Value source = value;
  while (Operation *op = value.getDefiningOp()) {
    if (value != source && !value.hasOneUse())
      return false;
    if (op == empty)
      return true;
    auto result = cast<OpResult>(value);
    if (auto destination = dyn_cast<DestinationStyleOpInterface>(op)) {
      value = destination.getTiedOpOperand(result)->get();
    } else if (auto cast = dyn_cast<tensor::CastOp>(op)) {
      value = cast.getSource();
    } else if (auto branch = dyn_cast<scf::IfOp>(op)) {
      Region *region = empty->getParentRegion();
      if (branch.getThenRegion().isAncestor(region))
        value = branch.thenYield().getOperand(result.getResultNumber());
      else if (branch.getElseRegion().isAncestor(region))
        value = branch.elseYield().getOperand(result.getResultNumber());
      else
        return false;
    } else {
      return false;
    }
  }
  return false;
}

static Value buildDestination(RewriterBase &rewriter,
                              SubsetInsertionOpInterface op,
                              tensor::EmptyOp empty, Operation *user) {
  if (!isComputedIn(empty, op.getSourceOperand().get()))
    return {};
  return bufferization::buildSubsetExtraction(rewriter, op, empty, user);
}

// Gives each use of `op`'s result its own copy of `op`.
static void splitUses(RewriterBase &rewriter, Operation *op) {
  Value result = op->getResult(0);
  rewriter.setInsertionPoint(op);
  while (!result.use_empty() && !result.hasOneUse()) {
    OpOperand &use = *result.use_begin();
    Operation *copy = rewriter.clone(*op);
    rewriter.modifyOpInPlace(use.getOwner(),
                             [&] { use.set(copy->getResult(0)); });
  }
}

static void splitUses(RewriterBase &rewriter, ModuleOp module) {
  SmallVector<Operation *> fills, empties;
  module.walk([&](linalg::FillOp op) {
    if (op.hasPureTensorSemantics())
      fills.push_back(op);
  });
  for (Operation *op : fills)
    splitUses(rewriter, op);
  module.walk([&](tensor::EmptyOp op) { empties.push_back(op); });
  for (Operation *op : empties)
    splitUses(rewriter, op);
}

namespace {
struct EliminateEmptyTensors
    : dtensor::impl::EliminateEmptyTensorsBase<EliminateEmptyTensors> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    IRRewriter rewriter(&getContext());
    splitUses(rewriter, module);
    bufferization::OneShotBufferizationOptions options;
    options.bufferizeFunctionBoundaries = true;
    options.allowReturnAllocsFromLoops = true;
    bufferization::OneShotAnalysisState state(module, options);
    if (failed(bufferization::analyzeModuleOp(module, state)) ||
        failed(bufferization::eliminateEmptyTensors(rewriter, module, state,
                                                    buildDestination)))
      signalPassFailure();
  }
};
} // namespace
