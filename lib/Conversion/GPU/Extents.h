//===- Extents.h - Which loops have equally many trips ----------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A linalg op says that dimensions of its operands agree: those with the same
// loop. Together with the sizes of `tensor.empty` that gives classes of equal
// extents without knowing what the extents are.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_CONVERSION_GPU_EXTENTS_H
#define DTENSOR_LIB_CONVERSION_GPU_EXTENTS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/EquivalenceClasses.h"

namespace dtensor {

class ExtentClasses {
public:
  explicit ExtentClasses(mlir::Operation *root);

  /// A number that two loops share only if they have equally many trips.
  unsigned getClass(mlir::linalg::GenericOp op, unsigned loop);

private:
  unsigned idOf(mlir::Value tensor, unsigned dim);
  unsigned idOfSize(mlir::OpFoldResult size);
  void join(unsigned a, unsigned b);
  void visit(mlir::linalg::LinalgOp op);
  unsigned find(unsigned id);

  llvm::DenseMap<std::pair<mlir::Value, unsigned>, unsigned> dims;
  llvm::DenseMap<int64_t, unsigned> constants;
  llvm::DenseMap<mlir::Value, unsigned> values;
  llvm::SmallVector<unsigned> parents;
};

} // namespace dtensor

#endif // DTENSOR_LIB_CONVERSION_GPU_EXTENTS_H
