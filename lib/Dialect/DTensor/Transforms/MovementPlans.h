//===- MovementPlans.h - what redistributions of a function cost -*- C++ -*-==//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_TRANSFORMS_MOVEMENTPLANS_H
#define DTENSOR_LIB_DIALECT_DTENSOR_TRANSFORMS_MOVEMENTPLANS_H

#include "dtensor/Dialect/DTensor/IR/DTensor.h"

namespace dtensor {

/// Plans under the facts of one function. Equal questions are answered once; a
/// program of many layers asks few.
class MovementPlans {
public:
  explicit MovementPlans(mlir::func::FuncOp func)
      : facts(dtensor::getFacts(func)) {}

  /// Null where the move is forbidden; `error` receives the reason. The plan
  /// stays where it is.
  const Plan *find(LayoutAttr from, LayoutAttr to, mlir::Type element,
                   std::string *error = nullptr);

  const Facts &getFacts() const { return facts; }

private:
  const Facts facts;
  llvm::DenseMap<
      std::pair<std::pair<mlir::Attribute, mlir::Attribute>, mlir::Type>,
      std::unique_ptr<Plan>>
      known;
};

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_TRANSFORMS_MOVEMENTPLANS_H
