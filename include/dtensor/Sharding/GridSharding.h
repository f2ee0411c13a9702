//===- GridSharding.h - Layouts in the words of MLIR ------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// MLIR's dialect `shard` says of every dimension which axes of a grid split it,
// major first, so it has an order of axes and no pending reductions, no units
// and no open placements:
//
//   shard.sharding @grid split_axes = [[], [1, 0]]
//
// All shards are of one size there, unless it is said where each begins: n
// shards of one dimension have n + 1 numbers, the last one is the end.
//
//   shard.sharding @grid split_axes = [[0]] sharded_dims_offsets = [0, 3, 6, 7]
//
// That is how our uneven shards are written. It needs sizes that are numbers;
// where they are not, shards are written without offsets.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_SHARDING_GRIDSHARDING_H
#define DTENSOR_SHARDING_GRIDSHARDING_H

#include "dtensor/Sharding/Layout.h"

namespace dtensor {

struct GridSharding {
  using Axes = llvm::SmallVector<int16_t, 2>;
  /// Of each dimension, major first. Dimensions at the end may be left out.
  llvm::SmallVector<Axes, 4> splitAxes;
  /// Of each dimension that is split, one behind the other; or empty.
  llvm::SmallVector<int64_t> offsets;
};

/// `layout` in these words; nullopt after an error where there are none.
std::optional<GridSharding>
toGridSharding(const Layout &layout, const Mesh &mesh, EmitError emitError);

/// The layout with `extents` that `sharding` says; nullopt after an error where
/// its axes are none of `mesh`, or no layout cuts where its offsets do.
std::optional<Layout> fromGridSharding(const GridSharding &sharding,
                                       const Mesh &mesh,
                                       llvm::ArrayRef<Expr> extents,
                                       EmitError emitError);

} // namespace dtensor

#endif // DTENSOR_SHARDING_GRIDSHARDING_H
