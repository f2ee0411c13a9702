//===- SdyDialect.h - the words of Shardy -----------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Attributes wrap the values of lib/Sharding; this header adds no mathematics.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_INTERCHANGE_SHARDY_SDYDIALECT_H
#define DTENSOR_INTERCHANGE_SHARDY_SDYDIALECT_H

#include "dtensor/Sharding/SdySharding.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dtensor/Interchange/Shardy/SdyDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dtensor/Interchange/Shardy/SdyAttrs.h.inc"

#define GET_OP_CLASSES
#include "dtensor/Interchange/Shardy/SdyOps.h.inc"

namespace dtensor::sdy {

/// The attribute with the sharding of an argument, or of the results of an op.
inline constexpr llvm::StringLiteral kShardingAttr = "sdy.sharding";

} // namespace dtensor::sdy

#endif // DTENSOR_INTERCHANGE_SHARDY_SDYDIALECT_H
