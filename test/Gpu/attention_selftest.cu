//===- attention_selftest.cu - attention kernels against double -----------===//
//
// Plans and launches every kernel over shapes, layouts and element types, and
// compares with a reference in double: ||out - ref|| / ||ref||, over all rows
// and for the worst row. Also: no output is left unwritten, nothing is written
// beside the output, and a second run gives the same bits. Then timings.
//
//   nvcc -std=c++20 -O3 -gencode arch=compute_90a,code=sm_90a
//     -I lib/Runtime/Kernels -o attention_selftest
//     test/Gpu/attention_selftest.cu lib/Runtime/Kernels/Attention.cpp
//     lib/Runtime/Kernels/AttentionPlanning.cpp
//
// --quick runs small shapes only, --timings only the timings.
//
//===----------------------------------------------------------------------===//

#include "AttentionKernels.cu"

#include "AttentionCase.h"

#include <cstring>

namespace {

bool failed = false;
bool quick = false;
/// Worst error over all rows of a case, by kernel.
std::map<std::string, double> worstError;

const std::map<std::string, const void *> &kernels() {
#define ENTRY(NAME)                                                            \
  {                                                                            \
    "dtensor_attention_" #NAME, (const void *)dtensor_attention_##NAME         \
  }
  static const std::map<std::string, const void *> table = {
      ENTRY(wgmma_bf16_64), ENTRY(wgmma_bf16_128), ENTRY(wgmma_f16_64),
      ENTRY(wgmma_f16_128), ENTRY(mma_bf16_64),    ENTRY(mma_bf16_128),
      ENTRY(mma_bf16_256),  ENTRY(mma_f16_64),     ENTRY(mma_f16_128),
      ENTRY(mma_f16_256),   ENTRY(simt_f32_64),    ENTRY(simt_f32_128),
      ENTRY(simt_f32_256),  ENTRY(combine_bf16),   ENTRY(combine_f16),
      ENTRY(combine_f32),   ENTRY(few_bf16_64),    ENTRY(few_bf16_128),
      ENTRY(few_f16_64),    ENTRY(few_f16_128)};
#undef ENTRY
  return table;
}

double tolerance(AttentionType type) {
  return type == AttentionType::BF16  ? 6e-3
         : type == AttentionType::F16 ? 8e-4
                                      : 1e-5;
}

void check(Data &data, const AttentionDevice &chosen) {
  const Case &c = data.c;
  AttentionPlan plan;
  std::string error = planAttention(data.problem(), chosen, plan);
  bool ok = error.empty();
  double all = 0, worst = 0;
  std::string why = error;
  if (ok) {
    data.run(plan);
    std::vector<char> first = data.hostOut;
    if (!quick)
      data.run(plan);
    if (first != data.hostOut)
      ok = false, why += " two runs differ;";
    if (!data.wholeOutput())
      ok = false, why += " elements unwritten, NaN or written beside;";
    data.errors(all, worst);
    if (!(all <= tolerance(c.type)) || !(worst <= 4 * tolerance(c.type)))
      ok = false, why += " error too large;";
  }
  const char *kernel = plan.attend.kernel ? plan.attend.kernel + 18 : "none";
  double &record = worstError[kernel];
  if (!(all <= record))
    record = all;
  if (!ok)
    failed = true;
  std::printf("%s %-14s splits %2d T %4ld S %4ld D %3ld heads %ld/%ld batch "
              "%ld causal %d%+ld layout %d scale %g: %.2e worst row %.2e%s\n",
              ok ? "ok  " : "FAIL", kernel, plan.parameters.splits,
              long(c.queries), long(c.keys), long(c.depth), long(c.headsQ),
              long(c.headsKV), long(c.batch), c.causal, long(c.diagonal),
              int(c.layout), c.scale, all, worst, why.c_str());
}

/// The kernels and numbers of splits that the plan can choose for a case.
void checkVariants(const Case &c) {
  Data data(c);
  for (int arch : {device.arch, 80})
    for (int processors : {1, device.multiprocessors, 2000}) {
      if (quick && processors == device.multiprocessors)
        continue;
      if (arch == 80 && c.type == AttentionType::F32 && device.arch != 80)
        continue;
      AttentionDevice chosen = device;
      chosen.arch = arch;
      chosen.multiprocessors = processors;
      check(data, chosen);
    }
}

void checkShapes() {
  struct Shape {
    int64_t queries, keys;
    bool slow;
  };
  const Shape shapes[] = {
      {5, 0, false},      {1, 33, false},   {33, 64, false},  {64, 600, false},
      {200, 130, false},  {2, 700, false},  {0, 5, true},     {1, 1, true},
      {7, 7, true},       {16, 16, true},   {128, 128, true}, {1, 2049, true},
      {1000, 1000, true}, {129, 4097, true}};
  const int64_t heads[][2] = {{2, 2}, {4, 1}, {8, 1}};
  for (const Shape &s : shapes)
    for (int64_t depth : {64, 128, 80})
      for (auto &h : heads)
        for (AttentionType type :
             {AttentionType::BF16, AttentionType::F16, AttentionType::F32}) {
          bool large = s.queries * s.keys > 1 << 17;
          int64_t quickDepth = type == AttentionType::BF16  ? 128
                               : type == AttentionType::F32 ? 80
                                                            : 0;
          if ((quick && (s.slow || depth != quickDepth)) ||
              (h[0] == 4 && (quick || large)))
            continue;
          int64_t batch = large ? 1 : 2;
          double scale = 1 / std::sqrt(double(depth));
          auto run = [&](bool causal, int64_t diagonal, Layout layout) {
            checkVariants({s.queries, s.keys, depth, h[0], h[1], batch, type,
                           causal, diagonal, layout, scale});
          };
          run(false, 0, Layout::RowsFirst);
          run(true, s.keys - s.queries, Layout::HeadsFirst);
          if (!quick)
            run(true, 0, Layout::RowsFirst);
          run(true, -5, Layout::Padded);
        }
}

/// Depths up to the limit, sharp and negative scales.
void checkSpecial() {
  for (AttentionType type :
       {AttentionType::BF16, AttentionType::F16, AttentionType::F32})
    for (int64_t depth : {1, 8, 72, 160, 17, 256})
      for (Layout layout : {Layout::RowsFirst, Layout::Padded})
        if (!quick || depth == 17 || depth == 256)
          checkVariants({70, 150, depth, 4, 2, 2, type, true, 80, layout,
                         1 / std::sqrt(double(depth))});
  for (double scale : {1.0, 0.0, -0.3})
    for (AttentionType type :
         {AttentionType::BF16, AttentionType::F16, AttentionType::F32})
      checkVariants(
          {130, 260, 128, 2, 1, 1, type, true, 130, Layout::RowsFirst, scale});
}

void measure(const Case &c, const AttentionDevice &chosen) {
  Data data(c);
  AttentionPlan plan;
  if (!planAttention(data.problem(), chosen, plan).empty())
    std::exit(1);
  data.run(plan);
  double all = 0, worst = 0;
  if (c.queries <= 2048 || c.type == AttentionType::BF16) {
    data.errors(all, worst);
    if (!(all <= tolerance(c.type)) || !(worst <= 4 * tolerance(c.type)))
      failed = true;
  }
  char *workspace = nullptr;
  CHECK(cudaMalloc(&workspace, plan.workspaceBytes + 16));
  if (plan.workspaceBytes)
    setAttentionWorkspace(plan, workspace);
  // A graph of several launches keeps the host's cost out of short times.
  int launches = visiblePairs(c) * c.depth < 1e11 ? 20 : 1;
  cudaGraph_t graph;
  cudaGraphExec_t replay;
  CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  for (int n = 0; n < launches; ++n)
    Data::launch(plan);
  CHECK(cudaStreamEndCapture(stream, &graph));
  CHECK(cudaGraphInstantiate(&replay, graph, 0));
  cudaEvent_t start, stop;
  CHECK(cudaEventCreate(&start));
  CHECK(cudaEventCreate(&stop));
  std::vector<float> times;
  for (int i = 0; i < 23; ++i) {
    CHECK(cudaEventRecord(start, stream));
    CHECK(cudaGraphLaunch(replay, stream));
    CHECK(cudaEventRecord(stop, stream));
    CHECK(cudaEventSynchronize(stop));
    float ms = 0;
    CHECK(cudaEventElapsedTime(&ms, start, stop));
    if (i >= 3)
      times.push_back(ms / launches);
  }
  CHECK(cudaGraphExecDestroy(replay));
  CHECK(cudaGraphDestroy(graph));
  CHECK(cudaFree(workspace));
  std::sort(times.begin(), times.end());
  double ms = times[times.size() / 2];
  double cached = 2.0 * c.batch * c.headsKV * c.keys * c.depth * data.bytes;
  std::printf("%-11s splits %2d T %5ld S %5ld D %3ld heads %ld/%ld batch %ld "
              "causal %d: %9.4f ms  %7.1f TFLOP/s  %7.1f GB/s of keys and "
              "values  error %.2e\n",
              plan.attend.kernel + 18, plan.parameters.splits, long(c.queries),
              long(c.keys), long(c.depth), long(c.headsQ), long(c.headsKV),
              long(c.batch), c.causal, ms,
              4 * visiblePairs(c) * c.depth / ms * 1e-9, cached / ms * 1e-6,
              all);
}

void measureAll() {
  AttentionDevice old = device;
  old.arch = 80;
  auto at = [&](int64_t queries, int64_t keys, int64_t depth, int64_t headsQ,
                int64_t headsKV, int64_t batch, AttentionType type, bool causal,
                const AttentionDevice &chosen) {
    measure({queries, keys, depth, headsQ, headsKV, batch, type, causal,
             keys - queries, Layout::RowsFirst, 1 / std::sqrt(double(depth))},
            chosen);
  };
  const AttentionType bf16 = AttentionType::BF16, f32 = AttentionType::F32;
  for (bool causal : {true, false})
    for (int64_t rows : {16, 128, 1000, 2048, 4097, 8192})
      at(rows, rows, 128, 32, 4, 1, bf16, causal, device);
  at(8192, 8192, 64, 32, 4, 1, bf16, true, device);
  at(8192, 8192, 128, 32, 32, 1, bf16, true, device);
  at(2048, 2048, 128, 32, 32, 8, bf16, true, device);
  at(128, 8192, 128, 32, 4, 1, bf16, true, device);
  for (int64_t keys : {128, 1000, 8192, 32768})
    at(1, keys, 128, 32, 4, 1, bf16, true, device);
  at(1, 8192, 128, 32, 4, 32, bf16, true, device);
  for (int64_t rows : {128, 1000, 8192})
    at(rows, rows, 128, 32, 4, 1, bf16, true, old);
  for (int64_t rows : {128, 2048})
    at(rows, rows, 128, 32, 4, 1, f32, true, device);
}

} // namespace

int main(int argc, char **argv) {
  quick = argc > 1 && !std::strcmp(argv[1], "--quick");
  bool timings = argc > 1 && !std::strcmp(argv[1], "--timings");
  initialise();
  if (!timings) {
    checkShapes();
    checkSpecial();
    for (auto &[kernel, error] : worstError)
      std::printf("worst error of %-14s %.2e\n", kernel.c_str(), error);
  }
  if (!quick)
    measureAll();
  std::printf("%s\n", failed ? "FAIL" : "PASS");
  return failed ? 1 : 0;
}
