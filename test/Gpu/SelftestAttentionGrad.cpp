//===- SelftestAttentionGrad.cpp - gradients of attention -------*- C++ -*-===//
//
// Both calls as compiled code makes them, the second one with what the first
// one found, against double.
//
//===----------------------------------------------------------------------===//

#include "Selftest.h"

#include <cmath>

using namespace dtensor;
using namespace dtensor::selftest;

namespace {

struct GradCase {
  std::vector<int64_t> batch;
  int64_t heads, kvHeads, rows, keys, depth, depthV;
  bool causal;
  int32_t dtype;
  /// Rows lie in front of heads, as projections leave them.
  bool rowsFirst = false;

  int64_t batches() const {
    int64_t count = 1;
    for (int64_t size : batch)
      count *= size;
    return count;
  }
  int64_t diagonal() const { return keys - rows; }
  double scale() const { return 1 / std::sqrt(static_cast<double>(depth)); }
};

} // namespace

/// [batch.., heads, rows, depth]; depth 0: without that dimension.
static std::vector<int64_t> shapeOf(const GradCase &c, int64_t heads,
                                    int64_t rows, int64_t depth) {
  std::vector<int64_t> shape = c.batch;
  shape.insert(shape.end(), {heads, rows});
  if (depth)
    shape.push_back(depth);
  return shape;
}

/// Of a packed array that holds rows in front of heads where the case says so;
/// empty: as the shape says.
static std::vector<int64_t> stridesOf(const GradCase &c, int64_t heads,
                                      int64_t rows, int64_t depth) {
  if (!c.rowsFirst)
    return {};
  std::vector<int64_t> strides = {depth, heads * depth, 1};
  int64_t next = heads * rows * depth;
  for (size_t d = c.batch.size(); d-- > 0; next *= c.batch[d])
    strides.insert(strides.begin(), next);
  return strides;
}

namespace {
/// Where the elements of an operand or a result are in its memory.
struct Reader {
  const GradCase &c;
  int64_t heads, rows, depth;

  size_t at(int64_t b, int64_t h, int64_t i, int64_t d) const {
    int64_t row =
        c.rowsFirst ? (b * rows + i) * heads + h : (b * heads + h) * rows + i;
    return static_cast<size_t>(row * depth + d);
  }
};

struct Gradients {
  std::vector<double> query, key, value, logSumExp, delta;
};

class Reference {
public:
  Reference(const GradCase &c, const HostArray &grad, const HostArray &q,
            const HostArray &k, const HostArray &v)
      : c(c), grad(values(grad)), q(values(q)), k(values(k)), v(values(v)),
        queries{c, c.heads, c.rows, c.depth},
        grads{c, c.heads, c.rows, c.depthV},
        keys{c, c.kvHeads, c.keys, c.depth},
        valueRows{c, c.kvHeads, c.keys, c.depthV} {
    found.query.resize(this->q.size());
    found.key.resize(this->k.size());
    found.value.resize(this->v.size());
    for (int64_t b = 0; b < c.batches(); ++b)
      for (int64_t h = 0; h < c.heads; ++h)
        for (int64_t i = 0; i < c.rows; ++i)
          addRow(b, h, i);
  }

  Gradients found;

private:
  void addRow(int64_t b, int64_t h, int64_t i) {
    int64_t kv = h * c.kvHeads / c.heads;
    int64_t seen = c.causal ? i + c.diagonal() + 1 : c.keys;
    seen = std::max<int64_t>(std::min(seen, c.keys), 0);
    std::vector<double> weights, inner;
    double sum = 0, delta = 0;
    for (int64_t j = 0; j < seen; ++j) {
      double score = 0, product = 0;
      for (int64_t d = 0; d < c.depth; ++d)
        score += q[queries.at(b, h, i, d)] * k[keys.at(b, kv, j, d)];
      for (int64_t d = 0; d < c.depthV; ++d)
        product += grad[grads.at(b, h, i, d)] * v[valueRows.at(b, kv, j, d)];
      weights.push_back(std::exp(score * c.scale()));
      inner.push_back(product);
      sum += weights.back();
    }
    for (size_t j = 0; j < weights.size(); ++j)
      delta += (weights[j] /= sum) * inner[j];
    found.logSumExp.push_back(std::log(sum));
    found.delta.push_back(delta);
    for (int64_t j = 0; j < seen; ++j) {
      double weight = weights[static_cast<size_t>(j)];
      double ds = weight * (inner[static_cast<size_t>(j)] - delta) * c.scale();
      for (int64_t d = 0; d < c.depth; ++d) {
        found.query[queries.at(b, h, i, d)] += ds * k[keys.at(b, kv, j, d)];
        found.key[keys.at(b, kv, j, d)] += ds * q[queries.at(b, h, i, d)];
      }
      for (int64_t d = 0; d < c.depthV; ++d)
        found.value[valueRows.at(b, kv, j, d)] +=
            weight * grad[grads.at(b, h, i, d)];
    }
  }

  const GradCase &c;
  std::vector<double> grad, q, k, v;
  Reader queries, grads, keys, valueRows;
};

} // namespace

static std::string describe(const GradCase &c) {
  return rt::concat("gradients of attention ", dtensor_rt_dtype_name(c.dtype),
                    " ", c.batches(), "x", c.heads, "/", c.kvHeads, "x", c.rows,
                    " over ", c.keys, " depth ", c.depth, " and ", c.depthV,
                    c.causal ? " causal" : "",
                    c.rowsFirst ? " rows first" : "");
}

static double boundOf(int32_t dtype) {
  return dtype == DTENSOR_RT_f32 ? 5e-6 : dtype == DTENSOR_RT_f16 ? 2e-3 : 1e-2;
}

static void testGradients(Rig &rig, const GradCase &c) {
  auto shape = [&](int64_t heads, int64_t rows, int64_t depth) {
    return shapeOf(c, heads, rows, depth);
  };
  std::vector<int64_t> qShape = shape(c.heads, c.rows, c.depth);
  std::vector<int64_t> kShape = shape(c.kvHeads, c.keys, c.depth);
  std::vector<int64_t> vShape = shape(c.kvHeads, c.keys, c.depthV);
  std::vector<int64_t> rowShape = shape(c.heads, c.rows, 0);
  HostArray grad = makeRandom(c.dtype, shape(c.heads, c.rows, c.depthV), 4);
  HostArray q = makeRandom(c.dtype, qShape, 1, -2, 2);
  HostArray k = makeRandom(c.dtype, kShape, 2, -2, 2);
  HostArray v = makeRandom(c.dtype, vShape, 3);
  Gradients wanted = Reference(c, grad, q, k, v).found;
  HostArray delta = makeArray(DTENSOR_RT_f32, rowShape);
  for (size_t i = 0; i < wanted.delta.size(); ++i)
    run::setElement(delta, static_cast<int64_t>(i), wanted.delta[i]);
  auto on = [&](const HostArray &array) {
    return DeviceArray(*rig.session, 0, array);
  };
  DeviceArray da = on(grad), db = on(q), dc = on(k), dd = on(v), de = on(delta);
  DeviceArray gradQ = on(makeArray(c.dtype, qShape));
  DeviceArray gradK = on(makeArray(c.dtype, kShape));
  DeviceArray gradV = on(makeArray(c.dtype, vShape));
  DeviceArray logs = on(makeArray(DTENSOR_RT_f32, rowShape));
  std::string what = describe(c);
  auto rank = static_cast<int64_t>(qShape.size());
  rig.runChecked(
      [&](rt::RankContext &context) {
        Descriptor g = da.describe(stridesOf(c, c.heads, c.rows, c.depthV));
        Descriptor a = db.describe(stridesOf(c, c.heads, c.rows, c.depth));
        Descriptor b = dc.describe(stridesOf(c, c.kvHeads, c.keys, c.depth));
        Descriptor e = dd.describe(stridesOf(c, c.kvHeads, c.keys, c.depthV));
        Descriptor toQ = gradQ.describe(stridesOf(c, c.heads, c.rows, c.depth));
        Descriptor toK =
            gradK.describe(stridesOf(c, c.kvHeads, c.keys, c.depth));
        Descriptor toV =
            gradV.describe(stridesOf(c, c.kvHeads, c.keys, c.depthV));
        Descriptor rows = de.describe(), log = logs.describe();
        rt::abi::dtensor_rt_attention_query_grad(
            &context, g.get(), a.get(), b.get(), e.get(), rows.get(), toQ.get(),
            log.get(), rank, c.dtype, c.scale(), c.causal, c.diagonal());
        rt::abi::dtensor_rt_attention_key_value_grad(
            &context, g.get(), a.get(), b.get(), e.get(), log.get(), rows.get(),
            toK.get(), toV.get(), rank, c.dtype, c.scale(), c.causal,
            c.diagonal());
      },
      what);
  double bound = boundOf(c.dtype);
  checkClose(gradQ.read(), wanted.query, bound, what + ", query");
  checkClose(gradK.read(), wanted.key, bound, what + ", key");
  checkClose(gradV.read(), wanted.value, bound, what + ", value");
  checkClose(logs.read(), wanted.logSumExp, 1e-4, what + ", logsumexp");
}

void selftest::testAttentionGrad() {
  Rig rig({1});
  for (int32_t dtype : {DTENSOR_RT_f32, DTENSOR_RT_bf16, DTENSOR_RT_f16})
    for (int64_t depth : {64, 128, 40, 256})
      for (bool causal : {false, true}) {
        for (bool rowsFirst : {false, true})
          testGradients(
              rig,
              {{2}, 4, 2, 130, 150, depth, depth, causal, dtype, rowsFirst});
        testGradients(rig, {{}, 2, 1, 5, 5, depth, depth, causal, dtype});
        testGradients(rig, {{}, 2, 2, 70, 70, depth, 24, causal, dtype});
        testGradients(rig, {{2, 3}, 2, 2, 9, 7, 8, depth, causal, dtype, true});
        testGradients(rig, {{}, 2, 1, 3, 0, depth, depth, false, dtype});
        testGradients(rig, {{}, 2, 1, 0, 3, depth, depth, causal, dtype});
        testGradients(rig, {{0}, 2, 1, 3, 3, depth, depth, causal, dtype});
      }
}
