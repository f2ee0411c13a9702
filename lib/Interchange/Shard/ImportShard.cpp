//===- ImportShard.cpp - MLIR's shard dialect to layouts ------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GridAttrs.h"

#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "dtensor/Interchange/Shard/Passes.h"
#include "dtensor/Sharding/GridSharding.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Shard/IR/ShardDialect.h"
#include "llvm/ADT/StringSet.h"

namespace dtensor {
#define GEN_PASS_DEF_IMPORTSHARD
#include "dtensor/Interchange/Shard/Passes.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;

static LogicalResult checkOps(ModuleOp module) {
  WalkResult result = module.walk([](Operation *op) {
    if (!isa_and_present<shard::ShardDialect>(op->getDialect()) ||
        isa<shard::GridOp, shard::ShardingOp, shard::ShardOp>(op))
      return WalkResult::advance();
    op->emitOpError("is of the program of one rank; import what was there "
                    "before shard-partition");
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

namespace {
class Importer {
public:
  explicit Importer(ModuleOp module)
      : module(module), builder(module.getContext()),
        exprs(getExprContext(module.getContext())) {}

  LogicalResult run();

private:
  LogicalResult importFunction(func::FuncOp function);
  FailureOr<MeshAttr> meshOf(shard::ShardingOp sharding);
  FailureOr<LayoutAttr> layoutOf(shard::ShardOp op);
  FailureOr<SmallVector<Expr>> extentsOf(shard::ShardOp op);
  void replaceGrid(Operation *op);
  void replace(shard::ShardOp op, LayoutAttr layout);
  bool becomesArgument(shard::ShardOp op, LayoutAttr layout);
  bool becomesResult(shard::ShardOp op, LayoutAttr layout);

  ModuleOp module;
  OpBuilder builder;
  ExprContext &exprs;
  llvm::StringMap<MeshAttr> meshes;
  // Of the function at hand.
  func::FuncOp function;
  llvm::StringSet<> names;
  unsigned freshCount = 0;
};
} // namespace

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

FailureOr<MeshAttr> Importer::meshOf(shard::ShardingOp sharding) {
  auto found = meshes.find(sharding.getGrid());
  if (found == meshes.end())
    return sharding.emitOpError("names grid @")
           << sharding.getGrid() << ", which is not in this module";
  return found->second;
}

FailureOr<SmallVector<Expr>> Importer::extentsOf(shard::ShardOp op) {
  auto extents = readExtents(op, cast<RankedTensorType>(op.getSrc().getType()));
  if (failed(extents))
    return failure();
  for (Expr &extent : *extents) {
    if (extent)
      continue;
    std::string name;
    do
      name = "s" + std::to_string(freshCount++);
    while (names.contains(name));
    extent = Expr::symbol(exprs, name);
  }
  return extents;
}

/// What a sharding says beside its axes; fails after an error where no layout
/// can say it.
static FailureOr<GridSharding> read(shard::ShardingOp op) {
  if (!op.getDynamicHaloSizes().empty() ||
      llvm::any_of(op.getStaticHaloSizes(), [](int64_t n) { return n != 0; })) {
    InFlightDiagnostic error = op.emitOpError("has halos of ");
    llvm::interleaveComma(op.getStaticHaloSizes(), error, [&](int64_t size) {
      error << (ShapedType::isDynamic(size) ? "?" : std::to_string(size));
    });
    return error << " elements; layouts have none";
  }
  if (!op.getDynamicShardedDimsOffsets().empty())
    return op.emitOpError("has ")
           << op.getDynamicShardedDimsOffsets().size()
           << " offsets of shards that are values of the program; layouts say "
              "where shards begin";
  GridSharding result;
  for (shard::GridAxesAttr axes : op.getSplitAxes())
    result.splitAxes.emplace_back(axes.asArrayRef());
  result.offsets.assign(op.getStaticShardedDimsOffsets().begin(),
                        op.getStaticShardedDimsOffsets().end());
  return result;
}

FailureOr<LayoutAttr> Importer::layoutOf(shard::ShardOp op) {
  auto sharding = op.getSharding().getDefiningOp<shard::ShardingOp>();
  if (!sharding)
    return op.emitOpError("has a sharding that no shard.sharding makes");
  FailureOr<MeshAttr> mesh = meshOf(sharding);
  FailureOr<GridSharding> axes = read(sharding);
  if (failed(mesh) || failed(axes))
    return failure();
  FailureOr<SmallVector<Expr>> extents = extentsOf(op);
  if (failed(extents))
    return failure();
  auto layout = fromGridSharding(
      *axes, mesh->getMesh(), *extents,
      [&](const Twine &message) { op.emitOpError() << message; });
  if (!layout)
    return failure();
  auto attr = LayoutAttr::get(*mesh, *layout);
  auto type = cast<RankedTensorType>(op.getSrc().getType());
  if (failed(attr.verifyEncoding(type.getShape(), type.getElementType(),
                                 [&] { return op.emitOpError(); })))
    return failure();
  return attr;
}

//===----------------------------------------------------------------------===//
// Where they are written
//===----------------------------------------------------------------------===//

/// Could `op` be read as `what`? The exporter has marked those that say
/// something else.
static bool maybe(shard::ShardOp op, StringRef what) {
  auto of = op->getAttrOfType<StringAttr>(kOfAttr);
  return !of || of.getValue() == what;
}

bool Importer::becomesArgument(shard::ShardOp op, LayoutAttr layout) {
  auto argument = dyn_cast<BlockArgument>(op.getSrc());
  if (!argument || argument.getOwner() != &function.front() ||
      !argument.hasOneUse() || !maybe(op, "argument") ||
      function.getArgAttr(argument.getArgNumber(), DTensorDialect::kLayoutAttr))
    return false;
  function.setArgAttr(argument.getArgNumber(), DTensorDialect::kLayoutAttr,
                      layout);
  return true;
}

bool Importer::becomesResult(shard::ShardOp op, LayoutAttr layout) {
  if (!op.getAnnotateForUsers() || !op->hasOneUse() || !maybe(op, "result"))
    return false;
  OpOperand &use = *op->getUses().begin();
  if (!isa<func::ReturnOp>(use.getOwner()) || !function.getBody().hasOneBlock())
    return false;
  function.setResultAttr(use.getOperandNumber(), DTensorDialect::kLayoutAttr,
                         layout);
  return true;
}

void Importer::replace(shard::ShardOp op, LayoutAttr layout) {
  Value value = op.getSrc();
  if (!becomesArgument(op, layout) && !becomesResult(op, layout)) {
    builder.setInsertionPoint(op);
    auto made = ConstraintOp::create(builder, op.getLoc(), value.getType(),
                                     value, layout);
    // As the export decides without it.
    bool isLater = isa_and_present<ConstraintOp>(value.getDefiningOp());
    if (auto argument = dyn_cast<BlockArgument>(value))
      isLater = argument.getOwner() == &function.front() &&
                function.getArgAttr(argument.getArgNumber(),
                                    DTensorDialect::kLayoutAttr);
    if (op.getAnnotateForUsers() && !isLater)
      made->setAttr(kForUsersAttr, builder.getUnitAttr());
    value = made.getResult();
  }
  op.getResult().replaceAllUsesWith(value);
  op.erase();
}

void Importer::replaceGrid(Operation *op) {
  auto grid = op->getAttrOfType<FlatSymbolRefAttr>(kGridAttr);
  if (!grid)
    return;
  op->removeAttr(kGridAttr);
  auto found = meshes.find(grid.getValue());
  if (found != meshes.end())
    op->setAttr(DTensorDialect::kMeshAttr, found->second);
}

/// The names that the function's symbols have already.
static llvm::StringSet<> collectNames(func::FuncOp function) {
  llvm::StringSet<> names;
  if (auto symbols =
          function->getAttrOfType<DictionaryAttr>(DTensorDialect::kSymbolsAttr))
    for (NamedAttribute symbol : symbols)
      names.insert(symbol.getName());
  function.walk([&](shard::ShardOp op) {
    auto extents = op->getAttrOfType<ArrayAttr>(kExtentsAttr);
    if (!extents)
      return;
    ExprContext &context = getExprContext(op.getContext());
    for (auto text : extents.getAsRange<StringAttr>())
      if (auto extent = dtensor::parseExpr(text.getValue(), context))
        extent->walkSymbols(
            [&](StringRef name, SymbolKind) { names.insert(name); });
  });
  return names;
}

LogicalResult Importer::importFunction(func::FuncOp it) {
  function = it;
  names = collectNames(function);
  freshCount = 0;
  SmallVector<std::pair<shard::ShardOp, LayoutAttr>> found;
  bool failed = false;
  function.walk([&](shard::ShardOp op) {
    FailureOr<LayoutAttr> layout = layoutOf(op);
    failed |= mlir::failed(layout);
    if (mlir::succeeded(layout))
      found.emplace_back(op, *layout);
  });
  if (failed)
    return failure();
  for (auto [op, layout] : found) {
    MeshAttr first = found.front().second.getMesh();
    if (layout.getMesh() != first)
      return op.emitOpError("is on grid ")
             << layout.getMesh() << ", the function began with " << first;
  }
  for (auto [op, layout] : found)
    replace(op, layout);
  replaceGrid(function);
  if (!found.empty() && !getMesh(function))
    function->setAttr(DTensorDialect::kMeshAttr,
                      found.front().second.getMesh());
  return success();
}

LogicalResult Importer::run() {
  for (auto grid : module.getOps<shard::GridOp>()) {
    FailureOr<MeshAttr> mesh = readAxes(grid);
    if (failed(mesh))
      return failure();
    meshes[grid.getSymName()] = *mesh;
  }
  replaceGrid(module);
  for (auto function : module.getOps<func::FuncOp>())
    if (!function.isExternal() && failed(importFunction(function)))
      return failure();
  module.walk([](shard::ShardingOp op) {
    if (op->use_empty())
      op.erase();
  });
  for (auto grid : llvm::to_vector(module.getOps<shard::GridOp>()))
    grid.erase();
  return success();
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct ImportShard : dtensor::impl::ImportShardBase<ImportShard> {
  void runOnOperation() override {
    if (failed(checkOps(getOperation())) ||
        failed(Importer(getOperation()).run()))
      signalPassFailure();
  }
};
} // namespace
