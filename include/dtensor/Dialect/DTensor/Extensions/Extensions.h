//===- Extensions.h - ops of other dialects in our terms --------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// External models of NormalizeOpInterface. A model is attached when its dialect
// is loaded; programs that do not use a dialect do not pay for it.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_EXTENSIONS_EXTENSIONS_H
#define DTENSOR_DIALECT_DTENSOR_EXTENSIONS_EXTENSIONS_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace dtensor {

/// Integer arithmetic on extents, and constants.
void registerArithExtension(mlir::DialectRegistry &registry);
/// Every structured op, and softmax.
void registerLinalgExtension(mlir::DialectRegistry &registry);
/// Views, slices, joins, lookups, and extents of tensors.
void registerTensorExtension(mlir::DialectRegistry &registry);
/// Conditionals and loops.
void registerScfExtension(mlir::DialectRegistry &registry);
/// Our own ops that do not normalize themselves: `generic`, and the ops that
/// speak about layouts and extents.
void registerCoreExtension(mlir::DialectRegistry &registry);

/// All of the above.
void registerNormalizeExtensions(mlir::DialectRegistry &registry);

} // namespace dtensor

#endif // DTENSOR_DIALECT_DTENSOR_EXTENSIONS_EXTENSIONS_H
