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

#include "ChannelMethods.h"
#include "NormBuilder.h"
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
  return failed(checkOneFloat(op, op->getOperands())) ? failure()
                                                      : verifyComposite(op);
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

static LogicalResult decomposeNorm(Operation *op, OpBuilder &builder,
                                   ValueRange operands, TypeRange resultTypes,
                                   SmallVectorImpl<Value> &results) {
  unsigned rank = cast<RankedTensorType>(operands[0].getType()).getRank();
  unsigned first = rank - getTrailing(op);
  NormBuilder norm(op, builder, operands[0],
                   [&](unsigned dim) { return dim >= first; });
  norm.measure(hasMean(op));
  IteratorList parameterDims(ArrayRef(norm.nn.all).drop_front(first));
  results.push_back(norm.normalize(op->getName().stripDialect(),
                                   operands.drop_front(), parameterDims,
                                   resultTypes[0]));
  norm.addStatistics(resultTypes.drop_front(), results);
  return success();
}

static LogicalResult verifyNorm(Operation *op) {
  unsigned most = hasMean(op) ? 2 : 1;
  if (failed(checkStatistics(op, op->getResults().drop_front())))
    return failure();
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
