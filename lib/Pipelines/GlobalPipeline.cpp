//===- GlobalPipeline.cpp - any input to the local view -------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/Transforms/Passes.h"
#include "dtensor/Pipelines/Pipelines.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace dtensor;

static void verifyPhase(OpPassManager &manager, StringRef phase) {
  VerifyPhaseOptions options;
  options.phase = phase.str();
  manager.addPass(createVerifyPhase(options));
}

static void addNormalize(OpPassManager &manager,
                         const GlobalPipelineOptions &) {
  manager.addPass(createNormalize());
  verifyPhase(manager, "normalize");
}

static void addPropagate(OpPassManager &manager,
                         const GlobalPipelineOptions &options) {
  // Before placements differ: what a gradient computes as the forward op did is
  // one value, and one redistribute.
  manager.addNestedPass<func::FuncOp>(createCSEPass());
  PropagateOptions weights;
  weights.communication = options.weights.communication;
  weights.compute = options.weights.compute;
  weights.memory = options.weights.memory;
  manager.addPass(createPropagate(weights));
  verifyPhase(manager, "propagate");
}

static void addElide(OpPassManager &manager,
                     const GlobalPipelineOptions &options) {
  manager.addNestedPass<func::FuncOp>(createExpand());
  // Movement is only moved or dropped here; the placements that propagation
  // proved consistent stay, so the same verifier holds afterwards.
  manager.addNestedPass<func::FuncOp>(createElide());
  if (options.keepGathered >= 0) {
    RegatherOptions regather;
    regather.keep = options.keepGathered;
    manager.addNestedPass<func::FuncOp>(createRegather(regather));
  }
  verifyPhase(manager, "propagate");
}

static void addPlan(OpPassManager &manager, const GlobalPipelineOptions &) {
  manager.addNestedPass<func::FuncOp>(createPlan());
  manager.addNestedPass<func::FuncOp>(createBucket());
  verifyPhase(manager, "plan");
}

static void addPartition(OpPassManager &manager,
                         const GlobalPipelineOptions &) {
  manager.addPass(createPartition());
  verifyPhase(manager, "partition");
  manager.addNestedPass<func::FuncOp>(createPack());
  // Offsets that are 0 and sizes that are whole fold away here. There are no
  // blocks to merge, and looking for them in the body of every op is half of
  // the time.
  GreedyRewriteConfig config;
  config.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
  manager.addPass(createCanonicalizerPass(config));
  manager.addPass(createCSEPass());
}

llvm::ArrayRef<Phase> dtensor::getGlobalPhases() {
  static constexpr Phase phases[] = {
      {"normalize",
       "only core ops; every tensor has a layout with known extents",
       addNormalize},
      {"propagate", "no open placement; all movement is a visible redistribute",
       addPropagate},
      {"elide",
       "the same program with less movement; scans and selections along a "
       "sharded dimension are exchanges of a few numbers",
       addElide},
      {"plan",
       "every redistribute has its collectives and its cost; small reductions "
       "of one group are one",
       addPlan},
      {"partition", "what one rank runs; no layout is left", addPartition}};
  return phases;
}

void dtensor::buildGlobalPipeline(OpPassManager &manager,
                                  const GlobalPipelineOptions &options) {
  auto count = static_cast<size_t>(options.last) + 1;
  for (const Phase &phase : getGlobalPhases().take_front(count))
    phase.build(manager, options);
}
