//===- CompositeUtils.h - building composite ops of generics ----*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the named ops share: their extents, the one loop nest that most of them
// are, and arithmetic on its scalars.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_IR_COMPOSITEUTILS_H
#define DTENSOR_LIB_DIALECT_DTENSOR_IR_COMPOSITEUTILS_H

#include "dtensor/Dialect/DTensor/IR/DTensorDialect.h"
#include "dtensor/Interfaces/Interfaces.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

namespace dtensor {

using ExtentList = llvm::SmallVector<Expr>;

/// The extents of `value`, where a dimension of unknown size gets a symbol of
/// its own: it is not provably different from anything. Empty for scalars.
ExtentList knownExtents(mlir::Value value, unsigned number);

/// The element type of a tensor, and the type itself of a scalar.
mlir::Type scalarType(mlir::Value value);

/// The numbers of an array attribute.
llvm::SmallVector<int64_t> intList(mlir::ArrayAttr attr);

/// The expressions of an array of integers and `#dtensor.expr`; an error at
/// `op` for any other element.
llvm::FailureOr<ExtentList> exprList(mlir::Operation *op, mlir::ArrayAttr attr);

/// The extents that `sizes` lists, or else those that the only result's type
/// knows; an error at `op` if there are none.
llvm::FailureOr<ExtentList> resultSizes(mlir::Operation *op,
                                        mlir::ArrayAttr sizes);

/// The dimensions in `dims` as a mask of `rank` bits; an error at `op` if one
/// is out of range or occurs twice.
llvm::FailureOr<llvm::SmallVector<bool>>
dimMask(mlir::Operation *op, llvm::ArrayRef<int64_t> dims, int64_t rank);

/// Checks that `dim` is below `rank`.
llvm::LogicalResult checkDim(mlir::Operation *op, llvm::StringRef name,
                             int64_t dim, int64_t rank);

/// Checks that two extents may be equal: an error at `op` if they are provably
/// different. `what` names the first, `expected` is the second.
llvm::LogicalResult checkExtent(mlir::Operation *op, const llvm::Twine &what,
                                Expr extent, Expr expected,
                                const Facts &facts = {});

/// Checks that each extent has a value: an error at `op` if one is poison.
llvm::LogicalResult checkOverflow(mlir::Operation *op,
                                  llvm::ArrayRef<Expr> extents);

/// The product; 1 for none.
Expr product(ExprContext &context, llvm::ArrayRef<Expr> factors);

/// For the verifiers of composite ops: the meshes of all types agree, and
/// `inferExtents` succeeds and agrees with the result types.
llvm::LogicalResult verifyComposite(mlir::Operation *op);

/// The same for a core op, one result of which has the extents `expected`.
llvm::LogicalResult verifyResultExtents(mlir::Operation *op,
                                        llvm::ArrayRef<Expr> expected,
                                        unsigned result = 0);
llvm::LogicalResult verifyOneMesh(mlir::Operation *op);

/// A tensor of these extents on the mesh of `like` with open placements.
mlir::RankedTensorType openType(mlir::Type like, mlir::Type element,
                                llvm::ArrayRef<Expr> extents);

/// The facts of the function around `op`; none outside of functions.
Facts factsAround(mlir::Operation *op);

/// The value of `expr`, by `dtensor.extent` unless it is a number.
mlir::Value buildExtent(mlir::OpBuilder &builder, mlir::Location loc,
                        Expr expr);

//===----------------------------------------------------------------------===//
// Loop nests
//===----------------------------------------------------------------------===//

/// One tensor's dimensions as iterators; kBroadcast reads element 0.
using IteratorList = llvm::SmallVector<int64_t>;
constexpr int64_t kBroadcast = -1;

/// 0, 1, ..., count - 1.
IteratorList identityDims(unsigned count);

using ScalarBody = llvm::function_ref<mlir::Value(
    mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;

/// A `dtensor.generic` of one result. `dims` has one entry per input; iterators
/// that the result does not have are reductions of kind `reduce`.
mlir::Value buildGeneric(mlir::OpBuilder &builder, mlir::Location loc,
                         llvm::StringRef label, mlir::ValueRange inputs,
                         llvm::ArrayRef<IteratorList> dims,
                         const IteratorList &resultDims, unsigned numIterators,
                         ReduceKind reduce, mlir::Type resultType,
                         ScalarBody body);

using ScalarsBody = llvm::function_ref<llvm::SmallVector<mlir::Value>(
    mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;

/// A `dtensor.generic` without reductions; all results have one shape, which is
/// that of the loops.
llvm::SmallVector<mlir::Value>
buildPointwise(mlir::OpBuilder &builder, mlir::Location loc,
               llvm::StringRef label, mlir::ValueRange inputs,
               llvm::ArrayRef<IteratorList> dims, mlir::TypeRange resultTypes,
               ScalarsBody body);

/// `input` in the element type of `resultType`; `input` itself if it has the
/// type already.
mlir::Value buildCast(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value input, mlir::Type resultType);

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

/// f16 and bf16 are accumulated in f32.
mlir::Type accumulatorType(mlir::Type element);

/// Arithmetic on scalars of one type: floats, integers (signed) or i1.
struct Scalars {
  mlir::OpBuilder &builder;
  mlir::Location loc;

  mlir::Value constant(mlir::Type type, double value);
  mlir::Value add(mlir::Value lhs, mlir::Value rhs);
  mlir::Value sub(mlir::Value lhs, mlir::Value rhs);
  mlir::Value mul(mlir::Value lhs, mlir::Value rhs);
  /// Integers round toward zero; x / 0 is 0 and nothing traps.
  mlir::Value div(mlir::Value lhs, mlir::Value rhs);
  mlir::Value neg(mlir::Value operand);
  mlir::Value maximum(mlir::Value lhs, mlir::Value rhs);
  mlir::Value minimum(mlir::Value lhs, mlir::Value rhs);
  mlir::Value select(mlir::Value condition, mlir::Value lhs, mlir::Value rhs);
  /// `predicate` is eq, ne, lt, le, gt or ge.
  mlir::Value compare(llvm::StringRef predicate, mlir::Value lhs,
                      mlir::Value rhs);
  /// As `dtensor.cast`.
  mlir::Value cast(mlir::Value operand, mlir::Type type);
};

bool isBool(mlir::Type type);

/// The methods that a family of composite ops shares (CompositeBase.td).
#define DTENSOR_COMPOSITE_METHODS(FAMILY)                                      \
  llvm::LogicalResult infer##FAMILY(                                           \
      mlir::Operation *op, llvm::ArrayRef<ExtentList> operands,                \
      const Facts &facts, llvm::SmallVectorImpl<ExtentList> &results);         \
  llvm::LogicalResult decompose##FAMILY(                                       \
      mlir::Operation *op, mlir::OpBuilder &builder,                           \
      mlir::ValueRange operands, mlir::TypeRange resultTypes,                  \
      llvm::SmallVectorImpl<mlir::Value> &results);                            \
  llvm::LogicalResult verify##FAMILY(mlir::Operation *op)

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_COMPOSITEUTILS_H
