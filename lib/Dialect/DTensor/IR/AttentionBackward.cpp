//===- AttentionBackward.cpp - gradients of attention ---------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With H = Hkv * G the loops are batch..., hkv, g, t, s and d or e. The scores
// are there in full, [T, S] per head: products of matrices that a library can
// do, at the price of memory.
//
//===----------------------------------------------------------------------===//

#include "BackwardMethods.h"
#include "CoreBuilders.h"
#include "Factorization.h"
#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace dtensor;

/// Of the operands.
enum : unsigned { kGrad, kQuery, kKey, kValue, kOutput, kLogSumExp };

/// G with H = Hkv * G.
static Expr groupSize(Expr heads, Expr kvHeads) {
  if (Expr group = divideExactly(heads, kvHeads))
    return group;
  return floordiv(heads, max(kvHeads, Expr::constant(heads.getContext(), 1)));
}

//===----------------------------------------------------------------------===//
// Extents
//===----------------------------------------------------------------------===//

LogicalResult
dtensor::inferAttentionBackward(Operation *op, ArrayRef<ExtentList> operands,
                                const Facts &facts,
                                SmallVectorImpl<ExtentList> &results) {
  ExtentList query = operands[kQuery], key = operands[kKey];
  if (query.size() < 3 || key.size() != query.size() ||
      operands[kValue].size() != query.size())
    return op->emitOpError("query, key and value have ranks ")
           << query.size() << ", " << key.size() << " and "
           << operands[kValue].size() << ", expected one of at least 3";
  unsigned heads = query.size() - 3;
  ExtentList expectedKey(ArrayRef(query).take_front(heads));
  expectedKey.append({key[heads], key[heads + 1], query.back()});
  ExtentList value = expectedKey, output = query, rows = query;
  output.back() = value.back() = operands[kValue].back();
  rows.pop_back();
  Expr group = groupSize(query[heads], key[heads]);
  if (facts.proveDifferent(key[heads] * group, query[heads]))
    return op->emitOpError("query has ")
           << query[heads].str() << " heads, not a multiple of the key's "
           << key[heads].str();
  const ExtentList *expected[] = {&output, &query,  &expectedKey,
                                  &value,  &output, &rows};
  for (auto [i, extents] : llvm::enumerate(operands))
    if (failed(checkOperand(op, i, extents, *expected[i], facts)))
      return failure();
  results.append({query, expectedKey, value});
  return success();
}

LogicalResult dtensor::verifyAttentionBackward(Operation *op) {
  if (failed(verifyFloats(op, {kLogSumExp})))
    return failure();
  return verifyComposite(op);
}

//===----------------------------------------------------------------------===//
// Decomposition
//===----------------------------------------------------------------------===//

namespace {
struct AttentionGradients {
  AttentionBackwardOp op;
  OpBuilder &builder;
  Location loc;
  CoreBuilder core;
  Type wide;
  /// Loops.
  int64_t heads, t, s, d;
  IteratorList rows, scores, kv;
  /// With hkv and g apart.
  Value grad, query, key, value, output, logSumExp;
  ExtentList rowExtents;
  Value scale, diagonal;

  AttentionGradients(AttentionBackwardOp op, OpBuilder &builder,
                     ValueRange operands);

  Value splitHeads(Value tensor);
  Type rowType() { return openType(query.getType(), wide, rowExtents); }
  Type scoreType(Type element) {
    ExtentList extents = rowExtents;
    extents.push_back(getExtents(key)[heads + 1]);
    return openType(query.getType(), element, extents);
  }
  static IteratorList with(IteratorList dims, ArrayRef<int64_t> more) {
    dims.append(more.begin(), more.end());
    return dims;
  }

  Value product(StringRef label, Value lhs, const IteratorList &lhsDims,
                Value rhs, const IteratorList &rhsDims,
                const IteratorList &resultDims, Type type);
  /// A loop nest over the scores, rounded to what products take.
  Value overScores(StringRef label, ValueRange inputs,
                   ArrayRef<IteratorList> dims,
                   llvm::function_ref<Value(Scalars &, ValueRange)> body);
  /// exp(scale raw - logsumexp), 0 where the key is not seen.
  Value weight(Scalars &b, Value raw, Value lse);
  Value seen(Scalars &b);
  Value overRows(StringRef label, ValueRange inputs,
                 ArrayRef<IteratorList> dims, ReduceKind kind,
                 llvm::function_ref<Value(Scalars &, ValueRange)> body);
  Value buildLogSumExp(Value raw);
  void build(TypeRange types, SmallVectorImpl<Value> &results);
};
} // namespace

AttentionGradients::AttentionGradients(AttentionBackwardOp op,
                                       OpBuilder &builder, ValueRange operands)
    : op(op), builder(builder), loc(op.getLoc()), core{builder, loc},
      wide(accumulatorType(scalarType(operands[kQuery]))) {
  int64_t rank = cast<RankedTensorType>(operands[kQuery].getType()).getRank();
  heads = rank - 3;
  t = rank - 1;
  s = rank;
  d = rank + 1;
  rows = identityDims(rank);
  scores = identityDims(rank + 1);
  kv = identityDims(rank - 2);
  key = operands[kKey];
  value = operands[kValue];
  grad = splitHeads(operands[kGrad]);
  query = splitHeads(operands[kQuery]);
  output = splitHeads(operands[kOutput]);
  if (operands.size() > kLogSumExp)
    logSumExp = splitHeads(operands[kLogSumExp]);
  rowExtents = getExtents(query);
  rowExtents.pop_back();

  Scalars b{builder, loc};
  if (op.getScaleAttr()) {
    scale = b.constant(wide, op.getScaleAttr().getValueAsDouble());
  } else {
    Value width = buildExtent(builder, loc, getExtents(query).back());
    Value root = math::SqrtOp::create(builder, loc, b.cast(width, wide));
    scale = b.div(b.constant(wide, 1), root);
  }
  if (op.getCausal())
    diagonal = buildExtent(builder, loc,
                           getExtents(key)[heads + 1] - rowExtents.back());
}

Value AttentionGradients::splitHeads(Value tensor) {
  ExtentList extents = getExtents(tensor);
  Expr kvHeads = getExtents(key)[heads];
  Expr group = groupSize(extents[heads], kvHeads);
  extents[heads] = kvHeads;
  extents.insert(extents.begin() + heads + 1, group);
  return core.reshape(tensor, extents);
}

Value AttentionGradients::product(StringRef label, Value lhs,
                                  const IteratorList &lhsDims, Value rhs,
                                  const IteratorList &rhsDims,
                                  const IteratorList &resultDims, Type type) {
  return buildGeneric(builder, loc, label, {lhs, rhs}, {lhsDims, rhsDims},
                      resultDims, d + 1, ReduceKind::Sum, type,
                      [&](OpBuilder &b, Location loc, ValueRange args) {
                        Scalars scalars{b, loc};
                        return scalars.mul(scalars.cast(args[0], wide),
                                           scalars.cast(args[1], wide));
                      });
}

Value AttentionGradients::overScores(
    StringRef label, ValueRange inputs, ArrayRef<IteratorList> dims,
    llvm::function_ref<Value(Scalars &, ValueRange)> body) {
  Type element = scalarType(query);
  return buildGeneric(builder, loc, label, inputs, dims, scores, scores.size(),
                      ReduceKind::Sum, scoreType(element),
                      [&](OpBuilder &b, Location loc, ValueRange args) {
                        Scalars scalars{b, loc};
                        return scalars.cast(body(scalars, args), element);
                      });
}

Value AttentionGradients::weight(Scalars &b, Value raw, Value lse) {
  Value shifted = b.sub(b.mul(raw, scale), lse);
  Value exp = math::ExpOp::create(b.builder, b.loc, shifted);
  Value isSeen = seen(b);
  return isSeen ? b.select(isSeen, exp, b.constant(wide, 0)) : exp;
}

Value AttentionGradients::overRows(
    StringRef label, ValueRange inputs, ArrayRef<IteratorList> dims,
    ReduceKind kind, llvm::function_ref<Value(Scalars &, ValueRange)> body) {
  return buildGeneric(builder, loc, label, inputs, dims, rows, scores.size(),
                      kind, rowType(),
                      [&](OpBuilder &b, Location loc, ValueRange args) {
                        Scalars scalars{b, loc};
                        return body(scalars, args);
                      });
}

/// Does the query of this iteration see the key? Null for always.
Value AttentionGradients::seen(Scalars &b) {
  if (!diagonal)
    return {};
  auto position = [&](int64_t loop) -> Value {
    return dtensor::IndexOp::create(b.builder, b.loc, b.builder.getIndexType(),
                                    b.builder.getI64IntegerAttr(loop));
  };
  return b.compare("le", position(s), b.add(position(t), diagonal));
}

/// Of the scaled scores that are seen.
Value AttentionGradients::buildLogSumExp(Value raw) {
  double lowest = -std::numeric_limits<double>::infinity();
  Value maximum = overRows(
      "amax", raw, {scores}, ReduceKind::Max, [&](Scalars &b, ValueRange args) {
        Value x = b.mul(args[0], scale), isSeen = seen(b);
        return isSeen ? b.select(isSeen, x, b.constant(wide, lowest)) : x;
      });
  Value sum = overRows(
      "sum_exp", {raw, maximum}, {scores, rows}, ReduceKind::Sum,
      [&](Scalars &b, ValueRange args) {
        Value shifted = b.sub(b.mul(args[0], scale), args[1]);
        Value exp = math::ExpOp::create(b.builder, b.loc, shifted);
        Value isSeen = seen(b);
        return isSeen ? b.select(isSeen, exp, b.constant(wide, 0)) : exp;
      });
  IteratorList dims = identityDims(rows.size());
  return buildGeneric(builder, loc, "logsumexp", {maximum, sum}, {dims, dims},
                      dims, dims.size(), ReduceKind::Sum, rowType(),
                      [&](OpBuilder &b, Location loc, ValueRange args) {
                        Value log = math::LogOp::create(b, loc, args[1]);
                        return Scalars{b, loc}.add(args[0], log);
                      });
}

void AttentionGradients::build(TypeRange types,
                               SmallVectorImpl<Value> &results) {
  IteratorList keyDims = with(kv, {s, d}), rowDims = with(rows, {d});
  Value raw =
      product("scores", query, rowDims, key, keyDims, scores, scoreType(wide));
  Value lse = logSumExp ? logSumExp : buildLogSumExp(raw);
  Value weights = overScores(
      "exp", {raw, lse}, {scores, rows},
      [&](Scalars &b, ValueRange args) { return weight(b, args[0], args[1]); });
  Value inner = product("grad_weights", grad, rowDims, value, keyDims, scores,
                        scoreType(wide));
  // Its loop over e is the one that the scores have for s.
  Value delta =
      overRows("delta", {grad, output}, {scores, scores}, ReduceKind::Sum,
               [&](Scalars &b, ValueRange args) {
                 return b.mul(b.cast(args[0], wide), b.cast(args[1], wide));
               });
  // Of weights that are not rounded.
  Value gradScores = overScores(
      "grad_scores", {raw, lse, inner, delta}, {scores, rows, scores, rows},
      [&](Scalars &b, ValueRange args) {
        Value difference = b.sub(args[2], args[3]);
        return b.mul(b.mul(weight(b, args[0], args[1]), difference), scale);
      });
  auto finish = [&](StringRef label, Value lhs, Value rhs,
                    const IteratorList &rhsDims, const IteratorList &dims,
                    Value like, Type type) {
    Type open = openType(type, wide, getExtents(like));
    Value sum = product(label, lhs, scores, rhs, rhsDims, dims, open);
    Type element = getElementTypeOrSelf(type);
    if (getExtents(like).size() == getExtents(type).size())
      return buildCast(builder, loc, sum, type);
    sum =
        buildCast(builder, loc, sum, openType(type, element, getExtents(like)));
    return core.reshapeTo(sum, type);
  };
  results.push_back(
      finish("grad_query", gradScores, key, keyDims, rowDims, query, types[0]));
  results.push_back(
      finish("grad_key", gradScores, query, rowDims, keyDims, key, types[1]));
  results.push_back(
      finish("grad_value", weights, grad, rowDims, keyDims, value, types[2]));
}

LogicalResult
dtensor::decomposeAttentionBackward(Operation *op, OpBuilder &builder,
                                    ValueRange operands, TypeRange resultTypes,
                                    SmallVectorImpl<Value> &results) {
  AttentionGradients(cast<AttentionBackwardOp>(op), builder, operands)
      .build(resultTypes, results);
  return success();
}
