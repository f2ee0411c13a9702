//===- FinishKernels.cpp - Simplify, merge and number kernels -------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HalfMath.h"
#include "ShareKernels.h"
#include "dtensor/Conversion/GPU/GPUDialect.h"
#include "dtensor/Conversion/GPU/GPUPasses.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/IR/AsmState.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/StringMap.h"

namespace dtensor {
#define GEN_PASS_DEF_GPUFINISHKERNELS
#include "dtensor/Conversion/GPU/GPUPasses.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;

namespace {
/// f32 -> bf16 -> f32 within a kernel only loses digits.
struct DropRounding : OpRewritePattern<arith::ExtFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::ExtFOp op,
                                PatternRewriter &rewriter) const override {
    auto narrow = op.getIn().getDefiningOp<arith::TruncFOp>();
    if (!narrow || narrow.getIn().getType() != op.getType())
      return failure();
    rewriter.replaceOp(op, narrow.getIn());
    return success();
  }
};

/// The device's own form where it has a single instruction.
struct ExpandIPow : OpRewritePattern<math::IPowIOp> {
  using OpRewritePattern::OpRewritePattern;

  // x^n by squaring, in as many steps as n has bits; 0 for |x| > 1 and n < 0.
  LogicalResult matchAndRewrite(math::IPowIOp op,
                                PatternRewriter &rewriter) const override {
    Type type = op.getType();
    if (isa<ShapedType>(type))
      return failure();
    Location loc = op.getLoc();
    auto constant = [&](int64_t value) -> Value {
      return arith::ConstantOp::create(rewriter, loc,
                                       rewriter.getIntegerAttr(type, value));
    };
    Value base = op.getLhs(), power = op.getRhs(), one = constant(1);
    Value result = one, zero = constant(0);
    Value rest = power;
    for (unsigned bit = 0; bit < type.getIntOrFloatBitWidth(); ++bit) {
      Value odd = arith::AndIOp::create(rewriter, loc, rest, one);
      Value isOdd = arith::CmpIOp::create(rewriter, loc,
                                          arith::CmpIPredicate::ne, odd, zero);
      Value times = arith::MulIOp::create(rewriter, loc, result, base);
      result = arith::SelectOp::create(rewriter, loc, isOdd, times, result);
      base = arith::MulIOp::create(rewriter, loc, base, base);
      rest = arith::ShRUIOp::create(rewriter, loc, rest, one);
    }
    Value negative = arith::CmpIOp::create(
        rewriter, loc, arith::CmpIPredicate::slt, power, zero);
    rewriter.replaceOpWithNewOp<arith::SelectOp>(
        op, negative, inverse(rewriter, loc, op.getLhs(), power, constant),
        result);
    return success();
  }

  // 1 and -1 have a whole inverse; that of 0 is the largest number by
  // convention of the operation's lowering on hosts: division by zero gives 0.
  static Value inverse(PatternRewriter &rewriter, Location loc, Value base,
                       Value power,
                       llvm::function_ref<Value(int64_t)> constant) {
    auto equals = [&](Value value, int64_t to) -> Value {
      return arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::eq,
                                   value, constant(to));
    };
    Value odd =
        equals(arith::AndIOp::create(rewriter, loc, power, constant(1)), 1);
    Value sign =
        arith::SelectOp::create(rewriter, loc, odd, constant(-1), constant(1));
    Value rest = arith::SelectOp::create(rewriter, loc, equals(base, -1), sign,
                                         constant(0));
    return arith::SelectOp::create(rewriter, loc, equals(base, 1), constant(1),
                                   rest);
  }
};

/// Both halves of a product by instructions of 32 bits. As a product of 64
/// bits, the masks around it stay, and it is one of 64 bits for the device.
struct SplitProduct : OpRewritePattern<arith::MulUIExtendedOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::MulUIExtendedOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.getLhs().getType().isInteger(32))
      return failure();
    Value low =
        arith::MulIOp::create(rewriter, op.getLoc(), op.getLhs(), op.getRhs());
    auto high = LLVM::CallIntrinsicOp::create(
        rewriter, op.getLoc(), op.getLhs().getType(),
        rewriter.getStringAttr("llvm.nvvm.mulhi.ui"),
        ValueRange{op.getLhs(), op.getRhs()});
    rewriter.replaceOp(op, {low, high.getResults()});
    return success();
  }
};

struct GPUFinishKernels
    : dtensor::impl::GPUFinishKernelsBase<GPUFinishKernels> {
  void runOnOperation() override {
    auto kernels = getOperation().lookupSymbol<gpu::GPUModuleOp>(kKernelModule);
    if (!kernels)
      return;
    if (failed(simplify(kernels)))
      return signalPassFailure();
    dropUnused(kernels);
    for (auto kernel : kernels.getOps<gpu::GPUFuncOp>()) {
      useHalfMath(kernel);
      widenPairs(kernel);
    }
    shareKernels(getOperation(), kernels);
    number(kernels);
  }

  LogicalResult simplify(gpu::GPUModuleOp kernels) {
    RewritePatternSet patterns(&getContext());
    patterns.add<DropRounding, ExpandIPow, SplitProduct>(&getContext());
    arith::populateCeilFloorDivExpandOpsPatterns(patterns);
    math::populateExpansionPatterns(patterns, {"ctlz", "clampf"});
    populateAffineToStdConversionPatterns(patterns);
    for (Dialect *dialect : getContext().getLoadedDialects())
      dialect->getCanonicalizationPatterns(patterns);
    for (RegisteredOperationName name : getContext().getRegisteredOperations())
      if (llvm::is_contained({"arith", "scf", "affine"},
                             name.getDialectNamespace()))
        name.getCanonicalizationPatterns(patterns, &getContext());
    return applyPatternsGreedily(kernels, std::move(patterns));
  }

  void dropUnused(gpu::GPUModuleOp kernels) {
    DenseSet<StringAttr> used;
    getOperation().walk([&](device::LaunchOp op) {
      used.insert(op.getKernel().getLeafReference());
    });
    for (auto kernel :
         llvm::make_early_inc_range(kernels.getOps<gpu::GPUFuncOp>()))
      if (!used.contains(kernel.getNameAttr()))
        kernel.erase();
  }

  void number(gpu::GPUModuleOp kernels) {
    DenseMap<StringAttr, unsigned> numbers;
    for (auto kernel : kernels.getOps<gpu::GPUFuncOp>())
      numbers.try_emplace(kernel.getNameAttr(), numbers.size());
    Builder builder(&getContext());
    getOperation().walk([&](device::LaunchOp op) {
      op.setIndexAttr(builder.getI32IntegerAttr(
          numbers.lookup(op.getKernel().getLeafReference())));
    });
  }
};
} // namespace
