//===- Support.h - What the C interfaces share ------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_CAPI_SUPPORT_H
#define DTENSOR_LIB_CAPI_SUPPORT_H

#include "dtensor-c/dtensor_compiler.h"
#include "dtensor/Dialect/DTensor/Extensions/CustomOps.h"
#include "dtensor/Pipelines/Compile.h"

#include "mlir/IR/Diagnostics.h"

#include <optional>

namespace dtensor::capi {

/// Keeps `message` for dtensor_compiler_last_error and gives `status`.
dtensor_compiler_status fail(dtensor_compiler_status status,
                             const llvm::Twine &message);

/// What callers of an older header did not know keeps its default.
dtensor_compiler_status readOptions(const dtensor_compiler_options *options,
                                    CompileOptions &result);

/// The copy of `bytes` is the caller's to free.
dtensor_compiler_status fill(dtensor_compiler_buffer *result,
                             llvm::StringRef bytes);
/// Says what is wrong with a buffer that is to be filled.
dtensor_compiler_status checkBuffer(const dtensor_compiler_buffer *result);

/// The host's callbacks as the definition of an op; nothing after a failure
/// that fail() knows.
std::optional<CustomOp> readCustomOp(const dtensor_compiler_custom_op *op);

/// Fails, after an error, at an op that no phase behind the local view knows.
llvm::LogicalResult verifyLowerings(mlir::ModuleOp module,
                                    const CompileOptions &options);

/// What is known of a diagnostic's place: "file:line:column", or "".
std::string describePlace(mlir::Location location);

/// The text of errors and of their notes, a line each.
class ErrorText {
public:
  void add(mlir::Diagnostic &diagnostic);
  std::string take() { return std::exchange(text, {}); }

private:
  void addLine(mlir::Diagnostic &diagnostic, llvm::StringRef kind);
  std::string text;
};

} // namespace dtensor::capi

#endif // DTENSOR_LIB_CAPI_SUPPORT_H
