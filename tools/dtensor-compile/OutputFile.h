//===- OutputFile.h - A file that appears whole or not at all ---*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_TOOLS_DTENSOR_COMPILE_OUTPUTFILE_H
#define DTENSOR_TOOLS_DTENSOR_COMPILE_OUTPUTFILE_H

#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <optional>
#include <string>

/// Writes beside its destination and renames, so that nobody sees half a file
/// and a failed run leaves the old one alone. "-" is standard output; what
/// exists and is no regular file is written to as it is.
class OutputFile {
public:
  explicit OutputFile(std::string name) : name(std::move(name)) {}
  ~OutputFile();
  OutputFile(const OutputFile &) = delete;
  OutputFile &operator=(const OutputFile &) = delete;

  /// Fails early if the destination cannot be written.
  llvm::Error open();
  llvm::Error commit(llvm::StringRef contents, bool executable);
  /// Forgets the file; so does the destructor.
  void discard();

private:
  llvm::Error write(llvm::raw_fd_ostream &os, llvm::StringRef contents);

  std::string name;
  std::optional<llvm::sys::fs::TempFile> file;
};

#endif // DTENSOR_TOOLS_DTENSOR_COMPILE_OUTPUTFILE_H
