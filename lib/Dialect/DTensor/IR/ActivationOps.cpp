//===- ActivationOps.cpp - nonlinear functions of models ------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/ActivationOps.h"

#include "PointwiseBodies.h"

using namespace mlir;
using namespace dtensor;

void DTensorDialect::registerActivationOps() {
  addOperations<
#define GET_OP_LIST
#include "dtensor/Dialect/DTensor/IR/ActivationOps.cpp.inc"
      >();
}

#define GET_OP_CLASSES
#include "dtensor/Dialect/DTensor/IR/ActivationOps.cpp.inc"
