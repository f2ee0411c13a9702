//===- ExprMaterializer.h - expressions as index values ---------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_UTILS_EXPRMATERIALIZER_H
#define DTENSOR_DIALECT_DTENSOR_UTILS_EXPRMATERIALIZER_H

#include "dtensor/Sharding/Expr.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/StringMap.h"

namespace dtensor {

/// Emits expressions as `arith` on index values. Equal subexpressions are one
/// value, so everything must be emitted where it dominates all uses: give a
/// builder that stays in one block and only moves forward.
class ExprMaterializer {
public:
  explicit ExprMaterializer(mlir::OpBuilder builder, mlir::Location loc)
      : builder(builder), loc(loc) {}

  /// The value of a symbol, an axis size or an axis index.
  void bind(llvm::StringRef name, SymbolKind kind, mlir::Value value) {
    symbols[static_cast<int>(kind)][name] = value;
  }
  mlir::Value lookup(llvm::StringRef name, SymbolKind kind) const {
    return symbols[static_cast<int>(kind)].lookup(name);
  }

  /// The value of `expr`. Null if it names a symbol that is not bound;
  /// `unbound` then holds the name.
  mlir::Value materialize(Expr expr);
  std::string unbound;

  mlir::OpBuilder &getBuilder() { return builder; }

private:
  mlir::OpBuilder builder;
  mlir::Location loc;
  llvm::StringMap<mlir::Value> symbols[3];
  ExprMemo<mlir::Value> memo;
  llvm::DenseMap<int64_t, mlir::Value> constants;
  friend class MaterializingFolder;
};

} // namespace dtensor

#endif // DTENSOR_DIALECT_DTENSOR_UTILS_EXPRMATERIALIZER_H
