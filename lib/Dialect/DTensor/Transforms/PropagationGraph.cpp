//===- PropagationGraph.cpp - a function as a placement problem -----------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PropagationGraph.h"
#include "dtensor/Dialect/DTensor/IR/Bytes.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace dtensor;

/// The layout that the program states for a value. A constraint has its
/// operand's type; what it asks for is its attribute.
static LayoutAttr writtenLayout(Value value) {
  LayoutAttr layout = dtensor::getLayout(value.getType());
  if (auto constraint = value.getDefiningOp<ConstraintOp>())
    return constraint.getLayout().withExtents(layout.getExtents());
  return layout;
}

static LayoutAttr openLayout(LayoutAttr layout) {
  return layout.withPlacements(
      SmallVector<Placement>(layout.getPlacements().size(), Placement::open()));
}

PropagationGraph::PropagationGraph(func::FuncOp func, MeshAttr mesh)
    : func(func), mesh(mesh) {
  problem.mesh = mesh.getMesh();
  problem.context = &getExprContext(func.getContext());
  problem.facts = getFacts(func);
}

LogicalResult
PropagationGraph::build(llvm::function_ref<FunctionType(CallOp)> signature) {
  this->signature = signature;
  for (Type type : func.getResultTypes()) {
    LayoutAttr layout = dtensor::getLayout(type);
    if (!layout) {
      functionResults.push_back(-1);
      continue;
    }
    unsigned id = problem.addValue(layout.getExtents(), getElementBytes(type));
    PropagationValue &value = problem.values[id];
    llvm::copy(layout.getPlacements(), value.fixed.begin());
    value.mayBePartial = layout.getLayout().hasPartial();
    orders.state(id, layout.getLayout());
    functionResults.push_back(id);
  }
  if (!func.getBody().hasOneBlock())
    return func.emitError("function '")
           << func.getName() << "' has " << func.getBody().getBlocks().size()
           << " blocks; control flow over layouts is structured (scf)";
  for (BlockArgument argument : func.getArguments())
    valueOf(argument);
  if (failed(addBlock(func.getBody().front())))
    return failure();
  std::reverse(problem.backward.begin(), problem.backward.end());
  return success();
}

void PropagationGraph::solve(const PropagationWeights &weights) {
  problem.weights = weights;
  solution = solvePropagation(problem);
  orders.decide(problem, solution);
}

int PropagationGraph::valueOf(Value value) {
  LayoutAttr layout = dtensor::getLayout(value.getType());
  if (!layout)
    return -1;
  auto [slot, isNew] = values.try_emplace(value, 0);
  if (!isNew)
    return slot->second;
  unsigned id =
      problem.addValue(layout.getExtents(), getElementBytes(value.getType()));
  llvm::copy(writtenLayout(value).getPlacements(),
             problem.values[id].fixed.begin());
  orders.state(id, writtenLayout(value).getLayout());
  slot->second = id;
  return id;
}

/// The backward order is the trail reversed.
unsigned PropagationGraph::addNode(PropagationNode node, bool onTrail) {
  unsigned id = problem.nodes.size();
  problem.nodes.push_back(std::move(node));
  problem.forward.push_back(id);
  if (onTrail)
    problem.backward.push_back(id);
  return id;
}

LogicalResult PropagationGraph::addBlock(Block &block) {
  for (Operation &op : block)
    if (failed(addOp(&op)))
      return failure();
  return success();
}

/// Normalization gives every tensor a layout; without it there is nothing to
/// decide, and reading one would crash.
static LogicalResult verifyNormalized(Operation *op) {
  for (Value value : llvm::concat<Value>(op->getOperands(), op->getResults()))
    if (isa<TensorType>(value.getType()) && !dtensor::getLayout(value))
      return op->emitOpError("has a tensor without a layout, ")
             << value.getType() << "; run dtensor-normalize first";
  return success();
}

LogicalResult PropagationGraph::addOp(Operation *op) {
  if (failed(verifyNormalized(op)))
    return failure();
  if (auto constraint = dyn_cast<ConstraintOp>(op))
    addPin(op->getOpOperand(0), valueOf(op->getResult(0)),
           writtenLayout(op->getResult(0)), constraint.getPriority());
  else if (isa<RedistributeOp>(op))
    addPin(op->getOpOperand(0), valueOf(op->getResult(0)),
           writtenLayout(op->getResult(0)));
  else if (auto agree = dyn_cast<AgreeOp>(op))
    addAgree(agree);
  else if (isa<RefineOp>(op) && dtensor::getLayout(op->getResult(0).getType()))
    addPin(op->getOpOperand(0), valueOf(op->getResult(0)),
           openLayout(dtensor::getLayout(op->getResult(0).getType())));
  else if (auto call = dyn_cast<CallOp>(op))
    return addCall(call);
  else if (auto ret = dyn_cast<func::ReturnOp>(op))
    addReturn(ret);
  else if (auto branch = dyn_cast<RegionBranchOpInterface>(op))
    return addRegionOp(branch);
  else if (!op->hasTrait<OpTrait::IsTerminator>())
    return addCompute(op);
  return success();
}

LogicalResult PropagationGraph::addCompute(Operation *op) {
  bool touchesLayouts =
      llvm::any_of(llvm::concat<Value>(op->getOperands(), op->getResults()),
                   [&](Value value) { return valueOf(value) >= 0; });
  if (!touchesLayouts)
    return success();
  auto ruled = dyn_cast<ShardingRuleOpInterface>(op);
  if (!ruled)
    return op->emitOpError("has no sharding rule");
  FailureOr<ShardingRule> rule = ruled.getShardingRule();
  if (failed(rule))
    return failure();
  PropagationNode node;
  node.rule = std::move(*rule);
  unsigned id = problem.nodes.size();
  for (OpOperand &operand : op->getOpOperands()) {
    uses[&operand] = {id, operand.getOperandNumber()};
    node.operands.push_back(valueOf(operand.get()));
  }
  for (OpResult result : op->getResults()) {
    producers[result] = {id, result.getResultNumber()};
    node.results.push_back(valueOf(result));
  }
  addNode(std::move(node));
  return success();
}

void PropagationGraph::addPin(OpOperand &operand, int result, LayoutAttr pinned,
                              unsigned priority) {
  PropagationNode node;
  node.kind = PropagationNode::Pin;
  node.priority = priority;
  node.operands.push_back(valueOf(operand.get()));
  if (result >= 0)
    node.results.push_back(result);
  llvm::append_range(node.pinned, pinned.getPlacements());
  uses[&operand] = {addNode(std::move(node)), 0};
}

void PropagationGraph::addReturn(func::ReturnOp op) {
  for (OpOperand &operand : op->getOpOperands()) {
    int result = functionResults[operand.getOperandNumber()];
    if (result >= 0)
      addPin(operand, result,
             dtensor::getLayout(
                 func.getResultTypes()[operand.getOperandNumber()]));
  }
}

/// A call takes and gives what its callee decided, in the caller's extents.
LogicalResult PropagationGraph::addCall(CallOp call) {
  FunctionType type = signature(call);
  if (!type)
    return failure();
  for (auto [operand, wanted] :
       llvm::zip_equal(call->getOpOperands(), type.getInputs()))
    if (LayoutAttr layout = dtensor::getLayout(wanted))
      addPin(operand, -1, layout);
  for (auto [result, given] :
       llvm::zip_equal(call.getResults(), type.getResults())) {
    int value = valueOf(result);
    if (value < 0)
      continue;
    llvm::copy(dtensor::getLayout(given).getPlacements(),
               problem.values[value].fixed.begin());
    orders.state(value, dtensor::getLayout(given).getLayout());
  }
  return success();
}

namespace {
/// Values that must share a placement, and the operands that feed them.
struct JoinClass {
  llvm::SmallSetVector<OpOperand *, 4> sources;
  llvm::SmallSetVector<Value, 4> targets;
  bool carried = false;
};

/// Collects which operands flow into which block arguments and results of a
/// structured op, and joins those with a common source.
class JoinClasses {
public:
  explicit JoinClasses(RegionBranchOpInterface op) {
    collect(op, RegionBranchPoint::parent());
    for (Region &region : op->getRegions())
      for (Block &block : region)
        if (auto terminator = dyn_cast<RegionBranchTerminatorOpInterface>(
                block.getTerminator()))
          collect(op, RegionBranchPoint(terminator));
  }

  SmallVector<JoinClass> take() {
    llvm::MapVector<void *, JoinClass> classes;
    for (auto [source, target] : edges) {
      JoinClass &join =
          classes[joined.getLeaderValue(target.getAsOpaquePointer())];
      join.sources.insert(source);
      join.targets.insert(target);
      join.carried |= isa<BlockArgument>(target);
    }
    SmallVector<JoinClass> list;
    for (auto &[leader, join] : classes)
      list.push_back(std::move(join));
    return list;
  }

private:
  void collect(RegionBranchOpInterface op, RegionBranchPoint point) {
    SmallVector<RegionSuccessor> successors;
    op.getSuccessorRegions(point, successors);
    for (RegionSuccessor successor : successors) {
      OperandRange operands = point.isParent()
                                  ? op.getEntrySuccessorOperands(successor)
                                  : cast<RegionBranchTerminatorOpInterface>(
                                        point.getTerminatorPredecessorOrNull())
                                        .getSuccessorOperands(successor);
      for (auto [i, target] : llvm::enumerate(successor.getSuccessorInputs()))
        add(operands.getBase()[i], target);
    }
  }

  void add(OpOperand &source, Value target) {
    if (!dtensor::getLayout(target.getType()))
      return;
    edges.push_back({&source, target});
    joined.insert(target.getAsOpaquePointer());
    auto [first, isNew] = firstTarget.try_emplace(&source, target);
    if (!isNew)
      joined.unionSets(first->second.getAsOpaquePointer(),
                       target.getAsOpaquePointer());
  }

  SmallVector<std::pair<OpOperand *, Value>> edges;
  llvm::EquivalenceClasses<void *> joined;
  DenseMap<OpOperand *, Value> firstTarget;
};
} // namespace

unsigned PropagationGraph::addJoin(ArrayRef<OpOperand *> sources,
                                   ArrayRef<Value> targets, bool onTrail) {
  PropagationNode node;
  node.kind = PropagationNode::Join;
  unsigned id = problem.nodes.size();
  for (auto [i, source] : llvm::enumerate(sources)) {
    node.operands.push_back(valueOf(source->get()));
    uses[source] = {id, i};
  }
  for (Value target : targets) {
    node.results.push_back(valueOf(target));
    problem.values[node.results.back()].mayBePartial = false;
  }
  return addNode(std::move(node), onTrail);
}

void PropagationGraph::addAgree(AgreeOp op) {
  SmallVector<OpOperand *> sources;
  for (OpOperand &operand : op->getOpOperands())
    sources.push_back(&operand);
  unsigned node = addJoin(sources, llvm::to_vector_of<Value>(op.getResults()),
                          /*onTrail=*/true);
  // A result that states where it is speaks for all.
  for (int result : problem.nodes[node].results)
    if (const auto &fixed = problem.values[result].fixed;
        llvm::none_of(fixed, [](const Placement &p) { return p.isOpen(); }))
      problem.nodes[node].pinned.assign(fixed.begin(), fixed.end());
}

/// A Join of what a loop carries is visited before the body on the way down
/// and, like every other, after the op's users on the way up.
LogicalResult PropagationGraph::addRegionOp(RegionBranchOpInterface op) {
  SmallVector<JoinClass> classes = JoinClasses(op).take();
  SmallVector<unsigned> carried;
  for (JoinClass &join : classes)
    if (join.carried)
      carried.push_back(addJoin(join.sources.getArrayRef(),
                                join.targets.getArrayRef(), false));
  for (Region &region : op->getRegions())
    for (Block &block : region)
      if (failed(addBlock(block)))
        return failure();
  for (JoinClass &join : classes)
    if (!join.carried)
      addJoin(join.sources.getArrayRef(), join.targets.getArrayRef(), true);
  llvm::append_range(problem.backward, carried);
  return success();
}

LayoutAttr
PropagationGraph::layoutOf(Type type,
                           const PropagationSolution::Placements &placements,
                           ArrayRef<unsigned> order) {
  LayoutAttr layout = dtensor::getLayout(type);
  return LayoutAttr::get(layout.getMesh(),
                         Layout(placements, layout.getExtents(), order));
}

LayoutAttr PropagationGraph::getLayout(Value value) const {
  auto known = values.find(value);
  if (known == values.end())
    return {};
  LayoutAttr written = writtenLayout(value);
  const auto &placements = solution.values[known->second];
  // What is written keeps its nesting order, too.
  if (written.getPlacements() == ArrayRef<Placement>(placements))
    return written;
  return layoutOf(value.getType(), placements, orders.ofValue(known->second));
}

LayoutAttr PropagationGraph::getWanted(OpOperand &operand) const {
  auto use = uses.find(&operand);
  if (use == uses.end() || !dtensor::getLayout(operand.get().getType()))
    return {};
  auto [node, index] = use->second;
  return layoutOf(operand.get().getType(), solution.operands[node][index],
                  orders.ofNode(node));
}

LayoutAttr PropagationGraph::getGiven(OpResult result) const {
  auto producer = producers.find(result);
  if (producer == producers.end() || !dtensor::getLayout(result.getType()))
    return getLayout(result);
  auto [node, index] = producer->second;
  return layoutOf(result.getType(), solution.results[node][index],
                  orders.ofNode(node));
}

LayoutAttr PropagationGraph::getFunctionResult(unsigned index) const {
  if (functionResults[index] < 0)
    return {};
  LayoutAttr written =
      dtensor::getLayout(func.getFunctionType().getResult(index));
  const auto &placements = solution.values[functionResults[index]];
  if (written.getPlacements() == ArrayRef<Placement>(placements))
    return written;
  return layoutOf(func.getFunctionType().getResult(index), placements,
                  orders.ofValue(functionResults[index]));
}
