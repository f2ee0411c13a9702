//===- Api.cpp - NVIDIA's libraries, loaded at run time ---------*- C++ -*-===//

#include "Api.h"

#include "../../Core/Error.h"

#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <glob.h>
#include <vector>

using namespace dtensor::rt;
using namespace dtensor::rt::cuda;

namespace {

std::vector<std::string> splitPath(const char *variable) {
  std::vector<std::string> parts;
  const char *text = std::getenv(variable);
  for (std::string rest = text ? text : ""; !rest.empty();) {
    size_t at = rest.find(':');
    if (at != 0)
      parts.push_back(rest.substr(0, at));
    rest = at == std::string::npos ? "" : rest.substr(at + 1);
  }
  return parts;
}

void addMatches(std::vector<std::string> &found, const std::string &pattern) {
  glob_t result = {};
  if (glob(pattern.c_str(), 0, nullptr, &result) == 0)
    found.insert(found.end(), result.gl_pathv,
                 result.gl_pathv + result.gl_pathc);
  globfree(&result);
}

/// Where a library may lie: where the user says, where the loader looks, in an
/// installed toolkit, in the packages of the Pythons on PATH.
std::vector<std::string> candidates(const std::string &name) {
  std::vector<std::string> paths;
  for (const std::string &folder : splitPath("DTENSOR_CUDA_LIBRARY_PATH"))
    paths.push_back(folder + "/" + name);
  paths.push_back(name);
  for (const char *variable : {"CUDA_HOME", "CUDA_PATH"})
    for (const std::string &folder : splitPath(variable))
      paths.push_back(folder + "/lib64/" + name);
  paths.push_back("/usr/local/cuda/lib64/" + name);
  paths.push_back("/usr/local/nvidia/lib64/" + name);
  for (const std::string &folder : splitPath("PATH"))
    addMatches(paths,
               folder + "/../lib/python3*/site-packages/nvidia/*/lib/" + name);
  return paths;
}

void *openLibrary(const char *what, const std::vector<std::string> &names) {
  std::string reason;
  for (const std::string &name : names)
    for (const std::string &path : candidates(name)) {
      if (void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL))
        return library;
      const char *error = dlerror();
      if (reason.empty() || path.find('/') != std::string::npos)
        reason = error ? error : "";
    }
  raise(DTENSOR_RT_NOT_FOUND, "backend \"cuda\" needs ", what, ": ", names[0],
        " cannot be loaded (", reason,
        "); DTENSOR_CUDA_LIBRARY_PATH may name its folder");
}

void *findFunction(void *library, const char *what, const char *symbol) {
  void *function = dlsym(library, symbol);
  if (!function)
    raise(DTENSOR_RT_NOT_FOUND, "backend \"cuda\": ", what, " is too old, it ",
          "has no function ", symbol);
  return function;
}

template <typename Fn>
void load(Fn &member, void *library, const char *what, const char *symbol) {
  member = reinterpret_cast<Fn>(findFunction(library, what, symbol));
}

Driver loadDriver() {
  const char *what = "the NVIDIA driver";
  void *library = openLibrary(what, {"libcuda.so.1"});
  Driver driver;
#define DTENSOR_CUDA_FUNCTION(MEMBER, SYMBOL, PARAMETERS)                      \
  load(driver.MEMBER, library, what, #SYMBOL);
  DTENSOR_CUDA_FUNCTIONS(DTENSOR_CUDA_FUNCTION)
#undef DTENSOR_CUDA_FUNCTION
  if (Result result = driver.init(0)) {
    const char *text = nullptr;
    driver.getErrorString(result, &text);
    raise(DTENSOR_RT_NOT_FOUND, "backend \"cuda\": the NVIDIA driver does not ",
          "start: ", text ? text : "unknown error");
  }
  return driver;
}

/// A library that is loaded already has read its environment or will read it
/// as it is now.
void forbidMulticast() {
  const char *value = std::getenv("NCCL_NVLS_ENABLE");
  bool isOff = value && std::strcmp(value, "0") == 0;
  if (dlopen("libnccl.so.2", RTLD_NOW | RTLD_NOLOAD) && !isOff)
    raise(DTENSOR_RT_INVALID_ARGUMENT,
          "backend \"cuda\": NCCL is loaded in this process without ",
          "NCCL_NVLS_ENABLE=0, so that it may use NVLink multicast; set the ",
          "variable before NCCL is loaded");
  setenv("NCCL_NVLS_ENABLE", "0", /*overwrite=*/1);
}

Nccl loadNccl() {
  const char *what = "NCCL";
  forbidMulticast();
  void *library = openLibrary(what, {"libnccl.so.2"});
  Nccl nccl;
#define DTENSOR_NCCL_FUNCTION(MEMBER, SYMBOL, PARAMETERS)                      \
  load(nccl.MEMBER, library, what, #SYMBOL);
  DTENSOR_NCCL_FUNCTIONS(DTENSOR_NCCL_FUNCTION)
#undef DTENSOR_NCCL_FUNCTION
  load(nccl.getErrorString, library, what, "ncclGetErrorString");
  nccl.version = 0;
  nccl.getVersion(&nccl.version);
  if (nccl.version < 21800)
    raise(DTENSOR_RT_NOT_FOUND, "backend \"cuda\": NCCL has version ",
          nccl.version, ", at least 21800 is needed");
  return nccl;
}

Lt loadLt() {
  const char *what = "cuBLASLt";
  void *library = openLibrary(what, {"libcublasLt.so.13", "libcublasLt.so.12"});
  Lt lt;
#define DTENSOR_LT_FUNCTION(MEMBER, SYMBOL, PARAMETERS)                        \
  load(lt.MEMBER, library, what, #SYMBOL);
  DTENSOR_LT_FUNCTIONS(DTENSOR_LT_FUNCTION)
#undef DTENSOR_LT_FUNCTION
  load(lt.getVersion, library, what, "cublasLtGetVersion");
  return lt;
}

} // namespace

// A failed load is tried again at the next call.

const Driver &cuda::getDriver() {
  static const Driver driver = loadDriver();
  return driver;
}

const Nccl &cuda::getNccl() {
  static const Nccl nccl = loadNccl();
  const char *value = std::getenv("NCCL_NVLS_ENABLE");
  if (!value || std::strcmp(value, "0") != 0)
    raise(DTENSOR_RT_INVALID_ARGUMENT,
          "backend \"cuda\": NCCL_NVLS_ENABLE was changed, it must stay 0");
  return nccl;
}

const Lt &cuda::getLt() {
  static const Lt lt = loadLt();
  return lt;
}

void cuda::check(Result result, const char *what) {
  if (result == 0)
    return;
  const char *name = nullptr, *text = nullptr;
  getDriver().getErrorName(result, &name);
  getDriver().getErrorString(result, &text);
  raise(result == kErrorOutOfMemory ? DTENSOR_RT_OUT_OF_MEMORY
                                    : DTENSOR_RT_RUN_FAILED,
        what, ": ", name ? name : "unknown CUDA error", " (", text ? text : "",
        ")");
}

void cuda::checkNccl(NcclResult result, const char *what) {
  if (result != 0 && result != kNcclInProgress)
    raise(DTENSOR_RT_RUN_FAILED, what,
          ": NCCL: ", getNccl().getErrorString(result));
}

void cuda::checkLt(LtResult result, const char *what) {
  if (result != 0)
    raise(DTENSOR_RT_RUN_FAILED, what, ": cuBLASLt status ", result);
}
