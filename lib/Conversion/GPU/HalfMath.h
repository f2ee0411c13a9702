//===- HalfMath.h - Mathematics of kernels that store halves ----*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_CONVERSION_GPU_HALFMATH_H
#define DTENSOR_LIB_CONVERSION_GPU_HALFMATH_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace dtensor {

/// Gives a kernel whose only results are bf16 or f16 the device's own
/// instructions for f32: they are off by a few units of the last of 24 bits,
/// of which 8 or 11 are stored.
void useHalfMath(mlir::gpu::GPUFuncOp kernel);

/// bf16 elements of vectors become f32 in one instruction each.
void widenPairs(mlir::gpu::GPUFuncOp kernel);

} // namespace dtensor

#endif // DTENSOR_LIB_CONVERSION_GPU_HALFMATH_H
