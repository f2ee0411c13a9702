//===- Sim.cpp - N ranks are N threads of one process -----------*- C++ -*-===//
//
// A mesh of one runs on the caller's thread.
//
//===----------------------------------------------------------------------===//

#include "../../Core/Backend.h"
#include "../../Core/Error.h"
#include "Rendezvous.h"

#include <condition_variable>
#include <mutex>
#include <numeric>
#include <system_error>
#include <thread>

using namespace dtensor::rt;

namespace {

class SimBackend : public Backend {
public:
  const char *getName() const override { return "sim"; }
  const char *getTarget() const override { return "cpu"; }
  int64_t getMaxRanks() const override { return 1024; }

  std::unique_ptr<Session> open(const Mesh &mesh,
                                const LoadedBundle *) override;
};

class SimSession : public Session {
public:
  explicit SimSession(const Mesh &mesh) : mesh(mesh) {}

  std::vector<int64_t> getLocalRanks() const override {
    std::vector<int64_t> ranks(mesh.numRanks());
    std::iota(ranks.begin(), ranks.end(), 0);
    return ranks;
  }
  std::vector<dtensor_rt_rank_stats> run(const Prepare &prepare,
                                         const Body &body,
                                         const Options &options) override;

private:
  const Mesh &mesh;
};

/// Ranks start together, so that the time of a rank does not contain what
/// another one spends on its preparation.
class StartGate {
public:
  explicit StartGate(int64_t numRanks) : missing(numRanks) {}

  /// Waits for all ranks; false when one of them will not come.
  bool pass() {
    std::unique_lock<std::mutex> lock(mutex);
    if (--missing == 0)
      changed.notify_all();
    changed.wait(lock, [&] { return missing == 0 || cancelled; });
    return !cancelled;
  }

  void cancel() {
    std::lock_guard<std::mutex> lock(mutex);
    cancelled = true;
    changed.notify_all();
  }

private:
  std::mutex mutex;
  std::condition_variable changed;
  int64_t missing;
  bool cancelled = false;
};

/// One run of all ranks.
struct World {
  const Mesh &mesh;
  const Session::Prepare &prepare;
  const Session::Body &body;
  sim::Rendezvous rendezvous{mesh};
  StartGate gate{mesh.numRanks()};
  std::vector<dtensor_rt_rank_stats> stats =
      std::vector<dtensor_rt_rank_stats>(mesh.numRanks());

  /// A rank that never runs.
  void giveUp(int64_t rank, const std::string &message) {
    rendezvous.fail(rank, message);
    gate.cancel();
  }

  bool prepareRank(int64_t rank) {
    try {
      prepare(rank);
    } catch (const std::bad_alloc &) {
      giveUp(rank, "out of memory");
    } catch (const std::exception &error) {
      giveUp(rank, error.what());
    }
    return gate.pass();
  }

  /// A rank that fails finishes too, but after the failure is recorded.
  void runRank(int64_t rank) noexcept {
    if (!prepareRank(rank))
      return;
    RankContext context(mesh, rank, rendezvous);
    context.run(body);
    stats[rank] = context.getStats();
    rendezvous.finish(rank);
  }
};

std::unique_ptr<Session> SimBackend::open(const Mesh &mesh,
                                          const LoadedBundle *) {
  return std::make_unique<SimSession>(mesh);
}

std::vector<dtensor_rt_rank_stats>
SimSession::run(const Prepare &prepare, const Body &body, const Options &) {
  World world{mesh, prepare, body};
  std::vector<std::thread> threads;
  int64_t numRanks = mesh.numRanks();
  for (int64_t rank = 1; rank < numRanks; ++rank) {
    try {
      threads.emplace_back([&world, rank] { world.runRank(rank); });
    } catch (const std::system_error &error) {
      world.giveUp(rank, concat("cannot start a thread: ", error.what()));
      break;
    }
  }
  world.runRank(0);
  for (std::thread &thread : threads)
    thread.join();
  std::string error = world.rendezvous.getError();
  if (!error.empty())
    raise(DTENSOR_RT_RUN_FAILED, error);
  return world.stats;
}

} // namespace

Backend &dtensor::rt::getSimBackend() {
  static SimBackend backend;
  return backend;
}
