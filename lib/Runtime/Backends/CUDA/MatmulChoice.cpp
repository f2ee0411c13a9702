//===- MatmulChoice.cpp - which algorithm computes a product ----*- C++ -*-===//

#include "Gpu.h"
#include "MatmulCache.h"
#include "ProductTuner.h"

#include "../../Core/Error.h"

#include <algorithm>
#include <cstring>

using namespace dtensor::rt;
using namespace dtensor::rt::cuda;

/// More than the library proposes.
static constexpr int kMaxCandidates = 32;

void MatmulCache::choose(Plan &plan, const Problem &problem) {
  if (chooseFromTable(plan, problem))
    return;
  std::vector<LtHeuristic> found = propose(plan, problem, 1);
  if (found.empty())
    raise(DTENSOR_RT_RUN_FAILED, "matmul ", problem.m, "x", problem.n, "x",
          problem.k, " of ",
          dtensor_rt_dtype_name(static_cast<int32_t>(problem.dtypeIn)),
          " into ",
          dtensor_rt_dtype_name(static_cast<int32_t>(problem.dtypeOut)),
          ": cuBLASLt has no algorithm");
  plan.use(found.front());
}

/// Best first, as the library guesses.
std::vector<LtHeuristic>
MatmulCache::propose(const Plan &plan, const Problem &problem, int limit) {
  const Lt &lt = getLt();
  LtPreference preference = nullptr;
  checkLt(lt.preferenceCreate(&preference), "choosing a matrix product");
  auto set = [&](int attribute, auto value) {
    lt.preferenceSet(preference, attribute, &value, sizeof(value));
  };
  set(kLtPreferenceWorkspace, static_cast<uint64_t>(kWorkspaceBytes));
  set(kLtPreferenceAlignA, static_cast<uint32_t>(problem.alignB));
  set(kLtPreferenceAlignB, static_cast<uint32_t>(problem.alignA));
  set(kLtPreferenceAlignC, static_cast<uint32_t>(problem.alignC));
  set(kLtPreferenceAlignD, static_cast<uint32_t>(problem.alignC));
  std::vector<LtHeuristic> found(static_cast<size_t>(limit));
  int count = 0;
  LtResult result =
      lt.getHeuristic(handle, plan.desc, plan.a, plan.b, plan.c, plan.c,
                      preference, limit, found.data(), &count);
  lt.preferenceDestroy(preference);
  found.resize(result == 0 ? static_cast<size_t>(count) : 0);
  auto isBad = [](const LtHeuristic &one) { return one.state != 0; };
  found.erase(std::remove_if(found.begin(), found.end(), isBad), found.end());
  return found;
}

//===----------------------------------------------------------------------===//
// Algorithms chosen ahead of time
//===----------------------------------------------------------------------===//

/// Tables know one product at a time, in rows that vector accesses can read.
static bool isPlain(const MatmulCache::Problem &p) {
  int64_t bytes = bytesOf(p.dtypeIn);
  int64_t bytesOut = bytesOf(p.dtypeOut);
  bool areRowsAligned = p.lda * bytes % 16 == 0 && p.ldb * bytes % 16 == 0 &&
                        p.ldc * bytesOut % 16 == 0;
  return p.batch == 1 && !p.hasBias &&
         p.epilogue == static_cast<int64_t>(Epilogue::None) && areRowsAligned &&
         std::min({p.alignA, p.alignB, p.alignC}) >= 16;
}

TunedProduct MatmulCache::describe(const Problem &problem) const {
  TunedProduct product;
  product.arch = gpu.getArch();
  product.version = static_cast<int64_t>(getLt().getVersion());
  product.dtypeIn = static_cast<int32_t>(problem.dtypeIn);
  product.dtypeOut = static_cast<int32_t>(problem.dtypeOut);
  product.transA = problem.transA;
  product.transB = problem.transB;
  product.m = problem.m;
  product.n = problem.n;
  product.k = problem.k;
  return product;
}

/// The library checks the algorithm; a refused one is not used.
bool MatmulCache::chooseFromTable(Plan &plan, const Problem &problem) {
  if (table.isEmpty() || !isPlain(problem))
    return false;
  const TunedProduct *tuned = table.find(describe(problem));
  if (!tuned)
    return false;
  LtHeuristic found = {};
  static_assert(sizeof(found.algo) == sizeof(tuned->algorithm));
  LtAlgo algo;
  std::memcpy(&algo, tuned->algorithm.data(), sizeof(algo));
  LtResult result = getLt().algoCheck(handle, plan.desc, plan.a, plan.b, plan.c,
                                      plan.c, &algo, &found);
  if (result != 0 || found.state != 0 || found.workspaceBytes > kWorkspaceBytes)
    return false;
  found.algo = algo;
  plan.use(found);
  return true;
}

void MatmulCache::tune(const Problem &problem, const Operands &operands) {
  // Measuring overwrites the result, which may hold the addend.
  if (!ProductTuner::isAsked() || !isPlain(problem) ||
      operands.addend == operands.c)
    return;
  TunedProduct product = describe(problem);
  if (!ProductTuner::claim(product))
    return;
  std::unique_ptr<Plan> candidate = makePlan(problem);
  // What is good for every aligned operand, not for this one alone.
  Problem aligned = problem;
  aligned.alignA = aligned.alignB = aligned.alignC = 16;
  std::vector<LtHeuristic> found = propose(*candidate, aligned, kMaxCandidates);
  if (found.empty())
    return;
  int64_t rows = problem.k, cols = problem.n;
  if (problem.transB)
    std::swap(rows, cols);
  ProductTuner tuner(gpu, operands.b,
                     ((rows - 1) * problem.ldb + cols) *
                         bytesOf(problem.dtypeIn));
  size_t best = tuner.measure(found.size(), [&](size_t i, char *weights) {
    candidate->use(found[i]);
    launch(problem, *candidate,
           {operands.a, weights, operands.addend, operands.c},
           {gpu.getStream(), 0});
  });
  std::memcpy(product.algorithm.data(), &found[best].algo,
              sizeof(product.algorithm));
  tuner.write(product);
}
