//===- BufferLifetimes.cpp - Buffers live from first to last use ----------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Nearly all buffers are used, themselves or through views, within the block
// that allocates them. For those the answer is at hand; asking who owns what,
// as upstream does for all buffers of a function at once, takes time that grows
// with the square of their number. What may leave its block stays for upstream.
//
//===----------------------------------------------------------------------===//

#include "dtensor/Conversion/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace dtensor {
#define GEN_PASS_DEF_BEGINBUFFERS
#define GEN_PASS_DEF_ENDBUFFERS
#include "dtensor/Conversion/Passes.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;

namespace {
/// Ops of the block of an allocation.
struct Lifetime {
  memref::AllocOp alloc;
  Operation *first = nullptr, *last = nullptr;

  void include(Operation *op) {
    if (!first || op->isBeforeInBlock(first))
      first = op;
    if (!last || last->isBeforeInBlock(op))
      last = op;
  }
};
} // namespace

// An op that may hand a buffer on, other than as a view.
static bool mayKeep(Operation *op) {
  return op->hasTrait<OpTrait::IsTerminator>() ||
         isa<RegionBranchOpInterface, BranchOpInterface,
             memref::ExtractAlignedPointerAsIndexOp>(op) ||
         llvm::any_of(op->getResultTypes(), [](Type type) {
           return isa<BaseMemRefType, TensorType>(type);
         });
}

// Nullopt where a use may outlive the block, and without any use.
static std::optional<Lifetime> findLifetime(memref::AllocOp alloc) {
  Lifetime result{alloc};
  Block *block = alloc->getBlock();
  SmallVector<Value> work = {alloc.getResult()};
  while (!work.empty())
    for (Operation *user : work.pop_back_val().getUsers()) {
      Operation *here = block->findAncestorOpInBlock(*user);
      if (!here || here->hasTrait<OpTrait::IsTerminator>())
        return std::nullopt;
      result.include(here);
      if (isa<ViewLikeOpInterface>(user) && user->getNumResults() == 1 &&
          isa<BaseMemRefType>(user->getResult(0).getType()))
        work.push_back(user->getResult(0));
      else if (mayKeep(user))
        return std::nullopt;
    }
  return result.first ? std::optional(result) : std::nullopt;
}

static StringRef getMark() {
  return bufferization::BufferizationDialect::kManualDeallocation;
}

namespace {
struct BeginBuffers : dtensor::impl::BeginBuffersBase<BeginBuffers> {
  void runOnOperation() override {
    std::vector<Lifetime> lifetimes;
    getOperation().walk([&](memref::AllocOp alloc) {
      if (std::optional<Lifetime> lifetime = findLifetime(alloc))
        lifetimes.push_back(*lifetime);
    });
    for (Lifetime lifetime : lifetimes) {
      lifetime.alloc->moveBefore(lifetime.first);
      lifetime.alloc->setAttr(getMark(), UnitAttr::get(&getContext()));
    }
  }
};

struct EndBuffers : dtensor::impl::EndBuffersBase<EndBuffers> {
  void runOnOperation() override {
    OpBuilder builder(&getContext());
    getOperation().walk([&](memref::AllocOp alloc) {
      if (!alloc->removeAttr(getMark()))
        return;
      if (std::optional<Lifetime> lifetime = findLifetime(alloc))
        builder.setInsertionPointAfter(lifetime->last);
      else
        builder.setInsertionPoint(alloc->getBlock()->getTerminator());
      memref::DeallocOp::create(builder, alloc.getLoc(), alloc);
    });
  }
};
} // namespace
