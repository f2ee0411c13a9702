//===- PointwiseBodies.h - the scalar function of each op -------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_IR_POINTWISEBODIES_H
#define DTENSOR_LIB_DIALECT_DTENSOR_IR_POINTWISEBODIES_H

#include "CompositeUtils.h"

namespace dtensor {

/// Element types that a pointwise op takes.
enum ScalarKinds : unsigned { kFloat = 1, kInteger = 2, kBool = 4, kAny = 7 };

struct PointwiseEntry {
  llvm::StringLiteral name;
  unsigned kinds;
  /// f16 and bf16 are widened to f32 before and narrowed after.
  bool widen;
  /// Builds the result of the op on scalars.
  mlir::Value (*build)(Scalars &scalars, mlir::Operation *op,
                       mlir::ValueRange args);
  /// The result's elements are i1 whatever the operands' are.
  bool asks = false;
  /// The operand whose elements are i1 whatever the others' are; -1 for none.
  int mask = -1;
};

/// The entries of further files.
llvm::ArrayRef<PointwiseEntry> mathEntries();
llvm::ArrayRef<PointwiseEntry> activationEntries();
llvm::ArrayRef<PointwiseEntry> backwardEntries();

/// The entry of `dtensor.<name>`. Precondition: it is a pointwise op.
const PointwiseEntry &getPointwiseEntry(llvm::StringRef name);

/// The iterators of an operand aligned at the right of `result`: only the
/// literal extent 1 is stretched.
IteratorList alignDims(llvm::ArrayRef<Expr> operand,
                       llvm::ArrayRef<Expr> result);

// The methods of every pointwise op.
llvm::LogicalResult inferPointwise(mlir::Operation *op,
                                   llvm::ArrayRef<ExtentList> operands,
                                   const Facts &facts,
                                   llvm::SmallVectorImpl<ExtentList> &results);
llvm::LogicalResult
decomposePointwise(mlir::Operation *op, mlir::OpBuilder &builder,
                   mlir::ValueRange operands, mlir::TypeRange resultTypes,
                   llvm::SmallVectorImpl<mlir::Value> &results);
llvm::LogicalResult verifyPointwise(mlir::Operation *op);

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_POINTWISEBODIES_H
