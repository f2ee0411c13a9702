//===- ShardingRule.h - An operation as factors -----------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A rule names the loops of an operation (its factors) and says, for every
// dimension of every operand and result, which factors it runs over, major to
// minor: extent(dim) = product of the factor sizes. Matmul is (m k)(k n)->(m n)
// with k a reduction. A view that splits H*D is (h d)->(h)(d) with a dimension
// of two factors on the left.
//
// On one mesh axis the operation may then
//   * run replicated,
//   * shard one factor f that is not need-replication: in every dimension that
//     holds f, f must be the major-most factor of size above 1, and the
//     dimension gets shard(dim, unit = u(f) * product of the sizes right of f);
//     tensors without f are replicate; results of a reduction are partial,
//   * run on partial values as one of its partial signatures.
// On several axes it may do one of these on each.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_SHARDING_SHARDINGRULE_H
#define DTENSOR_SHARDING_SHARDINGRULE_H

#include "dtensor/Sharding/Layout.h"

namespace dtensor {

enum class FactorKind { Parallel, Reduction, NeedReplication };

struct Factor {
  FactorKind kind = FactorKind::Parallel;
  /// The trip count.
  Expr size;
  /// Reduction: how the partial results combine.
  ReduceKind reduce = ReduceKind::Sum;
  /// Dimensions that hold it have extents of their own, and a rank gets from
  /// others what its shards lack: the windows of a dimension.
  bool windowed = false;
};

/// Per dimension of one tensor its factors, major to minor. An empty list is
/// an extent of 1, or a dimension that cannot be sharded.
using TensorMap = llvm::SmallVector<llvm::SmallVector<unsigned, 1>, 4>;

/// Operands with a kind may be partial(kind), all others are replicate; the
/// results are then partial(kind), or replicate where there is none. All
/// operands with a kind are partial at once.
struct PartialSignature {
  llvm::SmallVector<std::optional<ReduceKind>> operands, results;
};

struct ShardingRule {
  llvm::SmallVector<Factor> factors;
  llvm::SmallVector<TensorMap> operands, results;
  llvm::SmallVector<PartialSignature> partials;
  /// Operands of which only as much is read as the results hold: the table of
  /// a lookup. Steers costs, nothing else.
  llvm::SmallVector<unsigned, 1> lookedUp;
  /// The factors that each product of matrices in the op runs over; where there
  /// is none, an op that sums over tensors is one over all. Steers costs.
  llvm::SmallVector<llvm::SmallVector<unsigned>, 1> products;

  /// Factor numbers in range and at most once per tensor, sizes present, no
  /// reduction factor in a result, signatures with one entry per tensor.
  bool verify(EmitError emitError) const;
};

/// What an operation does on ONE mesh axis.
struct Strategy {
  static constexpr int kReplicate = -1;
  static constexpr int kPartial = -2;

  llvm::SmallVector<Placement> operands, results;
  /// The sharded factor, kReplicate or kPartial.
  int factor = kReplicate;
};

/// May `factor` be sharded? `why` receives the reason if not. With `facts`,
/// factors whose size is proved to be 1 do not count.
bool canShardFactor(const ShardingRule &rule, unsigned factor,
                    const Facts *facts = nullptr, std::string *why = nullptr);

/// The strategy that shards `factor` with `unit` elements of the factor kept
/// together (null is 1). Needs `canShardFactor`.
Strategy shardFactor(const ShardingRule &rule, unsigned factor, Expr unit = {});

/// All strategies of one axis, replicate first, then the factors in order,
/// then the partial signatures in order. `units[f]` lists candidate units of
/// factor f beside 1; missing entries mean none.
llvm::SmallVector<Strategy>
strategies(const ShardingRule &rule,
           llvm::ArrayRef<llvm::SmallVector<Expr>> units = {},
           const Facts *facts = nullptr);

/// Is this assignment on one axis one of the operation's strategies, for some
/// unit of the sharded factor? `why` receives the reason if not.
bool accepts(const ShardingRule &rule, llvm::ArrayRef<Placement> operands,
             llvm::ArrayRef<Placement> results, std::string *why = nullptr,
             const Facts *facts = nullptr);

/// The same on all axes of `mesh`: accepted on each axis, partial kinds do not
/// mix on one tensor, and axes that shard the same factor nest in one order in
/// all tensors.
bool accepts(const ShardingRule &rule, const Mesh &mesh,
             llvm::ArrayRef<Layout> operands, llvm::ArrayRef<Layout> results,
             std::string *why = nullptr, const Facts *facts = nullptr);

} // namespace dtensor

#endif // DTENSOR_SHARDING_SHARDINGRULE_H
