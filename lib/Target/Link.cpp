//===- Link.cpp - Object code to a shared object --------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The linker gets the very files of the C library that this process has, so
// that it needs neither a compiler driver nor development packages.
//
//===----------------------------------------------------------------------===//

#include "dtensor/Target/Native.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <dlfcn.h>
#include <link.h>
#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace dtensor;

static const char *const kAbiNames[] = {
#define DTENSOR_RT_FUNCTION(NAME, RESULT, ...) #NAME,
#include "dtensor-rt/ABI.def"
};

namespace {
/// A shared library of this process and the names it may provide.
class SystemLibrary {
public:
  explicit SystemLibrary(const char *name) : handle(dlopen(name, RTLD_LAZY)) {
    struct link_map *map = nullptr;
    if (handle && dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0)
      path = map->l_name;
  }
  ~SystemLibrary() {
    if (handle)
      dlclose(handle);
  }
  SystemLibrary(const SystemLibrary &) = delete;
  SystemLibrary &operator=(const SystemLibrary &) = delete;

  bool provides(const std::string &symbol) const {
    return handle && dlsym(handle, symbol.c_str());
  }
  const std::string &getPath() const { return path; }

private:
  void *handle;
  std::string path;
};
} // namespace

// What compiled code may take from the C library itself.
static bool isAllowedC(llvm::StringRef name) {
  return llvm::is_contained({"memcpy", "memset", "memmove"}, name);
}

// Names that the object needs and that nobody will define.
static llvm::Error checkUndefined(llvm::StringRef object,
                                  llvm::ArrayRef<SystemLibrary *> libraries) {
  auto file = llvm::object::ObjectFile::createObjectFile(
      llvm::MemoryBufferRef(object, "program"));
  if (!file)
    return file.takeError();
  std::string missing;
  for (const llvm::object::SymbolRef &symbol : (*file)->symbols()) {
    llvm::Expected<uint32_t> flags = symbol.getFlags();
    llvm::Expected<llvm::StringRef> name = symbol.getName();
    if (!flags || !name)
      return llvm::joinErrors(flags.takeError(), name.takeError());
    if (!(*flags & llvm::object::SymbolRef::SF_Undefined) || name->empty() ||
        isAllowedC(*name) || llvm::is_contained(kAbiNames, *name))
      continue;
    std::string text = name->str();
    if (llvm::none_of(libraries,
                      [&](auto *library) { return library->provides(text); }))
      missing += (missing.empty() ? "" : ", ") + text;
  }
  if (!missing.empty())
    return llvm::createStringError(
        "the program needs functions that no runtime has: " + missing);
  return llvm::Error::success();
}

static llvm::Expected<std::string> runLinker(llvm::ArrayRef<const char *> args,
                                             llvm::StringRef output) {
  // lld keeps its state in globals.
  static std::mutex mutex;
  std::lock_guard<std::mutex> lock(mutex);
  std::string messages;
  llvm::raw_string_ostream os(messages);
  lld::Result result =
      lld::lldMain(args, llvm::nulls(), os, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0)
    return llvm::createStringError("the linker failed: " + messages);
  auto buffer = llvm::MemoryBuffer::getFile(output);
  if (!buffer)
    return llvm::createStringError(buffer.getError(),
                                   "cannot read the linker's output");
  return (*buffer)->getBuffer().str();
}

llvm::Expected<std::string> dtensor::linkSharedObject(llvm::StringRef object) {
  SystemLibrary math("libm.so.6"), vectorMath("libmvec.so.1");
  if (llvm::Error error = checkUndefined(object, {&math, &vectorMath}))
    return error;
  llvm::SmallString<64> input, output;
  int descriptor;
  if (std::error_code code =
          llvm::sys::fs::createTemporaryFile("dtensor", "o", descriptor, input))
    return llvm::createStringError(code, "cannot make a temporary file");
  llvm::FileRemover removeInput(input);
  llvm::raw_fd_ostream os(descriptor, /*shouldClose=*/true);
  os << object;
  os.close();
  if (os.has_error())
    return llvm::createStringError(os.error(), "cannot write " + input.str());
  if (std::error_code code =
          llvm::sys::fs::createTemporaryFile("dtensor", "so", output))
    return llvm::createStringError(code, "cannot make a temporary file");
  llvm::FileRemover removeOutput(output);
  llvm::SmallVector<const char *> args = {
      "ld.lld",      "-shared",      "--gc-sections", "--strip-all",
      "--as-needed", "-z",           "now",           "--threads=1",
      "-o",          output.c_str(), input.c_str()};
  for (SystemLibrary *library : {&math, &vectorMath})
    if (!library->getPath().empty())
      args.push_back(library->getPath().c_str());
  return runLinker(args, output);
}
