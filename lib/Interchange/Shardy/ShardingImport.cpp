//===- ShardingImport.cpp - shardings of a module as layouts --------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ShardingImport.h"

#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace dtensor;

/// A placeholder that takes the mesh of the module.
static bool isPlaceholder(const SdyMesh &mesh) {
  return mesh.axes.empty() && mesh.devices.empty();
}

LogicalResult ShardingImport::addSharding(sdy::ShardingAttr attr, Operation *op,
                                          const Twine &what) {
  SdySharding sharding = attr.getSharding();
  SdyMesh used = sharding.inlineMesh;
  if (!sharding.meshName.empty()) {
    auto known = named.find(sharding.meshName);
    if (known == named.end())
      return op->emitError()
             << what << ": no mesh is named @" << sharding.meshName;
    used = known->second;
  }
  auto emitError = [&](const Twine &message) {
    op->emitError() << what << ": " << message;
  };
  if (!sharding.verify(used, emitError))
    return failure();
  if (isPlaceholder(used))
    return success();
  if (!meshUser) {
    sdyMesh = used;
    meshUser = op;
  }
  if (used == sdyMesh) {
    shardings.push_back(sharding);
    return success();
  }
  InFlightDiagnostic error = op->emitError()
                             << what << " is on mesh " << used.str()
                             << ", a module here has one mesh";
  error.attachNote(meshUser->getLoc()) << "this is on mesh " << sdyMesh.str();
  return error;
}

LogicalResult ShardingImport::addAttribute(Attribute attr, Operation *op,
                                           const Twine &what) {
  if (!attr)
    return success();
  if (auto sharding = dyn_cast<sdy::ShardingAttr>(attr))
    return addSharding(sharding, op, what);
  auto list = dyn_cast<sdy::ShardingPerValueAttr>(attr);
  if (!list)
    return op->emitError() << what << ": attribute \"sdy.sharding\" is " << attr
                           << ", which is no sharding";
  for (auto [index, sharding] : llvm::enumerate(list.getShardings()))
    if (failed(addSharding(sharding, op, what + " " + Twine(index))))
      return failure();
  return success();
}

LogicalResult ShardingImport::addShardingsOf(Operation *op) {
  if (auto func = dyn_cast<FunctionOpInterface>(op)) {
    for (unsigned index = 0; index < func.getNumArguments(); ++index)
      if (failed(addAttribute(func.getArgAttr(index, sdy::kShardingAttr), op,
                              "argument " + Twine(index))))
        return failure();
    for (unsigned index = 0; index < func.getNumResults(); ++index)
      if (failed(addAttribute(func.getResultAttr(index, sdy::kShardingAttr), op,
                              "result " + Twine(index))))
        return failure();
    return success();
  }
  if (auto manual = dyn_cast<sdy::ManualComputationOp>(op))
    return failure(
        failed(addAttribute(manual.getInShardings(), op, "operand")) ||
        failed(addAttribute(manual.getOutShardings(), op, "result")));
  if (isa<sdy::ShardingConstraintOp, sdy::ReshardOp>(op))
    return addAttribute(op->getAttr("sharding"), op, "sharding");
  return addAttribute(op->getAttr(sdy::kShardingAttr), op, "result");
}

LogicalResult ShardingImport::collect() {
  module.walk(
      [&](sdy::MeshOp op) { named[op.getSymName()] = op.getMesh().getMesh(); });
  WalkResult result = module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    return failed(addShardingsOf(op)) ? WalkResult::interrupt()
                                      : WalkResult::advance();
  });
  if (result.wasInterrupted())
    return failure();
  // Nothing says where anything lies; the one mesh is still what to run on.
  if (!meshUser && named.size() == 1) {
    sdyMesh = named.begin()->second;
    meshUser = module;
  }
  if (isPlaceholder(sdyMesh))
    return success();
  std::optional<Mesh> ours =
      fromSdyMesh(sdyMesh, shardings, [&](const Twine &message) {
        meshUser->emitError() << message;
      });
  if (!ours)
    return failure();
  mesh = MeshAttr::get(module.getContext(), *ours);
  return success();
}

LayoutAttr ShardingImport::getLayout(sdy::ShardingAttr sharding, Type type,
                                     Operation *op, const Twine &what) {
  auto emitError = [&](const Twine &message) {
    op->emitError() << what << ": " << message;
  };
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor) {
    op->emitError() << what << ": a sharding of " << type
                    << ", which is no ranked tensor";
    return {};
  }
  ExprContext &exprs = getExprContext(module.getContext());
  SmallVector<Expr> extents;
  for (int64_t size : tensor.getShape())
    extents.push_back(
        ShapedType::isDynamic(size)
            ? Expr::symbol(exprs, "sdy_" + std::to_string(symbols++))
            : Expr::constant(exprs, size));
  std::optional<Layout> layout = fromSdySharding(
      sharding.getSharding(), mesh.getMesh(), extents, detail, emitError);
  return layout ? LayoutAttr::get(mesh, *layout) : LayoutAttr();
}

Value ShardingImport::constrain(OpBuilder &builder, Value value,
                                sdy::ShardingAttr sharding, Operation *op,
                                const Twine &what) {
  const SdySharding &said = sharding.getSharding();
  bool isNumber = !isa<RankedTensorType>(value.getType()) &&
                  said.dims.empty() && said.replicated.empty() &&
                  said.unreduced.empty();
  if (!mesh || said.isFullyOpen() || isNumber)
    return value;
  LayoutAttr layout = getLayout(sharding, value.getType(), op, what);
  if (!layout)
    return {};
  return ConstraintOp::create(builder, op->getLoc(), value.getType(), value,
                              layout);
}
