//===- AxisSolver.cpp - placements on one mesh axis -----------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AxisSolver.h"
#include "dtensor/Sharding/OpTime.h"

#include "dtensor/Sharding/LocalShape.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include <algorithm>

using namespace dtensor;
using llvm::ArrayRef;
using llvm::SmallVector;

/// Stands for "impossible" and still adds up.
static constexpr double kForbidden = 1e18;
/// Units that a value may inherit from far users; more are not tried.
static constexpr unsigned kMaxUnits = 3;
/// Bytes that a rank holds of an argument, throughout, are worth a microsecond:
/// more than a gather takes for them, so that no argument is cut only to be
/// gathered, and little enough that cutting it is worth some movement.
static constexpr double kHeldBytes = 500e3;

AxisSolver::AxisSolver(const PropagationProblem &problem,
                       const CostModel &model, PropagationSolution &solution,
                       unsigned axis)
    : problem(problem), model(model), solution(solution), axis(axis),
      group(problem.mesh.hint(axis)),
      sizeExpr(problem.mesh.sizeExpr(*problem.context, axis)),
      bytes(problem.values.size()), unitHints(problem.values.size()),
      states(problem.values.size()), decided(problem.values.size()),
      users(problem.values.size()), produced(problem.values.size()),
      choices(problem.nodes.size()), chosen(problem.nodes.size(), -1),
      wishes(problem.values.size()) {}

void AxisSolver::prepare() {
  measureValues();
  collectUnits();
  for (unsigned node : problem.forward)
    enumerate(node);
}

void AxisSolver::run(Sharing sharing) {
  this->sharing = sharing;
  for (unsigned node : problem.forward)
    forwardNode(node);
  for (unsigned node : problem.backward)
    backwardNode(node);
  decideSources();
  improve();
}

/// Bytes of each value as the axes solved so far leave it, and its users.
void AxisSolver::measureValues() {
  for (auto [i, value] : llvm::enumerate(problem.values)) {
    double count = value.elementBytes;
    for (Expr extent : value.extents)
      count *= static_cast<double>(problem.facts.hint(extent));
    for (unsigned a = 0; a < axis; ++a)
      if (solution.values[i][a].isShard())
        count /= static_cast<double>(problem.mesh.hint(a));
    bytes[i] = count;
    if (!value.fixed[axis].isOpen())
      decided[i] = value.fixed[axis];
  }
  for (auto [n, node] : llvm::enumerate(problem.nodes)) {
    for (auto [o, value] : llvm::enumerate(node.operands))
      if (value >= 0)
        users[value].push_back({n, o});
    for (int value : node.results)
      if (value >= 0)
        produced[value] = true;
  }
}

void AxisSolver::addUnit(int value, const Placement &placement) {
  if (value < 0 || !placement.isShard() || !placement.unit)
    return;
  SmallVector<UnitHint, 2> &hints = unitHints[value];
  UnitHint hint{placement.dim, placement.unit};
  if (hints.size() < kMaxUnits && !llvm::is_contained(hints, hint))
    hints.push_back(hint);
}

/// Units travel with the flow, so that a stated one is kept, and against it,
/// from the node that needs one (a split of a dimension into heads) to whoever
/// makes the value.
void AxisSolver::collectUnits() {
  for (auto [i, value] : llvm::enumerate(problem.values))
    for (const Placement &placement : value.fixed)
      addUnit(i, placement);
  for (unsigned n : problem.forward)
    for (const Strategy &strategy : candidates(problem.nodes[n]))
      for (auto [value, placement] :
           llvm::zip_equal(problem.nodes[n].results, strategy.results))
        addUnit(value, placement);
  for (unsigned n : problem.backward)
    for (const Strategy &strategy : candidates(problem.nodes[n]))
      for (auto [value, placement] :
           llvm::zip_equal(problem.nodes[n].operands, strategy.operands))
        addUnit(value, placement);
}

/// Candidate units of each factor: those hinted at in a dimension that the
/// factor leads, divided by the factors to its right.
SmallVector<SmallVector<Expr>>
AxisSolver::factorUnits(const PropagationNode &node) {
  SmallVector<SmallVector<Expr>> units(node.rule.factors.size());
  auto visit = [&](int value, const TensorMap &map) {
    if (value < 0)
      return;
    for (auto [dim, unit] : unitHints[value]) {
      if (dim >= map.size() || map[dim].empty())
        continue;
      Expr minor = Expr::constant(*problem.context, 1);
      for (unsigned factor : llvm::drop_begin(map[dim]))
        minor = minor * node.rule.factors[factor].size;
      Expr own = floordiv(unit, minor);
      bool exact = !own.isConstant(1) && !own.isOverflow() &&
                   problem.facts.proveEqual(own * minor, unit);
      SmallVector<Expr> &list = units[map[dim].front()];
      if (exact && list.size() < kMaxUnits && !llvm::is_contained(list, own))
        list.push_back(own);
    }
  };
  for (auto [value, map] : llvm::zip_equal(node.operands, node.rule.operands))
    visit(value, map);
  for (auto [value, map] : llvm::zip_equal(node.results, node.rule.results))
    visit(value, map);
  return units;
}

SmallVector<Strategy> AxisSolver::pinCandidates(const PropagationNode &node) {
  Strategy strategy;
  strategy.operands.assign(node.operands.size(), node.pinned[axis]);
  strategy.results.assign(node.results.size(), node.pinned[axis]);
  return {strategy};
}

SmallVector<Strategy> AxisSolver::candidates(const PropagationNode &node) {
  if (!node.pinned.empty() && !node.pinned[axis].isOpen())
    return pinCandidates(node);
  return strategies(node.rule, factorUnits(node), &problem.facts);
}

/// Would `value` still have a valid layout with `placement` on this axis?
bool AxisSolver::fits(unsigned value, const Placement &placement,
                      const SmallVector<Placement, 2> &others) const {
  const PropagationValue &info = problem.values[value];
  // A fixed value is redistributed anyway.
  if (placement.isPartial() && !info.mayBePartial && info.fixed[axis].isOpen())
    return false;
  for (unsigned a = 0; a < axis; ++a) {
    const Placement &other = others[a];
    if (placement.isPartial() && other.isPartial() &&
        placement.reduce != other.reduce)
      return false;
    if (placement.isShard() && other.isShard(placement.dim) &&
        placement.unit != other.unit)
      return false;
  }
  return true;
}

/// Does a value that takes `placement` agree with what is stated of it on the
/// axes to come?
bool AxisSolver::fitsStated(unsigned value, const Placement &placement) const {
  const PropagationValue &info = problem.values[value];
  if (!info.fixed[axis].isOpen())
    return true;
  return llvm::none_of(
      llvm::drop_begin(info.fixed, axis + 1), [&](const Placement &other) {
        bool unitsDiffer = placement.isShard() &&
                           other.isShard(placement.dim) &&
                           other.unit != placement.unit;
        bool kindsDiffer = placement.isPartial() && other.isPartial() &&
                           other.reduce != placement.reduce;
        return unitsDiffer || kindsDiffer;
      });
}

bool AxisSolver::fits(unsigned n, const Strategy &strategy) const {
  const PropagationNode &node = problem.nodes[n];
  for (auto [i, value] : llvm::enumerate(node.operands))
    if (value >= 0 &&
        !fits(value, strategy.operands[i], solution.operands[n][i]))
      return false;
  for (auto [i, value] : llvm::enumerate(node.results))
    if (value >= 0 &&
        (!fits(value, strategy.results[i], solution.results[n][i]) ||
         !fitsStated(value, strategy.results[i])))
      return false;
  return true;
}

double AxisSolver::nodeTime(unsigned n, const Strategy &strategy) const {
  const PropagationNode &node = problem.nodes[n];
  if (node.kind != PropagationNode::Compute)
    return 0;
  OpWork work;
  auto bytesOf = [&](int value) {
    return value < 0 ? std::nullopt : std::optional<double>(bytes[value]);
  };
  for (int value : node.operands)
    work.operands.push_back(bytesOf(value));
  for (int value : node.results)
    work.results.push_back(bytesOf(value));
  for (unsigned a = 0; a < axis; ++a)
    if (llvm::any_of(solution.operands[n], [&](const auto &placements) {
          return placements[a].isShard();
        }))
      work.sharers *= static_cast<double>(problem.mesh.hint(a));
  return problem.weights.compute *
         opTime(node.rule, strategy, work, group, problem.facts, model);
}

/// The time of one edge. Regrouping between units is free where the pieces are
/// equal at the hints: the same program skips it at launch.
double AxisSolver::move(unsigned value, const Placement &from,
                        const Placement &to) {
  // Whoever reads a whole value as a pending one takes it in on one rank: an
  // addend of a product, a choice inside a kernel.
  if (from == to || (from.isReplicate() && to.isPartial()))
    return 0;
  bool agree = false;
  if (from.isShard() && to.isShard(from.dim)) {
    Expr extent = problem.values[value].extents[from.dim];
    auto [slot, isNew] =
        agreements.try_emplace({extent, {from.unit, to.unit}}, false);
    if (isNew) {
      auto chunk = [&](Expr unit) {
        return problem.facts.hint(chunkSize(extent, unit, sizeExpr));
      };
      slot->second = chunk(from.unit) == chunk(to.unit);
    }
    agree = slot->second;
  }
  double time = redistributionTime(from, to, bytes[value], group, model, agree);
  if (time >= kForbidden)
    return kForbidden;
  // A name change is not quite free, so that it never wins a tie.
  return problem.weights.communication * (agree ? time + 0.01 : time);
}

/// Does nobody but the program's user decide where `value` is?
bool AxisSolver::isSource(unsigned value) const {
  return !produced[value] && problem.values[value].fixed[axis].isOpen();
}

double AxisSolver::holdingTime(unsigned value,
                               const Placement &placement) const {
  if (!isSource(value))
    return 0;
  double ranks = placement.isShard() ? static_cast<double>(group) : 1;
  return problem.weights.memory * (bytes[value] / ranks / kHeldBytes);
}

/// The least cost of having `value` in placement `wanted`.
double AxisSolver::costOf(int value, const Placement &wanted) {
  if (value < 0 || isWanted(value, wanted))
    return 0;
  if (decided[value])
    return move(value, *decided[value], wanted);
  if (states[value].empty()) // An argument that takes whatever is wanted.
    return (wanted.isPartial() ? move(value, Placement::replicate(), wanted)
                               : 0) +
           holdingTime(value, wanted);
  double best = kForbidden;
  double share =
      sharing == Divided ? 1.0 / std::max<size_t>(users[value].size(), 1) : 1.0;
  for (const State &state : states[value])
    best = std::min(best,
                    state.cost * share + move(value, state.placement, wanted));
  return best;
}

/// Has a user that has chosen paid for `value` in this placement already? One
/// redistribution serves all who want the same.
bool AxisSolver::isWanted(unsigned value, const Placement &wanted) const {
  return llvm::any_of(wishes[value], [&](const auto &wish) {
    return wish.second > 0 && wish.first == wanted;
  });
}

/// -1: nothing yet.
void AxisSolver::setChosen(unsigned n, int choice) {
  auto count = [&](int choice, int step) {
    if (choice < 0)
      return;
    for (auto [value, wanted] : llvm::zip_equal(
             problem.nodes[n].operands, choices[n][choice].strategy.operands)) {
      if (value < 0)
        continue;
      auto *known =
          llvm::find_if(wishes[value], [&placement = wanted](const auto &wish) {
            return wish.first == placement;
          });
      if (known == wishes[value].end())
        known = &wishes[value].emplace_back(wanted, 0);
      known->second += step;
    }
  };
  count(chosen[n], -1);
  chosen[n] = choice;
  count(choice, 1);
}

void AxisSolver::enumerate(unsigned n) {
  const auto &settled = problem.nodes[n].settled;
  if (!settled.empty() && settled[axis] && fits(n, *settled[axis])) {
    // The only choice: what it takes is no reason for anything.
    choices[n].push_back({*settled[axis], /*time=*/0});
    return;
  }
  for (Strategy &strategy : candidates(problem.nodes[n])) {
    if (!fits(n, strategy) && !choices[n].empty())
      continue;
    double time = nodeTime(n, strategy);
    choices[n].push_back({std::move(strategy), time});
  }
}

void AxisSolver::forwardNode(unsigned n) {
  const PropagationNode &node = problem.nodes[n];
  // What it chose in an earlier sweep is no reason to choose it again.
  int old = chosen[n];
  setChosen(n, -1);
  for (const NodeChoice &choice : choices[n]) {
    if (!isAllowed(n, choice))
      continue;
    double cost = choice.time;
    for (auto [value, wanted] :
         llvm::zip_equal(node.operands, choice.strategy.operands))
      cost += costOf(value, wanted);
    for (auto [value, given] :
         llvm::zip_equal(node.results, choice.strategy.results)) {
      if (value < 0 || decided[value])
        continue;
      auto *known = llvm::find_if(states[value],
                                  [&placement = given](const State &state) {
                                    return state.placement == placement;
                                  });
      if (known == states[value].end())
        states[value].push_back({given, cost});
      else
        known->cost = std::min(known->cost, cost);
    }
  }
  for (int value : node.results)
    if (value >= 0)
      normalize(states[value]);
  setChosen(n, old);
}

/// What every way of having a value costs is no reason to choose one: only the
/// extra over the cheapest counts, in full for every user.
void AxisSolver::normalize(SmallVector<State, 4> &list) {
  double least = kForbidden;
  for (const State &state : list)
    least = std::min(least, state.cost);
  for (State &state : list)
    state.cost -= least;
}

/// What the users that have chosen pay if `value` is `given`.
double AxisSolver::costToUsers(int value, const Placement &given) {
  if (value < 0)
    return 0;
  if (!problem.values[value].fixed[axis].isOpen())
    return move(value, given, problem.values[value].fixed[axis]);
  return costOfWishes(value, given);
}

double AxisSolver::costOfWishes(unsigned value, const Placement &given) {
  double cost = 0; // One redistribution serves equal wishes.
  for (const auto &[wanted, count] : wishes[value])
    if (count > 0)
      cost += move(value, given, wanted);
  return cost;
}

/// What node `n` pays with this choice, all others being as they are. Operands
/// that want the same of one value share one redistribution.
double AxisSolver::costOfChoice(unsigned n, const NodeChoice &choice) {
  const PropagationNode &node = problem.nodes[n];
  ArrayRef<Placement> wanted = choice.strategy.operands;
  double cost = choice.time;
  for (unsigned i = 0, e = wanted.size(); i != e; ++i) {
    bool isPaid = llvm::any_of(llvm::seq(i), [&](unsigned j) {
      return node.operands[j] == node.operands[i] && wanted[j] == wanted[i];
    });
    if (!isPaid)
      cost += costOf(node.operands[i], wanted[i]);
  }
  for (auto [value, given] :
       llvm::zip_equal(node.results, choice.strategy.results))
    cost += costToUsers(value, given);
  return cost;
}

void AxisSolver::choose(unsigned n, unsigned choice) {
  setChosen(n, choice);
  for (auto [value, given] : llvm::zip_equal(
           problem.nodes[n].results, choices[n][choice].strategy.results))
    if (value >= 0 && problem.values[value].fixed[axis].isOpen())
      decided[value] = given;
}

void AxisSolver::backwardNode(unsigned n) {
  // Not chosen before all have been compared: `chosen` says who has paid.
  setChosen(n, -1);
  unsigned best = 0;
  double least = 0;
  for (auto [i, choice] : llvm::enumerate(choices[n])) {
    double cost = isAllowed(n, choice) ? costOfChoice(n, choice) : kForbidden;
    if (i && cost >= least)
      continue;
    best = i;
    least = cost;
  }
  choose(n, best);
}

/// Arguments without a placement take the one that costs their users least;
/// replicate on a tie.
void AxisSolver::decideSources() {
  for (unsigned v = 0, e = problem.values.size(); v != e; ++v) {
    if (decided[v])
      continue;
    Placement best = Placement::replicate();
    double bestCost = costToUsers(v, best) + holdingTime(v, best);
    for (auto [n, operand] : users[v]) {
      const Placement &wanted =
          choices[n][chosen[n]].strategy.operands[operand];
      double cost = costToUsers(v, wanted) + holdingTime(v, wanted);
      if (!wanted.isShard() || cost >= bestCost || !fitsStated(v, wanted))
        continue;
      best = wanted;
      bestCost = cost;
    }
    decided[v] = best;
  }
}

double AxisSolver::total() {
  double sum = 0;
  for (unsigned n = 0, e = problem.nodes.size(); n != e; ++n) {
    const NodeChoice &choice = choices[n][chosen[n]];
    sum += choice.time;
    for (auto [value, given] :
         llvm::zip_equal(problem.nodes[n].results, choice.strategy.results))
      if (value >= 0)
        sum += move(value, given, *decided[value]);
  }
  for (unsigned v = 0, e = problem.values.size(); v != e; ++v)
    sum += costOfWishes(v, *decided[v]) + holdingTime(v, *decided[v]);
  return sum;
}

void AxisSolver::store() {
  for (unsigned v = 0, e = problem.values.size(); v != e; ++v)
    solution.values[v][axis] = *decided[v];
  for (unsigned n = 0, e = problem.nodes.size(); n != e; ++n) {
    const Strategy &strategy = choices[n][chosen[n]].strategy;
    for (auto [i, placement] : llvm::enumerate(strategy.operands))
      solution.operands[n][i][axis] = placement;
    for (auto [i, placement] : llvm::enumerate(strategy.results))
      solution.results[n][i][axis] = placement;
  }
}
