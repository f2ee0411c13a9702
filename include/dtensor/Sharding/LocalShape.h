//===- LocalShape.h - From global extents to one rank's piece ---*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One axis of n ranks cuts N elements in units of U into pieces of
//
//   c         = U * ceildiv(ceildiv(N, U), n)
//   size(r)   = clamp(N - r*c, 0, c)
//   offset(r) = min(N, r*c)
//
// so that sizes add up to N, offset(r) is the sum of the sizes before r, and
// only a tail of pieces is short or empty. Nested axes cut the piece that the
// axes before them left, with the same formula. Unit 0 counts as 1, so that
// the formulas are defined for every value of every symbol.
//
// The capacity is what a rank must reserve. It is the formula c applied to the
// capacity before, which does not depend on r: equal on all ranks, and never
// below the size because c grows with N.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_SHARDING_LOCALSHAPE_H
#define DTENSOR_SHARDING_LOCALSHAPE_H

#include "dtensor/Sharding/Layout.h"

namespace dtensor {

/// One dimension of the piece that one rank holds; all in elements.
struct LocalDim {
  Expr size;
  /// Where the piece begins in the global dimension.
  Expr offset;
  /// The padded size, equal on all ranks.
  Expr capacity;
};

/// c of the formula above. A null unit is 1.
Expr chunkSize(Expr extent, Expr unit, Expr axisSize);

/// Cuts `extent` by one axis. `offset` is relative to the cut extent.
LocalDim shardDim(Expr extent, Expr capacity, Expr unit, Expr axisSize,
                  Expr axisIndex);

/// Cuts dimension `dim` of `layout` by all axes that shard it. With `facts`,
/// pieces that are proved to be equal get the plain N / n as their formula
/// (same value, fewer operations).
LocalDim localDim(const Mesh &mesh, const Layout &layout, unsigned dim,
                  ExprContext &context, const Facts *facts = nullptr);

/// Proved: U * n divides N, so that every piece is N / n, whatever the unit.
bool shardsEvenly(Expr extent, Expr unit, Expr axisSize, const Facts &facts);

/// Proved: both units give the same pieces.
bool chunksAgree(Expr extent, Expr unitA, Expr unitB, Expr axisSize,
                 const Facts &facts);

/// Proved: the nested `axes`, major to minor, give the same pieces of `extent`
/// under both units.
bool chunksAgree(const Mesh &mesh, llvm::ArrayRef<unsigned> axes, Expr extent,
                 Expr unitA, Expr unitB, ExprContext &context,
                 const Facts &facts);

/// Elements of the padded local piece, the product of the capacities.
Expr localCapacity(const Mesh &mesh, const Layout &layout,
                   ExprContext &context);

} // namespace dtensor

#endif // DTENSOR_SHARDING_LOCALSHAPE_H
