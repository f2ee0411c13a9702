//===- Register.h - everything there is -------------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For tools that take any input and run any pass. The only header that knows
// every room.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_REGISTER_H
#define DTENSOR_REGISTER_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace dtensor {

/// Our dialect, the upstream dialects that programs are written in and lowered
/// to, and the models by which their ops join.
void registerAllDialects(mlir::DialectRegistry &registry);

/// Our passes and pipelines, and upstream's general clean-up passes.
void registerAllPasses();

} // namespace dtensor

#endif // DTENSOR_REGISTER_H
