//===- Passes.h - To and from MLIR's shard dialect --------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For tools that exchange programs with others; no pipeline needs them.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_INTERCHANGE_SHARD_PASSES_H
#define DTENSOR_INTERCHANGE_SHARD_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir {
class ModuleOp;
namespace shard {
class ShardDialect;
} // namespace shard
} // namespace mlir

namespace dtensor {

#define GEN_PASS_DECL
#include "dtensor/Interchange/Shard/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "dtensor/Interchange/Shard/Passes.h.inc"

} // namespace dtensor

#endif // DTENSOR_INTERCHANGE_SHARD_PASSES_H
