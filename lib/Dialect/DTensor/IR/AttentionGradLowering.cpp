//===- AttentionGradLowering.cpp - gradients as loops over tensors --------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With x and the iterators of AttentionLowering.cpp, and l the logsumexp of x,
//
//   p = exp(x - l)      ds = p (g v^T - delta) scale
//
// and 0 where x is -inf, whatever l is: a row that sees no key has l = -inf.
//
//===----------------------------------------------------------------------===//

#include "AttentionLowering.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace dtensor;

Value AttentionLowering::logSumExp(const AttentionState &state) {
  return loop(state.sum, {rows}, state.maximum, rows, rank,
              [](Scalars &b, ValueRange args) {
                Value log = math::LogOp::create(b.builder, b.loc, args[0]);
                return b.add(args[1], log);
              });
}

Value AttentionLowering::logSumExp(Value x) {
  Value maximum = rowMaximum(x, filled(rowSizes, kLowest));
  Value sum = loop({x, maximum}, {scores, rows}, filled(rowSizes, 0), rows,
                   rank + 1, [&](Scalars &b, ValueRange args) {
                     return b.add(args[2], weight(b, args[0], args[1]));
                   });
  return logSumExp({maximum, sum, Value()});
}

AttentionRows AttentionLowering::gradientRows(Value grad, Value output,
                                              Value logSumExp) {
  Value first = splitRows(grad), second = splitRows(output);
  // The loop over e is the one that the scores have for s.
  Value delta = loop({first, second}, {scores, scores}, filled(rowSizes, 0),
                     rows, rank + 1, [&](Scalars &b, ValueRange args) {
                       Value product = b.mul(b.cast(args[0], accumulator),
                                             b.cast(args[1], accumulator));
                       return b.add(args[2], product);
                     });
  return {first, logSumExp, delta};
}

Value AttentionLowering::startQuery() {
  SmallVector<OpFoldResult> sizes(rowSizes);
  sizes.push_back(size(query, rank));
  return filled(sizes, 0);
}

Value AttentionLowering::zerosLike(Value tensor) {
  return filled(tensor::getMixedSizes(builder, loc, tensor), 0);
}

AttentionGrads AttentionLowering::startGradients(Value key, Value value) {
  return {startQuery(), zerosLike(key), zerosLike(value)};
}

Value AttentionLowering::rowWeights(Value x, Value logSumExp) {
  return loop(
      logSumExp, {rows}, x, scores, rank + 1, [&](Scalars &b, ValueRange args) {
        Value lowest = b.constant(accumulator, kLowest);
        Value exp =
            math::ExpOp::create(b.builder, b.loc, b.sub(args[1], args[0]));
        return b.select(b.compare("eq", args[1], lowest),
                        b.constant(accumulator, 0), exp);
      });
}

Value AttentionLowering::scoreGradient(const AttentionRows &of, Value weights,
                                       Value value) {
  SmallVector<OpFoldResult> sizes(rowSizes);
  sizes.push_back(size(value, rank - 2));
  Value inner = contract(of.grad, depthOf(rows), value, keyDims(),
                         filled(sizes, 0), scores);
  return loop({weights, of.delta}, {scores, rows}, inner, scores, rank + 1,
              [&](Scalars &b, ValueRange args) {
                Value difference = b.sub(args[2], args[1]);
                return b.mul(b.mul(args[0], difference), scale);
              });
}

Value AttentionLowering::sumOverQueries(Value init, Value weights,
                                        Value perQuery) {
  return contract(weights, scores, perQuery, depthOf(rows), init, keyDims());
}

AttentionGrads AttentionLowering::gradientStep(const AttentionRows &of,
                                               const AttentionGrads &sums,
                                               Value key, Value value,
                                               Value diagonal) {
  Value weights = rowWeights(seenScores(key, diagonal), of.logSumExp);
  Value gradScores = scoreGradient(of, weights, value);
  return {sumOverKeys(sums.query, gradScores, key),
          sumOverQueries(sums.key, gradScores, query),
          sumOverQueries(sums.value, weights, of.grad)};
}

Value AttentionLowering::finishQuery(Value sum, RankedTensorType type) {
  return joinHeads(finishSum(sum, type.getElementType()), type);
}

Value AttentionLowering::finishSum(Value sum, Type element) {
  if (scalarType(sum) == element)
    return sum;
  Value empty = tensor::EmptyOp::create(
      builder, loc, tensor::getMixedSizes(builder, loc, sum), element);
  IteratorList all =
      identityDims(cast<RankedTensorType>(sum.getType()).getRank());
  return loop(
      sum, {all}, empty, all, all.size(),
      [&](Scalars &b, ValueRange args) { return b.cast(args[0], element); });
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

/// Null if all keys are seen.
template <class OpTy>
static Value diagonalValue(OpBuilder &builder, OpTy op) {
  if (!op.getCausal() || op.getDiagonal())
    return op.getDiagonal();
  return defaultDiagonal(builder, op.getLoc(), op.getQuery(), op.getKey());
}

SmallVector<Value> dtensor::lowerAttentionToLinalg(OpBuilder &builder,
                                                   AttentionQueryGradOp op) {
  AttentionLowering lowering(builder, op.getLoc(), op.getQuery(), op.getKey(),
                             op.getScaleAttr());
  Value x = lowering.seenScores(op.getKey(), diagonalValue(builder, op));
  AttentionRows rows = {lowering.splitRows(op.getGrad()), lowering.logSumExp(x),
                        lowering.splitRows(op.getDelta())};
  Value weights = lowering.rowWeights(x, rows.logSumExp);
  Value gradScores = lowering.scoreGradient(rows, weights, op.getValue());
  Value sum =
      lowering.sumOverKeys(lowering.startQuery(), gradScores, op.getKey());
  auto finish = [&](Value split, Value result) {
    return lowering.finishQuery(split,
                                cast<RankedTensorType>(result.getType()));
  };
  return {finish(sum, op.getGradQuery()),
          finish(rows.logSumExp, op.getLogsumexp())};
}

SmallVector<Value> dtensor::lowerAttentionToLinalg(OpBuilder &builder,
                                                   AttentionKeyValueGradOp op) {
  Value key = op.getKey(), value = op.getValue();
  AttentionLowering lowering(builder, op.getLoc(), op.getQuery(), key,
                             op.getScaleAttr());
  AttentionRows rows = {lowering.splitRows(op.getGrad()),
                        lowering.splitRows(op.getLogsumexp()),
                        lowering.splitRows(op.getDelta())};
  Value x = lowering.seenScores(key, diagonalValue(builder, op));
  Value weights = lowering.rowWeights(x, rows.logSumExp);
  Value gradScores = lowering.scoreGradient(rows, weights, value);
  auto sum = [&](Value input, Value scores, Value perQuery, Value result) {
    Value sum =
        lowering.sumOverQueries(lowering.zerosLike(input), scores, perQuery);
    auto type = cast<RankedTensorType>(result.getType());
    return castTensor(builder, op.getLoc(),
                      lowering.finishSum(sum, type.getElementType()), type);
  };
  return {sum(key, gradScores, lowering.getQuery(), op.getGradKey()),
          sum(value, weights, rows.grad, op.getGradValue())};
}
