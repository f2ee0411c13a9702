//===- Propagation.h - Placements of least cost -----------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A program as a graph of values and nodes; each node picks, on each mesh axis,
// one strategy of its rule; an edge whose ends disagree is a redistribution.
// The solver minimizes, axis after axis,
//
//   sum of node times + sum over edges of redistributionTime(is, wanted)
//
// each weighed by `PropagationWeights`,
// in two sweeps. Forward: extra(v, p), what it costs to have value v in
// placement p beyond the cheapest placement of v. Backward: every node picks
// the strategy that is cheapest given its users' choices; a redistribution that
// one user has asked for is free for the others. On chains and on trees in
// which every value has one user this is dynamic programming and exact.
// Elsewhere two estimates of what shared values cost are tried; then every node
// that alone would do better changes its choice, in a few more sweeps, and the
// cheaper result is kept. Two more rounds look at what is between the shared
// values, exactly: with these as they are, and with each pending one of them
// reduced where it is made. An argument whose placement is free costs what it
// takes of a rank's memory. Work is linear in nodes, operands and strategies,
// and does not depend on the number of ranks.
//
// Pins may have priorities. Level after level, the lowest number first, the
// problem is solved with the pins up to that level, and what these reach is
// settled: the values that are cut together with a pinned one, without a
// movement between, and the nodes that do it. So where two levels want
// different things the movement is beside the pin of the higher number. A pin
// itself always holds.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_SHARDING_PROPAGATION_H
#define DTENSOR_SHARDING_PROPAGATION_H

#include "dtensor/Sharding/Cost.h"
#include "dtensor/Sharding/ShardingRule.h"

namespace dtensor {

struct PropagationValue {
  llvm::SmallVector<Expr, 4> extents;
  unsigned elementBytes = 4;
  /// Per axis: the placement this value must have; open where it is free.
  llvm::SmallVector<Placement, 2> fixed;
  /// May a pending reduction stay in this value? Not in loop-carried values
  /// and not in results of a function that does not declare them.
  bool mayBePartial = true;
};

struct PropagationNode {
  enum Kind {
    /// Picks a strategy of `rule`.
    Compute,
    /// All operands and results have one common placement: a value that takes
    /// several paths (the results of a branch, what a loop carries).
    Join,
    /// The one operand (and result) has exactly the placements `pinned`, any
    /// common one where `pinned` is open. A Join may be pinned, too.
    Pin,
  };
  Kind kind = Compute;
  /// For Compute. Others run over the dimensions of their first tensor.
  ShardingRule rule;
  /// Indices of values; -1 for what is not a tensor.
  llvm::SmallVector<int, 4> operands, results;
  llvm::SmallVector<Placement, 2> pinned;
  /// Of a Pin: lower numbers decide first.
  unsigned priority = 0;
  /// Per axis, what a lower number has settled; empty if nothing on any.
  llvm::SmallVector<std::optional<Strategy>, 0> settled;
};

/// What a microsecond of each counts. Zero: it does not matter.
struct PropagationWeights {
  /// Redistributions.
  double communication = 1;
  /// What ops take on one rank; above 1, replicated work is avoided.
  double compute = 1;
  /// What arguments that are free take of a rank's memory.
  double memory = 1;

  /// All are numbers, and none is negative.
  bool verify(EmitError emitError) const;
};

struct PropagationProblem {
  Mesh mesh;
  ExprContext *context = nullptr;
  Facts facts;
  std::vector<PropagationValue> values;
  std::vector<PropagationNode> nodes;
  /// Every node once. Forward: producers before users (loop-carried operands
  /// excepted). Backward: users before producers; a Join of a loop stands
  /// before the nodes of the loop's body.
  std::vector<unsigned> forward, backward;
  PropagationWeights weights;

  /// A value with these extents and elements, free on every axis.
  unsigned addValue(llvm::ArrayRef<Expr> extents, unsigned elementBytes);
};

/// Per node, per operand (result), per axis.
struct PropagationSolution {
  using Placements = llvm::SmallVector<Placement, 2>;
  /// What node n wants of its operands, and how it gives its results.
  std::vector<llvm::SmallVector<Placements, 2>> operands, results;
  /// The placement of every value: `fixed` where stated, else what its
  /// producer gives, else (arguments) what its users want most.
  std::vector<Placements> values;
};

PropagationSolution solvePropagation(const PropagationProblem &problem,
                                     const CostModel &model = {});

} // namespace dtensor

#endif // DTENSOR_SHARDING_PROPAGATION_H
