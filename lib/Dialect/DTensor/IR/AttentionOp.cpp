//===- AttentionOp.cpp - rule and local form of attention -----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With the heads of the query as H = Hkv * G (major to minor) the factors are
//
//   (batch..., hkv g, t, d) (batch..., hkv, s, d) (batch..., hkv, s, e)
//     -> (batch..., hkv g, t, e)
//
// In a ring, t and s are one factor, and a rank gets the keys of the others.
//
//===----------------------------------------------------------------------===//

#include "AttentionRing.h"
#include "AttentionUtils.h"
#include "dtensor/Dialect/DTensor/IR/NNOps.h"
#include "dtensor/Dialect/DTensor/IR/RuleUtils.h"

using namespace mlir;
using namespace dtensor;

/// The extents of the result; errors at `op`.
static FailureOr<ExtentList> inferAttention(AttentionOp op,
                                            ArrayRef<ExtentList> operands,
                                            const Facts &facts) {
  ArrayRef<Expr> q = operands[0], k = operands[1], v = operands[2];
  if (q.size() < 3)
    return op.emitOpError("query has rank ")
           << q.size() << ", expected at least 3";
  StringRef names[] = {"query", "key", "value"};
  for (unsigned i : {1, 2})
    if (operands[i].size() != q.size())
      return op.emitOpError() << names[i] << " has rank " << operands[i].size()
                              << ", expected " << q.size();
  unsigned heads = q.size() - 3;
  auto check = [&](unsigned i, unsigned dim, Expr expected) {
    return checkExtent(op, names[i] + " dimension " + Twine(dim),
                       operands[i][dim], expected, facts);
  };
  for (unsigned dim = 0; dim < heads; ++dim)
    if (failed(check(1, dim, q[dim])) || failed(check(2, dim, q[dim])))
      return failure();
  if (failed(check(1, q.size() - 1, q.back())) ||
      failed(check(2, heads, k[heads])) ||
      failed(check(2, heads + 1, k[heads + 1])))
    return failure();
  Expr group = headGroup(q[heads], k[heads]);
  if (facts.proveDifferent(k[heads] * group, q[heads]))
    return op.emitOpError("query has ")
           << q[heads].str() << " heads, not a multiple of the key's "
           << k[heads].str();
  ExtentList extents(q.drop_back());
  extents.push_back(v.back());
  return extents;
}

LogicalResult AttentionOp::verify() {
  Type element = scalarType(getQuery());
  if (!isa<FloatType>(element))
    return emitOpError("is not defined on element type ") << element;
  for (Value value : {Value(getKey()), Value(getValue()), Value(getResult())})
    if (scalarType(value) != element)
      return emitOpError("has element types ")
             << element << " and " << scalarType(value);
  if (getDiagonal() && !getCausal())
    return emitOpError("has a diagonal but is not causal");
  if (hasDeviceDiagonal()) {
    auto type = cast<RankedTensorType>(getDiagonal().getType());
    if (type.getRank() != 0 || !type.getElementType().isInteger(64))
      return emitOpError("has a diagonal of rank ")
             << type.getRank() << " and element type " << type.getElementType()
             << ", expected an index or a tensor of rank 0 of i64";
  }
  if (failed(verifyOneMesh(*this)))
    return failure();
  auto extents = inferAttention(*this, operandExtents(*this), Facts());
  if (failed(extents))
    return failure();
  return verifyResultExtents(*this, *extents);
}

FailureOr<ShardingRule> AttentionOp::getShardingRule() {
  RuleBuilder builder;
  ExtentList q = getExtents(getQuery()), k = getExtents(getKey());
  unsigned heads = q.size() - 3;
  TensorMap query, key, value, result;
  for (unsigned dim = 0; dim < heads; ++dim)
    query.push_back(builder.parallel(q[dim]));
  key = value = query;

  auto kvHeads = builder.parallel(k[heads]);
  query.push_back(kvHeads);
  query.back().append(builder.parallel(headGroup(q[heads], k[heads])));
  key.push_back(kvHeads);
  value.push_back(kvHeads);

  SmallVector<unsigned, 1> keys;
  if (!getRing())
    keys = builder.whole(k[heads + 1]);
  auto width = builder.whole(q.back());
  auto queries = hasDeviceDiagonal() ? builder.whole(q[heads + 1])
                                     : builder.parallel(q[heads + 1]);
  if (getRing())
    keys = queries;
  if (getRing() && !queries.empty())
    builder.rule.factors[queries.front()].windowed = true;
  result = query;
  query.append({queries, width});
  key.append({keys, width});
  value.append({keys, builder.whole(getExtents(getValue()).back())});
  result.append({query[heads + 1], value.back()});

  builder.rule.operands = {query, key, value};
  if (getDiagonal())
    builder.rule.operands.emplace_back();
  builder.rule.results = {result};
  builder.addPartials(linearReduceKinds(), getNumOperands(), {2});
  return std::move(builder.rule);
}

LogicalResult AttentionOp::normalize(NormalizeContext &context) {
  auto operands = normalizedExtents(*this, context);
  auto extents = inferAttention(*this, operands, context.getFacts());
  if (failed(extents))
    return failure();
  unsigned rank = extents->size(), heads = rank - 3;
  auto unify = [&](unsigned lhs, unsigned rhs, unsigned dim) {
    return context.unify(*this, operands[lhs][dim], operands[rhs][dim],
                         "dimension " + Twine(dim));
  };
  for (unsigned dim = 0; dim < heads; ++dim)
    if (failed(unify(1, 0, dim)) || failed(unify(2, 0, dim)))
      return failure();
  if (failed(unify(2, 1, heads)) || failed(unify(2, 1, heads + 1)) ||
      failed(unify(1, 0, rank - 1)))
    return failure();
  return normalizeCore(*this, context, *extents);
}

/// What this rank computes with; null if all keys are seen, or if it is the
/// default there, too.
static Value buildDiagonal(AttentionOp op, OpBuilder &builder,
                           ValueRange operands, PartitionContext &context) {
  if (op.hasDeviceDiagonal())
    return operands[3];
  if (!op.getCausal())
    return {};
  return localDiagonal(builder, context, op.getQuery(), op.getKey(),
                       op.getDiagonal() ? operands[3] : Value());
}

bool AttentionOp::communicates() {
  LayoutAttr layout = getLayout(getKey());
  unsigned dim = layout ? layout.getExtents().size() - 2 : 0;
  return getRing() && layout && !layout.getLayout().axesOf(dim).empty();
}

LogicalResult AttentionOp::partition(OpBuilder &builder, ValueRange operands,
                                     PartitionContext &context,
                                     SmallVectorImpl<Value> &results) {
  if (communicates()) {
    FailureOr<Value> result = buildRing(*this, builder, operands, context);
    if (succeeded(result))
      results.push_back(*result);
    return result;
  }
  results.push_back(
      AttentionOp::create(builder, getLoc(), context.getLocalType(getResult()),
                          operands[0], operands[1], operands[2],
                          buildDiagonal(*this, builder, operands, context),
                          getCausalAttr(), UnitAttr(), getScaleAttr()));
  return success();
}
