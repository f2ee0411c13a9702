//===- dtensor-compile.cpp - Compiles a program to a bundle ---------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Analysis/Explain.h"
#include "dtensor/Pipelines/Compile.h"
#include "dtensor/Pipelines/Pipelines.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

#include "OutputFile.h"

#include <cstdlib>

namespace cl = llvm::cl;
using namespace dtensor;

static cl::OptionCategory category("dtensor-compile");
static cl::opt<std::string> inputName(cl::Positional, cl::desc("<input.mlir>"),
                                      cl::init("-"), cl::cat(category));
static cl::opt<std::string> outputName("o",
                                       cl::desc("output file, - is stdout"),
                                       cl::value_desc("file"), cl::init("-"),
                                       cl::cat(category));
static cl::opt<std::string> target("target", cl::desc("machine to compile for"),
                                   cl::init("cpu"), cl::cat(category));
static cl::opt<std::string>
    cpu("cpu",
        cl::desc("processor (default: x86-64-v3 where this machine "
                 "has it)"),
        cl::cat(category));
static cl::opt<Emit> emit(
    "emit", cl::desc("where to stop"), cl::init(Emit::Bundle),
    cl::values(clEnumValN(Emit::Normalized, "normalized",
                          "our ops only, all extents known"),
               clEnumValN(Emit::Placed, "placed", "all placements decided"),
               clEnumValN(Emit::Planned, "planned", "movements planned"),
               clEnumValN(Emit::Local, "local", "the program of one rank"),
               clEnumValN(Emit::Kernels, "kernels", "loops over buffers"),
               clEnumValN(Emit::PTX, "ptx", "device code as text (cuda)"),
               clEnumValN(Emit::LLVM, "llvm", "optimized LLVM IR"),
               clEnumValN(Emit::Bundle, "bundle", "a bundle (default)")),
    cl::cat(category));
static cl::opt<bool>
    fromLocal("from-local",
              cl::desc("the input is the program of one rank already"),
              cl::cat(category));
static cl::opt<bool> verifyEach("verify-each",
                                cl::desc("verify after every pass"),
                                cl::cat(category));
static cl::opt<bool> timing("timing", cl::desc("print the time of each pass"),
                            cl::cat(category));
// The text goes to standard output, or to standard error if the output goes
// there. Without -o and --emit there is no other output.
static cl::opt<std::string> explanation(
    "explain", cl::desc("say why each collective is there, as text or a page"),
    cl::value_desc("file.html"), cl::ValueOptional, cl::cat(category));

static int fail(const llvm::Twine &message) {
  llvm::errs() << "dtensor-compile: error: " << message << '\n';
  return 1;
}

static bool explains() { return explanation.getNumOccurrences() > 0; }

static bool explainsOnly() {
  return explains() && outputName.getNumOccurrences() == 0 &&
         emit.getNumOccurrences() == 0;
}

/// Plans a copy of `module` and says why the plan is what it is.
static bool explainProgram(mlir::ModuleOp module, CompileOptions options) {
  if (options.fromLocal)
    return fail("--explain is for the global view, not for --from-local") == 0;
  mlir::OwningOpRef<mlir::ModuleOp> planned(module.clone());
  options.emit = Emit::Planned;
  options.printTiming = false;
  if (!compile(*planned, options))
    return false;
  std::vector<FunctionReport> reports = explain(*planned);
  if (explanation.empty()) {
    bool isFree = explainsOnly() || outputName != "-";
    printExplanation(reports, isFree ? llvm::outs() : llvm::errs());
    return true;
  }
  OutputFile page(explanation);
  std::string text;
  llvm::raw_string_ostream os(text);
  printExplanationPage(reports, inputName, os);
  llvm::Error error = page.open();
  if (!error)
    error = page.commit(text, /*executable=*/false);
  return !error || fail(llvm::toString(std::move(error))) == 0;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv, "compiles a program to a bundle\n");

  auto input = llvm::MemoryBuffer::getFileOrSTDIN(inputName, /*IsText=*/true);
  if (std::error_code code = input.getError())
    return fail("cannot read " + inputName + ": " + code.message());
  bool wantsOutput = !explainsOnly();
  if (wantsOutput && emit == Emit::Bundle && outputName == "-" &&
      llvm::outs().is_displayed())
    return fail("a bundle is not for a terminal, name a file with -o");
  OutputFile output(outputName);
  if (wantsOutput)
    if (llvm::Error error = output.open())
      return fail(llvm::toString(std::move(error)));

  mlir::DialectRegistry registry;
  registerCompilerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  std::string name = inputName == "-" ? "<stdin>" : inputName.getValue();
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBuffer((*input)->getBuffer(), name,
                                       /*RequiresNullTerminator=*/false),
      llvm::SMLoc());
  mlir::SourceMgrDiagnosticHandler handler(sources, &context);
  // Upstream's parsers of some ops crash on some bad texts.
  mlir::OwningOpRef<mlir::ModuleOp> module;
  llvm::CrashRecoveryContext::Enable();
  llvm::CrashRecoveryContext recovery;
  if (!recovery.RunSafely([&] {
        module = parseProgram((*input)->getBuffer(), name, &context);
      })) {
    fail(name + ": the text crashes MLIR's parser");
    output.discard();
    std::_Exit(1);
  }
  llvm::CrashRecoveryContext::Disable();
  if (!module)
    return 1;
  CompileOptions options;
  options.emit = emit;
  options.target = target;
  options.cpu = cpu;
  options.fromLocal = fromLocal;
  options.verifyEach = verifyEach;
  options.printTiming = timing;
  if (explains() && !explainProgram(*module, options))
    return 1;
  if (!wantsOutput)
    return 0;
  std::optional<std::string> result = compile(*module, options);
  if (!result)
    return 1;
  if (llvm::Error error = output.commit(*result, emit == Emit::Bundle))
    return fail(llvm::toString(std::move(error)));
  return 0;
}
