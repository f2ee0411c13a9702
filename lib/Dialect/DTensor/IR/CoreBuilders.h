//===- CoreBuilders.h - core ops on open placements -------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For decompositions. Operands have layouts; a result has the mesh of its
// operand and open placements, unless a type is given.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_IR_COREBUILDERS_H
#define DTENSOR_LIB_DIALECT_DTENSOR_IR_COREBUILDERS_H

#include "CompositeUtils.h"

namespace dtensor {

struct CoreBuilder {
  mlir::OpBuilder &builder;
  mlir::Location loc;

  Expr number(int64_t value);
  mlir::Value reshape(mlir::Value input, llvm::ArrayRef<Expr> extents);
  mlir::Value reshapeTo(mlir::Value input, mlir::Type type);
  /// Per dimension start, size and step.
  mlir::Value slice(mlir::Value input, llvm::ArrayRef<Expr> starts,
                    llvm::ArrayRef<Expr> sizes, llvm::ArrayRef<Expr> steps,
                    mlir::Type type = {});
  /// `size` positions of one dimension from `start` on; the others whole.
  mlir::Value part(mlir::Value input, unsigned dim, Expr start, Expr size,
                   mlir::Type type = {});
  mlir::Value concat(mlir::ValueRange inputs, unsigned dim,
                     mlir::Type type = {});
  mlir::Value permute(mlir::Value input, llvm::ArrayRef<int64_t> permutation,
                      mlir::Type type = {});
  /// A tensor of `type` with one scalar in every element.
  mlir::Value fill(mlir::Value scalar, mlir::Type type);
  /// The rows `index(i)`, for i below `size`, of dimension `dim`. `index` is
  /// called inside of a loop on the position as an i64.
  mlir::Value
  select(mlir::Value input, unsigned dim, Expr size,
         llvm::function_ref<mlir::Value(Scalars, mlir::Value)> index,
         mlir::Type type = {});
  /// `value`, the last one built, with `type` as its type; a copy if it is one
  /// of the `operands`.
  mlir::Value declare(mlir::Value value, mlir::Type type,
                      mlir::ValueRange operands);
  /// States that low <= high: a check when the program runs unless it is
  /// plain. `what` names the first.
  void check(const llvm::Twine &what, Expr low, Expr high);
  /// Expressions as an attribute.
  mlir::ArrayAttr list(llvm::ArrayRef<Expr> exprs);
};

/// A number or a `#dtensor.expr`; an error at `op` for anything else.
llvm::FailureOr<Expr> exprOf(mlir::Operation *op, mlir::Attribute attr);

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_COREBUILDERS_H
