//===- Compiler.cpp - The C interface of the compiler ---------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A program has a context of its own: contexts share nothing, so programs are
// compiled at the same time on different threads.
//
//===----------------------------------------------------------------------===//

#include "dtensor-c/dtensor_compiler.h"

#include "Support.h"
#include "dtensor/Pipelines/Pipelines.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

#include <mutex>

using namespace dtensor;
using namespace dtensor::capi;

//===----------------------------------------------------------------------===//
// Diagnostics
//===----------------------------------------------------------------------===//

static int32_t severityOf(mlir::DiagnosticSeverity severity) {
  switch (severity) {
  case mlir::DiagnosticSeverity::Error:
    return DTENSOR_COMPILER_ERROR;
  case mlir::DiagnosticSeverity::Warning:
    return DTENSOR_COMPILER_WARNING;
  case mlir::DiagnosticSeverity::Remark:
    return DTENSOR_COMPILER_REMARK;
  case mlir::DiagnosticSeverity::Note:
    return DTENSOR_COMPILER_NOTE;
  }
  return DTENSOR_COMPILER_ERROR;
}

namespace {
/// Tells the caller, and keeps what the last call had to say of errors.
class Reporter {
public:
  Reporter(dtensor_compiler_diagnostic_fn callback, void *user)
      : callback(callback), user(user) {}

  void report(mlir::Diagnostic &diagnostic) {
    errors.add(diagnostic);
    tell(diagnostic);
    for (mlir::Diagnostic &note : diagnostic.getNotes())
      tell(note);
  }

  ErrorText errors;

private:
  void tell(mlir::Diagnostic &diagnostic) {
    std::string place = describePlace(diagnostic.getLocation());
    std::string message = diagnostic.str();
    dtensor_compiler_diagnostic told = {sizeof(told),
                                        severityOf(diagnostic.getSeverity()),
                                        place.c_str(), message.c_str()};
    if (callback)
      callback(user, &told);
  }

  dtensor_compiler_diagnostic_fn callback;
  void *user;
};
} // namespace

static mlir::DialectRegistry makeRegistry() {
  mlir::DialectRegistry registry;
  registerCompilerDialects(registry);
  return registry;
}

static constexpr auto kThreading = mlir::MLIRContext::Threading::DISABLED;

/// What programs are parsed with.
struct dtensor_compiler_session {
  std::mutex mutex;
  std::vector<CustomOp> ops;
  /// Where names are tried; no program lives here.
  mlir::MLIRContext names{makeRegistry(), kThreading};
};

struct dtensor_compiler_program {
  dtensor_compiler_program(dtensor_compiler_diagnostic_fn callback, void *user)
      : reporter(callback, user), context(makeRegistry(), kThreading) {
    context.printOpOnDiagnostic(false);
    context.getDiagEngine().registerHandler(
        [this](mlir::Diagnostic &diagnostic) { reporter.report(diagnostic); });
  }

  std::mutex mutex;
  Reporter reporter;
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

//===----------------------------------------------------------------------===//
// Compiling
//===----------------------------------------------------------------------===//

/// Compiles a copy, so that the program can be compiled again.
static dtensor_compiler_status
compileProgram(dtensor_compiler_program *program,
               const dtensor_compiler_options *options, std::string &result,
               bool &isBundle) {
  if (!program)
    return fail(DTENSOR_COMPILER_INVALID_ARGUMENT, "program is null");
  CompileOptions read;
  if (dtensor_compiler_status status = readOptions(options, read))
    return status;
  isBundle = read.emit == Emit::Bundle;
  std::lock_guard<std::mutex> lock(program->mutex);
  program->reporter.errors.take();
  mlir::OwningOpRef<mlir::ModuleOp> copy(program->module->clone());
  std::optional<std::string> compiled;
  if (llvm::succeeded(verifyLowerings(*copy, read)))
    compiled = compile(*copy, read);
  if (!compiled)
    return fail(DTENSOR_COMPILER_BAD_PROGRAM, program->reporter.errors.take());
  result = std::move(*compiled);
  return DTENSOR_COMPILER_OK;
}

static dtensor_compiler_status
writeFile(llvm::StringRef path, llvm::StringRef contents, bool executable) {
  using namespace llvm::sys::fs;
  auto failed = [&](const std::string &why) {
    return fail(DTENSOR_COMPILER_IO, "cannot write " + path + ": " + why);
  };
  auto file = TempFile::create(path + ".tmp-%%%%%%");
  if (!file)
    return failed(llvm::toString(file.takeError()));
  std::error_code code;
  {
    llvm::raw_fd_ostream os(file->FD, /*shouldClose=*/false);
    os << contents;
    os.flush();
    code = os.error();
    os.clear_error();
  }
  if (code) {
    llvm::consumeError(file->discard());
    return failed(code.message());
  }
  (void)setPermissions(file->TmpName,
                       static_cast<perms>(executable ? 0755 : 0644));
  if (llvm::Error error = file->keep(path))
    return failed(llvm::toString(std::move(error)));
  return DTENSOR_COMPILER_OK;
}

//===----------------------------------------------------------------------===//
// The interface
//===----------------------------------------------------------------------===//

dtensor_compiler_status
dtensor_compiler_session_create(dtensor_compiler_session **session) {
  if (!session)
    return fail(DTENSOR_COMPILER_INVALID_ARGUMENT, "session is null");
  *session = new dtensor_compiler_session;
  return DTENSOR_COMPILER_OK;
}

void dtensor_compiler_session_destroy(dtensor_compiler_session *session) {
  delete session;
}

dtensor_compiler_status
dtensor_compiler_session_add_op(dtensor_compiler_session *session,
                                const dtensor_compiler_custom_op *op) {
  if (!session)
    return fail(DTENSOR_COMPILER_INVALID_ARGUMENT, "session is null");
  std::optional<CustomOp> read = readCustomOp(op);
  if (!read)
    return DTENSOR_COMPILER_INVALID_ARGUMENT;
  std::lock_guard<std::mutex> lock(session->mutex);
  std::string error;
  if (llvm::failed(registerCustomOp(&session->names, *read, error)))
    return fail(DTENSOR_COMPILER_INVALID_ARGUMENT, error);
  session->ops.push_back(std::move(*read));
  return DTENSOR_COMPILER_OK;
}

dtensor_compiler_status
dtensor_compiler_parse(const char *text, size_t bytes, const char *name,
                       dtensor_compiler_diagnostic_fn callback, void *user,
                       dtensor_compiler_program **program) {
  return dtensor_compiler_session_parse(nullptr, text, bytes, name, callback,
                                        user, program);
}

dtensor_compiler_status
dtensor_compiler_session_parse(dtensor_compiler_session *session,
                               const char *bytes, size_t size, const char *name,
                               dtensor_compiler_diagnostic_fn callback,
                               void *user, dtensor_compiler_program **program) {
  if (!bytes || !program)
    return fail(DTENSOR_COMPILER_INVALID_ARGUMENT,
                llvm::Twine(bytes ? "program" : "the program's bytes") +
                    " is null");
  auto made = std::make_unique<dtensor_compiler_program>(callback, user);
  if (session) {
    std::lock_guard<std::mutex> lock(session->mutex);
    std::string error;
    for (const CustomOp &op : session->ops)
      if (llvm::failed(registerCustomOp(&made->context, op, error)))
        return fail(DTENSOR_COMPILER_INVALID_ARGUMENT, error);
  }
  // Bytecode must be aligned, the caller's bytes need not be.
  auto buffer = llvm::MemoryBuffer::getMemBufferCopy({bytes, size}, "");
  made->module = parseProgram(buffer->getBuffer(), name ? name : "<program>",
                              &made->context);
  if (!made->module)
    return fail(DTENSOR_COMPILER_BAD_PROGRAM, made->reporter.errors.take());
  *program = made.release();
  return DTENSOR_COMPILER_OK;
}

void dtensor_compiler_destroy(dtensor_compiler_program *program) {
  delete program;
}

dtensor_compiler_status
dtensor_compiler_compile(dtensor_compiler_program *program,
                         const dtensor_compiler_options *options,
                         dtensor_compiler_buffer *result) {
  if (auto status = checkBuffer(result))
    return status;
  std::string bytes;
  bool isBundle = false;
  if (auto status = compileProgram(program, options, bytes, isBundle))
    return status;
  return fill(result, bytes);
}

dtensor_compiler_status
dtensor_compiler_compile_to_file(dtensor_compiler_program *program,
                                 const dtensor_compiler_options *options,
                                 const char *path) {
  if (!path)
    return fail(DTENSOR_COMPILER_INVALID_ARGUMENT, "path is null");
  std::string bytes;
  bool isBundle = false;
  if (auto status = compileProgram(program, options, bytes, isBundle))
    return status;
  return writeFile(path, bytes, isBundle);
}
