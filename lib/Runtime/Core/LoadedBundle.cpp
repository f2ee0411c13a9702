//===- LoadedBundle.cpp - a bundle in memory --------------------*- C++ -*-===//
//
// What is checked must be what is loaded: the file is read once, and the
// loader gets a private copy of those bytes in memory, so that a file replaced
// in between, or while the code runs, does no harm.
//
//===----------------------------------------------------------------------===//

#include "LoadedBundle.h"

#include "Error.h"

#include "dtensor-rt/Bundle.h"

#include <cerrno>
#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <mutex>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace dtensor::rt;

namespace {

std::string readFile(const std::string &path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0)
    raise(DTENSOR_RT_NOT_FOUND, quoted(path), ": ", std::strerror(errno));
  if (!S_ISREG(info.st_mode))
    raise(DTENSOR_RT_BAD_BUNDLE, quoted(path), " is not a regular file");
  std::ifstream stream(path, std::ios::binary);
  std::string bytes(static_cast<size_t>(info.st_size), '\0');
  if (!stream.read(bytes.data(), info.st_size))
    raise(DTENSOR_RT_NOT_FOUND, quoted(path),
          " cannot be read: ", std::strerror(errno));
  return bytes;
}

/// Compiled code names functions of this library. Where the library itself was
/// loaded privately (by Python, say) its names must be made visible first.
void makeRuntimeVisible() {
  static std::once_flag once;
  std::call_once(once, [] {
    Dl_info info;
    if (dladdr(reinterpret_cast<void *>(&dtensor_rt_last_error), &info))
      dlopen(info.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
  });
}

/// Copies `size` bytes to an unnamed file in memory; -1 with errno on failure.
int makeMemoryFile(const char *data, size_t size) {
  int fd = memfd_create("dtensor-bundle", MFD_CLOEXEC);
  while (fd >= 0 && size) {
    ssize_t count = write(fd, data, size);
    if (count <= 0) {
      int reason = errno;
      close(fd);
      errno = reason;
      return -1;
    }
    data += count;
    size -= static_cast<size_t>(count);
  }
  return fd;
}

} // namespace

void LoadedBundle::loadCode(const std::string &bytes, size_t codeBytes) {
  makeRuntimeVisible();
  file = makeMemoryFile(bytes.data(), codeBytes);
  if (file < 0)
    raise(DTENSOR_RT_OUT_OF_MEMORY, quoted(path),
          " cannot be copied: ", std::strerror(errno));
  // The loader takes files of one name for one file, so this name must stay
  // ours: the descriptor is kept open as long as the library is loaded.
  std::string name = concat("/proc/self/fd/", file);
  library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    raise(DTENSOR_RT_BAD_BUNDLE, quoted(path),
          " cannot be loaded: ", dlerror());
}

std::shared_ptr<LoadedBundle> LoadedBundle::open(const std::string &path) {
  std::string bytes = readFile(path);
  BundleFooter footer;
  std::string error;
  if (!readBundleFooter(bytes.data(), bytes.size(), footer, error))
    raise(DTENSOR_RT_BAD_BUNDLE, quoted(path), " ", error);
  std::shared_ptr<LoadedBundle> bundle(new LoadedBundle());
  bundle->path = path;
  bundle->manifestText = bytes.substr(footer.codeBytes, footer.manifestBytes);
  try {
    bundle->manifest = parseManifest(bundle->manifestText);
  } catch (const Error &problem) {
    raise(problem.getStatus(), quoted(path), ": ", problem.what());
  }
  bundle->loadCode(bytes, footer.codeBytes);
  return bundle;
}

LoadedBundle::~LoadedBundle() {
  if (library)
    dlclose(library);
  if (file >= 0)
    close(file);
}

const EntryDecl &LoadedBundle::findEntry(const std::string &name) const {
  const std::vector<EntryDecl> &entries = manifest.entries;
  if (name.empty() && entries.size() == 1)
    return entries[0];
  std::string known;
  for (const EntryDecl &entry : entries) {
    if (entry.name == name)
      return entry;
    known += (known.empty() ? "" : ", ") + quoted(entry.name);
  }
  std::string has = known.empty() ? " has no entry" : " has entries " + known;
  if (name.empty())
    raise(DTENSOR_RT_NOT_FOUND, "no entry named; ", quoted(path), has);
  raise(DTENSOR_RT_NOT_FOUND, "no entry ", quoted(name), "; ", quoted(path),
        has);
}

void *LoadedBundle::findOptionalSymbol(const std::string &name) const {
  return dlsym(library, name.c_str());
}

void *LoadedBundle::findSymbol(const std::string &name) const {
  void *symbol = findOptionalSymbol(name);
  if (!symbol)
    raise(DTENSOR_RT_BAD_BUNDLE, quoted(path), " does not export ",
          quoted(name));
  return symbol;
}
