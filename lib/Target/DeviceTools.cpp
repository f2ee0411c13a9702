//===- DeviceTools.cpp - Where CUDA's compiler parts are ------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Target/Device.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"

using namespace dtensor;

static constexpr llvm::StringLiteral kDefaultArch = "sm_90a";

//===----------------------------------------------------------------------===//
// Targets
//===----------------------------------------------------------------------===//

static std::optional<DeviceArch> parseArch(llvm::StringRef text) {
  DeviceArch arch;
  arch.name = text.str();
  if (!text.consume_front("sm_"))
    return std::nullopt;
  llvm::StringRef digits = text.take_while(llvm::isDigit);
  llvm::StringRef suffix = text.drop_front(digits.size());
  if (digits.size() < 2 || digits.getAsInteger(10, arch.number) ||
      (!suffix.empty() && suffix != "a" && suffix != "f"))
    return std::nullopt;
  return arch;
}

llvm::Expected<TargetSpec> dtensor::parseTarget(llvm::StringRef text) {
  TargetSpec spec;
  spec.text = text.str();
  if (text == "cpu")
    return spec;
  auto [backend, list] = text.split(':');
  if (backend != "cuda")
    return llvm::createStringError("no target \"" + text +
                                   "\", only \"cpu\" and \"cuda:sm_NN\"");
  if (list.empty())
    list = kDefaultArch;
  spec.text = ("cuda:" + list).str();
  llvm::SmallVector<llvm::StringRef> names;
  list.split(names, ',');
  for (llvm::StringRef name : names) {
    std::optional<DeviceArch> arch = parseArch(name);
    if (!arch)
      return llvm::createStringError("no architecture \"" + name +
                                     "\" in target \"" + text +
                                     "\", expected names like sm_90a");
    // Conversions of bf16 and its loads need this much.
    if (arch->number < 80)
      return llvm::createStringError("architecture \"" + name +
                                     "\" is older than sm_80");
    spec.archs.push_back(*arch);
  }
  return spec;
}

//===----------------------------------------------------------------------===//
// Tools
//===----------------------------------------------------------------------===//

namespace {
class ToolFinder {
public:
  ToolFinder() {
    for (const char *name : {"CUDA_HOME", "CUDA_PATH", "CUDA_ROOT"})
      if (std::optional<std::string> value = llvm::sys::Process::GetEnv(name))
        addToolkit(*value);
    addToolkit("/usr/local/cuda");
    if (llvm::ErrorOr<std::string> nvcc =
            llvm::sys::findProgramByName("nvcc")) {
      llvm::SmallString<128> real;
      if (!llvm::sys::fs::real_path(*nvcc, real))
        addToolkit(
            llvm::sys::path::parent_path(llvm::sys::path::parent_path(real)));
    }
    if (auto venv = llvm::sys::Process::GetEnv("VIRTUAL_ENV"))
      addPython(*venv + "/lib");
    if (auto home = llvm::sys::Process::GetEnv("HOME"))
      addPython(*home + "/.local/lib");
    for (const char *prefix : {"/usr/local/lib", "/usr/lib"})
      addPython(prefix);
  }

  DeviceTools find() {
    DeviceTools tools;
    tools.libdevice = firstOf({"nvvm/libdevice/libdevice.10.bc",
                               "lib/libdevice.10.bc", "libdevice.10.bc"});
    tools.ptxas = firstOf({"bin/ptxas"});
    if (tools.ptxas.empty())
      if (auto program = llvm::sys::findProgramByName("ptxas"))
        tools.ptxas = *program;
    return tools;
  }

private:
  void addToolkit(const llvm::Twine &path) { roots.push_back(path.str()); }

  // NVIDIA's packages and Triton's each hold a small toolkit.
  void addPython(const llvm::Twine &lib) {
    std::error_code code;
    for (llvm::sys::fs::directory_iterator it(lib, code), end;
         it != end && !code; it.increment(code)) {
      if (!llvm::sys::path::filename(it->path()).starts_with("python3"))
        continue;
      for (const char *packages : {"/site-packages/", "/dist-packages/"})
        for (const char *part : {"nvidia/cuda_nvcc", "nvidia/cu13",
                                 "nvidia/cu12", "triton/backends/nvidia"})
          addToolkit(it->path() + packages + part);
    }
  }

  std::string firstOf(llvm::ArrayRef<const char *> names) {
    for (const std::string &root : roots)
      for (const char *name : names) {
        std::string path = root + "/" + name;
        if (llvm::sys::fs::exists(path))
          return path;
      }
    return {};
  }

  std::vector<std::string> roots;
};
} // namespace

DeviceTools dtensor::findDeviceTools() { return ToolFinder().find(); }
