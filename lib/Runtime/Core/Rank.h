//===- Rank.h - the context of one running rank -----------------*- C++ -*-===//
//
// Compiled code sees a RankContext as its opaque `ctx`. A rank that fails, or
// is released because another failed, leaves compiled code by longjmp to the
// frame of runRank: compiled frames own nothing, and what they allocated is
// known here and freed with the context.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_CORE_RANK_H
#define DTENSOR_RUNTIME_CORE_RANK_H

#include "Collective.h"
#include "Device.h"
#include "Mesh.h"

#include "dtensor-rt/dtensor_rt.h"

#include <chrono>
#include <csetjmp>
#include <functional>
#include <map>
#include <unordered_map>

namespace dtensor::rt {

class RankContext;

/// How a backend moves data between ranks. Called by many ranks at once.
class Communicator {
public:
  virtual ~Communicator() = default;

  /// Joins a collective on a group of at least two. Returns when dst is
  /// complete and src may be changed. False: the run has failed, the caller
  /// has to leave.
  virtual bool join(RankContext &rank, const Group &group,
                    const Collective &call) = 0;

  /// Records the failure of `rank` unless an earlier one is known, and
  /// releases every rank.
  virtual void fail(int64_t rank, const std::string &message) = 0;
};

class RankContext {
public:
  RankContext(const Mesh &mesh, int64_t rank, Communicator &communicator,
              Device &device = getHostDevice());
  RankContext(const RankContext &) = delete;
  ~RankContext();

  int64_t getRank() const { return rank; }
  const Mesh &getMesh() const { return mesh; }
  const std::vector<int64_t> &getCoords() const { return coords; }
  const dtensor_rt_rank_stats &getStats() const { return stats; }
  Device &getDevice() const { return device; }

  /// The context of the rank that runs on this thread, or null.
  static RankContext *current();

  /// Calls `body` with this context as the current one; comes back when body
  /// returns or when the rank leaves. False in the second case. Statistics
  /// count from here; what the body left allocated is freed by reset().
  bool run(const std::function<void(RankContext &)> &body);

  /// Frees what the program left behind, so that it can run again.
  void reset();

  /// Does a collective; false: the rank has to leave. Never throws.
  bool collective(const Collective &call) noexcept;

  /// Reports a failure of this rank. Never throws.
  void fail(const std::string &message) noexcept;

  /// Ends the run of this rank. Frames between here and run() must not own
  /// anything.
  [[noreturn]] void leave();

  /// Null: no memory.
  void *allocate(int64_t bytes, int64_t alignment);
  /// False: not a live allocation of this rank.
  bool release(void *pointer);

private:
  const Group &getGroup(PackedAxes axes);
  void doCollective(const Collective &call, bool &ok);

  const Mesh &mesh;
  int64_t rank;
  std::vector<int64_t> coords;
  Communicator &communicator;
  Device &device;
  std::map<PackedAxes, Group> groups;
  std::unordered_map<void *, int64_t> allocations;
  int64_t liveBytes = 0;
  dtensor_rt_rank_stats stats = {};
  using Clock = std::chrono::steady_clock;
  Clock::time_point start;
  std::jmp_buf exit;
};

} // namespace dtensor::rt

#endif // DTENSOR_RUNTIME_CORE_RANK_H
