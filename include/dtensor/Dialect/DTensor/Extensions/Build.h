//===- Build.h - core ops from scalar code ----------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the models of foreign ops share. New ops are built through the context's
// builder, with open placements.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_EXTENSIONS_BUILD_H
#define DTENSOR_DIALECT_DTENSOR_EXTENSIONS_BUILD_H

#include "dtensor/Dialect/DTensor/IR/DTensor.h"
#include "mlir/IR/IRMapping.h"

namespace dtensor {

/// One `generic` to be. Maps: one per input, then one per result.
struct GenericSpec {
  llvm::SmallVector<mlir::Type> resultTypes;
  llvm::SmallVector<mlir::Value> inputs, captures;
  llvm::SmallVector<mlir::AffineMap> maps;
  /// True for a reduction.
  llvm::SmallVector<bool> reductionIterators;
  llvm::SmallVector<ReduceKind> reductions;
  llvm::StringRef label;
};

/// Builds the op; `body` gets the scalars, then the captures, and returns the
/// scalars to yield.
GenericOp buildGeneric(mlir::OpBuilder &builder, mlir::Location loc,
                       const GenericSpec &spec,
                       llvm::function_ref<llvm::SmallVector<mlir::Value>(
                           mlir::OpBuilder &, mlir::ValueRange)>
                           body);

/// A parallel loop over all dimensions of `type`, its identity map the
/// result's.
GenericSpec parallelSpec(mlir::RankedTensorType type, llvm::StringRef label);

/// One scalar in every element of `type`.
mlir::Value buildFull(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::RankedTensorType type, mlir::Value scalar);

/// The scalar that every element of `tensor` is known to be, if that is a
/// literal: `tensor` is a generic without inputs whose body yields a constant.
mlir::TypedAttr getUniformValue(mlir::Value tensor);

/// A row-major view; the input itself if `type` is open and has its extents.
mlir::Value buildReshape(NormalizeContext &context, mlir::Location loc,
                         mlir::Value input, mlir::RankedTensorType type);

mlir::Value buildSlice(NormalizeContext &context, mlir::Location loc,
                       mlir::Value input, llvm::ArrayRef<Expr> starts,
                       llvm::ArrayRef<Expr> sizes, llvm::ArrayRef<Expr> steps);

/// States that a slice lies inside its tensor, dimension by dimension:
///   0 <= start,  0 <= size,  start + (size - 1) * step < extent
/// What is not proved is checked when the program starts; each `a <= b` is the
/// equation max(a, b) == b.
llvm::LogicalResult unifyBounds(mlir::Operation *op, NormalizeContext &context,
                                llvm::ArrayRef<Expr> extents,
                                llvm::ArrayRef<Expr> starts,
                                llvm::ArrayRef<Expr> sizes,
                                llvm::ArrayRef<Expr> steps);

/// Inputs agree in all dimensions but `dim`; null entries are left out.
mlir::Value buildConcat(NormalizeContext &context, mlir::Location loc,
                        llvm::ArrayRef<mlir::Value> inputs, unsigned dim);

/// What the body of a structured op reads beside its block arguments: scalars
/// are looked up, tensors become captures. `captures` are old values.
llvm::LogicalResult
collectCaptures(mlir::Operation *op, mlir::Block &body,
                NormalizeContext &context, mlir::IRMapping &mapping,
                llvm::SmallVectorImpl<mlir::Value> &captures);

/// Clones the ops of `body`, terminator excluded, and gives the new values of
/// the terminator's operands.
llvm::SmallVector<mlir::Value> cloneBody(mlir::OpBuilder &builder,
                                         mlir::Block &body,
                                         mlir::IRMapping &mapping);

/// An op of scalars that upstream allows on tensors elementwise, as a generic
/// whose body is the op on scalars.
llvm::LogicalResult normalizeElementwise(mlir::Operation *op,
                                         NormalizeContext &context);

/// The expressions of static and dynamic sizes in one list.
llvm::SmallVector<Expr> getMixedExprs(NormalizeContext &context,
                                      llvm::ArrayRef<mlir::OpFoldResult> mixed);

} // namespace dtensor

#endif // DTENSOR_DIALECT_DTENSOR_EXTENSIONS_BUILD_H
