//===- Images.h - device code for a GPU -------------------------*- C++ -*-===//

#ifndef DTENSOR_RUNTIME_BACKENDS_CUDA_IMAGES_H
#define DTENSOR_RUNTIME_BACKENDS_CUDA_IMAGES_H

#include "Api.h"

#include "../../Core/LoadedBundle.h"

#include <vector>

namespace dtensor::rt::cuda {

class Gpu;

/// The runtime's own kernels in the current context. Raises where this build
/// has none, with `gpu` in the message.
Module loadPrebuiltKernels(const std::string &gpu);

/// The kernels of a bundle on one GPU.
class BundleKernels {
public:
  /// The context of `gpu` must be current, also when it is destroyed. Takes
  /// machine code for the GPU, else PTX that the driver compiles; raises with
  /// what the bundle has when nothing fits. No kernels: nothing is loaded.
  BundleKernels(const Gpu &gpu, const LoadedBundle &bundle);
  BundleKernels(const BundleKernels &) = delete;
  ~BundleKernels();

  /// Ready for launches with `sharedBytes` of dynamic shared memory; raises
  /// for an unknown number.
  Function get(int32_t kernel, int64_t sharedBytes);

private:
  struct Kernel {
    Function function;
    int64_t sharedBytes;
  };
  Module module = nullptr;
  std::vector<Kernel> kernels;
  const std::vector<std::string> &names;
};

} // namespace dtensor::rt::cuda

#endif // DTENSOR_RUNTIME_BACKENDS_CUDA_IMAGES_H
