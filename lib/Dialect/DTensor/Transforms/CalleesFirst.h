//===- CalleesFirst.h - functions in call order -----------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_TRANSFORMS_CALLEESFIRST_H
#define DTENSOR_DIALECT_DTENSOR_TRANSFORMS_CALLEESFIRST_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace dtensor {

/// All functions of `module`, every callee before its callers, otherwise in
/// their order. Recursion is an error at a call that closes the cycle.
llvm::LogicalResult
calleesFirst(mlir::ModuleOp module,
             llvm::SmallVectorImpl<mlir::func::FuncOp> &order);

} // namespace dtensor

#endif // DTENSOR_DIALECT_DTENSOR_TRANSFORMS_CALLEESFIRST_H
