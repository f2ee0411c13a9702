//===- StatisticsOps.cpp - spread, norms and positions of extrema ---------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/StatisticsOps.h"

#include "NNBuilder.h"
#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace dtensor;

/// The extents that stay, 1 for the others under `keepdim`.
static ExtentList reducedExtents(Operation *op, ArrayRef<Expr> extents,
                                 ArrayRef<bool> mask) {
  ExtentList result;
  Expr one = Expr::constant(getExprContext(op->getContext()), 1);
  for (auto [dim, extent] : llvm::enumerate(extents)) {
    if (!mask[dim])
      result.push_back(extent);
    else if (op->hasAttr("keepdim"))
      result.push_back(one);
  }
  return result;
}

static SmallVector<int64_t> getDims(Operation *op) {
  return intList(op->getAttrOfType<ArrayAttr>("dims"));
}

static double getNumber(Operation *op, StringRef name) {
  return op->getAttrOfType<FloatAttr>(name).getValueAsDouble();
}

static LogicalResult inferStatistics(Operation *op,
                                     ArrayRef<ExtentList> operands,
                                     const Facts &,
                                     SmallVectorImpl<ExtentList> &results) {
  auto mask = dimMask(op, getDims(op), operands[0].size());
  if (failed(mask))
    return failure();
  results.append(op->getNumResults(), reducedExtents(op, operands[0], *mask));
  return success();
}

//===----------------------------------------------------------------------===//
// Variance
//===----------------------------------------------------------------------===//

/// sum / max(count - correction, 0), and its root for `std`.
static Value buildVariance(Operation *op, NNBuilder &nn, Value squares,
                           Type resultType) {
  Scalars outer{nn.builder, nn.loc};
  Value correction =
      outer.constant(nn.accumulator, getNumber(op, "correction"));
  Value divisor = outer.maximum(outer.sub(nn.count(), correction),
                                outer.constant(nn.accumulator, 0));
  return nn.finish(op->getName().stripDialect(), squares, resultType,
                   [&](OpBuilder &b, Location loc, ValueRange args) {
                     Scalars s{b, loc};
                     Value result = s.div(args[0], divisor);
                     if (isa<StdOp>(op))
                       result = math::SqrtOp::create(b, loc, result);
                     return s.cast(result, getElementTypeOrSelf(resultType));
                   });
}

static void decomposeVariance(Operation *op, NNBuilder &nn,
                              TypeRange resultTypes,
                              SmallVectorImpl<Value> &results) {
  Value sum = nn.reduce("sum", nn.input, {nn.all}, ReduceKind::Sum,
                        [&](OpBuilder &b, Location loc, ValueRange args) {
                          return Scalars{b, loc}.cast(args[0], nn.accumulator);
                        });
  Value count = nn.count();
  Value mean = nn.finish("mean", sum, sum.getType(),
                         [&](OpBuilder &b, Location loc, ValueRange args) {
                           return Scalars{b, loc}.div(args[0], count);
                         });
  Value squares = nn.reduce(
      "sum_squares", {nn.input, mean}, {nn.all, nn.kept}, ReduceKind::Sum,
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        Value shifted = s.sub(s.cast(args[0], nn.accumulator), args[1]);
        return s.mul(shifted, shifted);
      });
  results.push_back(buildVariance(op, nn, squares, resultTypes[0]));
  if (resultTypes.size() > 1)
    results.push_back(
        nn.finish("mean", mean, resultTypes[1],
                  [&](OpBuilder &b, Location loc, ValueRange args) {
                    return Scalars{b, loc}.cast(
                        args[0], getElementTypeOrSelf(resultTypes[1]));
                  }));
}

//===----------------------------------------------------------------------===//
// Logsumexp
//===----------------------------------------------------------------------===//

/// The maximum as what is subtracted: 0 where it is infinite.
static Value buildShift(Scalars s, Value maximum) {
  Type type = maximum.getType();
  Value magnitude = math::AbsFOp::create(s.builder, s.loc, maximum);
  Value finite =
      s.compare("ne", magnitude,
                s.constant(type, std::numeric_limits<double>::infinity()));
  return s.select(finite, maximum, s.constant(type, 0));
}

static Value decomposeLogSumExp(NNBuilder &nn, Type resultType) {
  Value maximum =
      nn.reduce("amax", nn.input, {nn.all}, ReduceKind::Max,
                [&](OpBuilder &b, Location loc, ValueRange args) {
                  return Scalars{b, loc}.cast(args[0], nn.accumulator);
                });
  Value sum = nn.reduce(
      "sum_exp", {nn.input, maximum}, {nn.all, nn.kept}, ReduceKind::Sum,
      [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
        Scalars s{b, loc};
        Value x = s.cast(args[0], nn.accumulator);
        return math::ExpOp::create(b, loc, s.sub(x, buildShift(s, args[1])));
      });
  return nn.finish("logsumexp", {maximum, sum}, resultType,
                   [&](OpBuilder &b, Location loc, ValueRange args) {
                     Scalars s{b, loc};
                     Value log = math::LogOp::create(b, loc, args[1]);
                     return s.cast(s.add(log, buildShift(s, args[0])),
                                   getElementTypeOrSelf(resultType));
                   });
}

//===----------------------------------------------------------------------===//
// Norms
//===----------------------------------------------------------------------===//

/// What one element adds to the p-norm before the root.
static Value buildPower(Scalars s, Value x, double ord) {
  Type type = x.getType();
  Value zero = s.constant(type, 0), one = s.constant(type, 1);
  if (ord == 0)
    return s.select(s.compare("ne", x, zero), one, zero);
  if (ord == 2)
    return s.mul(x, x);
  Value magnitude = math::AbsFOp::create(s.builder, s.loc, x);
  if (ord == 1 || std::isinf(ord))
    return magnitude;
  return math::PowFOp::create(s.builder, s.loc, magnitude,
                              s.constant(type, ord));
}

static Value buildRoot(Scalars s, Value sum, double ord) {
  Type type = sum.getType();
  if (ord == 0 || ord == 1 || (std::isinf(ord) && ord < 0))
    return sum;
  if (std::isinf(ord))
    return s.maximum(sum, s.constant(type, 0));
  if (ord == 2)
    return math::SqrtOp::create(s.builder, s.loc, sum);
  return math::PowFOp::create(s.builder, s.loc, sum, s.constant(type, 1 / ord));
}

static Value decomposeNorm(NNBuilder &nn, double ord, Type resultType) {
  ReduceKind kind = !std::isinf(ord) ? ReduceKind::Sum
                    : ord > 0        ? ReduceKind::Max
                                     : ReduceKind::Min;
  Value sum =
      nn.reduce("norm", nn.input, {nn.all}, kind,
                [&](OpBuilder &b, Location loc, ValueRange args) {
                  Scalars s{b, loc};
                  return buildPower(s, s.cast(args[0], nn.accumulator), ord);
                });
  return nn.finish("norm", sum, resultType,
                   [&](OpBuilder &b, Location loc, ValueRange args) {
                     Scalars s{b, loc};
                     return s.cast(buildRoot(s, args[0], ord),
                                   getElementTypeOrSelf(resultType));
                   });
}

static LogicalResult decomposeStatistics(Operation *op, OpBuilder &builder,
                                         ValueRange operands,
                                         TypeRange resultTypes,
                                         SmallVectorImpl<Value> &results) {
  SmallVector<int64_t> dims = getDims(op);
  NNBuilder nn(op, builder, operands[0],
               [&](int64_t dim) { return llvm::is_contained(dims, dim); });
  if (isa<LogSumExpOp>(op))
    results.push_back(decomposeLogSumExp(nn, resultTypes[0]));
  else if (isa<NormOp>(op))
    results.push_back(decomposeNorm(nn, getNumber(op, "ord"), resultTypes[0]));
  else
    decomposeVariance(op, nn, resultTypes, results);
  return success();
}

static LogicalResult verifyStatistics(Operation *op) {
  Type type = scalarType(op->getOperand(0));
  if (!isa<FloatType>(type))
    return op->emitOpError("is not defined on element type ") << type;
  for (Value result : op->getResults())
    if (scalarType(result) != type)
      return op->emitOpError("operand has element type ")
             << type << " and result " << scalarType(result);
  if (auto norm = dyn_cast<NormOp>(op); norm && norm.getOrd().isNaN())
    return op->emitOpError("ord is NaN");
  return verifyComposite(op);
}

//===----------------------------------------------------------------------===//
// Positions of extrema
//===----------------------------------------------------------------------===//

/// The dimensions to reduce as a mask; an error if `dim` is out of range.
static FailureOr<SmallVector<bool>> getArgMask(Operation *op, unsigned rank) {
  auto dim = op->getAttrOfType<IntegerAttr>("dim");
  if (!dim)
    return SmallVector<bool>(rank, true);
  return dimMask(op, {dim.getInt()}, rank);
}

static LogicalResult inferArgExtremum(Operation *op,
                                      ArrayRef<ExtentList> operands,
                                      const Facts &,
                                      SmallVectorImpl<ExtentList> &results) {
  auto mask = getArgMask(op, operands[0].size());
  if (failed(mask))
    return failure();
  results.push_back(reducedExtents(op, operands[0], *mask));
  return success();
}

/// The row-major position in the reduced dimensions, inside of a generic.
/// `strides` are 0 for the others.
static Value buildPosition(OpBuilder &b, Location loc,
                           ArrayRef<Value> strides) {
  Value position;
  for (auto [dim, stride] : llvm::enumerate(strides)) {
    if (!stride)
      continue;
    Value term =
        IndexOp::create(b, loc, b.getIndexType(), b.getI64IntegerAttr(dim));
    term = arith::MulIOp::create(b, loc, term, stride);
    position = position ? arith::AddIOp::create(b, loc, position, term) : term;
  }
  return position ? position : arith::ConstantIndexOp::create(b, loc, 0);
}

/// Values outside of the loops: what one step along a dimension adds.
static SmallVector<Value> buildStrides(NNBuilder &nn) {
  ExtentList extents = getExtents(nn.input);
  SmallVector<Value> strides(nn.all.size());
  Expr stride = Expr::constant(getExprContext(nn.builder.getContext()), 1);
  for (int64_t dim : llvm::reverse(nn.all)) {
    if (llvm::is_contained(nn.kept, dim))
      continue;
    strides[dim] = buildExtent(nn.builder, nn.loc, stride);
    stride = stride * extents[dim];
  }
  return strides;
}

static Value buildHighest(Scalars s, Type type) {
  unsigned width = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  return arith::ConstantOp::create(
      s.builder, s.loc,
      s.builder.getIntegerAttr(type, APInt::getSignedMaxValue(width)));
}

static LogicalResult decomposeArgExtremum(Operation *op, OpBuilder &builder,
                                          ValueRange operands,
                                          TypeRange resultTypes,
                                          SmallVectorImpl<Value> &results) {
  unsigned rank = cast<RankedTensorType>(operands[0].getType()).getRank();
  SmallVector<bool> mask = *getArgMask(op, rank);
  NNBuilder nn(op, builder, operands[0],
               [&](unsigned dim) { return mask[dim]; });
  Type element = scalarType(operands[0]);
  Value extremum = nn.reduce(
      isa<ArgmaxOp>(op) ? "amax" : "amin", nn.input, {nn.all},
      isa<ArgmaxOp>(op) ? ReduceKind::Max : ReduceKind::Min,
      [](OpBuilder &, Location, ValueRange args) { return args[0]; }, element);
  SmallVector<Value> strides = buildStrides(nn);
  Type type = getElementTypeOrSelf(resultTypes[0]);
  Value position = nn.reduce(
      op->getName().stripDialect(), {nn.input, extremum}, {nn.all, nn.kept},
      ReduceKind::Min,
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        Value hit = s.compare("eq", args[0], args[1]);
        // If there is a NaN the extremum is NaN, which equals nothing.
        if (isa<FloatType>(element))
          hit = arith::OrIOp::create(b, loc, hit,
                                     s.compare("ne", args[0], args[0]));
        Value here = s.cast(buildPosition(b, loc, strides), type);
        return s.select(hit, here, buildHighest(s, type));
      },
      type);
  if (position.getType() != resultTypes[0])
    position = nn.finish(
        op->getName().stripDialect(), position, resultTypes[0],
        [](OpBuilder &, Location, ValueRange args) { return args[0]; });
  results.push_back(position);
  return success();
}

static LogicalResult verifyArgExtremum(Operation *op) {
  Type type = scalarType(op->getResult(0));
  if (!type.isIntOrIndex() || isBool(type))
    return op->emitOpError("result has element type ")
           << type << ", expected integers";
  Type from = scalarType(op->getOperand(0));
  if (!isa<FloatType, IntegerType, IndexType>(from))
    return op->emitOpError("is not defined on element type ") << from;
  return verifyComposite(op);
}

void DTensorDialect::registerStatisticsOps() {
  addOperations<
#define GET_OP_LIST
#include "dtensor/Dialect/DTensor/IR/StatisticsOps.cpp.inc"
      >();
}

#define GET_OP_CLASSES
#include "dtensor/Dialect/DTensor/IR/StatisticsOps.cpp.inc"
