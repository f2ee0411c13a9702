//===- RelayBackendTest.cpp - a backend as small as it gets -----*- C++ -*-===//
//
// The example of docs/adding-a-backend.md: ranks are threads, and the last one
// that comes to a collective does the work of all.
//
//===----------------------------------------------------------------------===//

#include "../../../lib/Runtime/Core/Backend.h"
#include "../../../lib/Runtime/Core/Error.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <numeric>
#include <thread>

using namespace dtensor::rt;
using testing::Each;
using testing::HasSubstr;

namespace {

class Relay : public Communicator {
public:
  bool join(RankContext &, const Group &group,
            const Collective &call) override {
    std::unique_lock<std::mutex> lock(mutex);
    Meeting &meeting = meetings[{group.axes, group.first}];
    if (!error.empty())
      return false;
    meeting.calls.resize(group.members.size());
    meeting.calls[group.position] = &call;
    if (++meeting.arrived == group.size()) {
      checkTogether(meeting.calls, group.members);
      for (int64_t member = 0; member < group.size(); ++member)
        execute(meeting.calls, member);
      meeting.arrived = 0;
      ++meeting.step;
      changed.notify_all();
      return true;
    }
    uint64_t step = meeting.step;
    changed.wait(lock, [&] { return meeting.step != step || !error.empty(); });
    return meeting.step != step;
  }

  void fail(int64_t rank, const std::string &message) override {
    std::lock_guard<std::mutex> lock(mutex);
    if (error.empty())
      error = concat("rank ", rank, ": ", message);
    changed.notify_all();
  }

  /// Empty while nothing failed.
  const std::string &getError() const { return error; }

private:
  struct Meeting {
    std::vector<const Collective *> calls;
    int64_t arrived = 0;
    uint64_t step = 0;
  };

  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::pair<PackedAxes, int64_t>, Meeting> meetings;
  std::string error;
};

class RelaySession : public Session {
public:
  explicit RelaySession(const Mesh &mesh) : mesh(mesh) {}

  std::vector<int64_t> getLocalRanks() const override {
    std::vector<int64_t> ranks(mesh.numRanks());
    std::iota(ranks.begin(), ranks.end(), 0);
    return ranks;
  }

  using Session::run;
  std::vector<dtensor_rt_rank_stats>
  run(const Prepare &prepare, const Body &body, const Options &) override {
    Relay relay;
    std::vector<dtensor_rt_rank_stats> stats(mesh.numRanks());
    std::vector<std::thread> threads;
    for (int64_t rank : getLocalRanks()) {
      prepare(rank);
      threads.emplace_back([&, rank] {
        RankContext context(mesh, rank, relay);
        context.run(body);
        stats[rank] = context.getStats();
      });
    }
    for (std::thread &thread : threads)
      thread.join();
    if (!relay.getError().empty())
      raise(DTENSOR_RT_RUN_FAILED, relay.getError());
    return stats;
  }

private:
  const Mesh &mesh;
};

class RelayBackend : public Backend {
public:
  const char *getName() const override { return "relay"; }
  const char *getTarget() const override { return "cpu"; }
  int64_t getMaxRanks() const override { return 64; }
  std::unique_ptr<Session> open(const Mesh &mesh,
                                const LoadedBundle *) override {
    return std::make_unique<RelaySession>(mesh);
  }
};

} // namespace

/// The sum of `value` over axis 0, or what the rank has when it was released.
static float sumOverRanks(RankContext &rank, float value) {
  float sum = 0;
  int64_t sizes[] = {1};
  Collective call(CollectiveKind::AllReduce);
  call.src = rowMajorView(&value, DTENSOR_RT_f32, 1, sizes);
  call.dst = rowMajorView(&sum, DTENSOR_RT_f32, 1, sizes);
  call.axes = packAxis(0, 0, 0);
  return rank.collective(call) ? sum : value;
}

TEST(RelayBackend, SumsOverAllRanks) {
  for (int64_t size : {2, 3, 8}) {
    Mesh mesh = {{"x"}, {size}};
    std::vector<float> sums(size);
    RelayBackend backend;
    auto stats = backend.open(mesh, nullptr)
                     ->run([](int64_t) {},
                           [&](RankContext &rank) {
                             float value = static_cast<float>(rank.getRank());
                             for (int step = 0; step < 10; ++step)
                               sums[rank.getRank()] = sumOverRanks(rank, value);
                           });
    int64_t sum = size * (size - 1) / 2;
    EXPECT_THAT(sums, Each(static_cast<float>(sum)));
    EXPECT_EQ(stats.size(), sums.size());
  }
}

TEST(RelayBackend, AFailureReleasesTheOthers) {
  Mesh mesh = {{"x"}, {3}};
  RelayBackend backend;
  auto session = backend.open(mesh, nullptr);
  auto body = [](RankContext &rank) {
    if (rank.getRank() == 1)
      rank.fail("no");
    else
      sumOverRanks(rank, 1);
  };
  try {
    session->run([](int64_t) {}, body);
    FAIL();
  } catch (const Error &error) {
    EXPECT_THAT(error.what(), HasSubstr("rank 1: no"));
  }
}
