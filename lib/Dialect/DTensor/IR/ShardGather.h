//===- ShardGather.h - a shard that is gathered -----------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_IR_SHARDGATHER_H
#define DTENSOR_LIB_DIALECT_DTENSOR_IR_SHARDGATHER_H

#include "dtensor/Dialect/DTensor/IR/CoreOps.h"

namespace dtensor {

/// The one axis that cuts dimension `dim`, between any two elements.
std::optional<unsigned> soleAxis(LayoutAttr layout, unsigned dim);

/// The gather of dimension `dim` of `value` along `axis`, for one user alone;
/// null if that is not where it comes from.
RedistributeOp gatherOf(mlir::Value value, unsigned dim, unsigned axis);

/// The rank along `axis` whose shard is taken.
struct ShardSource {
  MeshAttr mesh;
  unsigned axis;
  mlir::Value rank;
};

/// What the source has in place of `local`: `size` elements of dimension `dim`,
/// of the others as many as `local`.
mlir::Value passShard(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value local, const ShardSource &from, unsigned dim,
                      mlir::Value size);

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_SHARDGATHER_H
