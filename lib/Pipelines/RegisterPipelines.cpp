//===- RegisterPipelines.cpp - The phases as options of dtensor-opt -------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Conversion/GPU/GPUPasses.h"
#include "dtensor/Conversion/Passes.h"
#include "dtensor/Pipelines/Pipelines.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;
using namespace dtensor;

template <GlobalPhase phase>
static void registerPhase(StringRef name) {
  PassPipelineRegistration<>(
      ("dtensor-" + name + "-pipeline").str(),
      ("from any accepted input to the end of phase " + name).str(),
      [](OpPassManager &manager) {
        GlobalPipelineOptions options;
        options.last = phase;
        buildGlobalPipeline(manager, options);
      });
}

void dtensor::registerPipelines() {
  registerDTensorConversionPasses();
  registerDTensorGPUPasses();
  registerPhase<GlobalPhase::Normalize>("normalize");
  registerPhase<GlobalPhase::Propagate>("propagate");
  registerPhase<GlobalPhase::Elide>("elide");
  registerPhase<GlobalPhase::Plan>("plan");
  registerPhase<GlobalPhase::Partition>("partition");
  PassPipelineRegistration<>(
      "dtensor-kernels-pipeline",
      "from the local view to loops over buffers on the CPU",
      [](OpPassManager &manager) { buildKernelsPipeline(manager); });
  PassPipelineRegistration<>(
      "dtensor-target-pipeline", "from loops over buffers to the LLVM dialect",
      [](OpPassManager &manager) { buildTargetPipeline(manager); });
  PassPipelineRegistration<>(
      "dtensor-cuda-kernels-pipeline",
      "from the local view to a host program that launches CUDA kernels",
      [](OpPassManager &manager) { buildCUDAKernelsPipeline(manager); });
}
