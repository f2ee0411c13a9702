//===- AttentionLowering.cpp - attention as loops over tensors ------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With x the scaled scores, -inf where a key is not seen,
//
//   m = max_s x      p = exp(x - m)      y = (sum_s p v) / (sum_s p)
//
// where a row of nothing but -inf takes m = 0 and, its sum being 0, y = 0.
// Iterators: batch..., hkv, g, t, then s and d or e.
//
//===----------------------------------------------------------------------===//

#include "CompositeUtils.h"
#include "dtensor/Dialect/DTensor/IR/NNOps.h"
#include "dtensor/Dialect/DTensor/IR/RuleUtils.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;
using namespace dtensor;

namespace {
class AttentionLowering {
public:
  AttentionLowering(OpBuilder &builder, AttentionOp op)
      : builder(builder), op(op), loc(op.getLoc()),
        accumulator(accumulatorType(scalarType(op.getQuery()))) {
    rank = cast<RankedTensorType>(op.getQuery().getType()).getRank();
    heads = rank - 3;
    t = rank - 1;
    s = rank;
    d = rank + 1;
    rows = identityDims(rank);
    scores = identityDims(rank + 1);
    kv = identityDims(rank - 2);
  }

  Value lower();

private:
  using Body = llvm::function_ref<Value(Scalars &, ValueRange)>;

  OpFoldResult size(Value value, int64_t dim) {
    return tensor::getMixedSize(builder, loc, value, dim);
  }
  void splitHeads();
  SmallVector<ReassociationIndices> headGroups();
  Value joinHeads(Value value);
  Value filled(ArrayRef<OpFoldResult> sizes, double value);
  /// One linalg.generic; `dims` holds one entry per input.
  Value loop(ValueRange inputs, ArrayRef<IteratorList> dims, Value init,
             const IteratorList &resultDims, unsigned numIterators, Body body);
  Value scaleValue();
  Value diagonalValue();
  Value buildScores();
  Value buildMasked(Value raw);
  Value buildProduct(Value weights);
  Value buildSum(Value weights);

  OpBuilder &builder;
  AttentionOp op;
  Location loc;
  Type accumulator;
  /// Of the operands.
  unsigned rank, heads;
  /// Iterators.
  int64_t t, s, d;
  IteratorList rows, scores, kv;
  /// The query with hkv and g apart, and the sizes of its rows.
  Value query;
  SmallVector<OpFoldResult> rowSizes;
};
} // namespace

/// H = Hkv * G. A rank without heads has Hkv = 0 = H: any G will do.
void AttentionLowering::splitHeads() {
  OpFoldResult all = size(op.getQuery(), heads),
               kvHeads = size(op.getKey(), heads);
  OpFoldResult group;
  auto staticAll = getConstantIntValue(all);
  auto staticKv = getConstantIntValue(kvHeads);
  if (staticAll && staticKv) {
    group = builder.getIndexAttr(*staticAll / std::max<int64_t>(*staticKv, 1));
  } else {
    Value one = arith::ConstantIndexOp::create(builder, loc, 1);
    Value divisor = arith::MaxUIOp::create(
        builder, loc, getValueOrCreateConstantIndexOp(builder, loc, kvHeads),
        one);
    group = arith::DivUIOp::create(
                builder, loc,
                getValueOrCreateConstantIndexOp(builder, loc, all), divisor)
                .getResult();
  }
  SmallVector<OpFoldResult> sizes;
  for (unsigned dim = 0; dim < rank; ++dim)
    sizes.push_back(size(op.getQuery(), dim));
  sizes[heads] = kvHeads;
  sizes.insert(sizes.begin() + heads + 1, group);
  rowSizes.assign(sizes.begin(), sizes.end() - 1);

  SmallVector<int64_t> shape;
  for (OpFoldResult size : sizes)
    shape.push_back(getConstantIntValue(size).value_or(ShapedType::kDynamic));
  auto type = cast<RankedTensorType>(op.getQuery().getType());
  auto expanded = RankedTensorType::get(shape, type.getElementType());
  // Upstream lowers expand_shape only with one unknown size per group.
  bool isStatic = staticKv && staticAll;
  query = isStatic
              ? tensor::ExpandShapeOp::create(
                    builder, loc, expanded, op.getQuery(), headGroups(), sizes)
                    .getResult()
              : reshapeByShape(builder, loc, op.getQuery(), expanded, sizes);
}

/// The dimensions of the query in those of its rows with hkv and g apart.
SmallVector<ReassociationIndices> AttentionLowering::headGroups() {
  SmallVector<ReassociationIndices> groups;
  for (unsigned dim = 0; dim < rank; ++dim) {
    int64_t first = dim > heads ? dim + 1 : dim;
    groups.push_back({first});
    if (dim == heads)
      groups.back().push_back(first + 1);
  }
  return groups;
}

Value AttentionLowering::joinHeads(Value value) {
  Value joined =
      tensor::CollapseShapeOp::create(builder, loc, value, headGroups());
  return castTensor(builder, loc, joined,
                    cast<RankedTensorType>(op.getResult().getType()));
}

Value AttentionLowering::filled(ArrayRef<OpFoldResult> sizes, double value) {
  Value empty = tensor::EmptyOp::create(builder, loc, sizes, accumulator);
  Value scalar = Scalars{builder, loc}.constant(accumulator, value);
  return linalg::FillOp::create(builder, loc, scalar, empty).getResult(0);
}

Value AttentionLowering::loop(ValueRange inputs, ArrayRef<IteratorList> dims,
                              Value init, const IteratorList &resultDims,
                              unsigned numIterators, Body body) {
  SmallVector<AffineMap> maps;
  auto addMap = [&](const IteratorList &list) {
    SmallVector<AffineExpr> exprs;
    for (int64_t dim : list)
      exprs.push_back(builder.getAffineDimExpr(dim));
    maps.push_back(
        AffineMap::get(numIterators, 0, exprs, builder.getContext()));
  };
  for (const IteratorList &list : dims)
    addMap(list);
  addMap(resultDims);
  SmallVector<utils::IteratorType> iterators(numIterators,
                                             utils::IteratorType::reduction);
  for (int64_t dim : resultDims)
    iterators[dim] = utils::IteratorType::parallel;
  auto generic = linalg::GenericOp::create(
      builder, loc, init.getType(), inputs, init, maps, iterators,
      [&](OpBuilder &builder, Location loc, ValueRange args) {
        Scalars scalars{builder, loc};
        linalg::YieldOp::create(builder, loc, body(scalars, args));
      });
  return generic.getResult(0);
}

Value AttentionLowering::scaleValue() {
  Scalars scalars{builder, loc};
  if (auto scale = op.getScaleAttr())
    return scalars.constant(accumulator, scale.getValueAsDouble());
  Value width = getValueOrCreateConstantIndexOp(builder, loc,
                                                size(op.getQuery(), rank - 1));
  Value root =
      math::SqrtOp::create(builder, loc, scalars.cast(width, accumulator));
  return scalars.div(scalars.constant(accumulator, 1), root);
}

Value AttentionLowering::diagonalValue() {
  if (op.getDiagonal())
    return op.getDiagonal();
  Value keys = getValueOrCreateConstantIndexOp(builder, loc,
                                               size(op.getKey(), rank - 2));
  Value queries = getValueOrCreateConstantIndexOp(
      builder, loc, size(op.getQuery(), rank - 2));
  return arith::SubIOp::create(builder, loc, keys, queries);
}

Value AttentionLowering::buildScores() {
  SmallVector<OpFoldResult> sizes(rowSizes);
  sizes.push_back(size(op.getKey(), rank - 2));
  IteratorList queryDims = rows, keyDims = kv;
  queryDims.push_back(d);
  keyDims.append({s, d});
  return loop({query, op.getKey()}, {queryDims, keyDims}, filled(sizes, 0),
              scores, rank + 2, [&](Scalars &b, ValueRange args) {
                Value product = b.mul(b.cast(args[0], accumulator),
                                      b.cast(args[1], accumulator));
                return b.add(args[2], product);
              });
}

/// Scales, and hides what the diagonal hides.
Value AttentionLowering::buildMasked(Value raw) {
  Value scale = scaleValue();
  Value diagonal = op.getCausal() ? diagonalValue() : Value();
  return loop(
      {}, {}, raw, scores, rank + 1, [&](Scalars &b, ValueRange args) -> Value {
        Value scaled = b.mul(args[0], scale);
        if (!diagonal)
          return scaled;
        Value row = linalg::IndexOp::create(b.builder, b.loc, t);
        Value column = linalg::IndexOp::create(b.builder, b.loc, s);
        Value last = b.add(row, diagonal);
        Value hidden =
            b.constant(accumulator, -std::numeric_limits<double>::infinity());
        return b.select(b.compare("le", column, last), scaled, hidden);
      });
}

/// sum_s p v.
Value AttentionLowering::buildProduct(Value weights) {
  SmallVector<OpFoldResult> sizes(rowSizes);
  sizes.push_back(size(op.getValue(), rank - 1));
  IteratorList valueDims = kv, resultDims = rows;
  valueDims.append({s, d});
  resultDims.push_back(d);
  return loop({weights, op.getValue()}, {scores, valueDims}, filled(sizes, 0),
              resultDims, rank + 2, [&](Scalars &b, ValueRange args) {
                Value product = b.mul(args[0], b.cast(args[1], accumulator));
                return b.add(args[2], product);
              });
}

Value AttentionLowering::buildSum(Value weights) {
  return loop(
      weights, {scores}, filled(rowSizes, 0), rows, rank + 1,
      [](Scalars &b, ValueRange args) { return b.add(args[1], args[0]); });
}

Value AttentionLowering::lower() {
  double lowest = -std::numeric_limits<double>::infinity();
  splitHeads();
  Value masked = buildMasked(buildScores());
  Value maximum = loop(
      masked, {scores}, filled(rowSizes, lowest), rows, rank + 1,
      [](Scalars &b, ValueRange args) { return b.maximum(args[0], args[1]); });
  Value weights = loop(
      maximum, {rows}, masked, scores, rank + 1,
      [&](Scalars &b, ValueRange args) -> Value {
        Value none = b.compare("eq", args[0], b.constant(accumulator, lowest));
        Value shift = b.select(none, b.constant(accumulator, 0), args[0]);
        return math::ExpOp::create(b.builder, b.loc, b.sub(args[1], shift));
      });
  Value product = buildProduct(weights), sum = buildSum(weights);

  SmallVector<OpFoldResult> sizes(rowSizes);
  sizes.push_back(size(op.getValue(), rank - 1));
  Type element = scalarType(op.getResult());
  Value empty = tensor::EmptyOp::create(builder, loc, sizes, element);
  IteratorList all = identityDims(rank + 1);
  Value result = loop({product, sum}, {all, rows}, empty, all, rank + 1,
                      [&](Scalars &b, ValueRange args) {
                        Value zero = b.constant(accumulator, 0);
                        Value empty = b.compare("eq", args[1], zero);
                        Value quotient = b.div(args[0], args[1]);
                        return b.cast(b.select(empty, zero, quotient), element);
                      });
  return joinHeads(result);
}

Value dtensor::lowerAttentionToLinalg(OpBuilder &builder, AttentionOp op) {
  return AttentionLowering(builder, op).lower();
}
