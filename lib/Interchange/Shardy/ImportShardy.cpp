//===- ImportShardy.cpp - Shardy's shardings become layouts ---------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Interchange/Shardy/Passes.h"

#include "ShardingImport.h"
#include "StableHLO.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

#define DEBUG_TYPE "dtensor-import-shardy"

namespace dtensor {
#define GEN_PASS_DEF_IMPORTSHARDY
#include "dtensor/Interchange/Shardy/Passes.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;

namespace {

class ImportShardyPass
    : public dtensor::impl::ImportShardyBase<ImportShardyPass> {
public:
  using ImportShardyBase::ImportShardyBase;

  void runOnOperation() override {
    ShardingImport shardings(getOperation(),
                             drop ? SdyDetail::Drop : SdyDetail::Refuse);
    if (failed(shardings.collect()) ||
        failed(inlineManualComputations(getOperation(), shardings)) ||
        failed(importSignatures(shardings)) || failed(importOps(shardings)) ||
        failed(convertStableHLO(getOperation())))
      return signalPassFailure();
    if (shardings.getMesh())
      getOperation()->setAttr(DTensorDialect::kMeshAttr, shardings.getMesh());
    getOperation().walk([](sdy::MeshOp mesh) { mesh.erase(); });
  }

private:
  LogicalResult importSignatures(ShardingImport &shardings);
  LogicalResult importOps(ShardingImport &shardings);
  LogicalResult importResults(Operation *op, ShardingImport &shardings);
  LogicalResult importIdentity(Operation *op, ShardingImport &shardings);
};

} // namespace

LogicalResult ImportShardyPass::importSignatures(ShardingImport &shardings) {
  auto name = StringAttr::get(&getContext(), DTensorDialect::kLayoutAttr);
  auto import = [&](Attribute attr, Type type, func::FuncOp func,
                    const Twine &what, auto set) -> LogicalResult {
    auto sharding = dyn_cast_or_null<sdy::ShardingAttr>(attr);
    if (attr && !sharding)
      return func.emitError() << what << " has several shardings";
    if (!sharding || !shardings.getMesh() ||
        sharding.getSharding().isFullyOpen())
      return success();
    LayoutAttr layout = shardings.getLayout(sharding, type, func, what);
    if (layout)
      set(layout);
    return success(bool(layout));
  };
  auto importFunction = [&](func::FuncOp func) -> LogicalResult {
    for (unsigned i = 0; i < func.getNumArguments(); ++i) {
      if (failed(import(
              func.getArgAttr(i, sdy::kShardingAttr),
              func.getArgumentTypes()[i], func, "argument " + Twine(i),
              [&](LayoutAttr layout) { func.setArgAttr(i, name, layout); })))
        return failure();
      func.removeArgAttr(i, sdy::kShardingAttr);
    }
    for (unsigned i = 0; i < func.getNumResults(); ++i) {
      if (failed(import(
              func.getResultAttr(i, sdy::kShardingAttr),
              func.getResultTypes()[i], func, "result " + Twine(i),
              [&](LayoutAttr layout) { func.setResultAttr(i, name, layout); })))
        return failure();
      func.removeResultAttr(i,
                            StringAttr::get(&getContext(), sdy::kShardingAttr));
    }
    return success();
  };
  WalkResult result = getOperation().walk([&](func::FuncOp func) {
    return failed(importFunction(func)) ? WalkResult::interrupt()
                                        : WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

/// The shardings on an op, as constraints of its results.
LogicalResult ImportShardyPass::importResults(Operation *op,
                                              ShardingImport &shardings) {
  Attribute attr = op->removeAttr(sdy::kShardingAttr);
  if (!attr)
    return success();
  SmallVector<sdy::ShardingAttr> list;
  if (auto one = dyn_cast<sdy::ShardingAttr>(attr))
    list.push_back(one);
  else
    llvm::append_range(list,
                       cast<sdy::ShardingPerValueAttr>(attr).getShardings());
  if (list.size() != op->getNumResults())
    return op->emitError() << "has " << list.size() << " shardings for "
                           << op->getNumResults() << " results";
  OpBuilder builder(op->getContext());
  builder.setInsertionPointAfter(op);
  for (auto [result, sharding] : llvm::zip_equal(op->getResults(), list)) {
    Value pinned =
        shardings.constrain(builder, result, sharding, op,
                            "result " + Twine(result.getResultNumber()));
    if (!pinned)
      return failure();
    if (pinned != result)
      result.replaceAllUsesExcept(pinned, pinned.getDefiningOp());
  }
  return success();
}

/// `sharding_constraint` and `reshard`. Without uses a constraint is one of its
/// operand.
LogicalResult ImportShardyPass::importIdentity(Operation *op,
                                               ShardingImport &shardings) {
  Value input = op->getOperand(0), result = op->getResult(0);
  bool dangles = result.use_empty() && isa<sdy::ShardingConstraintOp>(op);
  OpBuilder builder(op);
  if (dangles)
    builder.setInsertionPointAfterValue(input);
  Value pinned = shardings.constrain(
      builder, input, op->getAttrOfType<sdy::ShardingAttr>("sharding"), op,
      "sharding");
  if (!pinned)
    return failure();
  result.replaceAllUsesWith(pinned);
  op->erase();
  if (dangles && pinned != input)
    input.replaceAllUsesExcept(pinned, pinned.getDefiningOp());
  return success();
}

LogicalResult ImportShardyPass::importOps(ShardingImport &shardings) {
  SmallVector<Operation *> ops;
  getOperation().walk([&](Operation *op) {
    if (!isa<FunctionOpInterface>(op))
      ops.push_back(op);
  });
  for (Operation *op : ops) {
    bool isIdentity = isa<sdy::ShardingConstraintOp, sdy::ReshardOp>(op);
    if (failed(isIdentity ? importIdentity(op, shardings)
                          : importResults(op, shardings)))
      return failure();
  }
  return success();
}
