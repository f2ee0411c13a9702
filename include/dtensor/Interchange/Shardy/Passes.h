//===- Passes.h - programs of Shardy ----------------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_INTERCHANGE_SHARDY_PASSES_H
#define DTENSOR_INTERCHANGE_SHARDY_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace dtensor {

#define GEN_PASS_DECL
#include "dtensor/Interchange/Shardy/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "dtensor/Interchange/Shardy/Passes.h.inc"

/// The dialect `sdy` of these passes, for a context that Shardy itself is not
/// in; the pipelines do not need it.
void registerShardyInterchange(mlir::DialectRegistry &registry);

} // namespace dtensor

#endif // DTENSOR_INTERCHANGE_SHARDY_PASSES_H
