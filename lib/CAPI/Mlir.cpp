//===- Mlir.cpp - The C interface on modules of a host --------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Support.h"
#include "dtensor-c/dtensor_mlir.h"

#include "dtensor/Pipelines/Pipelines.h"

#include "mlir/CAPI/IR.h"

using namespace dtensor;
using namespace dtensor::capi;

void dtensor_mlir_register_dialects(MlirDialectRegistry registry) {
  registerCompilerDialects(*unwrap(registry));
}

dtensor_compiler_status
dtensor_mlir_add_op(MlirContext context, const dtensor_compiler_custom_op *op) {
  std::optional<CustomOp> read = readCustomOp(op);
  if (!read)
    return DTENSOR_COMPILER_INVALID_ARGUMENT;
  std::string error;
  if (llvm::failed(registerCustomOp(unwrap(context), std::move(*read), error)))
    return fail(DTENSOR_COMPILER_INVALID_ARGUMENT, error);
  return DTENSOR_COMPILER_OK;
}

// Compiles `module` itself. What is wrong goes on to the host's handlers.
static dtensor_compiler_status compileInPlace(mlir::ModuleOp module,
                                              const CompileOptions &options,
                                              std::string &result) {
  ErrorText errors;
  mlir::ScopedDiagnosticHandler handler(module.getContext(),
                                        [&](mlir::Diagnostic &diagnostic) {
                                          errors.add(diagnostic);
                                          return llvm::failure();
                                        });
  std::optional<std::string> compiled;
  if (llvm::succeeded(verifyLowerings(module, options)))
    compiled = compile(module, options);
  if (!compiled)
    return fail(DTENSOR_COMPILER_BAD_PROGRAM, errors.take());
  result = std::move(*compiled);
  return DTENSOR_COMPILER_OK;
}

dtensor_compiler_status
dtensor_mlir_compile(MlirModule module, const dtensor_compiler_options *options,
                     dtensor_compiler_buffer *result) {
  if (auto status = checkBuffer(result))
    return status;
  CompileOptions read;
  if (auto status = readOptions(options, read))
    return status;
  mlir::OwningOpRef<mlir::ModuleOp> copy(unwrap(module).clone());
  std::string bytes;
  if (auto status = compileInPlace(*copy, read, bytes))
    return status;
  return fill(result, bytes);
}

dtensor_compiler_status
dtensor_mlir_run_phases(MlirModule module,
                        const dtensor_compiler_options *options) {
  CompileOptions read;
  if (auto status = readOptions(options, read))
    return status;
  if (read.emit > Emit::Kernels)
    return fail(DTENSOR_COMPILER_INVALID_ARGUMENT,
                "only a phase up to \"kernels\" is a module");
  std::string text;
  return compileInPlace(unwrap(module), read, text);
}
