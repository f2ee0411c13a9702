//===- OrderedMethods.h - what ordered ops share ----------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_IR_ORDEREDMETHODS_H
#define DTENSOR_LIB_DIALECT_DTENSOR_IR_ORDEREDMETHODS_H

#include "CompositeUtils.h"
#include "dtensor/Dialect/DTensor/IR/ScatterOps.h"

namespace dtensor {

/// The extents of target, indices and updates go together; errors at `op`.
llvm::LogicalResult checkScatter(mlir::Operation *op,
                                 llvm::ArrayRef<Expr> target,
                                 llvm::ArrayRef<Expr> indices,
                                 llvm::ArrayRef<Expr> updates, int64_t dim,
                                 bool rows, const Facts &facts);

// The methods of the composite ops.
DTENSOR_COMPOSITE_METHODS(Ordered);

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_ORDEREDMETHODS_H
