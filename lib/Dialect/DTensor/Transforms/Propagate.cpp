//===- Propagate.cpp - decide placements, make movement visible -----------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The decision is mathematics (Sharding/Propagation.h); this pass asks and
// writes down. Functions are visited callees first, so that a call sees what
// its callee decided.
//
//===----------------------------------------------------------------------===//

#include "CalleesFirst.h"
#include "PropagationGraph.h"
#include "dtensor/Dialect/DTensor/Transforms/Passes.h"

#define DEBUG_TYPE "dtensor-propagate"

namespace dtensor {
#define GEN_PASS_DEF_PROPAGATE
#include "dtensor/Dialect/DTensor/Transforms/Passes.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;

namespace {

/// Writes the decisions of one function into its types. All questions are asked
/// before the first type changes.
class Materializer {
public:
  Materializer(func::FuncOp func, const PropagationGraph &graph)
      : func(func), graph(graph) {}
  void run(llvm::function_ref<FunctionType(CallOp)> signature);

private:
  void ask(llvm::function_ref<FunctionType(CallOp)> signature);
  void askCall(CallOp call, FunctionType type);
  void writeTypes();
  void moveResults();
  void moveOperands();
  void dropStatements();
  Value redistribute(OpBuilder &builder, Location loc, Value value,
                     LayoutAttr layout);

  func::FuncOp func;
  const PropagationGraph &graph;
  SmallVector<std::pair<Value, LayoutAttr>> finals;
  SmallVector<std::pair<OpResult, LayoutAttr>> moved;
  SmallVector<std::pair<OpOperand *, LayoutAttr>> wants;
  /// Ops that only say where values are: constraint, agree.
  SmallVector<Operation *> statements;
  SmallVector<Type> resultTypes;
  /// One redistribution serves all users in a block.
  DenseMap<std::pair<Value, std::pair<LayoutAttr, Block *>>, Value> shared;
};

void Materializer::run(llvm::function_ref<FunctionType(CallOp)> signature) {
  ask(signature);
  writeTypes();
  moveResults();
  moveOperands();
  dropStatements();
}

void Materializer::askCall(CallOp call, FunctionType type) {
  for (auto [operand, wanted] :
       llvm::zip_equal(call->getOpOperands(), type.getInputs()))
    if (LayoutAttr layout = getLayout(wanted))
      wants.push_back(
          {&operand, layout.withExtents(
                         getLayout(operand.get().getType()).getExtents())});
  for (auto [result, given] :
       llvm::zip_equal(call->getResults(), type.getResults()))
    if (LayoutAttr layout = getLayout(given))
      finals.push_back({result, layout.withExtents(
                                    getLayout(result.getType()).getExtents())});
}

void Materializer::ask(llvm::function_ref<FunctionType(CallOp)> signature) {
  for (auto [i, type] : llvm::enumerate(func.getResultTypes())) {
    LayoutAttr layout = graph.getFunctionResult(i);
    resultTypes.push_back(
        layout ? withLayout(cast<RankedTensorType>(type), layout) : type);
  }
  auto askArguments = [&](Block *block) {
    for (BlockArgument argument : block->getArguments())
      if (LayoutAttr layout = graph.getLayout(argument))
        finals.push_back({argument, layout});
  };
  askArguments(&func.getBody().front());
  func.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (op == func)
      return;
    for (Region &region : op->getRegions())
      for (Block &block : region)
        askArguments(&block);
    if (auto call = dyn_cast<CallOp>(op))
      return askCall(call, signature(call));
    for (OpResult result : op->getResults())
      if (LayoutAttr layout = graph.getLayout(result)) {
        finals.push_back({result, layout});
        LayoutAttr given = graph.getGiven(result);
        if (given != layout && !isa<ConstraintOp, RedistributeOp>(op))
          moved.push_back({result, given});
      }
    if (isa<RedistributeOp>(op))
      return;
    if (auto constraint = dyn_cast<ConstraintOp>(op)) {
      statements.push_back(op);
      wants.push_back({&constraint.getInputMutable(),
                       graph.getLayout(constraint.getResult())});
      return;
    }
    if (isa<AgreeOp>(op))
      statements.push_back(op);
    for (OpOperand &operand : op->getOpOperands()) {
      bool returned = isa<func::ReturnOp>(op);
      LayoutAttr wanted =
          returned ? graph.getFunctionResult(operand.getOperandNumber())
                   : graph.getWanted(operand);
      if (wanted)
        wants.push_back({&operand, wanted});
    }
  });
}

void Materializer::writeTypes() {
  for (auto [value, layout] : finals)
    value.setType(withLayout(cast<RankedTensorType>(value.getType()), layout));
  func.setFunctionType(FunctionType::get(
      func.getContext(), func.getBody().front().getArgumentTypes(),
      resultTypes));
}

/// %r : given   =>   %g : given; %r = redistribute %g
void Materializer::moveResults() {
  for (auto [result, given] : moved) {
    Operation *op = result.getOwner();
    OpBuilder builder(op->getContext());
    builder.setInsertionPointAfter(op);
    Type finalType = result.getType();
    result.setType(withLayout(cast<RankedTensorType>(finalType), given));
    auto move = RedistributeOp::create(builder, op->getLoc(), finalType, result,
                                       PlanAttr());
    result.replaceAllUsesExcept(move.getResult(), move);
  }
}

Value Materializer::redistribute(OpBuilder &builder, Location loc, Value value,
                                 LayoutAttr layout) {
  if (getLayout(value.getType()) == layout)
    return value;
  Value &known = shared[{value, {layout, builder.getInsertionBlock()}}];
  if (!known)
    known = RedistributeOp::create(
        builder, loc,
        withLayout(cast<RankedTensorType>(value.getType()), layout), value,
        PlanAttr());
  return known;
}

void Materializer::moveOperands() {
  for (auto [operand, wanted] : wants) {
    OpBuilder builder(operand->getOwner());
    operand->set(redistribute(builder, operand->getOwner()->getLoc(),
                              operand->get(), wanted));
  }
}

/// Their operands have been moved to where they want them.
void Materializer::dropStatements() {
  for (Operation *op : statements) {
    op->replaceAllUsesWith(op->getOperands());
    op->erase();
  }
}

struct PropagatePass : public dtensor::impl::PropagateBase<PropagatePass> {
  using PropagateBase::PropagateBase;

  void runOnOperation() override {
    weights = {communication, compute, memory};
    if (!weights.verify([&](const Twine &message) {
          getOperation().emitError("propagate: ") << message;
        }))
      return signalPassFailure();
    SmallVector<func::FuncOp> order;
    if (failed(calleesFirst(getOperation(), order)))
      return signalPassFailure();
    for (func::FuncOp func : order)
      if (MeshAttr mesh = getMesh(func))
        if (!func.isExternal() && failed(propagate(func, mesh)))
          return signalPassFailure();
  }

  LogicalResult propagate(func::FuncOp func, MeshAttr mesh) {
    SymbolTableCollection tables;
    auto signature = [&](CallOp call) -> FunctionType {
      auto callee = tables.lookupNearestSymbolFrom<func::FuncOp>(
          call, call.getCalleeAttr());
      return callee.getFunctionType();
    };
    PropagationGraph graph(func, mesh);
    if (failed(graph.build(signature)))
      return failure();
    graph.solve(weights);
    Materializer(func, graph).run(signature);
    return success();
  }

  PropagationWeights weights;
};

} // namespace
