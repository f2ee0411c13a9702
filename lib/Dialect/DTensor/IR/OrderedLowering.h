//===- OrderedLowering.h - ordered ops as loops -----------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_IR_ORDEREDLOWERING_H
#define DTENSOR_LIB_DIALECT_DTENSOR_IR_ORDEREDLOWERING_H

#include "CompositeUtils.h"
#include "LoopBuilder.h"
#include "dtensor/Dialect/DTensor/IR/LocalOps.h"
#include "dtensor/Dialect/DTensor/IR/ScatterOps.h"

namespace dtensor {

/// Which loop runs along which dimension of a scatter: the loops are the
/// dimensions of the updates; kBroadcast is where the index goes.
struct ScatterLoops {
  IteratorList indexDims, targetDims;
};
ScatterLoops scatterLoops(unsigned targetRank, unsigned indexRank, unsigned dim,
                          bool rows);

/// NaN is larger than all numbers.
mlir::Value buildIsBefore(Scalars s, mlir::Value lhs, mlir::Value rhs,
                          bool descending);

/// Row by row; values and positions.
llvm::SmallVector<mlir::Value> lowerSort(SortOp op, LoopBuilder loops);
llvm::SmallVector<mlir::Value> lowerMerge(MergeOp op, LoopBuilder loops);

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_ORDEREDLOWERING_H
