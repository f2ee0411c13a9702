//===- GPUDialect.h - work of a device before LLVM --------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_CONVERSION_GPU_GPUDIALECT_H
#define DTENSOR_CONVERSION_GPU_GPUDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dtensor/Conversion/GPU/GPUDialect.h.inc"

#define GET_OP_CLASSES
#include "dtensor/Conversion/GPU/GPUOps.h.inc"

namespace mlir {
class LLVMTypeConverter;
class ModuleOp;
class RewritePatternSet;
} // namespace mlir

namespace dtensor {

/// The `gpu.module` of a program's kernels.
inline constexpr llvm::StringLiteral kKernelModule = "kernels";

/// Makes the ops of dtensor_gpu bufferizable.
void registerDeviceBufferization(mlir::DialectRegistry &registry);

/// Calls of the runtime for ops of dtensor_gpu on buffers.
void populateDeviceToLLVMPatterns(const mlir::LLVMTypeConverter &converter,
                                  mlir::RewritePatternSet &patterns);

} // namespace dtensor

#endif // DTENSOR_CONVERSION_GPU_GPUDIALECT_H
