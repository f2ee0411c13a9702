//===- Interfaces.h - what an op answers to the passes ----------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Passes know ops through these interfaces only; ops of other dialects join by
// external models.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_INTERFACES_INTERFACES_H
#define DTENSOR_INTERFACES_INTERFACES_H

#include "dtensor/Sharding/Expr.h"
#include "dtensor/Sharding/Facts.h"
#include "dtensor/Sharding/ShardingRule.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"

namespace dtensor {

/// What `partition` knows about the function it rewrites. Every method is
/// given values of the *global* program and answers for the calling rank.
class PartitionContext {
public:
  virtual ~PartitionContext() = default;

  /// The local value that stands for a value of the global program, tensor or
  /// scalar. For what an op uses beside its operands.
  virtual mlir::Value getLocal(mlir::Value global) = 0;

  /// The value of a global expression: symbols, axis sizes and axis indices are
  /// arguments of the local function.
  virtual mlir::Value materialize(Expr expr) = 0;

  /// How many elements of dimension `dim` of `global` this rank holds.
  virtual mlir::Value getLocalSize(mlir::Value global, unsigned dim) = 0;

  /// Where this rank's shard of dimension `dim` begins in the global value.
  virtual mlir::Value getOffset(mlir::Value global, unsigned dim) = 0;

  /// The local type: no encoding; a dimension is static if its local size is
  /// the same number on every rank and every mesh.
  virtual mlir::RankedTensorType getLocalType(mlir::Value global) = 0;

  /// True if no mesh axis shards dimension `dim` of `global`.
  virtual bool isWhole(mlir::Value global, unsigned dim) = 0;
};

/// What `normalize` knows about the function it rebuilds. The old function
/// stays as it is; the new one is built beside it, every tensor with a layout.
class NormalizeContext {
public:
  virtual ~NormalizeContext() = default;

  /// Inserts into the new function.
  virtual mlir::OpBuilder &getBuilder() = 0;

  /// The new value that stands for `old`. Tensors carry a layout.
  virtual mlir::Value lookup(mlir::Value old) = 0;
  virtual void map(mlir::Value old, mlir::Value replacement) = 0;

  /// The expression of an `index` value: known by construction (a constant, an
  /// extent, arithmetic on those), else a fresh symbol that this value binds.
  virtual Expr getExpr(mlir::Value index) = 0;
  virtual void setExpr(mlir::Value index, Expr expr) = 0;
  /// True if the expression of `index` is known without a fresh symbol.
  virtual bool hasExpr(mlir::Value index) = 0;

  /// Extents of the new value that stands for `old`.
  virtual llvm::SmallVector<Expr> getExtents(mlir::Value old) = 0;

  /// `type` without its encoding, with a layout of these extents and open
  /// placements on the function's mesh.
  virtual mlir::RankedTensorType getOpenType(mlir::RankedTensorType type,
                                             llvm::ArrayRef<Expr> extents) = 0;

  /// States that two extents are one: nothing to do if they are equal; a bare
  /// symbol is unified with the other side; provably different ones are an
  /// error at `op` with both expressions; else a check at launch is recorded.
  virtual llvm::LogicalResult unify(mlir::Operation *op, Expr lhs, Expr rhs,
                                    const llvm::Twine &what) = 0;

  /// The type of the new value for `old`, a tensor that an op computes with
  /// these extents: the layout that `old` declares, else an open one. Extents
  /// that the type of `old` states are unified with `extents`; fails after an
  /// error at `op`.
  virtual mlir::FailureOr<mlir::RankedTensorType>
  getResultType(mlir::Operation *op, mlir::Value old,
                llvm::ArrayRef<Expr> extents) = 0;

  /// `value` as a value of `type`: unifies extents, then inserts `refine` for
  /// those that stay undecided and `redistribute` where placements differ.
  virtual mlir::FailureOr<mlir::Value> convert(mlir::Operation *op,
                                               mlir::Value value,
                                               mlir::RankedTensorType type,
                                               const llvm::Twine &what) = 0;

  /// Rebuilds the ops of `block`, all but its terminator, at the insertion
  /// point. The caller has mapped the arguments of the block.
  virtual llvm::LogicalResult normalizeBlock(mlir::Block &block) = 0;

  virtual ExprContext &getExprContext() = 0;
  virtual const Facts &getFacts() = 0;
};

} // namespace dtensor

#include "dtensor/Interfaces/CompositeOpInterface.h.inc"
#include "dtensor/Interfaces/ExpandOpInterface.h.inc"
#include "dtensor/Interfaces/NormalizeOpInterface.h.inc"
#include "dtensor/Interfaces/PartitionOpInterface.h.inc"
#include "dtensor/Interfaces/ShardingRuleOpInterface.h.inc"

#endif // DTENSOR_INTERFACES_INTERFACES_H
