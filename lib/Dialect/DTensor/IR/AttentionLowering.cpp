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
// The keys may come in pieces: with m', s' and y' of the pieces before, the
// sums go on from s' exp(m' - m) and y' exp(m' - m).
//
//===----------------------------------------------------------------------===//

#include "AttentionLowering.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace dtensor;

AttentionLowering::AttentionLowering(OpBuilder &builder, Location loc,
                                     Value query, Value key, FloatAttr scale)
    : builder(builder), loc(loc),
      accumulator(accumulatorType(scalarType(query))), query(query) {
  rank = cast<RankedTensorType>(query.getType()).getRank();
  heads = rank - 3;
  t = rank - 1;
  s = rank;
  d = rank + 1;
  rows = identityDims(rank);
  scores = identityDims(rank + 1);
  kv = identityDims(rank - 2);
  this->scale = scaleValue(scale);
  splitHeads(key);
}

/// H = Hkv * G. A rank without heads has Hkv = 0 = H: any G will do.
void AttentionLowering::splitHeads(Value key) {
  OpFoldResult all = size(query, heads), kvHeads = size(key, heads);
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
  for (unsigned dim = 0; dim + 1 < rank; ++dim)
    rowSizes.push_back(size(query, dim));
  rowSizes[heads] = kvHeads;
  rowSizes.insert(rowSizes.begin() + heads + 1, group);
  hasStaticHeads = staticKv && staticAll;
  query = splitRows(query);
}

Value AttentionLowering::splitRows(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<OpFoldResult> sizes(rowSizes);
  if (type.getRank() == rank)
    sizes.push_back(size(tensor, rank - 1));
  SmallVector<int64_t> shape;
  for (OpFoldResult size : sizes)
    shape.push_back(getConstantIntValue(size).value_or(ShapedType::kDynamic));
  auto expanded = RankedTensorType::get(shape, type.getElementType());
  // Upstream lowers expand_shape only with one unknown size per group.
  if (!hasStaticHeads)
    return reshapeByShape(builder, loc, tensor, expanded, sizes);
  return tensor::ExpandShapeOp::create(builder, loc, expanded, tensor,
                                       headGroups(type.getRank()), sizes);
}

/// The first `count` dimensions of the query in those of its rows with hkv and
/// g apart.
SmallVector<ReassociationIndices> AttentionLowering::headGroups(int64_t count) {
  SmallVector<ReassociationIndices> groups;
  for (int64_t dim = 0; dim < count; ++dim) {
    int64_t first = dim > heads ? dim + 1 : dim;
    groups.push_back({first});
    if (dim == heads)
      groups.back().push_back(first + 1);
  }
  return groups;
}

Value AttentionLowering::joinHeads(Value value, RankedTensorType type) {
  Value joined = tensor::CollapseShapeOp::create(builder, loc, value,
                                                 headGroups(type.getRank()));
  return castTensor(builder, loc, joined, type);
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

Value AttentionLowering::scaleValue(FloatAttr scale) {
  Scalars scalars{builder, loc};
  if (scale)
    return scalars.constant(accumulator, scale.getValueAsDouble());
  Value width =
      getValueOrCreateConstantIndexOp(builder, loc, size(query, rank - 1));
  Value root =
      math::SqrtOp::create(builder, loc, scalars.cast(width, accumulator));
  return scalars.div(scalars.constant(accumulator, 1), root);
}

IteratorList AttentionLowering::depthOf(IteratorList dims) const {
  dims.push_back(d);
  return dims;
}

IteratorList AttentionLowering::keyDims() const {
  IteratorList dims = kv;
  dims.append({s, d});
  return dims;
}

/// sum over what is not in `resultDims`, from `init` on.
Value AttentionLowering::contract(Value lhs, const IteratorList &lhsDims,
                                  Value rhs, const IteratorList &rhsDims,
                                  Value init, const IteratorList &resultDims) {
  return loop({lhs, rhs}, {lhsDims, rhsDims}, init, resultDims, rank + 2,
              [&](Scalars &b, ValueRange args) {
                Value product = b.mul(b.cast(args[0], accumulator),
                                      b.cast(args[1], accumulator));
                return b.add(args[2], product);
              });
}

Value AttentionLowering::buildScores(Value key) {
  SmallVector<OpFoldResult> sizes(rowSizes);
  sizes.push_back(size(key, rank - 2));
  return contract(query, depthOf(rows), key, keyDims(), filled(sizes, 0),
                  scores);
}

/// Scales, and hides what the diagonal hides.
Value AttentionLowering::buildMasked(Value raw, Value diagonal) {
  return loop({}, {}, raw, scores, rank + 1,
              [&](Scalars &b, ValueRange args) -> Value {
                Value scaled = b.mul(args[0], scale);
                if (!diagonal)
                  return scaled;
                Value row = linalg::IndexOp::create(b.builder, b.loc, t);
                Value column = linalg::IndexOp::create(b.builder, b.loc, s);
                Value last = b.add(row, diagonal);
                Value hidden = b.constant(accumulator, kLowest);
                return b.select(b.compare("le", column, last), scaled, hidden);
              });
}

Value AttentionLowering::seenScores(Value key, Value diagonal) {
  return buildMasked(buildScores(key), diagonal);
}

Value AttentionLowering::rowMaximum(Value x, Value init) {
  return loop(
      x, {scores}, init, rows, rank + 1,
      [](Scalars &b, ValueRange args) { return b.maximum(args[0], args[1]); });
}

/// exp(x - m), with 0 in place of a maximum of nothing.
Value AttentionLowering::weight(Scalars &b, Value x, Value maximum) {
  Value none = b.compare("eq", maximum, b.constant(accumulator, kLowest));
  Value shift = b.select(none, b.constant(accumulator, 0), maximum);
  return math::ExpOp::create(b.builder, b.loc, b.sub(x, shift));
}

Value AttentionLowering::sumOverKeys(Value init, Value weights, Value perKey) {
  return contract(weights, scores, perKey, keyDims(), init, depthOf(rows));
}

Value AttentionLowering::buildSum(Value weights, Value init) {
  return loop(
      weights, {scores}, init, rows, rank + 1,
      [](Scalars &b, ValueRange args) { return b.add(args[1], args[0]); });
}

AttentionState AttentionLowering::start(Value value) {
  SmallVector<OpFoldResult> sizes(rowSizes);
  sizes.push_back(size(value, rank - 1));
  return {filled(rowSizes, kLowest), filled(rowSizes, 0), filled(sizes, 0)};
}

/// What the sums so far are once the maximum is another one.
AttentionState AttentionLowering::rescale(const AttentionState &state,
                                          Value maximum) {
  auto scaled = [&](Value value, const IteratorList &dims) {
    return loop({state.maximum, maximum}, {rows, rows}, value, dims,
                dims.size(), [&](Scalars &b, ValueRange args) {
                  return b.mul(args[2], weight(b, args[0], args[1]));
                });
  };
  return {maximum, scaled(state.sum, rows),
          scaled(state.product, identityDims(rank + 1))};
}

AttentionState AttentionLowering::step(AttentionState state, Value key,
                                       Value value, Value diagonal,
                                       bool isFirst) {
  Value masked = seenScores(key, diagonal);
  Value maximum = rowMaximum(masked, state.maximum);
  Value weights = loop(
      maximum, {rows}, masked, scores, rank + 1,
      [&](Scalars &b, ValueRange args) { return weight(b, args[1], args[0]); });
  if (!isFirst)
    state = rescale(state, maximum);
  Value product = sumOverKeys(state.product, weights, value);
  return {maximum, buildSum(weights, state.sum), product};
}

Value AttentionLowering::finish(const AttentionState &state,
                                RankedTensorType type) {
  SmallVector<OpFoldResult> sizes(rowSizes);
  sizes.push_back(size(state.product, rank));
  Type element = type.getElementType();
  Value empty = tensor::EmptyOp::create(builder, loc, sizes, element);
  IteratorList all = identityDims(rank + 1);
  Value result = loop({state.product, state.sum}, {all, rows}, empty, all,
                      rank + 1, [&](Scalars &b, ValueRange args) {
                        Value zero = b.constant(accumulator, 0);
                        Value empty = b.compare("eq", args[1], zero);
                        Value quotient = b.div(args[0], args[1]);
                        return b.cast(b.select(empty, zero, quotient), element);
                      });
  return joinHeads(result, type);
}

Value dtensor::defaultDiagonal(OpBuilder &builder, Location loc, Value query,
                               Value key) {
  auto length = [&](Value value) {
    unsigned dim = cast<RankedTensorType>(value.getType()).getRank() - 2;
    return getValueOrCreateConstantIndexOp(
        builder, loc, tensor::getMixedSize(builder, loc, value, dim));
  };
  Value keys = length(key), queries = length(query);
  return arith::SubIOp::create(builder, loc, keys, queries);
}

/// The diagonal of an op in the local view; null if it sees all keys.
static Value diagonalValue(OpBuilder &builder, AttentionOp op) {
  if (op.hasDeviceDiagonal()) {
    Value number = tensor::ExtractOp::create(builder, op.getLoc(),
                                             op.getDiagonal(), ValueRange{});
    return arith::IndexCastOp::create(builder, op.getLoc(),
                                      builder.getIndexType(), number);
  }
  if (!op.getCausal() || op.getDiagonal())
    return op.getDiagonal();
  return defaultDiagonal(builder, op.getLoc(), op.getQuery(), op.getKey());
}

SmallVector<Value> dtensor::lowerAttentionToLinalg(OpBuilder &builder,
                                                   AttentionOp op) {
  AttentionLowering lowering(builder, op.getLoc(), op.getQuery(), op.getKey(),
                             op.getScaleAttr());
  Value diagonal = diagonalValue(builder, op);
  AttentionState state =
      lowering.step(lowering.start(op.getValue()), op.getKey(), op.getValue(),
                    diagonal, /*isFirst=*/true);
  return {lowering.finish(state, cast<RankedTensorType>(op.getType()))};
}
