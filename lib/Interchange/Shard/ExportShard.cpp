//===- ExportShard.cpp - Layouts to MLIR's shard dialect ------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In that dialect a `shard.shard` says of a value where it is, or, with
// `annotate_for_users`, where its users want it. The first is not to come after
// the second. So a layout of an argument or of a type is of the first kind, one
// of a result of the second, and a constraint of the second where something has
// said of its operand where it is.
//
//===----------------------------------------------------------------------===//

#include "GridAttrs.h"

#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "dtensor/Interchange/Shard/Passes.h"
#include "dtensor/Sharding/GridSharding.h"
#include "dtensor/Sharding/LocalShape.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Shard/IR/ShardDialect.h"
#include "mlir/IR/SymbolTable.h"

namespace dtensor {
#define GEN_PASS_DEF_EXPORTSHARD
#include "dtensor/Interchange/Shard/Passes.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;

static LogicalResult checkOps(ModuleOp module) {
  WalkResult result = module.walk([](Operation *op) {
    if (isa_and_present<DTensorDialect>(op->getDialect()) &&
        !isa<ConstraintOp, RedistributeOp>(op)) {
      op->emitOpError("has no form in MLIR's dialects");
      return WalkResult::interrupt();
    }
    auto function = dyn_cast<func::FuncOp>(op);
    if (function && function.isExternal() && getMesh(function)) {
      function.emitOpError("has no body in which MLIR's shard dialect could "
                           "say where its arguments are");
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

namespace {
class Exporter {
public:
  explicit Exporter(ModuleOp module)
      : module(module), symbols(module), builder(module.getContext()) {}

  LogicalResult run() {
    replaceMesh(module);
    for (auto function : llvm::to_vector(module.getOps<func::FuncOp>()))
      if (!function.isExternal() && failed(exportFunction(function)))
        return failure();
    return success();
  }

private:
  LogicalResult exportFunction(func::FuncOp function);
  LogicalResult exportArguments(func::FuncOp function);
  LogicalResult exportResults(func::FuncOp function);
  LogicalResult exportConstraint(ConstraintOp op);
  LogicalResult exportRedistribute(RedistributeOp op);
  LogicalResult exportMovement(Operation *op);
  LogicalResult exportType(Value value);

  FlatSymbolRefAttr gridOf(MeshAttr mesh);
  void replaceMesh(Operation *op);
  /// Inserts at the builder; fails after an error at `loc`.
  FailureOr<shard::ShardOp> annotate(Value value, LayoutAttr layout,
                                     bool forUsers, Location loc);
  void warnOfUneven(LayoutAttr layout, Location loc);

  ModuleOp module;
  SymbolTable symbols;
  OpBuilder builder;
  DenseMap<MeshAttr, FlatSymbolRefAttr> grids;
  // Of the function at hand.
  Facts facts;
  DenseSet<LayoutAttr> warned;
};
} // namespace

FlatSymbolRefAttr Exporter::gridOf(MeshAttr attr) {
  FlatSymbolRefAttr &symbol = grids[attr];
  if (symbol)
    return symbol;
  const Mesh &mesh = attr.getMesh();
  SmallVector<int64_t> shape;
  for (unsigned axis = 0; axis < mesh.getNumAxes(); ++axis)
    shape.push_back(mesh.knownSize(axis).value_or(ShapedType::kDynamic));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(module.getBody());
  auto grid = shard::GridOp::create(builder, module.getLoc(), "mesh",
                                    builder.getDenseI64ArrayAttr(shape));
  writeAxes(grid, mesh);
  symbol = FlatSymbolRefAttr::get(symbols.insert(grid));
  return symbol;
}

void Exporter::replaceMesh(Operation *op) {
  if (auto mesh = op->getAttrOfType<MeshAttr>(DTensorDialect::kMeshAttr)) {
    op->removeAttr(DTensorDialect::kMeshAttr);
    op->setAttr(kGridAttr, gridOf(mesh));
  }
}

//===----------------------------------------------------------------------===//
// One annotation
//===----------------------------------------------------------------------===//

/// The dialect has shards of one size; ours differ where sizes do not divide.
void Exporter::warnOfUneven(LayoutAttr attr, Location loc) {
  const Layout &layout = attr.getLayout();
  if (!warned.insert(attr).second)
    return;
  for (auto [dim, extent] : llvm::enumerate(layout.extents)) {
    Expr shards = attr.getMesh().getMesh().groupSizeExpr(extent.getContext(),
                                                         layout.axesOf(dim));
    if (!shardsEvenly(extent, Expr(), shards, facts))
      emitWarning(loc) << "MLIR's shard dialect cuts dimension " << dim
                       << " of " << extent.str() << " elements into "
                       << shards.str()
                       << " equal shards; nothing says that they are equal";
  }
}

FailureOr<shard::ShardOp> Exporter::annotate(Value value, LayoutAttr layout,
                                             bool forUsers, Location loc) {
  auto sharding =
      toGridSharding(layout.getLayout(), layout.getMesh().getMesh(),
                     [&](const Twine &message) { emitError(loc, message); });
  if (!sharding)
    return failure();
  if (sharding->offsets.empty())
    warnOfUneven(layout, loc);
  // The text form wants at least one list.
  if (sharding->splitAxes.empty())
    sharding->splitAxes.emplace_back();
  SmallVector<shard::GridAxesAttr> axes;
  for (ArrayRef<int16_t> split : sharding->splitAxes)
    axes.push_back(builder.getDenseI16ArrayAttr(split));
  // In full: the short builders of LLVM 22 confuse offsets and halos.
  Value made = shard::ShardingOp::create(
      builder, loc, shard::ShardingType::get(module.getContext()),
      gridOf(layout.getMesh()),
      shard::GridAxesArrayAttr::get(module.getContext(), axes),
      builder.getDenseI64ArrayAttr(sharding->offsets), ValueRange(),
      builder.getDenseI64ArrayAttr({}), ValueRange());
  auto op = shard::ShardOp::create(builder, loc, value, made, forUsers);
  writeExtents(op, cast<RankedTensorType>(value.getType()),
               layout.getExtents());
  return op;
}

//===----------------------------------------------------------------------===//
// What has a layout
//===----------------------------------------------------------------------===//

/// Says of `value`, which the builder stands behind, where it is.
static void replaceUses(Value value, shard::ShardOp op) {
  value.replaceAllUsesExcept(op.getResult(), op);
}

LogicalResult Exporter::exportArguments(func::FuncOp function) {
  builder.setInsertionPointToStart(&function.front());
  for (BlockArgument argument : function.getArguments()) {
    auto layout = function.getArgAttrOfType<LayoutAttr>(
        argument.getArgNumber(), DTensorDialect::kLayoutAttr);
    if (!layout)
      continue;
    function.removeArgAttr(argument.getArgNumber(),
                           DTensorDialect::kLayoutAttr);
    auto op = annotate(argument, layout, /*forUsers=*/false, argument.getLoc());
    if (failed(op))
      return failure();
    replaceUses(argument, *op);
  }
  return success();
}

LogicalResult Exporter::exportResults(func::FuncOp function) {
  for (unsigned i = 0; i < function.getNumResults(); ++i) {
    LayoutAttr layout = getLayout(function.getResultTypes()[i]);
    if (!layout)
      layout = function.getResultAttrOfType<LayoutAttr>(
          i, DTensorDialect::kLayoutAttr);
    function.removeResultAttr(
        i, StringAttr::get(module.getContext(), DTensorDialect::kLayoutAttr));
    if (!layout)
      continue;
    for (auto op : function.getOps<func::ReturnOp>()) {
      builder.setInsertionPoint(op);
      Value value = op.getOperand(i);
      auto made = annotate(value, layout, /*forUsers=*/true, op.getLoc());
      if (failed(made))
        return failure();
      if (isa<BlockArgument>(value))
        (*made)->setAttr(kOfAttr, builder.getStringAttr("result"));
      op->setOperand(i, made->getResult());
    }
  }
  return success();
}

LogicalResult Exporter::exportConstraint(ConstraintOp op) {
  builder.setInsertionPoint(op);
  Value input = op.getInput();
  bool forUsers = op->hasAttr(kForUsersAttr) ||
                  isa_and_present<shard::ShardOp>(input.getDefiningOp());
  auto made = annotate(input, op.getLayout(), forUsers, op.getLoc());
  if (failed(made))
    return failure();
  bool isForReturn = forUsers && op->hasOneUse() &&
                     isa<func::ReturnOp>(*op->getUsers().begin());
  if (isa<BlockArgument>(input) || isForReturn)
    (*made)->setAttr(kOfAttr, builder.getStringAttr("constraint"));
  op.getResult().replaceAllUsesWith(made->getResult());
  op.erase();
  return success();
}

LogicalResult Exporter::exportRedistribute(RedistributeOp op) {
  LayoutAttr layout = getLayout(op.getResult());
  if (!layout) {
    op.getResult().replaceAllUsesWith(op.getInput());
    op.erase();
    return success();
  }
  builder.setInsertionPoint(op);
  auto made = annotate(op.getInput(), layout, /*forUsers=*/true, op.getLoc());
  if (failed(made))
    return failure();
  op.getResult().replaceAllUsesWith(made->getResult());
  op.erase();
  return success();
}

LogicalResult Exporter::exportMovement(Operation *op) {
  if (auto constraint = dyn_cast<ConstraintOp>(op))
    return exportConstraint(constraint);
  return exportRedistribute(cast<RedistributeOp>(op));
}

LogicalResult Exporter::exportType(Value value) {
  LayoutAttr layout = getLayout(value);
  if (!layout)
    return success();
  value.setType(withoutLayout(value.getType()));
  builder.setInsertionPointAfterValue(value);
  auto made = annotate(value, layout, /*forUsers=*/false, value.getLoc());
  if (failed(made))
    return failure();
  replaceUses(value, *made);
  return success();
}

LogicalResult Exporter::exportFunction(func::FuncOp function) {
  facts = getFacts(function);
  warned.clear();
  replaceMesh(function);
  if (failed(exportArguments(function)))
    return failure();
  // Operands before the ops that use them: a constraint sees what was said.
  WalkResult walked = function.walk<WalkOrder::PreOrder>([&](Operation *op) {
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (BlockArgument argument : block.getArguments())
          if (failed(exportType(argument)))
            return WalkResult::interrupt();
    if (isa<ConstraintOp, RedistributeOp>(op))
      return failed(exportMovement(op)) ? WalkResult::interrupt()
                                        : WalkResult::skip();
    for (Value result : op->getResults())
      if (failed(exportType(result)))
        return WalkResult::interrupt();
    return WalkResult::advance();
  });
  if (walked.wasInterrupted() || failed(exportResults(function)))
    return failure();
  auto plain = [](TypeRange types) {
    return llvm::map_to_vector(types, withoutLayout);
  };
  function.setFunctionType(builder.getFunctionType(
      plain(function.getArgumentTypes()), plain(function.getResultTypes())));
  return success();
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct ExportShard : dtensor::impl::ExportShardBase<ExportShard> {
  void runOnOperation() override {
    if (failed(checkOps(getOperation())) ||
        failed(Exporter(getOperation()).run()))
      signalPassFailure();
  }
};
} // namespace
