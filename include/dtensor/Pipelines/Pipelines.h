//===- Pipelines.h - The one-way street, phase by phase ---------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// normalize -> propagate -> elide -> plan -> partition   (global pipeline)
//   -> kernels                                           (local ops to loops)
//   -> target                                            (loops to LLVM)
//
// Each function adds the passes of one phase; a phase relies on those before
// it and on nothing else.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_PIPELINES_PIPELINES_H
#define DTENSOR_PIPELINES_PIPELINES_H

#include "dtensor/Sharding/Propagation.h"

#include <cstdint>

namespace mlir {
class DialectRegistry;
class OpPassManager;
} // namespace mlir

namespace dtensor {

/// Where the global half stops.
enum class GlobalPhase { Normalize, Propagate, Elide, Plan, Partition };

struct GlobalPipelineOptions {
  GlobalPhase last = GlobalPhase::Partition;
  /// How propagation weighs what costs.
  PropagationWeights weights;
  /// Bytes of gathered values that one rank keeps for later users, at the
  /// hints; what is beyond is gathered again. Negative: all are kept.
  int64_t keepGathered = -1;
};

/// From any accepted input to functions in the local view.
void buildGlobalPipeline(mlir::OpPassManager &manager,
                         const GlobalPipelineOptions &options = {});

/// From the local view to loops over buffers on the CPU. Results of public
/// functions become out-parameters.
void buildKernelsPipeline(mlir::OpPassManager &manager);

/// From the local view to a host program over buffers that launches kernels;
/// the kernels are in the module's `gpu.module`. `clusters`: every GPU that it
/// is for has clusters of blocks.
void buildCUDAKernelsPipeline(mlir::OpPassManager &manager,
                              bool clusters = true);

/// From loops over buffers to the LLVM dialect.
void buildTargetPipeline(mlir::OpPassManager &manager);

/// One step of the street.
struct Phase {
  llvm::StringRef name;
  /// What is true afterwards.
  llvm::StringRef summary;
  /// Adds the passes of this phase alone.
  void (*build)(mlir::OpPassManager &manager,
                const GlobalPipelineOptions &options);
};

/// In the order of GlobalPhase.
llvm::ArrayRef<Phase> getGlobalPhases();
/// From the local view down: those of CPUs, then what CUDA has instead.
llvm::ArrayRef<Phase> getLocalPhases();

/// Writes the phases in order to the standard output, each with its passes and
/// their options. Needs them registered.
void printPhases();

/// Every dialect that an input may use and every interface that the pipelines
/// need, and no more: loading a dialect costs start-up time.
void registerCompilerDialects(mlir::DialectRegistry &registry);

/// The passes from the local view down, and every pipeline by the name
/// dtensor-PHASE-pipeline, for tools that take them as options.
void registerPipelines();

} // namespace dtensor

#endif // DTENSOR_PIPELINES_PIPELINES_H
