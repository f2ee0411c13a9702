//===- LoopSchedule.h - Loop nests for linalg on buffers --------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_CONVERSION_LOOPSCHEDULE_H
#define DTENSOR_LIB_CONVERSION_LOOPSCHEDULE_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace dtensor {

/// How an operand's address changes along one loop.
enum class Access { Invariant, Contiguous, Strided };

/// The access of `operand` (a memref) along loop `loop`. Strided whenever
/// contiguity is not visible in the types.
Access classifyAccess(mlir::linalg::LinalgOp op, mlir::OpOperand &operand,
                      unsigned loop);

/// The indices at which `operand` is accessed for the given loop positions.
llvm::SmallVector<mlir::Value>
buildIndices(mlir::OpBuilder &builder, mlir::linalg::LinalgOp op,
             mlir::OpOperand &operand, llvm::ArrayRef<mlir::Value> positions);

/// The number of trips of every loop, as index values.
llvm::SmallVector<mlir::Value> buildExtents(mlir::OpBuilder &builder,
                                            mlir::linalg::LinalgOp op);

/// Writes a product of matrices blocked for caches and registers in place of
/// `op`. Does nothing and returns false if `op` is none.
bool lowerContraction(mlir::RewriterBase &rewriter, mlir::linalg::LinalgOp op);

} // namespace dtensor

#endif // DTENSOR_LIB_CONVERSION_LOOPSCHEDULE_H
