//===- PriorityLevels.cpp - pins that decide before others ----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PriorityLevels.h"

#include "llvm/ADT/STLExtras.h"

using namespace dtensor;
using llvm::SmallVector;

static bool isStated(const PropagationNode &node) {
  return node.kind == PropagationNode::Pin &&
         llvm::any_of(node.pinned,
                      [](const Placement &p) { return !p.isOpen(); });
}

SmallVector<unsigned>
dtensor::priorityLevels(const PropagationProblem &problem) {
  // What types state comes first.
  SmallVector<unsigned> levels = {0};
  for (const PropagationNode &node : problem.nodes)
    if (isStated(node))
      levels.push_back(node.priority);
  llvm::sort(levels);
  levels.erase(llvm::unique(levels), levels.end());
  return levels;
}

PropagationProblem dtensor::upToLevel(const PropagationProblem &problem,
                                      unsigned level) {
  PropagationProblem relaxed = problem;
  for (PropagationNode &node : relaxed.nodes) {
    if (!isStated(node) || node.priority <= level)
      continue;
    llvm::fill(node.pinned, Placement::open());
    for (int value : node.results)
      llvm::fill(relaxed.values[value].fixed, Placement::open());
  }
  return relaxed;
}

namespace {
/// Follows cut values on one axis.
class Reach {
public:
  Reach(PropagationProblem &problem, const PropagationSolution &solution,
        unsigned axis)
      : problem(problem), solution(solution), axis(axis),
        nodesOf(problem.values.size()), isReached(problem.values.size()),
        waits(problem.values.size()), isVisited(problem.nodes.size()) {
    for (auto [n, node] : llvm::enumerate(problem.nodes))
      for (int value : llvm::concat<const int>(node.operands, node.results))
        if (value >= 0)
          nodesOf[value].push_back(n);
  }

  void run(unsigned level);

private:
  void visit(unsigned n);
  /// Calls `use` for each tensor of the node that is cut and does not move.
  void forEachCut(unsigned n, llvm::function_ref<void(unsigned)> use) const;
  Strategy strategyOf(unsigned n) const;
  void reach(unsigned value);

  PropagationProblem &problem;
  const PropagationSolution &solution;
  const unsigned axis;
  std::vector<SmallVector<unsigned, 2>> nodesOf;
  std::vector<bool> isReached, waits, isVisited;
  SmallVector<unsigned> worklist;
};
} // namespace

void Reach::forEachCut(unsigned n,
                       llvm::function_ref<void(unsigned)> use) const {
  auto visit = [&](llvm::ArrayRef<int> values, const auto &placements) {
    for (auto [value, placement] : llvm::zip_equal(values, placements))
      if (value >= 0 && placement[axis].isShard() &&
          placement[axis] == solution.values[value][axis])
        use(value);
  };
  visit(problem.nodes[n].operands, solution.operands[n]);
  visit(problem.nodes[n].results, solution.results[n]);
}

/// What the node does in the solution.
Strategy Reach::strategyOf(unsigned n) const {
  Strategy strategy;
  for (const auto &placements : solution.operands[n])
    strategy.operands.push_back(placements[axis]);
  for (const auto &placements : solution.results[n])
    strategy.results.push_back(placements[axis]);
  return strategy;
}

void Reach::reach(unsigned value) {
  if (isReached[value] || waits[value])
    return;
  isReached[value] = true;
  Placement &fixed = problem.values[value].fixed[axis];
  if (fixed.isOpen())
    fixed = solution.values[value][axis];
  worklist.push_back(value);
}

/// Through a node, if one of its tensors that are reached does not move there.
/// What a pin states is not for others to settle.
void Reach::visit(unsigned n) {
  PropagationNode &node = problem.nodes[n];
  bool passes = false;
  forEachCut(n, [&](unsigned value) { passes |= isReached[value]; });
  if (!passes || isVisited[n])
    return;
  isVisited[n] = true;
  bool isPinned = !node.pinned.empty() && !node.pinned[axis].isOpen();
  if (isPinned)
    return;
  node.settled.resize(problem.mesh.getNumAxes());
  node.settled[axis] = strategyOf(n);
  forEachCut(n, [&](unsigned value) { reach(value); });
}

/// From the pins of a level, and from what types state; a pin with a higher
/// number has still to come.
void Reach::run(unsigned level) {
  for (auto [n, node] : llvm::enumerate(problem.nodes))
    if (isStated(node) && node.priority > level)
      for (int value : node.results)
        waits[value] = true;
  for (auto [n, node] : llvm::enumerate(problem.nodes))
    if (isStated(node) && node.priority == level)
      forEachCut(n, [&](unsigned value) { reach(value); });
  for (auto [v, value] : llvm::enumerate(problem.values))
    if (!level && value.fixed[axis].isShard())
      reach(v);
  while (!worklist.empty())
    for (unsigned n : nodesOf[worklist.pop_back_val()])
      visit(n);
}

void dtensor::settleLevel(PropagationProblem &problem, unsigned level,
                          const PropagationSolution &solution) {
  for (unsigned axis = 0, e = problem.mesh.getNumAxes(); axis != e; ++axis)
    Reach(problem, solution, axis).run(level);
}
