//===- AdaptivePool.cpp - averages of as many windows as wanted -----------===//
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

LogicalResult dtensor::inferAdaptivePool(Operation *op,
                                         ArrayRef<ExtentList> operands,
                                         const Facts &,
                                         SmallVectorImpl<ExtentList> &results) {
  SmallVector<int64_t> sizes = intList(op->getAttrOfType<ArrayAttr>("sizes"));
  if (sizes.empty() || sizes.size() > operands[0].size())
    return op->emitOpError("sizes has ")
           << sizes.size() << " entries for rank " << operands[0].size();
  for (int64_t size : sizes)
    if (size < 1)
      return op->emitOpError("size is ") << size << ", expected at least 1";
  ExtentList extents(ArrayRef(operands[0]).drop_back(sizes.size()));
  llvm::append_range(extents, toExprs(op->getContext(), sizes));
  results.push_back(extents);
  return success();
}

LogicalResult
dtensor::inferAdaptivePoolGrad(Operation *op, ArrayRef<ExtentList> operands,
                               const Facts &,
                               SmallVectorImpl<ExtentList> &results) {
  auto sizes = exprList(op, op->getAttrOfType<ArrayAttr>("sizes"));
  if (failed(sizes))
    return failure();
  if (sizes->empty() || sizes->size() > operands[0].size())
    return op->emitOpError("sizes has ")
           << sizes->size() << " entries for rank " << operands[0].size();
  for (Expr windows : ArrayRef(operands[0]).take_back(sizes->size()))
    if (Facts().proveLT(windows,
                        Expr::constant(getExprContext(op->getContext()), 1)))
      return op->emitOpError("has no windows");
  ExtentList extents(ArrayRef(operands[0]).drop_back(sizes->size()));
  llvm::append_range(extents, *sizes);
  results.push_back(extents);
  return success();
}

static LogicalResult verifyAdaptive(Operation *op) {
  Type element = scalarType(op->getOperand(0));
  if (!isa<FloatType>(element))
    return op->emitOpError("is not defined on element type ") << element;
  if (scalarType(op->getResult(0)) != element)
    return op->emitOpError("operand has element type ")
           << element << " and result " << scalarType(op->getResult(0));
  return verifyComposite(op);
}

LogicalResult dtensor::verifyAdaptivePool(Operation *op) {
  return verifyAdaptive(op);
}

LogicalResult dtensor::verifyAdaptivePoolGrad(Operation *op) {
  return verifyAdaptive(op);
}

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

/// What the loops of one op say of positions and windows.
namespace {
struct AdaptiveWindows {
  Operation *op;
  OpBuilder &builder;
  unsigned rank, space, first;
  /// Of the space: how many positions and how many windows there are.
  SmallVector<Value> positions, windows;
  Type wide;

  AdaptiveWindows(Operation *op, OpBuilder &builder, ArrayRef<Expr> positions,
                  ArrayRef<Expr> windows, unsigned rank)
      : op(op), builder(builder), rank(rank), space(positions.size()),
        first(rank - space),
        wide(accumulatorType(scalarType(op->getResult(0)))) {
    for (auto [position, window] : llvm::zip_equal(positions, windows)) {
      this->positions.push_back(buildExtent(builder, op->getLoc(), position));
      this->windows.push_back(buildExtent(builder, op->getLoc(), window));
    }
  }

  /// The leading loops, then loops `from` on.
  IteratorList dims(unsigned from) {
    IteratorList list = identityDims(first);
    for (unsigned i = 0; i < space; ++i)
      list.push_back(from + i);
    return list;
  }

  /// First position of the window that the loop says, and the one behind its
  /// last.
  std::pair<Value, Value> window(Scalars s, unsigned loop, unsigned i) {
    Value at = index(s, loop);
    Value next = s.mul(s.add(at, s.constant(at.getType(), 1)), positions[i]);
    return {arith::FloorDivSIOp::create(s.builder, s.loc,
                                        s.mul(at, positions[i]), windows[i]),
            arith::CeilDivSIOp::create(s.builder, s.loc, next, windows[i])};
  }

  /// `value` where all windows have their position, and nothing elsewhere.
  Value inside(Scalars s, unsigned windowLoop, unsigned positionLoop,
               Value value) {
    Value all = s.constant(s.builder.getI1Type(), 1);
    for (unsigned i = 0; i < space; ++i) {
      auto [begin, end] = window(s, windowLoop + i, i);
      Value at = index(s, positionLoop + i);
      all = s.minimum(all, s.compare("ge", at, begin));
      all = s.minimum(all, s.compare("lt", at, end));
    }
    Value none = arith::ConstantOp::create(
        s.builder, s.loc, getNeutralElement(ReduceKind::Sum, wide));
    return s.select(all, value, none);
  }

  /// How many positions the windows have.
  Value count(Scalars s, unsigned windowLoop) {
    Value count = s.constant(s.builder.getIndexType(), 1);
    for (unsigned i = 0; i < space; ++i) {
      auto [begin, end] = window(s, windowLoop + i, i);
      count = s.mul(count, s.sub(end, begin));
    }
    return s.cast(count, wide);
  }

private:
  static Value index(Scalars s, unsigned loop) {
    return IndexOp::create(s.builder, s.loc, s.builder.getIndexType(),
                           s.builder.getI64IntegerAttr(loop));
  }
};
} // namespace

/// A sum over all positions of what the windows' own positions have: one loop
/// per position and window, so that the positions may be sharded.
LogicalResult dtensor::decomposeAdaptivePool(Operation *op, OpBuilder &builder,
                                             ValueRange operands,
                                             TypeRange resultTypes,
                                             SmallVectorImpl<Value> &results) {
  auto type = cast<RankedTensorType>(resultTypes[0]);
  unsigned rank = type.getRank(),
           space = op->getAttrOfType<ArrayAttr>("sizes").size();
  ExtentList from = getExtents(operands[0]), to = getExtents(type);
  AdaptiveWindows adaptive(op, builder, ArrayRef(from).take_back(space),
                           ArrayRef(to).take_back(space), rank);
  Value sum =
      buildGeneric(builder, op->getLoc(), "adaptive_avg_pool", operands[0],
                   {adaptive.dims(rank)}, identityDims(rank), rank + space,
                   ReduceKind::Sum, openType(type, adaptive.wide, to),
                   [&](OpBuilder &b, Location loc, ValueRange args) {
                     Scalars s{b, loc};
                     return adaptive.inside(s, adaptive.first, rank,
                                            s.cast(args[0], adaptive.wide));
                   });
  results.push_back(buildGeneric(
      builder, op->getLoc(), "adaptive_avg_pool", sum, {identityDims(rank)},
      identityDims(rank), rank, ReduceKind::Sum, type,
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        return s.cast(s.div(args[0], adaptive.count(s, adaptive.first)),
                      type.getElementType());
      }));
  return success();
}

/// For each position a sum over the windows that have it.
LogicalResult
dtensor::decomposeAdaptivePoolGrad(Operation *op, OpBuilder &builder,
                                   ValueRange operands, TypeRange resultTypes,
                                   SmallVectorImpl<Value> &results) {
  auto type = cast<RankedTensorType>(resultTypes[0]);
  unsigned rank = type.getRank(),
           space = op->getAttrOfType<ArrayAttr>("sizes").size();
  ExtentList from = getExtents(operands[0]), to = getExtents(type);
  AdaptiveWindows adaptive(op, builder, ArrayRef(to).take_back(space),
                           ArrayRef(from).take_back(space), rank);
  Value sum =
      buildGeneric(builder, op->getLoc(), "adaptive_avg_pool_grad", operands[0],
                   {adaptive.dims(rank)}, identityDims(rank), rank + space,
                   ReduceKind::Sum, openType(type, adaptive.wide, to),
                   [&](OpBuilder &b, Location loc, ValueRange args) {
                     Scalars s{b, loc};
                     Value part = s.div(s.cast(args[0], adaptive.wide),
                                        adaptive.count(s, rank));
                     return adaptive.inside(s, rank, adaptive.first, part);
                   });
  results.push_back(buildCast(builder, op->getLoc(), sum, type));
  return success();
}
