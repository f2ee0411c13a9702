//===- ShapingOps.cpp - parts, joins and rearrangements -------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ShapingMethods.h"

#include "CoreBuilders.h"
#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dtensor;

static Value asI64(CoreBuilder core, Expr expr) {
  return Scalars{core.builder, core.loc}.cast(
      buildExtent(core.builder, core.loc, expr), core.builder.getI64Type());
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

static Value decomposeSelect(SelectOp op, CoreBuilder core, Value input,
                             Type type) {
  Expr index = *exprOf(op, op.getIndex());
  core.check("the index of select", index, getExtents(input)[op.getDim()] - 1);
  core.check("minus the index of select", index * -1, core.number(0));
  return core.reshapeTo(core.part(input, op.getDim(), index, core.number(1)),
                        type);
}

/// The same tensor, stated to have the extent `extent` along `dim`: a check
/// when the program starts unless that can be proved.
static Value withExtent(CoreBuilder core, Value input, unsigned dim,
                        Expr extent) {
  ExtentList extents = getExtents(input);
  if (extents[dim] == extent)
    return input;
  extents[dim] = extent;
  return core.declare(
      input, openType(input.getType(), scalarType(input), extents), input);
}

static void decomposeUnbind(UnbindOp op, CoreBuilder core, Value input,
                            TypeRange types, SmallVectorImpl<Value> &results) {
  input = withExtent(core, input, op.getDim(), core.number(types.size()));
  for (auto [index, type] : llvm::enumerate(types)) {
    Value row =
        core.part(input, op.getDim(), core.number(index), core.number(1));
    results.push_back(core.reshapeTo(row, type));
  }
}

/// Consecutive parts, as large as the results.
static void decomposeParts(unsigned dim, CoreBuilder core, Value input,
                           ArrayRef<Expr> sizes, TypeRange types,
                           SmallVectorImpl<Value> &results) {
  Expr extent = getExtents(input)[dim], start = core.number(0);
  for (auto [size, type] : llvm::zip_equal(sizes, types)) {
    // A part behind the end is empty and begins at the end.
    Expr from = Facts().proveLE(start, extent) ? start : min(start, extent);
    results.push_back(core.part(input, dim, from, size, type));
    start = start + size;
  }
}

/// x = a * sigmoid(b) with a and b the halves [2, n] of the dimension.
static Value decomposeGlu(GluOp op, CoreBuilder core, Value input, Type type) {
  unsigned dim = op.getDim();
  ExtentList extents = getExtents(type), split = extents;
  split.insert(split.begin() + dim, core.number(2));
  Value pairs = core.reshape(input, split);
  SmallVector<Value> halves;
  for (int64_t half : {0, 1})
    halves.push_back(core.reshape(
        core.part(pairs, dim, core.number(half), core.number(1)), extents));
  unsigned rank = extents.size();
  Type element = scalarType(input), wide = accumulatorType(element);
  return buildGeneric(
      core.builder, core.loc, "glu", halves,
      {identityDims(rank), identityDims(rank)}, identityDims(rank), rank,
      ReduceKind::Sum, type, [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        Value gate = s.cast(args[1], wide), one = s.constant(wide, 1);
        Value exp = math::ExpOp::create(b, loc, s.neg(gate));
        return s.cast(s.div(s.cast(args[0], wide), s.add(one, exp)), element);
      });
}

//===----------------------------------------------------------------------===//
// Joins
//===----------------------------------------------------------------------===//

static Value decomposeStack(StackOp op, CoreBuilder core, ValueRange inputs,
                            Type type) {
  SmallVector<Value> parts;
  for (Value input : inputs) {
    ExtentList extents = getExtents(input);
    extents.insert(extents.begin() + op.getDim(), core.number(1));
    parts.push_back(core.reshape(input, extents));
  }
  return core.concat(parts, op.getDim(), type);
}

static Value decomposePad(PadOp op, CoreBuilder core, ValueRange operands,
                          Type type) {
  ExtentList low = *exprList(op, op.getLow()),
             high = *exprList(op, op.getHigh());
  Value result = operands[0];
  auto border = [&](unsigned dim, Expr size) {
    ExtentList extents = getExtents(result);
    extents[dim] = size;
    return core.fill(operands[1],
                     openType(type, scalarType(operands[0]), extents));
  };
  for (unsigned dim = 0; dim < low.size(); ++dim) {
    SmallVector<Value> parts;
    if (!low[dim].isConstant(0))
      parts.push_back(border(dim, low[dim]));
    parts.push_back(result);
    if (!high[dim].isConstant(0))
      parts.push_back(border(dim, high[dim]));
    if (parts.size() > 1)
      result = core.concat(parts, dim);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Rearrangements
//===----------------------------------------------------------------------===//

static Value decomposeFlip(FlipOp op, CoreBuilder core, Value input) {
  ExtentList extents = getExtents(input);
  for (int64_t dim : intList(op.getDims())) {
    Value last = asI64(core, extents[dim] - 1);
    input = core.select(input, dim, extents[dim],
                        [&](Scalars s, Value i) { return s.sub(last, i); });
  }
  return input;
}

/// y[i] = x[(i - shift) mod extent], with the shift brought into range first.
static Value decomposeRoll(RollOp op, CoreBuilder core, Value input) {
  ExtentList extents = getExtents(input),
             shifts = *exprList(op, op.getShifts());
  for (auto [dim, shift] : llvm::zip_equal(intList(op.getDims()), shifts)) {
    Scalars outer{core.builder, core.loc};
    Value extent = asI64(core, extents[dim]), by = asI64(core, shift);
    Value zero = outer.constant(by.getType(), 0);
    by = outer.sub(by, outer.mul(extent, outer.div(by, extent)));
    by = outer.select(outer.compare("lt", by, zero), outer.add(by, extent), by);
    input = core.select(input, dim, extents[dim], [&](Scalars s, Value i) {
      Value from = s.sub(i, by);
      Value low = s.compare("lt", from, s.constant(from.getType(), 0));
      return s.select(low, s.add(from, extent), from);
    });
  }
  return input;
}

static Value decomposeRepeat(RepeatOp op, CoreBuilder core, Value input,
                             Type type) {
  ExtentList repeats = *exprList(op, op.getRepeats());
  ExtentList extents = getExtents(input);
  unsigned added = repeats.size() - extents.size();
  for (unsigned dim = 0; dim < extents.size(); ++dim) {
    Expr times = repeats[added + dim];
    if (times.isConstant(1))
      continue;
    Value extent = asI64(core, extents[dim]);
    input =
        core.select(input, dim, extents[dim] * times, [&](Scalars s, Value i) {
          return s.sub(i, s.mul(extent, s.div(i, extent)));
        });
  }
  if (!added)
    return input;
  IteratorList dims;
  for (unsigned dim = 0; dim < extents.size(); ++dim)
    dims.push_back(added + dim);
  return buildGeneric(
      core.builder, core.loc, "repeat", input, {dims},
      identityDims(repeats.size()), repeats.size(), ReduceKind::Sum, type,
      [](OpBuilder &, Location, ValueRange args) { return args[0]; });
}

static Value decomposeInterleave(RepeatInterleaveOp op, CoreBuilder core,
                                 Value input, Type type) {
  Value times = asI64(core, *exprOf(op, op.getRepeats()));
  return core.select(
      input, op.getDim(), getExtents(type)[op.getDim()],
      [&](Scalars s, Value i) { return s.div(i, times); }, type);
}

static Value decomposeTriangle(Operation *op, CoreBuilder core, Value input,
                               Type type) {
  unsigned rank = cast<RankedTensorType>(type).getRank();
  int64_t diagonal = op->getAttrOfType<IntegerAttr>("diagonal").getInt();
  return buildGeneric(
      core.builder, core.loc, op->getName().stripDialect(), input,
      {identityDims(rank)}, identityDims(rank), rank, ReduceKind::Sum, type,
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        auto position = [&](unsigned dim) -> Value {
          return IndexOp::create(b, loc, b.getIndexType(),
                                 b.getI64IntegerAttr(dim));
        };
        Value above = s.sub(position(rank - 1), position(rank - 2));
        Value bound = arith::ConstantIndexOp::create(b, loc, diagonal);
        Value keep = s.compare(isa<TrilOp>(op) ? "le" : "ge", above, bound);
        return s.select(keep, args[0], s.constant(args[0].getType(), 0));
      });
}

/// [..., M, N] flattened to [..., M*N]: the diagonal is every (N + 1)-th
/// element.
static Value decomposeDiagonal(DiagonalOp op, CoreBuilder core, Value input,
                               Type type) {
  unsigned rank = cast<RankedTensorType>(input.getType()).getRank();
  int64_t row = op.getDim1(), column = op.getDim2(), offset = op.getOffset();
  SmallVector<int64_t> permutation;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (dim != row && dim != column)
      permutation.push_back(dim);
  permutation.append({row, column});
  input = core.permute(input, permutation);
  ExtentList extents = getExtents(input);
  Expr rows = extents[rank - 2], columns = extents[rank - 1];
  extents.pop_back();
  extents.back() = rows * columns;
  input = core.reshape(input, extents);
  ExtentList starts(rank - 1, core.number(0)), steps(rank - 1, core.number(1));
  starts.back() = offset >= 0 ? core.number(offset)
                              : core.number(offset) * core.number(-1) * columns;
  // Where the diagonal is empty, nothing is read.
  starts.back() = min(starts.back(), extents.back());
  steps.back() = columns + 1;
  return core.slice(input, starts, getExtents(type), steps, type);
}

static Value decomposeOneHot(OneHotOp op, CoreBuilder core, Value input,
                             Type type) {
  unsigned rank = cast<RankedTensorType>(type).getRank();
  Type element = getElementTypeOrSelf(type);
  return buildGeneric(
      core.builder, core.loc, "one_hot", input, {identityDims(rank - 1)},
      identityDims(rank), rank, ReduceKind::Sum, type,
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        Value position = IndexOp::create(b, loc, b.getIndexType(),
                                         b.getI64IntegerAttr(rank - 1));
        Value index = s.cast(args[0], b.getIndexType());
        return s.cast(s.compare("eq", index, position), element);
      });
}

//===----------------------------------------------------------------------===//
// The methods of all of them
//===----------------------------------------------------------------------===//

static Value decomposeSingle(Operation *op, CoreBuilder core,
                             ValueRange operands, Type type) {
  Value input = operands[0];
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](SelectOp op) { return decomposeSelect(op, core, input, type); })
      .Case([&](GluOp op) { return decomposeGlu(op, core, input, type); })
      .Case(
          [&](StackOp op) { return decomposeStack(op, core, operands, type); })
      .Case([&](PadOp op) { return decomposePad(op, core, operands, type); })
      .Case([&](FlipOp op) { return decomposeFlip(op, core, input); })
      .Case([&](RollOp op) { return decomposeRoll(op, core, input); })
      .Case([&](RepeatOp op) { return decomposeRepeat(op, core, input, type); })
      .Case([&](RepeatInterleaveOp op) {
        return decomposeInterleave(op, core, input, type);
      })
      .Case<TrilOp, TriuOp>(
          [&](auto op) { return decomposeTriangle(op, core, input, type); })
      .Case([&](DiagonalOp op) {
        return decomposeDiagonal(op, core, input, type);
      })
      .Case(
          [&](OneHotOp op) { return decomposeOneHot(op, core, input, type); });
}

LogicalResult dtensor::decomposeShaping(Operation *op, OpBuilder &builder,
                                        ValueRange operands,
                                        TypeRange resultTypes,
                                        SmallVectorImpl<Value> &results) {
  CoreBuilder core{builder, op->getLoc()};
  if (auto unbind = dyn_cast<UnbindOp>(op)) {
    decomposeUnbind(unbind, core, operands[0], resultTypes, results);
    return success();
  }
  if (isa<SplitOp, ChunkOp>(op)) {
    unsigned dim = op->getAttrOfType<IntegerAttr>("dim").getInt();
    ExtentList sizes;
    for (Type type : resultTypes)
      sizes.push_back(getExtents(type)[dim]);
    Value input = operands[0];
    if (isa<SplitOp>(op)) {
      Expr total = core.number(0);
      for (Expr size : sizes)
        total = total + size;
      input = withExtent(core, input, dim, total);
    }
    decomposeParts(dim, core, input, sizes, resultTypes, results);
    return success();
  }
  Value result = decomposeSingle(op, core, operands, resultTypes[0]);
  results.push_back(core.declare(result, resultTypes[0], operands));
  return success();
}
