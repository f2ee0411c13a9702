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

static constexpr int64_t kWarp = 32;

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
  value = branch.getResult(0);
  if (geometry == Geometry::Cluster)
    value = acrossBlocks(combiner, value);
  return value;
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
  auto space = gpu::AddressSpaceAttr::get(
      builder.getContext(), gpu::GPUDialect::getWorkgroupAddressSpace());
  auto memrefType = MemRefType::get({count}, getMemoryType(type),
                                    MemRefLayoutAttrInterface(), space);
  Value buffer = kernel.addWorkgroupAttribution(memrefType, memory.getLoc());
  // Said here, as what the code generator finds out while it merges loads comes
  // after the buffer has been declared.
  kernel.setWorkgroupAttributionAttr(kernel.getNumWorkgroupAttributions() - 1,
                                     LLVM::LLVMDialect::getAlignAttrName(),
                                     builder.getI64IntegerAttr(16));
  return buffer;
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

// Every block of the cluster writes its total into the shared memory of all, so
// that nobody reads from a block that may be gone.
Value RowReduction::acrossBlocks(Operation *combiner, Value value) {
  Location loc = memory.getLoc();
  Type type = value.getType();
  Value buffer = shared(type, kClusterBlocks);
  Value thread = threadId();
  Value isSender = arith::CmpIOp::create(
      builder, loc, arith::CmpIPredicate::ult, thread, i32(kClusterBlocks));
  scf::IfOp::create(builder, loc, isSender, [&](OpBuilder &b, Location loc) {
    LLVM::StoreOp::create(b, loc, storeForm(b, loc, value),
                          slotIn(thread, buffer));
    scf::YieldOp::create(b, loc);
  });
  NVVM::ClusterArriveOp::create(builder, loc, UnitAttr());
  NVVM::ClusterWaitOp::create(builder, loc, UnitAttr());
  Value total;
  for (int64_t block = 0; block < kClusterBlocks; ++block) {
    Value one =
        memref::LoadOp::create(builder, loc, buffer, memory.index(block));
    one = loadForm(builder, loc, one, type);
    total = total ? combine(combiner, total, one) : one;
  }
  return total;
}

// Where block number `block` of the cluster has this block's slot of `buffer`.
Value RowReduction::slotIn(Value block, Value buffer) {
  Location loc = memory.getLoc();
  Type i64 = builder.getI64Type();
  auto own = LLVM::LLVMPointerType::get(builder.getContext(), 3);
  auto remote = LLVM::LLVMPointerType::get(builder.getContext(), 7);
  Value base =
      memref::ExtractAlignedPointerAsIndexOp::create(builder, loc, buffer);
  base = arith::IndexCastOp::create(builder, loc, i64, base);
  base = LLVM::IntToPtrOp::create(builder, loc, own, base);
  Value number = gpu::BlockIdOp::create(builder, loc, gpu::Dimension::x);
  number =
      arith::IndexCastOp::create(builder, loc, builder.getI32Type(), number);
  number = arith::RemUIOp::create(builder, loc, number, i32(kClusterBlocks));
  Type element = cast<MemRefType>(buffer.getType()).getElementType();
  Value slot = LLVM::GEPOp::create(builder, loc, own, element, base, number);
  return NVVM::MapaOp::create(builder, loc, remote, slot, block);
}
