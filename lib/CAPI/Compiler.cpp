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

#include "Support.h"

#include "dtensor/Pipelines/Compile.h"
#include "dtensor/Pipelines/Pipelines.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/FileSystem.h"

#include <cstdlib>
#include <cstring>
#include <mutex>

using namespace dtensor;
using namespace dtensor::capi;

static std::string &lastError() {
  static thread_local std::string text;
  return text;
}

dtensor_compiler_status dtensor::capi::fail(dtensor_compiler_status status,
                                            const llvm::Twine &message) {
  lastError() = message.str();
  return status;
}

//===----------------------------------------------------------------------===//
// Diagnostics
//===----------------------------------------------------------------------===//

/// The innermost place in a file; "" where there is none.
static std::string describePlace(mlir::Location location) {
  std::string place;
  location->walk([&](mlir::Location part) {
    auto file = llvm::dyn_cast<mlir::FileLineColLoc>(part);
    if (!file)
      return mlir::WalkResult::advance();
    place = (file.getFilename().getValue() + ":" + llvm::Twine(file.getLine()) +
             ":" + llvm::Twine(file.getColumn()))
                .str();
    return mlir::WalkResult::interrupt();
  });
  return place;
}

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
    tell(diagnostic);
    for (mlir::Diagnostic &note : diagnostic.getNotes())
      tell(note);
  }

  std::string errors;

private:
  void tell(mlir::Diagnostic &diagnostic) {
    std::string place = describePlace(diagnostic.getLocation());
    std::string message = diagnostic.str();
    int32_t severity = severityOf(diagnostic.getSeverity());
    if (severity == DTENSOR_COMPILER_ERROR ||
        (severity == DTENSOR_COMPILER_NOTE && !errors.empty())) {
      llvm::StringRef kind =
          severity == DTENSOR_COMPILER_ERROR ? "error: " : "note: ";
      errors += errors.empty() ? "" : "\n";
      errors += (place + (place.empty() ? "" : ": ") + kind + message).str();
    }
    dtensor_compiler_diagnostic told = {sizeof(told), severity, place.c_str(),
                                        message.c_str()};
    if (callback)
      callback(user, &told);
  }

  dtensor_compiler_diagnostic_fn callback;
  void *user;
};
} // namespace

struct dtensor_compiler_program {
  dtensor_compiler_program(dtensor_compiler_diagnostic_fn callback, void *user)
      : reporter(callback, user), context(makeRegistry(), kThreading) {
    context.printOpOnDiagnostic(false);
    context.getDiagEngine().registerHandler(
        [this](mlir::Diagnostic &diagnostic) { reporter.report(diagnostic); });
  }

  static mlir::DialectRegistry makeRegistry() {
    mlir::DialectRegistry registry;
    registerCompilerDialects(registry);
    return registry;
  }

  static constexpr auto kThreading = mlir::MLIRContext::Threading::DISABLED;
  std::mutex mutex;
  Reporter reporter;
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

//===----------------------------------------------------------------------===//
// Options and output
//===----------------------------------------------------------------------===//

static std::optional<Emit> parseEmit(llvm::StringRef name) {
  return llvm::StringSwitch<std::optional<Emit>>(name)
      .Case("normalized", Emit::Normalized)
      .Case("placed", Emit::Placed)
      .Case("planned", Emit::Planned)
      .Case("local", Emit::Local)
      .Case("kernels", Emit::Kernels)
      .Case("ptx", Emit::PTX)
      .Case("llvm", Emit::LLVM)
      .Case("bundle", Emit::Bundle)
      .Default(std::nullopt);
}

static dtensor_compiler_status
readOptions(const dtensor_compiler_options *options, CompileOptions &result) {
  if (!options)
    return DTENSOR_COMPILER_OK;
  if (options->struct_size < sizeof(*options))
    return fail(DTENSOR_COMPILER_INVALID_ARGUMENT,
                "options.struct_size is " + llvm::Twine(options->struct_size) +
                    ", at least " + llvm::Twine(sizeof(*options)) +
                    " is expected");
  if (options->target)
    result.target = options->target;
  if (options->cpu)
    result.cpu = options->cpu;
  if (options->emit) {
    std::optional<Emit> emit = parseEmit(options->emit);
    if (!emit)
      return fail(DTENSOR_COMPILER_INVALID_ARGUMENT,
                  "no phase \"" + llvm::Twine(options->emit) + "\"");
    result.emit = *emit;
  }
  result.fromLocal = options->from_local != 0;
  result.verifyEach = options->verify_each != 0;
  result.unoptimized = options->unoptimized != 0;
  return DTENSOR_COMPILER_OK;
}

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
  program->reporter.errors.clear();
  mlir::OwningOpRef<mlir::ModuleOp> copy(program->module->clone());
  std::optional<std::string> compiled = compile(*copy, read);
  if (!compiled)
    return fail(DTENSOR_COMPILER_BAD_PROGRAM, program->reporter.errors);
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

dtensor_compiler_status dtensor::capi::fill(dtensor_compiler_buffer *result,
                                            llvm::StringRef bytes) {
  char *data = static_cast<char *>(std::malloc(bytes.size() + 1));
  if (!data)
    return fail(DTENSOR_COMPILER_IO, "out of memory");
  std::memcpy(data, bytes.data(), bytes.size());
  data[bytes.size()] = 0;
  result->data = data;
  result->bytes = bytes.size();
  return DTENSOR_COMPILER_OK;
}

//===----------------------------------------------------------------------===//
// The interface
//===----------------------------------------------------------------------===//

const char *dtensor_compiler_last_error(void) { return lastError().c_str(); }

const char *dtensor_compiler_version(void) {
  return DTENSOR_VERSION " LLVM " LLVM_VERSION_STRING;
}

dtensor_compiler_status
dtensor_compiler_parse(const char *text, size_t bytes, const char *name,
                       dtensor_compiler_diagnostic_fn callback, void *user,
                       dtensor_compiler_program **program) {
  if (!text || !program)
    return fail(DTENSOR_COMPILER_INVALID_ARGUMENT,
                llvm::Twine(text ? "program" : "text") + " is null");
  auto made = std::make_unique<dtensor_compiler_program>(callback, user);
  made->module = parseProgram(llvm::StringRef(text, bytes),
                              name ? name : "<program>", &made->context);
  if (!made->module)
    return fail(DTENSOR_COMPILER_BAD_PROGRAM, made->reporter.errors);
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
  if (!result || result->struct_size < sizeof(*result))
    return fail(DTENSOR_COMPILER_INVALID_ARGUMENT,
                result ? "result.struct_size is too small" : "result is null");
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

void dtensor_compiler_buffer_free(dtensor_compiler_buffer *buffer) {
  if (!buffer)
    return;
  std::free(const_cast<char *>(buffer->data));
  buffer->data = nullptr;
  buffer->bytes = 0;
}
