//===- Native.cpp - LLVM IR to object code --------------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Target/Native.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/SystemLibraries.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Passes/StandardInstrumentations.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/Transforms/Scalar/ADCE.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"

#include <mutex>

using namespace dtensor;

std::string dtensor::getDefaultCPU() {
  llvm::Triple triple(llvm::sys::getProcessTriple());
  if (triple.getArch() != llvm::Triple::x86_64)
    return "generic";
  llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  for (llvm::StringRef needed :
       {"avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "xsave"})
    if (!features.lookup(needed))
      return "x86-64";
  return "x86-64-v3";
}

// LLVM's list of targets has no lock, and lld appends all that there are when
// it links: they are there before anyone looks one up.
void dtensor::initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
    llvm::InitializeAllAsmParsers();
  });
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
dtensor::createTargetMachine(llvm::StringRef cpu, bool unoptimized) {
  initializeTargets();
  llvm::Triple triple(llvm::sys::getProcessTriple());
  std::string error;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return llvm::createStringError("no code generator for " + triple.str() +
                                   ": " + error);
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      triple, cpu, /*Features=*/"", options, llvm::Reloc::PIC_,
      /*CM=*/std::nullopt,
      unoptimized ? llvm::CodeGenOptLevel::None
                  : llvm::CodeGenOptLevel::Aggressive));
  if (!machine || !machine->getMCSubtargetInfo()->isCPUStringValid(cpu))
    return llvm::createStringError("no processor \"" + cpu + "\" for " +
                                   triple.str());
  return machine;
}

// Vector variants of exp, log, sin, cos and pow; glibc has them on x86-64.
static llvm::TargetLibraryInfoImpl getLibraryInfo(const llvm::Triple &triple) {
  llvm::TargetLibraryInfoImpl info(triple);
  if (triple.isOSLinux() && triple.isGNUEnvironment() &&
      triple.getArch() == llvm::Triple::x86_64)
    info.addVectorizableFunctionsFromVecLib(llvm::VectorLibrary::LIBMVEC,
                                            triple);
  return info;
}

// Loops are in kernels; a long function is a list of calls, which nothing makes
// faster, and LLVM's time grows faster than its length.
static constexpr unsigned kLongFunction = 2000;

// Moves what is computed early down to where it is first needed within its
// block: what lives through thousands of calls costs the register allocator
// time that grows with the square of the function.
static void shortenLives(llvm::BasicBlock &block) {
  // Of an instruction its place, of a place what now comes first there.
  llvm::DenseMap<const llvm::Value *, size_t> places;
  std::vector<llvm::Instruction *> firsts;
  for (llvm::Instruction &instruction : block) {
    places[&instruction] = firsts.size();
    firsts.push_back(&instruction);
  }
  std::vector<llvm::Instruction *> order = firsts;
  for (llvm::Instruction *moved : llvm::reverse(order)) {
    bool mayMove = !moved->mayHaveSideEffects() && !moved->isTerminator() &&
                   !llvm::isa<llvm::AllocaInst, llvm::PHINode>(moved) &&
                   (!moved->mayReadFromMemory() ||
                    moved->hasMetadata(llvm::LLVMContext::MD_invariant_load));
    if (!mayMove)
      continue;
    size_t place = firsts.size();
    for (llvm::User *user : moved->users())
      if (auto it = places.find(user);
          it != places.end() && !llvm::isa<llvm::PHINode>(user))
        place = std::min(place, it->second);
    if (place == firsts.size())
      continue;
    moved->moveBefore(firsts[place]->getIterator());
    places[moved] = place;
    firsts[place] = moved;
  }
}

// Cleans up long functions and has everything else skip them.
static void finishLongFunctions(llvm::Module &module,
                                llvm::FunctionAnalysisManager &analyses) {
  for (llvm::Function &function : module) {
    if (function.hasFnAttribute(llvm::Attribute::NoInline) ||
        function.getInstructionCount() <= kLongFunction)
      continue;
    llvm::FunctionPassManager passes;
    passes.addPass(llvm::EarlyCSEPass());
    passes.addPass(llvm::SimplifyCFGPass());
    passes.addPass(llvm::ADCEPass());
    analyses.invalidate(function, passes.run(function, analyses));
    for (llvm::BasicBlock &block : function)
      shortenLives(block);
    function.addFnAttr(llvm::Attribute::NoInline);
    function.addFnAttr(llvm::Attribute::OptimizeNone);
  }
}

void dtensor::optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", machine.getTargetCPU());
    function.addFnAttr("prefer-vector-width", "256");
  }
  if (machine.getOptLevel() == llvm::CodeGenOptLevel::None)
    return;
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graphs;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = true;
  tuning.SLPVectorization = true;
  // The vectorizer interleaves and the product has its tiles; more copies of
  // loops would triple compile time for nothing.
  tuning.LoopUnrolling = false;
  llvm::PassInstrumentationCallbacks callbacks;
  llvm::OptNoneInstrumentation skipMarked(/*DebugLogging=*/false);
  skipMarked.registerCallbacks(callbacks);
  llvm::PassBuilder builder(&machine, tuning, std::nullopt, &callbacks,
                            /*FS=*/nullptr); // no file is read
  functions.registerPass([&] {
    return llvm::TargetLibraryAnalysis(
        getLibraryInfo(module.getTargetTriple()));
  });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graphs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graphs, modules);
  finishLongFunctions(module, functions);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3)
      .run(module, modules);
}

llvm::Expected<std::string> dtensor::emitObject(llvm::Module &module,
                                                llvm::TargetMachine &machine) {
  llvm::SmallString<0> bytes;
  llvm::raw_svector_ostream os(bytes);
  llvm::legacy::PassManager manager;
  manager.add(new llvm::TargetLibraryInfoWrapperPass(
      getLibraryInfo(module.getTargetTriple())));
  if (machine.addPassesToEmitFile(manager, os, nullptr,
                                  llvm::CodeGenFileType::ObjectFile))
    return llvm::createStringError("the code generator writes no object files");
  manager.run(module);
  return std::string(bytes);
}
