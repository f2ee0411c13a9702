//===- NestingOrders.cpp - in which order axes cut a dimension ------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NestingOrders.h"

#include "llvm/ADT/STLExtras.h"

using namespace dtensor;
using llvm::ArrayRef;

/// How many axes cut `dim`?
static size_t countCuts(ArrayRef<Placement> placements, unsigned dim) {
  return static_cast<size_t>(llvm::count_if(
      placements, [&](const Placement &other) { return other.isShard(dim); }));
}

static bool hasNest(ArrayRef<Placement> placements) {
  return llvm::any_of(placements, [&](const Placement &placement) {
    return placement.isShard() && countCuts(placements, placement.dim) > 1;
  });
}

/// Are the axes of a dimension in `placed` those of the dimension in `value`,
/// wherever they are several? What is moved anyway has no order to keep.
static bool keepsNests(ArrayRef<Placement> placed, ArrayRef<Placement> value) {
  if (!hasNest(placed))
    return false;
  for (auto [before, after] : llvm::zip_equal(value, placed))
    if (after.isShard() && countCuts(placed, after.dim) > 1 &&
        (!before.isShard(after.dim) ||
         countCuts(value, after.dim) != countCuts(placed, after.dim)))
      return false;
  return true;
}

void NestingOrders::state(unsigned value, const Layout &layout) {
  if (layout.hasOpen() || !hasNest(layout.placements))
    return;
  if (values.size() <= value)
    values.resize(value + 1);
  values[value].isStated = true;
  if (layout.hasDefaultOrder())
    return;
  values[value].order = layout.order;
  isNeeded = true;
}

ArrayRef<unsigned> NestingOrders::ofValue(unsigned value) const {
  return value < values.size() ? ArrayRef<unsigned>(values[value].order)
                               : ArrayRef<unsigned>();
}

/// The order that most of the tensors of a node have, the first of equally
/// many.
static NestingOrders::Order mostVotes(ArrayRef<NestingOrders::Order> votes) {
  size_t best = 0, most = 0;
  for (auto [index, vote] : llvm::enumerate(votes))
    if (size_t count = static_cast<size_t>(llvm::count(votes, vote));
        count > most) {
      most = count;
      best = index;
    }
  return votes.empty() ? NestingOrders::Order() : votes[best];
}

/// Takes the order of the tensors of `node` that have one, and hands it on to
/// its results (`down`) or its operands that have none.
void NestingOrders::visit(unsigned node, const PropagationProblem &problem,
                          const PropagationSolution &solution, bool down) {
  const PropagationNode &op = problem.nodes[node];
  llvm::SmallVector<Order> votes;
  auto forEach = [&](bool operands, auto use) {
    const auto &list = operands ? op.operands : op.results;
    const auto &placed =
        operands ? solution.operands[node] : solution.results[node];
    for (auto [index, value] : llvm::enumerate(list))
      if (value >= 0 && index < placed.size() &&
          keepsNests(placed[index], solution.values[value]))
        use(values[value]);
  };
  auto vote = [&](Value &value) {
    if (value.isStated || !value.order.empty())
      votes.push_back(value.order);
  };
  forEach(true, vote);
  forEach(false, vote);
  nodes[node] = mostVotes(votes);
  forEach(!down, [&](Value &value) {
    if (!value.isStated && value.order.empty())
      value.order = nodes[node];
  });
}

void NestingOrders::decide(const PropagationProblem &problem,
                           const PropagationSolution &solution) {
  nodes.assign(problem.nodes.size(), {});
  values.resize(problem.values.size());
  if (!isNeeded)
    return;
  for (unsigned round = 0; round < 2; ++round) {
    for (unsigned node : problem.forward)
      visit(node, problem, solution, /*down=*/true);
    for (unsigned node : problem.backward)
      visit(node, problem, solution, /*down=*/false);
  }
  // The values of a join, and the sides of a refinement, have one layout.
  for (auto [node, op] : llvm::enumerate(problem.nodes)) {
    if (op.kind == PropagationNode::Compute)
      continue;
    for (int result : op.results)
      if (result >= 0 && values[result].isStated)
        nodes[node] = values[result].order;
    for (int result : op.results)
      if (result >= 0)
        values[result].order = nodes[node];
  }
}
