//===- Device.h - Kernels to PTX and machine code ---------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_TARGET_DEVICE_H
#define DTENSOR_TARGET_DEVICE_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace llvm {
class Module;
} // namespace llvm

namespace dtensor {

/// An architecture of NVIDIA: "sm_90a" is number 90.
struct DeviceArch {
  std::string name;
  int32_t number = 0;
};

/// What a target string asks for: "cpu" has no architectures, "cuda" is
/// sm_90a, "cuda:sm_80,sm_90a" has two.
struct TargetSpec {
  std::string text;
  std::vector<DeviceArch> archs;
  bool isDevice() const { return !archs.empty(); }
};

/// Fails, naming what there is, on any other text.
llvm::Expected<TargetSpec> parseTarget(llvm::StringRef text);

/// Parts of an installed CUDA toolkit, looked for in the directories named by
/// CUDA_HOME, CUDA_PATH and CUDA_ROOT, in /usr/local/cuda and among Python's
/// packages; empty where absent.
struct DeviceTools {
  std::string libdevice, ptxas;
};
DeviceTools findDeviceTools();

/// One piece of code as CompiledABI.h has it: PTX (kind 0) or a cubin (1).
struct DeviceCodeImage {
  int32_t arch = 0, kind = 0;
  std::string bytes;
};

struct DeviceCode {
  /// Kernels by number.
  std::vector<std::string> kernels;
  std::vector<DeviceCodeImage> images;
};

/// Lowers `kernels` (which is changed) for every architecture: PTX always, and
/// machine code where ptxas is installed.
llvm::Expected<DeviceCode> emitDeviceCode(mlir::gpu::GPUModuleOp kernels,
                                          llvm::ArrayRef<DeviceArch> archs,
                                          bool machineCode);

/// Puts the images into a host module under the names that the runtime looks
/// for.
void embedImages(llvm::Module &module, llvm::ArrayRef<DeviceCodeImage> images);

} // namespace dtensor

#endif // DTENSOR_TARGET_DEVICE_H
