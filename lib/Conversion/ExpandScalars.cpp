//===- ExpandScalars.cpp - Scalar ops that LLVM lacks ---------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExpandScalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;

// f32 functions without a vector form in the C library. Relative errors are
// below 5e-7.
static bool isApproximated(StringRef name) {
  return llvm::is_contained(
      {"math.tanh", "math.erf", "math.expm1", "math.log1p"}, name);
}

namespace {
/// LLVM has no expm1, and exp(x) - 1 loses all digits near 0.
struct CallExpM1 : OpRewritePattern<math::ExpM1Op> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::ExpM1Op op,
                                PatternRewriter &rewriter) const override {
    if (!op.getType().isF64())
      return rewriter.notifyMatchFailure(op, "approximated elsewhere");
    auto module = op->getParentOfType<ModuleOp>();
    if (!module.lookupSymbol("expm1")) {
      OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPointToStart(module.getBody());
      auto type = rewriter.getFunctionType(op.getType(), op.getType());
      func::FuncOp::create(rewriter, op.getLoc(), "expm1", type).setPrivate();
    }
    rewriter.replaceOpWithNewOp<func::CallOp>(op, "expm1", op.getType(),
                                              op.getOperand());
    return success();
  }
};

/// bf16 to f64 through f32, exactly.
struct WidenBF16 : OpRewritePattern<arith::ExtFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::ExtFOp op,
                                PatternRewriter &rewriter) const override {
    Type type = op.getType(), from = op.getIn().getType();
    if (!getElementTypeOrSelf(from).isBF16() ||
        getElementTypeOrSelf(type).isF32())
      return rewriter.notifyMatchFailure(op, "has an expansion of its own");
    Type middle = rewriter.getF32Type();
    if (auto vector = dyn_cast<VectorType>(type))
      middle = vector.clone(middle);
    Value wide =
        arith::ExtFOp::create(rewriter, op.getLoc(), middle, op.getIn());
    rewriter.replaceOpWithNewOp<arith::ExtFOp>(op, type, wide);
    return success();
  }
};

/// f64 to f16 or bf16 with one rounding. Through f32 in round-to-odd: cut off,
/// and set the last bit if anything was lost. f32 has 24 bits >= 2 * 11 + 2, so
/// the second rounding then sees on which side of a tie the value lies.
struct TruncateDouble : OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::TruncFOp op,
                                PatternRewriter &rewriter) const override {
    Type type = op.getType();
    if (!op.getIn().getType().isF64() || !(type.isF16() || type.isBF16()))
      return rewriter.notifyMatchFailure(op, "LLVM has this one");
    Value odd = roundToOdd(rewriter, op.getLoc(), op.getIn());
    rewriter.replaceOpWithNewOp<arith::TruncFOp>(op, type, odd);
    return success();
  }

  static Value roundToOdd(OpBuilder &builder, Location loc, Value value) {
    Type f32 = builder.getF32Type(), f64 = builder.getF64Type();
    Type i32 = builder.getI32Type();
    using arith::CmpFPredicate;
    Value near = arith::TruncFOp::create(builder, loc, f32, value);
    Value back = arith::ExtFOp::create(builder, loc, f64, near);
    Value lost =
        arith::CmpFOp::create(builder, loc, CmpFPredicate::ONE, back, value);
    Value tooLarge =
        arith::CmpFOp::create(builder, loc, CmpFPredicate::OGT,
                              math::AbsFOp::create(builder, loc, back),
                              math::AbsFOp::create(builder, loc, value));
    // Magnitudes are ordered as integers: one less is one step toward zero.
    Value bits = arith::BitcastOp::create(builder, loc, i32, near);
    Value one = arith::ConstantIntOp::create(builder, loc, 1, 32);
    Value lower = arith::SubIOp::create(builder, loc, bits, one);
    Value cut = arith::SelectOp::create(builder, loc, tooLarge, lower, bits);
    Value odd = arith::OrIOp::create(builder, loc, cut, one);
    Value result = arith::SelectOp::create(builder, loc, lost, odd, bits);
    return arith::BitcastOp::create(builder, loc, f32, result);
  }
};
} // namespace

void dtensor::populateExpandScalarPatterns(RewritePatternSet &patterns) {
  arith::populateCeilFloorDivExpandOpsPatterns(patterns);
  arith::populateExpandBFloat16Patterns(patterns);
  math::populateExpansionPatterns(
      patterns, {"fpowi", "rsqrt", "roundeven", "ctlz", "clampf"});
  populateMathPolynomialApproximationPatterns(patterns, isApproximated);
  patterns.add<CallExpM1, TruncateDouble, WidenBF16>(patterns.getContext());
}
