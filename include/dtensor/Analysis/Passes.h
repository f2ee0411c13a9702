//===- Passes.h - analyses that print ---------------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_ANALYSIS_PASSES_H
#define DTENSOR_ANALYSIS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace dtensor {

#define GEN_PASS_DECL
#include "dtensor/Analysis/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "dtensor/Analysis/Passes.h.inc"

} // namespace dtensor

#endif // DTENSOR_ANALYSIS_PASSES_H
