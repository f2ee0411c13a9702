//===- LowerContraction.cpp - Products of matrices on the CPU -------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LoopSchedule.h"

using namespace mlir;

bool dtensor::lowerContraction(RewriterBase &rewriter, linalg::LinalgOp op) {
  return false;
}
