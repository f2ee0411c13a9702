//===- FailureTest.cpp - a failing rank releases the others -----*- C++ -*-===//
//
// Bodies own nothing that needs a destructor: a rank that fails leaves by a
// jump.
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace dtensor::rt::abi;
using namespace dtensor::test;
using testing::HasSubstr;

namespace {

// Made here: a list made in a body would be lost when its rank leaves.
const int64_t kFirst = pack({0});
const int64_t kSecond = pack({1});
const int64_t kBoth = pack({1, 0});
const int64_t kTwice = pack({0, 0});
const int64_t kMissing = pack({3});

class Failure : public testing::TestWithParam<const char *> {
protected:
  Outcome run(const std::vector<int64_t> &mesh,
              const std::function<void(const RankView &)> &body) {
    return runOnMesh(GetParam(), mesh, body);
  }

  void expectError(const Outcome &outcome, const std::string &message) {
    EXPECT_EQ(outcome.status, DTENSOR_RT_RUN_FAILED);
    EXPECT_THAT(outcome.message, HasSubstr(message));
  }

  /// An all_reduce of `size` floats over `axes`.
  static void allReduce(void *ctx, int64_t axes, int64_t size = 4,
                        int32_t dtype = DTENSOR_RT_f32, int32_t kind = 0) {
    static float from[16];
    float to[16];
    int64_t src[] = {reinterpret_cast<int64_t>(from),
                     reinterpret_cast<int64_t>(from), 0, size, 1};
    int64_t dst[] = {reinterpret_cast<int64_t>(to),
                     reinterpret_cast<int64_t>(to), 0, size, 1};
    dtensor_rt_all_reduce(ctx, 1, src, dst, axes, kind, dtype);
  }
};

INSTANTIATE_TEST_SUITE_P(Backends, Failure, testing::Values("sim"),
                         [](const auto &info) {
                           return std::string(info.param);
                         });

TEST_P(Failure, OneRankFailsWhileOthersWait) {
  for (int64_t size : {1, 2, 4, 8})
    for (int64_t failing = 0; failing < size; failing += 3) {
      Outcome outcome = run({size}, [&](const RankView &view) {
        for (int i = 0; i < 3; ++i)
          allReduce(view.ctx, kFirst);
        static char message[] = "step {0} of {1}";
        if (view.rank == failing)
          dtensor_rt_fail(view.ctx, message, 3, 5);
        allReduce(view.ctx, kFirst);
      });
      expectError(outcome, "rank " + std::to_string(failing) + ": step 3 of 5");
    }
}

TEST_P(Failure, RanksOfOtherGroupsAreReleasedToo) {
  Outcome outcome = run({2, 2}, [&](const RankView &view) {
    static char message[] = "no more";
    if (view.rank == 0)
      dtensor_rt_fail(view.ctx, message, 0, 0);
    while (true)
      allReduce(view.ctx, kSecond);
  });
  expectError(outcome, "rank 0: no more");
}

TEST_P(Failure, DifferentCollectivesAreNamed) {
  Outcome kinds = run({2}, [&](const RankView &view) {
    allReduce(view.ctx, kFirst, 4, DTENSOR_RT_f32, view.rank ? 1 : 0);
  });
  expectError(kinds, "mismatched collectives: rank 0 joins all_reduce(sum, "
                     "f32, 4) while rank 1 joins all_reduce(max, f32, 4)");
  Outcome types = run({2}, [&](const RankView &view) {
    allReduce(view.ctx, kFirst, 4, view.rank ? DTENSOR_RT_i32 : DTENSOR_RT_f32);
  });
  expectError(types, "rank 1 joins all_reduce(sum, i32, 4)");
  Outcome shapes = run({2}, [&](const RankView &view) {
    allReduce(view.ctx, kFirst, view.rank ? 3 : 4);
  });
  expectError(shapes, "its shape differs from the result");
}

TEST_P(Failure, AFinishedRankIsNotWaitedFor) {
  for (int64_t leaving : {0, 1, 2}) {
    Outcome outcome = run({3}, [&](const RankView &view) {
      allReduce(view.ctx, kFirst);
      if (view.rank != leaving)
        allReduce(view.ctx, kFirst);
    });
    expectError(outcome,
                "rank " + std::to_string(leaving) + " finished while rank ");
    expectError(outcome, "waits in all_reduce(sum, f32, 4) over a");
  }
}

TEST_P(Failure, RanksThatWaitForEachOtherAreFound) {
  // On a 2x2 mesh: 0 waits for 2, 2 for 3, 3 for 1, 1 for 0.
  Outcome outcome = run({2, 2}, [&](const RankView &view) {
    bool downFirst = view.rank == 0 || view.rank == 3;
    allReduce(view.ctx, downFirst ? kFirst : kSecond);
    allReduce(view.ctx, downFirst ? kSecond : kFirst);
  });
  expectError(outcome, "no rank can go on: ");
  expectError(outcome, "rank 0 waits in all_reduce(sum, f32, 4) over a");
}

TEST_P(Failure, WrongParametersAreErrors) {
  auto gather = [&](int64_t dim, int64_t axes, int32_t dtype, int64_t rank) {
    return run({2}, [=](const RankView &view) {
      float data[8];
      int64_t desc[] = {reinterpret_cast<int64_t>(data),
                        reinterpret_cast<int64_t>(data), 0, 4, 1};
      dtensor_rt_all_gather(view.ctx, rank, desc, desc, dim, 1, axes, dtype);
    });
  };
  expectError(gather(1, kFirst, DTENSOR_RT_f32, 1),
              "dim 1 is not a dimension of a 1-d tensor");
  expectError(gather(-1, kFirst, DTENSOR_RT_f32, 1), "dim -1 is not");
  expectError(gather(0, kFirst, 77, 1), "dtype code 77");
  expectError(gather(0, kFirst, DTENSOR_RT_f32, 99), "99 dimensions");
  expectError(gather(0, kMissing, DTENSOR_RT_f32, 1),
              "names mesh axis 3, the mesh has 1");
  expectError(gather(0, kTwice, DTENSOR_RT_f32, 1), "twice");
  expectError(gather(0, kFirst, DTENSOR_RT_f32, 1),
              "the pieces have 8 elements along dimension 0, the result 4");
}

TEST_P(Failure, WhatAFailedRankAllocatedIsFreed) {
  // The leak itself is for a leak checker; here only that it runs again.
  for (int i = 0; i < 50; ++i) {
    Outcome outcome = run({4}, [&](const RankView &view) {
      static char message[] = "stop";
      dtensor_rt_alloc(1 << 20, 64);
      if (view.rank == 2)
        dtensor_rt_fail(view.ctx, message, 0, 0);
      allReduce(view.ctx, kFirst);
    });
    expectError(outcome, "rank 2: stop");
  }
}

TEST_P(Failure, BadAllocationsAndFreesAreErrors) {
  expectError(run({2}, [](const RankView &) { dtensor_rt_alloc(-1, 64); }),
              "cannot allocate -1 bytes");
  expectError(run({2}, [](const RankView &) { dtensor_rt_alloc(64, 96); }),
              "aligned to 96");
  expectError(
      run({2}, [](const RankView &) { dtensor_rt_alloc(1ll << 61, 64); }),
      "cannot allocate 2305843009213693952 bytes");
  static int outside;
  expectError(run({2}, [](const RankView &) { dtensor_rt_free(&outside); }),
              "frees memory that it did not allocate");
}

TEST_P(Failure, MemoryIsAlignedAndNeverNull) {
  Outcome outcome = run({2}, [](const RankView &) {
    for (int64_t bytes : {0, 1, 63, 4096})
      for (int64_t alignment : {1, 64, 4096}) {
        void *pointer = _mlir_memref_to_llvm_aligned_alloc(alignment, bytes);
        EXPECT_NE(pointer, nullptr);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(pointer) % 64, 0u);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(pointer) % alignment, 0u);
        _mlir_memref_to_llvm_free(pointer);
      }
    _mlir_memref_to_llvm_free(nullptr);
    _mlir_memref_to_llvm_free(_mlir_memref_to_llvm_alloc(10));
  });
  EXPECT_EQ(outcome.status, DTENSOR_RT_OK) << outcome.message;
}

TEST_P(Failure, ManyCollectivesInARow) {
  Outcome outcome = run({2, 2}, [](const RankView &view) {
    for (int i = 0; i < 200; ++i) {
      allReduce(view.ctx, kFirst);
      allReduce(view.ctx, kSecond);
      allReduce(view.ctx, kBoth);
    }
  });
  ASSERT_EQ(outcome.status, DTENSOR_RT_OK) << outcome.message;
  EXPECT_EQ(outcome.stats[3].collectives[DTENSOR_RT_ALL_REDUCE], 600);
}

} // namespace
