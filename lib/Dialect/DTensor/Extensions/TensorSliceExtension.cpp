//===- TensorSliceExtension.cpp - slices, joins and paddings --------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Insertion and padding are joins, one dimension after the other. With o the
// offset and s the size of the source in dimension d,
//
//   insert(dest, source) = dest[0 : o] ++ insert'(dest[o : o + s], source)
//                          ++ dest[o + s : n]
//
// where insert' goes on with dimension d + 1. A dimension that is covered whole
// is left alone, and so may stay sharded.
//
//===----------------------------------------------------------------------===//

#include "OpModel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace dtensor;

namespace {

bool allKnown(NormalizeContext &context, ArrayRef<OpFoldResult> mixed) {
  return llvm::all_of(mixed, [&](OpFoldResult entry) {
    auto value = dyn_cast<Value>(entry);
    return !value || context.hasExpr(value);
  });
}

/// One dimension's part of `value`.
Value sliceDim(NormalizeContext &context, Location loc, Value value,
               unsigned dim, Expr start, Expr size) {
  ExprContext &exprs = context.getExprContext();
  SmallVector<Expr> sizes = getExtents(value);
  SmallVector<Expr> starts(sizes.size(), Expr::constant(exprs, 0));
  SmallVector<Expr> steps(sizes.size(), Expr::constant(exprs, 1));
  starts[dim] = start;
  sizes[dim] = size;
  return buildSlice(context, loc, value, starts, sizes, steps);
}

struct ExtractSliceModel : OpModel<ExtractSliceModel, tensor::ExtractSliceOp> {
  LogicalResult rewrite(tensor::ExtractSliceOp op,
                        NormalizeContext &context) const {
    if (!allKnown(context, op.getMixedSizes()) ||
        !allKnown(context, op.getMixedStrides()))
      return op.emitOpError() << "has a size or stride that is computed by the "
                                 "program; it must follow from extents";
    SmallVector<Expr> sizes = getMixedExprs(context, op.getMixedSizes());
    llvm::SmallBitVector dropped = op.getDroppedDims();
    SmallVector<Expr> kept;
    for (auto [dim, size] : llvm::enumerate(sizes))
      if (!dropped.test(dim))
        kept.push_back(size);
    FailureOr<RankedTensorType> type =
        context.getResultType(op, op.getResult(), kept);
    if (failed(type))
      return failure();
    Value input = context.lookup(op.getSource());
    Value slice;
    if (allKnown(context, op.getMixedOffsets())) {
      SmallVector<Expr> starts = getMixedExprs(context, op.getMixedOffsets());
      SmallVector<Expr> steps = getMixedExprs(context, op.getMixedStrides());
      if (failed(unifyBounds(op, context, getExtents(input), starts, sizes,
                             steps)))
        return failure();
      slice = buildSlice(context, op.getLoc(), input, starts, sizes, steps);
    } else {
      slice = readAt(op, input, sizes, context);
    }
    context.map(op.getResult(),
                buildReshape(context, op.getLoc(), slice, *type));
    return success();
  }

  /// The offset is a value of the program, say a loop's counter: element i is
  /// read at  offset + i * stride  from a replicated operand.
  static Value readAt(tensor::ExtractSliceOp op, Value input,
                      ArrayRef<Expr> sizes, NormalizeContext &context) {
    OpBuilder &builder = context.getBuilder();
    Location loc = op.getLoc();
    auto toValue = [&](OpFoldResult entry) -> Value {
      if (auto value = dyn_cast<Value>(entry))
        return context.lookup(value);
      return arith::ConstantIndexOp::create(
          builder, loc, cast<IntegerAttr>(cast<Attribute>(entry)).getInt());
    };
    SmallVector<Value> offsets, strides;
    for (OpFoldResult offset : op.getMixedOffsets())
      offsets.push_back(toValue(offset));
    for (OpFoldResult stride : op.getMixedStrides())
      strides.push_back(toValue(stride));
    GenericSpec spec = parallelSpec(
        context.getOpenType(cast<RankedTensorType>(input.getType()), sizes),
        "extract_slice");
    spec.captures.push_back(input);
    auto body = [&](OpBuilder &inner, ValueRange args) -> SmallVector<Value> {
      SmallVector<Value> indices;
      for (unsigned dim = 0; dim < sizes.size(); ++dim) {
        Value index = IndexOp::create(inner, loc, inner.getIndexType(),
                                      inner.getI64IntegerAttr(dim));
        index = arith::MulIOp::create(inner, loc, index, strides[dim]);
        indices.push_back(
            arith::AddIOp::create(inner, loc, index, offsets[dim]));
      }
      return {tensor::ExtractOp::create(inner, loc, args[0], indices)};
    };
    return buildGeneric(builder, loc, spec, body).getResult(0);
  }
};

/// Extents, offsets and sizes of one insertion, by dimension of the
/// destination.
struct Window {
  SmallVector<Expr> extents, offsets, sizes;
};

Value insert(NormalizeContext &context, Location loc, Value dest, Value source,
             const Window &window, unsigned dim) {
  if (dim == window.offsets.size())
    return source;
  Expr extent = window.extents[dim], size = window.sizes[dim];
  Expr zero = Expr::constant(context.getExprContext(), 0);
  Expr start = window.offsets[dim], end = start + size;
  auto part = [&](Expr from, Expr count) -> Value {
    if (count == zero)
      return {};
    if (from == zero && count == extent)
      return dest;
    return sliceDim(context, loc, dest, dim, from, count);
  };
  Value before = part(zero, start);
  Value after = part(end, extent - end);
  Value middle = part(start, size);
  middle =
      insert(context, loc, middle ? middle : source, source, window, dim + 1);
  return buildConcat(context, loc, {before, middle, after}, dim);
}

struct InsertSliceModel : OpModel<InsertSliceModel, tensor::InsertSliceOp> {
  LogicalResult rewrite(tensor::InsertSliceOp op,
                        NormalizeContext &context) const {
    if (!allKnown(context, op.getMixedOffsets()) ||
        !allKnown(context, op.getMixedSizes()))
      return op.emitOpError()
             << "has an offset or size that is computed by the "
                "program; it must follow from extents";
    if (!op.hasUnitStride())
      return op.emitOpError() << "has a stride other than 1";
    FailureOr<RankedTensorType> type = context.getResultType(
        op, op.getResult(), context.getExtents(op.getDest()));
    if (failed(type) || failed(checkSource(op, context)))
      return failure();
    // Only now: the source may have told what an extent is.
    Window window = {context.getExtents(op.getDest()),
                     getMixedExprs(context, op.getMixedOffsets()),
                     getMixedExprs(context, op.getMixedSizes())};
    if (failed(unifyBounds(op, context, window.extents, window.offsets,
                           window.sizes,
                           getMixedExprs(context, op.getMixedStrides()))))
      return failure();
    Value source = context.lookup(op.getSource());
    if (op.getDroppedDims().any())
      source = buildReshape(
          context, op.getLoc(), source,
          context.getOpenType(cast<RankedTensorType>(source.getType()),
                              window.sizes));
    Value result = insert(context, op.getLoc(), context.lookup(op.getDest()),
                          source, window, 0);
    FailureOr<Value> converted = context.convert(
        op, result, withPlacementsOf(result, *type, op), "the result");
    if (failed(converted))
      return failure();
    context.map(op.getResult(), *converted);
    return success();
  }

  /// A result without a declared layout keeps the placements of `value`.
  static RankedTensorType withPlacementsOf(Value value, RankedTensorType type,
                                           tensor::InsertSliceOp op) {
    if (getLayout(op.getResult()))
      return type;
    return withLayout(
        type, getLayout(value).withExtents(getLayout(type).getExtents()));
  }

  static LogicalResult checkSource(tensor::InsertSliceOp op,
                                   NormalizeContext &context) {
    SmallVector<Expr> sizes = getMixedExprs(context, op.getMixedSizes());
    llvm::SmallBitVector dropped = op.getDroppedDims();
    unsigned position = 0;
    SmallVector<Expr> source = context.getExtents(op.getSource());
    for (auto [dim, size] : llvm::enumerate(sizes)) {
      if (dropped.test(dim))
        continue;
      if (failed(
              context.unify(op, source[position], size,
                            "dimension " + Twine(position) + " of the source")))
        return failure();
      ++position;
    }
    return success();
  }
};

struct ConcatModel : OpModel<ConcatModel, tensor::ConcatOp> {
  LogicalResult rewrite(tensor::ConcatOp op, NormalizeContext &context) const {
    unsigned dim = op.getDim();
    SmallVector<Value> inputs;
    for (Value input : op.getInputs())
      inputs.push_back(context.lookup(input));
    SmallVector<Expr> extents = getExtents(inputs.front());
    for (auto [number, input] : llvm::enumerate(inputs)) {
      if (number == 0)
        continue;
      for (auto [d, extent] : llvm::enumerate(getExtents(input))) {
        if (d == dim)
          extents[d] = extents[d] + extent;
        else if (failed(context.unify(op, extent, extents[d],
                                      "dimension " + Twine(d) + " of operand " +
                                          Twine(number))))
          return failure();
      }
    }
    FailureOr<RankedTensorType> type =
        context.getResultType(op, op.getResult(), extents);
    if (failed(type))
      return failure();
    OpBuilder &builder = context.getBuilder();
    context.map(op.getResult(),
                dtensor::ConcatOp::create(builder, op.getLoc(), *type, inputs,
                                          builder.getI64IntegerAttr(dim)));
    return success();
  }
};

/// One scalar around the source.
struct PadModel : OpModel<PadModel, tensor::PadOp> {
  LogicalResult rewrite(tensor::PadOp op, NormalizeContext &context) const {
    Value scalar = op.getConstantPaddingValue();
    if (!scalar)
      return op.emitOpError() << "pads with values that depend on the position";
    if (!allKnown(context, op.getMixedLowPad()) ||
        !allKnown(context, op.getMixedHighPad()))
      return op.emitOpError()
             << "has a padding that is computed by the program; "
                "it must follow from extents";
    SmallVector<Expr> low = getMixedExprs(context, op.getMixedLowPad());
    SmallVector<Expr> high = getMixedExprs(context, op.getMixedHighPad());
    SmallVector<Expr> extents = context.getExtents(op.getSource());
    for (unsigned dim = 0; dim < extents.size(); ++dim)
      extents[dim] = extents[dim] + low[dim] + high[dim];
    FailureOr<RankedTensorType> type =
        context.getResultType(op, op.getResult(), extents);
    if (failed(type))
      return failure();
    Value result = context.lookup(op.getSource());
    Value padding = getPadding(op, scalar, context);
    for (unsigned dim = 0; dim < extents.size(); ++dim) {
      Value before = strip(op, result, padding, dim, low[dim], context);
      Value after = strip(op, result, padding, dim, high[dim], context);
      result = buildConcat(context, op.getLoc(), {before, result, after}, dim);
    }
    LayoutAttr layout = getLayout(*type);
    if (!getLayout(op.getResult()))
      *type =
          withLayout(*type, getLayout(result).withExtents(layout.getExtents()));
    FailureOr<Value> value = context.convert(op, result, *type, "the result");
    if (failed(value))
      return failure();
    context.map(op.getResult(), *value);
    return success();
  }

  static Value getPadding(tensor::PadOp op, Value scalar,
                          NormalizeContext &context) {
    Operation *literal = scalar.getDefiningOp();
    if (literal && op->isProperAncestor(literal))
      return context.getBuilder().clone(*literal)->getResult(0);
    return context.lookup(scalar);
  }

  static Value strip(tensor::PadOp op, Value beside, Value padding,
                     unsigned dim, Expr width, NormalizeContext &context) {
    if (width.isConstant(0))
      return {};
    SmallVector<Expr> extents = getExtents(beside);
    extents[dim] = width;
    auto type =
        context.getOpenType(cast<RankedTensorType>(beside.getType()), extents);
    return buildFull(context.getBuilder(), op.getLoc(), type, padding);
  }
};

} // namespace

void dtensor::attachTensorSliceModels(MLIRContext *context) {
  tensor::ExtractSliceOp::attachInterface<ExtractSliceModel>(*context);
  tensor::InsertSliceOp::attachInterface<InsertSliceModel>(*context);
  tensor::ConcatOp::attachInterface<ConcatModel>(*context);
  tensor::PadOp::attachInterface<PadModel>(*context);
}
