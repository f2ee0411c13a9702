//===- ShapingMethods.h - parts, joins and rearrangements -------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_IR_SHAPINGMETHODS_H
#define DTENSOR_LIB_DIALECT_DTENSOR_IR_SHAPINGMETHODS_H

#include "CompositeUtils.h"
#include "dtensor/Dialect/DTensor/IR/ShapingOps.h"

namespace dtensor {

llvm::LogicalResult
decomposeShaping(mlir::Operation *op, mlir::OpBuilder &builder,
                 mlir::ValueRange operands, mlir::TypeRange resultTypes,
                 llvm::SmallVectorImpl<mlir::Value> &results);

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_SHAPINGMETHODS_H
