//===- RedistributionState.cpp - States and moves of a plan ---------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RedistributionState.h"
#include "dtensor/Sharding/LocalShape.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/ADT/bit.h"

using namespace dtensor;
using namespace dtensor::planning;
using llvm::ArrayRef;
using llvm::SmallVectorImpl;

std::string State::key() const {
  std::string key;
  for (unsigned dim = 0; dim < nests.size(); ++dim) {
    for (unsigned axis : nests[dim])
      key.push_back(static_cast<char>('a' + axis));
    key.push_back(inTargetUnit[dim] ? '/' : '\\');
  }
  return key + std::to_string(partial);
}

static unsigned commonPrefix(ArrayRef<unsigned> lhs, ArrayRef<unsigned> rhs) {
  unsigned length = 0;
  while (length < lhs.size() && length < rhs.size() &&
         lhs[length] == rhs[length])
    ++length;
  return length;
}

static AxisSet toSet(ArrayRef<unsigned> axes) {
  AxisSet set = 0;
  for (unsigned axis : axes)
    set |= axisBit(axis);
  return set;
}

//===----------------------------------------------------------------------===//
// The problem
//===----------------------------------------------------------------------===//

Problem::Problem(const Mesh &mesh, const Layout &from, const Layout &to,
                 const Facts &facts, ExprContext &context)
    : mesh(mesh), from(from), to(to), start(stateOf(from)), goal(stateOf(to)) {
  compareUnits(facts, context);
  chooseDims(facts);
}

/// Those that changing axes shard before or after, and, where a few axes only
/// swap, every dimension that all of them can share: two exchanges over it
/// move less than gathering does. Not where units differ: a regroup can turn
/// out to be free at launch.
void Problem::chooseDims(const Facts &facts) {
  constexpr int kFewAxes = 3;
  AxisSet moving = changed();
  bool detours = llvm::popcount(moving) <= kFewAxes &&
                 !llvm::is_contained(start.inTargetUnit, false);
  int64_t ranks = mesh.groupHint(
      llvm::to_vector(llvm::seq<unsigned>(0, mesh.getNumAxes())));
  for (unsigned dim = 0; dim < start.nests.size(); ++dim) {
    bool used = (toSet(start.nests[dim]) | toSet(goal.nests[dim])) & moving;
    if (used || (detours && facts.hint(to.extents[dim]) >= ranks))
      dims.push_back(dim);
  }
}

State Problem::stateOf(const Layout &layout) const {
  State state;
  for (unsigned dim = 0; dim < layout.getRank(); ++dim) {
    AxisList nest;
    for (unsigned axis : layout.axesOf(dim))
      if (!mesh.isTrivial(axis))
        nest.push_back(axis);
    state.nests.push_back(std::move(nest));
  }
  state.inTargetUnit.assign(layout.getRank(), true);
  for (unsigned axis : layout.partialAxes())
    if (!mesh.isTrivial(axis))
      state.partial |= axisBit(axis);
  return state;
}

void Problem::compareUnits(const Facts &facts, ExprContext &context) {
  for (unsigned dim = 0; dim < start.nests.size(); ++dim) {
    const AxisList &before = start.nests[dim], &after = goal.nests[dim];
    Expr source = from.unitOf(dim), target = to.unitOf(dim);
    if (before.empty())
      source = target;
    if (after.empty())
      target = source;
    ArrayRef<unsigned> common =
        ArrayRef(before).take_front(commonPrefix(before, after));
    while (!common.empty() && !chunksAgree(mesh, common, from.extents[dim],
                                           source, target, context, facts))
      common = common.drop_back();
    sourceUnit.push_back(source);
    targetUnit.push_back(target);
    agreeing.push_back(common.size());
    start.inTargetUnit[dim] = source == target;
    enterTargetUnit(start, dim);
  }
}

/// Once only agreeing axes are left, the pieces are those of either unit.
void Problem::enterTargetUnit(State &state, unsigned dim) const {
  if (state.nests[dim].size() <= agreeing[dim])
    state.inTargetUnit[dim] = true;
}

unsigned Problem::settled(const State &state, unsigned dim) const {
  unsigned length = commonPrefix(state.nests[dim], goal.nests[dim]);
  return state.inTargetUnit[dim] ? length : std::min(length, agreeing[dim]);
}

AxisSet Problem::changed() const {
  AxisSet axes = start.partial ^ goal.partial;
  for (unsigned dim = 0; dim < start.nests.size(); ++dim) {
    unsigned length = settled(start, dim);
    axes |= toSet(ArrayRef(start.nests[dim]).drop_front(length));
    axes |= toSet(ArrayRef(goal.nests[dim]).drop_front(length));
  }
  return axes;
}

ReduceKind Problem::reduceOf(unsigned axis) const {
  return from.placements[axis].isPartial() ? from.placements[axis].reduce
                                           : to.placements[axis].reduce;
}

Layout Problem::layoutOf(const State &state) const {
  Layout layout = Layout::replicated(mesh.getNumAxes(), to.extents);
  for (unsigned axis = 0; axis < mesh.getNumAxes(); ++axis)
    if (contains(state.partial, axis))
      layout.placements[axis] = Placement::partial(reduceOf(axis));
  for (unsigned dim = 0; dim < state.nests.size(); ++dim) {
    AxisList slots = state.nests[dim];
    llvm::sort(slots);
    Expr unit = state.inTargetUnit[dim] ? targetUnit[dim] : sourceUnit[dim];
    for (auto [slot, axis] : llvm::zip_equal(slots, state.nests[dim])) {
      layout.placements[axis] = Placement::shard(dim, unit);
      layout.order[slot] = axis;
    }
  }
  return layout;
}

//===----------------------------------------------------------------------===//
// Moves
//===----------------------------------------------------------------------===//

/// Bytes of the tensor as a rank would hold it with `group` replicated.
double Problem::whole(const State &state, const AxisList &group,
                      double globalBytes) const {
  AxisSet moving = toSet(group);
  for (const AxisList &nest : state.nests)
    for (unsigned axis : nest)
      if (!contains(moving, axis))
        globalBytes /= static_cast<double>(mesh.hint(axis));
  return globalBytes;
}

void Problem::addMove(SmallVectorImpl<Move> &moves, StepKind kind,
                      AxisList axes, State after, unsigned dim,
                      unsigned fromDim) const {
  moves.push_back({kind, std::move(axes), dim, fromDim, std::move(after), 0});
}

/// Gather, exchange or regroup each unsettled suffix of a nest.
void Problem::addFromShard(SmallVectorImpl<Move> &moves, const State &state,
                           unsigned dim) const {
  const AxisList &nest = state.nests[dim];
  for (unsigned keep = settled(state, dim); keep < nest.size(); ++keep) {
    AxisList axes(nest.begin() + keep, nest.end());
    State without = state;
    without.nests[dim].truncate(keep);
    enterTargetUnit(without, dim);
    addMove(moves, StepKind::AllGather, axes, without, dim);
    addAllToAll(moves, state, without, axes, dim);
  }
  addRegroup(moves, state, dim);
}

void Problem::addAllToAll(SmallVectorImpl<Move> &moves, const State &state,
                          const State &without, const AxisList &axes,
                          unsigned fromDim) const {
  for (unsigned dim : dims) {
    if (dim == fromDim || !state.inTargetUnit[dim])
      continue;
    // The order on the new dimension is free: what stays there goes first, in
    // the target's order.
    AxisList arrival = axes;
    const AxisList &wanted = goal.nests[dim];
    auto rank = [&](unsigned axis) {
      return std::make_pair(llvm::find(wanted, axis), llvm::find(axes, axis));
    };
    llvm::sort(arrival, [&](unsigned lhs, unsigned rhs) {
      return rank(lhs) < rank(rhs);
    });
    State after = without;
    after.nests[dim].append(arrival);
    addMove(moves, StepKind::AllToAll, axes, std::move(after), dim, fromDim);
  }
}

/// The unsettled suffix holds the axes that the target wants next, but in
/// another order or unit.
void Problem::addRegroup(SmallVectorImpl<Move> &moves, const State &state,
                         unsigned dim) const {
  unsigned keep = settled(state, dim);
  ArrayRef<unsigned> suffix = ArrayRef(state.nests[dim]).drop_front(keep);
  ArrayRef<unsigned> wanted =
      ArrayRef(goal.nests[dim]).drop_front(keep).take_front(suffix.size());
  if (suffix.empty() || toSet(suffix) != toSet(wanted))
    return;
  State after = state;
  after.nests[dim].truncate(keep);
  enterTargetUnit(after, dim);
  after.nests[dim].append(wanted.begin(), wanted.end());
  addMove(moves, StepKind::Regroup, AxisList(suffix), std::move(after), dim);
}

void Problem::addFromPartial(SmallVectorImpl<Move> &moves,
                             const State &state) const {
  AxisSet sharded = 0;
  for (const AxisList &nest : goal.nests)
    sharded |= toSet(nest);
  AxisList all, forReplicate;
  for (unsigned axis = 0; axis < mesh.getNumAxes(); ++axis) {
    if (!contains(state.partial & ~goal.partial, axis))
      continue;
    all.push_back(axis);
    if (!contains(sharded, axis))
      forReplicate.push_back(axis);
  }
  auto addAllReduce = [&](const AxisList &axes) {
    State after = state;
    after.partial &= ~toSet(axes);
    addMove(moves, StepKind::AllReduce, axes, std::move(after));
  };
  for (unsigned axis : all) {
    addAllReduce({axis});
    for (unsigned dim : dims) {
      // Onto the wanted place: see addToShard.
      if (!state.inTargetUnit[dim])
        continue;
      State after = state;
      after.partial &= ~axisBit(axis);
      after.nests[dim].push_back(axis);
      addMove(moves, StepKind::ReduceScatter, {axis}, std::move(after), dim);
    }
  }
  if (forReplicate.size() > 1)
    addAllReduce(forReplicate);
  if (all.size() > 1 && all.size() != forReplicate.size())
    addAllReduce(all);
}

/// The next axes that the target wants on `dim`: slice replicated ones,
/// scatter several partial ones at once.
void Problem::addToShard(SmallVectorImpl<Move> &moves, const State &state,
                         unsigned dim) const {
  unsigned begin = state.nests[dim].size();
  if (settled(state, dim) != begin || !state.inTargetUnit[dim])
    return;
  AxisSet sharded = 0;
  for (const AxisList &nest : state.nests)
    sharded |= toSet(nest);
  State after = state;
  AxisList axes;
  for (unsigned axis : ArrayRef(goal.nests[dim]).drop_front(begin)) {
    bool partial = contains(state.partial, axis);
    if (contains(sharded, axis) ||
        (!axes.empty() && partial != contains(state.partial, axes.front())))
      break;
    axes.push_back(axis);
    after.nests[dim].push_back(axis);
    after.partial &= ~axisBit(axis);
    if (!partial)
      addMove(moves, StepKind::ShardSlice, axes, after, dim);
    else if (axes.size() > 1)
      addMove(moves, StepKind::ReduceScatter, axes, after, dim);
  }
}

/// An axis that will shard anyway may do so at once, anywhere: it leaves less
/// to exchange or reduce. Behind the other moves, see directPath.
void Problem::addEarlySlices(SmallVectorImpl<Move> &moves,
                             const State &state) const {
  AxisSet waiting = 0;
  for (const AxisList &nest : goal.nests)
    waiting |= toSet(nest);
  for (const AxisList &nest : state.nests)
    waiting &= ~toSet(nest);
  waiting &= ~state.partial;
  for (unsigned axis = 0; axis < mesh.getNumAxes(); ++axis)
    for (unsigned dim : dims) {
      if (!contains(waiting, axis) || !state.inTargetUnit[dim])
        continue;
      State after = state;
      after.nests[dim].push_back(axis);
      addMove(moves, StepKind::ShardSlice, {axis}, std::move(after), dim);
    }
}

void Problem::addInitPartial(SmallVectorImpl<Move> &moves,
                             const State &state) const {
  AxisList axes;
  for (unsigned axis = 0; axis < mesh.getNumAxes(); ++axis)
    if (contains(goal.partial & ~state.partial, axis))
      axes.push_back(axis);
  if (axes.empty())
    return;
  // Kinds never mix: what is pending in another kind must be reduced before.
  for (unsigned axis = 0; axis < mesh.getNumAxes(); ++axis)
    if (contains(state.partial, axis) && reduceOf(axis) != reduceOf(axes[0]))
      return;
  State after = state;
  after.partial |= toSet(axes);
  addMove(moves, StepKind::InitPartial, axes, std::move(after));
}

llvm::SmallVector<Move, 16> Problem::moves(const State &state,
                                           const CostModel &model,
                                           double globalBytes) const {
  llvm::SmallVector<Move, 16> moves;
  for (unsigned dim : dims)
    addFromShard(moves, state, dim);
  addFromPartial(moves, state);
  for (unsigned dim : dims)
    addToShard(moves, state, dim);
  addInitPartial(moves, state);
  addEarlySlices(moves, state);
  for (Move &move : moves)
    move.time =
        model.stepTime(move.kind, whole(state, move.axes, globalBytes),
                       mesh.groupHint(move.axes), move.dim, move.fromDim);
  return moves;
}
