//===- CPUPipeline.cpp - Local view to LLVM on the host -------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Conversion/Passes.h"
#include "dtensor/Pipelines/Pipelines.h"

#include "mlir/Conversion/MathToFuncs/MathToFuncs.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

using namespace dtensor;

static void addBufferization(OpPassManager &manager) {
  manager.addPass(createEliminateEmptyTensors());
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

// A processor has no scalar f16 and bf16 arithmetic worth using: every op goes
// to f32 and back, which rounds as PyTorch on a CPU does.
static void addSmallFloats(OpPassManager &manager) {
  math::MathExtendToSupportedTypesOptions mathOptions;
  mathOptions.targetTypeStr = "f32";
  manager.addPass(math::createMathExtendToSupportedTypes(mathOptions));
  arith::ArithEmulateUnsupportedFloatsOptions arithOptions;
  arithOptions.sourceTypeStrs = {"bf16", "f16"};
  arithOptions.targetTypeStr = "f32";
  manager.addPass(arith::createArithEmulateUnsupportedFloats(arithOptions));
}

void dtensor::buildTargetPipeline(OpPassManager &manager) {
  addSmallFloats(manager);
  manager.addPass(createLoopInvariantCodeMotionPass());
  manager.addPass(createConvertMathToFuncs());
  manager.addPass(createSCFToControlFlowPass());
  manager.addPass(createLowerToLLVM());
  manager.addPass(createReconcileUnrealizedCastsPass());
}
