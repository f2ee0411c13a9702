//===- FakeAttention.cpp - attention and its gradients as loops -----------===//
//
// Workspaces stay unused: the first kernel of a plan writes the results.
//
//===----------------------------------------------------------------------===//

#include "../../../lib/Runtime/Kernels/Attention.h"
#include "../../../lib/Runtime/Kernels/AttentionGrad.h"
#include "Fake.h"

#include <algorithm>
#include <cmath>

using namespace dtensor::rt::cuda;

using Row = std::vector<double>;

static float load(const void *base, int64_t at, const std::string &type) {
  if (type == "f32")
    return static_cast<const float *>(base)[at];
  uint16_t bits = static_cast<const uint16_t *>(base)[at];
  return type == "bf16" ? fake::fromBf16(bits) : fake::fromF16(bits);
}

static void store(void *base, int64_t at, const std::string &type,
                  double value) {
  auto rounded = static_cast<float>(value);
  if (type == "f32")
    static_cast<float *>(base)[at] = rounded;
  else
    static_cast<uint16_t *>(base)[at] =
        type == "bf16" ? fake::toBf16(rounded) : fake::toF16(rounded);
}

static int64_t place(const AttentionStrides &s, int64_t b, int64_t h,
                     int64_t r) {
  return b * s.batch + h * s.head + r * s.row;
}

static void attendRow(const AttentionParameters &a, const std::string &type,
                      int batch, int head, int row) {
  int kvHead = head / (a.headsQ / a.headsKV);
  int64_t q = place(a.qStrides, batch, head, row);
  int64_t out = place(a.outStrides, batch, head, row);
  Row sum(static_cast<size_t>(a.depthV));
  double total = 0;
  int64_t last = row + a.diagonal + (a.shift ? *a.shift : 0);
  for (int64_t j = 0; j < a.keys && j <= last; ++j) {
    int64_t k = place(a.kStrides, batch, kvHead, j);
    int64_t v = place(a.vStrides, batch, kvHead, j);
    double dot = 0;
    for (int d = 0; d < a.depth; ++d)
      dot += load(a.q, q + d, type) * load(a.k, k + d, type);
    double weight = std::exp(dot * a.scale);
    total += weight;
    for (int d = 0; d < a.depthV; ++d)
      sum[static_cast<size_t>(d)] += weight * load(a.v, v + d, type);
  }
  for (int d = 0; d < a.depthV; ++d)
    store(a.out, out + d, type,
          total == 0 ? 0 : sum[static_cast<size_t>(d)] / total);
}

static void attend(const AttentionParameters &args, const std::string &type) {
  for (int batch = 0; batch < args.batch; ++batch)
    for (int head = 0; head < args.headsQ; ++head)
      for (int row = 0; row < args.queries; ++row)
        attendRow(args, type, batch, head, row);
}

namespace {
/// The numbers of one query and what it sees.
class GradRow {
public:
  GradRow(const AttentionGradParameters &a, const std::string &type, int batch,
          int head, int row)
      : a(a), type(type), batch(batch), kvHead(head / a.group), head(head),
        row(row) {
    seen = std::clamp<int64_t>(row + a.diagonal + 1, 0, a.keys);
    for (int64_t j = 0; j < seen; ++j)
      scores.push_back(a.scale * dot(a.q, a.k, a.depth, j));
  }

  double logSumExp() const {
    double sum = 0;
    for (double score : scores)
      sum += std::exp(score);
    return std::log(sum);
  }
  /// Weight and ds of key j.
  std::pair<double, double> of(int64_t j, double log) const {
    double weight = std::exp(scores[static_cast<size_t>(j)] - log);
    double inner = dot(a.grad, a.v, a.depthV, j);
    double delta = static_cast<const float *>(
        a.delta.data)[place(a.delta.strides, batch, head, row)];
    return {weight, weight * (inner - delta) * a.scale};
  }
  double ofQuery(const AttentionOperand &operand, int d) const {
    return load(operand.data, place(operand.strides, batch, head, row) + d,
                type);
  }
  double ofKey(const AttentionOperand &operand, int64_t j, int d) const {
    return load(operand.data, place(operand.strides, batch, kvHead, j) + d,
                type);
  }

  int64_t seen;

private:
  double dot(const AttentionOperand &query, const AttentionOperand &key,
             int depth, int64_t j) const {
    double sum = 0;
    for (int d = 0; d < depth; ++d)
      sum += ofQuery(query, d) * ofKey(key, j, d);
    return sum;
  }

  const AttentionGradParameters &a;
  const std::string &type;
  int batch, kvHead, head, row;
  Row scores;
};
} // namespace

static void queryGrad(const AttentionGradParameters &a, const std::string &type,
                      int batch, int head, int row) {
  GradRow query(a, type, batch, head, row);
  double log = query.logSumExp();
  static_cast<float *>(
      a.logSumExp.data)[place(a.logSumExp.strides, batch, head, row)] =
      static_cast<float>(log);
  Row sum(static_cast<size_t>(a.depth));
  for (int64_t j = 0; j < query.seen; ++j) {
    double ds = query.of(j, log).second;
    for (int d = 0; d < a.depth; ++d)
      sum[static_cast<size_t>(d)] += ds * query.ofKey(a.k, j, d);
  }
  for (int d = 0; d < a.depth; ++d)
    store(a.gradQ.data, place(a.gradQ.strides, batch, head, row) + d, type,
          sum[static_cast<size_t>(d)]);
}

/// Of one head of keys.
static void keyValueGrad(const AttentionGradParameters &a,
                         const std::string &type, int batch, int kvHead) {
  Row gradK(static_cast<size_t>(a.keys * a.depth));
  Row gradV(static_cast<size_t>(a.keys * a.depthV));
  for (int head = kvHead * a.group; head < (kvHead + 1) * a.group; ++head)
    for (int row = 0; row < a.queries; ++row) {
      GradRow query(a, type, batch, head, row);
      double log = static_cast<const float *>(
          a.logSumExp.data)[place(a.logSumExp.strides, batch, head, row)];
      for (int64_t j = 0; j < query.seen; ++j) {
        auto [weight, ds] = query.of(j, log);
        for (int d = 0; d < a.depth; ++d)
          gradK[static_cast<size_t>(j * a.depth + d)] +=
              ds * query.ofQuery(a.q, d);
        for (int d = 0; d < a.depthV; ++d)
          gradV[static_cast<size_t>(j * a.depthV + d)] +=
              weight * query.ofQuery(a.grad, d);
      }
    }
  auto storeRows = [&](const AttentionOperand &to, const Row &rows, int depth) {
    for (int64_t j = 0; j < a.keys; ++j)
      for (int d = 0; d < depth; ++d)
        store(to.data, place(to.strides, batch, kvHead, j) + d, type,
              rows[static_cast<size_t>(j * depth + d)]);
  };
  storeRows(a.gradK, gradK, a.depth);
  storeRows(a.gradV, gradV, a.depthV);
}

static void allQueryGrads(const AttentionGradParameters &a,
                          const std::string &type) {
  for (int batch = 0; batch < a.batch; ++batch)
    for (int head = 0; head < a.headsQ; ++head)
      for (int row = 0; row < a.queries; ++row)
        queryGrad(a, type, batch, head, row);
}

static void allKeyValueGrads(const AttentionGradParameters &a,
                             const std::string &type) {
  for (int batch = 0; batch < a.batch; ++batch)
    for (int head = 0; head < a.headsKV; ++head)
      keyValueGrad(a, type, batch, head);
}

fake::Work fake::attentionWork(const std::string &name, const void *argument) {
  auto has = [&](const char *part) {
    return name.find(part) != std::string::npos;
  };
  if (has("combine")) // would have nothing to do
    return nullptr;
  std::string type = has("bf16") ? "bf16" : has("f16") ? "f16" : "f32";
  if (!has("grad")) {
    auto args = *static_cast<const AttentionParameters *>(argument);
    return [=] { attend(args, type); };
  }
  auto args = *static_cast<const AttentionGradParameters *>(argument);
  if (has("query"))
    return [=] { allQueryGrads(args, type); };
  return [=] { allKeyValueGrads(args, type); };
}
