//===- CAPITest.cpp - wrong use gives a status, never a crash ---*- C++ -*-===//

#include "TestSupport.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <cstring>
#include <thread>

using namespace dtensor;
using namespace dtensor::test;
using testing::HasSubstr;

namespace {

const char *const kSource = R"(
#include <stdint.h>
int32_t g_bind(const int64_t *const *shapes, const int64_t *scalars,
               const int64_t *sizes, int64_t *symbols, int64_t *values) {
  symbols[0] = shapes[0][0];
  return 0;
}
void g_layout(int32_t ordinal, const int64_t *symbols, const int64_t *sizes,
              const int64_t *coords, int64_t *extents, int64_t *offsets) {
  extents[0] = symbols[0];
  offsets[0] = 0;
}
void g_run(void *ctx, void *const *args, const int64_t *symbols,
           const int64_t *sizes, const int64_t *coords) {}
)";

std::string manifest() {
  std::string value = R"("dtype": "f32", "shape": [null], "extents": ["M"],
    "placements": [{"kind": "replicate"}]})";
  std::string entry = R"("bind": "g_bind", "layout": "g_layout",
    "run": "g_run", "symbols": ["M"], "checks": [],
    "args": [{"name": "x", )" +
                      value + R"(], "results": [{"name": "y", )" + value + "]}";
  return manifestHead() + R"("target": "cpu", "mesh": )" + meshManifest(1) +
         R"(, "entries": [{"name": "g", )" + entry + R"(, {"name": "h", )" +
         entry + "]}";
}

class CAPI : public testing::Test {
protected:
  CAPI()
      : bundle(openBundle(makeBundleFile("capi.so", kSource, manifest()))),
        data(makeArray(DTENSOR_RT_f32, {3})), array(toArray(data)) {
    options.entry = "g";
    EXPECT_EQ(dtensor_rt_executable_create(bundle, &options, &executable),
              DTENSOR_RT_OK);
    EXPECT_EQ(dtensor_rt_bind(executable, &array, 1, &launch), DTENSOR_RT_OK);
  }
  ~CAPI() override {
    dtensor_rt_launch_destroy(launch);
    dtensor_rt_executable_destroy(executable);
    dtensor_rt_bundle_close(bundle);
  }

  void expectInvalid(dtensor_rt_status status, const std::string &message) {
    EXPECT_EQ(status, DTENSOR_RT_INVALID_ARGUMENT);
    EXPECT_THAT(dtensor_rt_last_error(), HasSubstr(message));
  }
  dtensor_rt_status bind(const dtensor_rt_array *args, size_t count = 1) {
    dtensor_rt_launch *unused = nullptr;
    return dtensor_rt_bind(executable, args, count, &unused);
  }

  const char *axis = "a";
  int64_t size = 2;
  dtensor_rt_executable_options options = {sizeof(options), nullptr, nullptr, 1,
                                           &axis,           &size,   nullptr};
  dtensor_rt_bundle *bundle = nullptr;
  dtensor_rt_executable *executable = nullptr;
  dtensor_rt_launch *launch = nullptr;
  HostArray data;
  dtensor_rt_array array;
};

TEST_F(CAPI, NullAndClosedHandlesAreErrors) {
  EXPECT_EQ(dtensor_rt_bundle_close(nullptr), DTENSOR_RT_INVALID_HANDLE);
  EXPECT_EQ(dtensor_rt_launch_destroy(nullptr), DTENSOR_RT_INVALID_HANDLE);
  EXPECT_THAT(dtensor_rt_last_error(), HasSubstr("launch handle is null"));
  EXPECT_EQ(dtensor_rt_run_global(nullptr, nullptr, 0, nullptr, 0),
            DTENSOR_RT_INVALID_HANDLE);
  dtensor_rt_launch *closed = nullptr;
  ASSERT_EQ(dtensor_rt_bind(executable, &array, 1, &closed), DTENSOR_RT_OK);
  EXPECT_EQ(dtensor_rt_launch_destroy(closed), DTENSOR_RT_OK);
  EXPECT_EQ(dtensor_rt_launch_destroy(closed), DTENSOR_RT_INVALID_HANDLE);
  EXPECT_EQ(dtensor_rt_run_global(closed, &array, 1, &array, 1),
            DTENSOR_RT_INVALID_HANDLE);
  auto *foreign = reinterpret_cast<dtensor_rt_bundle *>(executable);
  EXPECT_EQ(dtensor_rt_bundle_close(foreign), DTENSOR_RT_INVALID_HANDLE);
  EXPECT_THAT(dtensor_rt_last_error(), HasSubstr("not a live bundle handle"));
}

TEST_F(CAPI, HandlesMayBeClosedInAnyOrder) {
  dtensor_rt_bundle *other =
      openBundle(makeBundleFile("order.so", kSource, manifest()));
  dtensor_rt_executable *made = nullptr;
  dtensor_rt_launch *bound = nullptr;
  ASSERT_EQ(dtensor_rt_executable_create(other, &options, &made),
            DTENSOR_RT_OK);
  EXPECT_EQ(dtensor_rt_bundle_close(other), DTENSOR_RT_OK);
  ASSERT_EQ(dtensor_rt_bind(made, &array, 1, &bound), DTENSOR_RT_OK);
  EXPECT_EQ(dtensor_rt_executable_destroy(made), DTENSOR_RT_OK);
  EXPECT_EQ(dtensor_rt_run_global(bound, &array, 1, &array, 1), DTENSOR_RT_OK);
  EXPECT_EQ(dtensor_rt_launch_destroy(bound), DTENSOR_RT_OK);
}

TEST_F(CAPI, EntriesAndBackendsAreFoundByName) {
  dtensor_rt_executable *unused = nullptr;
  options.entry = "nothing";
  EXPECT_EQ(dtensor_rt_executable_create(bundle, &options, &unused),
            DTENSOR_RT_NOT_FOUND);
  EXPECT_THAT(dtensor_rt_last_error(), HasSubstr("no entry \"nothing\"; "));
  EXPECT_THAT(dtensor_rt_last_error(), HasSubstr("has entries \"g\", \"h\""));
  options.entry = nullptr;
  EXPECT_EQ(dtensor_rt_executable_create(bundle, &options, &unused),
            DTENSOR_RT_NOT_FOUND);
  options.entry = "h";
  options.backend = "tpu";
  EXPECT_EQ(dtensor_rt_executable_create(bundle, &options, &unused),
            DTENSOR_RT_NOT_FOUND);
  EXPECT_STREQ(
      dtensor_rt_last_error(),
      "no backend \"tpu\"; this runtime has \"sim\", \"process\", \"cuda\"");
}

TEST_F(CAPI, NullPointersAreErrors) {
  expectInvalid(dtensor_rt_bundle_open(nullptr, &bundle), "path is null");
  expectInvalid(dtensor_rt_bundle_open("x", nullptr), "bundle is null");
  expectInvalid(dtensor_rt_executable_create(bundle, nullptr, &executable),
                "options is null");
  expectInvalid(dtensor_rt_executable_create(bundle, &options, nullptr),
                "executable is null");
  expectInvalid(bind(nullptr), "args is null");
  expectInvalid(dtensor_rt_bind(executable, &array, 1, nullptr),
                "launch is null");
  expectInvalid(dtensor_rt_executable_describe(executable, nullptr),
                "info is null");
  expectInvalid(dtensor_rt_launch_symbols(launch, nullptr, 1),
                "values is null");
  options.axis_names = nullptr;
  expectInvalid(dtensor_rt_executable_create(bundle, &options, &executable),
                "axis_names is null");
}

TEST_F(CAPI, ArraysAreChecked) {
  expectInvalid(bind(&array, 2), "2 arguments given, 1 expected");
  dtensor_rt_array wrong = array;
  wrong.dtype = DTENSOR_RT_f64;
  expectInvalid(bind(&wrong), "argument \"x\" has elements of type f64, the "
                              "program takes f32");
  wrong.dtype = 99;
  expectInvalid(bind(&wrong), "unknown element type code 99");
  wrong = array;
  wrong.ndim = 0;
  expectInvalid(bind(&wrong), "has 0 dimensions (scalar), the program takes 1");
  wrong.ndim = -1;
  expectInvalid(bind(&wrong), "-1 dimensions");
  wrong = array;
  wrong.shape = nullptr;
  expectInvalid(bind(&wrong), "shape is null");
  int64_t negative = -3;
  wrong.shape = &negative;
  expectInvalid(bind(&wrong), "dimension 0 has size -3");
  int64_t huge[] = {1ll << 40, 1ll << 40};
  wrong.shape = huge;
  wrong.ndim = 2;
  expectInvalid(bind(&wrong), "more elements than memory can hold");
  wrong = array;
  wrong.struct_size = 8;
  expectInvalid(bind(&wrong), "struct_size is 8");
}

TEST_F(CAPI, RunChecksShapesAndData) {
  HostArray other = makeArray(DTENSOR_RT_f32, {4});
  dtensor_rt_array wrong = toArray(other);
  expectInvalid(dtensor_rt_run_global(launch, &wrong, 1, &array, 1),
                "argument \"x\" has shape 4, expected 3");
  expectInvalid(dtensor_rt_run_global(launch, &array, 1, &wrong, 1),
                "result \"y\" has shape 4, expected 3");
  expectInvalid(dtensor_rt_run_global(launch, &array, 1, nullptr, 0),
                "0 results given, 1 expected");
  wrong = array;
  wrong.data = nullptr;
  expectInvalid(dtensor_rt_run_global(launch, &array, 1, &wrong, 1),
                "results[0]: data is null");
}

TEST_F(CAPI, IndicesAreChecked) {
  const char *name;
  EXPECT_EQ(dtensor_rt_bundle_entry_name(bundle, 2, &name),
            DTENSOR_RT_NOT_FOUND);
  EXPECT_EQ(dtensor_rt_executable_symbol(executable, 1, &name),
            DTENSOR_RT_NOT_FOUND);
  dtensor_rt_value_info value = {};
  value.struct_size = sizeof(value);
  EXPECT_EQ(dtensor_rt_executable_value(executable, 2, &value),
            DTENSOR_RT_NOT_FOUND);
  EXPECT_STREQ(dtensor_rt_last_error(), "no value 2, there are 2");
  int64_t extents[1], offsets[1];
  EXPECT_EQ(dtensor_rt_launch_local_box(launch, 2, 0, extents, offsets, 1),
            DTENSOR_RT_NOT_FOUND);
  expectInvalid(dtensor_rt_launch_local_box(launch, 0, 0, extents, offsets, 3),
                "3 dimensions given, 1 expected");
}

TEST_F(CAPI, StatisticsNeedARun) {
  dtensor_rt_rank_stats stats = {};
  stats.struct_size = sizeof(stats);
  expectInvalid(dtensor_rt_launch_stats(launch, 0, &stats), "has not run yet");
  ASSERT_EQ(dtensor_rt_run_global(launch, &array, 1, &array, 1), DTENSOR_RT_OK);
  EXPECT_EQ(dtensor_rt_launch_stats(launch, 1, &stats), DTENSOR_RT_OK);
}

TEST_F(CAPI, AnOlderCallersStructIsFilledAsFarAsItGoes) {
  dtensor_rt_value_info value = {};
  value.struct_size = offsetof(dtensor_rt_value_info, rank);
  value.rank = 77;
  ASSERT_EQ(dtensor_rt_executable_value(executable, 0, &value), DTENSOR_RT_OK);
  EXPECT_STREQ(value.name, "x");
  EXPECT_EQ(value.rank, 77u);
  EXPECT_EQ(value.struct_size, offsetof(dtensor_rt_value_info, rank));
}

TEST_F(CAPI, MessagesBelongToTheirThread) {
  dtensor_rt_bundle_close(nullptr);
  std::string mine = dtensor_rt_last_error();
  std::string theirs = "unset";
  std::thread([&] { theirs = dtensor_rt_last_error(); }).join();
  EXPECT_EQ(theirs, "");
  EXPECT_EQ(mine, dtensor_rt_last_error());
}

TEST(Names, OfTypesAndCollectives) {
  EXPECT_STREQ(dtensor_rt_dtype_name(DTENSOR_RT_bf16), "bf16");
  EXPECT_EQ(dtensor_rt_dtype_name(-1), nullptr);
  EXPECT_EQ(dtensor_rt_dtype_bytes(DTENSOR_RT_i1), 1u);
  EXPECT_EQ(dtensor_rt_dtype_bytes(42), 0u);
  EXPECT_STREQ(dtensor_rt_collective_name(1), "all_reduce");
  EXPECT_EQ(dtensor_rt_collective_name(5), nullptr);
}

} // namespace
