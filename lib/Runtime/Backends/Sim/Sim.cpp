//===- Sim.cpp - N ranks are N threads of one process -----------*- C++ -*-===//
//
// A mesh of one runs on the caller's thread.
//
//===----------------------------------------------------------------------===//

#include "../../Core/Backend.h"
#include "../../Core/Error.h"
#include "Rendezvous.h"

#include <system_error>
#include <thread>

using namespace dtensor::rt;

namespace {

class SimBackend : public Backend {
public:
  const char *getName() const override { return "sim"; }
  const char *getTarget() const override { return "cpu"; }
  int64_t getMaxRanks() const override { return 1024; }

  std::vector<dtensor_rt_rank_stats> run(const Mesh &mesh,
                                         const Prepare &prepare,
                                         const Body &body) override;
};

/// One run of all ranks.
struct World {
  const Mesh &mesh;
  const Backend::Prepare &prepare;
  const Backend::Body &body;
  sim::Rendezvous rendezvous{mesh};
  std::vector<dtensor_rt_rank_stats> stats =
      std::vector<dtensor_rt_rank_stats>(mesh.numRanks());

  /// A rank that fails finishes too, but after the failure is recorded.
  void runRank(int64_t rank) noexcept {
    try {
      prepare(rank);
      RankContext context(mesh, rank, rendezvous);
      context.run(body);
      stats[rank] = context.getStats();
    } catch (const std::bad_alloc &) {
      rendezvous.fail(rank, "out of memory");
    } catch (const std::exception &error) {
      rendezvous.fail(rank, error.what());
    }
    rendezvous.finish(rank);
  }
};

std::vector<dtensor_rt_rank_stats>
SimBackend::run(const Mesh &mesh, const Prepare &prepare, const Body &body) {
  World world{mesh, prepare, body};
  std::vector<std::thread> threads;
  int64_t numRanks = mesh.numRanks();
  for (int64_t rank = 1; rank < numRanks; ++rank) {
    try {
      threads.emplace_back([&world, rank] { world.runRank(rank); });
    } catch (const std::system_error &error) {
      world.rendezvous.fail(rank, concat("cannot start a thread: ",
                                         error.what()));
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
