//===- SelftestCollectives.cpp - collectives, graphs, failures --*- C++ -*-===//

#include "SelftestExchange.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <numeric>
#include <random>
#include <thread>

using namespace dtensor;
using namespace dtensor::selftest;

namespace {

std::vector<Case> casesOf(int numGpus) {
  std::vector<Case> cases;
  for (int64_t n = 1; n <= numGpus; ++n)
    cases.push_back({{n}, {0}});
  if (numGpus >= 2) {
    cases.push_back({{2, 1}, {0}});
    cases.push_back({{1, 2}, {0, 1}});
  }
  if (numGpus >= 4)
    for (Axes axes : {Axes{0}, {1}, {0, 1}, {1, 0}})
      cases.push_back({{2, 2}, axes});
  return cases;
}

const int32_t kTypes[] = {DTENSOR_RT_f64,  DTENSOR_RT_f32, DTENSOR_RT_f16,
                          DTENSOR_RT_bf16, DTENSOR_RT_i64, DTENSOR_RT_i32,
                          DTENSOR_RT_i16,  DTENSOR_RT_i8,  DTENSOR_RT_i1};
const rt::Reduce kKinds[] = {rt::Reduce::Sum, rt::Reduce::Max, rt::Reduce::Min,
                             rt::Reduce::Product};

void testCase(const Case &test) {
  Rig rig(test.mesh);
  for (int32_t dtype : kTypes)
    for (rt::Reduce kind : kKinds) {
      runOne(rig, makeReduce(rig, test, dtype, kind, 37));
      if (!isQuick)
        runOne(rig, makeReduceScatter(rig, test, dtype, kind, 0, 5, 1));
    }
  runOne(rig, makeReduce(rig, test, DTENSOR_RT_f32, rt::Reduce::Sum, 0));
  runOne(rig, makeReduce(rig, test, DTENSOR_RT_bf16, rt::Reduce::Max, 100003));
  for (int64_t dim : {0, 1, 2})
    for (int64_t extent : {0, 1, 2, 3, 5, 8, 13})
      for (int64_t unit : {1, 3}) {
        runOne(rig, makeGather(rig, test, DTENSOR_RT_bf16, dim, extent, unit));
        runOne(rig, makeReduceScatter(rig, test, DTENSOR_RT_f32,
                                      rt::Reduce::Sum, dim, extent, unit));
        runOne(rig, makeReduceScatter(rig, test, DTENSOR_RT_f32,
                                      rt::Reduce::Max, dim, extent, unit));
      }
  for (int64_t gatherDim : {0, 1, 2})
    for (int64_t splitDim : {0, 1, 2})
      for (auto [gathered, split] : {std::pair<int64_t, int64_t>{8, 8},
                                     {7, 5},
                                     {1, 3},
                                     {3, 1},
                                     {0, 4},
                                     {4, 0}})
        if (gatherDim != splitDim)
          runOne(rig, makeAllToAll(rig, test, DTENSOR_RT_i16, gatherDim,
                                   splitDim, gathered, split));
  runOne(rig, makePermute(rig, test));
}

} // namespace

void selftest::testCollectives(int numGpus) {
  for (const Case &test : casesOf(numGpus))
    testCase(test);
}

//===----------------------------------------------------------------------===//
// Any calls in any order
//===----------------------------------------------------------------------===//

namespace {

/// Draws calls on one mesh, over any of its axes.
class Storm {
public:
  Storm(Rig &rig, std::mt19937 &random) : rig(rig), random(random) {}

  Exchange draw() {
    Case test = {rig.mesh.sizes, drawAxes()};
    int32_t dtype = kTypes[pick(std::size(kTypes))];
    rt::Reduce kind = kKinds[pick(2)];
    int64_t dim = pick(3), other = (dim + 1 + pick(2)) % 3;
    switch (pick(4)) {
    case 0:
      return makeGather(rig, test, dtype, dim, pick(50), 1 + pick(3));
    case 1:
      return makeReduceScatter(rig, test, dtype, kind, dim, pick(50),
                               1 + pick(3));
    case 2:
      return makeAllToAll(rig, test, dtype, dim, other, pick(50), pick(50));
    default:
      return makeReduce(rig, test, dtype, kind,
                        pick(8) ? pick(3000) : pick(200000));
    }
  }

private:
  int64_t pick(int64_t count) {
    return std::uniform_int_distribution<int64_t>(0, count - 1)(random);
  }

  /// Some, major and minor as it comes.
  Axes drawAxes() {
    Axes axes(rig.mesh.sizes.size());
    std::iota(axes.begin(), axes.end(), 0);
    std::shuffle(axes.begin(), axes.end(), random);
    axes.resize(
        static_cast<size_t>(1 + pick(static_cast<int64_t>(axes.size()))));
    return axes;
  }

  Rig &rig;
  std::mt19937 &random;
};

/// All ways to lay `count` ranks out over up to three axes.
std::vector<Sizes> meshesOf(int64_t count) {
  std::vector<Sizes> meshes = {{count}};
  for (int64_t a = 1; a <= count; ++a)
    for (int64_t b = 1; count % a == 0 && b <= count / a; ++b)
      if (count / a % b == 0)
        meshes.push_back({a, b, count / a / b});
  return meshes;
}

} // namespace

/// Calls over different groups of ranks lie behind each other in one run; no
/// rank may wait for a group that waits for it.
void selftest::testStorm(int numGpus, int64_t numCalls) {
  constexpr int64_t kCallsInRun = 20;
  std::mt19937 random(2026);
  std::vector<std::unique_ptr<Rig>> rigs;
  for (int64_t count = 1; count <= numGpus; ++count)
    for (const Sizes &mesh : meshesOf(count))
      rigs.push_back(std::make_unique<Rig>(mesh));
  for (int64_t done = 0; done < numCalls; done += kCallsInRun) {
    Rig &rig = *rigs[random() % rigs.size()];
    Storm storm(rig, random);
    std::vector<Exchange> exchanges;
    for (int64_t i = 0; i < kCallsInRun; ++i)
      exchanges.push_back(storm.draw());
    runAll(rig, exchanges);
  }
}

//===----------------------------------------------------------------------===//
// Graphs and failures
//===----------------------------------------------------------------------===//

namespace {

/// A sum over all ranks of transposed tensors, run with one key: the first run
/// is queued, the second captured, all others replayed.
class GraphedSum {
public:
  explicit GraphedSum(const Case &test)
      : test(test), rig(test.mesh), exchange(rig, DTENSOR_RT_f32, "graph") {
    for (int64_t rank = 0; rank < rig.numRanks(); ++rank)
      exchange.add({50, 20}, pattern(1000, rank, false), {50, 20});
  }

  /// Each turn has other contents, which the run must see.
  void runTurn(int64_t turn) {
    std::vector<std::vector<double>> all;
    for (int64_t rank = 0; rank < rig.numRanks(); ++rank) {
      all.push_back(pattern(1000, rank + 10 * turn, false));
      exchange.src[static_cast<size_t>(rank)].write(
          fromValues(DTENSOR_RT_f32, {50, 20}, all.back()));
    }
    const uint64_t key[] = {1, 2, 3};
    rt::Session::Options options;
    options.key = key;
    std::string what = rt::concat("graph, turn ", turn);
    rig.runChecked([&](rt::RankContext &context) { queue(context); }, what,
                   options);
    for (int64_t rank = 0; rank < rig.numRanks(); ++rank)
      checkClose(exchange.dst[static_cast<size_t>(rank)].read(),
                 reduced(test, rank, rt::Reduce::Sum, DTENSOR_RT_f32, all), 0,
                 what);
  }

private:
  void queue(rt::RankContext &context) {
    auto rank = static_cast<size_t>(context.getRank());
    Descriptor from = exchange.src[rank].describe();
    Descriptor to = exchange.dst[rank].describe();
    void *temporary = rt::abi::dtensor_rt_alloc(4000, 64);
    Descriptor between(temporary, {50, 20}, {1, 50});
    rt::abi::dtensor_rt_copy(&context, 2, from.get(), between.get(),
                             DTENSOR_RT_f32);
    rt::abi::dtensor_rt_all_reduce(&context, 2, between.get(), to.get(),
                                   pack({0}), 0, DTENSOR_RT_f32);
    rt::abi::dtensor_rt_free(temporary);
  }

  Case test;
  Rig rig;
  Exchange exchange;
};

} // namespace

void selftest::testGraphs(int numGpus) {
  GraphedSum sum({{numGpus}, {0}});
  for (int64_t turn = 0; turn < 5; ++turn)
    sum.runTurn(turn);
}

/// One rank fails while the others wait for it on the GPU; all end in time, and
/// the next run works, also that of a graph which another session captured.
void selftest::testFailures(int numGpus) {
  if (numGpus < 2)
    return;
  Case test = {{numGpus}, {0}};
  Rig rig(test.mesh);
  runOne(rig, makeReduce(rig, test, DTENSOR_RT_f32, rt::Reduce::Sum, 100));
  GraphedSum bystander(test);
  int64_t turn = 0;
  for (; turn < 3; ++turn)
    bystander.runTurn(turn);
  Exchange exchange(rig, DTENSOR_RT_f32, "failure");
  for (int64_t rank = 0; rank < rig.numRanks(); ++rank)
    exchange.add({1 << 20}, pattern(1 << 20, rank, false), {1 << 20});
  std::vector<Descriptor> from, to;
  for (int64_t rank = 0; rank < rig.numRanks(); ++rank) {
    from.push_back(exchange.src[static_cast<size_t>(rank)].describe());
    to.push_back(exchange.dst[static_cast<size_t>(rank)].describe());
  }
  // At once, and when the others wait on the GPU already.
  for (int milliseconds : {0, 300}) {
    auto start = std::chrono::steady_clock::now();
    std::string error = rig.run([&](rt::RankContext &context) {
      auto rank = static_cast<size_t>(context.getRank());
      static char message[] = "extent {0} is not {1}";
      if (rank == 1) {
        std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
        rt::abi::dtensor_rt_fail(&context, message, 3, 4);
      }
      // A rank may leave here by a jump: nothing below owns anything.
      rt::abi::dtensor_rt_all_reduce(&context, 1, from[rank].get(),
                                     to[rank].get(), 1, 0, DTENSOR_RT_f32);
    });
    double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
            .count();
    check(error == "rank 1: extent 3 is not 4", "failing rank: " + error);
    check(seconds < 10, rt::concat("a failure took ", seconds, " s"));
    runOne(rig, makeReduce(rig, test, DTENSOR_RT_f32, rt::Reduce::Sum, 100));
    for (int i = 0; i < 3; ++i)
      bystander.runTurn(turn++);
  }
}
