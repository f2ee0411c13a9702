//===- GridAttrs.h - What the shard dialect has no words for ----*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A grid has no names of axes and no facts about sizes, a sharding no extents.
// They are written beside, in discardable attributes of builtin kinds, so that
// tools without this dialect read them and carry them along.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_INTERCHANGE_SHARD_GRIDATTRS_H
#define DTENSOR_LIB_INTERCHANGE_SHARD_GRIDATTRS_H

#include "dtensor/Dialect/DTensor/IR/DTensorDialect.h"

#include "mlir/Dialect/Shard/IR/ShardOps.h"

namespace dtensor {

/// On a grid: `["dp", "tp"]`.
inline constexpr llvm::StringLiteral kAxesAttr = "dtensor.axes";
/// On a grid: of each axis what a mesh has in braces, `["", "divides 64"]`.
inline constexpr llvm::StringLiteral kAxisFactsAttr = "dtensor.axis_facts";
/// On a module or a function: the grid that is its `dtensor.mesh`.
inline constexpr llvm::StringLiteral kGridAttr = "dtensor.grid";
/// On a `shard.shard`: `["B*S", "256"]`.
inline constexpr llvm::StringLiteral kExtentsAttr = "dtensor.extents";
/// On a `shard.shard` that could be read otherwise: "constraint" or "result".
inline constexpr llvm::StringLiteral kOfAttr = "dtensor.of";
/// On a `constraint`: its `shard.shard` is what users of the value see.
inline constexpr llvm::StringLiteral kForUsersAttr = "shard.annotate_for_users";

void writeAxes(mlir::shard::GridOp grid, const Mesh &mesh);
/// Fails after an error.
mlir::FailureOr<MeshAttr> readAxes(mlir::shard::GridOp grid);

/// Nothing where `type` says the same.
void writeExtents(mlir::Operation *op, mlir::RankedTensorType type,
                  llvm::ArrayRef<Expr> extents);
/// Null for a dynamic dimension of which nothing is written; fails after an
/// error.
mlir::FailureOr<llvm::SmallVector<Expr>>
readExtents(mlir::Operation *op, mlir::RankedTensorType type);

} // namespace dtensor

#endif // DTENSOR_LIB_INTERCHANGE_SHARD_GRIDATTRS_H
