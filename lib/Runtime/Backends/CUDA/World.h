//===- World.h - the ranks of one mesh and their communicators --*- C++ -*-===//
//
// Shared by all sessions on meshes of equal sizes. Local ranks are GPUs of this
// process; a communicator per rank and list of mesh axes is made when it is
// first used, which happens in one order on all ranks because they run the same
// program.
//
// When a rank fails, the others get a moment to end by themselves; then a
// helper thread aborts all communicators, so that nothing on a GPU waits for a
// rank that is gone. An abort ends when no graph holds calls of its
// communicator any more, so all sessions drop theirs. If even that does not
// help within kAbortSeconds, the world is lost: the run raises all the same,
// and its memory is left alone.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_BACKENDS_CUDA_WORLD_H
#define DTENSOR_RUNTIME_BACKENDS_CUDA_WORLD_H

#include "Gpu.h"
#include "Peers.h"
#include "Store.h"
#include "Worker.h"

#include "../../Core/Rank.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace dtensor::rt::cuda {

inline constexpr double kGraceSeconds = 0.5;
inline constexpr double kAbortSeconds = 8;

/// Threads that abort communicators, of all worlds of the process. One may
/// never come back.
class Aborts {
public:
  static Aborts &get();

  void start(std::function<void()> abort);
  /// Until all have ended, for at most kAbortSeconds.
  void wait();

private:
  Aborts();
  void joinAll();

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::thread> threads;
  int64_t underWay = 0;
};

class World : public Communicator {
public:
  World(const Mesh &mesh, const Job &job);
  ~World() override;

  /// A session drops its captured work by `dropGraphs` when a run has failed.
  /// Memory of the GPUs is given back when the last session is gone; the world
  /// may live on. Hold lockRuns() for both.
  void addSession(const void *session, std::function<void()> dropGraphs) {
    sessions[session] = std::move(dropGraphs);
  }
  void dropSession(const void *session);

  /// Leaves the store: no run can follow, and failures are not noticed.
  void retire();

  const std::vector<int64_t> &getLocalRanks() const { return ranks; }
  /// Of the local rank at `index`.
  Gpu &getGpu(size_t index) { return *gpus[index]; }

  /// Queues the rank's part on its stream; returns before it is done.
  bool join(RankContext &rank, const Group &group,
            const Collective &call) override;
  void fail(int64_t rank, const std::string &message) override;

  /// Calls fn(index) for all local ranks at once, the context current. One
  /// call at a time: hold lockRuns().
  void onAllRanks(const std::function<void(size_t)> &fn);
  std::unique_lock<std::mutex> lockRuns() { return std::unique_lock(running); }

  /// True when the work of the rank is done; false when it never will be.
  bool waitIdle(size_t index);

  bool hasFailed() const { return failed.load(std::memory_order_acquire); }
  bool isLost() const { return lost; }
  /// "rank 1: ..."
  std::string getError();
  /// After a failed run has ended on all local ranks: makes another one
  /// possible where all ranks are in this process.
  void recover();

  /// Sends `bytes` bytes at device address `data` of `owner` to all ranks.
  void broadcast(int64_t owner, void *data, int64_t bytes);

  /// A permutation waits on the host, which no graph can capture.
  bool usesHostWaits() const { return hostWaits; }

private:
  using Comms = std::map<PackedAxes, NcclComm>;
  using PeerGroups = std::map<PackedAxes, std::unique_ptr<Peers>>;

  std::string nameOf(const char *what, const Group &group) const;
  /// Null: the members do not reach each other's memory.
  Peers *getPeers(size_t index, const Group &group);
  void dropPeers();
  NcclComm getComm(size_t index, const Group &group);
  void recordFailure(int64_t rank, const std::string &message);
  void watch();
  void checkAsyncErrors();
  void abortAll();
  void dropGraphs();
  void dropGraphsWhenIdle();
  size_t indexOf(int64_t rank) const;

  Mesh mesh;
  Job job;
  std::shared_ptr<Store> store;
  std::vector<int64_t> ranks;
  std::vector<std::unique_ptr<Gpu>> gpus;
  std::vector<std::unique_ptr<Worker>> workers; // none for the first rank
  std::mutex running;
  std::map<const void *, std::function<void()>> sessions;
  std::unique_ptr<AbortWord> aborting;
  std::vector<PeerGroups> peers; // by local rank, each used by its thread

  std::mutex mutex; // of all below
  std::condition_variable changed;
  std::vector<Comms> comms; // by local rank
  std::string error;
  std::atomic<bool> failed{false};
  std::atomic<bool> hostWaits{false};
  bool aborted = false, lost = false, ending = false;
  std::atomic<bool> isBusy{false}; // local ranks run now
  int64_t generation = 0;          // counts recoveries
  std::thread watchdog;
};

/// The world of a mesh of these sizes, made at first use. Raises when there
/// are too few GPUs, or when the job has another number of processes.
std::shared_ptr<World> getWorld(const Mesh &mesh);

} // namespace dtensor::rt::cuda

#endif // DTENSOR_RUNTIME_BACKENDS_CUDA_WORLD_H
