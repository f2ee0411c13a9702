//===- KernelSources.h - What kernels start from ----------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_CONVERSION_GPU_KERNELSOURCES_H
#define DTENSOR_LIB_CONVERSION_GPU_KERNELSOURCES_H

#include "mlir/IR/PatternMatch.h"

namespace dtensor {

/// Brings fills, scalars of the host and generated tensors of a block into the
/// form in which kernels read them.
void prepareSources(mlir::RewriterBase &rewriter, mlir::Block &block);

} // namespace dtensor

#endif // DTENSOR_LIB_CONVERSION_GPU_KERNELSOURCES_H
