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

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace dtensor;

llvm::ArrayRef<Phase> dtensor::getLocalPhases() {
  static constexpr Phase phases[] = {
      {"kernels", "loops over buffers on the CPU",
       [](OpPassManager &manager, const GlobalPipelineOptions &) {
         buildKernelsPipeline(manager);
       }},
      {"cuda-kernels", "a host program that launches CUDA kernels",
       [](OpPassManager &manager, const GlobalPipelineOptions &) {
         buildCUDAKernelsPipeline(manager);
       }},
      {"target", "the LLVM dialect",
       [](OpPassManager &manager, const GlobalPipelineOptions &) {
         buildTargetPipeline(manager);
       }}};
  return phases;
}

static void registerPhases() {
  for (auto [index, phase] : llvm::enumerate(getGlobalPhases())) {
    GlobalPipelineOptions options;
    options.last = static_cast<GlobalPhase>(index);
    PassPipelineRegistration<>(
        ("dtensor-" + phase.name + "-pipeline").str(),
        ("from any accepted input to the end of phase " + phase.name).str(),
        [options](OpPassManager &manager) {
          buildGlobalPipeline(manager, options);
        });
  }
  for (const Phase &phase : getLocalPhases())
    PassPipelineRegistration<>(
        ("dtensor-" + phase.name + "-pipeline").str(),
        ("phase " + phase.name + ": to " + phase.summary).str(),
        [build = phase.build](OpPassManager &manager) { build(manager, {}); });
}

/// Passes of MLIR that the phases run.
static void registerUpstreamPasses() {
  arith::registerArithEmulateUnsupportedFloats();
  bufferization::registerBufferDeallocationSimplificationPass();
  bufferization::registerLowerDeallocationsPass();
  bufferization::registerOneShotBufferizePass();
  bufferization::registerOptimizeAllocationLivenessPass();
  bufferization::registerOwnershipBasedBufferDeallocationPass();
  math::registerMathExtendToSupportedTypes();
  memref::registerExpandReallocPass();
  registerConvertMathToFuncs();
  registerReconcileUnrealizedCastsPass();
  registerSCFToControlFlowPass();
}

void dtensor::registerPipelines() {
  registerDTensorConversionPasses();
  registerDTensorGPUPasses();
  registerUpstreamPasses();
  registerPhases();
}

//===----------------------------------------------------------------------===//
// The list
//===----------------------------------------------------------------------===//

namespace {
/// A pass as a textual pipeline has it.
struct ListedPass {
  StringRef name, options;
};
} // namespace

/// What `text` has in its first braces, which it begins with; they nest.
static StringRef takeBraces(StringRef &text) {
  size_t end = 0;
  unsigned depth = 0;
  do {
    depth += text[end] == '{';
    depth -= text[end] == '}';
    ++end;
  } while (depth && end < text.size());
  StringRef inside = text.take_front(end).drop_front().drop_back();
  text = text.drop_front(end);
  return inside.trim();
}

/// The passes in `text`, in order; where they are nested is left out.
static SmallVector<ListedPass> listPasses(StringRef text) {
  SmallVector<ListedPass> passes;
  while (!text.empty()) {
    size_t end = text.find_first_of("({,)");
    StringRef name = text.take_front(end);
    text = text.drop_front(name.size());
    if (text.consume_front("(")) // `name` is the op that passes run on
      continue;
    StringRef options;
    if (text.starts_with("{"))
      options = takeBraces(text);
    if (!name.empty())
      passes.push_back({name, options});
    text = text.drop_front(text.empty() ? 0 : 1); // a comma or a bracket
  }
  return passes;
}

/// The columns of a name with its options.
static size_t widthOf(ArrayRef<ListedPass> passes) {
  size_t width = 0;
  for (const ListedPass &pass : passes) {
    width = std::max(width, pass.name.size() + 4);
    if (const PassInfo *info = PassInfo::lookup(pass.name))
      width = std::max(width, info->getOptionWidth());
  }
  return width + 4;
}

/// The options of a pass are told where it runs first.
static void printPhase(const Phase &phase, llvm::StringSet<> &told) {
  OpPassManager manager(ModuleOp::getOperationName());
  phase.build(manager, {});
  std::string text;
  llvm::raw_string_ostream os(text);
  manager.printAsTextualPipeline(os);
  SmallVector<ListedPass> passes = listPasses(text);
  size_t width = widthOf(passes);
  llvm::outs() << phase.name << ": " << phase.summary << '\n';
  for (const ListedPass &pass : passes) {
    const PassInfo *info = PassInfo::lookup(pass.name);
    if (info && told.insert(pass.name).second)
      info->printHelpStr(/*indent=*/2, width);
    else
      llvm::outs() << "  --" << pass.name << '\n';
    if (!pass.options.empty())
      llvm::outs() << "    runs with " << pass.options << '\n';
  }
}

void dtensor::printPhases() {
  llvm::StringSet<> told;
  for (const Phase &phase : getGlobalPhases())
    printPhase(phase, told);
  for (const Phase &phase : getLocalPhases())
    printPhase(phase, told);
}
