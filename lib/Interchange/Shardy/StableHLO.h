//===- StableHLO.h - ops of StableHLO without StableHLO ---------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Programs of Shardy are mostly written in StableHLO. Its ops are read in
// MLIR's generic form, unregistered, and become ours; only what a program of a
// model is mostly made of is known.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_INTERCHANGE_SHARDY_STABLEHLO_H
#define DTENSOR_INTERCHANGE_SHARDY_STABLEHLO_H

#include "mlir/IR/Operation.h"

namespace dtensor {

/// Replaces every op of StableHLO below `root` by ours; fails after an error
/// where there is none that means the same.
llvm::LogicalResult convertStableHLO(mlir::Operation *root);

/// Is element i of the results made of the elements i of the operands alone? Of
/// ops of StableHLO, and those that MLIR knows to be so.
bool isPointwise(mlir::Operation *op);

} // namespace dtensor

#endif // DTENSOR_INTERCHANGE_SHARDY_STABLEHLO_H
