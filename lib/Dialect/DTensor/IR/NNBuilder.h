//===- NNBuilder.h - reductions and what is made of them --------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_IR_NNBUILDER_H
#define DTENSOR_LIB_DIALECT_DTENSOR_IR_NNBUILDER_H

#include "CompositeUtils.h"

namespace dtensor {

/// One op being decomposed. Loops run over all of the input; what a reduction
/// gives has the dimensions that are not in `reduced`.
struct NNBuilder {
  mlir::OpBuilder &builder;
  mlir::Location loc;
  mlir::Value input;
  IteratorList all, kept;
  mlir::Type accumulator;

  NNBuilder(mlir::Operation *op, mlir::OpBuilder &builder, mlir::Value input,
            llvm::function_ref<bool(unsigned)> isReduced)
      : builder(builder), loc(op->getLoc()), input(input),
        accumulator(accumulatorType(scalarType(input))) {
    all = identityDims(
        llvm::cast<mlir::RankedTensorType>(input.getType()).getRank());
    for (int64_t dim : all)
      if (!isReduced(dim))
        kept.push_back(dim);
  }

  /// Reduces over the input's loops, in the accumulator's type unless another
  /// is given. `dims` has one entry per input.
  mlir::Value reduce(llvm::StringRef label, mlir::ValueRange inputs,
                     llvm::ArrayRef<IteratorList> dims, ReduceKind kind,
                     ScalarBody body, mlir::Type element = {}) {
    ExtentList extents, full = getExtents(input);
    for (int64_t dim : kept)
      extents.push_back(full[dim]);
    return buildGeneric(
        builder, loc, label, inputs, dims, kept, all.size(), kind,
        openType(input.getType(), element ? element : accumulator, extents),
        body);
  }

  /// Computes a tensor of the input's shape.
  mlir::Value map(llvm::StringRef label, mlir::ValueRange inputs,
                  llvm::ArrayRef<IteratorList> dims, mlir::Type type,
                  ScalarBody body) {
    return buildGeneric(builder, loc, label, inputs, dims, all, all.size(),
                        ReduceKind::Sum, type, body);
  }

  mlir::RankedTensorType wideType() {
    return openType(input.getType(), accumulator, getExtents(input));
  }

  /// The number of elements that one reduction runs over.
  Expr countExpr() {
    ExtentList counts, full = getExtents(input);
    for (int64_t dim : all)
      if (!llvm::is_contained(kept, dim))
        counts.push_back(full[dim]);
    return product(getExprContext(builder.getContext()), counts);
  }
  mlir::Value count() {
    return Scalars{builder, loc}.cast(buildExtent(builder, loc, countExpr()),
                                      accumulator);
  }

  /// Computes a tensor of the shape of a reduction's result. The dimensions
  /// that `type` has beyond that are of extent 1 where a dimension is reduced.
  mlir::Value finish(llvm::StringRef label, mlir::ValueRange inputs,
                     mlir::Type type, ScalarBody body) {
    unsigned rank = llvm::cast<mlir::RankedTensorType>(type).getRank();
    IteratorList dims = rank == kept.size() ? identityDims(rank) : kept;
    llvm::SmallVector<IteratorList> lists(inputs.size(), dims);
    return buildGeneric(builder, loc, label, inputs, lists, identityDims(rank),
                        rank, ReduceKind::Sum, type, body);
  }
};

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_NNBUILDER_H
