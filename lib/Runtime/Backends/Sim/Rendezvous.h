//===- Rendezvous.h - ranks of one process meet -----------------*- C++ -*-===//
//
// A group meets in three steps: every member publishes its call and waits
// until all have; each does its own part, reading the others' sources; nobody
// goes on before all are done, since a source may be reused then.
//
// A member that waits in the first step depends on others. Let W be the ranks
// that wait there and F those that have finished. A group with a member in F
// never completes, and neither does anything when W and F are all ranks; both
// are found at the moment they come true, no clock is involved.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_BACKENDS_SIM_RENDEZVOUS_H
#define DTENSOR_RUNTIME_BACKENDS_SIM_RENDEZVOUS_H

#include "../../Core/Rank.h"

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>

namespace dtensor::rt::sim {

class Rendezvous : public Communicator {
public:
  explicit Rendezvous(const Mesh &mesh);

  bool join(RankContext &rank, const Group &group,
            const Collective &call) override;
  void fail(int64_t rank, const std::string &message) override;

  /// Says that `rank` will join nothing any more.
  void finish(int64_t rank);

  /// Empty while nothing failed.
  std::string getError();

private:
  struct Meeting {
    explicit Meeting(const Group &group);

    std::vector<int64_t> members;
    PackedAxes axes;
    std::vector<const Collective *> calls; // null: not arrived
    size_t arrived = 0;
    size_t done = 0;
    /// Counts completed steps: a waiting member knows its own step by it.
    uint64_t step = 0;
    std::condition_variable changed;
  };

  using Lock = std::unique_lock<std::mutex>;
  Meeting &getMeeting(const Group &group);
  bool arrive(Lock &lock, Meeting &meeting, int64_t rank, const Group &group,
              const Collective &call);
  bool depart(Lock &lock, Meeting &meeting);
  void nextStep(Meeting &meeting);
  void failLocked(const std::string &message);
  void checkFinished(const Meeting &meeting);
  void checkStuck();
  std::string describeWait(const Meeting &meeting, size_t position) const;

  const Mesh &mesh;
  std::mutex mutex;
  std::map<std::pair<PackedAxes, int64_t>, std::unique_ptr<Meeting>> meetings;
  std::vector<bool> finished;
  int64_t numFinished = 0;
  int64_t numWaiting = 0;
  bool failed = false;
  std::string error;
};

} // namespace dtensor::rt::sim

#endif // DTENSOR_RUNTIME_BACKENDS_SIM_RENDEZVOUS_H
