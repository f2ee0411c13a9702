//===- GPUPasses.h - From the local view to kernels -------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the CUDA targets do instead of loops on the host. Order: Pipelines.h.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_CONVERSION_GPU_GPUPASSES_H
#define DTENSOR_CONVERSION_GPU_GPUPASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir {
class ModuleOp;
namespace func {
class FuncOp;
} // namespace func
} // namespace mlir

namespace dtensor {

#define GEN_PASS_DECL
#include "dtensor/Conversion/GPU/GPUPasses.h.inc"

#define GEN_PASS_REGISTRATION
#include "dtensor/Conversion/GPU/GPUPasses.h.inc"

} // namespace dtensor

#endif // DTENSOR_CONVERSION_GPU_GPUPASSES_H
