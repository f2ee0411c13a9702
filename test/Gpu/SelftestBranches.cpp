//===- SelftestBranches.cpp - products side by side -------------*- C++ -*-===//
//
// In a graph, products that do not need each other may run at the same time;
// those that do, or that write what another one reads, may not.
//
//===----------------------------------------------------------------------===//

#include "Selftest.h"

#include <array>

using namespace dtensor;
using namespace dtensor::selftest;

namespace {

constexpr int64_t kSize = 96;

enum Matrix { X, W, V, A, B, C, D, E, kMatrices };

/// result = left * right
struct Step {
  Matrix result, left, right;
};

/// A, B and C need the given ones alone; D needs A and B; X is written when A,
/// B and C have read it; E and V need C; the last ones need all.
constexpr Step kSteps[] = {{A, X, W}, {B, X, V}, {C, X, X}, {D, A, B},
                           {X, D, W}, {E, C, W}, {V, C, C}, {A, X, E},
                           {B, A, V}, {D, B, B}};

using Values = std::vector<double>;

Values multiply(const Values &left, const Values &right) {
  Values result(kSize * kSize);
  for (int64_t i = 0; i < kSize; ++i)
    for (int64_t k = 0; k < kSize; ++k)
      for (int64_t j = 0; j < kSize; ++j)
        result[static_cast<size_t>(i * kSize + j)] +=
            left[static_cast<size_t>(i * kSize + k)] *
            right[static_cast<size_t>(k * kSize + j)];
  return result;
}

/// Rows of which one element is not small, so that products stay in range.
double valueOf(int64_t matrix, int64_t turn, int64_t i, int64_t j) {
  double noise = static_cast<double>((i * 7 + j * 3 + matrix + turn) % 11 - 5);
  return ((i + matrix + turn) % kSize == j ? 1 : 0) + noise / 4096;
}

HostArray makeMatrix(int64_t matrix, int64_t turn) {
  HostArray array = makeArray(DTENSOR_RT_f32, {kSize, kSize});
  for (int64_t i = 0; i < kSize * kSize; ++i)
    run::setElement(array, i, valueOf(matrix, turn, i / kSize, i % kSize));
  return array;
}

void runSteps(rt::RankContext &context, std::vector<DeviceArray> &matrices) {
  for (const Step &step : kSteps) {
    Descriptor left = matrices[step.left].describe(),
               right = matrices[step.right].describe(),
               result = matrices[step.result].describe();
    rt::abi::dtensor_rt_matmul(&context, 2, left.get(), right.get(),
                               result.get(), false, false, DTENSOR_RT_f32,
                               DTENSOR_RT_f32, 0, nullptr, result.get(), false);
  }
}

} // namespace

void selftest::testBranches() {
  Rig rig({1});
  std::vector<DeviceArray> matrices;
  for (int64_t i = 0; i < kMatrices; ++i)
    matrices.emplace_back(*rig.session, 0, makeMatrix(i, 0));
  const uint64_t key[] = {1};
  rt::Session::Options options;
  options.key = key;
  for (int64_t turn = 0; turn < 6; ++turn) {
    std::vector<Values> wanted;
    for (int64_t i = 0; i < kMatrices; ++i) {
      HostArray array = makeMatrix(i, turn);
      matrices[static_cast<size_t>(i)].write(array);
      wanted.push_back(values(array));
    }
    for (const Step &step : kSteps)
      wanted[step.result] = multiply(wanted[step.left], wanted[step.right]);
    std::string what = rt::concat("branches, turn ", turn);
    rig.runChecked(
        [&](rt::RankContext &context) { runSteps(context, matrices); }, what,
        options);
    for (int64_t i = 0; i < kMatrices; ++i)
      checkClose(matrices[static_cast<size_t>(i)].read(),
                 wanted[static_cast<size_t>(i)], 1e-4,
                 rt::concat(what, ", matrix ", i));
  }
}
