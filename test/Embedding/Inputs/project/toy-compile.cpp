// toy-compile INPUT FOLDER: the program as local.mlir, program.ll and
// program.so in FOLDER.
#include "Toy.h"
#include "dtensor/Pipelines/Compile.h"
#include "dtensor/Pipelines/Pipelines.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/FileSystem.h"

using namespace mlir;

static bool write(const std::string &path, StringRef bytes) {
  std::error_code error;
  llvm::raw_fd_ostream file(path, error);
  if (!error)
    file << bytes;
  return !error;
}

int main(int argc, char **argv) {
  if (argc != 3)
    return 2;
  DialectRegistry registry;
  registry.insert<toy::ToyDialect>();
  dtensor::registerCompilerDialects(registry);
  toy::registerSharding(registry);
  MLIRContext context(registry);
  auto module = parseSourceFile<ModuleOp>(argv[1], &context);
  if (!module)
    return 1;

  // Their phases between our passes.
  PassManager manager(&context);
  manager.addPass(createCanonicalizerPass());
  dtensor::buildGlobalPipeline(manager);
  manager.addPass(toy::createLowerToy());
  if (failed(manager.run(*module)))
    return 1;
  std::string folder = argv[2], local;
  llvm::raw_string_ostream(local) << *module;
  if (!write(folder + "/local.mlir", local))
    return 1;

  // From here on either text or a bundle, of the same module.
  dtensor::CompileOptions options;
  options.fromLocal = true;
  for (auto [emit, name] : {std::pair{dtensor::Emit::LLVM, "/program.ll"},
                            std::pair{dtensor::Emit::Bundle, "/program.so"}}) {
    OwningOpRef<ModuleOp> copy = module->clone();
    options.emit = emit;
    auto bytes = dtensor::compile(*copy, options);
    if (!bytes || !write(folder + name, *bytes))
      return 1;
  }
  return 0;
}
