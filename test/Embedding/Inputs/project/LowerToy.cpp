// What this compiler does with its ops anyway: they become linalg.
#include "Toy.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using toy::DistanceOp;

namespace {
struct ToLinalg : OpRewritePattern<DistanceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(DistanceOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getType());
    SmallVector<OpFoldResult> sizes = {
        tensor::getMixedSize(rewriter, loc, op.getA(), 0),
        tensor::getMixedSize(rewriter, loc, op.getB(), 0)};
    Value zero = arith::ConstantOp::create(
        rewriter, loc, rewriter.getZeroAttr(type.getElementType()));
    Value empty =
        tensor::EmptyOp::create(rewriter, loc, sizes, type.getElementType());
    Value sums = linalg::FillOp::create(rewriter, loc, zero, empty).result();
    AffineExpr m, n, k;
    bindDims(op.getContext(), m, n, k);
    MLIRContext *context = op.getContext();
    AffineMap maps[] = {AffineMap::get(3, 0, {m, k}, context),
                        AffineMap::get(3, 0, {n, k}, context),
                        AffineMap::get(3, 0, {m, n}, context)};
    utils::IteratorType loops[] = {utils::IteratorType::parallel,
                                   utils::IteratorType::parallel,
                                   utils::IteratorType::reduction};
    auto sum = linalg::GenericOp::create(
        rewriter, loc, sums.getType(), op->getOperands(), sums, maps, loops,
        [](OpBuilder &b, Location loc, ValueRange args) {
          Value apart = arith::SubFOp::create(b, loc, args[0], args[1]);
          Value square = arith::MulFOp::create(b, loc, apart, apart);
          Value sum = arith::AddFOp::create(b, loc, args[2], square);
          linalg::YieldOp::create(b, loc, sum);
        });
    rewriter.replaceOpWithNewOp<tensor::CastOp>(op, type, sum.getResult(0));
    return success();
  }
};

struct LowerToy : PassWrapper<LowerToy, OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LowerToy)
  StringRef getArgument() const final { return "lower-toy"; }
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ToLinalg>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

std::unique_ptr<Pass> toy::createLowerToy() {
  return std::make_unique<LowerToy>();
}
