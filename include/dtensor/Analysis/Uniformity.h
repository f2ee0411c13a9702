//===- Uniformity.h - what is the same on every rank ------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every rank runs the same program and joins every collective in the same
// order, so a collective may stand only under conditions and loop bounds that
// are equal on all ranks. Scalars start equal (arguments, constants, extents);
// what is computed from a rank's coordinate, or read from a tensor that is not
// replicated, is not.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_ANALYSIS_UNIFORMITY_H
#define DTENSOR_ANALYSIS_UNIFORMITY_H

#include "mlir/IR/Operation.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"

namespace dtensor {

class Uniformity {
public:
  /// Is `value` provably equal on every rank?
  bool isUniform(mlir::Value value);

  /// A value that decides whether, or how often, `op` runs and that is not
  /// uniform; null if there is none up to the enclosing function.
  mlir::Value findDivergence(mlir::Operation *op);

private:
  bool compute(mlir::Value value);
  llvm::DenseMap<mlir::Value, bool> known;
};

} // namespace dtensor

#endif // DTENSOR_ANALYSIS_UNIFORMITY_H
