//===- ConvolutionOps.cpp - convolutions and their gradients --------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A convolution is a product of its windows and its weight; with u the windows
// of x, v those of the gradient gy that cover a position, and sums over what is
// not on the left
//
//   y[n, g, o, s]   u[n, g, c, s, k] * w[g, o, c, k]
//   gx[n, g, c, s]  v[n, g, o, s, k] * w[g, o, c, k]
//   gw[g, o, c, k]  u[n, g, c, s, k] * gy[n, g, o, s]
//
// Groups are a dimension only where there is more than one.
//
//===----------------------------------------------------------------------===//

#include "WindowMethods.h"
#include "WindowUtils.h"

using namespace mlir;
using namespace dtensor;

static int64_t groupsOf(Operation *op) {
  return op->getAttrOfType<IntegerAttr>("groups").getInt();
}

//===----------------------------------------------------------------------===//
// Extents
//===----------------------------------------------------------------------===//

static LogicalResult checkSpace(Operation *op, ArrayRef<ExtentList> operands) {
  size_t rank = operands[0].size();
  if (rank < 3 || rank > 5)
    return op->emitOpError("operand has rank ") << rank << ", expected 3 to 5";
  if (operands[1].size() != rank)
    return op->emitOpError("second operand has rank ")
           << operands[1].size() << ", expected " << rank;
  if (groupsOf(op) < 1)
    return op->emitOpError("groups is ")
           << groupsOf(op) << ", expected at least 1";
  return success();
}

static LogicalResult inferForward(ConvolutionOp op,
                                  ArrayRef<ExtentList> operands,
                                  const Windows &windows, const Facts &facts,
                                  ExtentList &result) {
  ArrayRef<Expr> input = operands[0], weight = operands[1];
  if (failed(checkExtent(op, "input dimension 1", input[1],
                         weight[1] * groupsOf(op), facts)))
    return failure();
  if (!facts.proveDivides(
          Expr::constant(getExprContext(op->getContext()), groupsOf(op)),
          weight[0]))
    return op->emitOpError("groups is ")
           << groupsOf(op) << ", which does not divide " << weight[0].str()
           << " channels";
  if (operands.size() > 2) {
    if (operands[2].size() != 1)
      return op->emitOpError("bias has rank ")
             << operands[2].size() << ", expected 1";
    if (failed(checkExtent(op, "bias dimension 0", operands[2][0], weight[0],
                           facts)))
      return failure();
  }
  result = {input[0], weight[0]};
  llvm::append_range(result,
                     windows.count(input.drop_front(2), weight.drop_front(2)));
  return success();
}

/// The gradient has as many windows as `space` has.
static LogicalResult checkGrad(Operation *op, ArrayRef<Expr> grad,
                               ArrayRef<Expr> space, ArrayRef<Expr> kernel,
                               const Windows &windows, const Facts &facts) {
  for (auto [i, count] : llvm::enumerate(windows.count(space, kernel)))
    if (failed(checkExtent(op, "gradient dimension " + Twine(i + 2),
                           grad[i + 2], count, facts)))
      return failure();
  return success();
}

static LogicalResult inferInputGrad(ConvolutionInputGradOp op,
                                    ArrayRef<ExtentList> operands,
                                    const Windows &windows, const Facts &facts,
                                    ExtentList &result) {
  ArrayRef<Expr> grad = operands[0], weight = operands[1];
  auto sizes = exprList(op, op.getSizes());
  if (failed(sizes))
    return failure();
  if (sizes->size() != windows.space())
    return op.emitOpError("sizes has ")
           << sizes->size() << " entries, expected " << windows.space();
  if (failed(
          checkExtent(op, "gradient dimension 1", grad[1], weight[0], facts)) ||
      failed(checkGrad(op, grad, *sizes, weight.drop_front(2), windows, facts)))
    return failure();
  result = {grad[0], weight[1] * groupsOf(op)};
  llvm::append_range(result, *sizes);
  return success();
}

static LogicalResult inferWeightGrad(ConvolutionWeightGradOp op,
                                     ArrayRef<ExtentList> operands,
                                     const Windows &windows, const Facts &facts,
                                     ExtentList &result) {
  ArrayRef<Expr> input = operands[0], grad = operands[1];
  auto kernel = exprList(op, op.getKernel());
  if (failed(kernel))
    return failure();
  if (kernel->size() != windows.space())
    return op.emitOpError("kernel has ")
           << kernel->size() << " entries, expected " << windows.space();
  Expr groups = Expr::constant(getExprContext(op.getContext()), groupsOf(op));
  for (unsigned i = 0; i < 2; ++i)
    if (!facts.proveDivides(groups, operands[i][1]))
      return op.emitOpError("groups is ")
             << groups.str() << ", which does not divide "
             << operands[i][1].str() << " channels";
  if (failed(
          checkExtent(op, "gradient dimension 0", grad[0], input[0], facts)) ||
      failed(checkGrad(op, grad, input.drop_front(2), *kernel, windows, facts)))
    return failure();
  result = {grad[1], floordiv(input[1], groups)};
  llvm::append_range(result, *kernel);
  return success();
}

static LogicalResult inferConvolution(Operation *op,
                                      ArrayRef<ExtentList> operands,
                                      const Facts &facts,
                                      SmallVectorImpl<ExtentList> &results) {
  if (failed(checkSpace(op, operands)))
    return failure();
  auto windows = windowsOf(op, operands[0].size() - 2);
  if (failed(windows))
    return failure();
  ExtentList &result = results.emplace_back();
  if (auto forward = dyn_cast<ConvolutionOp>(op))
    return inferForward(forward, operands, *windows, facts, result);
  if (auto grad = dyn_cast<ConvolutionInputGradOp>(op))
    return inferInputGrad(grad, operands, *windows, facts, result);
  return inferWeightGrad(cast<ConvolutionWeightGradOp>(op), operands, *windows,
                         facts, result);
}

static LogicalResult verifyConvolution(Operation *op) {
  Type element = scalarType(op->getResult(0));
  if (isBool(element) || element.isIndex())
    return op->emitOpError("is not defined on element type ") << element;
  for (Value operand : op->getOperands())
    if (scalarType(operand) != element)
      return op->emitOpError("operand has element type ")
             << scalarType(operand) << " and result " << element;
  return verifyComposite(op);
}

//===----------------------------------------------------------------------===//
// Decomposition
//===----------------------------------------------------------------------===//

namespace {
/// The loops of a product: batch, group (if there are groups), the two
/// channels, space and window.
struct ConvolutionLoops {
  int64_t space;
  bool grouped;

  int64_t out() const { return 1 + grouped; }
  int64_t in() const { return 2 + grouped; }
  unsigned count() const { return 3 + grouped + 2 * space; }

  /// [(batch), (group), channels..., (space...), (window...)]
  IteratorList dims(bool batch, ArrayRef<int64_t> channels, bool hasSpace,
                    bool hasWindow) const {
    IteratorList list;
    if (batch)
      list.push_back(0);
    if (grouped)
      list.push_back(1);
    llvm::append_range(list, channels);
    for (int64_t i = 0; i < space; ++i)
      if (hasSpace)
        list.push_back(3 + grouped + i);
    for (int64_t i = 0; i < space; ++i)
      if (hasWindow)
        list.push_back(3 + grouped + space + i);
    return list;
  }
};

/// Decomposes one op.
struct ConvolutionBuilder {
  Operation *op;
  CoreBuilder core;
  Windows windows;
  RankedTensorType type;
  ConvolutionLoops loops;
  int64_t groups;

  Value forward(ValueRange operands);
  Value inputGrad(ValueRange operands);
  Value weightGrad(ValueRange operands);

private:
  TypedAttr zero() {
    return cast<TypedAttr>(core.builder.getZeroAttr(type.getElementType()));
  }
  Value splitGroups(Value value, unsigned dim);
  Value product(Value lhs, Value rhs, ArrayRef<IteratorList> dims,
                const IteratorList &result);
  Value finish(Value value, Value bias, ValueRange operands);
};
} // namespace

/// Dimension `dim` as [groups, rest].
Value ConvolutionBuilder::splitGroups(Value value, unsigned dim) {
  if (!loops.grouped)
    return value;
  ExtentList extents = getExtents(value);
  extents[dim] = floordiv(extents[dim], groups);
  extents.insert(extents.begin() + dim, core.number(groups));
  return core.reshape(value, extents);
}

Value ConvolutionBuilder::product(Value lhs, Value rhs,
                                  ArrayRef<IteratorList> dims,
                                  const IteratorList &result) {
  SmallVector<Expr> known(loops.count());
  SmallVector<Value> factors = {lhs, rhs};
  for (auto [value, list] : llvm::zip_equal(factors, dims))
    for (auto [dim, extent] : llvm::zip_equal(list, getExtents(value)))
      known[dim] = extent;
  ExtentList extents;
  for (int64_t dim : result)
    extents.push_back(known[dim]);
  Type wide = accumulatorType(type.getElementType());
  return buildGeneric(
      core.builder, core.loc, "convolution", factors, dims, result,
      loops.count(), ReduceKind::Sum, openType(type, wide, extents),
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        return s.mul(s.cast(args[0], wide), s.cast(args[1], wide));
      });
}

/// Groups back in their dimension, the bias, and the result's type.
Value ConvolutionBuilder::finish(Value value, Value bias, ValueRange operands) {
  Type element = type.getElementType();
  if (loops.grouped)
    value = core.reshape(value, getExtents(type));
  if (!bias && scalarType(value) == element)
    return core.declare(value, type, operands);
  if (!bias)
    return buildCast(core.builder, core.loc, value, type);
  unsigned rank = type.getRank();
  return buildGeneric(core.builder, core.loc, "bias", {value, bias},
                      {identityDims(rank), {1}}, identityDims(rank), rank,
                      ReduceKind::Sum, type,
                      [&](OpBuilder &b, Location loc, ValueRange args) {
                        Scalars s{b, loc};
                        Value rhs = s.cast(args[1], args[0].getType());
                        return s.cast(s.add(args[0], rhs), element);
                      });
}

Value ConvolutionBuilder::forward(ValueRange operands) {
  ExtentList weight = getExtents(operands[1]), input = getExtents(operands[0]);
  ArrayRef<Expr> kernel = ArrayRef(weight).drop_front(2);
  checkWindows(core, windows, ArrayRef(input).drop_front(2), kernel);
  Value unfolded =
      buildWindows(core, splitGroups(operands[0], 1), windows, kernel, zero());
  Value value =
      product(unfolded, splitGroups(operands[1], 0),
              {loops.dims(true, loops.in(), true, true),
               loops.dims(false, {loops.out(), loops.in()}, false, true)},
              loops.dims(true, loops.out(), true, false));
  return finish(value, operands.size() > 2 ? operands[2] : Value(), operands);
}

Value ConvolutionBuilder::inputGrad(ValueRange operands) {
  auto sizes = cast<ConvolutionInputGradOp>(op).getSizes();
  ExtentList weight = getExtents(operands[1]);
  Value covers =
      buildCovers(core, splitGroups(operands[0], 1), windows,
                  *exprList(op, sizes), ArrayRef(weight).drop_front(2), zero());
  Value value =
      product(covers, splitGroups(operands[1], 0),
              {loops.dims(true, loops.out(), true, true),
               loops.dims(false, {loops.out(), loops.in()}, false, true)},
              loops.dims(true, loops.in(), true, false));
  return finish(value, Value(), operands);
}

Value ConvolutionBuilder::weightGrad(ValueRange operands) {
  auto kernel = cast<ConvolutionWeightGradOp>(op).getKernel();
  Value unfolded = buildWindows(core, splitGroups(operands[0], 1), windows,
                                *exprList(op, kernel), zero());
  Value value =
      product(unfolded, splitGroups(operands[1], 1),
              {loops.dims(true, loops.in(), true, true),
               loops.dims(true, loops.out(), true, false)},
              loops.dims(false, {loops.out(), loops.in()}, false, true));
  return finish(value, Value(), operands);
}

static LogicalResult decomposeConvolution(Operation *op, OpBuilder &builder,
                                          ValueRange operands,
                                          TypeRange resultTypes,
                                          SmallVectorImpl<Value> &results) {
  auto type = cast<RankedTensorType>(resultTypes[0]);
  int64_t space = type.getRank() - 2, groups = groupsOf(op);
  ConvolutionBuilder convolution{
      op,   {builder, op->getLoc()}, *windowsOf(op, space),
      type, {space, groups > 1},     groups};
  if (isa<ConvolutionOp>(op))
    results.push_back(convolution.forward(operands));
  else if (isa<ConvolutionInputGradOp>(op))
    results.push_back(convolution.inputGrad(operands));
  else
    results.push_back(convolution.weightGrad(operands));
  return success();
}

void DTensorDialect::registerWindowOps() {
  addOperations<
#define GET_OP_LIST
#include "dtensor/Dialect/DTensor/IR/WindowOps.cpp.inc"
      >();
}

#define GET_OP_CLASSES
#include "dtensor/Dialect/DTensor/IR/WindowOps.cpp.inc"
