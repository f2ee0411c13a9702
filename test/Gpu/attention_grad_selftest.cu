//===- attention_grad_selftest.cu - gradients of attention against double -===//
//
// As attention_selftest.cu: every kernel over shapes, layouts and element
// types, compared with a reference in double; nothing unwritten, nothing
// written beside the results, the same bits twice. Then timings, where one
// TFLOP/s counts 5 products for both gradients together.
//
//   nvcc -std=c++20 -O3 -gencode arch=compute_90a,code=sm_90a
//     -I lib/Runtime/Kernels -o attention_grad_selftest
//     test/Gpu/attention_grad_selftest.cu lib/Runtime/Kernels/AttentionGrad.cpp
//     lib/Runtime/Kernels/AttentionPlanning.cpp
//
// --quick runs small shapes only, --few a handful for NVIDIA's sanitizers,
// --timings only the timings.
//
//===----------------------------------------------------------------------===//

#include "AttentionGradKernels.cu"

#include "AttentionCase.h"
#include "AttentionGrad.h"

#include <cstring>

namespace {

bool failed = false, quick = false, few = false;
std::map<std::string, double> worstError;

const std::map<std::string, const void *> &kernels() {
#define ENTRY(NAME)                                                            \
  {"dtensor_attention_" #NAME, (const void *)dtensor_attention_##NAME}
#define DEPTHS(WHAT, TYPE)                                                     \
  ENTRY(WHAT##_grad_simt_##TYPE##_64), ENTRY(WHAT##_grad_simt_##TYPE##_128),   \
      ENTRY(WHAT##_grad_simt_##TYPE##_256)
#define WGMMA(WHAT, TYPE)                                                      \
  ENTRY(WHAT##_grad_wgmma_##TYPE##_64), ENTRY(WHAT##_grad_wgmma_##TYPE##_128)
#define BOTH(MACRO, TYPE) MACRO(query, TYPE), MACRO(key_value, TYPE)
  static const std::map<std::string, const void *> table = {
      BOTH(DEPTHS, bf16),      BOTH(DEPTHS, f16),
      BOTH(DEPTHS, f32),       BOTH(WGMMA, bf16),
      BOTH(WGMMA, f16),        ENTRY(grad_combine_bf16),
      ENTRY(grad_combine_f16), ENTRY(grad_combine_f32),
  };
  return table;
}

double tolerance(AttentionType type) {
  return type == AttentionType::BF16  ? 8e-3
         : type == AttentionType::F16 ? 1e-3
                                      : 1e-5;
}

/// A tensor on the host and on the device.
struct Tensor {
  const Case &c;
  int64_t heads, rows, depth, bytes;
  AttentionStrides strides;
  std::vector<char> host;
  char *data = nullptr;

  Tensor(const Case &c, int64_t heads, int64_t rows, bool isWide)
      : c(c), heads(heads), rows(rows), depth(isWide ? 1 : c.depth),
        bytes(isWide || c.type == AttentionType::F32 ? 4 : 2) {
    int64_t pitch = c.layout == Layout::Padded && !isWide ? depth + 3 : depth;
    strides = c.layout == Layout::RowsFirst && !isWide
                  ? AttentionStrides{rows * heads * pitch, pitch, heads * pitch}
                  : AttentionStrides{heads * rows * pitch, rows * pitch, pitch};
    host.assign(c.batch * heads * rows * pitch * bytes, char(0xff));
    CHECK(cudaMalloc(&data, host.size() + 16));
    poison();
  }
  Tensor(const Tensor &) = delete;
  ~Tensor() { CHECK(cudaFree(data)); }

  AttentionOperand operand() const { return {data, strides}; }
  AttentionType type() const {
    return bytes == 4 ? AttentionType::F32 : c.type;
  }
  int64_t at(int64_t b, int64_t h, int64_t i) const {
    return b * strides.batch + h * strides.head + i * strides.row;
  }
  double get(int64_t b, int64_t h, int64_t i, int64_t d = 0) const {
    return toFloat(host.data(), at(b, h, i) + d, type());
  }
  template <typename Value>
  void fill(Value value) {
    parallelFor(c.batch * heads, [&](int64_t slice) {
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t d = 0; d < depth; ++d)
          fromFloat(host.data(), at(slice / heads, slice % heads, i) + d,
                    type(), float(value(slice / heads, slice % heads, i, d)));
    });
    CHECK(cudaMemcpy(data, host.data(), host.size(), cudaMemcpyHostToDevice));
  }
  void random(uint32_t seed) {
    fill([&](int64_t b, int64_t h, int64_t i, int64_t d) {
      return randomValue(at(b, h, i) + d, seed);
    });
  }
  void poison() { CHECK(cudaMemset(data, 0xff, host.size() + 16)); }
  void read() {
    CHECK(cudaMemcpy(host.data(), data, host.size(), cudaMemcpyDeviceToHost));
  }

  /// Every row written, without NaN, and nothing beside them.
  bool isWhole() const {
    std::vector<char> inside(host.size() / bytes, 0);
    for (int64_t s = 0; s < c.batch * heads; ++s)
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t d = 0; d < depth; ++d)
          inside[at(s / heads, s % heads, i) + d] = 1;
    for (size_t n = 0; n < inside.size(); ++n) {
      bool isPoison = true;
      for (int64_t i = 0; i < bytes; ++i)
        isPoison &= host[n * bytes + i] == char(0xff);
      if (inside[n] ? std::isnan(toFloat(host.data(), n, type())) : !isPoison)
        return false;
    }
    return true;
  }
};

struct GradData {
  const Case &c;
  Tensor grad, q, k, v, delta, gradQ, gradK, gradV, logs;
  /// The reference.
  std::vector<double> refQ, refK, refV, refLogs;

  GradData(const Case &c, bool hasReference)
      : c(c), grad(c, c.headsQ, c.queries, false),
        q(c, c.headsQ, c.queries, false), k(c, c.headsKV, c.keys, false),
        v(c, c.headsKV, c.keys, false), delta(c, c.headsQ, c.queries, true),
        gradQ(c, c.headsQ, c.queries, false),
        gradK(c, c.headsKV, c.keys, false), gradV(c, c.headsKV, c.keys, false),
        logs(c, c.headsQ, c.queries, true) {
    grad.random(4), q.random(1), k.random(2), v.random(3);
    if (hasReference)
      makeReference();
    else
      delta.random(5);
  }

  int64_t limit(int64_t i) const {
    return c.causal ? std::clamp<int64_t>(i + c.diagonal + 1, 0, c.keys)
                    : c.keys;
  }

  /// Of one head of keys.
  void referenceOf(int64_t b, int64_t kv, std::vector<double> &deltas) {
    int64_t group = c.headsQ / c.headsKV, D = c.depth;
    double *dk = &refK[(b * c.headsKV + kv) * c.keys * D];
    double *dv = &refV[(b * c.headsKV + kv) * c.keys * D];
    std::vector<double> p(c.keys), inner(c.keys);
    for (int64_t h = kv * group; h < (kv + 1) * group; ++h)
      for (int64_t i = 0; i < c.queries; ++i) {
        int64_t n = limit(i), row = (b * c.headsQ + h) * c.queries + i;
        double peak = -INFINITY, sum = 0, delta = 0;
        for (int64_t j = 0; j < n; ++j) {
          double dot = 0, in = 0;
          for (int64_t d = 0; d < D; ++d) {
            dot += q.get(b, h, i, d) * k.get(b, kv, j, d);
            in += grad.get(b, h, i, d) * v.get(b, kv, j, d);
          }
          p[j] = dot * c.scale, inner[j] = in;
          peak = std::max(peak, p[j]);
        }
        for (int64_t j = 0; j < n; ++j)
          sum += std::exp(p[j] - peak);
        refLogs[row] = n ? peak + std::log(sum) : -INFINITY;
        for (int64_t j = 0; j < n; ++j) {
          p[j] = std::exp(p[j] - refLogs[row]);
          delta += p[j] * inner[j];
        }
        deltas[row] = delta;
        for (int64_t j = 0; j < n; ++j) {
          double ds = p[j] * (inner[j] - delta) * c.scale;
          for (int64_t d = 0; d < D; ++d) {
            refQ[row * D + d] += ds * k.get(b, kv, j, d);
            dk[j * D + d] += ds * q.get(b, h, i, d);
            dv[j * D + d] += p[j] * grad.get(b, h, i, d);
          }
        }
      }
  }

  void makeReference() {
    int64_t rowsQ = c.batch * c.headsQ * c.queries;
    int64_t rowsK = c.batch * c.headsKV * c.keys;
    refQ.assign(rowsQ * c.depth, 0);
    refK.assign(rowsK * c.depth, 0);
    refV.assign(rowsK * c.depth, 0);
    refLogs.assign(rowsQ, 0);
    std::vector<double> deltas(rowsQ);
    parallelFor(c.batch * c.headsKV, [&](int64_t slice) {
      referenceOf(slice / c.headsKV, slice % c.headsKV, deltas);
    });
    delta.fill([&](int64_t b, int64_t h, int64_t i, int64_t) {
      return deltas[(b * c.headsQ + h) * c.queries + i];
    });
  }

  AttentionGradProblem problem() const {
    return {grad.operand(),  q.operand(),     k.operand(),     v.operand(),
            gradQ.operand(), gradK.operand(), gradV.operand(), logs.operand(),
            delta.operand(), c.type,          c.batch,         c.headsQ,
            c.headsKV,       c.queries,       c.keys,          c.depth,
            c.depth,         c.scale,         c.causal,        c.diagonal};
  }
};

void launch(AttentionGradPlan &plan) {
  void *params[5];
  gradKernelParameters(plan, params);
  for (const AttentionLaunch &l : {plan.grad, plan.combine}) {
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

/// The plans of both gradients with their memory.
struct Plans {
  AttentionGradPlan query, keyValue;
  char *workspace = nullptr;
  std::string error;

  Plans(const GradData &data, const AttentionDevice &device) {
    error = planQueryGrad(data.problem(), device, query) +
            planKeyValueGrad(data.problem(), device, keyValue);
    CHECK(cudaMalloc(&workspace, keyValue.workspaceBytes + 16));
    CHECK(cudaMemset(workspace, 0xff, keyValue.workspaceBytes + 16));
    if (keyValue.workspaceBytes)
      setGradWorkspace(keyValue, workspace);
  }
  Plans(const Plans &) = delete;
  ~Plans() { CHECK(cudaFree(workspace)); }

  void run() {
    launch(query);
    launch(keyValue);
  }
};

double errorOf(const Tensor &t, const std::vector<double> &reference) {
  double difference = 0, norm = 0;
  for (int64_t s = 0, n = 0; s < t.c.batch * t.heads; ++s)
    for (int64_t i = 0; i < t.rows; ++i)
      for (int64_t d = 0; d < t.depth; ++d, ++n) {
        double value = t.get(s / t.heads, s % t.heads, i, d);
        if (value == reference[n])
          continue;
        difference += (value - reference[n]) * (value - reference[n]);
        norm += reference[n] * reference[n];
      }
  return std::sqrt(norm > 0 ? difference / norm : difference);
}

const char *shortName(const AttentionGradPlan &plan) {
  return plan.grad.kernel ? plan.grad.kernel + 18 : "none";
}

void check(GradData &data, const AttentionDevice &chosen) {
  const Case &c = data.c;
  Plans plans(data, chosen);
  bool ok = plans.error.empty();
  std::string why = plans.error;
  double errors[4] = {};
  if (ok) {
    Tensor *results[] = {&data.gradQ, &data.gradK, &data.gradV, &data.logs};
    const std::vector<double> *references[] = {&data.refQ, &data.refK,
                                               &data.refV, &data.refLogs};
    std::vector<char> first[4];
    for (int run = 0; run < 2; ++run) {
      for (Tensor *t : results)
        t->poison();
      plans.run();
      CHECK(cudaStreamSynchronize(stream));
      for (int n = 0; n < 4; ++n) {
        results[n]->read();
        if (run == 0)
          first[n] = results[n]->host;
        else if (first[n] != results[n]->host)
          ok = false, why += " two runs differ;";
      }
    }
    for (int n = 0; n < 4; ++n) {
      if (!results[n]->isWhole())
        ok = false, why += " elements unwritten, NaN or written beside;";
      errors[n] = errorOf(*results[n], *references[n]);
      if (!(errors[n] <= (n == 3 ? 1e-4 : tolerance(c.type))))
        ok = false, why += " error too large;";
    }
  }
  auto record = [&](const char *name, double error) {
    double &worst = worstError[name];
    if (!(error <= worst))
      worst = error;
  };
  record(shortName(plans.query), errors[0]);
  record(shortName(plans.keyValue), std::max(errors[1], errors[2]));
  if (!ok)
    failed = true;
  std::printf("%s %-26s splits %2d T %4ld S %4ld D %3ld heads %ld/%ld batch "
              "%ld causal %d%+ld layout %d scale %g: dq %.2e dk %.2e dv %.2e "
              "log %.2e%s\n",
              ok ? "ok  " : "FAIL", shortName(plans.keyValue),
              plans.keyValue.parameters.splits, long(c.queries), long(c.keys),
              long(c.depth), long(c.headsQ), long(c.headsKV), long(c.batch),
              c.causal, long(c.diagonal), int(c.layout), c.scale, errors[0],
              errors[1], errors[2], errors[3], why.c_str());
}

void checkVariants(const Case &c) {
  GradData data(c, true);
  for (int arch : {device.arch, 80})
    for (int processors : {1, 2000}) {
      if (few && processors == 1)
        continue;
      if ((arch == 80 || processors == 1) && c.type == AttentionType::F32)
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
  const Shape shapes[] = {{5, 0, false},    {1, 33, false},    {33, 64, false},
                          {64, 300, false}, {200, 130, false}, {0, 5, true},
                          {1, 1, true},     {128, 128, true},  {64, 64, true},
                          {300, 300, true}, {129, 513, true}};
  const int64_t heads[][2] = {{2, 2}, {4, 1}, {6, 2}};
  for (const Shape &s : shapes)
    for (int64_t depth : {64, 128, 80})
      for (auto &h : heads)
        for (AttentionType type :
             {AttentionType::BF16, AttentionType::F16, AttentionType::F32}) {
          int64_t quickDepth = type == AttentionType::BF16  ? 128
                               : type == AttentionType::F32 ? 80
                                                            : 64;
          if ((quick && (s.slow || depth != quickDepth || h[0] == 2)) ||
              (h[0] == 6 && s.slow))
            continue;
          if (few && (h[0] != 4 || s.queries == 5 || depth == 80))
            continue;
          double scale = 1 / std::sqrt(double(depth));
          auto run = [&](bool causal, int64_t diagonal, Layout layout) {
            checkVariants({s.queries, s.keys, depth, h[0], h[1], 2, type,
                           causal, diagonal, layout, scale});
          };
          run(true, s.keys - s.queries, Layout::HeadsFirst);
          if (few)
            continue;
          run(false, 0, Layout::RowsFirst);
          if (!quick)
            run(true, 70, Layout::RowsFirst);
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
  for (double scale : {0.3, 0.0, -0.3})
    for (AttentionType type :
         {AttentionType::BF16, AttentionType::F16, AttentionType::F32})
      checkVariants(
          {130, 260, 128, 2, 1, 1, type, true, 130, Layout::RowsFirst, scale});
}

double medianMs(AttentionGradPlan &plan) {
  cudaEvent_t start, stop;
  CHECK(cudaEventCreate(&start));
  CHECK(cudaEventCreate(&stop));
  std::vector<float> times;
  for (int i = 0; i < 23; ++i) {
    CHECK(cudaEventRecord(start, stream));
    launch(plan);
    CHECK(cudaEventRecord(stop, stream));
    CHECK(cudaEventSynchronize(stop));
    float ms = 0;
    CHECK(cudaEventElapsedTime(&ms, start, stop));
    if (i >= 3)
      times.push_back(ms);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

void measure(const Case &c) {
  GradData data(c, false);
  Plans plans(data, device);
  double query = medianMs(plans.query), keyValue = medianMs(plans.keyValue);
  double flop = visiblePairs(c) * c.depth * 2;
  std::printf("%-26s splits %2d T %5ld S %5ld D %3ld heads %ld/%ld batch %ld "
              "causal %d: query %8.4f ms %6.1f TFLOP/s, key value %8.4f ms "
              "%6.1f TFLOP/s, both %8.4f ms %6.1f TFLOP/s\n",
              shortName(plans.keyValue), plans.keyValue.parameters.splits,
              long(c.queries), long(c.keys), long(c.depth), long(c.headsQ),
              long(c.headsKV), long(c.batch), c.causal, query,
              3 * flop / query * 1e-9, keyValue, 4 * flop / keyValue * 1e-9,
              query + keyValue, 5 * flop / (query + keyValue) * 1e-9);
}

void measureAll() {
  auto at = [&](int64_t rows, int64_t depth, int64_t headsQ, int64_t headsKV,
                int64_t batch, AttentionType type, bool causal) {
    measure({rows, rows, depth, headsQ, headsKV, batch, type, causal, 0,
             Layout::RowsFirst, 1 / std::sqrt(double(depth))});
  };
  const AttentionType bf16 = AttentionType::BF16, f32 = AttentionType::F32;
  for (bool causal : {true, false})
    for (int64_t rows : {128, 1000, 2048, 4096, 8192})
      at(rows, 128, 32, 8, 1, bf16, causal);
  at(4096, 128, 16, 16, 4, bf16, true);
  at(4096, 64, 32, 32, 2, bf16, true);
  at(2048, 128, 16, 4, 1, bf16, true);
  at(2048, 128, 32, 8, 1, f32, true);
  at(2048, 64, 32, 8, 1, f32, true);
}

} // namespace

int main(int argc, char **argv) {
  few = argc > 1 && !std::strcmp(argv[1], "--few");
  quick = few || (argc > 1 && !std::strcmp(argv[1], "--quick"));
  bool timings = argc > 1 && !std::strcmp(argv[1], "--timings");
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  initialise();
  if (!timings) {
    checkShapes();
    if (!few)
      checkSpecial();
    for (auto &[kernel, error] : worstError)
      std::printf("worst error of %-26s %.2e\n", kernel.c_str(), error);
  }
  if (!quick)
    measureAll();
  std::printf("%s\n", failed ? "FAIL" : "PASS");
  return failed ? 1 : 0;
}
