//===- Normalize.cpp - every tensor op into core ops ----------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Callees come before callers, for a call takes its types from the callee's new
// signature. A function that names no mesh gets that of its callers. Old
// functions are replaced only when all new ones exist.
//
//===----------------------------------------------------------------------===//

#include "CalleesFirst.h"
#include "Normalizer.h"
#include "dtensor/Dialect/DTensor/Transforms/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace dtensor {
#define GEN_PASS_DEF_NORMALIZE
#include "dtensor/Dialect/DTensor/Transforms/Passes.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;

namespace {

bool hasTensors(func::FuncOp func) {
  auto isTensor = [](Type type) { return isa<TensorType>(type); };
  return llvm::any_of(func.getArgumentTypes(), isTensor) ||
         llvm::any_of(func.getResultTypes(), isTensor);
}

using Meshes = DenseMap<Operation *, MeshAttr>;

/// The mesh of each function; one that names none has its callers'. `order`:
/// callees first.
LogicalResult collectMeshes(ModuleOp module, ArrayRef<func::FuncOp> order,
                            Meshes &meshes) {
  SymbolTable symbols(module);
  DenseMap<Operation *, Operation *> givers;
  for (func::FuncOp func : order)
    meshes[func] = getMesh(func);
  auto give = [&](CallOpInterface call, MeshAttr mesh) -> LogicalResult {
    auto name =
        llvm::dyn_cast_if_present<SymbolRefAttr>(call.getCallableForCallee());
    auto callee = name ? symbols.lookup<func::FuncOp>(name.getLeafReference())
                       : func::FuncOp();
    if (!callee || callee.isExternal() || !hasTensors(callee))
      return success();
    MeshAttr &theirs = meshes[callee];
    if (!theirs) {
      theirs = mesh;
      givers[callee] = call;
    } else if (theirs != mesh && givers.contains(callee)) {
      InFlightDiagnostic diag = call->emitError()
                                << "'@" << callee.getName()
                                << "' names no mesh and is called on " << mesh
                                << " and on " << theirs;
      diag.attachNote(givers[callee]->getLoc()) << "the other call is here";
      return diag;
    }
    return success();
  };
  for (func::FuncOp func : llvm::reverse(order)) {
    MeshAttr mesh = meshes.lookup(func);
    if (!mesh || func.isExternal())
      continue;
    WalkResult result = func.walk([&](CallOpInterface call) {
      return failed(give(call, mesh)) ? WalkResult::interrupt()
                                      : WalkResult::advance();
    });
    if (result.wasInterrupted())
      return failure();
  }
  return success();
}

/// An op of ours on tensors cannot be without a mesh; scalar code may.
LogicalResult checkNeedsNoMesh(func::FuncOp func) {
  WalkResult result =
      func.walk(
          [](Operation *op) {
            if (!isa_and_nonnull<DTensorDialect>(op->getDialect()))
              return WalkResult::advance();
            op->emitOpError()
                << "is in a function that names no mesh; give an argument "
                   "a layout, or the function the attribute '"
                << DTensorDialect::kMeshAttr << "'";
            return WalkResult::interrupt();
          });
  return failure(result.wasInterrupted());
}

struct Normalize : dtensor::impl::NormalizeBase<Normalize> {
  void runOnOperation() override {
    if (failed(normalize(getOperation())))
      signalPassFailure();
  }

  LogicalResult normalize(ModuleOp module) {
    SmallVector<func::FuncOp> order;
    Meshes meshes;
    if (failed(calleesFirst(module, order)) ||
        failed(collectMeshes(module, order, meshes)))
      return failure();
    NewFunctions functions;
    for (func::FuncOp func : order) {
      if (func.isExternal())
        continue;
      MeshAttr mesh = meshes.lookup(func);
      if (!mesh) {
        if (failed(checkNeedsNoMesh(func)))
          return failure();
        continue;
      }
      OwningOpRef<func::FuncOp> now = Normalizer(func, mesh, functions).run();
      if (!now)
        return failure();
      functions[func.getNameAttr()] = std::move(now);
    }
    for (func::FuncOp func : order) {
      auto it = functions.find(func.getNameAttr());
      if (it == functions.end())
        continue;
      func->getBlock()->getOperations().insert(func->getIterator(),
                                               it->second.release());
      func.erase();
    }
    return success();
  }
};

} // namespace
