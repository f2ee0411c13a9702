//===- MatrixMethods.h - the methods of sums of products --------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_IR_MATRIXMETHODS_H
#define DTENSOR_LIB_DIALECT_DTENSOR_IR_MATRIXMETHODS_H

#include "CompositeUtils.h"

namespace dtensor {

DTENSOR_COMPOSITE_METHODS(SumOfProduct);
DTENSOR_COMPOSITE_METHODS(Einsum);

/// All operands have one element type, whose products the result's accumulates.
llvm::LogicalResult checkProductElements(mlir::Operation *op);

/// Where a product is accumulated: `resultType`, unless its elements are too
/// narrow.
mlir::RankedTensorType productType(mlir::RankedTensorType resultType);

/// The products of all inputs, summed over the iterators that `resultDims`
/// lacks, in the type of `resultType`.
mlir::Value buildProduct(mlir::OpBuilder &builder, mlir::Location loc,
                         llvm::StringRef label, mlir::ValueRange inputs,
                         llvm::ArrayRef<IteratorList> dims,
                         const IteratorList &resultDims, unsigned numIterators,
                         mlir::RankedTensorType resultType);

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_MATRIXMETHODS_H
