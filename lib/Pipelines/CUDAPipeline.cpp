//===- CUDAPipeline.cpp - Local view to kernels and their launches --------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Conversion/GPU/GPUPasses.h"
#include "dtensor/Conversion/Passes.h"
#include "dtensor/Pipelines/Pipelines.h"

#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

// Kernels are whole by now and have no tensors: only the host program changes.
static void addHostBufferization(OpPassManager &manager) {
  manager.addPass(dtensor::createEliminateEmptyTensors());
  bufferization::OneShotBufferizePassOptions options;
  options.bufferizeFunctionBoundaries = true;
  options.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  options.allowReturnAllocsFromLoops = true;
  manager.addPass(bufferization::createOneShotBufferizePass(options));
  manager.addPass(createCSEPass());
  manager.addPass(createCanonicalizerPass());
  bufferization::buildBufferDeallocationPipeline(manager);
  manager.addNestedPass<func::FuncOp>(
      bufferization::createOptimizeAllocationLivenessPass());
}

// Scalar code of kernels computes halves in f32, as library calls do.
static void addKernelFloats(OpPassManager &manager) {
  auto &kernels = manager.nest<gpu::GPUModuleOp>();
  math::MathExtendToSupportedTypesOptions mathOptions;
  mathOptions.targetTypeStr = "f32";
  kernels.addPass(math::createMathExtendToSupportedTypes(mathOptions));
  arith::ArithEmulateUnsupportedFloatsOptions arithOptions;
  arithOptions.sourceTypeStrs = {"bf16", "f16"};
  arithOptions.targetTypeStr = "f32";
  kernels.addPass(arith::createArithEmulateUnsupportedFloats(arithOptions));
}

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
  addHostBufferization(manager);
  manager.addPass(createGPUOutlineWork());
  manager.addPass(createGPULowerLaunches());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  addKernelFloats(manager);
  manager.addPass(createGPUFinishKernels());
  auto &kernels = manager.nest<gpu::GPUModuleOp>();
  kernels.addPass(createCSEPass());
}
