//===- HalfMath.cpp - Mathematics of kernels that store halves ------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// exp(x)   ex2.approx(x * log2(e)): an error of 2^-22, and of |x| * 2^-24 from
//          the product
// x / y    div.full: 2 units of the last place, for any x and y
// x / y    for several x: x * (1 / y), where y is scaled first so that neither
//          it nor its inverse leaves the range of normal numbers
//
//===----------------------------------------------------------------------===//

#include "HalfMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace dtensor;

static constexpr unsigned kGlobalSpace = 1;

// The type that `op` stores to the device's memory; null if it does not.
static Type getStoredType(Operation *op) {
  if (auto store = dyn_cast<LLVM::StoreOp>(op))
    if (store.getAddr().getType().getAddressSpace() == kGlobalSpace)
      return getElementTypeOrSelf(store.getValue());
  if (auto store = dyn_cast<memref::StoreOp>(op))
    if (!gpu::GPUDialect::hasWorkgroupMemoryAddressSpace(store.getMemRefType()))
      return store.getMemRefType().getElementType();
  return nullptr;
}

static bool storesHalves(gpu::GPUFuncOp kernel) {
  bool stores = false;
  auto result = kernel.walk([&](Operation *op) {
    Type type = getStoredType(op);
    if (!type)
      return WalkResult::advance();
    stores = true;
    return type.isBF16() || type.isF16() ? WalkResult::advance()
                                         : WalkResult::interrupt();
  });
  return stores && !result.wasInterrupted();
}

namespace {
class HalfMath {
public:
  HalfMath(gpu::GPUFuncOp kernel)
      : kernel(kernel), builder(kernel.getContext()),
        f32(builder.getF32Type()) {}

  void run() {
    llvm::MapVector<Value, SmallVector<arith::DivFOp>> divisions;
    SmallVector<Operation *> exponentials;
    kernel.walk([&](Operation *op) {
      if (op->getNumResults() != 1 || op->getResult(0).getType() != f32)
        return;
      if (auto division = dyn_cast<arith::DivFOp>(op))
        divisions[division.getRhs()].push_back(division);
      else if (isa<math::ExpOp, math::Exp2Op>(op))
        exponentials.push_back(op);
    });
    for (Operation *op : exponentials)
      replaceExponential(op);
    // A divisor may have been an exponential.
    for (auto &entry : divisions)
      replaceDivisions(entry.second.front().getRhs(), entry.second);
  }

private:
  Value constant(float value) {
    return arith::ConstantOp::create(builder, loc,
                                     builder.getF32FloatAttr(value));
  }
  Value mul(Value lhs, Value rhs) {
    return arith::MulFOp::create(builder, loc, lhs, rhs);
  }
  Value call(StringRef intrinsic, ValueRange args) {
    return LLVM::CallIntrinsicOp::create(builder, loc, f32,
                                         builder.getStringAttr(intrinsic), args)
        .getResult(0);
  }
  void replace(Operation *op, Value value) {
    op->getResult(0).replaceAllUsesWith(value);
    op->erase();
  }

  void replaceExponential(Operation *op) {
    loc = op->getLoc();
    builder.setInsertionPoint(op);
    Value power = op->getOperand(0);
    if (isa<math::ExpOp>(op))
      power = mul(power, constant(llvm::numbers::log2ef));
    replace(op, call("llvm.nvvm.ex2.approx.ftz", power));
  }

  void replaceDivisions(Value divisor, ArrayRef<arith::DivFOp> all) {
    Operation *producer = divisor.getDefiningOp();
    if (all.size() > 1 && producer)
      return multiplyInstead(divisor, producer, all);
    for (arith::DivFOp op : all) {
      loc = op.getLoc();
      builder.setInsertionPoint(op);
      replace(op, call("llvm.nvvm.div.full", {op.getLhs(), divisor}));
    }
  }

  void multiplyInstead(Value divisor, Operation *producer,
                       ArrayRef<arith::DivFOp> all) {
    loc = producer->getLoc();
    builder.setInsertionPointAfter(producer);
    Value scale = getScale(divisor);
    Value inverse =
        arith::DivFOp::create(builder, loc, constant(1), mul(divisor, scale));
    for (arith::DivFOp op : all) {
      loc = op.getLoc();
      builder.setInsertionPoint(op);
      replace(op, mul(mul(op.getLhs(), inverse), scale));
    }
  }

  // 2^64, 1 or 2^-64, for a small, ordinary or large number.
  Value getScale(Value value) {
    auto compare = [&](arith::CmpFPredicate predicate, float limit) -> Value {
      Value size = math::AbsFOp::create(builder, loc, value);
      return arith::CmpFOp::create(builder, loc, predicate, size,
                                   constant(limit));
    };
    Value small = compare(arith::CmpFPredicate::OLT, 0x1p-64f);
    Value large = compare(arith::CmpFPredicate::OGT, 0x1p+64f);
    Value scale = arith::SelectOp::create(builder, loc, large,
                                          constant(0x1p-64f), constant(1));
    return arith::SelectOp::create(builder, loc, small, constant(0x1p+64f),
                                   scale);
  }

  gpu::GPUFuncOp kernel;
  OpBuilder builder;
  Type f32;
  Location loc = kernel.getLoc();
};
} // namespace

//===----------------------------------------------------------------------===//
// Pairs
//===----------------------------------------------------------------------===//

// The f32 of a bf16 is its bits followed by zeros: one instruction on the word
// that holds two of them.
static Value widen(OpBuilder &builder, Location loc, Value vector,
                   int64_t lane) {
  auto type = cast<VectorType>(vector.getType());
  Type i32 = builder.getI32Type();
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIntOp::create(builder, loc, value, 32);
  };
  Value words = LLVM::BitcastOp::create(
      builder, loc, VectorType::get(type.getNumElements() / 2, i32), vector);
  Value bits =
      LLVM::ExtractElementOp::create(builder, loc, words, constant(lane / 2));
  if (lane % 2)
    bits = arith::AndIOp::create(builder, loc, bits, constant(-65536));
  else
    bits = arith::ShLIOp::create(builder, loc, bits, constant(16));
  return arith::BitcastOp::create(builder, loc, builder.getF32Type(), bits);
}

void dtensor::widenPairs(gpu::GPUFuncOp kernel) {
  kernel.walk([](arith::ExtFOp op) {
    auto extract = op.getIn().getDefiningOp<LLVM::ExtractElementOp>();
    IntegerAttr lane;
    if (!extract || !op.getType().isF32() || !op.getIn().getType().isBF16() ||
        !matchPattern(extract.getPosition(), m_Constant(&lane)) ||
        extract.getVector().getType().getNumElements() % 2)
      return;
    OpBuilder builder(op);
    op.replaceAllUsesWith(
        widen(builder, op.getLoc(), extract.getVector(), lane.getInt()));
    op.erase();
  });
}

void dtensor::useHalfMath(gpu::GPUFuncOp kernel) {
  if (storesHalves(kernel))
    HalfMath(kernel).run();
}
