//===- BackwardMethods.h - the methods of gradients -------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_IR_BACKWARDMETHODS_H
#define DTENSOR_LIB_DIALECT_DTENSOR_IR_BACKWARDMETHODS_H

#include "CompositeUtils.h"
#include "dtensor/Dialect/DTensor/IR/BackwardOps.h"

namespace dtensor {

DTENSOR_COMPOSITE_METHODS(SoftmaxBackward);
DTENSOR_COMPOSITE_METHODS(NormBackward);
DTENSOR_COMPOSITE_METHODS(GroupNormBackward);
DTENSOR_COMPOSITE_METHODS(BatchNormBackward);
DTENSOR_COMPOSITE_METHODS(ExtremumBackward);
DTENSOR_COMPOSITE_METHODS(LookupBackward);
DTENSOR_COMPOSITE_METHODS(PartBackward);
DTENSOR_COMPOSITE_METHODS(AttentionBackward);

/// All operands but those numbered in `others` and all results but those in
/// `otherResults`, not the first, are floats of one type; the others that are
/// there have the accumulator's type. An operand may be an index instead.
llvm::LogicalResult verifyFloats(mlir::Operation *op,
                                 llvm::ArrayRef<unsigned> others = {},
                                 llvm::ArrayRef<unsigned> otherResults = {});

/// Operand `number` has the rank and extents `expected`.
llvm::LogicalResult checkOperand(mlir::Operation *op, unsigned number,
                                 llvm::ArrayRef<Expr> extents,
                                 llvm::ArrayRef<Expr> expected,
                                 const Facts &facts);

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_BACKWARDMETHODS_H
