//===- PoolingOps.cpp - maxima and averages of windows --------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WindowMethods.h"
#include "WindowUtils.h"
#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "dtensor/Dialect/DTensor/IR/Reductions.h"

using namespace mlir;
using namespace dtensor;

static SmallVector<int64_t> kernelOf(Operation *op) {
  return intList(op->getAttrOfType<ArrayAttr>("kernel"));
}

static FailureOr<ExtentList> sizesOf(Operation *op) {
  return exprList(op, op->getAttrOfType<ArrayAttr>("sizes"));
}

//===----------------------------------------------------------------------===//
// Extents
//===----------------------------------------------------------------------===//

static LogicalResult checkPool(Operation *op, size_t rank) {
  SmallVector<int64_t> kernel = kernelOf(op);
  if (kernel.empty() || kernel.size() > std::min<size_t>(rank, 3))
    return op->emitOpError("kernel has ")
           << kernel.size() << " entries for rank " << rank;
  for (int64_t extent : kernel)
    if (extent < 1)
      return op->emitOpError("kernel is ") << extent << ", expected at least 1";
  return success();
}

static LogicalResult inferPoolGrad(Operation *op, ArrayRef<ExtentList> operands,
                                   const Windows &windows, const Facts &facts,
                                   ExtentList &result) {
  ArrayRef<Expr> grad = operands[0];
  auto sizes = sizesOf(op);
  if (failed(sizes))
    return failure();
  if (sizes->size() != windows.space())
    return op->emitOpError("sizes has ")
           << sizes->size() << " entries, expected " << windows.space();
  ExtentList expected(grad.drop_back(windows.space()));
  result = expected;
  llvm::append_range(result, *sizes);
  llvm::append_range(
      expected, windows.count(*sizes, toExprs(op->getContext(), kernelOf(op))));
  for (auto [number, operand] : llvm::enumerate(operands)) {
    if (operand.size() != grad.size())
      return op->emitOpError("operand ")
             << number << " has rank " << operand.size() << ", expected "
             << grad.size();
    for (auto [dim, extent] : llvm::enumerate(operand))
      if (failed(checkExtent(
              op, "operand " + Twine(number) + " dimension " + Twine(dim),
              extent, expected[dim], facts)))
        return failure();
  }
  return success();
}

LogicalResult dtensor::inferPool(Operation *op, ArrayRef<ExtentList> operands,
                                 const Facts &facts,
                                 SmallVectorImpl<ExtentList> &results) {
  if (failed(checkPool(op, operands[0].size())))
    return failure();
  auto windows = windowsOf(op, kernelOf(op).size());
  if (failed(windows))
    return failure();
  if (isa<MaxPoolGradOp, AvgPoolGradOp>(op))
    return inferPoolGrad(op, operands, *windows, facts, results.emplace_back());
  ExtentList extents(ArrayRef(operands[0]).drop_back(windows->space()));
  llvm::append_range(
      extents, windows->count(ArrayRef(operands[0]).take_back(windows->space()),
                              toExprs(op->getContext(), kernelOf(op))));
  results.append(op->getNumResults(), extents);
  return success();
}

LogicalResult dtensor::verifyPool(Operation *op) {
  Type element = scalarType(op->getOperand(0));
  bool averages = isa<AvgPoolOp, AvgPoolGradOp>(op);
  if (isBool(element) || element.isIndex() ||
      (averages && !isa<FloatType>(element)))
    return op->emitOpError("is not defined on element type ") << element;
  if (scalarType(op->getResult(0)) != element)
    return op->emitOpError("operand has element type ")
           << element << " and result " << scalarType(op->getResult(0));
  Value indices;
  if (auto pool = dyn_cast<MaxPoolOp>(op))
    indices = pool.getIndices();
  if (auto grad = dyn_cast<MaxPoolGradOp>(op))
    indices = grad.getIndices();
  if (indices &&
      (isBool(scalarType(indices)) || !scalarType(indices).isIntOrIndex()))
    return op->emitOpError("indices have element type ")
           << scalarType(indices) << ", expected integers";
  return verifyComposite(op);
}

//===----------------------------------------------------------------------===//
// Decomposition
//===----------------------------------------------------------------------===//

namespace {
/// Decomposes one op. Loops over windows are [..., space..., kernel...].
struct PoolBuilder {
  Operation *op;
  CoreBuilder core;
  Windows windows;
  ExtentList kernel;
  /// Of the dimensions before the kernel's.
  int64_t rank;

  int64_t space() const { return windows.space(); }
  int64_t firstSpace() const { return rank - space(); }

  void maximum(Value input, TypeRange types, SmallVectorImpl<Value> &results);
  Value maximumGrad(Value grad, Value indices, Type type);
  Value average(Value input, Type type);
  Value averageGrad(Value grad, Type type);

private:
  Value index(OpBuilder &b, Location loc, int64_t loop) {
    return IndexOp::create(b, loc, b.getIndexType(), b.getI64IntegerAttr(loop));
  }
  SmallVector<Value> extentsOf(ArrayRef<Expr> extents) {
    SmallVector<Value> values;
    for (Expr extent : extents)
      values.push_back(buildExtent(core.builder, core.loc, extent));
    return values;
  }
  Value start(Scalars s, Value window, unsigned i);
  Value linearPosition(Scalars s, ArrayRef<Value> extents, Value &inside);
  Value reduce(StringRef label, ValueRange inputs, ArrayRef<IteratorList> dims,
               ReduceKind kind, Type type, ScalarBody body);
  Value count(Scalars s, ArrayRef<Value> extents, Type type);
};
} // namespace

/// Over the loops of the kernel.
Value PoolBuilder::reduce(StringRef label, ValueRange inputs,
                          ArrayRef<IteratorList> dims, ReduceKind kind,
                          Type type, ScalarBody body) {
  return buildGeneric(core.builder, core.loc, label, inputs, dims,
                      identityDims(rank), rank + space(), kind, type, body);
}

/// Where the window begins, in the padded operand: window * stride - padding.
Value PoolBuilder::start(Scalars s, Value window, unsigned i) {
  Type type = window.getType();
  return s.sub(s.mul(window, s.constant(type, windows.stride[i])),
               s.constant(type, windows.padding[i]));
}

/// The position in space, row-major, of an element of a window.
Value PoolBuilder::linearPosition(Scalars s, ArrayRef<Value> extents,
                                  Value &inside) {
  Type type = s.builder.getIndexType();
  Value linear = s.constant(type, 0);
  inside = s.constant(s.builder.getI1Type(), 1);
  for (int64_t i = 0; i < space(); ++i) {
    Value window = index(s.builder, s.loc, firstSpace() + i);
    Value element = index(s.builder, s.loc, rank + i);
    Value at = s.add(start(s, window, i),
                     s.mul(element, s.constant(type, windows.dilation[i])));
    inside = s.minimum(inside, s.compare("ge", at, s.constant(type, 0)));
    inside = s.minimum(inside, s.compare("lt", at, extents[i]));
    linear = s.add(s.mul(linear, extents[i]), at);
  }
  return linear;
}

void PoolBuilder::maximum(Value input, TypeRange types,
                          SmallVectorImpl<Value> &results) {
  Type element = scalarType(input), i64 = core.builder.getI64Type();
  ExtentList from = getExtents(input);
  ArrayRef<Expr> extents = ArrayRef(from).take_back(space());
  checkWindows(core, windows, extents, kernel);
  Value unfolded = buildWindows(core, input, windows, kernel,
                                getNeutralElement(ReduceKind::Max, element));
  IteratorList all = identityDims(rank + space());
  Value most =
      reduce("max_pool", unfolded, all, ReduceKind::Max, types[0],
             [](OpBuilder &, Location, ValueRange args) { return args[0]; });
  SmallVector<Value> sizes = extentsOf(extents);
  Value first = reduce(
      "max_pool_index", {unfolded, most}, {all, identityDims(rank)},
      ReduceKind::Min, openType(input.getType(), i64, getExtents(most)),
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        Value inside, linear = linearPosition(s, sizes, inside);
        Value found = s.compare("eq", args[0], args[1]);
        if (isa<FloatType>(element))
          found = s.maximum(found, s.compare("ne", args[0], args[0]));
        Value none = arith::ConstantOp::create(
            b, loc, getNeutralElement(ReduceKind::Min, i64));
        return s.select(s.minimum(found, inside), s.cast(linear, i64), none);
      });
  results.push_back(most);
  results.push_back(scalarType(first) == getElementTypeOrSelf(types[1])
                        ? core.declare(first, types[1], input)
                        : buildCast(core.builder, core.loc, first, types[1]));
}

Value PoolBuilder::maximumGrad(Value grad, Value indices, Type type) {
  Type element = scalarType(grad), wide = accumulatorType(element);
  Type indexType = scalarType(indices), i64 = core.builder.getI64Type();
  ExtentList sizes = *sizesOf(op);
  Value covers =
      buildCovers(core, grad, windows, sizes, kernel,
                  cast<TypedAttr>(core.builder.getZeroAttr(element)));
  Value chosen =
      buildCovers(core, indices, windows, sizes, kernel,
                  cast<TypedAttr>(core.builder.getIntegerAttr(indexType, -1)));
  SmallVector<Value> extents = extentsOf(sizes);
  IteratorList all = identityDims(rank + space());
  Value sum = reduce(
      "max_pool_grad", {covers, chosen}, {all, all}, ReduceKind::Sum,
      openType(grad.getType(), wide, getExtents(type)),
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        Value linear = s.constant(b.getIndexType(), 0);
        for (int64_t i = 0; i < space(); ++i)
          linear =
              s.add(s.mul(linear, extents[i]), index(b, loc, firstSpace() + i));
        Value here = s.compare("eq", s.cast(args[1], i64), s.cast(linear, i64));
        Value none = arith::ConstantOp::create(
            b, loc, getNeutralElement(ReduceKind::Sum, wide));
        return s.select(here, s.cast(args[0], wide), none);
      });
  return element == wide ? core.declare(sum, type, grad)
                         : buildCast(core.builder, core.loc, sum, type);
}

/// How many elements of the window of loops [..., space...] count.
Value PoolBuilder::count(Scalars s, ArrayRef<Value> extents, Type type) {
  Type indexType = s.builder.getIndexType();
  Value total = s.constant(indexType, 1);
  for (int64_t i = 0; i < space(); ++i) {
    Value size = s.constant(indexType, *kernel[i].getConstant());
    if (op->hasAttr("exclude_pad")) {
      // Elements k with 0 <= start + k * dilation < extent.
      Value zero = s.constant(indexType, 0);
      Value by = s.constant(indexType, windows.dilation[i]);
      Value from = start(s, index(s.builder, s.loc, firstSpace() + i), i);
      auto reach = [&](Value distance) {
        Value steps = arith::CeilDivSIOp::create(s.builder, s.loc,
                                                 s.maximum(distance, zero), by);
        return s.minimum(steps, size);
      };
      size = s.sub(reach(s.sub(extents[i], from)), reach(s.sub(zero, from)));
    }
    total = s.mul(total, size);
  }
  return s.cast(total, type);
}

Value PoolBuilder::average(Value input, Type type) {
  Type element = scalarType(input), wide = accumulatorType(element);
  ExtentList from = getExtents(input);
  ArrayRef<Expr> extents = ArrayRef(from).take_back(space());
  checkWindows(core, windows, extents, kernel);
  Value unfolded =
      buildWindows(core, input, windows, kernel,
                   cast<TypedAttr>(core.builder.getZeroAttr(element)));
  Value sum =
      reduce("avg_pool", unfolded, identityDims(rank + space()),
             ReduceKind::Sum, openType(input.getType(), wide, getExtents(type)),
             [&](OpBuilder &b, Location loc, ValueRange args) {
               return Scalars{b, loc}.cast(args[0], wide);
             });
  SmallVector<Value> sizes = extentsOf(extents);
  return buildGeneric(
      core.builder, core.loc, "avg_pool", sum, {identityDims(rank)},
      identityDims(rank), rank, ReduceKind::Sum, type,
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        return s.cast(s.div(args[0], count(s, sizes, wide)), element);
      });
}

Value PoolBuilder::averageGrad(Value grad, Type type) {
  Type element = scalarType(grad), wide = accumulatorType(element);
  ExtentList sizes = *sizesOf(op);
  SmallVector<Value> extents = extentsOf(sizes);
  Value share = buildGeneric(
      core.builder, core.loc, "avg_pool_share", grad, {identityDims(rank)},
      identityDims(rank), rank, ReduceKind::Sum,
      openType(grad.getType(), wide, getExtents(grad)),
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        return s.div(s.cast(args[0], wide), count(s, extents, wide));
      });
  Value covers = buildCovers(core, share, windows, sizes, kernel,
                             cast<TypedAttr>(core.builder.getZeroAttr(wide)));
  Value sum =
      reduce("avg_pool_grad", covers, identityDims(rank + space()),
             ReduceKind::Sum, openType(grad.getType(), wide, getExtents(type)),
             [](OpBuilder &, Location, ValueRange args) { return args[0]; });
  return element == wide ? core.declare(sum, type, grad)
                         : buildCast(core.builder, core.loc, sum, type);
}

LogicalResult dtensor::decomposePool(Operation *op, OpBuilder &builder,
                                     ValueRange operands, TypeRange resultTypes,
                                     SmallVectorImpl<Value> &results) {
  SmallVector<int64_t> kernel = kernelOf(op);
  PoolBuilder pool{op,
                   {builder, op->getLoc()},
                   *windowsOf(op, kernel.size()),
                   toExprs(op->getContext(), kernel),
                   cast<RankedTensorType>(operands[0].getType()).getRank()};
  if (isa<MaxPoolOp>(op))
    pool.maximum(operands[0], resultTypes, results);
  else if (isa<MaxPoolGradOp>(op))
    results.push_back(
        pool.maximumGrad(operands[0], operands[1], resultTypes[0]));
  else if (isa<AvgPoolOp>(op))
    results.push_back(pool.average(operands[0], resultTypes[0]));
  else
    results.push_back(pool.averageGrad(operands[0], resultTypes[0]));
  return success();
}
