//===- AttentionCase.h - data and reference of an attention test -*- C++
//-*-===//
//
// A case, its operands on host and device, and the reference in double.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_TEST_GPU_ATTENTIONCASE_H
#define DTENSOR_TEST_GPU_ATTENTIONCASE_H

#include "Attention.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
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

cudaStream_t stream;
AttentionDevice device;

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

/// Every kernel by its name.
const std::map<std::string, const void *> &kernels();

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

/// Queries with the keys that they see, of all heads.
double visiblePairs(const Case &c) {
  double pairs = 0;
  for (int64_t i = 0; i < c.queries; ++i)
    pairs += c.causal
                 ? double(std::clamp<int64_t>(i + c.diagonal + 1, 0, c.keys))
                 : double(c.keys);
  return pairs * c.batch * c.headsQ;
}

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
    return {deviceQ,    deviceK,    deviceV,     deviceOut, q.strides,
            kv.strides, kv.strides, out.strides, c.type,    c.batch,
            c.headsQ,   c.headsKV,  c.queries,   c.keys,    c.depth,
            c.depth,    c.scale,    c.causal,    c.diagonal};
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

} // namespace

#endif // DTENSOR_TEST_GPU_ATTENTIONCASE_H
