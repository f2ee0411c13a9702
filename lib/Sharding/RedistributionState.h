//===- RedistributionState.h - One layout on the way ------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The states and moves that the planner of redistributions searches.
//
// A state is a layout written as nests: per dimension the mesh axes that shard
// it, major to minor. On both sides of a redistribution a dimension has a nest
// (source and target). The part of a nest that already equals the beginning of
// the target's nest is SETTLED and never moves again, since what moves must
// be minor-most and all of the settled part is wanted. Axes of known size 1
// stand in no nest.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_SHARDING_REDISTRIBUTIONSTATE_H
#define DTENSOR_LIB_SHARDING_REDISTRIBUTIONSTATE_H

#include "dtensor/Sharding/Redistribution.h"

namespace dtensor::planning {

using AxisList = llvm::SmallVector<unsigned, 2>;
using AxisSet = uint32_t;

inline AxisSet axisBit(unsigned axis) { return AxisSet(1) << axis; }
inline bool contains(AxisSet set, unsigned axis) { return set & axisBit(axis); }

struct State {
  llvm::SmallVector<AxisList, 4> nests;
  /// Per dimension: are the pieces those of the target's unit? Where not, the
  /// nest is still a beginning of the source's.
  llvm::SmallVector<bool, 4> inTargetUnit;
  AxisSet partial = 0;

  bool operator==(const State &other) const {
    return nests == other.nests && inTargetUnit == other.inTargetUnit &&
           partial == other.partial;
  }
  /// A text that identifies the state.
  std::string key() const;
};

/// A step without its layout and bytes.
struct Move {
  StepKind kind;
  AxisList axes;
  unsigned dim = 0, fromDim = 0;
  State after;
  double time = 0;
};

/// What is fixed during one redistribution.
class Problem {
public:
  Problem(const Mesh &mesh, const Layout &from, const Layout &to,
          const Facts &facts, ExprContext &context);

  const State &source() const { return start; }
  const State &target() const { return goal; }
  /// Length of the settled part of a nest.
  unsigned settled(const State &state, unsigned dim) const;
  /// The axes outside every settled part, and those whose pending or missing
  /// reduction differs from the target's, in `source()`.
  AxisSet changed() const;

  /// The moves that may lead to a cheapest plan, in a fixed order. Costs are
  /// filled in from `model` and `globalBytes`.
  llvm::SmallVector<Move, 16> moves(const State &state, const CostModel &model,
                                    double globalBytes) const;

  Layout layoutOf(const State &state) const;
  ReduceKind reduceOf(unsigned axis) const;

private:
  State stateOf(const Layout &layout) const;
  void compareUnits(const Facts &facts, ExprContext &context);
  void chooseDims(const Facts &facts);
  void enterTargetUnit(State &state, unsigned dim) const;

  void addMove(llvm::SmallVectorImpl<Move> &moves, StepKind kind, AxisList axes,
               State after, unsigned dim = 0, unsigned fromDim = 0) const;
  void addFromShard(llvm::SmallVectorImpl<Move> &moves, const State &state,
                    unsigned dim) const;
  void addAllToAll(llvm::SmallVectorImpl<Move> &moves, const State &state,
                   const State &without, const AxisList &axes,
                   unsigned dim) const;
  void addRegroup(llvm::SmallVectorImpl<Move> &moves, const State &state,
                  unsigned dim) const;
  void addFromPartial(llvm::SmallVectorImpl<Move> &moves,
                      const State &state) const;
  void addToShard(llvm::SmallVectorImpl<Move> &moves, const State &state,
                  unsigned dim) const;
  void addEarlySlices(llvm::SmallVectorImpl<Move> &moves,
                      const State &state) const;
  void addInitPartial(llvm::SmallVectorImpl<Move> &moves,
                      const State &state) const;
  double whole(const State &state, const AxisList &group,
               double globalBytes) const;

  const Mesh &mesh;
  const Layout &from, &to;
  State start, goal;
  /// Per dimension the units of both sides; equal where one side does not
  /// shard it.
  llvm::SmallVector<Expr, 4> sourceUnit, targetUnit;
  /// Per dimension: how many leading axes of both nests are the same and give
  /// the same pieces in either unit.
  llvm::SmallVector<unsigned, 4> agreeing;
  /// Dimensions that changing axes may shard on the way, ascending.
  llvm::SmallVector<unsigned, 4> dims;
};

} // namespace dtensor::planning

#endif // DTENSOR_LIB_SHARDING_REDISTRIBUTIONSTATE_H
