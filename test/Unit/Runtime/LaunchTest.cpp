//===- LaunchTest.cpp - binding, distributing, collecting -------*- C++ -*-===//
//
// One program for all tests copies a matrix; its placements are those of the
// manifest under test, its layout function is told them by a macro.
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace dtensor;
using namespace dtensor::test;
using testing::HasSubstr;

namespace {

/// copy(x: (M, N)) -> y of the same layout. MODE is the list of placements:
/// R or P (whole), 0 or 1 (the sharded dimension), one character per axis.
/// Checks: M <= 100, and the scalar n equals N.
const char *const kSource = R"(
#include <stdint.h>
static int64_t chunk(int64_t extent, int64_t n, int64_t r, int64_t *offset) {
  int64_t c = (extent + n - 1) / n;
  *offset = r * c < extent ? r * c : extent;
  int64_t left = extent - *offset;
  return left < c ? left : c;
}
int32_t f_bind(const int64_t *const *shapes, const int64_t *scalars,
               const int64_t *sizes, int64_t *symbols, int64_t *values) {
  symbols[0] = shapes[0][0];
  symbols[1] = shapes[0][1];
  values[0] = symbols[0];
  values[1] = 100;
  if (symbols[0] > 100)
    return 1;
  values[0] = scalars[1];
  values[1] = symbols[1];
  return scalars[1] == symbols[1] ? 0 : 2;
}
void f_layout(int32_t ordinal, const int64_t *symbols, const int64_t *sizes,
              const int64_t *coords, int64_t *extents, int64_t *offsets) {
  if (ordinal == 1)
    return;
  for (int d = 0; d < 2; ++d) {
    extents[d] = symbols[d];
    offsets[d] = 0;
  }
  const char *mode = MODE;
  for (int a = 0; mode[a]; ++a)
    for (int d = 0; d < 2; ++d)
      if (mode[a] == '0' + d) {
        int64_t offset;
        extents[d] = chunk(extents[d], sizes[a], coords[a], &offset);
        offsets[d] += offset;
      }
}
struct desc { float *base, *data; int64_t offset, sizes[2], strides[2]; };
void f_run(void *ctx, void *const *args, const int64_t *symbols,
           const int64_t *sizes, const int64_t *coords) {
  struct desc *x = args[0], *y = args[2];
  for (int64_t i = 0; i < y->sizes[0]; ++i)
    for (int64_t j = 0; j < y->sizes[1]; ++j)
      y->data[i * y->strides[0] + j * y->strides[1]] =
          x->data[i * x->strides[0] + j * x->strides[1]] + ADD;
}
)";

std::string placements(const std::string &mode, const std::string &reduce) {
  std::string text;
  for (char c : mode) {
    text += text.empty() ? "" : ", ";
    if (c == 'R')
      text += R"({"kind": "replicate"})";
    else if (c == 'P')
      text += R"({"kind": "partial", "reduce": ")" + reduce + "\"}";
    else
      text += std::string(R"({"kind": "shard", "dim": )") + c + "}";
  }
  return text;
}

std::string axesManifest(const std::string &mode, const std::string &facts) {
  std::string axes;
  for (size_t a = 0; a < mode.size(); ++a)
    axes += (a ? ", " : "") + (R"({"name": ")" + std::string(1, 'a' + a)) +
            R"(", "size": null)" + facts + "}";
  return R"({"axes": [)" + axes + "]}";
}

/// An open bundle of the copy program; closed with the object.
struct CopyProgram {
  dtensor_rt_bundle *bundle;

  explicit CopyProgram(const std::string &mode,
                       const std::string &reduce = "sum",
                       const std::string &add = "-0.0f",
                       const std::string &facts = "") {
    static int count = 0;
    std::string source =
        "#define MODE \"" + mode + "\"\n#define ADD " + add + "\n" + kSource;
    std::string value = R"("dtype": "f32", "shape": [null, null],
      "extents": ["M", "N"], "placements": [)" +
                        placements(mode, reduce) + "]}";
    std::string manifest =
        manifestHead() + R"("target": "cpu", "mesh": )" +
        axesManifest(mode, facts) +
        R"(, "entries": [{"name": "f", "bind": "f_bind", "layout": "f_layout",
        "run": "f_run", "symbols": ["M", "N"], "args": [
        {"name": "x", "kind": "tensor", )" +
        value + R"(, {"name": "n", "kind": "scalar", "dtype": "index"}],
        "results": [{"name": "y", "kind": "tensor", )" +
        value + R"(], "checks": ["M is {0}, at most {1} is supported",
        "n is {0}, but dimension 1 of x has {1}"]}]})";
    bundle = openBundle(
        makeBundleFile("copy" + std::to_string(count++), source, manifest));
  }
  ~CopyProgram() { dtensor_rt_bundle_close(bundle); }
};

/// The two arguments of the copy program.
struct CopyArgs {
  HostArray x;
  int64_t n;
  dtensor_rt_array arrays[2];

  explicit CopyArgs(const std::vector<int64_t> &shape)
      : x(makeArray(DTENSOR_RT_f32, shape)), n(shape[1]) {
    for (int64_t i = 0; i < x.numElements(); ++i)
      run::setElement(x, i, i + 1);
    arrays[0] = toArray(x);
    arrays[1] = {
        sizeof(dtensor_rt_array), &n, DTENSOR_RT_index, 0, nullptr, nullptr};
  }
};

/// Runs the program on global arrays and returns y.
HostArray runGlobal(const CopyProgram &program,
                    const std::vector<int64_t> &mesh, const CopyArgs &args) {
  HostArray y = makeArray(DTENSOR_RT_f32, args.x.shape);
  dtensor_rt_executable *executable = createExecutable(program.bundle, mesh);
  dtensor_rt_launch *launch = nullptr;
  EXPECT_EQ(dtensor_rt_bind(executable, args.arrays, 2, &launch), DTENSOR_RT_OK)
      << dtensor_rt_last_error();
  dtensor_rt_array result = toArray(y);
  EXPECT_EQ(dtensor_rt_run_global(launch, args.arrays, 2, &result, 1),
            DTENSOR_RT_OK)
      << dtensor_rt_last_error();
  dtensor_rt_launch_destroy(launch);
  dtensor_rt_executable_destroy(executable);
  return y;
}

std::vector<std::vector<int64_t>> shapes() {
  return {{10, 5}, {9, 5}, {3, 5}, {1, 3}, {0, 4}, {4, 0}};
}

TEST(Launch, GlobalArraysGoAndComeBackOnOneAxis) {
  for (const char *mode : {"R", "0", "1", "P"}) {
    CopyProgram program(mode);
    for (const std::vector<int64_t> &shape : shapes())
      for (int64_t size : {1, 2, 3, 4, 8}) {
        CopyArgs args(shape);
        HostArray y = runGlobal(program, {size}, args);
        for (int64_t i = 0; i < y.numElements(); ++i)
          ASSERT_EQ(run::getElement(y, i), i + 1) << mode << " on " << size;
      }
  }
}

TEST(Launch, GlobalArraysGoAndComeBackOnTwoAxes) {
  for (char first : {'R', '0', '1', 'P'})
    for (char second : {'R', '0', '1', 'P'}) {
      CopyProgram program({first, second});
      for (const std::vector<int64_t> &shape : shapes())
        for (const std::vector<int64_t> &mesh :
             {std::vector<int64_t>{2, 2}, {2, 3}}) {
          CopyArgs args(shape);
          HostArray y = runGlobal(program, mesh, args);
          for (int64_t i = 0; i < y.numElements(); ++i)
            ASSERT_EQ(run::getElement(y, i), i + 1) << first << second;
        }
    }
}

TEST(Launch, EveryKindOfPartialIsNeutralAway) {
  for (const char *reduce : {"sum", "max", "min", "product", "avg"}) {
    CopyProgram program("P", reduce);
    CopyArgs args({3, 4});
    run::setElement(args.x, 0, -5);
    run::setElement(args.x, 1, -0.0);
    HostArray y = runGlobal(program, {3}, args);
    EXPECT_EQ(run::getElement(y, 0), -5) << reduce;
    EXPECT_EQ(std::signbit(run::getElement(y, 1)), true) << reduce;
    EXPECT_EQ(run::getElement(y, 11), 12) << reduce;
  }
}

TEST(Launch, PartialResultsAreReducedOverRanks) {
  // Every rank adds 1 to its part: a sum sees it n times, an average once.
  CopyArgs args({2, 2});
  HostArray sum = runGlobal(CopyProgram("P", "sum", "1"), {3}, args);
  EXPECT_EQ(run::getElement(sum, 3), 4 + 3);
  HostArray avg = runGlobal(CopyProgram("P", "avg", "1"), {3}, args);
  EXPECT_EQ(run::getElement(avg, 3), 4 + 1);
  HostArray replicated = runGlobal(CopyProgram("RP", "sum", "1"), {2, 3}, args);
  EXPECT_EQ(run::getElement(replicated, 3), 4 + 3);
}

TEST(Launch, ColumnMajorArgumentsAreRead) {
  for (const char *mode : {"R", "0"}) {
    CopyProgram program(mode);
    CopyArgs args({3, 4});
    args.x.isColumnMajor = true;
    std::vector<int64_t> strides = args.x.strides();
    args.arrays[0].strides = strides.data();
    HostArray y = runGlobal(program, {2}, args);
    EXPECT_EQ(run::getElement(y, 1), 4); // x[0, 1] is the fourth stored
  }
}

TEST(Launch, LocalBoxesPartitionTheGlobalTensor) {
  CopyProgram program("0");
  CopyArgs args({10, 5});
  dtensor_rt_executable *executable = createExecutable(program.bundle, {4});
  dtensor_rt_launch *launch = nullptr;
  ASSERT_EQ(dtensor_rt_bind(executable, args.arrays, 2, &launch),
            DTENSOR_RT_OK);
  int64_t symbols[2], next = 0;
  EXPECT_EQ(dtensor_rt_launch_symbols(launch, symbols, 2), DTENSOR_RT_OK);
  EXPECT_EQ(symbols[0], 10);
  for (int64_t rank = 0; rank < 4; ++rank) {
    int64_t extents[2], offsets[2];
    EXPECT_EQ(dtensor_rt_launch_local_box(launch, rank, 0, extents, offsets, 2),
              DTENSOR_RT_OK);
    EXPECT_EQ(offsets[0], next);
    next += extents[0];
  }
  EXPECT_EQ(next, 10);
  dtensor_rt_launch_destroy(launch);
  dtensor_rt_executable_destroy(executable);
}

TEST(Launch, LocalArraysRunAsTheyAre) {
  CopyProgram program("0", "sum", "1");
  CopyArgs global({3, 2});
  dtensor_rt_executable *executable = createExecutable(program.bundle, {2});
  dtensor_rt_launch *launch = nullptr;
  ASSERT_EQ(dtensor_rt_bind(executable, global.arrays, 2, &launch),
            DTENSOR_RT_OK);
  CopyArgs first({2, 2}), second({1, 2}), wrong({2, 2});
  HostArray y0 = makeArray(DTENSOR_RT_f32, {2, 2});
  HostArray y1 = makeArray(DTENSOR_RT_f32, {1, 2});
  dtensor_rt_array args[] = {first.arrays[0], first.arrays[1], second.arrays[0],
                             second.arrays[1]};
  dtensor_rt_array results[] = {toArray(y0), toArray(y1)};
  EXPECT_EQ(dtensor_rt_run_local(launch, args, 4, results, 2), DTENSOR_RT_OK)
      << dtensor_rt_last_error();
  EXPECT_EQ(run::getElement(y0, 3), 5);
  EXPECT_EQ(run::getElement(y1, 1), 3);
  args[2] = wrong.arrays[0];
  EXPECT_EQ(dtensor_rt_run_local(launch, args, 4, results, 2),
            DTENSOR_RT_INVALID_ARGUMENT);
  EXPECT_THAT(dtensor_rt_last_error(),
              HasSubstr("rank 1: \"x\" has shape 2x2, expected 1x2"));
  EXPECT_EQ(dtensor_rt_run_local(launch, args, 2, results, 2),
            DTENSOR_RT_INVALID_ARGUMENT);
  EXPECT_STREQ(dtensor_rt_last_error(),
               "2 arguments for 2 local ranks given, 4 expected");
  dtensor_rt_launch_destroy(launch);
  dtensor_rt_executable_destroy(executable);
}

TEST(Launch, LocalArraysMayChangeFromCallToCall) {
  CopyProgram program("0", "sum", "1");
  CopyArgs global({3, 2});
  dtensor_rt_executable *executable = createExecutable(program.bundle, {2});
  dtensor_rt_launch *launch = nullptr;
  ASSERT_EQ(dtensor_rt_bind(executable, global.arrays, 2, &launch),
            DTENSOR_RT_OK);
  CopyArgs first({2, 2}), second({1, 2}), other({2, 2});
  HostArray y0 = makeArray(DTENSOR_RT_f32, {2, 2});
  HostArray y1 = makeArray(DTENSOR_RT_f32, {1, 2});
  HostArray y2 = makeArray(DTENSOR_RT_f32, {2, 2});
  dtensor_rt_array args[] = {first.arrays[0], first.arrays[1], second.arrays[0],
                             second.arrays[1]};
  dtensor_rt_array results[] = {toArray(y0), toArray(y1)};
  auto run = [&] { return dtensor_rt_run_local(launch, args, 4, results, 2); };
  for (int turn = 0; turn < 3; ++turn) {
    run::setElement(y0, 3, 0);
    EXPECT_EQ(run(), DTENSOR_RT_OK) << dtensor_rt_last_error();
    EXPECT_EQ(run::getElement(y0, 3), 5);
  }
  args[0] = other.arrays[0];
  results[0] = toArray(y2);
  EXPECT_EQ(run(), DTENSOR_RT_OK) << dtensor_rt_last_error();
  EXPECT_EQ(run::getElement(y2, 3), 5);
  int64_t wrong[] = {2, 3};
  results[0].shape = wrong;
  EXPECT_EQ(run(), DTENSOR_RT_INVALID_ARGUMENT);
  dtensor_rt_launch_destroy(launch);
  dtensor_rt_executable_destroy(executable);
}

TEST(Launch, AResultSharesMemoryWithNothing) {
  CopyProgram program("0", "sum", "1");
  CopyArgs global({4, 2});
  dtensor_rt_executable *executable = createExecutable(program.bundle, {2});
  dtensor_rt_launch *launch = nullptr;
  ASSERT_EQ(dtensor_rt_bind(executable, global.arrays, 2, &launch),
            DTENSOR_RT_OK);
  CopyArgs both({2, 2});
  HostArray y = makeArray(DTENSOR_RT_f32, {3, 2});
  dtensor_rt_array args[] = {both.arrays[0], both.arrays[1], both.arrays[0],
                             both.arrays[1]};
  int64_t shape[] = {2, 2};
  dtensor_rt_array results[] = {toArray(y), toArray(y)};
  results[0].shape = results[1].shape = shape;
  auto error = [&] {
    return dtensor_rt_run_local(launch, args, 4, results, 2) == DTENSOR_RT_OK
               ? ""
               : dtensor_rt_last_error();
  };
  // One row of the two results is the same.
  results[1].data = y.data.get() + 8;
  EXPECT_STREQ(error(),
               "result \"y\" of rank 1 shares memory with result \"y\" of rank "
               "0, but the program writes to the first of them");
  HostArray z = makeArray(DTENSOR_RT_f32, {2, 2});
  results[1] = toArray(z);
  results[0].data = both.arrays[0].data;
  EXPECT_THAT(error(), HasSubstr("shares memory with"));
  results[0] = toArray(y);
  results[0].shape = shape;
  EXPECT_STREQ(error(), ""); // the ranks share their arguments
  dtensor_rt_launch_destroy(launch);
  dtensor_rt_executable_destroy(executable);
}

TEST(Launch, ChecksReportTheirNumbers) {
  CopyProgram program("0");
  dtensor_rt_executable *executable = createExecutable(program.bundle, {2});
  dtensor_rt_launch *launch = nullptr;
  CopyArgs large({101, 2});
  EXPECT_EQ(dtensor_rt_bind(executable, large.arrays, 2, &launch),
            DTENSOR_RT_CHECK_FAILED);
  EXPECT_STREQ(dtensor_rt_last_error(),
               "\"f\": M is 101, at most 100 is supported");
  CopyArgs other({2, 2});
  other.n = 7;
  EXPECT_EQ(dtensor_rt_bind(executable, other.arrays, 2, &launch),
            DTENSOR_RT_CHECK_FAILED);
  EXPECT_STREQ(dtensor_rt_last_error(),
               "\"f\": n is 7, but dimension 1 of x has 2");
  dtensor_rt_executable_destroy(executable);
}

/// The message of making an executable on these axes.
std::string createError(dtensor_rt_bundle *bundle, dtensor_rt_status status,
                        std::vector<const char *> names,
                        std::vector<int64_t> sizes) {
  dtensor_rt_executable_options options = {
      sizeof(options), "f",          "sim",  names.size(),
      names.data(),    sizes.data(), nullptr};
  dtensor_rt_executable *executable = nullptr;
  EXPECT_EQ(dtensor_rt_executable_create(bundle, &options, &executable),
            status);
  return dtensor_rt_last_error();
}

TEST(Executable, DeclaredFactsOfTheMeshAreChecked) {
  auto error = [&](const char *facts, int64_t size) {
    CopyProgram program("0", "sum", "-0.0f", facts);
    return createError(program.bundle, DTENSOR_RT_MESH_MISMATCH, {"a"}, {size});
  };
  EXPECT_EQ(error(R"(, "min": 2)", 1),
            "mesh axis \"a\" has size 1, the program declares at least 2");
  EXPECT_THAT(error(R"(, "max": 4)", 5), HasSubstr("at most 4"));
  EXPECT_THAT(error(R"(, "divides": 64)", 3), HasSubstr("a divisor of 64"));
  EXPECT_THAT(error(R"(, "multiple_of": 2)", 3), HasSubstr("a multiple of 2"));
}

TEST(Executable, AxesMustBeNamedOnceAndPositive) {
  CopyProgram program("0R");
  auto error = [&](std::vector<const char *> names, std::vector<int64_t> sizes,
                   dtensor_rt_status status = DTENSOR_RT_INVALID_ARGUMENT) {
    return createError(program.bundle, status, names, sizes);
  };
  EXPECT_THAT(error({"a"}, {2}), HasSubstr("axis \"b\" is not given"));
  EXPECT_THAT(error({"a", "a"}, {2, 2}), HasSubstr("given twice"));
  EXPECT_THAT(error({"a", "b"}, {2, 0}), HasSubstr("has size 0"));
  EXPECT_THAT(error({"a", "tp"}, {2, 2}, DTENSOR_RT_NOT_FOUND),
              HasSubstr("no mesh axis \"tp\"; the program has \"a\", \"b\""));
  EXPECT_THAT(error({"a", "b"}, {1ll << 40, 1ll << 40}),
              HasSubstr("backend \"sim\" has at most 1024"));
}

TEST(Executable, TheLeastSizeMeetsAllFacts) {
  CopyProgram program("0", "sum", "-0.0f",
                      R"(, "divides": 12, "min": 3, "multiple_of": 2)");
  dtensor_rt_axis_info info = {};
  info.struct_size = sizeof(info);
  ASSERT_EQ(dtensor_rt_bundle_axis(program.bundle, 0, &info), DTENSOR_RT_OK);
  EXPECT_EQ(info.least_size, 4);
  EXPECT_EQ(info.size, -1);
}

} // namespace
