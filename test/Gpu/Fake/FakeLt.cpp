//===- FakeLt.cpp - matrix products as loops --------------------*- C++ -*-===//
//
// Column-major, as cuBLASLt is: d[m, n] = op(a) * op(b).
//
//===----------------------------------------------------------------------===//

#include "Fake.h"

#include <algorithm>
#include <cmath>
#include <map>

using namespace fake;

namespace {

struct Desc {
  int32_t transA = 0, transB = 0, epilogue = 1;
  void *bias = nullptr;
};
struct Layout {
  int type;
  int64_t rows, cols, ld;
  int32_t batch = 1;
  int64_t stride = 0;
};

double load(const void *base, int64_t i, int type) {
  switch (type) {
  case 0:
    return static_cast<double>(static_cast<const float *>(base)[i]);
  case 1:
    return static_cast<const double *>(base)[i];
  case 2:
    return fromF16(static_cast<const uint16_t *>(base)[i]);
  default:
    return fromBf16(static_cast<const uint16_t *>(base)[i]);
  }
}

void store(void *base, int64_t i, int type, double value) {
  auto single = static_cast<float>(value);
  switch (type) {
  case 0:
    static_cast<float *>(base)[i] = single;
    return;
  case 1:
    static_cast<double *>(base)[i] = value;
    return;
  case 2:
    static_cast<uint16_t *>(base)[i] = toF16(single);
    return;
  default:
    static_cast<uint16_t *>(base)[i] = toBf16(single);
  }
}

double activate(double x, int epilogue) {
  if (epilogue & 2)
    return std::max(x, 0.0);
  if (epilogue & 32)
    return 0.5 * x *
           (1 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
  return x;
}

/// `c` lies as `d` does; null: nothing is added.
void multiply(const Desc &desc, const void *a, const Layout &la, const void *b,
              const Layout &lb, const void *c, void *d, const Layout &ld) {
  int64_t k = desc.transA ? la.rows : la.cols;
  for (int64_t batch = 0; batch < ld.batch; ++batch)
    for (int64_t j = 0; j < ld.cols; ++j)
      for (int64_t i = 0; i < ld.rows; ++i) {
        int64_t at = batch * ld.stride + j * ld.ld + i;
        double sum = desc.epilogue & 4 ? load(desc.bias, i, ld.type) : 0;
        if (c)
          sum += load(c, at, ld.type);
        for (int64_t l = 0; l < k; ++l) {
          int64_t atA = desc.transA ? i * la.ld + l : l * la.ld + i;
          int64_t atB = desc.transB ? l * lb.ld + j : j * lb.ld + l;
          sum += load(a, batch * la.stride + atA, la.type) *
                 load(b, batch * lb.stride + atB, lb.type);
        }
        store(d, at, ld.type, activate(sum, desc.epilogue));
      }
}

template <typename T>
void set(T &member, const void *value, size_t bytes) {
  std::memcpy(&member, value, std::min(bytes, sizeof(member)));
}

} // namespace

FAKE_EXPORT size_t cublasLtGetVersion() { return 130000; }
FAKE_EXPORT int cublasLtCreate(void **handle) {
  *handle = nullptr;
  return 0;
}
FAKE_EXPORT int cublasLtDestroy(void *) { return 0; }
FAKE_EXPORT int cublasLtMatmulDescCreate(Desc **desc, int, int) {
  *desc = new Desc();
  return 0;
}
FAKE_EXPORT int cublasLtMatmulDescDestroy(Desc *desc) {
  delete desc;
  return 0;
}
FAKE_EXPORT int cublasLtMatmulDescSetAttribute(Desc *desc, int attribute,
                                               const void *value,
                                               size_t bytes) {
  switch (attribute) {
  case 3:
    set(desc->transA, value, bytes);
    return 0;
  case 4:
    set(desc->transB, value, bytes);
    return 0;
  case 7:
    set(desc->epilogue, value, bytes);
    return 0;
  case 8:
    set(desc->bias, value, bytes);
    return 0;
  }
  return 7;
}
FAKE_EXPORT int cublasLtMatrixLayoutCreate(Layout **layout, int type,
                                           uint64_t rows, uint64_t cols,
                                           int64_t ld) {
  *layout = new Layout{type, static_cast<int64_t>(rows),
                       static_cast<int64_t>(cols), ld};
  return ld >= static_cast<int64_t>(rows) ? 0 : 7;
}
FAKE_EXPORT int cublasLtMatrixLayoutDestroy(Layout *layout) {
  delete layout;
  return 0;
}
FAKE_EXPORT int cublasLtMatrixLayoutSetAttribute(Layout *layout, int attribute,
                                                 const void *value,
                                                 size_t bytes) {
  if (attribute == 5)
    set(layout->batch, value, bytes);
  else if (attribute == 6)
    set(layout->stride, value, bytes);
  else
    return 7;
  return 0;
}
FAKE_EXPORT int cublasLtMatmulPreferenceCreate(void **preference) {
  *preference = nullptr;
  return 0;
}
FAKE_EXPORT int cublasLtMatmulPreferenceDestroy(void *) { return 0; }
FAKE_EXPORT int cublasLtMatmulPreferenceSetAttribute(void *, int, const void *,
                                                     size_t) {
  return 0;
}
FAKE_EXPORT int cublasLtMatmulAlgoGetHeuristic(void *, Desc *desc, Layout *a,
                                               Layout *b, Layout *, Layout *d,
                                               void *, int, void *result,
                                               int *count) {
  bool fits =
      (desc->transA ? a->cols : a->rows) == d->rows &&
      (desc->transB ? b->rows : b->cols) == d->cols &&
      (desc->transA ? a->rows : a->cols) == (desc->transB ? b->cols : b->rows);
  std::memset(result, 0, 96);
  *reinterpret_cast<size_t *>(static_cast<char *>(result) + 64) = 1024;
  *count = fits;
  return fits ? 0 : 7;
}
/// It takes algorithms whose description ends in a zero.
FAKE_EXPORT int cublasLtMatmulAlgoCheck(void *, Desc *, Layout *, Layout *,
                                        Layout *, Layout *,
                                        const uint64_t *algorithm,
                                        void *result) {
  std::memset(result, 0, 96);
  return algorithm[7] == 0 ? 0 : 15;
}
FAKE_EXPORT int cublasLtMatmul(void *, Desc *desc, const void *, const void *a,
                               Layout *la, const void *b, Layout *lb,
                               const void *beta, const void *c, Layout *,
                               void *d, Layout *ld, const uint64_t *algorithm,
                               void *workspace, size_t workspaceBytes,
                               Stream *stream) {
  if (workspaceBytes && !workspace)
    return 7;
  // One algorithm fails: it shows who asked for it.
  if (algorithm[0] == 0xbad0000000000000)
    return 14;
  bool isWide = la->type == 1;
  bool adds = isWide ? *static_cast<const double *>(beta) != 0
                     : *static_cast<const float *>(beta) != 0;
  stream->add([=, desc = *desc, la = *la, lb = *lb, ld = *ld] {
    multiply(desc, a, la, b, lb, adds ? c : nullptr, d, ld);
  });
  return 0;
}
