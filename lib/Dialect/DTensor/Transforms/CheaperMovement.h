//===- CheaperMovement.h - the same program moves less ----------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_TRANSFORMS_CHEAPERMOVEMENT_H
#define DTENSOR_LIB_DIALECT_DTENSOR_TRANSFORMS_CHEAPERMOVEMENT_H

#include "MovementPlans.h"

namespace dtensor {

/// Moves redistributions to the side of an op where there are fewer bytes:
/// before a cast to a wider type, behind one to a narrower type. Pending
/// reductions stay where they are: rounding before a sum is not rounding after
/// it.
void moveToCheaperSide(mlir::func::FuncOp func, MovementPlans &plans);

/// Where one value is moved to several layouts, makes one from another where
/// that is cheaper: who has the sum slices it.
void shareMovement(mlir::func::FuncOp func, MovementPlans &plans);

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_TRANSFORMS_CHEAPERMOVEMENT_H
