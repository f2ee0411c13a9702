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

#include "dtensor/Dialect/DTensor/IR/DTensor.h"
#include "dtensor/Register.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Reducer/ReductionPatternInterface.h"
#include "mlir/Reducer/Tester.h"
#include "mlir/Tools/mlir-reduce/MlirReduceMain.h"

using namespace mlir;
using namespace dtensor;

namespace {

/// An op becomes an operand that has the type of its result.
struct ForwardOperand : RewritePattern {
  explicit ForwardOperand(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    if (op->getNumResults() != 1 ||
        !isa<RankedTensorType>(op->getResult(0).getType()))
      return failure();
    for (Value operand : op->getOperands())
      if (operand.getType() == op->getResult(0).getType()) {
        rewriter.replaceOp(op, operand);
        return success();
      }
    return failure();
  }
};

/// An argument whose layout says more than `replicate` says only that, where
/// the program stays of interest.
struct ReplicateArgument : OpRewritePattern<func::FuncOp> {
  ReplicateArgument(MLIRContext *context, Tester &tester)
      : OpRewritePattern(context), tester(tester) {}

  LogicalResult matchAndRewrite(func::FuncOp func,
                                PatternRewriter &rewriter) const override {
    for (unsigned i = 0; i < func.getNumArguments(); ++i)
      if (succeeded(replicate(func, i, rewriter)))
        return success();
    return failure();
  }

private:
  LogicalResult replicate(func::FuncOp func, unsigned index,
                          PatternRewriter &rewriter) const {
    StringRef name = DTensorDialect::kLayoutAttr;
    auto layout = func.getArgAttrOfType<LayoutAttr>(index, name);
    auto module = func->getParentOfType<ModuleOp>();
    if (!layout || !module)
      return failure();
    SmallVector<Placement> whole(layout.getLayout().placements.size(),
                                 Placement::replicate());
    LayoutAttr now = layout.withPlacements(whole);
    if (now == layout)
      return failure();
    func.setArgAttr(index, name, now);
    bool isInteresting =
        tester.isInteresting(module).first == Tester::Interestingness::True;
    func.setArgAttr(index, name, layout);
    if (!isInteresting)
      return failure();
    rewriter.modifyOpInPlace(func, [&] { func.setArgAttr(index, name, now); });
    return success();
  }

  Tester &tester;
};

struct Reductions : DialectReductionPatternInterface {
  explicit Reductions(Dialect *dialect)
      : DialectReductionPatternInterface(dialect) {}

  void populateReductionPatterns(RewritePatternSet &patterns) const override {
    patterns.add<ForwardOperand>(patterns.getContext());
  }
  void populateReductionPatternsWithTester(RewritePatternSet &patterns,
                                           Tester &tester) const override {
    patterns.add<ReplicateArgument>(patterns.getContext(), tester);
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
  return failed(mlirReduceMain(argc, argv, context));
}
