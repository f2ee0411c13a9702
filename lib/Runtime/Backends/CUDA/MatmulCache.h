//===- MatmulCache.h - matrix products through cuBLASLt ---------*- C++ -*-===//
//
// cuBLASLt is column-major: a row-major c = a * b is c^T = b^T * a^T there, and
// a row-major matrix *is* its column-major transpose, so the operands change
// places and nothing is copied:
//
//   lt.A = b, lt.B = a, lt.D = c, lt.m = n, lt.n = m, lt.k = k
//
// Descriptors and the algorithm are kept per shape, strides, types, alignment
// and epilogue: the choice depends on nothing that varies from run to run.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_BACKENDS_CUDA_MATMULCACHE_H
#define DTENSOR_RUNTIME_BACKENDS_CUDA_MATMULCACHE_H

#include "Api.h"

#include "../../Core/Device.h"

#include <array>
#include <memory>
#include <unordered_map>

namespace dtensor::rt::cuda {

class Gpu;

class MatmulCache {
public:
  explicit MatmulCache(Gpu &gpu);
  MatmulCache(const MatmulCache &) = delete;
  ~MatmulCache();

  void run(const Matmul &call);

  /// A product as cuBLASLt takes it: row-major matrices with one batch stride.
  struct Problem {
    int64_t m, n, k, batch;
    int64_t lda, ldb, ldc;
    int64_t strideA, strideB, strideC;
    int64_t transA, transB;
    int64_t dtypeIn, dtypeOut;
    int64_t epilogue, hasBias;
    int64_t alignA, alignB, alignC;
  };
  using Key = std::array<int64_t, sizeof(Problem) / sizeof(int64_t)>;

private:
  struct Plan {
    LtDesc desc = nullptr;
    LtLayout a = nullptr, b = nullptr, c = nullptr;
    LtAlgo algo;
    size_t workspaceBytes = 0;
    ~Plan();
  };
  struct HashKey {
    size_t operator()(const Key &key) const;
  };

  void runProblem(Problem problem, const Matmul &call, char *a, char *b,
                  char *c);
  Plan &getPlan(const Problem &problem);
  std::unique_ptr<Plan> makePlan(const Problem &problem);
  void choose(Plan &plan, const Problem &problem);
  void runEmpty(const Matmul &call);

  Gpu &gpu;
  LtHandle handle = nullptr;
  void *workspace = nullptr;
  std::unordered_map<Key, std::unique_ptr<Plan>, HashKey> plans;
};

} // namespace dtensor::rt::cuda

#endif // DTENSOR_RUNTIME_BACKENDS_CUDA_MATMULCACHE_H
