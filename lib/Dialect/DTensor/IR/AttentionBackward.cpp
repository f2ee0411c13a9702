//===- AttentionBackward.cpp - gradients of attention ---------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two ops: the gradient of a query is a sum over keys, those of key and value
// are sums over queries, so each may be sharded where the other may not.
//
//===----------------------------------------------------------------------===//

#include "AttentionUtils.h"
#include "BackwardMethods.h"
#include "dtensor/Dialect/DTensor/IR/NNOps.h"

using namespace mlir;
using namespace dtensor;

/// Of the operands.
enum : unsigned { kGrad, kQuery, kKey, kValue, kOutput, kLogSumExp };

LogicalResult
dtensor::inferAttentionBackward(Operation *op, ArrayRef<ExtentList> operands,
                                const Facts &facts,
                                SmallVectorImpl<ExtentList> &results) {
  auto extents = inferAttentionExtents(op, operands[kQuery], operands[kKey],
                                       operands[kValue], facts);
  if (failed(extents) ||
      failed(checkOperands(op, operands,
                           {&extents->output, &extents->query, &extents->key,
                            &extents->value, &extents->output, &extents->rows},
                           facts)))
    return failure();
  results.append({extents->query, extents->key, extents->value});
  return success();
}

LogicalResult dtensor::verifyAttentionBackward(Operation *op) {
  if (failed(verifyFloats(op, {kLogSumExp})))
    return failure();
  return verifyComposite(op);
}

/// The sum of gradient times output in every row, in the accumulator's type.
static Value buildDelta(OpBuilder &builder, Location loc, Value grad,
                        Value output) {
  Type wide = accumulatorType(scalarType(grad));
  ExtentList rows = getExtents(grad);
  rows.pop_back();
  IteratorList all = identityDims(rows.size() + 1);
  return buildGeneric(builder, loc, "delta", {grad, output}, {all, all},
                      identityDims(rows.size()), all.size(), ReduceKind::Sum,
                      openType(grad.getType(), wide, rows),
                      [&](OpBuilder &b, Location loc, ValueRange args) {
                        Scalars scalars{b, loc};
                        return scalars.mul(scalars.cast(args[0], wide),
                                           scalars.cast(args[1], wide));
                      });
}

LogicalResult
dtensor::decomposeAttentionBackward(Operation *op, OpBuilder &builder,
                                    ValueRange operands, TypeRange resultTypes,
                                    SmallVectorImpl<Value> &results) {
  auto backward = cast<AttentionBackwardOp>(op);
  Location loc = op->getLoc();
  UnitAttr causal = backward.getCausalAttr();
  FloatAttr scale = backward.getScaleAttr();
  Value grad = operands[kGrad], query = operands[kQuery], key = operands[kKey],
        value = operands[kValue];
  Value delta = buildDelta(builder, loc, grad, operands[kOutput]);
  auto ofQuery = AttentionQueryGradOp::create(
      builder, loc, resultTypes[0], delta.getType(), grad, query, key, value,
      delta, /*diagonal=*/Value(), causal, scale);
  Value logSumExp = operands.size() > kLogSumExp ? operands[kLogSumExp]
                                                 : ofQuery.getLogsumexp();
  auto ofKey = AttentionKeyValueGradOp::create(
      builder, loc, resultTypes[1], resultTypes[2], grad, query, key, value,
      logSumExp, delta, /*diagonal=*/Value(), causal, scale);
  results.append(
      {ofQuery.getGradQuery(), ofKey.getGradKey(), ofKey.getGradValue()});
  return success();
}
