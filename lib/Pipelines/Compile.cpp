//===- Compile.cpp - From a program to a bundle ---------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Pipelines/Compile.h"

#include "dtensor/Pipelines/InputDepth.h"
#include "dtensor/Pipelines/Pipelines.h"
#include "dtensor/Target/Entry.h"
#include "dtensor/Target/Native.h"

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
  Compiler(ModuleOp module, const CompileOptions &options)
      : module(module), options(options) {}

  std::optional<std::string> compile() {
    if (!options.fromLocal && failed(runGlobal()))
      return std::nullopt;
    if (options.emit <= Emit::Local)
      return printModule();
    FailureOr<std::vector<Entry>> collected = collectEntries(module);
    if (failed(collected) || failed(run(buildKernelsPipeline)))
      return std::nullopt;
    if (options.emit == Emit::Kernels)
      return printModule();
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
    if (options.emit == Emit::Normalized)
      global.last = GlobalPhase::Normalize;
    else if (options.emit == Emit::Placed)
      global.last = GlobalPhase::Elide;
    else if (options.emit == Emit::Planned)
      global.last = GlobalPhase::Plan;
    return run([&](OpPassManager &manager) {
      buildGlobalPipeline(manager, global);
    });
  }

  std::string printModule() {
    std::string text;
    llvm::raw_string_ostream os(text);
    module.print(os);
    os << '\n';
    return text;
  }

  template <class T> std::optional<T> check(llvm::Expected<T> value) {
    if (value)
      return std::move(*value);
    emitError(module.getLoc()) << llvm::toString(value.takeError());
    return std::nullopt;
  }

  std::optional<std::string> generateCode() {
    std::string cpu = options.cpu.empty() ? getDefaultCPU() : options.cpu;
    auto machine = check(createTargetMachine(cpu));
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
    optimize(*code, **machine);
    if (options.emit == Emit::LLVM) {
      std::string text;
      llvm::raw_string_ostream(text) << *code;
      return text;
    }
    return makeBundle(*code, **machine, cpu);
  }

  std::optional<std::string> makeBundle(llvm::Module &code,
                                        llvm::TargetMachine &machine,
                                        StringRef cpu) {
    auto object = check(emitObject(code, machine));
    if (!object)
      return std::nullopt;
    auto shared = check(linkSharedObject(*object));
    if (!shared)
      return std::nullopt;
    return packBundle(*shared, buildManifest(entries, options.target, cpu));
  }

  ModuleOp module;
  const CompileOptions &options;
  std::vector<Entry> entries;
};
} // namespace

std::optional<std::string> dtensor::compile(ModuleOp module,
                                            const CompileOptions &options) {
  if (options.target != "cpu") {
    emitError(module.getLoc())
        << "no target \"" << options.target << "\", only \"cpu\"";
    return std::nullopt;
  }
  return Compiler(module, options).compile();
}
