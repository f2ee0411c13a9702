//===- Compile.cpp - From a program to a bundle ---------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Pipelines/Compile.h"

#include "dtensor/Conversion/GPU/GPUDialect.h"
#include "dtensor/Pipelines/InputDepth.h"
#include "dtensor/Pipelines/Pipelines.h"
#include "dtensor/Target/Device.h"
#include "dtensor/Target/Entry.h"
#include "dtensor/Target/Native.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace dtensor;

//===----------------------------------------------------------------------===//
// Parsing
//===----------------------------------------------------------------------===//

OwningOpRef<ModuleOp> dtensor::parseProgram(StringRef text, StringRef name,
                                            MLIRContext *context) {
  if (failed(checkInputDepth(text, name, context)))
    return nullptr;
  return parseSourceString<ModuleOp>(text, ParserConfig(context), name);
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

namespace {
class Compiler {
public:
  Compiler(ModuleOp module, const CompileOptions &options, TargetSpec target)
      : module(module), options(options), target(std::move(target)) {}

  std::optional<std::string> compile() {
    if (!options.fromLocal && failed(runGlobal()))
      return std::nullopt;
    if (options.emit <= Emit::Local)
      return printModule();
    FailureOr<std::vector<Entry>> collected = collectEntries(module);
    if (failed(collected) ||
        failed(run([&](OpPassManager &manager) { buildKernels(manager); })))
      return std::nullopt;
    if (options.emit == Emit::Kernels)
      return printModule();
    if (target.isDevice() && !generateDeviceCode())
      return std::nullopt;
    if (options.emit == Emit::PTX)
      return printPTX();
    if (failed(run(buildTargetPipeline)))
      return std::nullopt;
    entries = std::move(*collected);
    return generateCode();
  }

private:
  LogicalResult run(llvm::function_ref<void(OpPassManager &)> build) {
    PassManager manager(module.getContext());
    manager.enableVerifier(options.verifyEach);
    if (options.printTiming)
      manager.enableTiming();
    build(manager);
    return manager.run(module);
  }

  LogicalResult runGlobal() {
    GlobalPipelineOptions global;
    global.keepGathered = options.keepGathered;
    if (options.emit == Emit::Normalized)
      global.last = GlobalPhase::Normalize;
    else if (options.emit == Emit::Placed)
      global.last = GlobalPhase::Elide;
    else if (options.emit == Emit::Planned)
      global.last = GlobalPhase::Plan;
    return run(
        [&](OpPassManager &manager) { buildGlobalPipeline(manager, global); });
  }

  std::string printModule() {
    std::string text;
    llvm::raw_string_ostream os(text);
    if (options.bytecode) {
      // Fails for a version that cannot be written; the newest always can.
      (void)writeBytecodeToFile(module, os);
      return text;
    }
    module.print(os);
    os << '\n';
    return text;
  }

  template <class T>
  std::optional<T> check(llvm::Expected<T> value) {
    if (value)
      return std::move(*value);
    emitError(module.getLoc()) << llvm::toString(value.takeError());
    return std::nullopt;
  }

  void buildKernels(OpPassManager &manager) {
    if (!target.isDevice())
      return buildKernelsPipeline(manager);
    bool clusters = llvm::all_of(
        target.archs, [](const DeviceArch &arch) { return arch.number >= 90; });
    buildCUDAKernelsPipeline(manager, clusters);
  }

  // Takes the kernels out of the module: the rest is the host's.
  bool generateDeviceCode() {
    auto kernels = module.lookupSymbol<gpu::GPUModuleOp>(kKernelModule);
    if (!kernels)
      return true;
    auto code =
        check(emitDeviceCode(kernels, target.archs,
                             /*machineCode=*/options.emit != Emit::PTX));
    kernels.erase();
    if (code)
      device = std::move(*code);
    return code.has_value();
  }

  std::string printPTX() {
    std::string text;
    for (const DeviceCodeImage &image : device.images)
      if (image.kind == 0)
        text += image.bytes;
    return text;
  }

  std::optional<std::string> generateCode() {
    std::string cpu = options.cpu.empty() ? getDefaultCPU() : options.cpu;
    auto machine = check(createTargetMachine(cpu, options.unoptimized));
    if (!machine)
      return std::nullopt;
    registerBuiltinDialectTranslation(*module.getContext());
    registerLLVMDialectTranslation(*module.getContext());
    llvm::LLVMContext context;
    std::unique_ptr<llvm::Module> code =
        translateModuleToLLVMIR(module, context, "program");
    if (!code) {
      emitError(module.getLoc()) << "cannot translate the program to LLVM IR";
      return std::nullopt;
    }
    emitEntryPoints(*code, entries);
    if (target.isDevice())
      embedImages(*code, device.images);
    optimize(*code, **machine);
    if (options.emit == Emit::LLVM) {
      std::string text;
      llvm::raw_string_ostream(text) << *code;
      return text;
    }
    return makeBundle(*code, **machine, cpu);
  }

  std::optional<std::string>
  makeBundle(llvm::Module &code, llvm::TargetMachine &machine, StringRef cpu) {
    auto object = check(emitObject(code, machine));
    if (!object)
      return std::nullopt;
    auto shared = check(linkSharedObject(*object));
    if (!shared)
      return std::nullopt;
    llvm::json::Value manifest = buildManifest(entries, target.text, cpu);
    llvm::json::Object &fields = *manifest.getAsObject();
    if (target.isDevice())
      fields["kernels"] = llvm::json::Array(device.kernels);
    if (!options.products.empty())
      fields["products"] = llvm::json::Array(options.products);
    return packBundle(*shared, manifest);
  }

  ModuleOp module;
  const CompileOptions &options;
  TargetSpec target;
  DeviceCode device;
  std::vector<Entry> entries;
};
} // namespace

std::optional<std::string> dtensor::compile(ModuleOp module,
                                            const CompileOptions &options) {
  llvm::Expected<TargetSpec> target = parseTarget(options.target);
  if (!target) {
    emitError(module.getLoc()) << llvm::toString(target.takeError());
    return std::nullopt;
  }
  if (options.emit == Emit::PTX && !target->isDevice()) {
    emitError(module.getLoc())
        << "target \"" << options.target << "\" has no PTX";
    return std::nullopt;
  }
  return Compiler(module, options, std::move(*target)).compile();
}
