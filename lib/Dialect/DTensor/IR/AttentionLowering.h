//===- AttentionLowering.h - attention, piece by piece ----------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_DIALECT_DTENSOR_IR_ATTENTIONLOWERING_H
#define DTENSOR_LIB_DIALECT_DTENSOR_IR_ATTENTIONLOWERING_H

#include "CompositeUtils.h"
#include "dtensor/Dialect/DTensor/IR/NNOps.h"
#include "dtensor/Dialect/DTensor/IR/RuleUtils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

namespace dtensor {

/// What is known of every row of the result after some of the keys: the
/// greatest score, and the sums of the weights and of the weighted values.
struct AttentionState {
  mlir::Value maximum, sum, product;
};

/// What gradients need of every row, hkv and g apart; delta is the sum of
/// gradient times output.
struct AttentionRows {
  mlir::Value grad, logSumExp, delta;
};

/// Sums over the keys so far, and over the queries; in the accumulator's type.
struct AttentionGrads {
  mlir::Value query, key, value;
};

/// S - T of local tensors.
mlir::Value defaultDiagonal(mlir::OpBuilder &builder, mlir::Location loc,
                            mlir::Value query, mlir::Value key);

/// Attention of local tensors as `linalg.generic`. The query's heads are in two
/// dimensions, hkv and g, in all values between.
class AttentionLowering {
public:
  /// `scale` may be null. The heads of `key` are those of every piece.
  AttentionLowering(mlir::OpBuilder &builder, mlir::Location loc,
                    mlir::Value query, mlir::Value key, mlir::FloatAttr scale);

  /// Of no keys; the width is that of `value`.
  AttentionState start(mlir::Value value);
  /// Goes on with more keys. Query i sees key j of them if j <= i + `diagonal`;
  /// all if it is null.
  AttentionState step(AttentionState state, mlir::Value key, mlir::Value value,
                      mlir::Value diagonal, bool isFirst);
  mlir::Value finish(const AttentionState &state, mlir::RankedTensorType type);

  /// The scaled scores x, -inf where a key is not seen.
  mlir::Value seenScores(mlir::Value key, mlir::Value diagonal);
  /// Of the scaled scores that are seen.
  mlir::Value logSumExp(const AttentionState &state);
  mlir::Value logSumExp(mlir::Value x);
  /// A tensor of the query's rows, hkv and g apart, and the query itself.
  mlir::Value splitRows(mlir::Value tensor);
  mlir::Value getQuery() const { return query; }
  AttentionRows gradientRows(mlir::Value grad, mlir::Value output,
                             mlir::Value logSumExp);
  /// exp(x - logsumexp), 0 where a key is not seen.
  mlir::Value rowWeights(mlir::Value x, mlir::Value logSumExp);
  /// weights (grad value^T - delta) scale.
  mlir::Value scoreGradient(const AttentionRows &of, mlir::Value weights,
                            mlir::Value value);

  /// Sums of nothing.
  mlir::Value startQuery();
  mlir::Value zerosLike(mlir::Value tensor);
  AttentionGrads startGradients(mlir::Value key, mlir::Value value);
  /// `init` and the sum of weights times what every key, or query, has.
  mlir::Value sumOverKeys(mlir::Value init, mlir::Value weights,
                          mlir::Value perKey);
  mlir::Value sumOverQueries(mlir::Value init, mlir::Value weights,
                             mlir::Value perQuery);
  /// Adds what these keys have to do with the queries.
  AttentionGrads gradientStep(const AttentionRows &of,
                              const AttentionGrads &sums, mlir::Value key,
                              mlir::Value value, mlir::Value diagonal);
  /// With the query's heads, with or without a depth.
  mlir::Value finishQuery(mlir::Value sum, mlir::RankedTensorType type);
  mlir::Value finishSum(mlir::Value sum, mlir::Type element);

private:
  static constexpr double kLowest = -std::numeric_limits<double>::infinity();
  using Body = llvm::function_ref<mlir::Value(Scalars &, mlir::ValueRange)>;

  mlir::OpFoldResult size(mlir::Value value, int64_t dim) {
    return mlir::tensor::getMixedSize(builder, loc, value, dim);
  }
  void splitHeads(mlir::Value key);
  llvm::SmallVector<mlir::ReassociationIndices> headGroups(int64_t count);
  mlir::Value joinHeads(mlir::Value value, mlir::RankedTensorType type);
  mlir::Value filled(llvm::ArrayRef<mlir::OpFoldResult> sizes, double value);
  /// One linalg.generic; `dims` holds one entry per input.
  mlir::Value loop(mlir::ValueRange inputs, llvm::ArrayRef<IteratorList> dims,
                   mlir::Value init, const IteratorList &resultDims,
                   unsigned numIterators, Body body);
  mlir::Value scaleValue(mlir::FloatAttr scale);
  mlir::Value buildScores(mlir::Value key);
  mlir::Value buildMasked(mlir::Value raw, mlir::Value diagonal);
  mlir::Value rowMaximum(mlir::Value x, mlir::Value init);
  mlir::Value weight(Scalars &b, mlir::Value x, mlir::Value maximum);
  mlir::Value buildSum(mlir::Value weights, mlir::Value init);
  mlir::Value contract(mlir::Value lhs, const IteratorList &lhsDims,
                       mlir::Value rhs, const IteratorList &rhsDims,
                       mlir::Value init, const IteratorList &resultDims);
  /// With the iterator of the depth behind, and those of keys.
  IteratorList depthOf(IteratorList dims) const;
  IteratorList keyDims() const;
  AttentionState rescale(const AttentionState &state, mlir::Value maximum);

  mlir::OpBuilder &builder;
  mlir::Location loc;
  mlir::Type accumulator;
  /// Of the operands.
  int64_t rank, heads;
  /// Iterators.
  int64_t t, s, d;
  IteratorList rows, scores, kv;
  /// The query with hkv and g apart, and the sizes of its rows.
  mlir::Value query;
  llvm::SmallVector<mlir::OpFoldResult> rowSizes;
  bool hasStaticHeads = false;
  mlir::Value scale;
};

} // namespace dtensor

#endif // DTENSOR_LIB_DIALECT_DTENSOR_IR_ATTENTIONLOWERING_H
