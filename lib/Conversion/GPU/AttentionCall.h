//===- AttentionCall.h - The library calls of attention -------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_CONVERSION_GPU_ATTENTIONCALL_H
#define DTENSOR_CONVERSION_GPU_ATTENTIONCALL_H

#include "dtensor/Dialect/DTensor/IR/DTensor.h"

#include "mlir/IR/PatternMatch.h"

namespace dtensor {

/// Makes attention and its gradients in `root` calls of the prebuilt kernels.
/// Doubles have none: they become products of matrices and what is between.
void callAttentions(mlir::Operation *root, mlir::Value context,
                    mlir::RewriterBase &rewriter);

} // namespace dtensor

#endif // DTENSOR_CONVERSION_GPU_ATTENTIONCALL_H
