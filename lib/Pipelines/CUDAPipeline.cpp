//===- CUDAPipeline.cpp - Local view to kernels and their launches --------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bufferization.h"
#include "dtensor/Conversion/GPU/GPUPasses.h"
#include "dtensor/Conversion/Passes.h"
#include "dtensor/Pipelines/Pipelines.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void dtensor::buildCUDAKernelsPipeline(OpPassManager &manager, bool clusters) {
  manager.addPass(createAddContext());
  manager.addNestedPass<func::FuncOp>(createGPULibraryCalls());
  manager.addPass(createLowerLocal());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addNestedPass<func::FuncOp>(createFuseElementwise());
  manager.addPass(createCSEPass());
  GPUFormKernelsOptions kernelOptions;
  kernelOptions.clusters = clusters;
  manager.addPass(createGPUFormKernels(kernelOptions));
  manager.addNestedPass<func::FuncOp>(createCanonicalizerPass());
  manager.addNestedPass<func::FuncOp>(createCSEPass());
  manager.addPass(createResultsToOutParams());
  // Kernels are whole by now and have no tensors: only the host program
  // changes.
  addBufferization(manager);
  manager.addPass(createGPUOutlineWork());
  manager.addPass(createGPULowerLaunches());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  addSmallFloats(manager.nest<gpu::GPUModuleOp>());
  manager.addPass(createGPUFinishKernels());
  auto &kernels = manager.nest<gpu::GPUModuleOp>();
  kernels.addPass(createCSEPass());
}
