//===- OutlineKernels.cpp - One function per loop nest --------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// LLVM's time grows faster than the size of a function, and the layers of a
// model repeat their ops. So every linalg op goes into a function of its own,
// equal ones into the same, and what is left is a straight list of calls.
//
// An output is marked `dtensor.noalias` if the call site proves that it
// overlaps no other operand. Roots (values below all views) r and s are
// different memory if r != s and
//   * one is an allocation and the other was there before it, or
//   * both are among allocations, globals and results of the caller, or
//   * one is a result of the caller and the other its argument.
// Whether LLVM takes a vector loop must depend on sizes only, never on
// addresses, lest ranks get different bits for one value; so what is not proved
// here is not vectorized (see Native.cpp).
//
//===----------------------------------------------------------------------===//

#include "Outliner.h"
#include "dtensor/Conversion/Passes.h"
#include "dtensor/Conversion/RuntimeDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace dtensor {
#define GEN_PASS_DEF_OUTLINEKERNELS
#include "dtensor/Conversion/Passes.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;
using linalg::LinalgOp;

//===----------------------------------------------------------------------===//
// Aliasing
//===----------------------------------------------------------------------===//

static Value getRoot(Value buffer) {
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>())
    buffer = view.getViewSource();
  return buffer;
}

static bool isCallersArgument(Value root) {
  auto argument = dyn_cast<BlockArgument>(root);
  return argument && isa<func::FuncOp>(argument.getOwner()->getParentOp());
}

static bool isCallersResult(Value root) {
  if (!isCallersArgument(root))
    return false;
  auto argument = cast<BlockArgument>(root);
  auto function = cast<func::FuncOp>(argument.getOwner()->getParentOp());
  return function.getArgAttr(argument.getArgNumber(), kResultAttr) != nullptr;
}

static bool isObject(Value root) {
  return root.getDefiningOp<memref::AllocOp>() ||
         root.getDefiningOp<memref::GetGlobalOp>() || isCallersResult(root);
}

static bool areDistinct(Value lhs, Value rhs, DominanceInfo &dominance) {
  if (lhs == rhs)
    return false;
  auto isOlder = [&](Value old, Value fresh) {
    auto alloc = fresh.getDefiningOp<memref::AllocOp>();
    return alloc && dominance.properlyDominates(old, alloc);
  };
  return isOlder(lhs, rhs) || isOlder(rhs, lhs) ||
         (isObject(lhs) && isObject(rhs)) ||
         (isCallersResult(lhs) && isCallersArgument(rhs)) ||
         (isCallersArgument(lhs) && isCallersResult(rhs));
}

static bool isUnaliased(Value buffer, ValueRange operands,
                        DominanceInfo &dominance) {
  Value root = getRoot(buffer);
  return llvm::all_of(operands, [&](Value other) {
    return other == buffer || !isa<MemRefType>(other.getType()) ||
           areDistinct(root, getRoot(other), dominance);
  });
}

//===----------------------------------------------------------------------===//
// Outlining
//===----------------------------------------------------------------------===//

static void markOutputs(func::FuncOp kernel, LinalgOp op, ValueRange operands,
                        DominanceInfo &dominance) {
  Builder builder(op.getContext());
  for (Value init : op.getDpsInits())
    if (isUnaliased(init, operands, dominance))
      kernel.setArgAttr(llvm::find(operands, init) - operands.begin(),
                        kNoAliasAttr, builder.getUnitAttr());
    else
      kernel->setAttr(kMayOverlapAttr, builder.getUnitAttr());
}

// A copy between buffers that are not both contiguous is a loop nest, too; any
// other one becomes a memcpy later.
static void convertStridedCopy(memref::CopyOp copy) {
  auto source = cast<MemRefType>(copy.getSource().getType());
  auto target = cast<MemRefType>(copy.getTarget().getType());
  if (source.getLayout().isIdentity() && target.getLayout().isIdentity())
    return;
  IRRewriter rewriter(copy);
  unsigned rank = source.getRank();
  AffineMap map = rewriter.getMultiDimIdentityMap(rank);
  SmallVector<utils::IteratorType> kinds(rank, utils::IteratorType::parallel);
  linalg::GenericOp::create(
      rewriter, copy.getLoc(), ValueRange{copy.getSource()},
      ValueRange{copy.getTarget()}, ArrayRef<AffineMap>{map, map}, kinds,
      [](OpBuilder &builder, Location loc, ValueRange args) {
        linalg::YieldOp::create(builder, loc, args.front());
      });
  rewriter.eraseOp(copy);
}

namespace {
struct OutlineKernels : dtensor::impl::OutlineKernelsBase<OutlineKernels> {
  void runOnOperation() override {
    getOperation().walk([](memref::CopyOp copy) { convertStridedCopy(copy); });
    SmallVector<LinalgOp> ops;
    getOperation().walk([&](LinalgOp op) {
      if (op.hasPureBufferSemantics() && op.getNumLoops() > 0)
        ops.push_back(op);
    });
    Outliner outliner(getOperation(), "kernel");
    DominanceInfo dominance(getOperation());
    for (LinalgOp op : ops)
      outliner.outline(op, [&](func::FuncOp kernel, ValueRange operands) {
        markOutputs(kernel, op, operands, dominance);
      });
  }
};
} // namespace
