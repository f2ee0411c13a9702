//===- ExportShardy.cpp - layouts become Shardy's shardings ---------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Interchange/Shardy/Passes.h"

#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "dtensor/Interchange/Shardy/SdyDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringMap.h"

#define DEBUG_TYPE "dtensor-export-shardy"

namespace dtensor {
#define GEN_PASS_DEF_EXPORTSHARDY
#include "dtensor/Interchange/Shardy/Passes.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;

namespace {

/// Sizes by name, as in `tp=4,dp=2`.
using Sizes = llvm::StringMap<int64_t>;

class Exporter {
public:
  Exporter(ModuleOp module, const Sizes &meshSizes, const Sizes &symbols)
      : module(module), meshSizes(meshSizes), symbols(symbols),
        builder(module.getContext()) {}

  LogicalResult run();

private:
  // Sizes.
  MeshAttr bind(MeshAttr mesh);
  Expr bind(Expr expr);
  void bindSizes();
  // Shardings.
  StringAttr nameOf(MeshAttr mesh);
  sdy::ShardingAttr shardingOf(LayoutAttr layout, Operation *op,
                               const Twine &what);
  LogicalResult setShardings(Operation *op);
  LogicalResult setShardings(func::FuncOp func);
  // Types and ops.
  FailureOr<Type> plain(Type type, Operation *op, const Twine &what);
  LogicalResult replaceTypes(Operation *op);
  LogicalResult replaceSignature(func::FuncOp func);
  void replaceOp(Operation *op);

  ModuleOp module;
  const Sizes &meshSizes, &symbols;
  OpBuilder builder;
  /// In the order in which they are met.
  llvm::MapVector<MeshAttr, StringAttr> meshes;
};

} // namespace

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

MeshAttr Exporter::bind(MeshAttr mesh) {
  SmallVector<MeshAxis> axes(mesh.getMesh().getAxes());
  for (MeshAxis &axis : axes)
    if (auto size = meshSizes.find(axis.name);
        size != meshSizes.end() && !axis.facts.size) {
      axis.facts = AxisFacts();
      axis.facts.size = size->second;
    }
  return MeshAttr::get(module.getContext(), Mesh(axes));
}

Expr Exporter::bind(Expr expr) {
  ExprContext &exprs = getExprContext(module.getContext());
  return expr.substitute([&](StringRef name, SymbolKind kind) {
    const Sizes &sizes = kind == SymbolKind::AxisSize ? meshSizes : symbols;
    auto size = sizes.find(name);
    return size == sizes.end() || kind == SymbolKind::AxisIndex
               ? Expr()
               : Expr::constant(exprs, size->second);
  });
}

/// Puts the given numbers in the place of symbols everywhere.
void Exporter::bindSizes() {
  AttrTypeReplacer replacer;
  auto bindLayout = [&](LayoutAttr layout) {
    return LayoutAttr::get(
        bind(layout.getMesh()),
        layout.getLayout().mapExprs([&](Expr expr) { return bind(expr); }));
  };
  replacer.addReplacement([&](RankedTensorType type) -> std::optional<Type> {
    LayoutAttr layout = getLayout(type);
    if (!layout)
      return std::nullopt;
    LayoutAttr bound = bindLayout(layout);
    SmallVector<int64_t> shape;
    for (auto [size, extent] :
         llvm::zip_equal(type.getShape(), bound.getExtents()))
      shape.push_back(extent.getConstant().value_or(size));
    return RankedTensorType::get(shape, type.getElementType(), bound);
  });
  replacer.addReplacement(bindLayout);
  replacer.addReplacement([&](MeshAttr mesh) { return bind(mesh); });
  replacer.addReplacement([&](ExprAttr attr) {
    return ExprAttr::get(attr.getContext(), bind(attr.getExpr()));
  });
  replacer.recursivelyReplaceElementsIn(module, /*replaceAttrs=*/true,
                                        /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);
}

//===----------------------------------------------------------------------===//
// Shardings
//===----------------------------------------------------------------------===//

StringAttr Exporter::nameOf(MeshAttr mesh) {
  StringAttr &name = meshes[mesh];
  for (unsigned number = 0; !name; ++number) {
    std::string text = number ? "mesh_" + std::to_string(number) : "mesh";
    bool isTaken =
        module.lookupSymbol(text) || llvm::any_of(meshes, [&](auto &other) {
          return other.second && other.second.getValue() == text;
        });
    if (!isTaken)
      name = builder.getStringAttr(text);
  }
  return name;
}

sdy::ShardingAttr Exporter::shardingOf(LayoutAttr layout, Operation *op,
                                       const Twine &what) {
  auto sharding =
      toSdySharding(layout.getLayout(), layout.getMesh().getMesh(),
                    nameOf(layout.getMesh()), [&](const Twine &message) {
                      op->emitError() << what << ": " << message;
                    });
  return sharding ? sdy::ShardingAttr::get(op->getContext(), *sharding)
                  : sdy::ShardingAttr();
}

/// Of the results of an op. Beside tensors with a layout there may be numbers,
/// which have no dimension to shard.
LogicalResult Exporter::setShardings(Operation *op) {
  if (auto func = dyn_cast<func::FuncOp>(op))
    return setShardings(func);
  auto pinned = dyn_cast<ConstraintOp>(op);
  auto layoutOf = [&](Value result) {
    return pinned ? pinned.getLayout() : getLayout(result);
  };
  auto first = llvm::find_if(op->getResults(), layoutOf);
  if (first == op->result_end())
    return success();
  SmallVector<sdy::ShardingAttr> shardings;
  for (OpResult result : op->getResults()) {
    std::string what = "result " + std::to_string(result.getResultNumber());
    LayoutAttr layout = layoutOf(result);
    if (!layout && isa<TensorType>(result.getType()))
      return op->emitError() << what << " is a tensor without a layout";
    if (!layout)
      layout = LayoutAttr::get(
          layoutOf(*first).getMesh(),
          Layout::replicated(layoutOf(*first).getPlacements().size(), {}));
    shardings.push_back(shardingOf(layout, op, what));
    if (!shardings.back())
      return failure();
  }
  op->setAttr(sdy::kShardingAttr,
              sdy::ShardingPerValueAttr::get(op->getContext(), shardings));
  return success();
}

LogicalResult Exporter::setShardings(func::FuncOp func) {
  auto layoutOf = [](Type type, Attribute attr) {
    LayoutAttr layout = getLayout(type);
    return layout ? layout : dyn_cast_or_null<LayoutAttr>(attr);
  };
  for (unsigned i = 0; i < func.getNumArguments(); ++i) {
    LayoutAttr layout =
        layoutOf(func.getArgumentTypes()[i],
                 func.getArgAttr(i, DTensorDialect::kLayoutAttr));
    if (!layout)
      continue;
    auto sharding = shardingOf(layout, func, "argument " + Twine(i));
    if (!sharding)
      return failure();
    func.setArgAttr(i, sdy::kShardingAttr, sharding);
  }
  for (unsigned i = 0; i < func.getNumResults(); ++i) {
    LayoutAttr layout =
        layoutOf(func.getResultTypes()[i],
                 func.getResultAttr(i, DTensorDialect::kLayoutAttr));
    if (!layout)
      continue;
    auto sharding = shardingOf(layout, func, "result " + Twine(i));
    if (!sharding)
      return failure();
    func.setResultAttr(i, sdy::kShardingAttr, sharding);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Types and ops
//===----------------------------------------------------------------------===//

FailureOr<Type> Exporter::plain(Type type, Operation *op, const Twine &what) {
  LayoutAttr layout = getLayout(type);
  if (!layout)
    return type;
  auto tensor = cast<RankedTensorType>(type);
  for (auto [dim, size, extent] :
       llvm::enumerate(tensor.getShape(), layout.getExtents()))
    if (ShapedType::isDynamic(size))
      return op->emitError() << what << ": dimension " << dim << " has size "
                             << extent.str() << ", Shardy needs a number";
  return withoutLayout(type);
}

LogicalResult Exporter::replaceTypes(Operation *op) {
  auto replace = [&](Value value, const Twine &what) -> LogicalResult {
    FailureOr<Type> type = plain(value.getType(), op, what);
    if (succeeded(type))
      value.setType(*type);
    return type;
  };
  for (OpResult result : op->getResults())
    if (failed(replace(result, "result " + Twine(result.getResultNumber()))))
      return failure();
  for (Region &region : op->getRegions())
    for (Block &block : region)
      for (BlockArgument argument : block.getArguments())
        if (failed(replace(argument,
                           "argument " + Twine(argument.getArgNumber()))))
          return failure();
  auto func = dyn_cast<func::FuncOp>(op);
  return func ? replaceSignature(func) : success();
}

LogicalResult Exporter::replaceSignature(func::FuncOp func) {
  SmallVector<Type> inputs, results;
  for (auto [list, types] : {std::pair(&inputs, func.getArgumentTypes()),
                             std::pair(&results, func.getResultTypes())})
    for (auto [index, type] : llvm::enumerate(types)) {
      FailureOr<Type> known =
          plain(type, func,
                (list == &inputs ? "argument " : "result ") + Twine(index));
      if (failed(known))
        return failure();
      list->push_back(*known);
    }
  func.setType(FunctionType::get(func.getContext(), inputs, results));
  func->removeAttr(DTensorDialect::kSymbolsAttr);
  func->removeAttr(DTensorDialect::kMeshAttr);
  for (unsigned i = 0; i < func.getNumArguments(); ++i)
    for (StringRef name :
         {DTensorDialect::kLayoutAttr, DTensorDialect::kSymbolAttr})
      func.removeArgAttr(i, name);
  for (unsigned i = 0; i < func.getNumResults(); ++i)
    func.removeResultAttr(i,
                          builder.getStringAttr(DTensorDialect::kLayoutAttr));
  return success();
}

/// Ops that are about layouts have others of the same meaning there.
void Exporter::replaceOp(Operation *op) {
  builder.setInsertionPoint(op);
  auto list = op->getAttrOfType<sdy::ShardingPerValueAttr>(sdy::kShardingAttr);
  sdy::ShardingAttr sharding = list && !list.getShardings().empty()
                                   ? list.getShardings().front()
                                   : sdy::ShardingAttr();
  Operation *other = nullptr;
  if (isa<RedistributeOp>(op) && sharding)
    other = sdy::ReshardOp::create(builder, op->getLoc(),
                                   op->getResult(0).getType(),
                                   op->getOperand(0), sharding);
  else if (isa<ConstraintOp>(op))
    other = sdy::ShardingConstraintOp::create(builder, op->getLoc(),
                                              op->getResult(0).getType(),
                                              op->getOperand(0), sharding);
  else if (auto call = dyn_cast<CallOp>(op)) {
    other = func::CallOp::create(builder, op->getLoc(), call.getCallee(),
                                 op->getResultTypes(), op->getOperands());
    if (list)
      other->setAttr(sdy::kShardingAttr, list);
  } else if (isa<RefineOp>(op)) {
    op->getResult(0).replaceAllUsesWith(op->getOperand(0));
    op->erase();
  }
  if (!other)
    return;
  op->replaceAllUsesWith(other);
  op->erase();
}

LogicalResult Exporter::run() {
  bindSizes();
  SmallVector<Operation *> ops;
  module.walk<WalkOrder::PreOrder>([&](Operation *op) { ops.push_back(op); });
  for (Operation *op : ops)
    if (failed(setShardings(op)))
      return failure();
  for (Operation *op : ops)
    if (failed(replaceTypes(op)))
      return failure();
  // A body of a generic is one of its rank: it has no layouts, and stays.
  for (Operation *op : llvm::drop_begin(ops))
    replaceOp(op);
  if (auto mesh = module->getAttrOfType<MeshAttr>(DTensorDialect::kMeshAttr)) {
    module->removeAttr(DTensorDialect::kMeshAttr);
    if (meshes.empty())
      nameOf(mesh);
  }
  builder.setInsertionPointToStart(module.getBody());
  for (auto [mesh, name] : meshes) {
    auto there = toSdyMesh(mesh.getMesh(), [&](const Twine &message) {
      module.emitError() << message;
    });
    if (!there)
      return failure();
    sdy::MeshOp::create(builder, module.getLoc(), name,
                        sdy::MeshAttr::get(module.getContext(), *there));
  }
  return success();
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// Fails after an error about an entry that is not `name=number`.
static LogicalResult parseSizes(StringRef text, StringRef option,
                                int64_t smallest, Operation *op, Sizes &sizes) {
  SmallVector<StringRef> entries;
  text.split(entries, ',', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef entry : entries) {
    auto [name, number] = entry.rsplit('=');
    int64_t size;
    if (name.empty() || number.getAsInteger(10, size) || size < smallest)
      return op->emitError()
             << "option " << option << ": \"" << entry
             << "\" is not a name and a number of at least " << smallest;
    sizes[name] = size;
  }
  return success();
}

namespace {

class ExportShardyPass
    : public dtensor::impl::ExportShardyBase<ExportShardyPass> {
public:
  using ExportShardyBase::ExportShardyBase;

  void runOnOperation() override {
    Sizes meshSizes, symbolValues;
    if (failed(parseSizes(mesh, "mesh", 1, getOperation(), meshSizes)) ||
        failed(
            parseSizes(symbols, "symbols", 0, getOperation(), symbolValues)) ||
        failed(Exporter(getOperation(), meshSizes, symbolValues).run()))
      signalPassFailure();
  }
};

} // namespace
