//===- RedistributeOp.cpp - the one op that changes a layout --------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/CoreOps.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace dtensor;

/// A partial value can be made from a whole one only: replicate -> partial, or
/// partial of the same kind as before.
static bool isLegal(const Placement &from, const Placement &to) {
  if (from.isOpen() || to.isOpen() || !to.isPartial())
    return true;
  return from.isReplicate() || from == to;
}

static bool isLegal(const Layout &from, const Layout &to) {
  return llvm::all_of_zip(
      from.placements, to.placements,
      [](const Placement &x, const Placement &y) { return isLegal(x, y); });
}

LogicalResult RedistributeOp::verify() {
  RankedTensorType from = getInput().getType(), to = getType();
  LayoutAttr source = getLayout(from), target = getLayout(to);
  if (!source || !target)
    return emitOpError(source ? "result" : "operand") << " has no layout";
  if (failed(verifySameGlobal(*this, from, to, /*sameExtents=*/true)))
    return failure();
  if (from.getShape() != to.getShape())
    return emitOpError("shapes differ: ") << from << " and " << to;
  const Mesh &mesh = source.getMesh().getMesh();
  for (auto [axis, x, y] :
       llvm::enumerate(source.getPlacements(), target.getPlacements()))
    if (!isLegal(x, y))
      return emitOpError("cannot redistribute ")
             << x.str() << " to " << y.str() << " on axis \""
             << mesh.getName(axis) << "\"";
  if (!getPlanAttr())
    return success();
  if (getPlanAttr().getMesh() != source.getMesh())
    return emitOpError("plan is for another mesh: ")
           << getPlanAttr().getMesh() << ", operand has " << source.getMesh();
  if (getPlanAttr().getExtents() != source.getExtents())
    return emitOpError("plan is for other extents than the operand's");
  return success();
}

OpFoldResult RedistributeOp::fold(FoldAdaptor) {
  return getInput().getType() == getType() ? getInput() : OpFoldResult();
}

namespace {
/// redistribute(redistribute(x)) moves to the last layout at once. Legal if
/// x's layout may become the last one directly; the value between is the same
/// global tensor, so nothing is lost by leaving it out. Placements still open
/// are decisions of propagation: such a pair is left alone. So is a value
/// between that has other uses, unless the move leads back to where x was: the
/// second step may be free where the direct move is not.
struct MergePair : OpRewritePattern<RedistributeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RedistributeOp op,
                                PatternRewriter &rewriter) const override {
    auto first = op.getInput().getDefiningOp<RedistributeOp>();
    if (!first)
      return failure();
    const Layout &between = getLayout(first.getType()).getLayout();
    const Layout &from = getLayout(first.getInput()).getLayout();
    const Layout &to = getLayout(op.getType()).getLayout();
    if (between.hasOpen() || from.hasOpen() || to.hasOpen() ||
        !isLegal(from, to))
      return failure();
    if (!first->hasOneUse() && from != to)
      return failure();
    rewriter.replaceOpWithNewOp<RedistributeOp>(op, op.getType(),
                                                first.getInput(), PlanAttr());
    return success();
  }
};
} // namespace

void RedistributeOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                                 MLIRContext *context) {
  patterns.add<MergePair>(context);
}
