//===- Images.cpp - device code for a GPU -----------------------*- C++ -*-===//

#include "Images.h"

#include "Gpu.h"

#include "../../Core/Error.h"

#include <algorithm>

using namespace dtensor::rt;
using namespace dtensor::rt::cuda;

#ifdef DTENSOR_KERNELS_FILE
// The kernels' fatbin as bytes of this library.
asm(".section .rodata\n"
    ".balign 64\n"
    ".hidden dtensor_prebuilt_kernels\n"
    ".globl dtensor_prebuilt_kernels\n"
    "dtensor_prebuilt_kernels:\n"
    ".incbin \"" DTENSOR_KERNELS_FILE "\"\n"
    ".byte 0\n"
    ".text\n");
extern "C" const char dtensor_prebuilt_kernels[];
static const char *const prebuiltKernels = dtensor_prebuilt_kernels;
#else
static const char *const prebuiltKernels = nullptr;
#endif

Module cuda::loadPrebuiltKernels(const std::string &gpu) {
  if (!prebuiltKernels)
    raise(DTENSOR_RT_NOT_FOUND, gpu, ": this build of the runtime has no ",
          "kernels of its own, it was made without nvcc");
  Module module = nullptr;
  check(getDriver().moduleLoadData(&module, prebuiltKernels),
        "loading the runtime's kernels");
  return module;
}

namespace {

enum ImageKind { Ptx = 0, Cubin = 1 };

std::string describeImages(const std::vector<DeviceImage> &images) {
  std::string text;
  for (const DeviceImage &image : images)
    text += concat(text.empty() ? "" : ", ",
                   image.kind == Cubin ? "sm_" : "ptx ", image.arch);
  return text.empty() ? "none" : text;
}

/// Best first: exact machine code, machine code of the same generation, newest
/// PTX that is not newer than the GPU.
std::vector<DeviceImage> sortImages(std::vector<DeviceImage> images, int arch) {
  auto rank = [&](const DeviceImage &image) {
    if (image.kind == Cubin)
      return image.arch == arch                                  ? 3
             : image.arch / 10 == arch / 10 && image.arch < arch ? 2
                                                                 : 0;
    return image.arch <= arch ? 1 : 0;
  };
  images.erase(std::remove_if(images.begin(), images.end(),
                              [&](auto &image) { return rank(image) == 0; }),
               images.end());
  std::sort(images.begin(), images.end(), [&](auto &a, auto &b) {
    return std::pair(rank(a), a.arch) > std::pair(rank(b), b.arch);
  });
  return images;
}

std::vector<DeviceImage> readImages(const LoadedBundle &bundle) {
  auto *count = static_cast<const int64_t *>(
      bundle.findOptionalSymbol("dtensor_image_count"));
  auto *images = static_cast<const DeviceImage *>(
      bundle.findOptionalSymbol("dtensor_images"));
  if (!count || !images || *count < 0 || *count > 64)
    return {};
  return {images, images + *count};
}

/// Whether an image was refused for what it is. Anything else (no memory, an
/// earlier kernel that broke the context) says nothing about the image.
bool isAboutImage(Result result) {
  switch (result) {
  case 200: // invalid image
  case 209: // no binary for this GPU
  case 218: // invalid PTX
  case 221: // no compiler of PTX
  case 222: // PTX of a newer version
    return true;
  default:
    return false;
  }
}

} // namespace

BundleKernels::BundleKernels(const Gpu &gpu, const LoadedBundle &bundle)
    : names(bundle.getManifest().kernels) {
  if (names.empty())
    return;
  std::vector<DeviceImage> images = readImages(bundle);
  Result last = 0;
  for (const DeviceImage &image : sortImages(images, gpu.getArch())) {
    last = getDriver().moduleLoadData(&module, image.data);
    if (last == 0)
      break;
    module = nullptr;
    if (!isAboutImage(last))
      check(last,
            concat("loading the device code of ", quoted(bundle.getPath()))
                .c_str());
  }
  if (!module) {
    const char *text = nullptr;
    if (last)
      getDriver().getErrorString(last, &text);
    raise(DTENSOR_RT_BAD_BUNDLE, quoted(bundle.getPath()), " has no code for ",
          gpu.describe(), ", it has ", describeImages(images),
          text ? concat(" (", text, ")") : "");
  }
  for (const std::string &name : names) {
    Function function = nullptr;
    if (getDriver().moduleGetFunction(&function, module, name.c_str()) != 0)
      raise(DTENSOR_RT_BAD_BUNDLE, quoted(bundle.getPath()),
            ": the device code has no kernel ", quoted(name));
    kernels.push_back({function, 48 * 1024});
  }
}

BundleKernels::~BundleKernels() {
  if (module)
    getDriver().moduleUnload(module);
}

Function BundleKernels::get(int32_t kernel, int64_t sharedBytes) {
  if (kernel < 0 || static_cast<size_t>(kernel) >= kernels.size())
    raise(DTENSOR_RT_RUN_FAILED, "the program launches kernel ", kernel,
          ", the bundle has ", kernels.size());
  Kernel &entry = kernels[static_cast<size_t>(kernel)];
  if (sharedBytes > entry.sharedBytes) {
    check(getDriver().functionSetAttribute(entry.function,
                                           kFunctionMaxDynamicShared,
                                           static_cast<int>(sharedBytes)),
          names[static_cast<size_t>(kernel)].c_str());
    entry.sharedBytes = sharedBytes;
  }
  return entry.function;
}
