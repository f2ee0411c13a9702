//===- RowReduction.cpp - Combining the threads of a row ------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Up to 32 threads: a butterfly of shuffles. More: one value per warp in shared
// memory, then a butterfly over those. The order of operations depends on the
// number of threads alone, so results are the same on every run.
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <limits>

using namespace mlir;
using namespace dtensor;

Value RowReduction::i32(int64_t value) {
  return arith::ConstantIntOp::create(builder, memory.getLoc(), value, 32);
}
Value RowReduction::index(Value value) {
  return arith::IndexCastOp::create(builder, memory.getLoc(),
                                    builder.getIndexType(), value);
}
Value RowReduction::threadId() {
  Value id =
      gpu::ThreadIdOp::create(builder, memory.getLoc(), gpu::Dimension::x);
  return arith::IndexCastOp::create(builder, memory.getLoc(),
                                    builder.getI32Type(), id);
}

Value RowReduction::combine(Operation *combiner, Value lhs, Value rhs) {
  Operation *clone = builder.clone(*combiner);
  clone->setOperands({lhs, rhs});
  return clone->getResult(0);
}

Value RowReduction::neutral(Operation *combiner, Type type) {
  Location loc = memory.getLoc();
  auto real = [&](const APFloat &value) -> Value {
    return arith::ConstantOp::create(builder, loc,
                                     builder.getFloatAttr(type, value));
  };
  auto whole = [&](const APInt &value) -> Value {
    return arith::ConstantOp::create(builder, loc,
                                     builder.getIntegerAttr(type, value));
  };
  if (auto floating = dyn_cast<FloatType>(type)) {
    const llvm::fltSemantics &semantics = floating.getFloatSemantics();
    if (isa<arith::AddFOp>(combiner))
      return real(APFloat::getZero(semantics, /*Negative=*/true));
    if (isa<arith::MulFOp>(combiner))
      return real(APFloat::getOne(semantics));
    // NaN gives way to any number in these two.
    if (isa<arith::MaxNumFOp, arith::MinNumFOp>(combiner))
      return real(APFloat::getNaN(semantics));
    return real(APFloat::getInf(semantics, isa<arith::MaximumFOp>(combiner)));
  }
  unsigned bits = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  if (isa<arith::MulIOp>(combiner))
    return whole(APInt(bits, 1));
  if (isa<arith::MaxSIOp>(combiner))
    return whole(APInt::getSignedMinValue(bits));
  if (isa<arith::MinSIOp>(combiner))
    return whole(APInt::getSignedMaxValue(bits));
  if (isa<arith::MinUIOp, arith::AndIOp>(combiner))
    return whole(APInt::getAllOnes(bits));
  return whole(APInt::getZero(bits));
}

Value RowReduction::reduce(Operation *combiner, Value value) {
  if (geometry == Geometry::Columns)
    return acrossColumns(combiner, value);
  if (geometry == Geometry::Cluster)
    return acrossBlocks(combiner, acrossAllWarps(combiner, value));
  Location loc = memory.getLoc();
  value = butterfly(combiner, value, threads);
  Value many = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ugt,
                                     threads, i32(kWarp));
  auto branch = scf::IfOp::create(builder, loc, value.getType(), many,
                                  /*withElseRegion=*/true);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(builder, loc, value);
    builder.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(builder, loc, acrossWarps(combiner, value));
  }
  return branch.getResult(0);
}

// All of `width` neighbouring threads, a power of two, get the result.
Value RowReduction::butterfly(Operation *combiner, Value value, Value width) {
  Location loc = memory.getLoc();
  for (int64_t distance = kWarp / 2; distance > 0; distance /= 2) {
    Value other = exchange(value, distance);
    Value both = combine(combiner, value, other);
    Value inside = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::ugt, width, i32(distance));
    value = arith::SelectOp::create(builder, loc, inside, both, value);
  }
  return value;
}

// The bits of a value, at least 32 of them.
Value RowReduction::toWord(Value value) {
  Location loc = memory.getLoc();
  Type type = value.getType();
  if (type.isIndex())
    return arith::IndexCastOp::create(builder, loc, builder.getI64Type(),
                                      value);
  unsigned bits = type.getIntOrFloatBitWidth();
  if (isa<FloatType>(type))
    value = arith::BitcastOp::create(builder, loc, builder.getIntegerType(bits),
                                     value);
  if (bits >= 32)
    return value;
  return arith::ExtUIOp::create(builder, loc, builder.getI32Type(), value);
}

Value RowReduction::fromWord(Value word, Type type) {
  Location loc = memory.getLoc();
  if (type.isIndex())
    return arith::IndexCastOp::create(builder, loc, type, word);
  unsigned bits = type.getIntOrFloatBitWidth();
  if (bits < 32)
    word = arith::TruncIOp::create(builder, loc, builder.getIntegerType(bits),
                                   word);
  if (isa<FloatType>(type))
    return arith::BitcastOp::create(builder, loc, type, word);
  return word;
}

// The value of the thread whose number differs by `distance`, in words of 32
// bits.
Value RowReduction::exchange(Value value, unsigned distance) {
  Location loc = memory.getLoc();
  Type word = builder.getI32Type();
  Value bits = toWord(value);
  auto shuffle = [&](Value part) -> Value {
    return NVVM::ShflOp::create(builder, loc, word, i32(-1), part,
                                i32(distance), i32(kWarp - 1),
                                NVVM::ShflKind::bfly, UnitAttr());
  };
  if (bits.getType() == word)
    return fromWord(shuffle(bits), value.getType());
  Value half = arith::ConstantIntOp::create(builder, loc, 32, 64);
  Value high = arith::ShRUIOp::create(builder, loc, bits, half);
  Value low = shuffle(arith::TruncIOp::create(builder, loc, word, bits));
  high = shuffle(arith::TruncIOp::create(builder, loc, word, high));
  low = arith::ExtUIOp::create(builder, loc, bits.getType(), low);
  high = arith::ExtUIOp::create(builder, loc, bits.getType(), high);
  high = arith::ShLIOp::create(builder, loc, high, half);
  bits = arith::OrIOp::create(builder, loc, high, low);
  return fromWord(bits, value.getType());
}

// One slot of shared memory per reduction: nothing is ever written twice.
Value RowReduction::shared(Type type, int64_t count) {
  return addShared(kernel, getMemoryType(type), count);
}

static Value storeForm(OpBuilder &builder, Location loc, Value value) {
  Type type = getMemoryType(value.getType());
  if (type == value.getType())
    return value;
  if (value.getType().isIndex())
    return arith::IndexCastOp::create(builder, loc, type, value);
  return arith::ExtUIOp::create(builder, loc, type, value);
}

static Value loadForm(OpBuilder &builder, Location loc, Value value,
                      Type type) {
  if (type == value.getType())
    return value;
  if (type.isIndex())
    return arith::IndexCastOp::create(builder, loc, type, value);
  return arith::TruncIOp::create(builder, loc, type, value);
}

Value RowReduction::acrossWarps(Operation *combiner, Value value) {
  Location loc = memory.getLoc();
  Type type = value.getType();
  Value buffer = shared(type, kMaxBlock / kWarp);
  Value thread = threadId();
  Value warp = arith::ShRUIOp::create(builder, loc, thread, i32(5));
  memref::StoreOp::create(builder, loc, storeForm(builder, loc, value), buffer,
                          index(warp));
  gpu::BarrierOp::create(builder, loc);
  // Warps of this row: w0 .. w0 + n - 1 with w0 = warp - warp mod n.
  Value count = arith::ShRUIOp::create(builder, loc, threads, i32(5));
  Value last = arith::SubIOp::create(builder, loc, count, i32(1));
  Value keep = arith::XOrIOp::create(builder, loc, last, i32(-1));
  Value first = arith::AndIOp::create(builder, loc, warp, keep);
  Value lane = arith::AndIOp::create(builder, loc, thread, last);
  Value slot = arith::OrIOp::create(builder, loc, first, lane);
  value = memref::LoadOp::create(builder, loc, buffer, index(slot));
  value = loadForm(builder, loc, value, type);
  return butterfly(combiner, value, count);
}

// Of a block that works on one row and has any number of warps. Rows take turns
// with two buffers: a warp may be at the next row while another still reads.
Value RowReduction::acrossAllWarps(Operation *combiner, Value value) {
  Location loc = memory.getLoc();
  Type type = value.getType();
  value = butterfly(combiner, value, i32(kWarp));
  Value buffer = shared(type, 2 * kWarp);
  Value thread = threadId();
  Value warp = arith::ShRUIOp::create(builder, loc, thread, i32(5));
  Value side = messages.getSide(kWarp);
  memref::StoreOp::create(
      builder, loc, storeForm(builder, loc, value), buffer,
      index(arith::AddIOp::create(builder, loc, side, warp)));
  gpu::BarrierOp::create(builder, loc);
  Value lane = arith::AndIOp::create(builder, loc, thread, i32(kWarp - 1));
  Value count = arith::ShRUIOp::create(builder, loc, threads, i32(5));
  Value exists = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult,
                                       lane, count);
  Value other = memref::LoadOp::create(
      builder, loc, buffer,
      index(arith::AddIOp::create(builder, loc, side, lane)));
  other = loadForm(builder, loc, other, type);
  value = arith::SelectOp::create(builder, loc, exists, other,
                                  neutral(combiner, type));
  return butterfly(combiner, value, i32(kWarp));
}

Value RowReduction::acrossColumns(Operation *combiner, Value value) {
  Location loc = memory.getLoc();
  Type type = value.getType();
  Value buffer = shared(type, kBlock);
  Value thread = threadId();
  memref::StoreOp::create(builder, loc, storeForm(builder, loc, value), buffer,
                          index(thread));
  gpu::BarrierOp::create(builder, loc);
  Value column =
      arith::AndIOp::create(builder, loc, thread, i32(kColumnRows - 1));
  Value total;
  for (int64_t part = 0; part < kColumnThreads; ++part) {
    Value slot =
        arith::AddIOp::create(builder, loc, column, i32(part * kColumnRows));
    Value one = memref::LoadOp::create(builder, loc, buffer, index(slot));
    one = loadForm(builder, loc, one, type);
    total = total ? combine(combiner, total, one) : one;
  }
  return total;
}

// Numbers of all blocks, combined in their order.
Value RowReduction::acrossBlocks(Operation *combiner, Value value) {
  Location loc = memory.getLoc();
  Value blocks = messages.getSize();
  Value many = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ugt,
                                     blocks, i32(1));
  auto branch = scf::IfOp::create(builder, loc, value.getType(), many,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(builder, loc, value);
  builder.setInsertionPointToStart(branch.thenBlock());
  Value total;
  for (auto [block, word] : llvm::enumerate(messages.exchange(toWord(value)))) {
    Value one = fromWord(word, value.getType());
    if (!total) {
      total = one;
      continue;
    }
    Value exists = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::ugt, blocks, i32(block));
    total = arith::SelectOp::create(builder, loc, exists,
                                    combine(combiner, total, one), total);
  }
  scf::YieldOp::create(builder, loc, total);
  return branch.getResult(0);
}
