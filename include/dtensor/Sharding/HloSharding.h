//===- HloSharding.h - Layouts in the words of XLA --------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// XLA says of a tensor into how many tiles each dimension is cut and which
// device has which tile; devices are the ranks of the mesh, row-major:
//
//   {replicated}
//   {devices=[2,1,4]0,1,2,3,4,5,6,7 last_tile_dim_replicate}
//   {devices=[4,2]<=[2,4]T(1,0)}
//
// The second form of devices is an iota, reshaped and transposed. A last tile
// dimension that is replicated counts the devices that share a tile. Pending
// reductions, units and open placements have no words there. Tiles of a
// dimension of N elements are ceil(N / tiles) wide, which is where one axis
// cuts; several axes of one dimension cut there only if their sizes divide N.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_SHARDING_HLOSHARDING_H
#define DTENSOR_SHARDING_HLOSHARDING_H

#include "dtensor/Sharding/Layout.h"

namespace dtensor {

/// How devices are written.
enum class HloDevices { List, Iota };

/// The canonical text of `layout` on a mesh of these sizes; nullopt after an
/// error where there is none.
std::optional<std::string> printHloSharding(const Layout &layout,
                                            llvm::ArrayRef<int64_t> meshSizes,
                                            HloDevices devices,
                                            EmitError emitError);

/// The layout with `extents` that `text` says; nullopt after an error where
/// `text` is malformed, or no layout of the mesh says the same. An axis of size
/// 1 comes back replicated.
std::optional<Layout> parseHloSharding(llvm::StringRef text,
                                       llvm::ArrayRef<int64_t> meshSizes,
                                       llvm::ArrayRef<Expr> extents,
                                       EmitError emitError);

} // namespace dtensor

#endif // DTENSOR_SHARDING_HLOSHARDING_H
