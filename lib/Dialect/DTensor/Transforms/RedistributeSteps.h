//===- RedistributeSteps.h - plans as local ops -----------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_TRANSFORMS_REDISTRIBUTESTEPS_H
#define DTENSOR_DIALECT_DTENSOR_TRANSFORMS_REDISTRIBUTESTEPS_H

#include "LocalFunction.h"

namespace dtensor {

/// Builds the steps of the plan of `op` on the shard `input` and returns the
/// shard in the new layout. Precondition: `op` has a plan.
mlir::Value emitRedistribution(mlir::OpBuilder &builder, RedistributeOp op,
                               mlir::Value input, LocalFunction &function);

/// `value` as `type`: a tensor.cast where only static sizes differ.
mlir::Value castTo(mlir::OpBuilder &builder, mlir::Location loc,
                   mlir::Value value, mlir::Type type);

} // namespace dtensor

#endif // DTENSOR_DIALECT_DTENSOR_TRANSFORMS_REDISTRIBUTESTEPS_H
