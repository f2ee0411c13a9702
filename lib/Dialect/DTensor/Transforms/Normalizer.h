//===- Normalizer.h - rebuilds one function with layouts --------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The new function is built beside the old one and is not in the module until
// all functions are done: an error leaves the program as it was.
//
// While it is built, an extent may have several names. unify() collects
//
//   replacements  s := e          applied to all types and attributes at the
//   end checks        e1 == e2        neither proved nor refuted: tested at
//   entry
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_TRANSFORMS_NORMALIZER_H
#define DTENSOR_LIB_TRANSFORMS_NORMALIZER_H

#include "Unification.h"
#include "dtensor/Dialect/DTensor/IR/DTensor.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringSet.h"

namespace dtensor {

/// New functions by name; those that a call may name come first.
using NewFunctions =
    llvm::DenseMap<mlir::StringAttr, mlir::OwningOpRef<mlir::func::FuncOp>>;

class Normalizer final : public NormalizeContext, mlir::OpBuilder::Listener {
public:
  Normalizer(mlir::func::FuncOp oldFunc, MeshAttr mesh,
             const NewFunctions &callees);

  /// The new function; null after an error.
  mlir::OwningOpRef<mlir::func::FuncOp> run();

  mlir::OpBuilder &getBuilder() override { return builder; }
  mlir::Value lookup(mlir::Value old) override;
  void map(mlir::Value old, mlir::Value replacement) override;
  Expr getExpr(mlir::Value index) override;
  void setExpr(mlir::Value index, Expr expr) override;
  bool hasExpr(mlir::Value index) override;
  llvm::SmallVector<Expr> getExtents(mlir::Value old) override;
  mlir::RankedTensorType getOpenType(mlir::RankedTensorType type,
                                     llvm::ArrayRef<Expr> extents) override;
  llvm::LogicalResult unify(mlir::Operation *op, Expr lhs, Expr rhs,
                            const llvm::Twine &what) override;
  mlir::FailureOr<mlir::RankedTensorType>
  getResultType(mlir::Operation *op, mlir::Value old,
                llvm::ArrayRef<Expr> extents) override;
  mlir::FailureOr<mlir::Value> convert(mlir::Operation *op, mlir::Value value,
                                       mlir::RankedTensorType type,
                                       const llvm::Twine &what) override;
  llvm::LogicalResult normalizeBlock(mlir::Block &block) override;
  ExprContext &getExprContext() override { return exprs; }
  const Facts &getFacts() override { return facts; }

private:
  /// lhs == rhs is to be tested when the program starts.
  struct Check {
    mlir::Operation *op;
    Expr lhs, rhs;
    std::string what;
  };

  // Signature.
  void collectNames();
  llvm::LogicalResult buildArguments();
  mlir::FailureOr<mlir::Type> importArgument(unsigned index);
  llvm::LogicalResult buildResults();
  void setSignature();

  // Ops.
  void notifyOperationInserted(mlir::Operation *op,
                               mlir::OpBuilder::InsertPoint) override;
  llvm::LogicalResult normalizeOp(mlir::Operation *op);
  llvm::LogicalResult normalizeComposite(CompositeOpInterface op);
  llvm::LogicalResult normalizeCall(mlir::CallOpInterface op);
  llvm::LogicalResult normalizeScalar(mlir::Operation *op);
  llvm::LogicalResult unifyByRules(mlir::Operation *op, mlir::Operation *old,
                                   bool alone);

  // Calls.
  struct Callee {
    mlir::func::FuncOp func;
    /// What its symbols are here.
    llvm::StringMap<Expr> symbols;
    Expr substitute(Expr expr) const;
    mlir::Type substitute(mlir::Type type) const;
  };
  llvm::LogicalResult bindCallee(mlir::CallOpInterface op, Callee &callee);
  mlir::FailureOr<llvm::SmallVector<mlir::Value>>
  convertOperands(mlir::CallOpInterface op, Callee &callee);
  llvm::LogicalResult checkCalleeFacts(mlir::CallOpInterface op,
                                       Callee &callee);
  llvm::LogicalResult require(mlir::Operation *op, Expr lhs, Expr rhs,
                              const llvm::Twine &what);

  // The end.
  void substitute();
  llvm::LogicalResult buildChecks();
  llvm::LogicalResult checkBound();
  void declareSymbols();
  void removeDead();

  std::string freshName(llvm::StringRef prefix);
  Expr freshSymbol(llvm::StringRef prefix, Unification::Weight weight);
  mlir::FailureOr<mlir::RankedTensorType>
  importType(mlir::Operation *op, mlir::RankedTensorType type,
             LayoutAttr layout, const llvm::Twine &what);
  mlir::InFlightDiagnostic reportDifferent(mlir::Operation *op, Expr lhs,
                                           Expr rhs, const llvm::Twine &what);
  mlir::Value materialize(Expr expr, mlir::Type type, mlir::Location loc);

  mlir::func::FuncOp oldFunc;
  MeshAttr mesh;
  const NewFunctions &callees;
  ExprContext &exprs;
  Facts facts;
  Unification unification;

  mlir::OwningOpRef<mlir::func::FuncOp> newFunc;
  mlir::OpBuilder builder;
  llvm::DenseMap<mlir::Value, mlir::Value> values;
  llvm::DenseMap<mlir::Value, Expr> known;
  llvm::DenseMap<std::pair<Expr, mlir::Type>, mlir::Value> materialized;
  /// The symbol that each `index` argument binds, null for none.
  llvm::SmallVector<Expr> argumentSymbols;
  llvm::SmallVector<Check> checks;
  llvm::StringSet<> usedNames;
  /// Symbols that stand for a value of the program, and that value.
  llvm::StringMap<mlir::Value> unbound;
  /// Where the extents are declared that are being unified, for a note.
  std::optional<mlir::Location> declaredAt;
  /// Ops built since the last look at their rules.
  llvm::SmallVector<mlir::Operation *> inserted;
};

/// A walk over every extent symbol of one op: its attributes, its result types
/// and the arguments of its blocks.
void walkSymbols(mlir::Operation *op,
                 llvm::function_ref<void(llvm::StringRef)> visit);

/// A tensor with this layout: a dimension is static iff its extent is
/// a number.
mlir::RankedTensorType typeWithLayout(mlir::Type elementType,
                                      LayoutAttr layout);

} // namespace dtensor

#endif // DTENSOR_LIB_TRANSFORMS_NORMALIZER_H
