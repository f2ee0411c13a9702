//===- Redistribution.h - Plans from one layout to another ------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A plan is a cheapest path from one layout to another. An axis CHANGES if its
// placement differs, or the axes that cut its dimension before it do. A plan
// has at most one collective per axis that changes: the changing axes of a
// dimension are its minor-most ones on both sides (an axis inside a changing
// axis changes), so that gathering each such suffix in one step, reducing, and
// slicing again is always possible; the search looks for something cheaper
// within that number.
//
// Nothing here depends on the number of ranks: the work is in the axes.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_SHARDING_REDISTRIBUTION_H
#define DTENSOR_SHARDING_REDISTRIBUTION_H

#include "dtensor/Sharding/Cost.h"
#include "dtensor/Sharding/Layout.h"

namespace dtensor {

/// One move. `axes` is the group, fused in one; ranks of the group are numbered
/// by their coordinates on `axes`, major first. Local sizes and offsets before
/// and after follow from the layouts before and after (LocalShape.h).
///
///   AllGather      axes: the minor-most axes of `dim`. Afterwards replicate.
///   AllReduce      axes: partial(reduce). Afterwards replicate.
///   ReduceScatter  axes: partial(reduce). Afterwards the minor-most of `dim`.
///   AllToAll       axes: the minor-most of `fromDim`. Afterwards the
///                  minor-most of `dim` (their order there: see `result`).
///   ShardSlice     axes: replicate. Afterwards the minor-most of `dim`. Local.
///   InitPartial    axes: replicate. Afterwards partial(reduce): coordinate 0
///                  on all of them keeps the value, others hold the neutral
///                  element; avg: all keep the value. Local.
///   Regroup        axes: the minor-most axes of `dim`. Afterwards the same
///                  axes, in the order and with the unit of `result`. Means
///                  AllGather then ShardSlice; no rank need communicate where
///                  the sizes and offsets agree on all ranks at launch.
struct Step {
  StepKind kind;
  llvm::SmallVector<unsigned, 2> axes;
  unsigned dim = 0;
  unsigned fromDim = 0;
  ReduceKind reduce = ReduceKind::Sum;
  /// The layout after this step.
  Layout result;
  /// Bytes that one rank sends (as many as it receives), padding included.
  Expr bytes;
  /// Microseconds at the hints.
  double time = 0;

  bool isCollective() const { return dtensor::isCollective(kind); }
  /// `all_gather(dim = 0, axes = [1])`, for remarks and tests.
  void print(llvm::raw_ostream &os) const;
  std::string str() const;
};

/// `steps` may be empty although the layouts differ: where the pieces are
/// proved equal the data stay where they are and only the name changes.
struct Plan {
  llvm::SmallVector<Step, 2> steps;
  Expr bytes;
  double time = 0;

  unsigned collectives() const;
};

/// The axes that change from one layout to the other (see above), ascending.
/// An axis of known size 1 never changes, and units that are proved to give
/// the same pieces are the same.
llvm::SmallVector<unsigned> changedAxes(const Mesh &mesh, const Layout &from,
                                        const Layout &to, const Facts &facts,
                                        ExprContext &context);

/// The cheapest plan. Both layouts must verify on `mesh`. nullopt, with a text
/// in `error`, if a placement is open, the extents are not proved equal, or a
/// step is forbidden: shard to partial, partial to partial of another kind.
/// The result layout of the last step equals `to`, its extents included.
std::optional<Plan> planRedistribution(const Mesh &mesh, const Layout &from,
                                       const Layout &to, unsigned elementBytes,
                                       const Facts &facts, ExprContext &context,
                                       const CostModel &model = {},
                                       std::string *error = nullptr);

} // namespace dtensor

#endif // DTENSOR_SHARDING_REDISTRIBUTION_H
