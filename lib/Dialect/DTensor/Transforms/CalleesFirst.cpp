//===- CalleesFirst.cpp - functions in call order -------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CalleesFirst.h"
#include "mlir/Interfaces/CallInterfaces.h"

using namespace mlir;
using namespace dtensor;

namespace {
struct CallSite {
  Operation *call;
  func::FuncOp callee;
};

/// Depth-first without recursion: a module may call a long chain of functions.
class CallOrder {
public:
  explicit CallOrder(ModuleOp module) {
    SymbolTable table(module);
    for (func::FuncOp func : module.getOps<func::FuncOp>())
      func.walk([&, caller = func](CallOpInterface call) {
        auto symbol = dyn_cast_or_null<SymbolRefAttr>(
            llvm::dyn_cast_if_present<SymbolRefAttr>(
                call.getCallableForCallee()));
        if (!symbol)
          return;
        if (auto callee = table.lookup<func::FuncOp>(symbol.getRootReference()))
          calls[caller].push_back({call, callee});
      });
  }

  LogicalResult visit(func::FuncOp root, SmallVectorImpl<func::FuncOp> &order) {
    if (!enter(root))
      return success();
    while (!stack.empty()) {
      auto &[func, next] = stack.back();
      ArrayRef<CallSite> sites = calls[func];
      if (next == sites.size()) {
        state[func] = Done;
        order.push_back(func);
        stack.pop_back();
        continue;
      }
      CallSite site = sites[next++];
      if (state[site.callee] == Active)
        return site.call->emitOpError("calls '")
               << site.callee.getName() << "' recursively";
      enter(site.callee);
    }
    return success();
  }

private:
  enum State { New, Active, Done };

  bool enter(func::FuncOp func) {
    if (state[func] != New)
      return false;
    state[func] = Active;
    stack.push_back({func, 0});
    return true;
  }

  DenseMap<Operation *, SmallVector<CallSite>> calls;
  DenseMap<Operation *, State> state;
  SmallVector<std::pair<func::FuncOp, size_t>> stack;
};
} // namespace

LogicalResult dtensor::calleesFirst(ModuleOp module,
                                    SmallVectorImpl<func::FuncOp> &order) {
  CallOrder calls(module);
  for (func::FuncOp func : module.getOps<func::FuncOp>())
    if (failed(calls.visit(func, order)))
      return failure();
  return success();
}
