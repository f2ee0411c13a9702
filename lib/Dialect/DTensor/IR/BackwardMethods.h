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

llvm::LogicalResult
inferSoftmaxBackward(mlir::Operation *op, llvm::ArrayRef<ExtentList> operands,
                     const Facts &facts,
                     llvm::SmallVectorImpl<ExtentList> &results);
llvm::LogicalResult
decomposeSoftmaxBackward(mlir::Operation *op, mlir::OpBuilder &builder,
                         mlir::ValueRange operands, mlir::TypeRange resultTypes,
                         llvm::SmallVectorImpl<mlir::Value> &results);
llvm::LogicalResult verifySoftmaxBackward(mlir::Operation *op);

llvm::LogicalResult
inferNormBackward(mlir::Operation *op, llvm::ArrayRef<ExtentList> operands,
                  const Facts &facts,
                  llvm::SmallVectorImpl<ExtentList> &results);
llvm::LogicalResult
decomposeNormBackward(mlir::Operation *op, mlir::OpBuilder &builder,
                      mlir::ValueRange operands, mlir::TypeRange resultTypes,
                      llvm::SmallVectorImpl<mlir::Value> &results);
llvm::LogicalResult verifyNormBackward(mlir::Operation *op);

llvm::LogicalResult
inferGroupNormBackward(mlir::Operation *op, llvm::ArrayRef<ExtentList> operands,
                       const Facts &facts,
                       llvm::SmallVectorImpl<ExtentList> &results);
llvm::LogicalResult decomposeGroupNormBackward(
    mlir::Operation *op, mlir::OpBuilder &builder, mlir::ValueRange operands,
    mlir::TypeRange resultTypes, llvm::SmallVectorImpl<mlir::Value> &results);
llvm::LogicalResult verifyGroupNormBackward(mlir::Operation *op);

llvm::LogicalResult
inferExtremumBackward(mlir::Operation *op, llvm::ArrayRef<ExtentList> operands,
                      const Facts &facts,
                      llvm::SmallVectorImpl<ExtentList> &results);
llvm::LogicalResult decomposeExtremumBackward(
    mlir::Operation *op, mlir::OpBuilder &builder, mlir::ValueRange operands,
    mlir::TypeRange resultTypes, llvm::SmallVectorImpl<mlir::Value> &results);
llvm::LogicalResult verifyExtremumBackward(mlir::Operation *op);

llvm::LogicalResult
inferLookupBackward(mlir::Operation *op, llvm::ArrayRef<ExtentList> operands,
                    const Facts &facts,
                    llvm::SmallVectorImpl<ExtentList> &results);
llvm::LogicalResult
decomposeLookupBackward(mlir::Operation *op, mlir::OpBuilder &builder,
                        mlir::ValueRange operands, mlir::TypeRange resultTypes,
                        llvm::SmallVectorImpl<mlir::Value> &results);
llvm::LogicalResult verifyLookupBackward(mlir::Operation *op);

llvm::LogicalResult
inferPartBackward(mlir::Operation *op, llvm::ArrayRef<ExtentList> operands,
                  const Facts &facts,
                  llvm::SmallVectorImpl<ExtentList> &results);
llvm::LogicalResult
decomposePartBackward(mlir::Operation *op, mlir::OpBuilder &builder,
                      mlir::ValueRange operands, mlir::TypeRange resultTypes,
                      llvm::SmallVectorImpl<mlir::Value> &results);
llvm::LogicalResult verifyPartBackward(mlir::Operation *op);

llvm::LogicalResult
inferAttentionBackward(mlir::Operation *op, llvm::ArrayRef<ExtentList> operands,
                       const Facts &facts,
                       llvm::SmallVectorImpl<ExtentList> &results);
llvm::LogicalResult decomposeAttentionBackward(
    mlir::Operation *op, mlir::OpBuilder &builder, mlir::ValueRange operands,
    mlir::TypeRange resultTypes, llvm::SmallVectorImpl<mlir::Value> &results);
llvm::LogicalResult verifyAttentionBackward(mlir::Operation *op);

/// All operands but those numbered in `others` and all results are floats of
/// one type; the others that are there have the accumulator's type.
llvm::LogicalResult verifyFloats(mlir::Operation *op,
                                 llvm::ArrayRef<unsigned> others = {});

/// Operand `number` has the rank and extents `expected`.
llvm::LogicalResult checkOperand(mlir::Operation *op, unsigned number,
                                 llvm::ArrayRef<Expr> extents,
                                 llvm::ArrayRef<Expr> expected,
                                 const Facts &facts);

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_BACKWARDMETHODS_H
