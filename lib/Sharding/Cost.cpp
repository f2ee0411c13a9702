//===- Cost.cpp - What moving data costs ----------------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/Cost.h"
#include "llvm/Support/ErrorHandling.h"

#include <cmath>
#include <limits>

using namespace dtensor;

llvm::StringRef dtensor::stringify(StepKind kind) {
  switch (kind) {
  case StepKind::AllGather:
    return "all_gather";
  case StepKind::AllReduce:
    return "all_reduce";
  case StepKind::ReduceScatter:
    return "reduce_scatter";
  case StepKind::AllToAll:
    return "all_to_all";
  case StepKind::ShardSlice:
    return "shard_slice";
  case StepKind::InitPartial:
    return "init_partial";
  case StepKind::Regroup:
    return "regroup";
  }
  llvm_unreachable("unknown step");
}

bool dtensor::isCollective(StepKind kind) {
  return kind != StepKind::ShardSlice && kind != StepKind::InitPartial;
}

/// Multiples of 2^-10 us add without rounding.
static double quantize(double time) { return std::ceil(time * 1024) / 1024; }

double CostModel::stepTime(StepKind kind, double whole, int64_t group,
                           unsigned dim, unsigned fromDim) const {
  if (group <= 1)
    return 0;
  double ranks = static_cast<double>(group), piece = whole / ranks;
  double hops = std::ceil(std::log2(ranks)) * hopLatency;
  double others = piece * (ranks - 1);
  auto copy = [&](double bytes) {
    return launchLatency + 2 * bytes / memoryBandwidth;
  };
  auto repack = [&](unsigned cut, double bytes) {
    return cut == 0 ? 0 : copy(bytes);
  };
  switch (kind) {
  case StepKind::AllGather:
    return quantize(allGatherLatency + hops + others / gatherBandwidth +
                    repack(dim, whole));
  case StepKind::ReduceScatter:
    return quantize(reduceScatterLatency + hops + others / gatherBandwidth +
                    repack(dim, whole));
  case StepKind::AllToAll:
    return quantize(allToAllLatency + hops + others / ranks / gatherBandwidth +
                    repack(dim, piece) + repack(fromDim, piece));
  case StepKind::AllReduce:
    return quantize(allReduceLatency + 2 * hops + 2 * others / reduceBandwidth);
  case StepKind::ShardSlice:
    return quantize(copy(piece));
  case StepKind::InitPartial:
    // Were it free, a detour through a pending sum on one more axis could beat
    // the direct way.
    return quantize(launchLatency);
  case StepKind::Regroup:
    return stepTime(StepKind::AllGather, whole, group, dim) +
           stepTime(StepKind::ShardSlice, whole, group, dim);
  }
  llvm_unreachable("unknown step");
}

double CostModel::passTime(double bytes) const {
  return quantize(allToAllLatency + hopLatency + bytes / gatherBandwidth);
}

/// From shard to `to`, which is another shard or replicate.
static double timeFromShard(const Placement &from, const Placement &to,
                            double whole, int64_t group, const CostModel &model,
                            bool unitsAgree) {
  if (to.isReplicate())
    return model.stepTime(StepKind::AllGather, whole, group, from.dim);
  if (!to.isShard(from.dim))
    return model.stepTime(StepKind::AllToAll, whole, group, to.dim, from.dim);
  if (unitsAgree)
    return 0;
  return model.stepTime(StepKind::Regroup, whole, group, from.dim);
}

double dtensor::redistributionTime(const Placement &from, const Placement &to,
                                   double whole, int64_t group,
                                   const CostModel &model, bool unitsAgree) {
  constexpr double kForbidden = std::numeric_limits<double>::infinity();
  if (from.isOpen() || to.isOpen())
    return kForbidden;
  if (from == to)
    return 0;
  if (from.isReplicate())
    return model.stepTime(to.isShard() ? StepKind::ShardSlice
                                       : StepKind::InitPartial,
                          whole, group, to.dim);
  if (to.isPartial())
    return kForbidden;
  if (from.isShard())
    return timeFromShard(from, to, whole, group, model, unitsAgree);
  return model.stepTime(to.isShard() ? StepKind::ReduceScatter
                                     : StepKind::AllReduce,
                        whole, group, to.dim);
}
