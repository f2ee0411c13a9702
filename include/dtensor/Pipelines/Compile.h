//===- Compile.h - From a program to a bundle -------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_PIPELINES_COMPILE_H
#define DTENSOR_PIPELINES_COMPILE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/raw_ostream.h"

#include <optional>
#include <string>

namespace dtensor {

/// Where compilation stops and what it prints there.
enum class Emit {
  Normalized,
  Placed,
  Planned,
  Local,
  Kernels,
  PTX,
  LLVM,
  Bundle
};

struct CompileOptions {
  Emit emit = Emit::Bundle;
  /// "cpu", "cuda" or "cuda:" and architectures, as in "cuda:sm_80,sm_90a".
  std::string target = "cpu";
  /// A processor that LLVM knows; empty: getDefaultCPU().
  std::string cpu;
  /// Lines of dtensor-rt/ProductTable.h that the bundle carries.
  std::vector<std::string> products;
  /// See GlobalPipelineOptions.
  int64_t keepGathered = -1;
  /// The input is in the local view already.
  bool fromLocal = false;
  bool verifyEach = false;
  /// LLVM optimizes nothing: compiles in a fraction of the time, runs slowly.
  bool unoptimized = false;
  bool printTiming = false;
  /// A phase up to Emit::Kernels as bytecode of MLIR, not as text.
  bool bytecode = false;
};

/// Parses `text`. Null, after diagnostics, on an error; a text that nests too
/// deep (InputDepth.h) is one.
mlir::OwningOpRef<mlir::ModuleOp> parseProgram(llvm::StringRef text,
                                               llvm::StringRef name,
                                               mlir::MLIRContext *context);

/// Compiles `module`, which is changed, and gives what `emit` asks for: text,
/// or the bytes of a bundle. Null, after diagnostics, on an error.
std::optional<std::string> compile(mlir::ModuleOp module,
                                   const CompileOptions &options);

} // namespace dtensor

#endif // DTENSOR_PIPELINES_COMPILE_H
