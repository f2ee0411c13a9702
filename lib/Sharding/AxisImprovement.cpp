//===- AxisImprovement.cpp - better choices on one mesh axis --------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AxisSolver.h"

#include "llvm/ADT/STLExtras.h"

using namespace dtensor;

/// Sweeps that look for a better choice of one node; most find none at once.
static constexpr unsigned kMaxImprovements = 8;

/// Takes the cheapest choice of node `n` now that its neighbours are known;
/// the old one on a tie.
bool AxisSolver::improveNode(unsigned n) {
  if (choices[n].size() < 2)
    return false;
  unsigned old = chosen[n], best = old;
  setChosen(n, -1);
  double least = costOfChoice(n, choices[n][old]);
  for (auto [i, choice] : llvm::enumerate(choices[n])) {
    double cost = costOfChoice(n, choice);
    if (cost >= least)
      continue;
    best = i;
    least = cost;
  }
  choose(n, best);
  return best != old;
}

/// The sweeps estimate what shared values cost; where an estimate was wrong, a
/// node may have a better choice. No step makes total() greater.
void AxisSolver::improve() {
  for (unsigned sweep = 0; sweep < kMaxImprovements; ++sweep) {
    bool changed = false;
    for (unsigned n : problem.backward)
      changed |= improveNode(n);
    if (!changed)
      return;
  }
}

/// Is `value` a matter between its producer and its one user?
bool AxisSolver::hasOneUser(unsigned value) const {
  return users[value].size() == 1 && problem.values[value].fixed[axis].isOpen();
}

bool AxisSolver::isAllowed(unsigned n, const NodeChoice &choice) const {
  if (!early)
    return true;
  return llvm::none_of(
      llvm::zip_equal(problem.nodes[n].operands, choice.strategy.operands),
      [&](auto operand) {
        auto [value, wanted] = operand;
        return value >= 0 && wanted.isPartial() && users[value].size() > 1;
      });
}

/// A better choice of two neighbours, neither of which gains alone, is not
/// found node by node: a product that becomes a pending sum only pays if the
/// cast behind it passes that on.
void AxisSolver::resweep(bool early) {
  this->early = early;
  double before = total();
  std::vector<std::optional<Placement>> oldDecided = decided;
  std::vector<int> oldChosen = chosen;
  auto oldWishes = wishes;
  for (unsigned v = 0, e = problem.values.size(); v != e; ++v) {
    if (!hasOneUser(v))
      continue;
    states[v].clear();
    decided[v].reset();
  }
  for (unsigned node : problem.forward)
    forwardNode(node);
  for (unsigned node : problem.backward)
    backwardNode(node);
  decideSources();
  this->early = false;
  improve();
  if (total() < before)
    return;
  decided = std::move(oldDecided);
  chosen = std::move(oldChosen);
  wishes = std::move(oldWishes);
}
