//===- Redistribution.cpp - Plans from one layout to another --------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/Redistribution.h"
#include "RedistributionState.h"
#include "dtensor/Sharding/LocalShape.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <map>
#include <queue>
#include <tuple>

using namespace dtensor;
using namespace dtensor::planning;
using llvm::SmallVector;
using llvm::Twine;

/// Nodes after which the search settles for the direct plan. Reached only on
/// meshes of many axes that all change.
static constexpr size_t kSearchLimit = 20000;

//===----------------------------------------------------------------------===//
// Steps and plans
//===----------------------------------------------------------------------===//

void Step::print(llvm::raw_ostream &os) const {
  os << stringify(kind) << '(';
  if (kind == StepKind::AllToAll)
    os << "from = " << fromDim << ", to = " << dim << ", ";
  else if (kind != StepKind::AllReduce && kind != StepKind::InitPartial)
    os << "dim = " << dim << ", ";
  if (kind == StepKind::AllReduce || kind == StepKind::ReduceScatter ||
      kind == StepKind::InitPartial)
    os << stringify(reduce) << ", ";
  os << "axes = [";
  llvm::interleaveComma(axes, os);
  os << "])";
}

std::string Step::str() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  print(os);
  return text;
}

unsigned Plan::collectives() const {
  return llvm::count_if(steps,
                        [](const Step &step) { return step.isCollective(); });
}

//===----------------------------------------------------------------------===//
// Search
//===----------------------------------------------------------------------===//

namespace {
/// Dijkstra over (state, collectives used), cheapest first; ties go to fewer
/// collectives, then fewer steps, then the order of discovery.
class Search {
public:
  Search(const Problem &problem, const CostModel &model, double globalBytes)
      : problem(problem), model(model), globalBytes(globalBytes),
        budget(llvm::popcount(problem.changed())) {}

  SmallVector<Move> run();

private:
  struct Node {
    Move move;
    size_t parent;
    double time;
    unsigned collectives, steps;
  };
  using Rank = std::tuple<double, unsigned, unsigned, size_t>;

  bool isSettled(const State &state);
  void expand(size_t index);
  SmallVector<Move> pathTo(size_t index) const;
  SmallVector<Move> directPath() const;

  const Problem &problem;
  const CostModel &model;
  double globalBytes;
  unsigned budget;
  std::vector<Node> nodes;
  std::priority_queue<Rank, std::vector<Rank>, std::greater<Rank>> queue;
  /// The fewest collectives with which a state was expanded so far; whoever
  /// comes later is not cheaper, and helps only with fewer.
  std::map<std::string, unsigned> expanded;
};
} // namespace

void Search::expand(size_t index) {
  // By value: the vector of nodes grows below.
  Node node = nodes[index];
  for (Move &move : problem.moves(node.move.after, model, globalBytes)) {
    unsigned collectives = node.collectives + isCollective(move.kind);
    if (collectives > budget)
      continue;
    auto seen = expanded.find(move.after.key());
    if (seen != expanded.end() && seen->second <= collectives)
      continue;
    double time = node.time + move.time;
    queue.push({time, collectives, node.steps + 1, nodes.size()});
    nodes.push_back(
        {std::move(move), index, time, collectives, node.steps + 1});
  }
}

SmallVector<Move> Search::run() {
  nodes.push_back(
      {{StepKind::AllGather, {}, 0, 0, problem.source(), 0}, 0, 0, 0, 0});
  queue.push({0, 0, 0, 0});
  while (!queue.empty() && nodes.size() < kSearchLimit) {
    size_t index = std::get<size_t>(queue.top());
    queue.pop();
    if (nodes[index].move.after == problem.target())
      return pathTo(index);
    unsigned collectives = nodes[index].collectives;
    auto [entry, isNew] =
        expanded.try_emplace(nodes[index].move.after.key(), collectives);
    if (!isNew && entry->second <= collectives)
      continue;
    entry->second = collectives;
    expand(index);
  }
  return directPath();
}

SmallVector<Move> Search::pathTo(size_t index) const {
  SmallVector<Move> path;
  for (; index != 0; index = nodes[index].parent)
    path.push_back(nodes[index].move);
  std::reverse(path.begin(), path.end());
  return path;
}

/// Gathers each unsettled suffix at once, reduces at once, then slices: within
/// the budget, and found without a search.
SmallVector<Move> Search::directPath() const {
  SmallVector<Move> path;
  State state = problem.source();
  auto rank = [](const Move &move) {
    switch (move.kind) {
    case StepKind::AllGather:
      return 0;
    case StepKind::AllReduce:
      return 1;
    case StepKind::ShardSlice:
      return 2;
    case StepKind::InitPartial:
      return 3;
    default:
      return 4;
    }
  };
  while (!(state == problem.target())) {
    auto moves = problem.moves(state, model, globalBytes);
    auto best = llvm::min_element(moves, [&](const Move &a, const Move &b) {
      return std::make_pair(rank(a), -int(a.axes.size())) <
             std::make_pair(rank(b), -int(b.axes.size()));
    });
    assert(best != moves.end() && rank(*best) < 4 && "no way to the target");
    state = best->after;
    path.push_back(*best);
  }
  return path;
}

//===----------------------------------------------------------------------===//
// Bytes
//===----------------------------------------------------------------------===//

/// Elements of the block that one rank sends to one other in an all-to-all:
/// cut in `from` where it was, and in `to` where it goes.
static Expr exchangedBlock(const Mesh &mesh, const Layout &before,
                           const Step &step, ExprContext &context) {
  Expr product = Expr::constant(context, 1);
  for (unsigned dim = 0; dim < before.getRank(); ++dim) {
    const Layout &layout = dim == step.dim ? step.result : before;
    product = product * localDim(mesh, layout, dim, context).capacity;
  }
  return product;
}

static Expr stepBytes(const Mesh &mesh, const Layout &before, const Step &step,
                      unsigned elementBytes, ExprContext &context) {
  Expr ranks = mesh.groupSizeExpr(context, step.axes), others = ranks - 1;
  int64_t width = elementBytes;
  switch (step.kind) {
  case StepKind::AllGather:
  case StepKind::Regroup:
    return others * localCapacity(mesh, before, context) * width;
  case StepKind::ReduceScatter:
    return others * localCapacity(mesh, step.result, context) * width;
  case StepKind::AllReduce:
    return 2 * others * ceildiv(localCapacity(mesh, before, context), ranks) *
           width;
  case StepKind::AllToAll:
    return others * exchangedBlock(mesh, before, step, context) * width;
  case StepKind::ShardSlice:
  case StepKind::InitPartial:
    return Expr::constant(context, 0);
  }
  llvm_unreachable("unknown step");
}

//===----------------------------------------------------------------------===//
// Planning
//===----------------------------------------------------------------------===//

static std::string forbidden(const Twine &from, const Twine &to) {
  return ("cannot redistribute " + from + " to " + to).str();
}

static std::string extentsText(const Layout &layout) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "extents (";
  llvm::interleaveComma(layout.extents, os);
  os << ')';
  return text;
}

static bool sameExtents(const Layout &from, const Layout &to,
                        const Facts &facts) {
  return from.getRank() == to.getRank() &&
         llvm::all_of(llvm::zip_equal(from.extents, to.extents),
                      [&](const auto &pair) {
                        auto [lhs, rhs] = pair;
                        return lhs == rhs || facts.proveEqual(lhs, rhs);
                      });
}

/// Why no plan exists, or nullopt if one does.
static std::optional<std::string> findObstacle(const Mesh &mesh,
                                               const Layout &from,
                                               const Layout &to,
                                               const Facts &facts) {
  if (!sameExtents(from, to, facts))
    return forbidden(extentsText(from), extentsText(to));
  for (unsigned axis = 0; axis < mesh.getNumAxes(); ++axis) {
    const Placement &before = from.placements[axis];
    const Placement &after = to.placements[axis];
    bool open = before.isOpen() || after.isOpen();
    bool intoPartial =
        after.isPartial() && !before.isReplicate() && before != after;
    if (open || (intoPartial && !mesh.isTrivial(axis)))
      return forbidden(before.str(), after.str()) + " on axis \"" +
             mesh.getName(axis).str() + "\"";
  }
  return std::nullopt;
}

/// All but the bytes.
static Step toStep(const Problem &problem, const Move &move) {
  Step step;
  step.kind = move.kind;
  step.axes = move.axes;
  step.dim = move.dim;
  step.fromDim = move.fromDim;
  step.time = move.time;
  step.result = problem.layoutOf(move.after);
  if (move.kind == StepKind::AllReduce ||
      move.kind == StepKind::ReduceScatter ||
      move.kind == StepKind::InitPartial)
    step.reduce = problem.reduceOf(move.axes.front());
  return step;
}

static double bytesAtHints(const Layout &layout, unsigned elementBytes,
                           const Facts &facts) {
  double bytes = elementBytes;
  for (Expr extent : layout.extents)
    bytes *= static_cast<double>(facts.hint(extent));
  return bytes;
}

llvm::SmallVector<unsigned>
dtensor::changedAxes(const Mesh &mesh, const Layout &from, const Layout &to,
                     const Facts &facts, ExprContext &context) {
  AxisSet changed = Problem(mesh, from, to, facts, context).changed();
  SmallVector<unsigned> axes;
  for (unsigned axis = 0; axis < mesh.getNumAxes(); ++axis)
    if (contains(changed, axis))
      axes.push_back(axis);
  return axes;
}

std::optional<Plan>
dtensor::planRedistribution(const Mesh &mesh, const Layout &from,
                            const Layout &to, unsigned elementBytes,
                            const Facts &facts, ExprContext &context,
                            const CostModel &model, std::string *error) {
  if (auto obstacle = findObstacle(mesh, from, to, facts)) {
    if (error)
      *error = *obstacle;
    return std::nullopt;
  }
  Problem problem(mesh, from, to, facts, context);
  SmallVector<Move> moves =
      Search(problem, model, bytesAtHints(to, elementBytes, facts)).run();
  Plan plan;
  plan.bytes = Expr::constant(context, 0);
  Layout before = from;
  for (const Move &move : moves) {
    Step step = toStep(problem, move);
    // Names what the search does not see: axes of size 1, units that agree.
    if (&move == &moves.back())
      step.result = to;
    step.bytes =
        facts.simplify(stepBytes(mesh, before, step, elementBytes, context));
    plan.bytes = plan.bytes + step.bytes;
    plan.time += step.time;
    before = step.result;
    plan.steps.push_back(std::move(step));
  }
  return plan;
}
