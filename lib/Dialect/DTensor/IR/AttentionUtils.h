//===- AttentionUtils.h - what attention and its gradients share *- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_IR_ATTENTIONUTILS_H
#define DTENSOR_LIB_DIALECT_DTENSOR_IR_ATTENTIONUTILS_H

#include "CompositeUtils.h"
#include "dtensor/Sharding/ShardingRule.h"

namespace dtensor {

/// G with H = Hkv * G where that is possible. Without heads of keys there are
/// none of queries, and any G will do.
Expr headGroup(Expr heads, Expr kvHeads);

/// Of the tensors that a gradient reads and writes; `rows` have no depth.
struct AttentionExtents {
  ExtentList output, query, key, value, rows;
};

/// What operands with these query, key and value must be. Errors at `op`.
llvm::FailureOr<AttentionExtents>
inferAttentionExtents(mlir::Operation *op, llvm::ArrayRef<Expr> query,
                      llvm::ArrayRef<Expr> key, llvm::ArrayRef<Expr> value,
                      const Facts &facts);

/// Operand i of `op` has the extents `*expected[i]`, of those that both lists
/// have.
llvm::LogicalResult checkOperands(mlir::Operation *op,
                                  llvm::ArrayRef<ExtentList> operands,
                                  llvm::ArrayRef<const ExtentList *> expected,
                                  const Facts &facts);

/// States that `rule` has a product of matrices for each of `depths`: it runs
/// over the factors of the queries' `rows`, over `keys` and over the depth.
void addScoreProducts(ShardingRule &rule, const TensorMap &rows,
                      llvm::ArrayRef<unsigned> keys,
                      llvm::ArrayRef<llvm::ArrayRef<unsigned>> depths);

/// The diagonal between the queries and the keys of this rank, where those of
/// all have `diagonal`, or S - T if it is null. Null if that is the default of
/// the local tensors, too.
mlir::Value localDiagonal(mlir::OpBuilder &builder, PartitionContext &context,
                          mlir::Value query, mlir::Value key,
                          mlir::Value diagonal);

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_ATTENTIONUTILS_H
