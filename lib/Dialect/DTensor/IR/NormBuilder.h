//===- NormBuilder.h - mean, variance and what is scaled by them *- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_IR_NORMBUILDER_H
#define DTENSOR_LIB_DIALECT_DTENSOR_IR_NORMBUILDER_H

#include "NNBuilder.h"

namespace dtensor {

/// A norm being decomposed. Everything between the input and the last loop is
/// in the accumulator's type.
struct NormBuilder {
  NNBuilder nn;
  double eps;
  /// Of the shape of a reduction's result; no mean where none is subtracted.
  mlir::Value mean, variance;

  /// `op` has the attribute `eps`.
  NormBuilder(mlir::Operation *op, mlir::OpBuilder &builder, mlir::Value input,
              llvm::function_ref<bool(unsigned)> isReduced);

  /// Takes the variance from the input, and the mean if it is subtracted.
  void measure(bool subtractsMean);

  /// (x - mean) * rsqrt(variance + eps) * weight + bias, as far as they are
  /// given; `parameters` are none, the weight, or both.
  mlir::Value normalize(llvm::StringRef label, mlir::ValueRange parameters,
                        const IteratorList &parameterDims,
                        mlir::Type resultType);

  /// As many statistics as there are types: the mean, if there is one, and
  /// rsqrt(variance + eps).
  void addStatistics(mlir::TypeRange types,
                     llvm::SmallVectorImpl<mlir::Value> &results);

private:
  mlir::Value sumSquares();
  mlir::Value divide(mlir::Value sum, mlir::Value count);
};

/// The first result and all `operands` are floats of one type.
llvm::LogicalResult checkOneFloat(mlir::Operation *op,
                                  mlir::ValueRange operands);

/// The elements of `statistics` are those that the first result's are
/// accumulated in.
llvm::LogicalResult checkStatistics(mlir::Operation *op,
                                    mlir::ValueRange statistics);

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_NORMBUILDER_H
