//===- OrderedComposites.cpp - scans, additions at indices ----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CoreBuilders.h"
#include "OrderedMethods.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace dtensor;

static int64_t getDim(Operation *op) {
  return op->getAttrOfType<IntegerAttr>("dim").getInt();
}

//===----------------------------------------------------------------------===//
// Extents and types
//===----------------------------------------------------------------------===//

/// The shape that the indices have in common.
static FailureOr<ExtentList>
indexShape(IndexPutOp op, ArrayRef<ExtentList> operands, const Facts &facts) {
  ArrayRef<ExtentList> indices = operands.drop_front(2);
  if (indices.empty() || indices.size() > operands[0].size())
    return op.emitOpError("has ")
           << indices.size() << " indices for rank " << operands[0].size();
  for (auto [number, index] : llvm::enumerate(indices)) {
    if (index.size() != indices[0].size())
      return op.emitOpError("index ") << number << " has rank " << index.size()
                                      << ", expected " << indices[0].size();
    for (auto [dim, extent] : llvm::enumerate(index))
      if (failed(checkExtent(
              op, "index " + Twine(number) + " dimension " + Twine(dim), extent,
              indices[0][dim], facts)))
        return failure();
  }
  return indices[0];
}

static LogicalResult checkIndexPut(IndexPutOp op, ArrayRef<ExtentList> operands,
                                   const Facts &facts) {
  auto shape = indexShape(op, operands, facts);
  if (failed(shape))
    return failure();
  llvm::append_range(*shape,
                     ArrayRef(operands[0]).drop_front(operands.size() - 2));
  if (shape->size() != operands[1].size())
    return op.emitOpError("values have rank ")
           << operands[1].size() << ", expected " << shape->size();
  for (auto [dim, extent] : llvm::enumerate(operands[1]))
    if (failed(checkExtent(op, "values dimension " + Twine(dim), extent,
                           (*shape)[dim], facts)))
      return failure();
  return success();
}

LogicalResult dtensor::inferOrdered(Operation *op,
                                    ArrayRef<ExtentList> operands,
                                    const Facts &facts,
                                    SmallVectorImpl<ExtentList> &results) {
  LogicalResult checked = success();
  if (auto put = dyn_cast<IndexPutOp>(op))
    checked = checkIndexPut(put, operands, facts);
  else if (isa<ScatterAddOp, IndexAddOp>(op))
    checked = checkScatter(op, operands[0], operands[1], operands[2],
                           getDim(op), isa<IndexAddOp>(op), facts);
  else
    checked = checkDim(op, "dim", getDim(op), operands[0].size());
  results.push_back(operands[0]);
  return checked;
}

static LogicalResult checkIndices(Operation *op, Value indices) {
  Type type = scalarType(indices);
  if (type.isIntOrIndex() && !isBool(type))
    return success();
  return op->emitOpError("indices have element type ")
         << type << ", expected integers";
}

static LogicalResult verifyScanLike(Operation *op) {
  Type from = scalarType(op->getOperand(0)), to = scalarType(op->getResult(0));
  bool fits =
      from == to || (from.isSignlessInteger() && to.isSignlessInteger() &&
                     from.getIntOrFloatBitWidth() < to.getIntOrFloatBitWidth());
  if (!fits || isBool(to))
    return op->emitOpError("cannot accumulate ")
           << from << " in the result's element type " << to;
  return verifyComposite(op);
}

LogicalResult dtensor::verifyOrdered(Operation *op) {
  if (isa<CumsumOp, CumprodOp>(op))
    return verifyScanLike(op);
  auto put = dyn_cast<IndexPutOp>(op);
  Value updates = op->getOperand(put ? 1 : 2);
  SmallVector<Value> indexed = {op->getOperand(1)};
  if (put)
    indexed = llvm::to_vector_of<Value>(put.getIndices());
  for (Value indices : indexed)
    if (failed(checkIndices(op, indices)))
      return failure();
  Type type = scalarType(op->getResult(0));
  for (Value value : {op->getOperand(0), updates})
    if (scalarType(value) != type)
      return op->emitOpError("operand has element type ")
             << scalarType(value) << " and result " << type;
  if (isBool(type) && (!put || put.getAccumulate()))
    return op->emitOpError("cannot add elements of type ") << type;
  return verifyComposite(op);
}

//===----------------------------------------------------------------------===//
// Decomposition
//===----------------------------------------------------------------------===//

static Value decomposeScanLike(Operation *op, CoreBuilder core, Value input,
                               Type type) {
  Type wide = accumulatorType(getElementTypeOrSelf(type));
  Type open = openType(type, wide, getExtents(type));
  Value value = input;
  if (scalarType(input) != wide)
    value = buildCast(core.builder, core.loc, input, open);
  value = ScanOp::create(
      core.builder, core.loc, wide == getElementTypeOrSelf(type) ? type : open,
      value, getDim(op), isa<CumsumOp>(op) ? "sum" : "product");
  return buildCast(core.builder, core.loc, value, type);
}

/// input + the sum of the updates at the indices, of the type `type`.
static Value buildAddAt(CoreBuilder core, Value input, Value indices,
                        Value updates, int64_t dim, bool rows, Type type) {
  OpBuilder &builder = core.builder;
  Type element = scalarType(input), wide = accumulatorType(element);
  ExtentList extents = getExtents(input);
  if (element != wide)
    updates = buildCast(builder, core.loc, updates,
                        openType(type, wide, getExtents(updates)));
  Value sum =
      ScatterSumOp::create(builder, core.loc, openType(type, wide, extents),
                           indices, updates, builder.getI64IntegerAttr(dim),
                           ExprAttr::get(builder.getContext(), extents[dim]),
                           rows ? builder.getUnitAttr() : UnitAttr());
  unsigned rank = extents.size();
  return buildGeneric(
      builder, core.loc, "add", {input, sum},
      {identityDims(rank), identityDims(rank)}, identityDims(rank), rank,
      ReduceKind::Sum, type, [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        return s.cast(s.add(s.cast(args[0], wide), args[1]), element);
      });
}

/// The row-major position of a tuple of indices, -1 if one is out of range.
static Value buildLinearIndex(IndexPutOp op, CoreBuilder core,
                              ValueRange indices, ArrayRef<Expr> extents) {
  Type i64 = core.builder.getI64Type();
  SmallVector<Value> sizes;
  for (Expr extent : extents)
    sizes.push_back(Scalars{core.builder, core.loc}.cast(
        buildExtent(core.builder, core.loc, extent), i64));
  ExtentList shape = getExtents(indices[0]);
  unsigned rank = shape.size();
  SmallVector<IteratorList> dims(indices.size(), identityDims(rank));
  return buildGeneric(core.builder, core.loc, "index", indices, dims,
                      identityDims(rank), rank, ReduceKind::Sum,
                      openType(indices[0].getType(), i64, shape),
                      [&](OpBuilder &b, Location loc, ValueRange args) {
                        Scalars s{b, loc};
                        Value zero = s.constant(i64, 0), position = zero;
                        Value inside = s.constant(b.getI1Type(), 1);
                        for (auto [arg, size] : llvm::zip_equal(args, sizes)) {
                          Value index = s.cast(arg, i64);
                          Value good = s.minimum(s.compare("ge", index, zero),
                                                 s.compare("lt", index, size));
                          inside = s.minimum(inside, good);
                          position = s.add(s.mul(position, size), index);
                        }
                        return s.select(inside, position, s.constant(i64, -1));
                      });
}

static Value decomposeIndexPut(IndexPutOp op, CoreBuilder core,
                               ValueRange operands, Type type) {
  Value input = operands[0], values = operands[1];
  ValueRange indices = operands.drop_front(2);
  ExtentList full = getExtents(input);
  ArrayRef<Expr> indexed = ArrayRef(full).take_front(indices.size());
  Value index = indices[0], target = input;
  Type targetType = type;
  if (indices.size() > 1) {
    index = buildLinearIndex(op, core, indices, indexed);
    ExtentList flat = {
        product(getExprContext(core.builder.getContext()), indexed)};
    llvm::append_range(flat, ArrayRef(full).drop_front(indices.size()));
    target = core.reshape(input, flat);
    targetType = target.getType();
  }
  Value result;
  if (op.getAccumulate())
    result = buildAddAt(core, target, index, values, 0, true, targetType);
  else
    result = ScatterOp::create(core.builder, core.loc, targetType, target,
                               index, values, Value(), 0, true, false);
  return indices.size() > 1 ? core.reshapeTo(result, type) : result;
}

LogicalResult dtensor::decomposeOrdered(Operation *op, OpBuilder &builder,
                                        ValueRange operands,
                                        TypeRange resultTypes,
                                        SmallVectorImpl<Value> &results) {
  CoreBuilder core{builder, op->getLoc()};
  Type type = resultTypes[0];
  if (auto put = dyn_cast<IndexPutOp>(op))
    results.push_back(decomposeIndexPut(put, core, operands, type));
  else if (isa<CumsumOp, CumprodOp>(op))
    results.push_back(decomposeScanLike(op, core, operands[0], type));
  else
    results.push_back(buildAddAt(core, operands[0], operands[1], operands[2],
                                 getDim(op), isa<IndexAddOp>(op), type));
  return success();
}
