//===- Propagation.cpp - Placements of least cost -------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/Propagation.h"

#include "AxisSolver.h"
#include "PriorityLevels.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace dtensor;
using llvm::ArrayRef;
using llvm::SmallVector;

namespace {

/// Dimensions of one shape, one parallel factor each, for nodes that only pass
/// a value on.
ShardingRule identityRule(ArrayRef<Expr> extents, unsigned operands,
                          unsigned results, bool mayBePartial) {
  ShardingRule rule;
  TensorMap map;
  for (auto [i, extent] : llvm::enumerate(extents)) {
    rule.factors.push_back({FactorKind::Parallel, extent});
    map.push_back({static_cast<unsigned>(i)});
  }
  rule.operands.assign(operands, map);
  rule.results.assign(results, map);
  if (!mayBePartial)
    return rule;
  for (ReduceKind kind : {ReduceKind::Sum, ReduceKind::Avg, ReduceKind::Max,
                          ReduceKind::Min, ReduceKind::Product}) {
    PartialSignature signature;
    signature.operands.assign(operands, kind);
    signature.results.assign(results, kind);
    rule.partials.push_back(signature);
  }
  return rule;
}

/// Rules of nodes that only pass values on are derived, not given.
void completeRules(PropagationProblem &problem) {
  for (PropagationNode &node : problem.nodes) {
    if (node.kind == PropagationNode::Compute)
      continue;
    int first =
        node.operands.empty() ? node.results.front() : node.operands.front();
    bool mayBePartial = llvm::all_of(
        llvm::concat<int>(node.operands, node.results),
        [&](int value) { return problem.values[value].mayBePartial; });
    node.rule =
        identityRule(problem.values[first].extents, node.operands.size(),
                     node.results.size(), mayBePartial);
  }
}

/// Both ways to look at shared values, the cheaper result.
void solveAxis(const PropagationProblem &problem, const CostModel &model,
               PropagationSolution &solution, unsigned axis) {
  AxisSolver divided(problem, model, solution, axis);
  divided.prepare();
  AxisSolver full = divided;
  divided.run(AxisSolver::Divided);
  full.run(AxisSolver::Full);
  AxisSolver &best = full.total() < divided.total() ? full : divided;
  best.resweep(/*early=*/false);
  best.resweep(/*early=*/true);
  best.store();
}

} // namespace

bool PropagationWeights::verify(EmitError emitError) const {
  for (auto [name, weight] :
       {std::pair<llvm::StringRef, double>{"communication", communication},
        {"compute", compute},
        {"memory", memory}})
    if (!std::isfinite(weight) || weight < 0) {
      emitError("the weight of " + name + " is " +
                llvm::formatv("{0}", weight).str() +
                ", expected a number that is not negative");
      return false;
    }
  return true;
}

unsigned PropagationProblem::addValue(ArrayRef<Expr> extents,
                                      unsigned elementBytes) {
  PropagationValue value;
  value.extents.assign(extents.begin(), extents.end());
  value.elementBytes = elementBytes;
  value.fixed.assign(mesh.getNumAxes(), Placement::open());
  values.push_back(std::move(value));
  return values.size() - 1;
}

/// One level: all pins count alike.
static PropagationSolution solveLevel(const PropagationProblem &problem,
                                      const CostModel &model) {
  PropagationSolution solution;
  PropagationSolution::Placements free(problem.mesh.getNumAxes());
  solution.values.assign(problem.values.size(), free);
  for (const PropagationNode &node : problem.nodes) {
    solution.operands.emplace_back(node.operands.size(), free);
    solution.results.emplace_back(node.results.size(), free);
  }
  for (unsigned axis = 0, e = problem.mesh.getNumAxes(); axis != e; ++axis)
    solveAxis(problem, model, solution, axis);
  return solution;
}

PropagationSolution dtensor::solvePropagation(const PropagationProblem &given,
                                              const CostModel &model) {
  PropagationProblem problem = given;
  completeRules(problem);
  SmallVector<unsigned> levels = priorityLevels(problem);
  for (unsigned level : ArrayRef(levels).drop_back(levels.empty() ? 0 : 1))
    settleLevel(problem, level, solveLevel(upToLevel(problem, level), model));
  return solveLevel(problem, model);
}
