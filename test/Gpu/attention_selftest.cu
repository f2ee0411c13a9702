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
//
// --quick runs small shapes only, --timings only the timings.
//
//===----------------------------------------------------------------------===//

#include "AttentionKernels.cu"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <vector>

using namespace dtensor::rt::cuda;

namespace {

#define CHECK(CALL)                                                            \
  do {                                                                         \
    cudaError_t error = (CALL);                                                \
    if (error != cudaSuccess) {                                                \
      std::printf("FAIL %s: %s (line %d)\n", #CALL, cudaGetErrorString(error), \
                  __LINE__);                                                   \
      std::exit(1);                                                            \
    }                                                                          \
  } while (false)

AttentionDevice device;
cudaStream_t stream;
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

/// Independent, reproducible values in (-1.7, 1.7) with variance 1.
float randomValue(uint64_t index, uint32_t seed) {
  uint64_t x = index + (uint64_t(seed) << 40) + 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  x ^= x >> 31;
  return (float(x >> 40) / float(1 << 24) - 0.5f) * 3.4641016f;
}

float toFloat(const char *data, int64_t index, AttentionType type) {
  if (type == AttentionType::F32)
    return reinterpret_cast<const float *>(data)[index];
  if (type == AttentionType::BF16)
    return __bfloat162float(
        reinterpret_cast<const __nv_bfloat16 *>(data)[index]);
  return __half2float(reinterpret_cast<const __half *>(data)[index]);
}

void fromFloat(char *data, int64_t index, AttentionType type, float value) {
  if (type == AttentionType::F32)
    reinterpret_cast<float *>(data)[index] = value;
  else if (type == AttentionType::BF16)
    reinterpret_cast<__nv_bfloat16 *>(data)[index] = __float2bfloat16(value);
  else
    reinterpret_cast<__half *>(data)[index] = __float2half(value);
}

template <typename Body>
void parallelFor(int64_t count, Body body) {
  std::atomic<int64_t> next{0};
  std::vector<std::thread> threads;
  int64_t want = std::min<int64_t>(std::thread::hardware_concurrency(), count);
  for (int64_t t = 0; t < want; ++t)
    threads.emplace_back([&] {
      for (int64_t i = next++; i < count; i = next++)
        body(i);
    });
  for (std::thread &thread : threads)
    thread.join();
}

enum class Layout { HeadsFirst, RowsFirst, Padded };

struct Case {
  int64_t queries, keys, depth, headsQ, headsKV, batch;
  AttentionType type;
  bool causal;
  int64_t diagonal;
  Layout layout;
  double scale;
};

struct Operand {
  AttentionStrides strides;
  int64_t elements;
};

Operand layOut(const Case &c, int64_t heads, int64_t rows) {
  int64_t pitch = c.layout == Layout::Padded ? c.depth + 3 : c.depth;
  int64_t elements = c.batch * heads * rows * pitch;
  if (c.layout == Layout::RowsFirst)
    return {{rows * heads * pitch, pitch, heads * pitch}, elements};
  return {{heads * rows * pitch, rows * pitch, pitch}, elements};
}

/// Inputs and output of a case on the host and the device. Elements that
/// belong to no row are NaN in the inputs.
struct Data {
  const Case &c;
  int64_t bytes;
  Operand q, kv, out;
  std::vector<char> hostQ, hostK, hostV, hostOut;
  char *deviceQ, *deviceK, *deviceV, *deviceOut;

  Data(const Case &c)
      : c(c), bytes(c.type == AttentionType::F32 ? 4 : 2),
        q(layOut(c, c.headsQ, c.queries)), kv(layOut(c, c.headsKV, c.keys)),
        out(q) {
    fill(hostQ, deviceQ, q, c.headsQ, c.queries, 1);
    fill(hostK, deviceK, kv, c.headsKV, c.keys, 2);
    fill(hostV, deviceV, kv, c.headsKV, c.keys, 3);
    hostOut.resize(out.elements * bytes);
    CHECK(cudaMalloc(&deviceOut, hostOut.size() + 16));
  }
  Data(const Data &) = delete;
  ~Data() {
    for (char *pointer : {deviceQ, deviceK, deviceV, deviceOut})
      CHECK(cudaFree(pointer));
  }

  void fill(std::vector<char> &host, char *&to, const Operand &o, int64_t heads,
            int64_t rows, uint32_t seed) {
    host.assign(o.elements * bytes, char(0xff));
    parallelFor(c.batch * heads, [&](int64_t slice) {
      int64_t first =
          slice / heads * o.strides.batch + slice % heads * o.strides.head;
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t d = 0; d < c.depth; ++d) {
          int64_t at = first + row * o.strides.row + d;
          fromFloat(host.data(), at, c.type, randomValue(at, seed));
        }
    });
    CHECK(cudaMalloc(&to, host.size() + 16));
    CHECK(cudaMemcpy(to, host.data(), host.size(), cudaMemcpyHostToDevice));
  }

  AttentionProblem problem() const {
    return {deviceQ,    deviceK,     deviceV, deviceOut, q.strides, kv.strides,
            kv.strides, out.strides, c.type,  c.batch,   c.headsQ,  c.headsKV,
            c.queries,  c.keys,      c.depth, c.scale,   c.causal,  c.diagonal};
  }

  void run(AttentionPlan &plan) {
    CHECK(cudaMemset(deviceOut, 0xff, hostOut.size()));
    char *workspace = nullptr;
    if (plan.workspaceBytes) {
      CHECK(cudaMalloc(&workspace, plan.workspaceBytes));
      CHECK(cudaMemset(workspace, 0xff, plan.workspaceBytes));
      setAttentionWorkspace(plan, workspace);
    }
    launch(plan);
    CHECK(cudaStreamSynchronize(stream));
    CHECK(cudaFree(workspace));
    CHECK(cudaMemcpy(hostOut.data(), deviceOut, hostOut.size(),
                     cudaMemcpyDeviceToHost));
  }

  static void launch(AttentionPlan &plan) {
    void *params[4];
    attentionKernelParameters(plan, params);
    for (const AttentionLaunch &l : {plan.attend, plan.combine}) {
      if (!l.kernel)
        continue;
      const void *kernel = kernels().at(l.kernel);
      if (l.sharedBytes > 48 * 1024)
        CHECK(cudaFuncSetAttribute(kernel,
                                   cudaFuncAttributeMaxDynamicSharedMemorySize,
                                   int(l.sharedBytes)));
      CHECK(cudaLaunchKernel(kernel, dim3(l.grid), dim3(l.block), params,
                             l.sharedBytes, stream));
    }
  }

  /// One row of the reference.
  void reference(int64_t b, int64_t h, int64_t i,
                 std::vector<double> &row) const {
    int64_t first =
        b * kv.strides.batch + h / (c.headsQ / c.headsKV) * kv.strides.head;
    int64_t query =
        b * q.strides.batch + h * q.strides.head + i * q.strides.row;
    int64_t limit =
        c.causal ? std::clamp<int64_t>(i + c.diagonal + 1, 0, c.keys) : c.keys;
    std::vector<double> scores(limit);
    double peak = -INFINITY, sum = 0;
    for (int64_t j = 0; j < limit; ++j) {
      double dot = 0;
      for (int64_t d = 0; d < c.depth; ++d)
        dot += double(toFloat(hostQ.data(), query + d, c.type)) *
               toFloat(hostK.data(), first + j * kv.strides.row + d, c.type);
      scores[j] = dot * c.scale;
      peak = std::max(peak, scores[j]);
    }
    row.assign(c.depth, 0.0);
    for (int64_t j = 0; j < limit; ++j) {
      double weight = std::exp(scores[j] - peak);
      sum += weight;
      for (int64_t d = 0; d < c.depth; ++d)
        row[d] += weight *
                  toFloat(hostV.data(), first + j * kv.strides.row + d, c.type);
    }
    for (double &x : row)
      x = limit > 0 ? x / sum : 0.0;
  }

  /// All rows of small cases; the first, the last and some between of large.
  std::vector<int64_t> checkedRows() const {
    std::vector<int64_t> rows;
    int64_t step = std::max<int64_t>(1, c.queries / 40);
    for (int64_t i = 0; i < c.queries; ++i)
      if (c.queries <= 128 || i < 4 || i + 4 >= c.queries || i % step == 0)
        rows.push_back(i);
    return rows;
  }

  /// Error over all checked rows and the worst row's; NaN where one is.
  void errors(double &all, double &worst) const {
    std::vector<int64_t> rows = checkedRows();
    int64_t slices = c.batch * c.headsQ, count = slices * rows.size();
    std::vector<double> difference(count), norm(count);
    parallelFor(count, [&](int64_t n) {
      int64_t slice = n / rows.size(), i = rows[n % rows.size()];
      int64_t b = slice / c.headsQ, h = slice % c.headsQ;
      std::vector<double> row;
      reference(b, h, i, row);
      int64_t at =
          b * out.strides.batch + h * out.strides.head + i * out.strides.row;
      for (int64_t d = 0; d < c.depth; ++d) {
        double e = toFloat(hostOut.data(), at + d, c.type) - row[d];
        difference[n] += e * e;
        norm[n] += row[d] * row[d];
      }
    });
    double sumDifference = 0, sumNorm = 0;
    for (int64_t n = 0; n < count; ++n)
      sumDifference += difference[n], sumNorm += norm[n];
    auto ratio = [](double d, double n) {
      return std::sqrt(n > 0 ? d / n : d);
    };
    worst = 0;
    for (int64_t n = 0; n < count; ++n) {
      // Rows whose terms cancel are measured by the average row.
      double e = ratio(difference[n], std::max(norm[n], sumNorm / count));
      if (!(e <= worst))
        worst = e;
    }
    all = ratio(sumDifference, sumNorm);
  }

  /// Every row written, without NaN, and nothing beside them.
  bool wholeOutput() const {
    std::vector<char> inside(out.elements, 0);
    for (int64_t s = 0; s < c.batch * c.headsQ; ++s)
      for (int64_t i = 0; i < c.queries; ++i)
        for (int64_t d = 0; d < c.depth; ++d)
          inside[s / c.headsQ * out.strides.batch +
                 s % c.headsQ * out.strides.head + i * out.strides.row + d] = 1;
    for (int64_t at = 0; at < out.elements; ++at) {
      bool poison = true;
      for (int64_t i = 0; i < bytes; ++i)
        poison &= hostOut[at * bytes + i] == char(0xff);
      if (inside[at] ? std::isnan(toFloat(hostOut.data(), at, c.type))
                     : !poison)
        return false;
    }
    return true;
  }
};

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
      {5, 0, false},     {1, 33, false},     {33, 64, false},  {64, 600, false},
      {200, 130, false}, {2, 700, false},    {1, 33, false},   {0, 5, true},
      {1, 1, true},      {7, 7, true},       {16, 16, true},   {128, 128, true},
      {1, 2049, true},   {1000, 1000, true}, {129, 4097, true}};
  const int64_t heads[][2] = {{2, 2}, {4, 1}, {8, 1}};
  for (const Shape &s : shapes)
    for (int64_t depth : {64, 128, 80})
      for (auto &h : heads)
        for (AttentionType type :
             {AttentionType::BF16, AttentionType::F16, AttentionType::F32}) {
          bool large = s.queries * s.keys > 1 << 17;
          if ((quick && (s.slow || depth == 64)) ||
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

double visiblePairs(const Case &c) {
  double pairs = 0;
  for (int64_t i = 0; i < c.queries; ++i)
    pairs += c.causal
                 ? double(std::clamp<int64_t>(i + c.diagonal + 1, 0, c.keys))
                 : double(c.keys);
  return pairs * c.batch * c.headsQ;
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

void initialise() {
  cudaDeviceProp properties;
  CHECK(cudaGetDeviceProperties(&properties, 0));
  void *encode = nullptr;
  cudaDriverEntryPointQueryResult found;
  CHECK(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &encode,
                                         12000, cudaEnableDefault, &found));
  device = {properties.major * 10 + properties.minor,
            properties.multiProcessorCount,
            reinterpret_cast<TensorMapEncode>(encode)};
  CHECK(cudaStreamCreate(&stream));
  std::printf("%s, sm_%d, %d multiprocessors\n", properties.name, device.arch,
              device.multiprocessors);
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
