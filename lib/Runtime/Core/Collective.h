//===- Collective.h - one collective as data --------------------*- C++ -*-===//
//
// What a member of a group wants: the same description serves the check that
// all members agree, error messages, and the execution on shared memory.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_CORE_COLLECTIVE_H
#define DTENSOR_RUNTIME_CORE_COLLECTIVE_H

#include "Mesh.h"
#include "View.h"

#include "dtensor-rt/dtensor_rt.h"

#include <vector>

namespace dtensor::rt {

enum class CollectiveKind : int32_t {
  AllGather = DTENSOR_RT_ALL_GATHER,
  AllReduce = DTENSOR_RT_ALL_REDUCE,
  ReduceScatter = DTENSOR_RT_REDUCE_SCATTER,
  AllToAll = DTENSOR_RT_ALL_TO_ALL,
  CollectivePermute = DTENSOR_RT_COLLECTIVE_PERMUTE,
};

/// Trivially destructible: it may live in a frame that is left by longjmp.
struct Collective {
  explicit Collective(CollectiveKind kind) : kind(kind) {}

  CollectiveKind kind;
  View src, dst;
  PackedAxes axes = 0;
  /// Dimension gathered (all_gather, all_to_all) or scattered
  /// (reduce_scatter).
  int64_t dim = 0;
  /// Dimension split by all_to_all.
  int64_t splitDim = 0;
  /// Units in which the group cuts `dim` and `splitDim`; see Pieces.h.
  int64_t unit = 1, splitUnit = 1;
  /// Where this member's part of every source starts (reduce_scatter along
  /// dim, all_to_all along splitDim).
  int64_t offset = 0;
  /// Position in the group that collective_permute receives from.
  int64_t source = 0;
  Reduce reduce = Reduce::Sum;
};

/// "all_reduce(sum, f32, 2x3)"; shape is that of the source.
std::string describe(const Collective &call);

/// Raises when `call` is wrong by itself (a dimension or code out of range).
void checkAlone(const Collective &call);

/// Raises when the members' calls, in group order, do not fit together: other
/// kinds, types, dimensions, or shapes that do not add up. `members` are their
/// ranks, for the message.
void checkTogether(const std::vector<const Collective *> &calls,
                   const std::vector<int64_t> &members);

/// Does the part of member `position`. All members' sources are stable, and no
/// two members write one place: all may run at once.
void execute(const std::vector<const Collective *> &calls, int64_t position);

/// The part of its own source that a member keeps: all of the result when the
/// group is this member alone.
View ownPart(const Collective &call);

/// Bytes that member `position` must receive; see dtensor_rt_rank_stats.
int64_t receivedBytes(const Collective &call, int64_t position,
                      int64_t groupSize);

} // namespace dtensor::rt

#endif // DTENSOR_RUNTIME_CORE_COLLECTIVE_H
