//===- ScatterOps.h - writes at indices, and work in an order ---*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_SCATTEROPS_H
#define DTENSOR_DIALECT_DTENSOR_IR_SCATTEROPS_H

#include "dtensor/Dialect/DTensor/IR/DTensorDialect.h"
#include "dtensor/Interfaces/Interfaces.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define GET_OP_CLASSES
#include "dtensor/Dialect/DTensor/IR/ScatterOps.h.inc"

namespace dtensor {

/// `sum`, `product`, `max` or `min`; nothing for another word.
std::optional<ReduceKind> parseScanKind(llvm::StringRef kind);

/// `scatter`, `scan` or `sort` on tensors without layouts, as loops over their
/// elements: the values that stand for its results.
llvm::SmallVector<mlir::Value> lowerOrderedToLoops(mlir::OpBuilder &builder,
                                                   mlir::Operation *op);

} // namespace dtensor

#endif // DTENSOR_DIALECT_DTENSOR_IR_SCATTEROPS_H
