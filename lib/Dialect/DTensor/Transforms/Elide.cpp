//===- Elide.cpp - remove redistributions that are not needed -------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CheaperMovement.h"
#include "dtensor/Dialect/DTensor/Transforms/Passes.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/LoopInvariantCodeMotionUtils.h"

#define DEBUG_TYPE "dtensor-elide"

namespace dtensor {
#define GEN_PASS_DEF_ELIDE
#include "dtensor/Dialect/DTensor/Transforms/Passes.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;

namespace {

/// The operand as it was before its pending reduction was taken, if nobody
/// else wants it reduced.
RedistributeOp reductionOf(Value value) {
  auto move = value.getDefiningOp<RedistributeOp>();
  if (!move || !move->hasOneUse() || !getLayout(move.getInput()))
    return {};
  bool reduces = getLayout(move.getInput()).getLayout().hasPartial() &&
                 !getLayout(move.getResult()).getLayout().hasPartial();
  return reduces ? move : RedistributeOp();
}

/// op(reduce(x), reduce(y)) = reduce(op(x, y)) where the op's own rule allows
/// it: partial values are combined before they are reduced, once.
struct ReduceOnce : public OpInterfaceRewritePattern<ShardingRuleOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(ShardingRuleOpInterface op,
                                PatternRewriter &rewriter) const override {
    SmallVector<RedistributeOp> reductions;
    if (op->getNumResults() != 1 || !getLayout(op->getResult(0)) ||
        !collect(op, reductions))
      return failure();
    std::optional<LayoutAttr> given = partialResult(op, reductions);
    if (!given)
      return failure();
    rewrite(op, reductions, *given, rewriter);
    return success();
  }

private:
  /// At least two operands, all reduced from one layout to one other.
  static bool collect(Operation *op, SmallVector<RedistributeOp> &reductions) {
    for (Value operand : op->getOperands())
      if (RedistributeOp move = reductionOf(operand))
        reductions.push_back(move);
    if (reductions.size() < 2)
      return false;
    auto ends = [](RedistributeOp move) {
      return std::pair(getLayout(move.getInput()).getPlacements(),
                       getLayout(move.getResult()).getPlacements());
    };
    return llvm::all_of(reductions, [&](RedistributeOp move) {
      return ends(move) == ends(reductions.front());
    });
  }

  /// The result's layout if the op ran on the unreduced operands.
  static std::optional<LayoutAttr>
  partialResult(ShardingRuleOpInterface op,
                ArrayRef<RedistributeOp> reductions) {
    FailureOr<ShardingRule> rule = op.getShardingRule();
    if (failed(rule))
      return std::nullopt;
    RedistributeOp first = reductions.front();
    LayoutAttr source = getLayout(first.getInput());
    SmallVector<Layout> operands;
    for (Value operand : op->getOperands()) {
      LayoutAttr layout = getLayout(operand);
      if (layout && reductionOf(operand))
        layout = layout.withPlacements(source.getPlacements());
      operands.push_back(layout ? layout.getLayout() : scalarLayout(source));
    }
    LayoutAttr result = getLayout(op->getResult(0));
    SmallVector<Placement> placements(result.getPlacements());
    for (auto [axis, placement] : llvm::enumerate(source.getPlacements()))
      if (placement.isPartial())
        placements[axis] = placement;
    const Mesh &mesh = result.getMesh().getMesh();
    Layout given(placements, result.getExtents(), result.getLayout().order);
    // It may be pending in another way on another axis.
    if (!given.verify(mesh, [](const Twine &) {}) ||
        !accepts(*rule, mesh, operands, {given}))
      return std::nullopt;
    return LayoutAttr::get(result.getMesh(), given);
  }

  /// A scalar is the same on every rank.
  static Layout scalarLayout(LayoutAttr like) {
    Layout layout;
    layout.placements.assign(like.getPlacements().size(),
                             Placement::replicate());
    return layout;
  }

  static void rewrite(Operation *op, ArrayRef<RedistributeOp> reductions,
                      LayoutAttr given, PatternRewriter &rewriter) {
    Value result = op->getResult(0);
    auto type = cast<RankedTensorType>(result.getType());
    rewriter.modifyOpInPlace(op, [&] {
      for (OpOperand &operand : op->getOpOperands())
        if (RedistributeOp move = reductionOf(operand.get()))
          operand.set(move.getInput());
      result.setType(withLayout(type, given));
    });
    rewriter.setInsertionPointAfter(op);
    auto reduced = RedistributeOp::create(rewriter, op->getLoc(), type, result,
                                          PlanAttr());
    rewriter.replaceAllUsesExcept(result, reduced.getResult(), reduced);
  }
};

struct ElidePass : public dtensor::impl::ElideBase<ElidePass> {
  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet owned(context);
    RedistributeOp::getCanonicalizationPatterns(owned, context);
    RefineOp::getCanonicalizationPatterns(owned, context);
    owned.add<ReduceOnce>(context);
    patterns = std::move(owned);
    return success();
  }

  void runOnOperation() override {
    // Without a layout there is no movement.
    if (!getMesh(getOperation()))
      return;
    MovementPlans plans(getOperation());
    moveToCheaperSide(getOperation(), plans);
    GreedyRewriteConfig config;
    // Regions hold scalar code of generics; simplifying it is not our job.
    config.enableFolding().setRegionSimplificationLevel(
        GreedySimplifyRegionLevel::Disabled);
    if (failed(applyPatternsGreedily(getOperation(), patterns, config)))
      return signalPassFailure();
    IRRewriter rewriter(&getContext());
    DominanceInfo dominance(getOperation());
    eliminateCommonSubExpressions(rewriter, dominance, getOperation());
    shareMovement(getOperation(), plans);
    getOperation().walk(
        [](LoopLikeOpInterface loop) { moveLoopInvariantCode(loop); });
  }

  FrozenRewritePatternSet patterns;
};

} // namespace
