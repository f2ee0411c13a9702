//===- DropUnitDims.cpp - Views drop the dimensions that slices drop ------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A slice of sizes [1, n, 1, k] that becomes a 1 x ? x ? loses its third
// dimension: `tensor.extract_slice` compares sizes, from the last one on. A
// `memref.subview` of the same sizes and type compares strides, and where these
// are dynamic takes the first dimension of size 1: rows of n become one row. So
// a view that would differ is taken of full rank and then collapsed, which
// names the dimensions.
//
//===----------------------------------------------------------------------===//

#include "dtensor/Conversion/Passes.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallBitVector.h"

namespace dtensor {
#define GEN_PASS_DEF_DROPUNITDIMS
#include "dtensor/Conversion/Passes.h.inc"
} // namespace dtensor

using namespace mlir;

/// What `tensor.extract_slice` drops: see ExtractSliceOp::getDroppedDims. Only
/// sizes that are written as numbers count.
static llvm::SmallBitVector dimsDroppedBySlice(memref::SubViewOp view) {
  ArrayRef<int64_t> kept = view.getType().getShape();
  ArrayRef<int64_t> sizes = view.getStaticSizes();
  llvm::SmallBitVector dropped(sizes.size());
  for (int64_t dim = sizes.size() - 1; dim >= 0; --dim)
    if (kept.empty() || (sizes[dim] == 1 && kept.back() != 1))
      dropped.set(dim);
    else
      kept = kept.drop_back();
  return dropped;
}

static SmallVector<OpFoldResult>
keptSizes(memref::SubViewOp view, const llvm::SmallBitVector &dropped) {
  SmallVector<OpFoldResult> kept;
  for (auto [dim, size] : llvm::enumerate(view.getMixedSizes()))
    if (!dropped[dim])
      kept.push_back(size);
  return kept;
}

/// Every dimension that stays takes those after it that are dropped, the first
/// one also those before it.
static SmallVector<ReassociationIndices>
groupDims(const llvm::SmallBitVector &dropped) {
  SmallVector<ReassociationIndices> groups(1);
  bool hasKept = false;
  for (unsigned dim = 0; dim < dropped.size(); ++dim) {
    if (!dropped[dim] && std::exchange(hasKept, true))
      groups.emplace_back();
    groups.back().push_back(dim);
  }
  return groups;
}

static void collapse(memref::SubViewOp view,
                     const llvm::SmallBitVector &dropped,
                     RewriterBase &rewriter) {
  rewriter.setInsertionPoint(view);
  Location loc = view.getLoc();
  Value whole = memref::SubViewOp::create(
      rewriter, loc, view.getSource(), view.getMixedOffsets(),
      view.getMixedSizes(), view.getMixedStrides());
  Value collapsed =
      memref::CollapseShapeOp::create(rewriter, loc, whole, groupDims(dropped));
  if (collapsed.getType() != view.getType())
    collapsed =
        memref::CastOp::create(rewriter, loc, view.getType(), collapsed);
  rewriter.replaceOp(view, collapsed);
}

namespace {
struct DropUnitDims : dtensor::impl::DropUnitDimsBase<DropUnitDims> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    getOperation()->walk([&](memref::SubViewOp view) {
      int64_t rank = view.getType().getRank();
      if (rank == 0 || rank == view.getSourceType().getRank())
        return;
      llvm::SmallBitVector dropped = dimsDroppedBySlice(view);
      // The stride of a dimension of size 1 means nothing.
      if (keptSizes(view, dropped) != keptSizes(view, view.getDroppedDims()))
        collapse(view, dropped, rewriter);
    });
  }
};
} // namespace
