//===- SelftestProcesses.cpp - one process per GPU --------------*- C++ -*-===//
//
// Runs where a launcher's environment says that there are several processes, as
// processes.py does.
//
// With --kill or --stop the process of rank 1 kills or stops itself while the
// others wait for it on their GPUs; all of them must end with its name in time.
// One that stopped itself is to be killed by who started it.
//
//===----------------------------------------------------------------------===//

#include "Selftest.h"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <thread>
#include <unistd.h>

using namespace dtensor;
using namespace dtensor::selftest;

namespace {

double valueOf(int64_t rank, int64_t i) {
  return static_cast<double>(rank * 3 + i % 7);
}

struct Reduction {
  Rig &rig;
  int64_t rank;
  int64_t count;
  DeviceArray src, dst;

  static HostArray contents(int64_t rank, int64_t count) {
    HostArray array = makeArray(DTENSOR_RT_f32, {count});
    for (int64_t i = 0; i < count; ++i)
      run::setElement(array, i, valueOf(rank, i));
    return array;
  }

  Reduction(Rig &rig, int64_t count)
      : rig(rig), rank(rig.session->getLocalRanks()[0]), count(count),
        src(*rig.session, rank, contents(rank, count)),
        dst(*rig.session, rank, makeArray(DTENSOR_RT_f32, {count})) {}

  std::string run(uint64_t key) {
    Descriptor from = src.describe(), to = dst.describe();
    rt::Session::Options options;
    if (key)
      options.key = {&key, 1};
    return rig.run(
        [&](rt::RankContext &context) {
          rt::abi::dtensor_rt_all_reduce(&context, 1, from.get(), to.get(), 1,
                                         0, DTENSOR_RT_f32);
        },
        options);
  }

  std::vector<double> wanted() const {
    std::vector<double> all(static_cast<size_t>(count));
    for (int64_t q = 0; q < rig.numRanks(); ++q)
      for (int64_t i = 0; i < count; ++i)
        all[static_cast<size_t>(i)] += valueOf(q, i);
    return all;
  }
};

void testLostProcess(Rig &rig, int signal, bool inGraph) {
  Reduction reduction(rig, 1 << 20);
  uint64_t key = inGraph ? 5 : 0;
  for (int turn = 0; turn < 4; ++turn)
    check(reduction.run(key).empty(), "before a process is lost");
  if (reduction.rank == 1) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    kill(getpid(), signal);
  }
  auto start = std::chrono::steady_clock::now();
  std::string error = reduction.run(key);
  double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  std::printf("rank %lld after %.2f s: %s\n",
              static_cast<long long>(reduction.rank), seconds, error.c_str());
  std::string wanted = signal == SIGKILL
                           ? "rank 1: its process ended"
                           : "rank 1: its process does not answer";
  check(error == wanted, "lost process: " + error);
  check(seconds < 10, rt::concat("a lost process took ", seconds, " s"));
  error = reduction.run(key);
  check(error == wanted, "a later run: " + error);
}

} // namespace

/// Short messages go as packets, long ones as streams.
static void testReductions(Rig &rig, int64_t count) {
  Reduction reduction(rig, count);
  // Every process gets what any rank holds, all of them in one order.
  auto read = [&](int64_t owner, const DeviceArray &array) {
    HostArray all = makeArray(DTENSOR_RT_f32, {count});
    rig.session->download(owner, all.data.get(),
                          owner == reduction.rank ? array.get() : nullptr,
                          all.numBytes());
    return all;
  };
  auto graph = static_cast<uint64_t>(count);
  for (uint64_t key : {uint64_t(0), uint64_t(0), graph, graph, graph, graph}) {
    std::string error = reduction.run(key);
    check(error.empty(), "all_reduce among processes: " + error);
    for (int64_t owner = 0; owner < rig.numRanks(); ++owner)
      checkClose(read(owner, reduction.dst), reduction.wanted(), 0,
                 "all_reduce among processes");
  }
  for (int64_t owner = 0; owner < rig.numRanks(); ++owner)
    checkClose(read(owner, reduction.src),
               values(Reduction::contents(owner, count)), 0,
               "download from another process");
}

void selftest::testProcesses(int64_t numProcesses, int signal, bool inGraph) {
  // One after the other on the same mesh, and one beside it on another one.
  for (int turn = 0; turn < 2; ++turn) {
    Rig rig({numProcesses});
    if (signal)
      return testLostProcess(rig, signal, inGraph);
    testReductions(rig, 1000);
    Rig other({numProcesses, 1});
    testReductions(other, 300001);
  }
}
