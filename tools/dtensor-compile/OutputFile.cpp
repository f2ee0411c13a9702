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

OutputFile::~OutputFile() {
  if (file)
    llvm::consumeError(file->discard());
}

llvm::Error OutputFile::open() {
  if (name == "-")
    return llvm::Error::success();
  if (llvm::sys::fs::is_directory(name))
    return llvm::createStringError("cannot write " + name +
                                   ": is a directory");
  auto created = TempFile::create(name + ".tmp-%%%%%%");
  if (!created)
    return llvm::createStringError("cannot write " + name + ": " +
                                   llvm::toString(created.takeError()));
  file.emplace(std::move(*created));
  return llvm::Error::success();
}

llvm::Error OutputFile::commit(llvm::StringRef contents, bool executable) {
  if (name == "-") {
    llvm::outs() << contents;
    llvm::outs().flush();
    return llvm::Error::success();
  }
  {
    llvm::raw_fd_ostream os(file->FD, /*shouldClose=*/false);
    os << contents;
    os.flush();
    if (std::error_code code = os.error()) {
      os.clear_error();
      return llvm::createStringError("cannot write " + name + ": " +
                                     code.message());
    }
  }
  using namespace llvm::sys::fs;
  (void)setPermissions(file->TmpName,
                       static_cast<perms>(executable ? 0755 : 0644));
  llvm::Error error = file->keep(name);
  file.reset();
  return error;
}
