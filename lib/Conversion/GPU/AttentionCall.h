//===- AttentionCall.h - The library call of an attention -----*- C++ -*-===//
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

/// Makes `op` a call of the prebuilt kernel. Doubles have none; they stay.
void callAttention(AttentionOp op, mlir::Value context,
                   mlir::RewriterBase &rewriter);

} // namespace dtensor

#endif // DTENSOR_CONVERSION_GPU_ATTENTIONCALL_H
