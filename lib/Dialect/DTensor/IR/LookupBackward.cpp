//===- LookupBackward.cpp - gradients of lookups and parts ----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BackwardMethods.h"
#include "CoreBuilders.h"
#include "OrderedMethods.h"
#include "dtensor/Dialect/DTensor/IR/ViewOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace dtensor;

static int64_t getDim(Operation *op) {
  auto dim = op->getAttrOfType<IntegerAttr>("dim");
  return dim ? dim.getInt() : 0;
}

/// An attribute that is an extent, not negative where that is known.
static FailureOr<Expr> getExtent(Operation *op, StringRef name) {
  auto extent = exprOf(op, op->getAttr(name));
  if (succeeded(extent) && extent->getConstant() && *extent->getConstant() < 0)
    return op->emitOpError(name) << " " << extent->str() << " is negative";
  return extent;
}

//===----------------------------------------------------------------------===//
// Lookups
//===----------------------------------------------------------------------===//

static bool looksUpRows(Operation *op) { return !isa<GatherBackwardOp>(op); }

LogicalResult
dtensor::inferLookupBackward(Operation *op, ArrayRef<ExtentList> operands,
                             const Facts &facts,
                             SmallVectorImpl<ExtentList> &results) {
  auto size = getExtent(op, "size");
  if (failed(size))
    return failure();
  ArrayRef<Expr> grad = operands[0], indices = operands[1];
  int64_t dim = getDim(op), rank = grad.size();
  int64_t replaced = looksUpRows(op) ? indices.size() : 1;
  if (dim < 0 || dim > rank || replaced > rank - dim)
    return op->emitOpError("gradient has rank ")
           << rank << ", too low for dim " << dim << " and " << replaced
           << " dimensions of indices";
  ExtentList extents(grad.take_front(dim));
  extents.push_back(*size);
  llvm::append_range(extents, grad.drop_front(dim + replaced));
  results.push_back(extents);
  return checkScatter(op, extents, indices, grad, dim, looksUpRows(op), facts);
}

/// The indices with -1, which no row has, for `padding`.
static Value dropPadding(CoreBuilder core, Value indices, int64_t padding) {
  Type type = scalarType(indices), i64 = core.builder.getI64Type();
  unsigned rank = cast<RankedTensorType>(indices.getType()).getRank();
  return buildGeneric(
      core.builder, core.loc, "padding", indices, {identityDims(rank)},
      identityDims(rank), rank, ReduceKind::Sum,
      openType(indices.getType(), type, getExtents(indices)),
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        Value number = arith::ConstantIntOp::create(b, loc, padding, 64);
        Value isPadding = s.compare("eq", s.cast(args[0], i64), number);
        return s.select(isPadding, s.constant(type, -1), args[0]);
      });
}

LogicalResult
dtensor::decomposeLookupBackward(Operation *op, OpBuilder &builder,
                                 ValueRange operands, TypeRange resultTypes,
                                 SmallVectorImpl<Value> &results) {
  CoreBuilder core{builder, op->getLoc()};
  Type type = resultTypes[0];
  Type element = getElementTypeOrSelf(type), wide = accumulatorType(element);
  Value grad = operands[0], indices = operands[1];
  if (auto padding = op->getAttrOfType<IntegerAttr>("padding"))
    indices = dropPadding(core, indices, padding.getInt());
  if (element != wide)
    grad = buildCast(builder, core.loc, grad,
                     openType(type, wide, getExtents(grad)));
  ExtentList extents = getExtents(type);
  Type sumType = element == wide ? type : openType(type, wide, extents);
  int64_t dim = getDim(op);
  Value sum = ScatterSumOp::create(
      builder, core.loc, sumType, indices, grad, builder.getI64IntegerAttr(dim),
      ExprAttr::get(builder.getContext(), extents[dim]),
      looksUpRows(op) ? builder.getUnitAttr() : UnitAttr());
  results.push_back(buildCast(builder, core.loc, sum, type));
  return success();
}

LogicalResult dtensor::verifyLookupBackward(Operation *op) {
  Type indices = scalarType(op->getOperand(1));
  if (!indices.isIntOrIndex() || isBool(indices))
    return op->emitOpError("indices have element type ")
           << indices << ", expected integers";
  Type type = scalarType(op->getResult(0));
  if (isBool(type))
    return op->emitOpError("cannot add elements of type ") << type;
  if (scalarType(op->getOperand(0)) != type)
    return op->emitOpError("operand has element type ")
           << scalarType(op->getOperand(0)) << " and result " << type;
  return verifyComposite(op);
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

static LogicalResult inferGlu(Operation *op, ArrayRef<ExtentList> operands,
                              const Facts &facts,
                              SmallVectorImpl<ExtentList> &results) {
  int64_t dim = getDim(op);
  if (failed(checkDim(op, "dim", dim, operands[0].size())))
    return failure();
  ExtentList expected = operands[0];
  expected[dim] = expected[dim] * 2;
  results.push_back(expected);
  return checkOperand(op, 1, operands[1], expected, facts);
}

/// Where a part begins and how far its elements are apart; errors at `op`.
static FailureOr<std::pair<Expr, Expr>> getStride(Operation *op) {
  bool isSlice = isa<SliceBackwardOp>(op);
  auto start = getExtent(op, isSlice ? "start" : "index");
  if (failed(start))
    return failure();
  Expr one = Expr::constant(getExprContext(op->getContext()), 1);
  if (!isSlice)
    return std::pair(*start, one);
  auto step = exprOf(op, op->getAttr("step"));
  if (failed(step))
    return failure();
  if (Facts().proveLT(*step, one))
    return op->emitOpError("step ") << step->str() << " is below 1";
  return std::pair(*start, *step);
}

LogicalResult dtensor::inferPartBackward(Operation *op,
                                         ArrayRef<ExtentList> operands,
                                         const Facts &facts,
                                         SmallVectorImpl<ExtentList> &results) {
  if (isa<GluBackwardOp>(op))
    return inferGlu(op, operands, facts, results);
  auto size = getExtent(op, "size");
  auto stride = getStride(op);
  if (failed(size) || failed(stride))
    return failure();
  bool isSlice = isa<SliceBackwardOp>(op);
  ExtentList extents = operands[0];
  int64_t dim = getDim(op);
  if (failed(checkDim(op, "dim", dim, extents.size() + !isSlice)))
    return failure();
  Expr count = Expr::constant(getExprContext(op->getContext()), 1);
  if (isSlice) {
    count = extents[dim];
    extents[dim] = *size;
  } else {
    extents.insert(extents.begin() + dim, *size);
  }
  Expr last = stride->first + (count - 1) * stride->second;
  if (facts.provePositive(count) && facts.proveLT(*size, last + 1))
    return op->emitOpError("the last element ")
           << last.str() << " is outside of extent " << size->str();
  results.push_back(std::move(extents));
  return success();
}

/// Element i of `dim` is the element (i - start) / step of the gradient, which
/// is zero where there is none.
static Value buildStrided(Operation *op, CoreBuilder core, Value grad,
                          Type type) {
  auto [start, step] = *getStride(op);
  Type i64 = core.builder.getI64Type();
  Scalars outer{core.builder, core.loc};
  Value first = outer.cast(buildExtent(core.builder, core.loc, start), i64);
  Value apart = outer.cast(buildExtent(core.builder, core.loc, step), i64);
  unsigned dim = getDim(op);
  if (isa<SelectBackwardOp>(op)) {
    ExtentList extents = getExtents(grad);
    extents.insert(extents.begin() + dim, core.number(1));
    grad = core.reshape(grad, extents);
  }
  auto index = [&](Scalars s, Value position) {
    Value distance = s.sub(position, first);
    Value quotient = s.div(distance, apart);
    Value exact = s.compare("eq", s.mul(quotient, apart), distance);
    return s.select(exact, quotient, s.constant(i64, -1));
  };
  return core.select(grad, dim, getExtents(type)[dim], index, type);
}

/// Both halves of the gradient of glu, in one loop nest.
static Value buildGlu(GluBackwardOp op, CoreBuilder core, ValueRange operands,
                      Type type) {
  unsigned dim = op.getDim();
  Expr half = getExtents(operands[0])[dim];
  Value a = core.part(operands[1], dim, core.number(0), half);
  Value b = core.part(operands[1], dim, half, half);
  Type element = getElementTypeOrSelf(type), wide = accumulatorType(element);
  Type open = openType(type, element, getExtents(operands[0]));
  unsigned rank = cast<RankedTensorType>(type).getRank();
  SmallVector<IteratorList> dims(3, identityDims(rank));
  SmallVector<Value> halves = buildPointwise(
      core.builder, core.loc, "glu_backward", {operands[0], a, b}, dims,
      {open, open}, [&](OpBuilder &builder, Location loc, ValueRange args) {
        Scalars s{builder, loc};
        Value g = s.cast(args[0], wide), one = s.constant(wide, 1);
        Value exp =
            math::ExpOp::create(builder, loc, s.neg(s.cast(args[2], wide)));
        Value gate = s.div(one, s.add(one, exp));
        Value left = s.mul(g, gate);
        Value slope = s.mul(gate, s.sub(one, gate));
        Value right = s.mul(g, s.mul(s.cast(args[1], wide), slope));
        return SmallVector<Value>{s.cast(left, element),
                                  s.cast(right, element)};
      });
  return core.concat(halves, dim, type);
}

LogicalResult dtensor::decomposePartBackward(Operation *op, OpBuilder &builder,
                                             ValueRange operands,
                                             TypeRange resultTypes,
                                             SmallVectorImpl<Value> &results) {
  CoreBuilder core{builder, op->getLoc()};
  if (auto glu = dyn_cast<GluBackwardOp>(op))
    results.push_back(buildGlu(glu, core, operands, resultTypes[0]));
  else
    results.push_back(buildStrided(op, core, operands[0], resultTypes[0]));
  return success();
}

LogicalResult dtensor::verifyPartBackward(Operation *op) {
  Type type = scalarType(op->getResult(0));
  if (isa<GluBackwardOp>(op)) {
    if (failed(verifyFloats(op)))
      return failure();
  } else if (scalarType(op->getOperand(0)) != type) {
    return op->emitOpError("operand has element type ")
           << scalarType(op->getOperand(0)) << " and result " << type;
  }
  return verifyComposite(op);
}
