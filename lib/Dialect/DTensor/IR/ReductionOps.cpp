//===- ReductionOps.cpp - sums, means and extrema over dimensions ---------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/ReductionOps.h"

#include "CompositeUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dtensor;

static SmallVector<int64_t> getDims(Operation *op) {
  return intList(op->getAttrOfType<ArrayAttr>("dims"));
}

static bool keepsDims(Operation *op) { return op->hasAttr("keepdim"); }

static ReduceKind getKind(Operation *op) {
  return llvm::TypeSwitch<Operation *, ReduceKind>(op)
      .Case<AmaxOp, AnyOp>([](auto) { return ReduceKind::Max; })
      .Case<AminOp, AllOp>([](auto) { return ReduceKind::Min; })
      .Case<ProdOp>([](auto) { return ReduceKind::Product; })
      .Default([](auto) { return ReduceKind::Sum; });
}

static bool isExtremum(Operation *op) { return isa<AmaxOp, AminOp>(op); }

/// Reduces `x != 0` rather than x.
static bool isOfTruth(Operation *op) {
  return isa<AnyOp, AllOp, CountNonzeroOp>(op);
}

static LogicalResult inferReduction(Operation *op,
                                    ArrayRef<ExtentList> operands,
                                    const Facts &,
                                    SmallVectorImpl<ExtentList> &results) {
  auto mask = dimMask(op, getDims(op), operands[0].size());
  if (failed(mask))
    return failure();
  ExtentList extents;
  Expr one = Expr::constant(getExprContext(op->getContext()), 1);
  for (auto [dim, extent] : llvm::enumerate(operands[0])) {
    if (!(*mask)[dim])
      extents.push_back(extent);
    else if (keepsDims(op))
      extents.push_back(one);
  }
  results.push_back(std::move(extents));
  return success();
}

/// The reduction itself, in the type that it accumulates in. A kept dimension
/// is an iterator of its own, which only the result has.
static Value buildReduction(Operation *op, OpBuilder &builder, Value input,
                            RankedTensorType resultType) {
  Type accumulator = resultType.getElementType();
  if (!isExtremum(op))
    accumulator = accumulatorType(accumulator);
  unsigned rank = cast<RankedTensorType>(input.getType()).getRank();
  SmallVector<int64_t> reduced = getDims(op);
  IteratorList resultDims;
  unsigned numIterators = rank;
  for (unsigned dim = 0; dim < rank; ++dim) {
    if (!llvm::is_contained(reduced, dim))
      resultDims.push_back(dim);
    else if (keepsDims(op))
      resultDims.push_back(numIterators++);
  }
  Type type = accumulator == resultType.getElementType() && !isa<MeanOp>(op)
                  ? resultType
                  : openType(resultType, accumulator, getExtents(resultType));
  return buildGeneric(builder, op->getLoc(), op->getName().stripDialect(),
                      input, {identityDims(rank)}, resultDims, numIterators,
                      getKind(op), type,
                      [&](OpBuilder &b, Location loc, ValueRange args) {
                        Scalars s{b, loc};
                        Value x = args[0];
                        if (isOfTruth(op))
                          x = s.cast(x, b.getI1Type());
                        return s.cast(x, accumulator);
                      });
}

/// Divides a sum by the number of elements in it.
static Value buildDivision(Operation *op, OpBuilder &builder, Value input,
                           Value sum, Type resultType) {
  Location loc = op->getLoc();
  ExtentList counts, extents = getExtents(input);
  for (int64_t dim : getDims(op))
    counts.push_back(extents[dim]);
  Type type = scalarType(sum);
  Value count = buildExtent(builder, loc,
                            product(getExprContext(op->getContext()), counts));
  Value divisor = Scalars{builder, loc}.cast(count, type);
  unsigned rank = cast<RankedTensorType>(resultType).getRank();
  return buildGeneric(builder, loc, "mean", sum, {identityDims(rank)},
                      identityDims(rank), rank, ReduceKind::Sum, resultType,
                      [&](OpBuilder &b, Location loc, ValueRange args) {
                        Scalars s{b, loc};
                        return s.cast(s.div(args[0], divisor),
                                      getElementTypeOrSelf(resultType));
                      });
}

static LogicalResult decomposeReduction(Operation *op, OpBuilder &builder,
                                        ValueRange operands,
                                        TypeRange resultTypes,
                                        SmallVectorImpl<Value> &results) {
  auto resultType = cast<RankedTensorType>(resultTypes[0]);
  Value value = buildReduction(op, builder, operands[0], resultType);
  if (isa<MeanOp>(op))
    value = buildDivision(op, builder, operands[0], value, resultType);
  else
    value = buildCast(builder, op->getLoc(), value, resultType);
  results.push_back(value);
  return success();
}

static LogicalResult verifyReduction(Operation *op) {
  Type from = scalarType(op->getOperand(0)), to = scalarType(op->getResult(0));
  auto error = [&](StringRef text) {
    return op->emitOpError(text)
           << ", operand has " << from << ", result " << to;
  };
  if (isOfTruth(op)) {
    if (isa<CountNonzeroOp>(op) ? !to.isIntOrIndex() || isBool(to)
                                : !isBool(to))
      return error(isa<CountNonzeroOp>(op) ? "needs an integer result"
                                           : "needs a result of i1");
    return verifyComposite(op);
  }
  if (isa<MeanOp>(op) && !isa<FloatType>(from))
    return error("needs floats");
  if (isExtremum(op) && from != to)
    return error("needs one element type");
  if (isa<FloatType>(from) != isa<FloatType>(to) ||
      from.isIndex() != to.isIndex() ||
      (!from.isIndex() &&
       from.getIntOrFloatBitWidth() > to.getIntOrFloatBitWidth()))
    return error("cannot accumulate in the result's element type");
  if (isBool(to) && !isExtremum(op))
    return error("is not defined on i1");
  return verifyComposite(op);
}

void DTensorDialect::registerReductionOps() {
  addOperations<
#define GET_OP_LIST
#include "dtensor/Dialect/DTensor/IR/ReductionOps.cpp.inc"
      >();
}

#define GET_OP_CLASSES
#include "dtensor/Dialect/DTensor/IR/ReductionOps.cpp.inc"
