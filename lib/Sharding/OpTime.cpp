//===- OpTime.cpp - What an op costs one rank -----------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/OpTime.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"

using namespace dtensor;
using llvm::ArrayRef;
using Bytes = std::optional<double>;

/// Something is summed over more than one tensor.
static bool contracts(const ShardingRule &rule, const OpWork &work) {
  auto isTensor = [](Bytes bytes) { return bytes.has_value(); };
  return rule.lookedUp.empty() && llvm::count_if(work.operands, isTensor) > 1 &&
         llvm::any_of(rule.factors, [](const Factor &factor) {
           return factor.kind == FactorKind::Reduction;
         });
}

/// Of all ranks together.
static double operations(const ShardingRule &rule, const OpWork &work,
                         const Facts &facts) {
  auto product = [&](const auto &factors) {
    double operations = 2;
    for (unsigned factor : factors)
      operations *= static_cast<double>(facts.hint(rule.factors[factor].size));
    return operations;
  };
  double sum = 0;
  for (ArrayRef<unsigned> factors : rule.products)
    sum += product(factors);
  if (rule.products.empty() && contracts(rule, work))
    sum = product(llvm::seq<unsigned>(rule.factors.size()));
  return sum;
}

double dtensor::opTime(const ShardingRule &rule, const Strategy &strategy,
                       const OpWork &work, int64_t group, const Facts &facts,
                       const CostModel &model) {
  auto share = [&](Bytes bytes, const Placement &placement) {
    return bytes.value_or(0) / (placement.isShard() ? group : 1);
  };
  double written = 0, read = 0;
  for (auto [bytes, placement] :
       llvm::zip_equal(work.results, strategy.results))
    written += share(bytes, placement);
  for (auto [i, bytes] : llvm::enumerate(work.operands))
    read += llvm::is_contained(rule.lookedUp, i)
                ? written
                : share(bytes, strategy.operands[i]);
  double arithmetic = operations(rule, work, facts) / work.sharers /
                      (strategy.factor >= 0 ? group : 1);
  return (read + written) / model.memoryBandwidth +
         arithmetic / model.arithmetic;
}
