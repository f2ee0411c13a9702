//===- Reductions.h - neutral elements and combiners ------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// e (+) x = x for every x, bit for bit where x is a float: the neutral element
// of a float sum is -0.0, since 0.0 + -0.0 = 0.0.
//
//   sum      float -0.0   integer 0         addition
//   product  1                              multiplication
//   max      float -inf   integer lowest    NaN wins
//   min      float +inf   integer highest   NaN wins
//   avg      as sum: the division is made when the reduction is taken
//
// Integers are signed; on i1 max is `or`, min and product are `and`.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_REDUCTIONS_H
#define DTENSOR_DIALECT_DTENSOR_IR_REDUCTIONS_H

#include "dtensor/Sharding/Placement.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"

namespace dtensor {

/// Floats, signless integers and index; no sum and no average of i1.
bool canReduce(ReduceKind kind, mlir::Type elementType);

/// Precondition: canReduce(kind, elementType).
mlir::TypedAttr getNeutralElement(ReduceKind kind, mlir::Type elementType);

/// `lhs (+) rhs` on scalars of one type. Sums and products of floats may be
/// reassociated.
mlir::Value createCombiner(mlir::OpBuilder &builder, mlir::Location loc,
                           ReduceKind kind, mlir::Value lhs, mlir::Value rhs);

} // namespace dtensor

#endif // DTENSOR_DIALECT_DTENSOR_IR_REDUCTIONS_H
