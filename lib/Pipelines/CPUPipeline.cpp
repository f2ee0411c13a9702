//===- CPUPipeline.cpp - Local view to LLVM on the host -------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bufferization.h"
#include "dtensor/Conversion/Passes.h"
#include "dtensor/Pipelines/Pipelines.h"

#include "mlir/Conversion/MathToFuncs/MathToFuncs.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

using namespace dtensor;

void dtensor::buildKernelsPipeline(OpPassManager &manager) {
  manager.addPass(createAddContext());
  manager.addPass(createLowerLocal());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addNestedPass<func::FuncOp>(createFuseElementwise());
  manager.addPass(createCSEPass());
  manager.addPass(createResultsToOutParams());
  addBufferization(manager);
  manager.addPass(createOutlineKernels());
  manager.addNestedPass<func::FuncOp>(createLowerLinalgToLoops());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
}

void dtensor::buildTargetPipeline(OpPassManager &manager) {
  addSmallFloats(manager);
  manager.addPass(createLoopInvariantCodeMotionPass());
  manager.addPass(createConvertMathToFuncs());
  manager.addPass(createSCFToControlFlowPass());
  manager.addPass(createLowerToLLVM());
  manager.addPass(createReconcileUnrealizedCastsPass());
}
