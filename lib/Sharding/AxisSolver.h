//===- AxisSolver.h - placements on one mesh axis ---------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_SHARDING_AXISSOLVER_H
#define DTENSOR_LIB_SHARDING_AXISSOLVER_H

#include "dtensor/Sharding/Propagation.h"

namespace dtensor {

/// A dimension and a unit that some node would like it to be sharded in.
using UnitHint = std::pair<unsigned, Expr>;

struct State {
  Placement placement;
  double cost;
};

struct NodeChoice {
  Strategy strategy;
  double time = 0;
};

/// Solves one axis, given the axes solved before it.
class AxisSolver {
public:
  /// What a value with several users costs each of them while nothing is
  /// chosen yet. An equal share is too little where one user alone wants an
  /// expensive placement, the full extra is too much where all do: neither is
  /// best on every graph, so callers try both and keep the cheaper.
  enum Sharing { Divided, Full };

  AxisSolver(const PropagationProblem &problem, const CostModel &model,
             PropagationSolution &solution, unsigned axis);
  /// Lists what each node may do; the rest goes on from there.
  void prepare();
  void run(Sharing sharing);
  /// Solves the stretches between values of several users again, exactly, with
  /// those values as they are; keeps the better result. If `early`, nobody
  /// takes such a value pending: it is reduced once, where it is made.
  void resweep(bool early);
  /// The time of the choices made: all nodes, and one redistribution for each
  /// placement that a value is wanted in.
  double total();
  void store();

private:
  void measureValues();
  void collectUnits();
  void enumerate(unsigned node);
  void forwardNode(unsigned node);
  bool hasOneUser(unsigned value) const;
  bool isSource(unsigned value) const;
  double holdingTime(unsigned value, const Placement &placement) const;
  bool isAllowed(unsigned node, const NodeChoice &choice) const;
  void backwardNode(unsigned node);
  void decideSources();
  void improve();
  bool improveNode(unsigned node);
  double costOfChoice(unsigned node, const NodeChoice &choice);
  void choose(unsigned node, unsigned choice);
  void setChosen(unsigned node, int choice);

  llvm::SmallVector<Strategy> candidates(const PropagationNode &node);
  llvm::SmallVector<Strategy> pinCandidates(const PropagationNode &node);
  llvm::SmallVector<llvm::SmallVector<Expr>>
  factorUnits(const PropagationNode &node);
  bool fits(unsigned value, const Placement &placement,
            const llvm::SmallVector<Placement, 2> &others) const;
  bool fitsStated(unsigned value, const Placement &placement) const;
  bool fits(unsigned node, const Strategy &strategy) const;
  double nodeTime(unsigned node, const Strategy &strategy) const;
  double move(unsigned value, const Placement &from, const Placement &to);
  double costOf(int value, const Placement &wanted);
  bool isWanted(unsigned value, const Placement &wanted) const;
  static void normalize(llvm::SmallVector<State, 4> &list);
  double costToUsers(int value, const Placement &given);
  double costOfWishes(unsigned value, const Placement &given);
  void addUnit(int value, const Placement &placement);

  const PropagationProblem &problem;
  const CostModel &model;
  PropagationSolution &solution;
  const unsigned axis;
  Sharing sharing = Divided;
  const int64_t group;
  const Expr sizeExpr;

  std::vector<double> bytes;
  std::vector<llvm::SmallVector<UnitHint, 2>> unitHints;
  std::vector<llvm::SmallVector<State, 4>> states;
  std::vector<std::optional<Placement>> decided;
  /// Users as (node, operand), and whether a node has produced the value.
  std::vector<llvm::SmallVector<std::pair<unsigned, unsigned>, 2>> users;
  std::vector<bool> produced;
  std::vector<llvm::SmallVector<NodeChoice, 4>> choices;
  std::vector<int> chosen;
  /// Per value: the placements that users have chosen, and how many each.
  std::vector<llvm::SmallVector<std::pair<Placement, unsigned>, 2>> wishes;
  bool early = false;
  llvm::DenseMap<std::pair<Expr, std::pair<Expr, Expr>>, bool> agreements;
};

} // namespace dtensor

#endif // DTENSOR_LIB_SHARDING_AXISSOLVER_H
