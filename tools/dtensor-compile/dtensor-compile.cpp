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

#include "dtensor-rt/ProductTable.h"
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

namespace {
/// They come to be when main runs: the library of `make dist` has the options
/// of several tools in it, some of the same name.
struct Options {
  cl::OptionCategory category{"dtensor-compile"};
  cl::opt<std::string> input{cl::Positional, cl::desc("<input.mlir>"),
                             cl::init("-"), cl::cat(category)};
  cl::opt<std::string> output{"o", cl::desc("output file, - is stdout"),
                              cl::value_desc("file"), cl::init("-"),
                              cl::cat(category)};
  cl::opt<std::string> target{"target", cl::desc("machine to compile for"),
                              cl::init("cpu"), cl::cat(category)};
  cl::opt<std::string> cpu{
      "cpu",
      cl::desc("processor (default: x86-64-v3 where this machine has it)"),
      cl::cat(category)};
  cl::opt<Emit> emit{
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
      cl::cat(category)};
  cl::opt<bool> fromLocal{
      "from-local", cl::desc("the input is the program of one rank already"),
      cl::cat(category)};
  cl::opt<int64_t> keepGathered{
      "keep-gathered",
      cl::desc("bytes of gathered tensors that a rank keeps for later users; "
               "what is beyond is gathered again"),
      cl::value_desc("bytes"), cl::init(-1), cl::cat(category)};
  cl::opt<std::string> productTable{
      "products",
      cl::desc("table of tuned matrix products that the bundle carries, see "
               "dtensor-run --tune"),
      cl::value_desc("file"), cl::cat(category)};
  cl::opt<bool> unoptimized{
      "unoptimized", cl::desc("quick code generation; the code runs slowly"),
      cl::cat(category)};
  cl::opt<bool> verifyEach{"verify-each", cl::desc("verify after every pass"),
                           cl::cat(category)};
  cl::opt<bool> timing{"timing", cl::desc("print the time of each pass"),
                       cl::cat(category)};
  /// The text goes to standard output, or to standard error if the output goes
  /// there. Without -o and --emit there is no other output.
  cl::opt<std::string> explanation{
      "explain",
      cl::desc("say why each collective is there, as text or a page"),
      cl::value_desc("file.html"), cl::ValueOptional, cl::cat(category)};

  bool explains() const { return explanation.getNumOccurrences() > 0; }
  bool explainsOnly() const {
    return explains() && output.getNumOccurrences() == 0 &&
           emit.getNumOccurrences() == 0;
  }
  std::string inputName() const {
    return input == "-" ? "<stdin>" : input.getValue();
  }
  /// False after a message.
  bool readProducts();
  CompileOptions compileOptions() const;

private:
  std::vector<std::string> products; // the entries of the table
};
} // namespace

CompileOptions Options::compileOptions() const {
  CompileOptions options;
  options.emit = emit;
  options.target = target;
  options.cpu = cpu;
  options.products = products;
  options.keepGathered = keepGathered;
  options.fromLocal = fromLocal;
  options.verifyEach = verifyEach;
  options.unoptimized = unoptimized;
  options.printTiming = timing;
  return options;
}

static int fail(const llvm::Twine &message) {
  llvm::errs() << "dtensor-compile: error: " << message << '\n';
  return 1;
}

bool Options::readProducts() {
  if (productTable.empty())
    return true;
  auto file = llvm::MemoryBuffer::getFile(productTable, /*IsText=*/true);
  if (std::error_code code = file.getError())
    return fail("cannot read " + productTable + ": " + code.message()) == 0;
  unsigned number = 0;
  llvm::SmallVector<llvm::StringRef> lines;
  (*file)->getBuffer().split(lines, '\n');
  for (llvm::StringRef line : lines) {
    ++number;
    line = line.take_until([](char c) { return c == '#'; }).trim();
    if (line.empty())
      continue;
    if (!rt::parseTunedProduct(line.str()))
      return fail(productTable + ":" + llvm::Twine(number) +
                  ": not a tuned product") == 0;
    products.push_back(line.str());
  }
  return true;
}

/// Plans a copy of `module` and says why the plan is what it is.
static bool explainProgram(mlir::ModuleOp module, const Options &options) {
  if (options.fromLocal)
    return fail("--explain is for the global view, not for --from-local") == 0;
  mlir::OwningOpRef<mlir::ModuleOp> planned(module.clone());
  CompileOptions toPlan = options.compileOptions();
  toPlan.emit = Emit::Planned;
  toPlan.printTiming = false;
  if (!compile(*planned, toPlan))
    return false;
  std::vector<FunctionReport> reports = explain(*planned);
  if (options.explanation.empty()) {
    bool isFree = options.explainsOnly() || options.output != "-";
    printExplanation(reports, isFree ? llvm::outs() : llvm::errs());
    return true;
  }
  OutputFile page(options.explanation);
  std::string text;
  llvm::raw_string_ostream os(text);
  printExplanationPage(reports, options.input, os);
  llvm::Error error = page.open();
  if (!error)
    error = page.commit(text, /*executable=*/false);
  return !error || fail(llvm::toString(std::move(error))) == 0;
}

/// Upstream's parsers of some ops crash on some bad texts: then there is no
/// value.
static std::optional<mlir::OwningOpRef<mlir::ModuleOp>>
parse(llvm::StringRef text, llvm::StringRef name, mlir::MLIRContext *context) {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  llvm::CrashRecoveryContext::Enable();
  llvm::CrashRecoveryContext recovery;
  bool isSafe =
      recovery.RunSafely([&] { module = parseProgram(text, name, context); });
  llvm::CrashRecoveryContext::Disable();
  if (!isSafe)
    return std::nullopt;
  return module;
}

static int compileText(const llvm::MemoryBuffer &text, const Options &options,
                       OutputFile *output) {
  mlir::DialectRegistry registry;
  registerCompilerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  std::string name = options.inputName();
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBuffer(text.getBuffer(), name,
                                       /*RequiresNullTerminator=*/false),
      llvm::SMLoc());
  mlir::SourceMgrDiagnosticHandler handler(sources, &context);
  auto module = parse(text.getBuffer(), name, &context);
  if (!module) {
    fail(name + ": the text crashes MLIR's parser");
    if (output)
      output->discard();
    std::_Exit(1);
  }
  if (!*module)
    return 1;
  if (options.explains() && !explainProgram(**module, options))
    return 1;
  if (!output)
    return 0;
  std::optional<std::string> result =
      compile(**module, options.compileOptions());
  if (!result)
    return 1;
  if (llvm::Error error = output->commit(*result, options.emit == Emit::Bundle))
    return fail(llvm::toString(std::move(error)));
  return 0;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  Options options;
  cl::HideUnrelatedOptions(options.category);
  cl::ParseCommandLineOptions(argc, argv, "compiles a program to a bundle\n");

  auto input =
      llvm::MemoryBuffer::getFileOrSTDIN(options.input, /*IsText=*/true);
  if (std::error_code code = input.getError())
    return fail("cannot read " + options.input + ": " + code.message());
  if (!options.readProducts())
    return 1;
  if (options.explainsOnly())
    return compileText(**input, options, /*output=*/nullptr);
  if (options.emit == Emit::Bundle && options.output == "-" &&
      llvm::outs().is_displayed())
    return fail("a bundle is not for a terminal, name a file with -o");
  OutputFile output(options.output);
  if (llvm::Error error = output.open())
    return fail(llvm::toString(std::move(error)));
  return compileText(**input, options, &output);
}
