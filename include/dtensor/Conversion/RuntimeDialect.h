//===- RuntimeDialect.h - Calls of the runtime before LLVM ------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The dialect `dtensor_rt`, and the attributes that mark what the compiler adds
// to the signature of a function:
//
//   dtensor.context   the context of the calling rank, an !llvm.ptr
//   dtensor.result    i64: this memref receives result number i
//   dtensor.noalias   of a kernel: no other argument overlaps this memref
//
// and on a function
//
//   dtensor.kernel       it is one loop nest
//   dtensor.may_overlap  an output of the kernel may overlap another argument
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_CONVERSION_RUNTIMEDIALECT_H
#define DTENSOR_CONVERSION_RUNTIMEDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dtensor/Conversion/RuntimeDialect.h.inc"

#define GET_OP_CLASSES
#include "dtensor/Conversion/RuntimeOps.h.inc"

namespace dtensor {

inline constexpr llvm::StringLiteral kContextAttr = "dtensor.context";
inline constexpr llvm::StringLiteral kResultAttr = "dtensor.result";
inline constexpr llvm::StringLiteral kNoAliasAttr = "dtensor.noalias";
inline constexpr llvm::StringLiteral kKernelAttr = "dtensor.kernel";
inline constexpr llvm::StringLiteral kMayOverlapAttr = "dtensor.may_overlap";

/// The rank context argument of `function`; null before it was added.
mlir::Value getContextArgument(mlir::FunctionOpInterface function);

/// The code of an element type in the runtime's interface (Types.h); nullopt
/// for a type that cannot cross it.
std::optional<int32_t> getRuntimeDType(mlir::Type type);

/// The same for an element of a tensor, where an index is an i64.
std::optional<int32_t> getTensorDType(mlir::Type type);

/// Makes dtensor_rt.collective bufferizable.
void registerRuntimeBufferization(mlir::DialectRegistry &registry);

} // namespace dtensor

#endif // DTENSOR_CONVERSION_RUNTIMEDIALECT_H
