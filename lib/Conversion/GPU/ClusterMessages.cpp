//===- ClusterMessages.cpp - Words between blocks -------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ClusterMessages.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace dtensor;

// Address spaces of a block's own shared memory and of its cluster's.
static constexpr unsigned kShared = 3, kClusterShared = 7;

Value dtensor::addShared(gpu::GPUFuncOp kernel, Type type, int64_t count) {
  MLIRContext *context = kernel.getContext();
  auto space = gpu::AddressSpaceAttr::get(
      context, gpu::GPUDialect::getWorkgroupAddressSpace());
  auto memrefType =
      MemRefType::get({count}, type, MemRefLayoutAttrInterface(), space);
  Value buffer = kernel.addWorkgroupAttribution(memrefType, kernel.getLoc());
  // Said here, as what the code generator finds out while it merges loads comes
  // after the buffer has been declared.
  kernel.setWorkgroupAttributionAttr(
      kernel.getNumWorkgroupAttributions() - 1,
      LLVM::LLVMDialect::getAlignAttrName(),
      IntegerAttr::get(IntegerType::get(context, 64), 16));
  return buffer;
}

Value ClusterMessages::i32(int64_t value) {
  return arith::ConstantIntOp::create(builder, memory.getLoc(), value, 32);
}
Value ClusterMessages::toI32(Value value) {
  return arith::IndexCastOp::create(builder, memory.getLoc(),
                                    builder.getI32Type(), value);
}

Value ClusterMessages::getSize() {
  return toI32(gpu::ClusterDimBlocksOp::create(builder, memory.getLoc(),
                                               gpu::Dimension::x));
}

Value ClusterMessages::getSide(int64_t count) {
  Location loc = memory.getLoc();
  Value side = arith::AndIOp::create(builder, loc, turn, i32(1));
  return arith::MulIOp::create(builder, loc, side, i32(count));
}

Value ClusterMessages::isFirstThread() {
  Value thread =
      gpu::ThreadIdOp::create(builder, memory.getLoc(), gpu::Dimension::x);
  return arith::CmpIOp::create(builder, memory.getLoc(),
                               arith::CmpIPredicate::eq, thread,
                               memory.index(0));
}

//===----------------------------------------------------------------------===//
// Barriers
//===----------------------------------------------------------------------===//

void ClusterMessages::start() {
  Location loc = memory.getLoc();
  auto branch = scf::IfOp::create(builder, loc, isFirstThread(),
                                  /*withElseRegion=*/false);
  making = branch.thenBlock();
  NVVM::FenceMbarrierInitOp::create(builder, loc);
  NVVM::ClusterArriveOp::create(builder, loc, UnitAttr());
}

void ClusterMessages::finishStart() {
  NVVM::ClusterWaitOp::create(builder, memory.getLoc(), UnitAttr());
}

// One for each set of slots; made where the kernel starts.
Value ClusterMessages::createBarriers() {
  Location loc = memory.getLoc();
  Value barriers = addShared(kernel, builder.getI64Type(), 2);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(making->getTerminator());
  for (int64_t side : {0, 1})
    NVVM::MBarrierInitOp::create(builder, loc, address(barriers, i32(side)),
                                 i32(1), Value());
  return barriers;
}

void ClusterMessages::expect(Value barrier, int64_t bytes) {
  Location loc = memory.getLoc();
  scf::IfOp::create(
      builder, loc, isFirstThread(), [&](OpBuilder &b, Location loc) {
        Value all = arith::MulIOp::create(b, loc, getSize(), i32(bytes));
        NVVM::MBarrierArriveExpectTxOp::create(b, loc, Type(), barrier, all,
                                               NVVM::MemScopeKind::CTA,
                                               /*relaxed=*/false, Value());
        scf::YieldOp::create(b, loc);
      });
}

void ClusterMessages::emitAsm(ValueRange operands, StringRef text,
                              StringRef constraints) {
  LLVM::InlineAsmOp::create(
      builder, memory.getLoc(), LLVM::LLVMVoidType::get(builder.getContext()),
      operands, text, constraints, /*has_side_effects=*/true,
      /*is_align_stack=*/false, LLVM::TailCallKind::None,
      LLVM::AsmDialectAttr(), ArrayAttr());
}

// What other blocks have written is seen afterwards, hence not NVVM's wait.
void ClusterMessages::wait(Value barrier) {
  Location loc = memory.getLoc();
  Value phase = arith::ShRUIOp::create(builder, loc, turn, i32(1));
  phase = arith::AndIOp::create(builder, loc, phase, i32(1));
  emitAsm({barrier, phase},
          "{ .reg .pred done; again: "
          "mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 done, "
          "[$0], $1; @!done bra again; }",
          "l,r,~{memory}");
}

//===----------------------------------------------------------------------===//
// Messages
//===----------------------------------------------------------------------===//

Value ClusterMessages::address(Value buffer, Value slot) {
  Location loc = memory.getLoc();
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext(), kShared);
  Value base =
      memref::ExtractAlignedPointerAsIndexOp::create(builder, loc, buffer);
  base = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), base);
  base = LLVM::IntToPtrOp::create(builder, loc, pointer, base);
  Type element = cast<MemRefType>(buffer.getType()).getElementType();
  return LLVM::GEPOp::create(builder, loc, pointer, element, base, slot);
}

// Thread t sends to block t.
void ClusterMessages::send(Value word, Value slot, Value barrier) {
  Location loc = memory.getLoc();
  Value thread =
      toI32(gpu::ThreadIdOp::create(builder, loc, gpu::Dimension::x));
  Value isSender = arith::CmpIOp::create(
      builder, loc, arith::CmpIPredicate::ult, thread, getSize());
  scf::IfOp::create(builder, loc, isSender, [&](OpBuilder &b, Location loc) {
    auto remote = LLVM::LLVMPointerType::get(b.getContext(), kClusterShared);
    Value to = NVVM::MapaOp::create(b, loc, remote, slot, thread);
    Value counter = NVVM::MapaOp::create(b, loc, remote, barrier, thread);
    bool isLong = word.getType().getIntOrFloatBitWidth() == 64;
    std::string text = "st.async.weak.shared::cluster.mbarrier::complete_tx::"
                       "bytes.b" +
                       std::string(isLong ? "64" : "32") + " [$0], $1, [$2];";
    emitAsm({to, word, counter}, text,
            isLong ? "l,l,l,~{memory}" : "l,r,l,~{memory}");
    scf::YieldOp::create(b, loc);
  });
}

SmallVector<Value> ClusterMessages::exchange(Value word) {
  Location loc = memory.getLoc();
  Value barriers = createBarriers();
  Value slots = addShared(kernel, word.getType(), 2 * kClusterBlocks);
  Value first = getSide(kClusterBlocks);
  Value barrier = address(barriers, getSide(1));
  Value own =
      toI32(gpu::ClusterBlockIdOp::create(builder, loc, gpu::Dimension::x));
  expect(barrier, word.getType().getIntOrFloatBitWidth() / 8);
  send(word, address(slots, arith::AddIOp::create(builder, loc, first, own)),
       barrier);
  wait(barrier);
  SmallVector<Value> words;
  for (int64_t block = 0; block < kClusterBlocks; ++block) {
    Value slot = arith::AddIOp::create(builder, loc, first, i32(block));
    words.push_back(LLVM::LoadOp::create(builder, loc, word.getType(),
                                         address(slots, slot)));
  }
  return words;
}
