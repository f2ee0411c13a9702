//===- MatmulCache.h - matrix products through cuBLASLt ---------*- C++ -*-===//
//
// cuBLASLt is column-major: a row-major c = a * b is c^T = b^T * a^T there, and
// a row-major matrix *is* its column-major transpose, so the operands change
// places and nothing is copied:
//
//   lt.A = b, lt.B = a, lt.D = c, lt.m = n, lt.n = m, lt.k = k
//
// Descriptors and the algorithm are kept per shape, strides, types, alignment
// and epilogue. The algorithm is that of the bundle's table, or else the one
// that the library proposes: the choice depends on nothing that varies from run
// to run.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_BACKENDS_CUDA_MATMULCACHE_H
#define DTENSOR_RUNTIME_BACKENDS_CUDA_MATMULCACHE_H

#include "Api.h"
#include "Branches.h"

#include "../../Core/Device.h"

#include "dtensor-rt/ProductTable.h"
#include "dtensor-rt/dtensor_rt.h"

#include <array>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

namespace dtensor::rt::cuda {

class Gpu;

/// Of one element.
inline int64_t bytesOf(int64_t dtype) {
  return static_cast<int64_t>(
      dtensor_rt_dtype_bytes(static_cast<int32_t>(dtype)));
}

inline constexpr size_t kWorkspaceBytes = size_t(32) << 20;

class MatmulCache {
public:
  MatmulCache(Gpu &gpu, ProductTable table);
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
    LtAlgo algo = {};
    size_t workspaceBytes = 0;
    Plan() = default;
    Plan(const Plan &) = delete;
    ~Plan();

    void use(const LtHeuristic &found) {
      algo = found.algo;
      workspaceBytes = found.workspaceBytes;
    }
  };
  struct HashKey {
    size_t operator()(const Key &key) const;
  };

  /// Addresses; `addend` may be null or c.
  struct Operands {
    char *a, *b, *addend, *c;
  };

  static Key keyOf(const Problem &problem);
  void runProblem(Problem problem, void *bias, const Operands &operands);
  static ProductAccess accessOf(const Problem &problem, const void *bias,
                                const Operands &operands);
  void launch(const Problem &problem, const Plan &plan,
              const Operands &operands, const Branches::Place &place);
  /// The driver loads a kernel when it is first needed, which takes
  /// milliseconds. When a product is first seen, those that it takes with other
  /// numbers of rows are loaded, too, so that a later run does not wait.
  void preload(const Problem &problem);
  void preloadRows(Problem problem, Stream stream);
  Plan *findPlan(const Problem &problem);
  Plan &addPlan(const Problem &problem);
  std::unique_ptr<Plan> makePlan(const Problem &problem);
  void choose(Plan &plan, const Problem &problem);
  bool chooseFromTable(Plan &plan, const Problem &problem);
  std::vector<LtHeuristic> propose(const Plan &plan, const Problem &problem,
                                   int limit);
  /// Where it is asked for, measures the library's proposals and writes down
  /// the best one. The result is overwritten, nothing else changes.
  void tune(const Problem &problem, const Operands &operands);
  TunedProduct describe(const Problem &problem) const;
  void runEmpty(const Matmul &call);

  Gpu &gpu;
  ProductTable table;
  LtHandle handle = nullptr;
  /// Products side by side have one each.
  std::array<void *, 1 + Branches::kSides> workspaces = {};
  std::unordered_map<Key, std::unique_ptr<Plan>, HashKey> plans;
  std::set<Key> preloaded; // without rows
};

} // namespace dtensor::rt::cuda

#endif // DTENSOR_RUNTIME_BACKENDS_CUDA_MATMULCACHE_H
