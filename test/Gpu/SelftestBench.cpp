//===- SelftestBench.cpp - times of what the runtime does -------*- C++ -*-===//
//
// One JSON object a line. A time is the difference between runs of many and of
// few repetitions, over the difference in repetitions; the best of five.
//
//===----------------------------------------------------------------------===//

#include "Selftest.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

using namespace dtensor;
using namespace dtensor::selftest;

namespace {

double secondsOf(Rig &rig, const rt::Session::Body &body, uint64_t key) {
  rt::Session::Options options;
  if (key)
    options.key = {&key, 1};
  auto start = std::chrono::steady_clock::now();
  rig.runChecked(body, "benchmark", options);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

/// Seconds of one call of `once`. With `inGraph` the host's cost is left out.
template <typename Fn>
double timeOf(Rig &rig, int few, int many, bool inGraph, Fn once) {
  static uint64_t lastKey = 1000;
  auto times = [&](int count) {
    return [&, count](rt::RankContext &context) {
      for (int i = 0; i < count; ++i)
        once(context);
    };
  };
  uint64_t fewKey = inGraph ? ++lastKey : 0, manyKey = inGraph ? ++lastKey : 0;
  double best = INFINITY;
  for (int turn = 0; turn < 7; ++turn) {
    double less = secondsOf(rig, times(few), fewKey);
    double more = secondsOf(rig, times(many), manyKey);
    if (turn >= 2)
      best = std::min(best, (more - less) / (many - few));
  }
  return best;
}

void benchReduce(int numGpus) {
  Rig rig({numGpus});
  for (int64_t kib :
       {1, 4, 64, 256, 512, 1024, 2048, 4096, 8192, 16384, 65536, 262144}) {
    int64_t count = kib * 512;
    std::vector<DeviceArray> src, dst;
    for (int64_t rank = 0; rank < rig.numRanks(); ++rank) {
      src.emplace_back(*rig.session, rank,
                       makeRandom(DTENSOR_RT_bf16, {count}, 1));
      dst.emplace_back(*rig.session, rank, makeArray(DTENSOR_RT_bf16, {count}));
    }
    for (bool inGraph : {false, true}) {
      double seconds = timeOf(
          rig, 5, kib > 4096 ? 25 : 105, inGraph,
          [&](rt::RankContext &context) {
            auto rank = static_cast<size_t>(context.getRank());
            Descriptor from = src[rank].describe();
            Descriptor to = dst[rank].describe();
            rt::abi::dtensor_rt_all_reduce(&context, 1, from.get(), to.get(),
                                           pack({0}), 0, DTENSOR_RT_bf16);
          });
      double bytes =
          static_cast<double>(kib) * 1024 * 2 * (numGpus - 1) / numGpus;
      std::printf("{\"bench\": \"all_reduce\", \"KiB\": %lld, \"graph\": %d, "
                  "\"us\": %.2f, \"bus_GBps\": %.1f, \"world\": %d}\n",
                  static_cast<long long>(kib), inGraph, seconds * 1e6,
                  bytes / seconds / 1e9, numGpus);
      std::fflush(stdout);
    }
  }
}

void benchMatmul() {
  Rig rig({1});
  struct Shape {
    int64_t m, n, k;
  };
  for (Shape s : {Shape{8192, 8192, 8192},
                  {4096, 4096, 4096},
                  {16, 8192, 8192},
                  {128, 28672, 8192},
                  {1000, 8192, 14336},
                  {4097, 8192, 8192}}) {
    DeviceArray a(*rig.session, 0, makeRandom(DTENSOR_RT_bf16, {s.m, s.k}, 1));
    DeviceArray b(*rig.session, 0, makeRandom(DTENSOR_RT_bf16, {s.n, s.k}, 2));
    DeviceArray c(*rig.session, 0, makeArray(DTENSOR_RT_bf16, {s.m, s.n}));
    double seconds = timeOf(rig, 5, 25, true, [&](rt::RankContext &context) {
      Descriptor va = a.describe(), vb = b.describe(), vc = c.describe();
      rt::abi::dtensor_rt_matmul(&context, 2, va.get(), vb.get(), vc.get(), 0,
                                 1, DTENSOR_RT_bf16, DTENSOR_RT_bf16, 0,
                                 nullptr, nullptr, 0);
    });
    double flops = 2.0 * static_cast<double>(s.m) * static_cast<double>(s.n) *
                   static_cast<double>(s.k);
    double bytes = 2.0 * static_cast<double>(s.n * s.k + s.m * (s.k + s.n));
    std::printf(
        "{\"bench\": \"matmul\", \"m\": %lld, \"n\": %lld, \"k\": %lld, "
        "\"us\": %.1f, \"tflops\": %.1f, \"TBps\": %.2f}\n",
        static_cast<long long>(s.m), static_cast<long long>(s.n),
        static_cast<long long>(s.k), seconds * 1e6, flops / seconds / 1e12,
        bytes / seconds / 1e12);
    std::fflush(stdout);
  }
}

void benchAttention() {
  Rig rig({1});
  for (int64_t depth : {64, 128})
    for (int64_t rows : {128, 1000, 2048, 8192})
      for (bool causal : {false, true}) {
        int64_t heads = 32, kvHeads = 4;
        DeviceArray q(*rig.session, 0,
                      makeRandom(DTENSOR_RT_bf16, {heads, rows, depth}, 1));
        DeviceArray k(*rig.session, 0,
                      makeRandom(DTENSOR_RT_bf16, {kvHeads, rows, depth}, 2));
        DeviceArray v(*rig.session, 0,
                      makeRandom(DTENSOR_RT_bf16, {kvHeads, rows, depth}, 3));
        DeviceArray out(*rig.session, 0,
                        makeArray(DTENSOR_RT_bf16, {heads, rows, depth}));
        double seconds =
            timeOf(rig, 5, 25, true, [&](rt::RankContext &context) {
              Descriptor a = q.describe(), b = k.describe(), c = v.describe(),
                         d = out.describe();
              rt::abi::dtensor_rt_attention(&context, a.get(), b.get(), c.get(),
                                            d.get(), 3, DTENSOR_RT_bf16, 0.1,
                                            causal, 0, rows, nullptr);
            });
        double flops = 4.0 * static_cast<double>(heads * depth) *
                       static_cast<double>(rows) * static_cast<double>(rows) /
                       (causal ? 2 : 1);
        std::printf("{\"bench\": \"attention\", \"T\": %lld, \"depth\": %lld, "
                    "\"causal\": %d, \"us\": %.1f, \"tflops\": %.1f}\n",
                    static_cast<long long>(rows), static_cast<long long>(depth),
                    causal, seconds * 1e6, flops / seconds / 1e12);
        std::fflush(stdout);
      }
}

void benchCopies() {
  Rig rig({1});
  int64_t rows = 16384, cols = 16384;
  DeviceArray src(*rig.session, 0,
                  makeRandom(DTENSOR_RT_bf16, {rows, cols}, 1));
  DeviceArray dst(*rig.session, 0, makeArray(DTENSOR_RT_bf16, {rows, cols}));
  struct Kind {
    const char *name;
    std::vector<int64_t> sizes, from, to;
  };
  for (const Kind &kind :
       {Kind{"packed", {rows, cols}, {cols, 1}, {cols, 1}},
        {"rows", {rows, cols - 64}, {cols, 1}, {cols, 1}},
        {"heads", {128, rows, 128}, {128, cols, 1}, {rows * 128, 128, 1}},
        {"transposed", {rows, cols}, {1, rows}, {cols, 1}}}) {
    double seconds = timeOf(rig, 3, 13, true, [&](rt::RankContext &context) {
      Descriptor from(src.get(), kind.sizes, kind.from);
      Descriptor to(dst.get(), kind.sizes, kind.to);
      rt::abi::dtensor_rt_copy(&context,
                               static_cast<int64_t>(kind.sizes.size()),
                               from.get(), to.get(), DTENSOR_RT_bf16);
    });
    double bytes = 4;
    for (int64_t size : kind.sizes)
      bytes *= static_cast<double>(size);
    std::printf("{\"bench\": \"copy\", \"kind\": \"%s\", \"us\": %.1f, "
                "\"TBps\": %.2f}\n",
                kind.name, seconds * 1e6, bytes / seconds / 1e12);
    std::fflush(stdout);
  }
}

/// Wall time of a run of one small call, the wait included.
void benchHost(int numGpus) {
  for (int n : {1, numGpus}) {
    Rig rig({n});
    std::vector<DeviceArray> all;
    for (int64_t rank = 0; rank < rig.numRanks(); ++rank)
      all.emplace_back(*rig.session, rank, makeArray(DTENSOR_RT_f32, {64}));
    for (bool inGraph : {false, true}) {
      double best = INFINITY;
      for (int i = 0; i < 200; ++i)
        best =
            std::min(best, secondsOf(
                               rig,
                               [&](rt::RankContext &context) {
                                 auto rank =
                                     static_cast<size_t>(context.getRank());
                                 Descriptor to = all[rank].describe();
                                 rt::abi::dtensor_rt_fill(&context, 1, to.get(),
                                                          DTENSOR_RT_f32, 0);
                               },
                               inGraph ? 7 : 0));
      std::printf("{\"bench\": \"one_call\", \"graph\": %d, \"us\": %.2f, "
                  "\"world\": %d}\n",
                  inGraph, best * 1e6, n);
      std::fflush(stdout);
    }
  }
}

} // namespace

void selftest::benchmark(int numGpus) {
  benchHost(numGpus);
  benchCopies();
  benchMatmul();
  benchAttention();
  if (numGpus > 1)
    benchReduce(numGpus);
}
