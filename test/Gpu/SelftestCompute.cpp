//===- SelftestCompute.cpp - copies, products, attention, memory *- C++ -*-===//

#include "Selftest.h"

#include <array>
#include <cmath>
#include <cstring>

using namespace dtensor;
using namespace dtensor::selftest;

namespace {

const int32_t kAllTypes[] = {DTENSOR_RT_f64,  DTENSOR_RT_f32, DTENSOR_RT_f16,
                             DTENSOR_RT_bf16, DTENSOR_RT_i64, DTENSOR_RT_i32,
                             DTENSOR_RT_i16,  DTENSOR_RT_i8,  DTENSOR_RT_i1};

double boundOf(int32_t dtype) {
  switch (dtype) {
  case DTENSOR_RT_f64:
    return 1e-13;
  case DTENSOR_RT_f32:
    return 3e-6;
  case DTENSOR_RT_f16:
    return 2e-3;
  case DTENSOR_RT_bf16:
    return 1e-2;
  }
  return 0;
}

/// dst[j, i] = src[i, j], then the same block inside of a larger array.
void testTranspose(Rig &rig, int32_t dtype, int64_t rows, int64_t cols) {
  HostArray host = makeRandom(dtype, {rows, cols}, 7, -100, 100);
  DeviceArray src(*rig.session, 0, host);
  DeviceArray dst(*rig.session, 0, makeArray(dtype, {cols, rows}));
  DeviceArray big(*rig.session, 0, makeRandom(dtype, {rows + 2, cols + 3}, 9));
  HostArray before = big.read();
  std::string what = rt::concat("copy of ", dtensor_rt_dtype_name(dtype), " ",
                                rows, "x", cols);
  int64_t bytes = static_cast<int64_t>(dtensor_rt_dtype_bytes(dtype));
  rig.runChecked(
      [&](rt::RankContext &context) {
        Descriptor from = src.describe();
        Descriptor to(dst.get(), {rows, cols}, {1, rows});
        rt::abi::dtensor_rt_copy(&context, 2, from.get(), to.get(), dtype);
        char *inner = static_cast<char *>(big.get()) + (cols + 3 + 2) * bytes;
        Descriptor part(inner, {rows, cols}, {cols + 3, 1});
        rt::abi::dtensor_rt_copy(&context, 2, from.get(), part.get(), dtype);
      },
      what);
  std::vector<double> wanted;
  for (int64_t j = 0; j < cols; ++j)
    for (int64_t i = 0; i < rows; ++i)
      wanted.push_back(run::getElement(host, i * cols + j));
  checkClose(dst.read(), wanted, 0, what + ", transposed");
  wanted = values(before);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < cols; ++j)
      wanted[static_cast<size_t>((i + 1) * (cols + 3) + j + 2)] =
          run::getElement(host, i * cols + j);
  checkClose(big.read(), wanted, 0, what + ", into a part");
}

/// dst[b, j, c, i] = src[i, b, j, c]: a transposition among other dimensions.
void testPermutation(Rig &rig, int32_t dtype, std::array<int64_t, 4> n) {
  HostArray host = makeRandom(dtype, {n[0], n[1], n[2], n[3]}, 5, -100, 100);
  DeviceArray src(*rig.session, 0, host);
  DeviceArray dst(*rig.session, 0, makeArray(dtype, {n[1], n[2], n[3], n[0]}));
  std::string what =
      std::string("permutation of ") + dtensor_rt_dtype_name(dtype);
  rig.runChecked(
      [&](rt::RankContext &context) {
        Descriptor swapped(src.get(), {n[2], n[1], n[3], n[0]},
                           {n[3], n[2] * n[3], 1, n[1] * n[2] * n[3]});
        Descriptor to(dst.get(), {n[2], n[1], n[3], n[0]},
                      {n[3] * n[0], n[2] * n[3] * n[0], n[0], 1});
        rt::abi::dtensor_rt_copy(&context, 4, swapped.get(), to.get(), dtype);
      },
      what);
  std::vector<double> wanted;
  int64_t inner = n[1] * n[2] * n[3];
  for (int64_t rest = 0; rest < inner; ++rest)
    for (int64_t i = 0; i < n[0]; ++i)
      wanted.push_back(run::getElement(host, i * inner + rest));
  checkClose(dst.read(), wanted, 0, what);
}

void testFill(Rig &rig, int32_t dtype) {
  HostArray one = makeArray(dtype, {1});
  run::setElement(one, 0, dtype == DTENSOR_RT_i1 ? 1 : 3);
  int64_t bits = 0;
  std::memcpy(&bits, one.data.get(), dtensor_rt_dtype_bytes(dtype));
  DeviceArray all(*rig.session, 0, makeRandom(dtype, {5, 7, 3}, 3));
  std::vector<double> wanted = values(all.read());
  for (size_t i = 0; i < wanted.size(); ++i)
    if (i % 3 == 0)
      wanted[i] = run::getElement(one, 0);
  std::string what = std::string("fill of ") + dtensor_rt_dtype_name(dtype);
  DeviceArray packed(*rig.session, 0, makeArray(dtype, {1001}));
  rig.runChecked(
      [&](rt::RankContext &context) {
        Descriptor part(all.get(), {5, 7}, {21, 3});
        rt::abi::dtensor_rt_fill(&context, 2, part.get(), dtype, bits);
        Descriptor whole = packed.describe();
        rt::abi::dtensor_rt_fill(&context, 1, whole.get(), dtype, bits);
      },
      what);
  checkClose(all.read(), wanted, 0, what + ", strided");
  checkClose(packed.read(), std::vector<double>(1001, run::getElement(one, 0)),
             0, what);
}

struct Product {
  int64_t batch, m, n, k;
  bool transA, transB;
  int32_t in, out;
  int epilogue = 0;
  bool bias = false;
  int64_t padding = 0; // extra elements per row of a and b
  bool sharedB = false;
  bool addend = false;
  int64_t addendPadding = 0; // extra elements per row of the addend
};

double activate(double x, int epilogue) {
  if (epilogue == 1)
    return x > 0 ? x : 0;
  if (epilogue == 2)
    return 0.5 * x *
           (1 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
  return x;
}

std::vector<double> multiply(const Product &p, const HostArray &a,
                             const HostArray &b, const HostArray &bias,
                             const HostArray &addend) {
  std::vector<double> va = values(a), vb = values(b);
  int64_t aRow = a.shape[2], bRow = b.shape[2];
  std::vector<double> result;
  for (int64_t batch = 0; batch < p.batch; ++batch)
    for (int64_t i = 0; i < p.m; ++i)
      for (int64_t j = 0; j < p.n; ++j) {
        double sum = p.bias ? run::getElement(bias, j) : 0;
        if (p.addend)
          sum += run::getElement(
              addend, (batch * p.m + i) * (p.n + p.addendPadding) + j);
        const double *pa = va.data() + batch * a.shape[1] * aRow;
        const double *pb =
            vb.data() + (p.sharedB ? 0 : batch) * b.shape[1] * bRow;
        for (int64_t l = 0; l < p.k; ++l)
          sum += (p.transA ? pa[l * aRow + i] : pa[i * aRow + l]) *
                 (p.transB ? pb[j * bRow + l] : pb[l * bRow + j]);
        result.push_back(activate(sum, p.epilogue));
      }
  return result;
}

void testProduct(Rig &rig, const Product &p) {
  int64_t ar = p.transA ? p.k : p.m, ac = p.transA ? p.m : p.k;
  int64_t br = p.transB ? p.n : p.k, bc = p.transB ? p.k : p.n;
  HostArray a = makeRandom(p.in, {p.batch, ar, ac + p.padding}, 1);
  HostArray b =
      makeRandom(p.in, {p.sharedB ? 1 : p.batch, br, bc + p.padding}, 2);
  HostArray bias = makeRandom(p.out, {p.n}, 3);
  int64_t addendRow = p.n + p.addendPadding;
  HostArray addend = makeRandom(p.out, {p.batch, p.m, addendRow}, 4);
  DeviceArray da(*rig.session, 0, a), db(*rig.session, 0, b);
  DeviceArray dbias(*rig.session, 0, bias), dadd(*rig.session, 0, addend);
  DeviceArray dc(*rig.session, 0, makeArray(p.out, {p.batch, p.m, p.n}));
  std::string what = rt::concat(
      "matmul ", p.batch, "x", p.m, "x", p.n, "x", p.k, p.transA ? " ta" : "",
      p.transB ? " tb" : "", " ", dtensor_rt_dtype_name(p.in), "->",
      dtensor_rt_dtype_name(p.out), " pad ", p.padding, " epilogue ",
      p.epilogue, p.bias ? " bias" : "", p.addend ? " addend" : "");
  rig.runChecked(
      [&](rt::RankContext &context) {
        Descriptor va(da.get(), {p.batch, ar, ac},
                      {ar * (ac + p.padding), ac + p.padding, 1});
        Descriptor vb(
            db.get(), {p.batch, br, bc},
            {p.sharedB ? 0 : br * (bc + p.padding), bc + p.padding, 1});
        Descriptor vc = dc.describe(), vbias = dbias.describe();
        Descriptor vadd(dadd.get(), {p.batch, p.m, p.n},
                        {p.m * addendRow, addendRow, 1});
        rt::abi::dtensor_rt_matmul(&context, 3, va.get(), vb.get(), vc.get(),
                                   p.transA, p.transB, p.in, p.out, p.epilogue,
                                   p.bias ? vbias.get() : nullptr, vadd.get(),
                                   p.addend);
      },
      what);
  checkClose(dc.read(), multiply(p, a, b, bias, addend), boundOf(p.out), what);
}

struct Heads {
  int64_t batch, heads, kvHeads, rows, keys, depth;
  bool causal;
  int64_t offset, total;
  int32_t dtype;
  /// Of values and results; -1 stands for `depth`.
  int64_t depthV = -1;

  int64_t valueDepth() const { return depthV < 0 ? depth : depthV; }
};

std::vector<double> attend(const Heads &h, const HostArray &q,
                           const HostArray &k, const HostArray &v,
                           double scale) {
  std::vector<double> vq = values(q), vk = values(k), vv = values(v), result;
  std::vector<double> weights(static_cast<size_t>(h.keys));
  for (int64_t b = 0; b < h.batch; ++b)
    for (int64_t head = 0; head < h.heads; ++head)
      for (int64_t i = 0; i < h.rows; ++i) {
        int64_t kv = b * h.kvHeads + head * h.kvHeads / h.heads;
        const double *qRow =
            vq.data() + ((b * h.heads + head) * h.rows + i) * h.depth;
        double largest = -INFINITY, sum = 0;
        int64_t seen = h.keys;
        if (h.causal)
          seen = std::min(seen, h.offset + i + h.keys - h.total + 1);
        for (int64_t j = 0; j < seen; ++j) {
          double dot = 0;
          const double *kRow = vk.data() + (kv * h.keys + j) * h.depth;
          for (int64_t d = 0; d < h.depth; ++d)
            dot += qRow[d] * kRow[d];
          weights[static_cast<size_t>(j)] = dot * scale;
          largest = std::max(largest, dot * scale);
        }
        const int64_t depthV = h.valueDepth();
        std::vector<double> row(static_cast<size_t>(depthV));
        for (int64_t j = 0; j < seen; ++j) {
          double w = std::exp(weights[static_cast<size_t>(j)] - largest);
          sum += w;
          for (int64_t d = 0; d < depthV; ++d)
            row[static_cast<size_t>(d)] +=
                w * vv[static_cast<size_t>((kv * h.keys + j) * depthV + d)];
        }
        for (double x : row)
          result.push_back(sum == 0 ? 0 : x / sum);
      }
  return result;
}

void testHeads(Rig &rig, const Heads &h) {
  HostArray q =
      makeRandom(h.dtype, {h.batch, h.heads, h.rows, h.depth}, 1, -2, 2);
  HostArray k =
      makeRandom(h.dtype, {h.batch, h.kvHeads, h.keys, h.depth}, 2, -2, 2);
  HostArray v =
      makeRandom(h.dtype, {h.batch, h.kvHeads, h.keys, h.valueDepth()}, 3);
  DeviceArray dq(*rig.session, 0, q), dk(*rig.session, 0, k),
      dv(*rig.session, 0, v);
  DeviceArray out(
      *rig.session, 0,
      makeArray(h.dtype, {h.batch, h.heads, h.rows, h.valueDepth()}));
  // Part of the offset is a number that the device alone knows.
  const int64_t shift = h.causal && h.rows % 2 != 0 ? 3 : 0;
  HostArray number = makeArray(DTENSOR_RT_i64, {1});
  run::setElement(number, 0, static_cast<double>(shift));
  DeviceArray onDevice(*rig.session, 0, number);
  double scale = 1 / std::sqrt(static_cast<double>(h.depth));
  std::string what = rt::concat(
      "attention ", dtensor_rt_dtype_name(h.dtype), " ", h.batch, "x", h.heads,
      "/", h.kvHeads, "x", h.rows, " over ", h.keys, " depth ", h.depth,
      " and ", h.valueDepth(), h.causal ? " causal" : "", " offset ", h.offset);
  rig.runChecked(
      [&](rt::RankContext &context) {
        Descriptor a = dq.describe(), b = dk.describe(), c = dv.describe(),
                   d = out.describe();
        rt::abi::dtensor_rt_attention(&context, a.get(), b.get(), c.get(),
                                      d.get(), 4, h.dtype, scale, h.causal,
                                      h.offset - shift, h.total,
                                      shift ? onDevice.get() : nullptr);
      },
      what);
  checkClose(out.read(), attend(h, q, k, v, scale), boundOf(h.dtype), what);
}

} // namespace

void selftest::testCopies() {
  Rig rig({1});
  for (int32_t dtype : kAllTypes) {
    testTranspose(rig, dtype, 33, 17);
    testTranspose(rig, dtype, 64, 128);
    testTranspose(rig, dtype, 1, 5);
    testTranspose(rig, dtype, 0, 5);
    testTranspose(rig, dtype, 200, 77);
    testPermutation(rig, dtype, {70, 3, 5, 66});
    testPermutation(rig, dtype, {9, 2, 3, 130});
    testFill(rig, dtype);
  }
}

void selftest::testMatmul() {
  Rig rig({1});
  const int32_t f32 = DTENSOR_RT_f32, bf16 = DTENSOR_RT_bf16,
                f16 = DTENSOR_RT_f16, f64 = DTENSOR_RT_f64;
  for (bool transA : {false, true})
    for (bool transB : {false, true})
      for (auto [in, out] : {std::pair{f32, f32},
                             {bf16, bf16},
                             {bf16, f32},
                             {f16, f16},
                             {f64, f64}}) {
        testProduct(rig, {1, 5, 7, 3, transA, transB, in, out});
        testProduct(rig, {1, 65, 129, 33, transA, transB, in, out});
        testProduct(rig, {3, 16, 24, 40, transA, transB, in, out});
        testProduct(rig, {2, 9, 8, 16, transA, transB, in, out, 0, false, 8});
        testProduct(rig,
                    {2, 9, 8, 16, transA, transB, in, out, 0, false, 5, true});
      }
  for (int epilogue : {0, 1, 2})
    for (bool bias : {false, true})
      testProduct(rig,
                  {1, 32, 48, 64, false, false, bf16, bf16, epilogue, bias});
  for (auto [m, n, k] : {std::array<int64_t, 3>{0, 4, 4},
                         {4, 0, 4},
                         {4, 4, 0},
                         {1, 64, 64},
                         {64, 1, 64},
                         {64, 64, 1},
                         {1, 1, 1}})
    for (int32_t dtype : {f32, bf16})
      testProduct(rig, {2, m, n, k, false, true, dtype, dtype});
  for (int64_t padding : {0, 3})
    for (int64_t k : {0, 40})
      for (int32_t dtype : {f32, bf16, f64})
        testProduct(rig, {3, 16, 24, k, false, false, dtype, dtype, 0, false, 0,
                          false, true, padding});
  if (!isQuick)
    testProduct(rig, {1, 300, 515, 700, false, true, bf16, bf16});
}

void selftest::testAttention() {
  Rig rig({1});
  for (int32_t dtype : {DTENSOR_RT_f32, DTENSOR_RT_bf16, DTENSOR_RT_f16})
    for (int64_t depth : {64, 128, 40, 256})
      for (bool causal : {false, true}) {
        testHeads(rig, {1, 2, 1, 5, 5, depth, causal, 0, 5, dtype});
        testHeads(rig, {2, 4, 2, 130, 130, depth, causal, 0, 130, dtype});
        testHeads(rig, {1, 1, 1, 1, 77, depth, causal, 0, 1, dtype});
        testHeads(rig, {1, 2, 2, 100, 300, depth, causal, 0, 100, dtype});
        testHeads(rig, {1, 2, 2, 64, 256, depth, causal, 128, 256, dtype});
        testHeads(rig, {1, 1, 1, 200, 70, depth, causal, 0, 200, dtype});
        testHeads(rig, {1, 2, 1, 3, 0, depth, causal, 0, 3, dtype});
        for (int64_t depthV : {1, 24, 96, 200}) {
          testHeads(rig, {1, 2, 1, 9, 9, depth, causal, 0, 9, dtype, depthV});
          testHeads(rig,
                    {2, 2, 1, 130, 300, depth, causal, 0, 130, dtype, depthV});
        }
      }
  if (!isQuick)
    testHeads(rig, {1, 2, 1, 700, 700, 128, true, 0, 700, DTENSOR_RT_bf16});
}

/// In steady state the driver is not asked for memory, and equal sequences get
/// equal addresses.
void selftest::testMemory() {
  Rig rig({1});
  std::vector<void *> first, again;
  auto body = [](std::vector<void *> &seen) {
    return [&seen](rt::RankContext &context) {
      for (int64_t bytes : {1, 1000, 5 << 20, 700, 100 << 20}) {
        void *kept = rt::abi::dtensor_rt_alloc(bytes, 64);
        void *other = rt::abi::dtensor_rt_alloc(bytes * 2, 64);
        check(reinterpret_cast<uint64_t>(kept) % 256 == 0, "alignment");
        check(kept != other, "two allocations at one place");
        seen.push_back(kept);
        seen.push_back(other);
        rt::abi::dtensor_rt_free(other);
      }
    };
  };
  rig.runChecked(body(first), "memory");
  first.clear();
  rig.runChecked(body(first), "memory");
  rig.runChecked(body(again), "memory");
  check(first == again, "equal sequences of allocations differ");
  std::string error = rig.run([](rt::RankContext &) {
    rt::abi::dtensor_rt_alloc(int64_t(1) << 50, 64);
  });
  check(error.find("rank 0: cannot allocate 1125899906842624 bytes") == 0,
        "out of memory: " + error);
  rig.runChecked(body(again), "after running out of memory");
}
