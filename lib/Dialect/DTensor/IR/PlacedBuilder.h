//===- PlacedBuilder.h - values of decided placements -----------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For expansions, which run after all placements are decided: types are like
// those of another value, with dimensions elsewhere, gone or whole.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_IR_PLACEDBUILDER_H
#define DTENSOR_LIB_DIALECT_DTENSOR_IR_PLACEDBUILDER_H

#include "CoreBuilders.h"

namespace dtensor {

/// Where a dimension went, in a list with one entry per dimension.
constexpr int64_t kWhole = -1;

/// A tensor of `element` and `extents` on the mesh of `like`. Axes that shard
/// dimension i of `like` shard dimension dims[i], in its unit; kWhole
/// replicates them.
mlir::RankedTensorType placedType(mlir::Value like, mlir::Type element,
                                  llvm::ArrayRef<int64_t> dims,
                                  llvm::ArrayRef<Expr> extents);

/// `value` in the placements of `type`; itself if it has them.
mlir::Value buildMove(CoreBuilder core, mlir::Value value, mlir::Type type);

/// One dimension of a value that is sharded, and the rows that its shards are.
struct ShardRows {
  CoreBuilder core;
  mlir::Value input;
  unsigned dim;
  /// The number of ranks, and the capacity of a shard.
  Expr ranks, capacity;

  ShardRows(CoreBuilder core, mlir::Value input, unsigned dim);

  unsigned rank() const { return getExtents(input).size(); }
  /// The extents with `dim` replaced.
  ExtentList extents(llvm::ArrayRef<Expr> replacement) const;
  /// [..., ranks, `inner`, ...], one row on each rank.
  mlir::RankedTensorType rowsType(mlir::Type element, Expr inner) const;
  /// [..., ranks, ...], one element on each rank.
  mlir::RankedTensorType perRankType(mlir::Type element) const;
  mlir::Value stack(mlir::TypedAttr value) const;
};

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_PLACEDBUILDER_H
