//===- AttentionGradOps.cpp - rules and local forms of gradients ----------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With the heads of the query as H = Hkv * G (major to minor) the factors are
// those of attention. What belongs to a query, g and t, is parallel in its own
// gradient and summed over in those of key and value; s is whole in the one and
// parallel in the others.
//
//===----------------------------------------------------------------------===//

#include "AttentionUtils.h"
#include "BackwardMethods.h"
#include "dtensor/Dialect/DTensor/IR/NNOps.h"
#include "dtensor/Dialect/DTensor/IR/RuleUtils.h"

using namespace mlir;
using namespace dtensor;

/// Numbers of operands; the last tensor is delta.
enum : unsigned { kGrad, kQuery, kKey, kValue, kLogSumExp };

template <class OpTy>
static constexpr bool kOfQuery = std::is_same_v<OpTy, AttentionQueryGradOp>;

template <class OpTy>
static constexpr unsigned kDelta = kOfQuery<OpTy> ? kLogSumExp : kLogSumExp + 1;

//===----------------------------------------------------------------------===//
// Extents
//===----------------------------------------------------------------------===//

/// Of the results; errors at `op`.
template <class OpTy>
static FailureOr<SmallVector<ExtentList>>
inferGrad(OpTy op, ArrayRef<ExtentList> operands, const Facts &facts) {
  auto extents = inferAttentionExtents(op, operands[kQuery], operands[kKey],
                                       operands[kValue], facts);
  if (failed(extents))
    return failure();
  SmallVector<const ExtentList *> expected = {&extents->output, &extents->query,
                                              &extents->key, &extents->value};
  expected.resize(kDelta<OpTy> + 1, &extents->rows);
  if (failed(checkOperands(op, operands, expected, facts)))
    return failure();
  if constexpr (kOfQuery<OpTy>)
    return SmallVector<ExtentList>{extents->query, extents->rows};
  return SmallVector<ExtentList>{extents->key, extents->value};
}

template <class OpTy>
static LogicalResult verifyGrad(OpTy op) {
  SmallVector<unsigned> wide, wideResults;
  for (unsigned i = kLogSumExp; i <= kDelta<OpTy>; ++i)
    wide.push_back(i);
  if (kOfQuery<OpTy>)
    wideResults.push_back(1);
  if (failed(verifyFloats(op, wide, wideResults)))
    return failure();
  if (op.getDiagonal() && !op.getCausal())
    return op.emitOpError("has a diagonal but is not causal");
  if (failed(verifyOneMesh(op)))
    return failure();
  auto results = inferGrad(op, operandExtents(op), Facts());
  if (failed(results))
    return failure();
  for (auto [i, extents] : llvm::enumerate(*results))
    if (failed(verifyResultExtents(op, extents, i)))
      return failure();
  return success();
}

template <class OpTy>
static LogicalResult normalizeGrad(OpTy op, NormalizeContext &context) {
  auto results =
      inferGrad(op, normalizedExtents(op, context), context.getFacts());
  if (failed(results))
    return failure();
  return normalizeResults(op, context, *results);
}

//===----------------------------------------------------------------------===//
// Rule
//===----------------------------------------------------------------------===//

template <class OpTy>
static ShardingRule gradRule(OpTy op) {
  RuleBuilder builder;
  ExtentList q = getExtents(op.getQuery()), k = getExtents(op.getKey());
  unsigned heads = q.size() - 3;
  auto perQuery = [&](Expr size) {
    return kOfQuery<OpTy> ? builder.parallel(size) : builder.summed(size);
  };
  TensorMap batch;
  for (unsigned dim = 0; dim < heads; ++dim)
    batch.push_back(builder.parallel(q[dim]));
  auto kvHeads = builder.parallel(k[heads]), allHeads = kvHeads;
  allHeads.append(perQuery(headGroup(q[heads], k[heads])));
  auto queries = perQuery(q[heads + 1]);
  auto keys = kOfQuery<OpTy> ? builder.whole(k[heads + 1])
                             : builder.parallel(k[heads + 1]);
  TensorMap rows = batch, key = batch;
  rows.append({allHeads, queries});
  key.append({kvHeads, keys});
  TensorMap query = rows, output = rows, value = key;
  query.push_back(builder.whole(q.back()));
  key.push_back(query.back());
  output.push_back(builder.whole(getExtents(op.getValue()).back()));
  value.push_back(output.back());

  builder.rule.operands = {output, query, key, value};
  builder.rule.operands.resize(kDelta<OpTy> + 1, rows);
  if (op.getDiagonal())
    builder.rule.operands.emplace_back();
  if constexpr (kOfQuery<OpTy>)
    builder.rule.results = {query, rows};
  else
    builder.rule.results = {key, value};
  // The scores and their gradient, and the sums that they are the weights of.
  ArrayRef<unsigned> width = query.back(), outWidth = output.back();
  addScoreProducts(builder.rule, rows, keys, {width, outWidth, width});
  if (!kOfQuery<OpTy>)
    addScoreProducts(builder.rule, rows, keys, {outWidth});
  // Linear in both at once; the scores know nothing of either.
  builder.addPartials(linearReduceKinds(), op->getNumOperands(),
                      {kGrad, kDelta<OpTy>}, {true, !kOfQuery<OpTy>});
  return std::move(builder.rule);
}

//===----------------------------------------------------------------------===//
// The local program
//===----------------------------------------------------------------------===//

template <class OpTy>
static void partitionGrad(OpTy op, OpBuilder &builder, ValueRange operands,
                          PartitionContext &context,
                          SmallVectorImpl<Value> &results) {
  auto local = llvm::to_vector(operands.take_front(kDelta<OpTy> + 1));
  Value diagonal;
  if (op.getCausal())
    diagonal = localDiagonal(builder, context, op.getQuery(), op.getKey(),
                             op.getDiagonal() ? operands.back() : Value());
  if (diagonal)
    local.push_back(diagonal);
  SmallVector<Type> types;
  for (Value result : op->getResults())
    types.push_back(context.getLocalType(result));
  auto now = OpTy::create(builder, op.getLoc(), types, local);
  now.getProperties() = op.getProperties();
  llvm::append_range(results, now->getResults());
}

//===----------------------------------------------------------------------===//
// Methods
//===----------------------------------------------------------------------===//

LogicalResult AttentionQueryGradOp::verify() { return verifyGrad(*this); }
LogicalResult AttentionKeyValueGradOp::verify() { return verifyGrad(*this); }

FailureOr<ShardingRule> AttentionQueryGradOp::getShardingRule() {
  return gradRule(*this);
}
FailureOr<ShardingRule> AttentionKeyValueGradOp::getShardingRule() {
  return gradRule(*this);
}

LogicalResult AttentionQueryGradOp::normalize(NormalizeContext &context) {
  return normalizeGrad(*this, context);
}
LogicalResult AttentionKeyValueGradOp::normalize(NormalizeContext &context) {
  return normalizeGrad(*this, context);
}

LogicalResult AttentionQueryGradOp::partition(OpBuilder &builder,
                                              ValueRange operands,
                                              PartitionContext &context,
                                              SmallVectorImpl<Value> &results) {
  partitionGrad(*this, builder, operands, context, results);
  return success();
}
LogicalResult
AttentionKeyValueGradOp::partition(OpBuilder &builder, ValueRange operands,
                                   PartitionContext &context,
                                   SmallVectorImpl<Value> &results) {
  partitionGrad(*this, builder, operands, context, results);
  return success();
}
