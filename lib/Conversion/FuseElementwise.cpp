//===- FuseElementwise.cpp - Fusion that recomputes nothing ---------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A producer of p loops inside a user of u > p loops would run once per trip of
// the u - p loops it does not know: exp(A) inside A * B once per column of B.
//
//===----------------------------------------------------------------------===//

#include "dtensor/Conversion/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace dtensor {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "dtensor/Conversion/Passes.h.inc"
} // namespace dtensor

using namespace mlir;

// A position or a constant is made anew rather than stored; random numbers take
// a hundred operations.
static bool isSmall(linalg::GenericOp op) {
  constexpr unsigned kMost = 8;
  return !llvm::hasNItemsOrMore(op.getBlock()->without_terminator(), kMost + 1);
}

static bool isSmallSource(linalg::GenericOp op) {
  return op.getNumDpsInputs() == 0 && isSmall(op);
}

// A few comparisons and choices between numbers of which there are fewer than
// results, as for the gradient of a loss by its classes.
static bool isSpread(linalg::GenericOp op) {
  auto isFewer = [&](OpOperand *input) {
    AffineMap map = op.getMatchingIndexingMap(input);
    return !llvm::all_of(llvm::seq(op.getNumLoops()), [&](unsigned loop) {
      return map.isFunctionOfDim(loop);
    });
  };
  auto isCheap = [](Operation &inner) {
    return isa<arith::CmpIOp, arith::CmpFOp, arith::SelectOp, arith::AndIOp,
               arith::OrIOp, arith::XOrIOp, arith::AddIOp, arith::AddFOp,
               arith::SubFOp, arith::MulFOp, arith::NegFOp, arith::IndexCastOp,
               arith::ExtFOp, arith::TruncFOp, linalg::IndexOp>(inner);
  };
  return op.getNumReductionLoops() == 0 && op.getNumDpsInits() == 1 &&
         isSmall(op) && llvm::all_of(op.getDpsInputOperands(), isFewer) &&
         llvm::all_of(op.getBlock()->without_terminator(), isCheap);
}

// Read as it lies in memory, a number takes half of the bytes.
static bool onlyWidens(linalg::GenericOp op) {
  auto body = op.getBlock()->without_terminator();
  return op.getNumReductionLoops() == 0 && llvm::hasSingleElement(body) &&
         isa<arith::ExtFOp>(*body.begin());
}

// The one element of a dimension that a sum has kept is read often.
static bool readsEachOnce(linalg::GenericOp user, OpOperand *operand,
                          linalg::GenericOp producer) {
  return producer.getNumLoops() == user.getNumLoops() &&
         user.getMatchingIndexingMap(operand).isPermutation() &&
         producer->getBlock() == user->getBlock();
}

static bool shouldFuse(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  auto user = dyn_cast<linalg::GenericOp>(operand->getOwner());
  if (!producer || !user || !producer->hasOneUse())
    return false;
  return isSmallSource(producer) ||
         (onlyWidens(producer) && user.getNumReductionLoops() == 0) ||
         readsEachOnce(user, operand, producer);
}

// Groups with one dimension each that is not 1. Ones are with what follows
// them, so that any strides will do, and at the end with what is before.
static SmallVector<ReassociationIndices> groupOnes(ArrayRef<int64_t> shape) {
  SmallVector<ReassociationIndices> groups(1);
  size_t end = shape.size(); // of the last group but for ones
  while (end > 0 && shape[end - 1] == 1)
    --end;
  for (auto [dim, size] : llvm::enumerate(shape)) {
    groups.back().push_back(dim);
    if (size != 1 && dim + 1 < end)
      groups.emplace_back();
  }
  return groups;
}

namespace {
// Each user gets a producer of its own to fuse with.
struct RepeatSpread : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp user,
                                PatternRewriter &rewriter) const override {
    for (OpOperand *operand : user.getDpsInputOperands()) {
      auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
      if (!producer || producer->hasOneUse() || !isSpread(producer) ||
          !readsEachOnce(user, operand, producer))
        continue;
      Operation *own = rewriter.clone(*producer);
      rewriter.modifyOpInPlace(user, [&] { operand->set(own->getResult(0)); });
      return success();
    }
    return failure();
  }
};

// A transposition that moves dimensions of extent 1 alone is a view.
struct ViewTransposition : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op,
                                PatternRewriter &rewriter) const override {
    // Dimension i of the result is dimension dims[i] of the input.
    std::optional<SmallVector<int64_t>> dims =
        linalg::isaTransposeOpInterface(op);
    if (!dims || llvm::is_sorted(*dims) || // that would be a copy
        !op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isIdentity())
      return failure();
    Value input = op.getDpsInputs()[0];
    auto from = cast<RankedTensorType>(input.getType());
    auto to = cast<RankedTensorType>(op.getResultTypes()[0]);
    llvm::erase_if(*dims,
                   [&](int64_t dim) { return from.getDimSize(dim) == 1; });
    if (!llvm::is_sorted(*dims))
      return failure();
    SmallVector<OpFoldResult> sizes =
        tensor::getMixedSizes(rewriter, op.getLoc(), op.getDpsInits()[0]);
    Value packed = tensor::CollapseShapeOp::create(rewriter, op.getLoc(), input,
                                                   groupOnes(from.getShape()));
    rewriter.replaceOpWithNewOp<tensor::ExpandShapeOp>(
        op, to, packed, groupOnes(to.getShape()), sizes);
    return success();
  }
};

struct FuseElementwise : dtensor::impl::FuseElementwiseBase<FuseElementwise> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RepeatSpread>(&getContext());
    linalg::populateElementwiseOpsFusionPatterns(patterns, shouldFuse);
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    linalg::GenericOp::getCanonicalizationPatterns(patterns, &getContext());
    affine::AffineApplyOp::getCanonicalizationPatterns(patterns, &getContext());
    tensor::populateFoldTensorEmptyPatterns(patterns);
    // A slice without its dimensions of extent 1 is a slice.
    tensor::populateReassociativeReshapeFoldingPatterns(patterns);
    memref::populateResolveRankedShapedTypeResultDimsPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
    // A view would part what can be fused: those that are left.
    RewritePatternSet views(&getContext());
    views.add<ViewTransposition>(&getContext());
    tensor::populateReassociativeReshapeFoldingPatterns(views);
    memref::populateResolveRankedShapedTypeResultDimsPatterns(views);
    if (failed(applyPatternsGreedily(getOperation(), std::move(views))))
      signalPassFailure();
  }
};
} // namespace
