//===- Layout.h - How a mesh holds a tensor ---------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A layout is one placement per mesh axis, a nesting order, and the global
// extents. Several axes may shard one dimension: the first in nesting order
// cuts the whole dimension, each later one cuts the piece that is left.
//
// Nesting matters only among axes of one dimension, so many permutations mean
// the same. `canonicalizeOrder` picks one: with a(0) < a(1) < ... the axes of a
// dimension and l(0), l(1), ... the same axes major to minor, order[a(k)] =
// l(k). It is the identity exactly if no two axes of one dimension are swapped.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_SHARDING_LAYOUT_H
#define DTENSOR_SHARDING_LAYOUT_H

#include "dtensor/Sharding/Mesh.h"
#include "dtensor/Sharding/Placement.h"

namespace dtensor {

struct Layout {
  /// One per mesh axis, in mesh order.
  llvm::SmallVector<Placement, 2> placements;
  /// A permutation of the mesh axes, major to minor. Empty means identity.
  llvm::SmallVector<unsigned, 2> order;
  /// Global extents, one per tensor dimension (none for a scalar).
  llvm::SmallVector<Expr, 4> extents;

  Layout() = default;
  /// `order` is canonicalized; empty means mesh order.
  Layout(llvm::ArrayRef<Placement> placements, llvm::ArrayRef<Expr> extents,
         llvm::ArrayRef<unsigned> order = {});

  /// Replicated on `numAxes` axes.
  static Layout replicated(unsigned numAxes, llvm::ArrayRef<Expr> extents);

  unsigned getRank() const { return extents.size(); }
  unsigned getNumAxes() const { return placements.size(); }

  /// The mesh axes that shard `dim`, major to minor.
  llvm::SmallVector<unsigned> axesOf(unsigned dim) const;
  /// The axes that hold a pending reduction, ascending.
  llvm::SmallVector<unsigned> partialAxes() const;
  /// The unit of `dim`; null (1) if no axis shards it.
  Expr unitOf(unsigned dim) const;
  /// The axes that cut `axis`'s dimension before it does, major to minor;
  /// empty unless `axis` shards.
  llvm::SmallVector<unsigned> outerAxes(unsigned axis) const;

  bool hasOpen() const;
  bool hasPartial() const;
  bool isReplicated() const;
  bool hasDefaultOrder() const;
  /// Do both say the same about where elements live, whatever the extents?
  bool samePlacements(const Layout &other) const;

  /// `change` of every extent and unit.
  Layout mapExprs(llvm::function_ref<Expr(Expr)> change) const;

  /// See the top of the file. Needs `order` empty or a permutation.
  void canonicalizeOrder();

  /// One placement per axis of `mesh`; shard dimensions below the rank;
  /// partial kinds that do not mix; units not known to be below 1 and equal
  /// among the axes of one dimension; `order` a permutation; every extent
  /// present, without overflow and not a negative constant.
  bool verify(const Mesh &mesh, EmitError emitError) const;

  bool operator==(const Layout &other) const;
  bool operator!=(const Layout &other) const { return !(*this == other); }

  /// Without brackets around the whole: `[shard(0), replicate], (B, S)`, and
  /// `, order = [1, 0]` behind it where the order is not the default.
  void print(llvm::raw_ostream &os) const;
  std::string str() const;
};

llvm::hash_code hash_value(const Layout &layout);

} // namespace dtensor

#endif // DTENSOR_SHARDING_LAYOUT_H
