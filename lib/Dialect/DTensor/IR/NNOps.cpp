//===- NNOps.cpp - softmax and norms --------------------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Everything between the input and the last loop is in the accumulator's type:
// f32 for f16 and bf16.
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/NNOps.h"

#include "NNBuilder.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace dtensor;

static LogicalResult inferSame(ArrayRef<ExtentList> operands,
                               SmallVectorImpl<ExtentList> &results) {
  results.push_back(operands[0]);
  return success();
}

static LogicalResult checkFloats(Operation *op) {
  Type result = scalarType(op->getResult(0));
  if (!isa<FloatType>(result))
    return op->emitOpError("is not defined on element type ") << result;
  for (Value operand : op->getOperands())
    if (scalarType(operand) != result)
      return op->emitOpError("operand has element type ")
             << scalarType(operand) << " and result " << result;
  return verifyComposite(op);
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

static LogicalResult inferSoftmax(Operation *op, ArrayRef<ExtentList> operands,
                                  const Facts &,
                                  SmallVectorImpl<ExtentList> &results) {
  int64_t dim = op->getAttrOfType<IntegerAttr>("dim").getInt();
  if (failed(checkDim(op, "dim", dim, operands[0].size())))
    return failure();
  return inferSame(operands, results);
}

/// x - m in the accumulator's type.
static Value buildShifted(Scalars s, ValueRange args, Type accumulator) {
  return s.sub(s.cast(args[0], accumulator), args[1]);
}

static Value buildSoftmax(NNBuilder &nn, Value maximum, Type resultType) {
  Type accumulator = nn.accumulator;
  Value exp = nn.map(
      "exp", {nn.input, maximum}, {nn.all, nn.kept}, nn.wideType(),
      [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
        Scalars s{b, loc};
        return math::ExpOp::create(b, loc, buildShifted(s, args, accumulator));
      });
  Value sum =
      nn.reduce("sum", exp, {nn.all}, ReduceKind::Sum,
                [](OpBuilder &, Location, ValueRange args) { return args[0]; });
  return nn.map("div", {exp, sum}, {nn.all, nn.kept}, resultType,
                [&](OpBuilder &b, Location loc, ValueRange args) {
                  Scalars s{b, loc};
                  return s.cast(s.div(args[0], args[1]),
                                getElementTypeOrSelf(resultType));
                });
}

static Value buildLogSoftmax(NNBuilder &nn, Value maximum, Type resultType) {
  Type accumulator = nn.accumulator;
  Value sum = nn.reduce(
      "sum_exp", {nn.input, maximum}, {nn.all, nn.kept}, ReduceKind::Sum,
      [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
        Scalars s{b, loc};
        return math::ExpOp::create(b, loc, buildShifted(s, args, accumulator));
      });
  return nn.map(
      "log_softmax", {nn.input, maximum, sum}, {nn.all, nn.kept, nn.kept},
      resultType, [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        Value shifted = buildShifted(s, args, accumulator);
        Value log = math::LogOp::create(b, loc, args[2]);
        return s.cast(s.sub(shifted, log), getElementTypeOrSelf(resultType));
      });
}

static LogicalResult decomposeSoftmax(Operation *op, OpBuilder &builder,
                                      ValueRange operands,
                                      TypeRange resultTypes,
                                      SmallVectorImpl<Value> &results) {
  unsigned dim = op->getAttrOfType<IntegerAttr>("dim").getInt();
  NNBuilder nn(op, builder, operands[0],
               [&](unsigned candidate) { return candidate == dim; });
  Value maximum =
      nn.reduce("amax", nn.input, {nn.all}, ReduceKind::Max,
                [&](OpBuilder &b, Location loc, ValueRange args) {
                  return Scalars{b, loc}.cast(args[0], nn.accumulator);
                });
  results.push_back(isa<SoftmaxOp>(op)
                        ? buildSoftmax(nn, maximum, resultTypes[0])
                        : buildLogSoftmax(nn, maximum, resultTypes[0]));
  return success();
}

static LogicalResult verifySoftmax(Operation *op) { return checkFloats(op); }

//===----------------------------------------------------------------------===//
// Norms
//===----------------------------------------------------------------------===//

static int64_t getTrailing(Operation *op) {
  return op->getAttrOfType<IntegerAttr>("trailing").getInt();
}

static LogicalResult inferNorm(Operation *op, ArrayRef<ExtentList> operands,
                               const Facts &facts,
                               SmallVectorImpl<ExtentList> &results) {
  int64_t trailing = getTrailing(op), rank = operands[0].size();
  if (trailing < 1 || trailing > rank)
    return op->emitOpError("trailing ")
           << trailing << " is out of range for rank " << rank;
  ArrayRef<Expr> normalized = ArrayRef(operands[0]).take_back(trailing);
  for (auto [number, extents] : llvm::enumerate(operands.drop_front())) {
    if (extents.size() != normalized.size())
      return op->emitOpError("parameter ")
             << number << " has rank " << extents.size() << ", expected "
             << trailing;
    for (auto [dim, extent] : llvm::enumerate(extents))
      if (failed(checkExtent(
              op, "parameter " + Twine(number) + " dimension " + Twine(dim),
              extent, normalized[dim], facts)))
        return failure();
  }
  ExtentList statistic(ArrayRef(operands[0]).drop_back(trailing));
  statistic.append(trailing,
                   Expr::constant(getExprContext(op->getContext()), 1));
  results.push_back(operands[0]);
  results.append(op->getNumResults() - 1, statistic);
  return success();
}

/// Does the norm subtract the mean?
static bool hasMean(Operation *op) {
  return isa<LayerNormOp, NativeLayerNormOp>(op);
}

/// The mean over a reduction, given its sum.
static Value buildMean(NNBuilder &nn, Value sum, Value count) {
  IteratorList dims = identityDims(nn.kept.size());
  return buildGeneric(nn.builder, nn.loc, "mean", sum, {dims}, dims,
                      dims.size(), ReduceKind::Sum, sum.getType(),
                      [&](OpBuilder &b, Location loc, ValueRange args) {
                        return Scalars{b, loc}.div(args[0], count);
                      });
}

/// The sum of (x - mean)^2; of x^2 without a mean.
static Value buildSquares(NNBuilder &nn, Value mean) {
  SmallVector<Value> inputs = {nn.input};
  SmallVector<IteratorList> dims = {nn.all};
  if (mean) {
    inputs.push_back(mean);
    dims.push_back(nn.kept);
  }
  return nn.reduce("sum_squares", inputs, dims, ReduceKind::Sum,
                   [&](OpBuilder &b, Location loc, ValueRange args) {
                     Scalars s{b, loc};
                     Value x = s.cast(args[0], nn.accumulator);
                     if (mean)
                       x = s.sub(x, args[1]);
                     return s.mul(x, x);
                   });
}

/// What further results there are: the mean, if there is one, and 1 / sqrt of
/// the variance + eps.
static void buildStatistics(NNBuilder &nn, Value mean, Value variance,
                            double eps, TypeRange types,
                            SmallVectorImpl<Value> &results) {
  if (types.empty())
    return;
  if (mean)
    results.push_back(nn.finish(
        "mean", mean, types.front(),
        [](OpBuilder &, Location, ValueRange args) { return args[0]; }));
  results.push_back(nn.finish(
      "rstd", variance, types.back(),
      [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
        Scalars s{b, loc};
        Value shifted = s.add(args[0], s.constant(nn.accumulator, eps));
        return math::RsqrtOp::create(b, loc, shifted);
      }));
}

/// (x - mean) * rsqrt(variance + eps) * weight + bias, as far as they are
/// given. `inputs` are x, the variance, the parameters and at last the mean.
static Value buildNormalized(NNBuilder &nn, StringRef label, ValueRange inputs,
                             ArrayRef<IteratorList> dims, unsigned parameters,
                             double eps, Type resultType) {
  Type type = nn.accumulator;
  return nn.map(label, inputs, dims, resultType,
                [&](OpBuilder &b, Location loc, ValueRange args) {
                  Scalars s{b, loc};
                  Value x = s.cast(args[0], type);
                  if (args.size() > 2 + parameters)
                    x = s.sub(x, args.back());
                  Value shifted = s.add(args[1], s.constant(type, eps));
                  x = s.mul(x, math::RsqrtOp::create(b, loc, shifted));
                  if (parameters > 0)
                    x = s.mul(x, s.cast(args[2], type));
                  if (parameters > 1)
                    x = s.add(x, s.cast(args[3], type));
                  return s.cast(x, getElementTypeOrSelf(resultType));
                });
}

static LogicalResult decomposeNorm(Operation *op, OpBuilder &builder,
                                   ValueRange operands, TypeRange resultTypes,
                                   SmallVectorImpl<Value> &results) {
  Value input = operands[0];
  unsigned rank = cast<RankedTensorType>(input.getType()).getRank();
  unsigned first = rank - getTrailing(op);
  NNBuilder nn(op, builder, input, [&](unsigned dim) { return dim >= first; });
  Value count = nn.count();
  Value mean;
  if (hasMean(op)) {
    Value sum =
        nn.reduce("sum", input, {nn.all}, ReduceKind::Sum,
                  [&](OpBuilder &b, Location loc, ValueRange args) {
                    return Scalars{b, loc}.cast(args[0], nn.accumulator);
                  });
    mean = buildMean(nn, sum, count);
  }
  Value variance = buildMean(nn, buildSquares(nn, mean), count);

  SmallVector<Value> inputs = {input, variance};
  SmallVector<IteratorList> dims = {nn.all, nn.kept};
  for (Value parameter : operands.drop_front()) {
    inputs.push_back(parameter);
    dims.push_back(IteratorList(ArrayRef(nn.all).drop_front(first)));
  }
  if (mean) {
    inputs.push_back(mean);
    dims.push_back(nn.kept);
  }
  double eps = op->getAttrOfType<FloatAttr>("eps").getValueAsDouble();
  results.push_back(buildNormalized(nn, op->getName().stripDialect(), inputs,
                                    dims, operands.size() - 1, eps,
                                    resultTypes[0]));
  buildStatistics(nn, mean, variance, eps, resultTypes.drop_front(), results);
  return success();
}

static LogicalResult verifyNorm(Operation *op) {
  unsigned most = hasMean(op) ? 2 : 1;
  Type accumulator = accumulatorType(scalarType(op->getResult(0)));
  for (Value statistic : op->getResults().drop_front())
    if (scalarType(statistic) != accumulator)
      return op->emitOpError("a statistic has element type ")
             << scalarType(statistic) << ", expected " << accumulator;
  if (op->getNumOperands() - 1 > most)
    return op->emitOpError("has ") << op->getNumOperands() - 1
                                   << " parameters, expected at most " << most;
  return checkFloats(op);
}

void DTensorDialect::registerNNOps() {
  addOperations<
#define GET_OP_LIST
#include "dtensor/Dialect/DTensor/IR/NNOps.cpp.inc"
      >();
}

#define GET_OP_CLASSES
#include "dtensor/Dialect/DTensor/IR/NNOps.cpp.inc"
