//===- Register.cpp - everything there is ---------------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Register.h"

#include "dtensor/Analysis/Passes.h"
#include "dtensor/Dialect/DTensor/Transforms/Passes.h"
#include "dtensor/Interchange/Shard/Passes.h"
#include "dtensor/Interchange/Shardy/Passes.h"
#include "dtensor/Pipelines/Pipelines.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/Shard/IR/ShardDialect.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void dtensor::registerAllDialects(DialectRegistry &registry) {
  registerCompilerDialects(registry);
  registry.insert<shard::ShardDialect>();
}

void dtensor::registerAllPasses() {
  registerTransformsPasses();
  memref::registerResolveRankedShapeTypeResultDimsPass();
  registerDTensorAnalysisPasses();
  registerDTensorShardPasses();
  registerDTensorTransformsPasses();
  registerDTensorShardyPasses();
  registerPipelines();
}
