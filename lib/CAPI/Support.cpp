//===- Support.cpp - What the C interfaces share --------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Support.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Config/llvm-config.h"

#include <cstddef>
#include <cstdlib>
#include <cstring>

using namespace dtensor;
using namespace dtensor::capi;

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

static std::string &lastError() {
  static thread_local std::string text;
  return text;
}

dtensor_compiler_status capi::fail(dtensor_compiler_status status,
                                   const llvm::Twine &message) {
  lastError() = message.str();
  return status;
}

const char *dtensor_compiler_last_error(void) { return lastError().c_str(); }

const char *dtensor_compiler_version(void) {
  return DTENSOR_VERSION " LLVM " LLVM_VERSION_STRING;
}

std::string capi::describePlace(mlir::Location location) {
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

void ErrorText::add(mlir::Diagnostic &diagnostic) {
  if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error)
    return;
  addLine(diagnostic, "error: ");
  for (mlir::Diagnostic &note : diagnostic.getNotes())
    addLine(note, "note: ");
}

void ErrorText::addLine(mlir::Diagnostic &diagnostic, llvm::StringRef kind) {
  std::string place = describePlace(diagnostic.getLocation());
  text += text.empty() ? "" : "\n";
  text += (place + (place.empty() ? "" : ": ") + kind + diagnostic.str()).str();
}

//===----------------------------------------------------------------------===//
// Options
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

static dtensor_compiler_status readFormat(const char *format,
                                          CompileOptions &result) {
  llvm::StringRef name(format);
  if (name != "text" && name != "bytecode")
    return fail(DTENSOR_COMPILER_INVALID_ARGUMENT,
                "no format \"" + name + "\"");
  result.bytecode = name == "bytecode";
  if (result.bytecode && result.emit > Emit::Kernels)
    return fail(DTENSOR_COMPILER_INVALID_ARGUMENT,
                "only a phase up to \"kernels\" has bytecode");
  return DTENSOR_COMPILER_OK;
}

dtensor_compiler_status
capi::readOptions(const dtensor_compiler_options *options,
                  CompileOptions &result) {
  if (!options)
    return DTENSOR_COMPILER_OK;
  // The first version ended before `format`.
  constexpr size_t least = offsetof(dtensor_compiler_options, format);
  if (options->struct_size < least)
    return fail(DTENSOR_COMPILER_INVALID_ARGUMENT,
                "options.struct_size is " + llvm::Twine(options->struct_size) +
                    ", at least " + llvm::Twine(least) + " is expected");
  dtensor_compiler_options known = {};
  std::memcpy(&known, options, std::min(options->struct_size, sizeof(known)));
  if (known.target)
    result.target = known.target;
  if (known.cpu)
    result.cpu = known.cpu;
  if (known.emit) {
    std::optional<Emit> emit = parseEmit(known.emit);
    if (!emit)
      return fail(DTENSOR_COMPILER_INVALID_ARGUMENT,
                  "no phase \"" + llvm::Twine(known.emit) + "\"");
    result.emit = *emit;
  }
  result.fromLocal = known.from_local != 0;
  result.verifyEach = known.verify_each != 0;
  result.unoptimized = known.unoptimized != 0;
  return known.format ? readFormat(known.format, result) : DTENSOR_COMPILER_OK;
}

//===----------------------------------------------------------------------===//
// Bytes
//===----------------------------------------------------------------------===//

dtensor_compiler_status
capi::checkBuffer(const dtensor_compiler_buffer *result) {
  if (!result || result->struct_size < sizeof(*result))
    return fail(DTENSOR_COMPILER_INVALID_ARGUMENT,
                result ? "result.struct_size is too small" : "result is null");
  return DTENSOR_COMPILER_OK;
}

dtensor_compiler_status capi::fill(dtensor_compiler_buffer *result,
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

void dtensor_compiler_buffer_free(dtensor_compiler_buffer *buffer) {
  if (!buffer)
    return;
  std::free(const_cast<char *>(buffer->data));
  buffer->data = nullptr;
  buffer->bytes = 0;
}
