//===- dtensor-reduce.cpp - the smallest program that still fails ---------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// mlir-reduce with our dialect and with patterns that know it: upstream's
// passes drop ops, ours make the ones that are left simpler. A script that is
// given a program says, by exit code 1, that it is still of interest.
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"

#include "dtensor/Dialect/DTensor/IR/DTensor.h"
#include "dtensor/Register.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Reducer/ReductionPatternInterface.h"
#include "mlir/Tools/mlir-reduce/MlirReduceMain.h"

using namespace mlir;
using namespace dtensor;

namespace {

struct Reductions : DialectReductionPatternInterface {
  explicit Reductions(Dialect *dialect)
      : DialectReductionPatternInterface(dialect) {}

  void populateReductionPatterns(RewritePatternSet &) const override {}
  void populateReductionPatternsWithTester(RewritePatternSet &patterns,
                                           Tester &tester) const override {
    populateReductions(patterns, tester);
  }
};

} // namespace

int main(int argc, char **argv) {
  DialectRegistry registry;
  dtensor::registerAllDialects(registry);
  dtensor::registerAllPasses();
  registry.addExtension(+[](MLIRContext *, DTensorDialect *dialect) {
    dialect->addInterfaces<Reductions>();
  });
  MLIRContext context(registry);
  // The one warning there is; without a handler it would be lost.
  context.getDiagEngine().registerHandler([](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != DiagnosticSeverity::Warning)
      return failure();
    llvm::errs() << "dtensor-reduce: the script ends with exit code 0 for this "
                    "program, 1 says that it is of interest\n";
    return success();
  });
  return failed(mlirReduceMain(argc, argv, context));
}
