//===- CollectiveTest.cpp - every backend does every collective -*- C++ -*-===//
//
// The conformance suite: the same expectations for each backend, group size,
// order of axes, element type, and for uneven and empty pieces.
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace dtensor;
using namespace dtensor::test;
using rt::Reduce;

namespace {

/// A mesh and the axes of the group.
struct Case {
  std::vector<int64_t> mesh;
  std::vector<unsigned> axes;
};

const Case kCases[] = {
    {{1}, {0}},       {{2}, {0}},       {{3}, {0}},       {{4}, {0}},
    {{8}, {0}},       {{2, 2}, {0}},    {{2, 2}, {1}},    {{2, 2}, {0, 1}},
    {{2, 3}, {0}},    {{2, 3}, {1}},    {{2, 3}, {0, 1}}, {{2, 3}, {1, 0}},
    {{2, 4}, {1, 0}}, {{1, 3}, {0, 1}}, {{2, 2}, {}},
};

constexpr int32_t kDTypes[] = {DTENSOR_RT_f64,  DTENSOR_RT_f32, DTENSOR_RT_f16,
                               DTENSOR_RT_bf16, DTENSOR_RT_i64, DTENSOR_RT_i32,
                               DTENSOR_RT_i16,  DTENSOR_RT_i8,  DTENSOR_RT_i1};

using Arrays = std::vector<HostArray>;
using Members = std::vector<int64_t>;

/// A small number, exact in every type, that tells ranks and elements apart.
double pattern(int32_t dtype, int64_t rank, int64_t index) {
  int64_t value = (rank * 7 + index * 3 + rank * index) % 5 - 2;
  return dtype == DTENSOR_RT_i1 ? value & 1 : value;
}

void fillPattern(HostArray &array, int64_t rank) {
  for (int64_t i = 0; i < array.numElements(); ++i)
    run::setElement(array, i, pattern(array.dtype, rank, i));
}

/// Element of a 2-d array at `i` along dimension `dim`, `other` along the
/// other one.
double at(const HostArray &array, int64_t dim, int64_t i, int64_t other) {
  return dim == 0 ? run::getElement(array, i * array.shape[1] + other)
                  : run::getElement(array, other * array.shape[1] + i);
}

std::vector<int64_t> shape2d(int64_t dim, int64_t along, int64_t other) {
  return dim == 0 ? std::vector<int64_t>{along, other}
                  : std::vector<int64_t>{other, along};
}

double combine(Reduce kind, double a, double b, int32_t dtype) {
  if (dtype == DTENSOR_RT_i1) {
    bool isOr = kind == Reduce::Sum || kind == Reduce::Max;
    return isOr ? (a != 0 || b != 0) : (a != 0 && b != 0);
  }
  switch (kind) {
  case Reduce::Sum:
    return a + b;
  case Reduce::Max:
    return std::max(a, b);
  case Reduce::Min:
    return std::min(a, b);
  case Reduce::Product:
    return a * b;
  }
  return 0;
}

/// kind over the members of the pattern at storage index i.
double reduced(Reduce kind, int32_t dtype, const Members &members, int64_t i) {
  double value = pattern(dtype, members[0], i);
  for (size_t q = 1; q < members.size(); ++q)
    value = combine(kind, value, pattern(dtype, members[q], i), dtype);
  // Integers wrap: 2 to the 8th is 0 in eight bits.
  return dtype == DTENSOR_RT_i8
             ? static_cast<int8_t>(static_cast<int64_t>(value))
             : value;
}

int64_t positionOf(const Members &members, int64_t rank) {
  return std::find(members.begin(), members.end(), rank) - members.begin();
}

class Collective : public testing::TestWithParam<const char *> {
protected:
  /// Runs body(ctx, rank, src descriptor, dst descriptor) on all ranks.
  template <typename Body>
  Outcome runOn(const Case &test, const Arrays &src, Arrays &dst, Body body) {
    std::vector<Descriptor> from, to;
    for (const HostArray &array : src)
      from.emplace_back(array);
    for (const HostArray &array : dst)
      to.emplace_back(array);
    Outcome outcome =
        runOnMesh(GetParam(), test.mesh, [&](const RankView &view) {
          body(view.ctx, view.rank, from[view.rank].get(), to[view.rank].get());
        });
    EXPECT_EQ(outcome.status, DTENSOR_RT_OK) << outcome.message;
    return outcome;
  }
};

INSTANTIATE_TEST_SUITE_P(Backends, Collective,
                         testing::Values("sim", "process"),
                         [](const auto &info) {
                           return std::string(info.param);
                         });

TEST_P(Collective, AllGatherConcatenatesUnevenAndEmptyPieces) {
  for (const Case &test : kCases)
    for (int64_t dim : {0, 1})
      for (int64_t extent : {0, 1, 2, 3, 4, 5, 7, 8, 9, 13}) {
        Arrays src, dst;
        for (int64_t rank = 0; rank < numRanks(test.mesh); ++rank) {
          Members members = groupOf(test.mesh, rank, test.axes);
          int64_t size =
              chunkSize(extent, members.size(), positionOf(members, rank));
          src.push_back(makeArray(DTENSOR_RT_f32, shape2d(dim, size, 3)));
          dst.push_back(makeArray(DTENSOR_RT_f32, shape2d(dim, extent, 3)));
          fillPattern(src.back(), rank);
        }
        runOn(test, src, dst, [&](void *ctx, int64_t, void *from, void *to) {
          rt::abi::dtensor_rt_all_gather(ctx, 2, from, to, dim, 1,
                                         pack(test.axes), DTENSOR_RT_f32);
        });
        for (int64_t rank = 0; rank < numRanks(test.mesh); ++rank) {
          int64_t row = 0;
          for (int64_t member : groupOf(test.mesh, rank, test.axes))
            for (int64_t i = 0; i < src[member].shape[dim]; ++i, ++row)
              for (int64_t j = 0; j < 3; ++j)
                ASSERT_EQ(at(dst[rank], dim, row, j),
                          at(src[member], dim, i, j));
          ASSERT_EQ(row, extent);
        }
      }
}

TEST_P(Collective, AllReduceCombinesEveryTypeAndKind) {
  for (const Case &test : kCases)
    for (int32_t dtype : kDTypes)
      for (int32_t kind = 0; kind < 4; ++kind) {
        Arrays src, dst;
        for (int64_t rank = 0; rank < numRanks(test.mesh); ++rank) {
          src.push_back(makeArray(dtype, {3, 5}));
          dst.push_back(makeArray(dtype, {3, 5}));
          fillPattern(src.back(), rank);
        }
        runOn(test, src, dst, [&](void *ctx, int64_t, void *from, void *to) {
          rt::abi::dtensor_rt_all_reduce(ctx, 2, from, to, pack(test.axes),
                                         kind, dtype);
        });
        for (int64_t rank = 0; rank < numRanks(test.mesh); ++rank) {
          Members members = groupOf(test.mesh, rank, test.axes);
          for (int64_t i = 0; i < 15; ++i)
            ASSERT_EQ(run::getElement(dst[rank], i),
                      reduced(Reduce(kind), dtype, members, i))
                << dtensor_rt_dtype_name(dtype) << " kind " << kind;
        }
      }
}

TEST_P(Collective, AllReduceOfScalarsAndEmptyTensors) {
  for (int64_t size : {1, 2, 3, 8})
    for (const std::vector<int64_t> &shape :
         {std::vector<int64_t>{}, {0}, {1}, {4, 0, 2}, {700}}) {
      Case test = {{size}, {0}};
      Arrays src, dst;
      for (int64_t rank = 0; rank < size; ++rank) {
        src.push_back(makeArray(DTENSOR_RT_i32, shape));
        dst.push_back(makeArray(DTENSOR_RT_i32, shape));
        fillPattern(src.back(), rank);
      }
      runOn(test, src, dst, [&](void *ctx, int64_t, void *from, void *to) {
        rt::abi::dtensor_rt_all_reduce(ctx, shape.size(), from, to,
                                       pack(test.axes), 0, DTENSOR_RT_i32);
      });
      Members members = groupOf(test.mesh, 0, test.axes);
      for (int64_t rank = 0; rank < size; ++rank)
        for (int64_t i = 0; i < dst[rank].numElements(); ++i)
          ASSERT_EQ(run::getElement(dst[rank], i),
                    reduced(Reduce::Sum, DTENSOR_RT_i32, members, i));
    }
}

TEST_P(Collective, AllReduceGivesTheSameBitsOnEveryMember) {
  Case test = {{4}, {0}};
  Arrays src, dst;
  for (int64_t rank = 0; rank < 4; ++rank) {
    src.push_back(makeArray(DTENSOR_RT_f32, {1001}));
    dst.push_back(makeArray(DTENSOR_RT_f32, {1001}));
    run::fillRandom(src.back(), rank, -1e3, 1e3);
  }
  runOn(test, src, dst, [&](void *ctx, int64_t, void *from, void *to) {
    rt::abi::dtensor_rt_all_reduce(ctx, 1, from, to, pack(test.axes), 0,
                                   DTENSOR_RT_f32);
  });
  for (int64_t i = 0; i < 1001; ++i) {
    float sum = 0;
    for (int64_t rank = 0; rank < 4; ++rank) {
      auto value = static_cast<float>(run::getElement(src[rank], i));
      sum = rank ? sum + value : value;
    }
    for (int64_t rank = 0; rank < 4; ++rank)
      ASSERT_EQ(run::getElement(dst[rank], i), sum);
  }
}

TEST_P(Collective, MaximumAndMinimumPropagateNaN) {
  for (int32_t dtype : {DTENSOR_RT_f64, DTENSOR_RT_f32, DTENSOR_RT_f16})
    for (int32_t kind : {1, 2})
      for (int64_t where = 0; where < 3; ++where) {
        Arrays src, dst;
        for (int64_t rank = 0; rank < 3; ++rank) {
          src.push_back(makeArray(dtype, {2}));
          dst.push_back(makeArray(dtype, {2}));
          fillPattern(src.back(), rank);
        }
        run::setElement(src[where], 1,
                        std::numeric_limits<double>::quiet_NaN());
        runOn({{3}, {0}}, src, dst,
              [&](void *ctx, int64_t, void *from, void *to) {
                rt::abi::dtensor_rt_all_reduce(ctx, 1, from, to, pack({0}),
                                               kind, dtype);
              });
        EXPECT_FALSE(std::isnan(run::getElement(dst[0], 0)));
        EXPECT_TRUE(std::isnan(run::getElement(dst[0], 1)));
      }
}

TEST_P(Collective, SumsOfHalfPrecisionAreRoundedOnce) {
  // 256 + 8 * 1 in bf16: rounding each step would stay at 256.
  Arrays src, dst;
  for (int64_t rank = 0; rank < 8; ++rank) {
    src.push_back(makeArray(DTENSOR_RT_bf16, {1}));
    dst.push_back(makeArray(DTENSOR_RT_bf16, {1}));
    run::setElement(src.back(), 0, rank == 0 ? 256 : 1);
  }
  runOn({{8}, {0}}, src, dst, [&](void *ctx, int64_t, void *from, void *to) {
    rt::abi::dtensor_rt_all_reduce(ctx, 1, from, to, pack({0}), 0,
                                   DTENSOR_RT_bf16);
  });
  EXPECT_EQ(run::getElement(dst[3], 0), 264); // 263 is between 262 and 264
}

TEST_P(Collective, ReduceScatterGivesEachMemberItsPart) {
  for (const Case &test : kCases)
    for (int64_t dim : {0, 1})
      for (int64_t extent : {0, 1, 3, 4, 7, 9}) {
        Arrays src, dst;
        std::vector<int64_t> offsets;
        for (int64_t rank = 0; rank < numRanks(test.mesh); ++rank) {
          Members members = groupOf(test.mesh, rank, test.axes);
          int64_t position = positionOf(members, rank);
          int64_t size = chunkSize(extent, members.size(), position);
          offsets.push_back(chunkOffset(extent, members.size(), position));
          src.push_back(makeArray(DTENSOR_RT_i64, shape2d(dim, extent, 3)));
          dst.push_back(makeArray(DTENSOR_RT_i64, shape2d(dim, size, 3)));
          fillPattern(src.back(), rank);
        }
        runOn(test, src, dst,
              [&](void *ctx, int64_t rank, void *from, void *to) {
                rt::abi::dtensor_rt_reduce_scatter(
                    ctx, 2, from, to, dim, offsets[rank], 1, pack(test.axes), 0,
                    DTENSOR_RT_i64);
              });
        for (int64_t rank = 0; rank < numRanks(test.mesh); ++rank)
          for (int64_t i = 0; i < dst[rank].shape[dim]; ++i)
            for (int64_t j = 0; j < 3; ++j) {
              double sum = 0;
              for (int64_t member : groupOf(test.mesh, rank, test.axes))
                sum += at(src[member], dim, offsets[rank] + i, j);
              ASSERT_EQ(at(dst[rank], dim, i, j), sum);
            }
      }
}

TEST_P(Collective, AllToAllMovesTheShardedDimension) {
  for (const Case &test : kCases)
    for (int64_t gatherDim : {0, 1})
      for (auto [gathered, split] : {std::pair<int64_t, int64_t>{7, 5},
                                     {8, 8},
                                     {1, 3},
                                     {3, 1},
                                     {0, 4},
                                     {9, 2}}) {
        // The global array has `gathered` along gatherDim and `split` along
        // the other; every member starts with a chunk of the first.
        int64_t splitDim = 1 - gatherDim;
        Arrays src, dst;
        std::vector<int64_t> offsets;
        auto value = [](int64_t g, int64_t s) { return g * 16 + s; };
        for (int64_t rank = 0; rank < numRanks(test.mesh); ++rank) {
          Members members = groupOf(test.mesh, rank, test.axes);
          int64_t n = members.size(), p = positionOf(members, rank);
          offsets.push_back(chunkOffset(split, n, p));
          src.push_back(
              makeArray(DTENSOR_RT_i16,
                        shape2d(gatherDim, chunkSize(gathered, n, p), split)));
          dst.push_back(
              makeArray(DTENSOR_RT_i16,
                        shape2d(gatherDim, gathered, chunkSize(split, n, p))));
          HostArray &from = src.back();
          for (int64_t i = 0; i < from.numElements(); ++i) {
            int64_t index[] = {i / from.shape[1], i % from.shape[1]};
            run::setElement(
                from, i,
                value(chunkOffset(gathered, n, p) + index[gatherDim],
                      index[splitDim]));
          }
        }
        runOn(test, src, dst,
              [&](void *ctx, int64_t rank, void *from, void *to) {
                rt::abi::dtensor_rt_all_to_all(ctx, 2, from, to, gatherDim, 1,
                                               splitDim, offsets[rank], 1,
                                               pack(test.axes), DTENSOR_RT_i16);
              });
        for (int64_t rank = 0; rank < numRanks(test.mesh); ++rank)
          for (int64_t i = 0; i < dst[rank].numElements(); ++i) {
            int64_t index[] = {i / dst[rank].shape[1], i % dst[rank].shape[1]};
            ASSERT_EQ(run::getElement(dst[rank], i),
                      value(index[gatherDim], offsets[rank] + index[splitDim]));
          }
      }
}

TEST_P(Collective, PermuteReceivesFromTheSource) {
  for (const Case &test : kCases)
    for (int64_t shift : {0, 1, 2}) {
      Arrays src, dst;
      std::vector<int64_t> sources;
      for (int64_t rank = 0; rank < numRanks(test.mesh); ++rank) {
        Members members = groupOf(test.mesh, rank, test.axes);
        sources.push_back((positionOf(members, rank) + shift) %
                          static_cast<int64_t>(members.size()));
        src.push_back(makeArray(DTENSOR_RT_f64, {2, 3}));
        dst.push_back(makeArray(DTENSOR_RT_f64, {2, 3}));
        fillPattern(src.back(), rank);
      }
      runOn(test, src, dst, [&](void *ctx, int64_t rank, void *from, void *to) {
        rt::abi::dtensor_rt_collective_permute(ctx, 2, from, to, sources[rank],
                                               pack(test.axes), DTENSOR_RT_f64);
      });
      for (int64_t rank = 0; rank < numRanks(test.mesh); ++rank) {
        Members members = groupOf(test.mesh, rank, test.axes);
        for (int64_t i = 0; i < 6; ++i)
          ASSERT_EQ(run::getElement(dst[rank], i),
                    pattern(DTENSOR_RT_f64, members[sources[rank]], i));
      }
    }
}

TEST_P(Collective, StridedTensorsAreReadAndWrittenInPlace) {
  // Column-major sources and destinations.
  Arrays src, dst;
  for (int64_t rank = 0; rank < 3; ++rank) {
    src.push_back(makeArray(DTENSOR_RT_f32, {2, 4}));
    dst.push_back(makeArray(DTENSOR_RT_f32, {6, 4}));
    fillPattern(src.back(), rank);
    src.back().isColumnMajor = dst.back().isColumnMajor = true;
  }
  runOn({{3}, {0}}, src, dst, [&](void *ctx, int64_t, void *from, void *to) {
    rt::abi::dtensor_rt_all_gather(ctx, 2, from, to, 0, 1, pack({0}),
                                   DTENSOR_RT_f32);
  });
  for (int64_t i = 0; i < 6; ++i)
    for (int64_t j = 0; j < 4; ++j)
      EXPECT_EQ(run::getElement(dst[1], j * 6 + i),
                pattern(DTENSOR_RT_f32, i / 2, j * 2 + i % 2));
}

TEST_P(Collective, StatisticsCountGroupsOfTwoAndMore) {
  Case test = {{1, 4}, {0, 1}};
  Arrays src, dst;
  for (int64_t rank = 0; rank < 4; ++rank) {
    src.push_back(makeArray(DTENSOR_RT_f32, {8}));
    dst.push_back(makeArray(DTENSOR_RT_f32, {8}));
  }
  Outcome outcome =
      runOn(test, src, dst, [&](void *ctx, int64_t, void *from, void *to) {
        rt::abi::dtensor_rt_all_reduce(ctx, 1, from, to, pack({1}), 0,
                                       DTENSOR_RT_f32);
        rt::abi::dtensor_rt_all_reduce(ctx, 1, from, to, pack({0}), 0,
                                       DTENSOR_RT_f32);
        void *a = rt::abi::dtensor_rt_alloc(100, 16);
        rt::abi::dtensor_rt_free(a);
        rt::abi::dtensor_rt_free(rt::abi::dtensor_rt_alloc(60, 16));
      });
  for (const dtensor_rt_rank_stats &stats : outcome.stats) {
    EXPECT_EQ(stats.collectives[DTENSOR_RT_ALL_REDUCE], 1);
    EXPECT_EQ(stats.bytes[DTENSOR_RT_ALL_REDUCE], 2 * 32 * 3 / 4);
    EXPECT_EQ(stats.collectives[DTENSOR_RT_ALL_GATHER], 0);
    EXPECT_EQ(stats.peak_bytes, 100);
  }
}

} // namespace
