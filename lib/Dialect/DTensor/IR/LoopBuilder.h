//===- LoopBuilder.h - loops over elements ----------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_IR_LOOPBUILDER_H
#define DTENSOR_LIB_DIALECT_DTENSOR_IR_LOOPBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace dtensor {

/// Builds loops around a position.
struct LoopBuilder {
  mlir::OpBuilder &builder;
  mlir::Location loc;

  using Body = llvm::function_ref<llvm::SmallVector<mlir::Value>(
      mlir::OpBuilder &, mlir::Value index, mlir::ValueRange carried)>;

  mlir::Value index(int64_t value) {
    return mlir::arith::ConstantIndexOp::create(builder, loc, value);
  }
  mlir::Value size(mlir::Value tensor, int64_t dim) {
    return mlir::tensor::DimOp::create(builder, loc, tensor, dim);
  }
  llvm::SmallVector<mlir::Value> loop(mlir::Value from, mlir::Value to,
                                      mlir::ValueRange carried, Body body) {
    auto op = mlir::scf::ForOp::create(
        builder, loc, from, to, index(1), carried,
        [&](mlir::OpBuilder &b, mlir::Location, mlir::Value i,
            mlir::ValueRange values) {
          mlir::scf::YieldOp::create(b, loc, body(b, i, values));
        });
    return llvm::to_vector_of<mlir::Value>(op.getResults());
  }
};

/// A tensor of the shape of `like` that is not initialized.
mlir::Value buildEmpty(LoopBuilder loops, mlir::Value like, mlir::Type element);

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_LOOPBUILDER_H
