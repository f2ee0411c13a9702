//===- OutputFile.cpp - A file that appears whole or not at all -----------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OutputFile.h"

#include "llvm/ADT/Twine.h"
#include "llvm/Support/raw_ostream.h"

using llvm::sys::fs::TempFile;

OutputFile::~OutputFile() { discard(); }

void OutputFile::discard() {
  if (file)
    llvm::consumeError(file->discard());
  file.reset();
}

// A device or a pipe is written to in place: it cannot be replaced.
static bool isReplaceable(const std::string &name) {
  llvm::sys::fs::file_status status;
  return llvm::sys::fs::status(name, status) ||
         status.type() == llvm::sys::fs::file_type::regular_file;
}

llvm::Error OutputFile::open() {
  if (llvm::sys::fs::is_directory(name))
    return llvm::createStringError("cannot write " + name + ": is a directory");
  if (name == "-" || !isReplaceable(name))
    return llvm::Error::success();
  auto created = TempFile::create(name + ".tmp-%%%%%%");
  if (!created)
    return llvm::createStringError("cannot write " + name + ": " +
                                   llvm::toString(created.takeError()));
  file.emplace(std::move(*created));
  return llvm::Error::success();
}

llvm::Error OutputFile::write(llvm::raw_fd_ostream &os,
                              llvm::StringRef contents) {
  os << contents;
  os.flush();
  std::error_code code = os.error();
  os.clear_error();
  if (!code)
    return llvm::Error::success();
  return llvm::createStringError("cannot write " + name + ": " +
                                 code.message());
}

llvm::Error OutputFile::commit(llvm::StringRef contents, bool executable) {
  if (!file) {
    std::error_code code;
    llvm::raw_fd_ostream os(name, code);
    if (code)
      return llvm::createStringError("cannot write " + name + ": " +
                                     code.message());
    return write(os, contents);
  }
  {
    llvm::raw_fd_ostream os(file->FD, /*shouldClose=*/false);
    if (llvm::Error error = write(os, contents))
      return error;
  }
  using namespace llvm::sys::fs;
  (void)setPermissions(file->TmpName,
                       static_cast<perms>(executable ? 0755 : 0644));
  llvm::Error error = file->keep(name);
  file.reset();
  return error;
}
