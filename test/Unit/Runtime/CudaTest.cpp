//===- CudaTest.cpp - the CUDA backend on a fake driver ---------*- C++ -*-===//
//
// Bundles with device code, from opening to results. The fake runs the kernels
// of the runtime by their names, so the bundle's one kernel is one of those.
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"

#include "gmock/gmock.h"

#include <cstdlib>

using namespace dtensor;
using namespace dtensor::test;
using testing::HasSubstr;

namespace {

// Kernels that the runtime brings are compiled by nvcc.
#ifdef DTENSOR_HAS_KERNELS
#define NEEDS_KERNELS()
#else
#define NEEDS_KERNELS() GTEST_SKIP() << "the runtime has no kernels"
#endif

/// x[B, 4] shard(0) -> y = all of x on every rank, z[B, 4] shard(0) = 7.
const char *const kSource = R"(
#include <stdint.h>
typedef int64_t i64;
void dtensor_rt_all_gather(void *, i64, void *, void *, i64, i64, i64, int32_t);
void dtensor_rt_launch_kernel(void *, int32_t, i64, i64, i64, i64, void **,
                              i64);
struct image { int32_t arch, kind; const void *data; i64 bytes; };
const struct image dtensor_images[] = {{ARCH, KIND, "code", 5}};
const i64 dtensor_image_count = 1;

static i64 least(i64 a, i64 b) { return a < b ? a : b; }
int32_t f_bind(const i64 *const *shapes, const i64 *scalars, const i64 *sizes,
               i64 *symbols, i64 *values) {
  symbols[0] = shapes[0][0];
  return 0;
}
void f_layout(int32_t ordinal, const i64 *symbols, const i64 *sizes,
              const i64 *coords, i64 *extents, i64 *offsets) {
  i64 b = symbols[0], c = (b + sizes[0] - 1) / sizes[0];
  extents[0] = b; offsets[0] = 0; extents[1] = 4; offsets[1] = 0;
  if (ordinal == 1) return;
  offsets[0] = least(b, coords[0] * c);
  extents[0] = least(b - offsets[0], c);
}
struct copy {
  void *dst; const void *src; i64 count, bits; int32_t rank;
  i64 sizes[16], dstStrides[16], srcStrides[16];
};
void f_run(void *ctx, void *const *args, const i64 *symbols, const i64 *sizes,
           const i64 *coords) {
  i64 *z = args[2];
  dtensor_rt_all_gather(ctx, 2, args[0], args[1], 0, 1, 1, 1);
  struct copy call = {0};
  call.dst = (void *)z[1]; call.count = z[3] * z[4]; call.bits = 0x40e00000;
  call.rank = 1; call.sizes[0] = call.count; call.dstStrides[0] = 1;
  void *params[] = {&call};
  dtensor_rt_launch_kernel(ctx, 0, z[3] != 0, 256, 0, 0, params, 1);
}
)";

std::string replaced(std::string text, const std::string &from,
                     const std::string &to) {
  return text.replace(text.find(from), from.size(), to);
}

std::string manifestFor(const std::string &target) {
  std::string shard = R"([{"kind": "shard", "dim": 0, "unit": null}])";
  auto value = [](const std::string &name, const std::string &placements) {
    return R"({"name": ")" + name +
           R"(", "kind": "tensor", "dtype": "f32", "shape": [null, 4],
             "extents": ["B", "4"], "placements": )" +
           placements + "}";
  };
  return manifestHead() + R"("target": ")" + target + R"(", "mesh": )" +
         meshManifest(1) + R"(, "kernels": ["dtensor_fill_4"],
         "entries": [{"name": "f", "bind": "f_bind", "layout": "f_layout",
         "run": "f_run", "symbols": ["B"], "checks": [], "args": [)" +
         value("x", shard) + R"(], "results": [)" +
         value("y", R"([{"kind": "replicate"}])") + ", " + value("z", shard) +
         "]}]}";
}

class Cuda : public testing::Test {
protected:
  static void SetUpTestSuite() {
    setenv("DTENSOR_CUDA_LIBRARY_PATH", DTENSOR_FAKE_CUDA, 1);
    setenv("FAKE_CUDA_DEVICES", "4", 1);
  }

  dtensor_rt_bundle *open(int arch = 90, int kind = 1,
                          const std::string &target = "cuda:sm_90a") {
    std::string source =
        replaced(replaced(kSource, "ARCH", std::to_string(arch)), "KIND",
                 std::to_string(kind));
    return openBundle(makeBundleFile("cuda" + std::to_string(arch) +
                                         std::to_string(kind) + ".so",
                                     source, manifestFor(target)));
  }

  std::string errorOfCreate(dtensor_rt_bundle *bundle, int64_t ranks) {
    const char *name = "a";
    dtensor_rt_executable_options options = {
        sizeof(options), nullptr, "cuda", 1, &name, &ranks, nullptr};
    dtensor_rt_executable *executable = nullptr;
    if (dtensor_rt_executable_create(bundle, &options, &executable) ==
        DTENSOR_RT_OK)
      return "";
    return dtensor_rt_last_error();
  }
};

dtensor_rt_array describe(const HostArray &array) {
  return {sizeof(dtensor_rt_array),
          array.data.get(),
          array.dtype,
          static_cast<int32_t>(array.shape.size()),
          array.shape.data(),
          nullptr};
}

/// x, y and z of one bound program.
struct Bound {
  HostArray x, y, z;
  dtensor_rt_launch *launch = nullptr;

  Bound(dtensor_rt_executable *executable, int64_t rows)
      : x(makeArray(DTENSOR_RT_f32, {rows, 4})),
        y(makeArray(DTENSOR_RT_f32, {rows, 4})),
        z(makeArray(DTENSOR_RT_f32, {rows, 4})) {
    set(1);
    dtensor_rt_array arg = describe(x);
    EXPECT_EQ(dtensor_rt_bind(executable, &arg, 1, &launch), DTENSOR_RT_OK)
        << dtensor_rt_last_error();
  }
  ~Bound() { dtensor_rt_launch_destroy(launch); }

  void set(double first) {
    for (int64_t i = 0; i < x.numElements(); ++i)
      run::setElement(x, i, first + static_cast<double>(i));
  }
  void expectResults(double first) {
    for (int64_t i = 0; i < x.numElements(); ++i) {
      EXPECT_EQ(run::getElement(y, i), first + static_cast<double>(i));
      EXPECT_EQ(run::getElement(z, i), 7);
    }
  }
};

TEST_F(Cuda, AGlobalRunDistributesAndCollects) {
  dtensor_rt_bundle *bundle = open();
  for (int64_t ranks : {1, 2, 3, 4})
    for (int64_t rows : {0, 1, 5, 8}) {
      dtensor_rt_executable *executable =
          createExecutable(bundle, {ranks}, "cuda");
      Bound bound(executable, rows);
      dtensor_rt_array arg = describe(bound.x);
      dtensor_rt_array results[] = {describe(bound.y), describe(bound.z)};
      EXPECT_EQ(dtensor_rt_run_global(bound.launch, &arg, 1, results, 2),
                DTENSOR_RT_OK)
          << dtensor_rt_last_error();
      bound.expectResults(1);
      dtensor_rt_executable_destroy(executable);
    }
  dtensor_rt_bundle_close(bundle);
}

TEST_F(Cuda, LoadedArgumentsAreRunOftenAndReplayed) {
  NEEDS_KERNELS();
  dtensor_rt_bundle *bundle = open();
  dtensor_rt_executable *executable = createExecutable(bundle, {2}, "cuda");
  Bound bound(executable, 5);
  for (double first : {1.0, 100.0}) {
    bound.set(first);
    dtensor_rt_array arg = describe(bound.x);
    ASSERT_EQ(dtensor_rt_launch_load(bound.launch, &arg, 1), DTENSOR_RT_OK);
    dtensor_rt_rank_stats stats = {};
    stats.struct_size = sizeof(stats);
    for (int turn = 0; turn < 4; ++turn) {
      dtensor_rt_run_options options = {sizeof(options), nullptr, turn % 2};
      ASSERT_EQ(dtensor_rt_launch_execute(bound.launch, &options),
                DTENSOR_RT_OK)
          << dtensor_rt_last_error();
      dtensor_rt_launch_stats(bound.launch, 1, &stats);
      // The program's own, and the copy of the rank's own piece.
      EXPECT_EQ(stats.kernels, 2);
      EXPECT_EQ(stats.collectives[DTENSOR_RT_ALL_GATHER], 1);
    }
    EXPECT_EQ(stats.from_graph, 1);
    EXPECT_GT(stats.host_seconds, stats.seconds);
    EXPECT_LT(stats.host_seconds, 1);
    dtensor_rt_array results[] = {describe(bound.y), describe(bound.z)};
    ASSERT_EQ(dtensor_rt_launch_fetch(bound.launch, results, 2), DTENSOR_RT_OK)
        << dtensor_rt_last_error();
    bound.expectResults(first);
  }
  dtensor_rt_executable_destroy(executable);
  dtensor_rt_bundle_close(bundle);
}

TEST_F(Cuda, ResultsAreFetchedOnlyAfterARun) {
  dtensor_rt_bundle *bundle = open();
  dtensor_rt_executable *executable = createExecutable(bundle, {1}, "cuda");
  Bound bound(executable, 2);
  EXPECT_EQ(dtensor_rt_launch_execute(bound.launch, nullptr),
            DTENSOR_RT_INVALID_ARGUMENT);
  EXPECT_THAT(dtensor_rt_last_error(), HasSubstr("no arguments were loaded"));
  dtensor_rt_array results[] = {describe(bound.y), describe(bound.z)};
  EXPECT_EQ(dtensor_rt_launch_fetch(bound.launch, results, 2),
            DTENSOR_RT_INVALID_ARGUMENT);
  dtensor_rt_executable_destroy(executable);
  dtensor_rt_bundle_close(bundle);
}

TEST_F(Cuda, LocalArraysAreUsedInPlace) {
  NEEDS_KERNELS();
  dtensor_rt_bundle *bundle = open();
  dtensor_rt_executable *executable = createExecutable(bundle, {2}, "cuda");
  Bound bound(executable, 6);
  size_t count = 0;
  EXPECT_EQ(dtensor_rt_executable_num_local_ranks(executable, &count),
            DTENSOR_RT_OK);
  ASSERT_EQ(count, 2u);
  // Memory of the fake GPUs is memory of the host.
  std::vector<HostArray> arrays;
  std::vector<dtensor_rt_array> args, results;
  for (int64_t rank = 0; rank < 2; ++rank) {
    arrays.push_back(makeArray(DTENSOR_RT_f32, {3, 4}));
    for (int64_t i = 0; i < 12; ++i)
      run::setElement(arrays.back(), i, static_cast<double>(12 * rank + i));
    args.push_back(describe(arrays.back()));
  }
  std::vector<HostArray> outputs;
  for (int64_t rank = 0; rank < 2; ++rank)
    for (int64_t rows : {6, 3}) {
      outputs.push_back(makeArray(DTENSOR_RT_f32, {rows, 4}));
      results.push_back(describe(outputs.back()));
    }
  ASSERT_EQ(
      dtensor_rt_run_local(bound.launch, args.data(), 2, results.data(), 4),
      DTENSOR_RT_OK)
      << dtensor_rt_last_error();
  for (int64_t i = 0; i < 24; ++i)
    EXPECT_EQ(run::getElement(outputs[2], i), static_cast<double>(i));
  dtensor_rt_executable_destroy(executable);
  dtensor_rt_bundle_close(bundle);
}

TEST_F(Cuda, ABundleWithoutCodeForTheGpuSaysWhatItHas) {
  EXPECT_THAT(errorOfCreate(open(100, 1), 1),
              HasSubstr("has no code for GPU 0 (Fake, sm_90), it has sm_100"));
  EXPECT_THAT(errorOfCreate(open(120, 0), 1), HasSubstr("it has ptx 120"));
  EXPECT_EQ(errorOfCreate(open(80, 0), 1), "");
}

TEST_F(Cuda, TheTargetMustFitTheBackend) {
  EXPECT_THAT(errorOfCreate(open(90, 1, "cpu"), 1),
              HasSubstr("backend \"cuda\" runs code for \"cuda\", the bundle "
                        "was compiled for \"cpu\""));
}

TEST_F(Cuda, AMeshNeedsAGpuForEveryRank) {
  EXPECT_THAT(errorOfCreate(open(), 5),
              HasSubstr("a mesh of 5 ranks; backend \"cuda\" has at most 4"));
}

} // namespace
