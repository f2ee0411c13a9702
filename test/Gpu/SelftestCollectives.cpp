//===- SelftestCollectives.cpp - collectives, graphs, failures --*- C++ -*-===//

#include "Selftest.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

using namespace dtensor;
using namespace dtensor::selftest;

namespace {

using Sizes = std::vector<int64_t>;
using Axes = std::vector<unsigned>;

struct Case {
  Sizes mesh;
  Axes axes;
};

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

Sizes coordsOf(const Sizes &mesh, int64_t rank) {
  Sizes coords(mesh.size());
  for (size_t a = mesh.size(); a-- > 0; rank /= mesh[a])
    coords[a] = rank % mesh[a];
  return coords;
}

int64_t rankOf(const Sizes &mesh, const Sizes &coords) {
  int64_t rank = 0;
  for (size_t a = 0; a < mesh.size(); ++a)
    rank = rank * mesh[a] + coords[a];
  return rank;
}

Sizes groupOf(const Case &test, int64_t rank) {
  Sizes members, base = coordsOf(test.mesh, rank);
  int64_t count = 1;
  for (unsigned axis : test.axes)
    count *= test.mesh[axis];
  for (int64_t i = 0; i < count; ++i) {
    Sizes coords = base;
    int64_t rest = i;
    for (size_t a = test.axes.size(); a-- > 0;) {
      coords[test.axes[a]] = rest % test.mesh[test.axes[a]];
      rest /= test.mesh[test.axes[a]];
    }
    members.push_back(rankOf(test.mesh, coords));
  }
  return members;
}

/// What a rank holds of [0, extent), cut by the axes one after the other.
std::pair<int64_t, int64_t> pieceOf(const Case &test, int64_t rank,
                                    int64_t extent, int64_t unit) {
  Sizes coords = coordsOf(test.mesh, rank);
  int64_t offset = 0, size = extent;
  for (unsigned axis : test.axes) {
    int64_t n = test.mesh[axis], units = (size + unit - 1) / unit;
    int64_t chunk = unit * ((units + n - 1) / n);
    int64_t begin = std::min(size, coords[axis] * chunk);
    offset += begin;
    size = std::min(size - begin, chunk);
  }
  return {offset, size};
}

/// Rows before, extent of and columns behind dimension `dim` of three.
Sizes shapeWith(Sizes shape, int64_t dim, int64_t extent) {
  shape[static_cast<size_t>(dim)] = extent;
  return shape;
}

/// Copies [offset, offset + size) of `dim` of a 3-d array.
std::vector<double> sliceOf(const std::vector<double> &all, const Sizes &shape,
                            int64_t dim, int64_t offset, int64_t size) {
  std::vector<double> part;
  Sizes begin(3, 0), end = shape;
  begin[dim] = offset;
  end[dim] = offset + size;
  for (int64_t i = begin[0]; i < end[0]; ++i)
    for (int64_t j = begin[1]; j < end[1]; ++j)
      for (int64_t k = begin[2]; k < end[2]; ++k)
        part.push_back(all[(i * shape[1] + j) * shape[2] + k]);
  return part;
}

HostArray fromValues(int32_t dtype, const Sizes &shape,
                     const std::vector<double> &all) {
  HostArray array = makeArray(dtype, shape);
  for (size_t i = 0; i < all.size(); ++i)
    run::setElement(array, static_cast<int64_t>(i), all[i]);
  return array;
}

/// Small integers, exact in every type.
std::vector<double> pattern(int64_t count, int64_t seed, bool isTruth) {
  std::vector<double> all;
  for (int64_t i = 0; i < count; ++i) {
    int64_t value = (seed * 7 + i * 3 + seed * i + i / 11) % 5 - 2;
    all.push_back(static_cast<double>(isTruth ? value & 1 : value));
  }
  return all;
}

int64_t product(const Sizes &shape) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

/// Sources and destinations of all ranks, and the run over them.
class Exchange {
public:
  Exchange(Rig &rig, int32_t dtype) : rig(rig), dtype(dtype) {}

  void add(const Sizes &srcShape, const std::vector<double> &contents,
           const Sizes &dstShape) {
    auto rank = static_cast<int64_t>(src.size());
    src.emplace_back(*rig.session, rank, fromValues(dtype, srcShape, contents));
    dst.emplace_back(*rig.session, rank, makeArray(dtype, dstShape));
  }

  template <typename Fn>
  void run(const std::string &what, Fn fn) {
    rig.runChecked(
        [&](rt::RankContext &context) {
          auto rank = static_cast<size_t>(context.getRank());
          Descriptor from = src[rank].describe(), to = dst[rank].describe();
          fn(&context, context.getRank(), from.get(), to.get());
        },
        what);
  }

  Rig &rig;
  int32_t dtype;
  std::vector<DeviceArray> src, dst;
};

std::string nameOf(const char *what, const Case &test, int32_t dtype,
                   int64_t dim, int64_t extent, int64_t unit) {
  std::string mesh, axes;
  for (int64_t size : test.mesh)
    mesh += std::to_string(size) + " ";
  for (unsigned axis : test.axes)
    axes += std::to_string(axis) + " ";
  return rt::concat(what, " ", dtensor_rt_dtype_name(dtype), " mesh ", mesh,
                    "axes ", axes, "dim ", dim, " extent ", extent, " unit ",
                    unit);
}

void testGather(Rig &rig, const Case &test, int32_t dtype, int64_t dim,
                int64_t extent, int64_t unit) {
  Exchange exchange(rig, dtype);
  Sizes shape = shapeWith({2, 3, 4}, dim, extent);
  std::vector<double> all = pattern(product(shape), 1, dtype == DTENSOR_RT_i1);
  for (int64_t rank = 0; rank < rig.numRanks(); ++rank) {
    auto [offset, size] = pieceOf(test, rank, extent, unit);
    exchange.add(shapeWith(shape, dim, size),
                 sliceOf(all, shape, dim, offset, size), shape);
  }
  std::string what = nameOf("all_gather", test, dtype, dim, extent, unit);
  exchange.run(what, [&](void *ctx, int64_t, void *from, void *to) {
    rt::abi::dtensor_rt_all_gather(ctx, 3, from, to, dim, unit, pack(test.axes),
                                   dtype);
  });
  for (DeviceArray &array : exchange.dst)
    checkClose(array.read(), all, 0, what);
}

double combine(rt::Reduce kind, double a, double b, int32_t dtype) {
  if (dtype == DTENSOR_RT_i1)
    return kind == rt::Reduce::Sum || kind == rt::Reduce::Max
               ? (a != 0 || b != 0)
               : (a != 0 && b != 0);
  switch (kind) {
  case rt::Reduce::Sum:
    return a + b;
  case rt::Reduce::Max:
    return std::isnan(a) || std::isnan(b) ? NAN : std::max(a, b);
  case rt::Reduce::Min:
    return std::isnan(a) || std::isnan(b) ? NAN : std::min(a, b);
  case rt::Reduce::Product:
    return a * b;
  }
  return 0;
}

/// Contents of all ranks of one shape; floats get a NaN on some rank.
std::vector<std::vector<double>> contentsOf(Rig &rig, int32_t dtype,
                                            int64_t count, bool withNan) {
  std::vector<std::vector<double>> all;
  for (int64_t rank = 0; rank < rig.numRanks(); ++rank) {
    all.push_back(pattern(count, rank, dtype == DTENSOR_RT_i1));
    if (withNan && run::isFloat(dtype) && count > 3)
      all.back()[static_cast<size_t>(rank % 2 + 1)] = NAN;
  }
  return all;
}

std::vector<double> reduced(const Case &test, int64_t rank, rt::Reduce kind,
                            int32_t dtype,
                            const std::vector<std::vector<double>> &all) {
  Sizes members = groupOf(test, rank);
  std::vector<double> result = all[static_cast<size_t>(members[0])];
  for (size_t q = 1; q < members.size(); ++q)
    for (size_t i = 0; i < result.size(); ++i)
      result[i] = combine(kind, result[i],
                          all[static_cast<size_t>(members[q])][i], dtype);
  return result;
}

void testReduce(Rig &rig, const Case &test, int32_t dtype, rt::Reduce kind,
                int64_t count) {
  Exchange exchange(rig, dtype);
  auto all = contentsOf(rig, dtype, count, true);
  for (const auto &contents : all)
    exchange.add({count}, contents, {count});
  std::string what =
      nameOf("all_reduce", test, dtype, static_cast<int64_t>(kind), count, 1);
  exchange.run(what, [&](void *ctx, int64_t, void *from, void *to) {
    rt::abi::dtensor_rt_all_reduce(ctx, 1, from, to, pack(test.axes),
                                   static_cast<int32_t>(kind), dtype);
  });
  for (int64_t rank = 0; rank < rig.numRanks(); ++rank)
    checkClose(exchange.dst[static_cast<size_t>(rank)].read(),
               reduced(test, rank, kind, dtype, all), 0, what);
}

void testReduceScatter(Rig &rig, const Case &test, int32_t dtype,
                       rt::Reduce kind, int64_t dim, int64_t extent,
                       int64_t unit) {
  Exchange exchange(rig, dtype);
  Sizes shape = shapeWith({2, 3, 4}, dim, extent);
  auto all = contentsOf(rig, dtype, product(shape), false);
  for (int64_t rank = 0; rank < rig.numRanks(); ++rank)
    exchange.add(
        shape, all[static_cast<size_t>(rank)],
        shapeWith(shape, dim, pieceOf(test, rank, extent, unit).second));
  std::string what = nameOf("reduce_scatter", test, dtype, dim, extent, unit);
  exchange.run(what, [&](void *ctx, int64_t rank, void *from, void *to) {
    rt::abi::dtensor_rt_reduce_scatter(
        ctx, 3, from, to, dim, pieceOf(test, rank, extent, unit).first, unit,
        pack(test.axes), static_cast<int32_t>(kind), dtype);
  });
  for (int64_t rank = 0; rank < rig.numRanks(); ++rank) {
    auto [offset, size] = pieceOf(test, rank, extent, unit);
    checkClose(exchange.dst[static_cast<size_t>(rank)].read(),
               sliceOf(reduced(test, rank, kind, dtype, all), shape, dim,
                       offset, size),
               0, what);
  }
}

void testAllToAll(Rig &rig, const Case &test, int32_t dtype, int64_t gatherDim,
                  int64_t splitDim, int64_t gathered, int64_t split) {
  Exchange exchange(rig, dtype);
  Sizes shape =
      shapeWith(shapeWith({2, 3, 4}, gatherDim, gathered), splitDim, split);
  std::vector<double> all = pattern(product(shape), 2, dtype == DTENSOR_RT_i1);
  for (int64_t rank = 0; rank < rig.numRanks(); ++rank) {
    auto [offset, size] = pieceOf(test, rank, gathered, 1);
    exchange.add(
        shapeWith(shape, gatherDim, size),
        sliceOf(all, shape, gatherDim, offset, size),
        shapeWith(shape, splitDim, pieceOf(test, rank, split, 1).second));
  }
  std::string what =
      nameOf("all_to_all", test, dtype, gatherDim, gathered, split);
  exchange.run(what, [&](void *ctx, int64_t rank, void *from, void *to) {
    rt::abi::dtensor_rt_all_to_all(ctx, 3, from, to, gatherDim, 1, splitDim,
                                   pieceOf(test, rank, split, 1).first, 1,
                                   pack(test.axes), dtype);
  });
  for (int64_t rank = 0; rank < rig.numRanks(); ++rank) {
    auto [offset, size] = pieceOf(test, rank, split, 1);
    checkClose(exchange.dst[static_cast<size_t>(rank)].read(),
               sliceOf(all, shape, splitDim, offset, size), 0, what);
  }
}

void testPermute(Rig &rig, const Case &test) {
  Exchange exchange(rig, DTENSOR_RT_f32);
  std::vector<std::vector<double>> all;
  for (int64_t rank = 0; rank < rig.numRanks(); ++rank) {
    all.push_back(pattern(6, rank, false));
    exchange.add({2, 3}, all.back(), {2, 3});
  }
  std::string what = nameOf("permute", test, DTENSOR_RT_f32, 0, 6, 1);
  auto sourceOf = [&](int64_t rank) {
    Sizes members = groupOf(test, rank);
    auto own = std::find(members.begin(), members.end(), rank);
    return (own - members.begin() + 1) % static_cast<int64_t>(members.size());
  };
  exchange.run(what, [&](void *ctx, int64_t rank, void *from, void *to) {
    rt::abi::dtensor_rt_collective_permute(ctx, 2, from, to, sourceOf(rank),
                                           pack(test.axes), DTENSOR_RT_f32);
  });
  for (int64_t rank = 0; rank < rig.numRanks(); ++rank)
    checkClose(exchange.dst[static_cast<size_t>(rank)].read(),
               all[static_cast<size_t>(
                   groupOf(test, rank)[static_cast<size_t>(sourceOf(rank))])],
               0, what);
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
      testReduce(rig, test, dtype, kind, 37);
      if (!isQuick)
        testReduceScatter(rig, test, dtype, kind, 0, 5, 1);
    }
  testReduce(rig, test, DTENSOR_RT_f32, rt::Reduce::Sum, 0);
  testReduce(rig, test, DTENSOR_RT_bf16, rt::Reduce::Max, 100003);
  for (int64_t dim : {0, 1, 2})
    for (int64_t extent : {0, 1, 2, 3, 5, 8, 13})
      for (int64_t unit : {1, 3}) {
        testGather(rig, test, DTENSOR_RT_bf16, dim, extent, unit);
        testReduceScatter(rig, test, DTENSOR_RT_f32, rt::Reduce::Sum, dim,
                          extent, unit);
        testReduceScatter(rig, test, DTENSOR_RT_f32, rt::Reduce::Max, dim,
                          extent, unit);
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
          testAllToAll(rig, test, DTENSOR_RT_i16, gatherDim, splitDim, gathered,
                       split);
  testPermute(rig, test);
}

} // namespace

void selftest::testCollectives(int numGpus) {
  for (const Case &test : casesOf(numGpus))
    testCase(test);
}

namespace {

/// A sum over all ranks of transposed tensors, run with one key: the first run
/// is queued, the second captured, all others replayed.
class GraphedSum {
public:
  explicit GraphedSum(const Case &test)
      : test(test), rig(test.mesh), exchange(rig, DTENSOR_RT_f32) {
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
  testReduce(rig, test, DTENSOR_RT_f32, rt::Reduce::Sum, 100);
  GraphedSum bystander(test);
  int64_t turn = 0;
  for (; turn < 3; ++turn)
    bystander.runTurn(turn);
  Exchange exchange(rig, DTENSOR_RT_f32);
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
    testReduce(rig, test, DTENSOR_RT_f32, rt::Reduce::Sum, 100);
    for (int i = 0; i < 3; ++i)
      bystander.runTurn(turn++);
  }
}
