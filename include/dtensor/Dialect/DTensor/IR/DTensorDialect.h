//===- DTensorDialect.h - the dialect, its attributes, layouts --*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Attributes wrap the values of lib/Sharding; this header adds no mathematics.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_DTENSORDIALECT_H
#define DTENSOR_DIALECT_DTENSOR_IR_DTENSORDIALECT_H

#include "dtensor/Sharding/Facts.h"
#include "dtensor/Sharding/Layout.h"
#include "dtensor/Sharding/Redistribution.h"
#include "mlir/IR/Attributes.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace dtensor {

/// Equal but for the times, which steer choices and nothing else.
bool operator==(const Step &lhs, const Step &rhs);
bool operator==(const Plan &lhs, const Plan &rhs);
llvm::hash_code hash_value(const Plan &plan);

/// The plan as its attribute keeps it: no times, the given extents after every
/// step, and the bytes of the plan as the sum over its steps.
Plan canonicalizePlan(Plan plan, mlir::MLIRContext *context,
                      llvm::ArrayRef<Expr> extents);

} // namespace dtensor

#include "dtensor/Dialect/DTensor/IR/DTensorDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dtensor/Dialect/DTensor/IR/DTensorAttrs.h.inc"

namespace dtensor {

/// Owns every expression of `context`. The dialect must be loaded.
ExprContext &getExprContext(mlir::MLIRContext *context);

/// The layout in the encoding of a ranked tensor; null when there is none.
LayoutAttr getLayout(mlir::Type type);
LayoutAttr getLayout(mlir::Value value);

/// `type` with `layout` as its encoding; a null layout drops the encoding.
mlir::RankedTensorType withLayout(mlir::RankedTensorType type,
                                  LayoutAttr layout);

/// `type` without a layout, if it has one: the whole global tensor.
mlir::Type withoutLayout(mlir::Type type);

/// The global extents of a ranked tensor: those of its layout, else its static
/// sizes, with null for a dynamic dimension of a tensor without a layout.
llvm::SmallVector<Expr> getExtents(mlir::Type type);
llvm::SmallVector<Expr> getExtents(mlir::Value value);

/// What the declarations of `symbols` (a value of the attribute
/// `dtensor.symbols`, null for none) and the axes of `mesh` (null for none)
/// say. Precondition: the attribute verifies.
Facts getFacts(MeshAttr mesh, mlir::DictionaryAttr symbols);
Facts getFacts(mlir::FunctionOpInterface function);

/// The mesh of a function: of its argument, result or body types or of their
/// layout attributes, else the attribute `dtensor.mesh` of the function or an
/// op around it; null when there is none.
MeshAttr getMesh(mlir::FunctionOpInterface function);

/// A placement, and a list of placements with its nesting order, as in a
/// layout's text. Parsing fails after an error.
void printPlacements(mlir::AsmPrinter &printer, MeshAttr mesh,
                     const Layout &layout);
mlir::ParseResult parsePlacements(mlir::AsmParser &parser, MeshAttr mesh,
                                  Layout &layout);
mlir::ParseResult parseExpr(mlir::AsmParser &parser, Expr &expr);
/// `(B, 256)`.
mlir::ParseResult parseExtents(mlir::AsmParser &parser,
                               llvm::SmallVectorImpl<Expr> &extents);
void printExtents(mlir::AsmPrinter &printer, llvm::ArrayRef<Expr> extents);

/// Reports two tensors of other ranks, element types or meshes.
llvm::LogicalResult verifySameTensor(mlir::Operation *op,
                                     mlir::RankedTensorType lhs,
                                     mlir::RankedTensorType rhs);

/// Reports two tensors that cannot stand for one global value: as above, and
/// their extents. With `sameExtents` those must be one expression; otherwise
/// only provably different ones are an error.
llvm::LogicalResult verifySameGlobal(mlir::Operation *op,
                                     mlir::RankedTensorType lhs,
                                     mlir::RankedTensorType rhs,
                                     bool sameExtents);

/// Different for every binding that obeys the kinds of the symbols alone; the
/// declarations of the function around are not asked. False for null.
bool provablyDifferent(Expr lhs, Expr rhs);

/// For the assembly formats of ops: a reduction kind as a bare word.
mlir::ParseResult parseBareReduceKind(mlir::AsmParser &parser,
                                      ReduceKindAttr &kind);
void printBareReduceKind(mlir::AsmPrinter &printer, mlir::Operation *op,
                         ReduceKindAttr kind);

} // namespace dtensor

#endif // DTENSOR_DIALECT_DTENSOR_IR_DTENSORDIALECT_H
