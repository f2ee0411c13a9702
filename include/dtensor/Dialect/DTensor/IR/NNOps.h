//===- NNOps.h - softmax, norms and attention -------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_NNOPS_H
#define DTENSOR_DIALECT_DTENSOR_IR_NNOPS_H

#include "dtensor/Dialect/DTensor/IR/DTensorDialect.h"
#include "dtensor/Interfaces/Interfaces.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define GET_OP_CLASSES
#include "dtensor/Dialect/DTensor/IR/NNOps.h.inc"

namespace dtensor {

/// Builds `op`, whose tensors have no layout, of `linalg` and `tensor` ops and
/// returns the values for its results. Any sizes; the op stays where it is.
llvm::SmallVector<mlir::Value> lowerAttentionToLinalg(mlir::OpBuilder &builder,
                                                      AttentionOp op);
llvm::SmallVector<mlir::Value> lowerAttentionToLinalg(mlir::OpBuilder &builder,
                                                      AttentionQueryGradOp op);
llvm::SmallVector<mlir::Value>
lowerAttentionToLinalg(mlir::OpBuilder &builder, AttentionKeyValueGradOp op);

} // namespace dtensor

#endif // DTENSOR_DIALECT_DTENSOR_IR_NNOPS_H
