//===- AttentionUtils.cpp - what attention and its gradients share --------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionUtils.h"
#include "BackwardMethods.h"
#include "Factorization.h"

using namespace mlir;
using namespace dtensor;

Expr dtensor::headGroup(Expr heads, Expr kvHeads) {
  if (Expr group = divideExactly(heads, kvHeads))
    return group;
  Expr one = Expr::constant(heads.getContext(), 1);
  return heads == kvHeads ? one : floordiv(heads, max(kvHeads, one));
}

FailureOr<AttentionExtents> dtensor::inferAttentionExtents(Operation *op,
                                                           ArrayRef<Expr> query,
                                                           ArrayRef<Expr> key,
                                                           ArrayRef<Expr> value,
                                                           const Facts &facts) {
  if (query.size() < 3 || key.size() != query.size() ||
      value.size() != query.size())
    return op->emitOpError("query, key and value have ranks ")
           << query.size() << ", " << key.size() << " and " << value.size()
           << ", expected one of at least 3";
  unsigned heads = query.size() - 3;
  if (facts.proveDifferent(key[heads] * headGroup(query[heads], key[heads]),
                           query[heads]))
    return op->emitOpError("query has ")
           << query[heads].str() << " heads, not a multiple of the key's "
           << key[heads].str();
  AttentionExtents extents;
  extents.query.assign(query.begin(), query.end());
  extents.rows = extents.output = extents.query;
  extents.rows.pop_back();
  extents.key.assign(query.begin(), query.begin() + heads);
  extents.key.append({key[heads], key[heads + 1], query.back()});
  extents.value = extents.key;
  extents.output.back() = extents.value.back() = value.back();
  return extents;
}

LogicalResult dtensor::checkOperands(Operation *op,
                                     ArrayRef<ExtentList> operands,
                                     ArrayRef<const ExtentList *> expected,
                                     const Facts &facts) {
  unsigned number = 0;
  for (auto [extents, wanted] : llvm::zip(operands, expected))
    if (failed(checkOperand(op, number++, extents, *wanted, facts)))
      return failure();
  return success();
}

void dtensor::addScoreProducts(ShardingRule &rule, const TensorMap &rows,
                               ArrayRef<unsigned> keys,
                               ArrayRef<ArrayRef<unsigned>> depths) {
  SmallVector<unsigned> pairs(keys);
  for (const auto &dim : rows)
    llvm::append_range(pairs, dim);
  for (ArrayRef<unsigned> depth : depths) {
    rule.products.emplace_back(pairs);
    llvm::append_range(rule.products.back(), depth);
  }
}

Value dtensor::localDiagonal(OpBuilder &builder, PartitionContext &context,
                             Value query, Value key, Value diagonal) {
  Location loc = query.getLoc();
  unsigned dim = cast<RankedTensorType>(query.getType()).getRank() - 2;
  bool allQueries = context.isWhole(query, dim);
  bool allKeys = context.isWhole(key, dim);
  if (!diagonal && allQueries && allKeys)
    return {};
  if (!diagonal)
    diagonal =
        context.materialize(getExtents(key)[dim] - getExtents(query)[dim]);
  // Query i here is query i + offset of all, and so it is with keys.
  if (!allQueries)
    diagonal = arith::AddIOp::create(builder, loc, diagonal,
                                     context.getOffset(query, dim));
  if (!allKeys)
    diagonal = arith::SubIOp::create(builder, loc, diagonal,
                                     context.getOffset(key, dim));
  return diagonal;
}
