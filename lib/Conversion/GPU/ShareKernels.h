//===- ShareKernels.h - Equal kernels are one -------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_CONVERSION_GPU_SHAREKERNELS_H
#define DTENSOR_LIB_CONVERSION_GPU_SHAREKERNELS_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace dtensor {

/// Erases kernels that equal an earlier one; their users in `module` use that.
void shareKernels(mlir::ModuleOp module, mlir::gpu::GPUModuleOp kernels);

} // namespace dtensor

#endif // DTENSOR_LIB_CONVERSION_GPU_SHAREKERNELS_H
