//===- Cost.h - What moving data costs --------------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Costs steer choices and nothing else: no result depends on them. A step of a
// group of g ranks takes
//
//   latency(kind) + hops * hopLatency + wireBytes / bandwidth + copies
//
//   all-gather, reduce-scatter, all-to-all   hops = ceil(log2 g)
//   all-reduce                               hops = 2 ceil(log2 g)
//
// so that one step of a fused group never costs more than one step per axis.
// wireBytes counts what one rank sends (as much as it receives). Copies are
// the local passes over memory that a step needs when the pieces it exchanges
// are not contiguous, i.e. whenever it cuts a dimension other than the first.
// Times are multiples of 2^-10 us, so that sums are exact and ties are real.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_SHARDING_COST_H
#define DTENSOR_SHARDING_COST_H

#include "dtensor/Sharding/Placement.h"

namespace dtensor {

/// One move of a redistribution; what each needs is said at `Step`.
enum class StepKind {
  AllGather,
  AllReduce,
  ReduceScatter,
  AllToAll,
  ShardSlice,
  InitPartial,
  Regroup
};

/// all_gather, all_reduce, reduce_scatter, all_to_all, shard_slice,
/// init_partial, regroup.
llvm::StringRef stringify(StepKind kind);

/// Does a step of this kind exchange data between ranks?
bool isCollective(StepKind kind);

/// Microseconds, and bytes per microsecond. The defaults are fitted to
/// latencies and bandwidths measured on 4 H200, NCCL 2.28.
struct CostModel {
  double allGatherLatency = 4.3;
  double reduceScatterLatency = 4.3;
  double allToAllLatency = 4.3;
  double allReduceLatency = 3.2;
  double hopLatency = 1.9;
  double gatherBandwidth = 250e3;
  double reduceBandwidth = 300e3;
  /// Start of a local kernel.
  double launchLatency = 2.0;
  /// Reads and writes of local memory.
  double memoryBandwidth = 4000e3;
  /// Bytes of memory that are worth a microsecond: what one way holds longer
  /// than another.
  double heldMemory = 100e3;
  /// Floating-point operations per microsecond in matrix products.
  double arithmetic = 500e6;

  /// The time of one step on a group of `group` ranks. `whole` is the size in
  /// bytes of the tensor as the group's axes replicated would hold it, i.e.
  /// divided by all other axes only. `dim` and `fromDim` as in `Step`.
  /// 0 for a group of one rank.
  double stepTime(StepKind kind, double whole, int64_t group, unsigned dim = 0,
                  unsigned fromDim = 0) const;

  /// The time to hand `bytes` to a neighbour.
  double passTime(double bytes) const;
};

/// The time to go from one placement to another on ONE axis of `group` ranks:
/// the cost of the plan that `planRedistribution` makes for a 1-D mesh, in
/// closed form. `whole` as above. 0 when equal, when both shard one dimension
/// and `unitsAgree` (proved by `chunksAgree`), or when the group is one rank;
/// infinity when forbidden (to or from `?`, shard to partial, partial to
/// another kind).
double redistributionTime(const Placement &from, const Placement &to,
                          double whole, int64_t group,
                          const CostModel &model = {}, bool unitsAgree = false);

} // namespace dtensor

#endif // DTENSOR_SHARDING_COST_H
