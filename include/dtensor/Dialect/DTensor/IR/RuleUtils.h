//===- RuleUtils.h - answering the interfaces of an op ------------*- C++
//-*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What an op needs to answer the interfaces, ours and those of other dialects:
// its rule, its normalized form, local tensors to compute on.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_RULEUTILS_H
#define DTENSOR_DIALECT_DTENSOR_IR_RULEUTILS_H

#include "dtensor/Dialect/DTensor/IR/DTensorDialect.h"
#include "dtensor/Interfaces/Interfaces.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

namespace dtensor {

/// A rule under construction.
struct RuleBuilder {
  ShardingRule rule;

  unsigned add(FactorKind kind, Expr size, ReduceKind reduce = ReduceKind::Sum);
  /// A parallel factor of this size; none for the extent 1.
  llvm::SmallVector<unsigned, 1> parallel(Expr size);
  /// A factor that must stay whole; none for the extent 1.
  llvm::SmallVector<unsigned, 1> whole(Expr size);
  /// A factor that is summed over; none for the extent 1.
  llvm::SmallVector<unsigned, 1> summed(Expr size);

  /// One signature per kind in `kinds`: the operands in `partial` are partial,
  /// and so are the results with a true entry in `results`.
  void addPartials(llvm::ArrayRef<ReduceKind> kinds, unsigned numOperands,
                   llvm::ArrayRef<unsigned> partial,
                   llvm::ArrayRef<bool> results = {true});
};

/// Kinds that commute with moving elements around.
llvm::ArrayRef<ReduceKind> allReduceKinds();
/// Kinds that commute with linear functions.
llvm::ArrayRef<ReduceKind> linearReduceKinds();

/// What this rank holds of each dimension of `global`; static dimensions of its
/// local type are attributes.
llvm::SmallVector<mlir::OpFoldResult> localSizes(mlir::OpBuilder &builder,
                                                 PartitionContext &context,
                                                 mlir::Value global);

/// `tensor.empty` of the local sizes of `global`.
mlir::Value emptyLocal(mlir::OpBuilder &builder, mlir::Location loc,
                       PartitionContext &context, mlir::Value global);

/// `value` as `type`: itself or a `tensor.cast`.
mlir::Value castTensor(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::Value value, mlir::RankedTensorType type);

/// The elements of `input`, row-major, as a tensor of `type` and `sizes`:
/// `tensor.reshape`.
mlir::Value reshapeByShape(mlir::OpBuilder &builder, mlir::Location loc,
                           mlir::Value input, mlir::RankedTensorType type,
                           llvm::ArrayRef<mlir::OpFoldResult> sizes);

/// The value of an expression: an attribute if it is a number.
mlir::OpFoldResult materialize(mlir::OpBuilder &builder,
                               PartitionContext &context, Expr expr);

/// Normalization of an op with one result: states that `extents` are those of
/// the declared result, and builds the op anew with encoded types.
llvm::LogicalResult normalizeCore(mlir::Operation *op,
                                  NormalizeContext &context,
                                  llvm::ArrayRef<Expr> extents);

/// The same of an op with any number of results.
llvm::LogicalResult
normalizeResults(mlir::Operation *op, NormalizeContext &context,
                 llvm::ArrayRef<llvm::SmallVector<Expr>> extents);

/// Per operand the extents that `context` knows.
llvm::SmallVector<llvm::SmallVector<Expr>>
normalizedExtents(mlir::Operation *op, NormalizeContext &context);

/// Per operand `knownExtents`.
llvm::SmallVector<llvm::SmallVector<Expr>> operandExtents(mlir::Operation *op);

} // namespace dtensor

#endif // DTENSOR_DIALECT_DTENSOR_IR_RULEUTILS_H
