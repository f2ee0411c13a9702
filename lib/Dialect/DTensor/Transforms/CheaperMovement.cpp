//===- CheaperMovement.cpp - the same program moves less ------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CheaperMovement.h"

using namespace mlir;
using namespace dtensor;

//===----------------------------------------------------------------------===//
// The cheaper side
//===----------------------------------------------------------------------===//

namespace {
/// An op with one tensor in and one out.
struct OneToOne {
  ShardingRuleOpInterface op;
  OpOperand *operand;
  OpResult result;
};
} // namespace

static std::optional<OneToOne> asOneToOne(Operation *op) {
  auto ruled = dyn_cast_or_null<ShardingRuleOpInterface>(op);
  if (!ruled || op->getNumResults() != 1 || !getLayout(op->getResult(0)))
    return std::nullopt;
  OpOperand *only = nullptr;
  for (OpOperand &operand : op->getOpOperands()) {
    if (!getLayout(operand.get()))
      continue;
    if (only)
      return std::nullopt;
    only = &operand;
  }
  if (!only)
    return std::nullopt;
  return OneToOne{ruled, only, op->getResult(0)};
}

/// Does the op run with its tensors in these layouts?
static bool accepts(OneToOne node, LayoutAttr operand, LayoutAttr result,
                    const Facts &facts) {
  FailureOr<ShardingRule> rule = node.op.getShardingRule();
  if (failed(rule))
    return false;
  const Mesh &mesh = operand.getMesh().getMesh();
  Layout scalar;
  scalar.placements.assign(mesh.getNumAxes(), Placement::replicate());
  SmallVector<Layout> operands(node.op->getNumOperands(), scalar);
  operands[node.operand->getOperandNumber()] = operand.getLayout();
  return accepts(*rule, mesh, operands, {result.getLayout()}, nullptr, &facts);
}

static bool isPending(LayoutAttr layout) {
  return layout.getLayout().hasPartial();
}

/// One value in the placements of another.
static LayoutAttr placedLike(Value value, Value like) {
  LayoutAttr layout = getLayout(value), other = getLayout(like);
  if (layout.getExtents() == other.getExtents())
    return other;
  return {};
}

/// Is moving `value` from one layout to the other cheaper than `move` is?
static bool isCheaper(RedistributeOp move, Value value, LayoutAttr from,
                      LayoutAttr to, MovementPlans &plans) {
  const Plan *old =
      plans.find(getLayout(move.getInput()), getLayout(move.getResult()),
                 getElementTypeOrSelf(move.getType()));
  const Plan *other = plans.find(from, to, getElementTypeOrSelf(value));
  return old && other && old->collectives() > 0 && other->time < old->time;
}

/// op(move(x)) => move(op(x)).
static bool moveBehind(RedistributeOp move, MovementPlans &plans) {
  if (!move->hasOneUse())
    return false;
  std::optional<OneToOne> node = asOneToOne(*move->user_begin());
  if (!node || getLayout(node->result) != placedLike(node->result, move))
    return false;
  LayoutAttr from = placedLike(node->result, move.getInput());
  if (!from ||
      !isCheaper(move, node->result, from, getLayout(node->result), plans) ||
      !accepts(*node, getLayout(move.getInput()), from, plans.getFacts()))
    return false;
  Type type = node->result.getType();
  node->operand->set(move.getInput());
  node->result.setType(withLayout(cast<RankedTensorType>(type), from));
  OpBuilder builder(node->op->getContext());
  builder.setInsertionPointAfter(node->op);
  auto moved = RedistributeOp::create(builder, move.getLoc(), type,
                                      node->result, PlanAttr());
  node->result.replaceAllUsesExcept(moved, moved);
  move.erase();
  return true;
}

/// move(op(x)) => op(move(x)).
static bool moveBefore(RedistributeOp move, MovementPlans &plans) {
  std::optional<OneToOne> node = asOneToOne(move.getInput().getDefiningOp());
  if (!node || !node->result.hasOneUse() ||
      node->op->getBlock() != move->getBlock())
    return false;
  Value value = node->operand->get();
  LayoutAttr from = getLayout(value), to = placedLike(value, move);
  if (!to || getLayout(node->result) != placedLike(node->result, value) ||
      !isCheaper(move, value, from, to, plans) ||
      !accepts(*node, to, getLayout(move), plans.getFacts()))
    return false;
  OpBuilder builder(node->op);
  node->operand->set(RedistributeOp::create(
      builder, move.getLoc(),
      withLayout(cast<RankedTensorType>(value.getType()), to), value,
      PlanAttr()));
  node->result.setType(cast<RankedTensorType>(move.getType()));
  move.replaceAllUsesWith(node->result);
  move.erase();
  return true;
}

void dtensor::moveToCheaperSide(func::FuncOp func, MovementPlans &plans) {
  SmallVector<RedistributeOp> moves;
  func.walk([&](RedistributeOp move) { moves.push_back(move); });
  for (RedistributeOp move : moves) {
    if (isPending(getLayout(move.getInput())) || isPending(getLayout(move)))
      continue;
    if (!moveBehind(move, plans))
      moveBefore(move, plans);
  }
}

//===----------------------------------------------------------------------===//
// Sharing
//===----------------------------------------------------------------------===//

namespace {
/// The redistributions of one value in one block.
class Siblings {
public:
  Siblings(Value value, MovementPlans &plans) : value(value), plans(plans) {}

  void add(RedistributeOp move) { moves.push_back(move); }
  void share();

private:
  double time(LayoutAttr from, RedistributeOp move) {
    const Plan *plan =
        plans.find(from, getLayout(move), getElementTypeOrSelf(value));
    return plan ? plan->time : std::numeric_limits<double>::infinity();
  }
  /// Another one that `move` is cheapest made from; null for the value itself.
  RedistributeOp findSource(RedistributeOp move);

  Value value;
  MovementPlans &plans;
  SmallVector<RedistributeOp, 2> moves;
  llvm::SmallPtrSet<Operation *, 4> sources;
};
} // namespace

RedistributeOp Siblings::findSource(RedistributeOp move) {
  RedistributeOp best;
  double least = time(getLayout(value), move);
  for (RedistributeOp other : moves) {
    if (other == move || other.getInput() != value)
      continue;
    double cost = time(getLayout(other), move);
    if (cost >= least)
      continue;
    best = other;
    least = cost;
  }
  return best;
}

void Siblings::share() {
  for (RedistributeOp move : moves) {
    if (sources.contains(move))
      continue;
    RedistributeOp source = findSource(move);
    if (!source)
      continue;
    sources.insert(source);
    if (!source->isBeforeInBlock(move))
      source->moveBefore(move);
    move.getInputMutable().assign(source);
  }
}

void dtensor::shareMovement(func::FuncOp func, MovementPlans &plans) {
  llvm::MapVector<std::pair<Value, Block *>, Siblings> groups;
  func.walk([&](RedistributeOp move) {
    Value value = move.getInput();
    if (getLayout(value) && !value.hasOneUse())
      groups.try_emplace({value, move->getBlock()}, value, plans)
          .first->second.add(move);
  });
  for (auto &[key, siblings] : groups)
    siblings.share();
}
