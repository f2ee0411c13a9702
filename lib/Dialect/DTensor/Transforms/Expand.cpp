//===- Expand.cpp - replace ops whose pieces depend on placements ---------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/DTensor.h"
#include "dtensor/Dialect/DTensor/Transforms/Passes.h"

#define DEBUG_TYPE "dtensor-expand"

namespace dtensor {
#define GEN_PASS_DEF_EXPAND
#include "dtensor/Dialect/DTensor/Transforms/Passes.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;

namespace {
struct ExpandPass : public dtensor::impl::ExpandBase<ExpandPass> {
  void runOnOperation() override {
    SmallVector<ExpandOpInterface> ops;
    getOperation().walk([&](ExpandOpInterface op) {
      if (op->getNumResults() > 0 && getLayout(op->getResult(0)))
        ops.push_back(op);
    });
    for (ExpandOpInterface op : ops)
      if (failed(expand(op)))
        return signalPassFailure();
  }

  static LogicalResult expand(ExpandOpInterface op) {
    OpBuilder builder(op);
    SmallVector<Value> results;
    if (failed(op.expand(builder, results)))
      return failure();
    if (results.empty())
      return success();
    if (results.size() != op->getNumResults())
      return op->emitOpError("gave ") << results.size() << " values for "
                                      << op->getNumResults() << " results";
    op->replaceAllUsesWith(results);
    op->erase();
    return success();
  }
};
} // namespace
