//===- OutlineLoops.h - Element-wise host code to kernels -------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_CONVERSION_GPU_OUTLINELOOPS_H
#define DTENSOR_LIB_CONVERSION_GPU_OUTLINELOOPS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/DenseSet.h"

namespace dtensor {

/// Moves loops over single elements of buffers, and single accesses, from the
/// host program `function` into kernels. `hostAccesses` stay where they are, as
/// does what cannot move; the caller reports it.
void outlineLoops(mlir::func::FuncOp function, mlir::Value context,
                  mlir::RewriterBase &rewriter,
                  const llvm::DenseSet<mlir::Operation *> &hostAccesses);

} // namespace dtensor

#endif // DTENSOR_LIB_CONVERSION_GPU_OUTLINELOOPS_H
