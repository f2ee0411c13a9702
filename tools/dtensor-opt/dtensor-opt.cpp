//===- dtensor-opt.cpp - passes over .mlir files --------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Interchange/Shardy/Passes.h"
#include "dtensor/Pipelines/InputDepth.h"
#include "dtensor/Pipelines/Pipelines.h"
#include "dtensor/Register.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir;

/// MlirOptMain for one input, which is checked first. An output that exists
/// stays as it is until the input has been read.
static LogicalResult process(StringRef inputName, StringRef outputName,
                             DialectRegistry &registry,
                             const MlirOptMainConfig &config) {
  std::string error;
  std::unique_ptr<llvm::MemoryBuffer> input = openInputFile(inputName, &error);
  if (!input) {
    llvm::errs() << error << '\n';
    return failure();
  }
  MLIRContext context(MLIRContext::Threading::DISABLED);
  if (failed(dtensor::checkInputDepth(input->getBuffer(),
                                      input->getBufferIdentifier(), &context)))
    return failure();
  std::unique_ptr<llvm::ToolOutputFile> output =
      openOutputFile(outputName, &error);
  if (!output) {
    llvm::errs() << error << '\n';
    return failure();
  }
  if (failed(MlirOptMain(output->os(), std::move(input), registry, config)))
    return failure();
  output->keep();
  return success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  llvm::cl::opt<bool> listPhases(
      "dtensor-phases",
      llvm::cl::desc(
          "list the phases in order, with their passes and options"));
  DialectRegistry registry;
  dtensor::registerAllDialects(registry);
  dtensor::registerShardyInterchange(registry);
  dtensor::registerAllPasses();
  auto [input, output] = registerAndParseCLIOptions(
      argc, argv, "dtensor: global tensor programs on a mesh\n", registry);
  if (listPhases) {
    dtensor::printPhases();
    return 0;
  }
  MlirOptMainConfig config = MlirOptMainConfig::createFromCLOptions();
  // Lists need no input.
  if (config.shouldShowDialects() || config.shouldListPasses())
    return asMainReturnCode(MlirOptMain(argc, argv, input, output, registry));
  return asMainReturnCode(process(input, output, registry, config));
}
