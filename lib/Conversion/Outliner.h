//===- Outliner.h - Equal work in one function ------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_CONVERSION_OUTLINER_H
#define DTENSOR_LIB_CONVERSION_OUTLINER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/DenseMap.h"

namespace dtensor {

/// Of functions that are equal but for their names, the first.
class EqualFunctions {
public:
  /// `function`, or one that was given before and equals it.
  mlir::FunctionOpInterface findOrAdd(mlir::FunctionOpInterface function);

private:
  llvm::DenseMap<size_t, llvm::SmallVector<mlir::FunctionOpInterface, 1>>
      functions;
};

/// Puts ops into functions of their own, equal ones into the same, and calls in
/// their place.
class Outliner {
public:
  /// Functions are called `name`, made unique.
  Outliner(mlir::ModuleOp module, llvm::StringRef name)
      : symbols(module), name(name) {}

  /// Tells a new function, before it is compared, what is known of operands.
  using Mark =
      llvm::function_ref<void(mlir::func::FuncOp, mlir::ValueRange operands)>;

  /// `op` has no results. Constants that it uses move along.
  void outline(mlir::Operation *op, Mark mark);

private:
  void collectOperands(mlir::Operation *op);
  mlir::func::FuncOp build(mlir::Operation *op, Mark mark);

  mlir::SymbolTable symbols;
  llvm::StringRef name;
  EqualFunctions known;
  llvm::SmallVector<mlir::Value> operands;
  llvm::SmallVector<mlir::Operation *> constants;
};

} // namespace dtensor

#endif // DTENSOR_LIB_CONVERSION_OUTLINER_H
