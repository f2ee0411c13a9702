//===- RoutingBuilder.h - tokens and the slots that they have ---*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_IR_ROUTINGBUILDER_H
#define DTENSOR_LIB_DIALECT_DTENSOR_IR_ROUTINGBUILDER_H

#include "CoreBuilders.h"
#include "dtensor/Dialect/DTensor/IR/RoutingOps.h"

namespace dtensor {

DTENSOR_COMPOSITE_METHODS(RoutingBackward);

/// Decomposes one op. `groups` leading dimensions are shared by all tensors.
struct RoutingBuilder {
  mlir::Operation *op;
  CoreBuilder core;
  unsigned groups;

  /// [group..., a, b, ...] -> [group..., a * b, ...]
  mlir::Value join(mlir::Value value);

  /// Which of the S * K choices has each of `count` slots, or -1.
  mlir::Value sourcesOf(mlir::Value slots, Expr count);

  /// The rows of `tokens` whose choices, `choices` for each, are `sources`; 0
  /// where there is none.
  mlir::Value lookUpTokens(mlir::Value tokens, mlir::Value sources,
                           Expr choices);

  /// The rows of `buffers` in `slots`: [group..., s, k, d].
  mlir::Value lookUpSlots(mlir::Value buffers, mlir::Value slots);

  /// The products of all inputs, summed over the loops that `resultDims` lacks,
  /// in the accumulator's type and the extents of `type`.
  mlir::Value multiply(llvm::StringRef label, mlir::ValueRange inputs,
                       llvm::ArrayRef<IteratorList> dims,
                       const IteratorList &resultDims, unsigned loops,
                       mlir::Type type);

  /// `value` with the result's type; a copy if it is one of the `operands`.
  mlir::Value finish(mlir::Value value, mlir::Type type,
                     mlir::ValueRange operands);

  mlir::Type i64() { return core.builder.getI64Type(); }
  static mlir::Value index(mlir::OpBuilder &b, mlir::Location loc,
                           unsigned loop);

private:
  mlir::Value lookUp(mlir::Value rows, mlir::Value indices,
                     llvm::function_ref<mlir::Value(Scalars, mlir::Value)> row);
};

llvm::LogicalResult checkRankAtLeast(mlir::Operation *op, llvm::StringRef what,
                                     size_t rank, size_t least);

/// `found` has that rank, and its first `count` dimensions are those of
/// `expected`.
llvm::LogicalResult checkLeading(mlir::Operation *op, llvm::StringRef what,
                                 llvm::ArrayRef<Expr> found,
                                 llvm::ArrayRef<Expr> expected, size_t rank,
                                 size_t count, const Facts &facts);

llvm::LogicalResult checkIntegers(mlir::Operation *op, llvm::StringRef what,
                                  mlir::Value value);

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_ROUTINGBUILDER_H
