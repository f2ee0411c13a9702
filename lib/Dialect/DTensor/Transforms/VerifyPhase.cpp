//===- VerifyPhase.cpp - what a phase promises ----------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/DTensor.h"
#include "dtensor/Dialect/DTensor/Transforms/Passes.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "llvm/ADT/StringSwitch.h"

#define DEBUG_TYPE "dtensor-verify-phase"

namespace dtensor {
#define GEN_PASS_DEF_VERIFYPHASE
#include "dtensor/Dialect/DTensor/Transforms/Passes.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;

namespace {

enum class Phase { Normalize, Propagate, Plan, Partition };

class PhaseVerifier {
public:
  PhaseVerifier(Phase phase, StringRef name) : phase(phase), name(name) {}

  LogicalResult verify(func::FuncOp func) {
    if (func.isExternal() || (phase != Phase::Partition && !getMesh(func)))
      return success();
    facts = getFacts(func);
    WalkResult result = func.walk([&](Operation *op) {
      return failed(verifyOp(op)) ? WalkResult::interrupt()
                                  : WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }

private:
  InFlightDiagnostic error(Operation *op) {
    return op->emitOpError("breaks what ") << name << " promises: ";
  }

  LogicalResult verifyOp(Operation *op) {
    if (phase == Phase::Partition)
      return verifyLocal(op);
    if (failed(verifyKnown(op)))
      return failure();
    if (phase == Phase::Normalize)
      return success();
    if (failed(verifyDecided(op)) || failed(verifyAccepted(op)))
      return failure();
    auto move = dyn_cast<RedistributeOp>(op);
    if (phase == Phase::Plan && move && !move.getPlan())
      return error(op) << "a redistribute without a plan";
    return success();
  }

  static bool touchesLayouts(Operation *op) {
    return llvm::any_of(
        llvm::concat<Value>(op->getOperands(), op->getResults()),
        [](Value value) { return bool(getLayout(value)); });
  }

  /// Ops that move or carry layouts without a rule of their own.
  static bool carriesLayouts(Operation *op) {
    return isa<RedistributeOp, ConstraintOp, AgreeOp, RefineOp, CallOp>(op) ||
           isa<RegionBranchOpInterface>(op) ||
           op->hasTrait<OpTrait::IsTerminator>();
  }

  LogicalResult verifyKnown(Operation *op) {
    if (!touchesLayouts(op) || carriesLayouts(op) ||
        isa<ShardingRuleOpInterface>(op))
      return success();
    return error(op) << "an op on layouts has no sharding rule";
  }

  LogicalResult verifyDecided(Operation *op) {
    if (isa<ConstraintOp, AgreeOp>(op))
      return error(op) << "a constraint is left";
    for (Value value : definedBy(op))
      if (LayoutAttr layout = getLayout(value);
          layout && layout.getLayout().hasOpen())
        return error(op) << "an open placement is left in " << value.getType();
    return success();
  }

  /// Results of `op` and arguments of its blocks: those of a function are used
  /// nowhere, perhaps.
  static SmallVector<Value> definedBy(Operation *op) {
    SmallVector<Value> values(op->getResults());
    for (Region &region : op->getRegions())
      for (Block &block : region)
        llvm::append_range(values, block.getArguments());
    return values;
  }

  /// A pending reduction is dropped exactly where an op's rule does not accept
  /// its operands, so this is also the proof that none is.
  LogicalResult verifyAccepted(Operation *op) {
    auto ruled = dyn_cast<ShardingRuleOpInterface>(op);
    if (!ruled || !touchesLayouts(op))
      return success();
    FailureOr<ShardingRule> rule = ruled.getShardingRule();
    if (failed(rule))
      return failure();
    MeshAttr mesh;
    auto layouts = [&](ValueRange values) {
      SmallVector<Layout> list;
      for (Value value : values) {
        LayoutAttr layout = getLayout(value);
        if (layout)
          mesh = layout.getMesh();
        list.push_back(layout ? layout.getLayout() : Layout());
      }
      return list;
    };
    SmallVector<Layout> operands = layouts(op->getOperands());
    SmallVector<Layout> results = layouts(op->getResults());
    // A scalar is the same on every rank.
    for (Layout &layout : operands)
      if (layout.placements.empty())
        layout.placements.assign(mesh.getMesh().getNumAxes(),
                                 Placement::replicate());
    std::string why;
    if (accepts(*rule, mesh.getMesh(), operands, results, &why, &facts))
      return success();
    return error(op) << "its placements are none that its rule accepts: "
                     << why;
  }

  LogicalResult verifyLocal(Operation *op) {
    if (isa<RedistributeOp, ConstraintOp, AgreeOp, RefineOp, ExtentOp, CallOp>(
            op))
      return error(op) << "a global-view op is left";
    if (touchesLayouts(op) ||
        llvm::any_of(definedBy(op), [](Value v) { return bool(getLayout(v)); }))
      return error(op) << "a layout is left";
    return success();
  }

  Phase phase;
  StringRef name;
  Facts facts;
};

struct VerifyPhasePass
    : public dtensor::impl::VerifyPhaseBase<VerifyPhasePass> {
  using VerifyPhaseBase::VerifyPhaseBase;

  void runOnOperation() override {
    auto known = llvm::StringSwitch<std::optional<Phase>>(phase)
                     .Case("normalize", Phase::Normalize)
                     .Case("propagate", Phase::Propagate)
                     .Case("plan", Phase::Plan)
                     .Case("partition", Phase::Partition)
                     .Default(std::nullopt);
    if (!known) {
      getOperation().emitError("unknown phase '")
          << phase << "', expected normalize, propagate, plan or partition";
      return signalPassFailure();
    }
    PhaseVerifier verifier(*known, phase);
    for (func::FuncOp func : getOperation().getOps<func::FuncOp>())
      if (failed(verifier.verify(func)))
        return signalPassFailure();
  }
};

} // namespace
