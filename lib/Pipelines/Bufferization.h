//===- Bufferization.h - What the targets have in common --------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_PIPELINES_BUFFERIZATION_H
#define DTENSOR_LIB_PIPELINES_BUFFERIZATION_H

#include "mlir/Pass/PassManager.h"

namespace dtensor {

/// From tensors to buffers that are allocated and freed.
void addBufferization(mlir::OpPassManager &manager);

/// Neither a processor nor a GPU has scalar f16 and bf16 arithmetic worth
/// using: every op goes to f32 and back, which rounds as PyTorch does.
void addSmallFloats(mlir::OpPassManager &manager);

} // namespace dtensor

#endif // DTENSOR_LIB_PIPELINES_BUFFERIZATION_H
