//===- DTensorSpec.h - Layouts in the words of PyTorch ----------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A DTensor has one placement per axis of its mesh, applied from left to right.
// Axes that cut a dimension in another order say so by strided shards: the
// split factor of an axis is the product of the sizes of those axes to the
// right of it that cut before it. Units and open placements have no words
// there. A strided shard is ours only where its dimension divides: elsewhere
// PyTorch cuts what it has put together from several pieces.
//
// The canonical text, in one line; a size or an extent that is no number is
// null or an expression, and facts of axes stand beside:
//
//   {"mesh": {"dim_names": ["dp", "tp"], "shape": [2, null],
//             "facts": [{}, {"divides": 64}]},
//    "placements": [{"type": "shard", "dim": 0}, {"type": "replicate"}],
//    "shape": [8, "2*B"]}
//
// Placements are of type "replicate", "shard" with "dim", "strided_shard" with
// "dim" and "split_factor", "partial" with "reduce_op".
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_SHARDING_DTENSORSPEC_H
#define DTENSOR_SHARDING_DTENSORSPEC_H

#include "dtensor/Sharding/Layout.h"

namespace dtensor {

/// A placement of PyTorch: `placement` is not open and has no unit. Of a shard
/// a factor above 1 makes a strided one.
struct DTensorPlacement {
  Placement placement;
  int64_t splitFactor = 1;
};

/// nullopt after an error where PyTorch has no words for `layout`. An axis of
/// size 1 cuts nothing, so its place in the order is not told.
std::optional<llvm::SmallVector<DTensorPlacement>>
toDTensorPlacements(const Layout &layout, const Mesh &mesh,
                    EmitError emitError);

/// The inverse; nullopt after an error where no layout says the same.
std::optional<Layout>
fromDTensorPlacements(llvm::ArrayRef<DTensorPlacement> placements,
                      const Mesh &mesh, llvm::ArrayRef<Expr> extents,
                      EmitError emitError);

/// The canonical text; nullopt after an error as above.
std::optional<std::string>
printDTensorSpec(const Layout &layout, const Mesh &mesh, EmitError emitError);

/// What `text` says; nullopt after an error that names the place in it.
std::optional<std::pair<Mesh, Layout>> parseDTensorSpec(llvm::StringRef text,
                                                        ExprContext &context,
                                                        EmitError emitError);

} // namespace dtensor

#endif // DTENSOR_SHARDING_DTENSORSPEC_H
