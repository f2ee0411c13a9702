//===- OpTime.h - What an op costs one rank ---------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_SHARDING_OPTIME_H
#define DTENSOR_SHARDING_OPTIME_H

#include "dtensor/Sharding/Cost.h"
#include "dtensor/Sharding/ShardingRule.h"

namespace dtensor {

/// What an op works on, as one axis finds it: divided by all other axes.
struct OpWork {
  /// Bytes of each tensor; nullopt for what is no tensor.
  llvm::SmallVector<std::optional<double>> operands, results;
  /// Ranks of the other axes among which arithmetic is divided.
  double sharers = 1;
};

/// The time of one rank of `group` under `strategy`: bytes through memory, and
/// for contractions the arithmetic. A looked-up operand is read only where it
/// is asked for, which is as much as the result.
double opTime(const ShardingRule &rule, const Strategy &strategy,
              const OpWork &work, int64_t group, const Facts &facts,
              const CostModel &model = {});

} // namespace dtensor

#endif // DTENSOR_SHARDING_OPTIME_H
