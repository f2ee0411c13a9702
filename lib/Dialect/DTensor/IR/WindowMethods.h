//===- WindowMethods.h - the methods of pooling ops -------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_IR_WINDOWMETHODS_H
#define DTENSOR_LIB_DIALECT_DTENSOR_IR_WINDOWMETHODS_H

#include "CompositeUtils.h"

namespace dtensor {

llvm::LogicalResult inferPool(mlir::Operation *op,
                              llvm::ArrayRef<ExtentList> operands,
                              const Facts &facts,
                              llvm::SmallVectorImpl<ExtentList> &results);
llvm::LogicalResult decomposePool(mlir::Operation *op, mlir::OpBuilder &builder,
                                  mlir::ValueRange operands,
                                  mlir::TypeRange resultTypes,
                                  llvm::SmallVectorImpl<mlir::Value> &results);
llvm::LogicalResult verifyPool(mlir::Operation *op);
llvm::LogicalResult
inferAdaptivePool(mlir::Operation *op, llvm::ArrayRef<ExtentList> operands,
                  const Facts &facts,
                  llvm::SmallVectorImpl<ExtentList> &results);
llvm::LogicalResult
decomposeAdaptivePool(mlir::Operation *op, mlir::OpBuilder &builder,
                      mlir::ValueRange operands, mlir::TypeRange resultTypes,
                      llvm::SmallVectorImpl<mlir::Value> &results);
llvm::LogicalResult verifyAdaptivePool(mlir::Operation *op);

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_WINDOWMETHODS_H
