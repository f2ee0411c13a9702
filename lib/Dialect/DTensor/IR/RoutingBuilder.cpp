//===- RoutingBuilder.cpp - tokens and the slots that they have -----------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RoutingBuilder.h"

#include "MatrixMethods.h"
#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "dtensor/Dialect/DTensor/IR/IndexingOps.h"
#include "dtensor/Dialect/DTensor/IR/ScatterOps.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace dtensor;

LogicalResult dtensor::checkRankAtLeast(Operation *op, StringRef what,
                                        size_t rank, size_t least) {
  if (rank >= least)
    return success();
  return op->emitOpError(what)
         << " has rank " << rank << ", expected at least " << least;
}

LogicalResult dtensor::checkLeading(Operation *op, StringRef what,
                                    ArrayRef<Expr> found,
                                    ArrayRef<Expr> expected, size_t rank,
                                    size_t count, const Facts &facts) {
  if (found.size() != rank)
    return op->emitOpError(what)
           << " has rank " << found.size() << ", expected " << rank;
  for (size_t dim = 0; dim < count; ++dim)
    if (failed(checkExtent(op, what + " dimension " + Twine(dim), found[dim],
                           expected[dim], facts)))
      return failure();
  return success();
}

LogicalResult dtensor::checkIntegers(Operation *op, StringRef what,
                                     Value value) {
  Type type = scalarType(value);
  if (type.isSignlessInteger() && !isBool(type))
    return success();
  return op->emitOpError(what)
         << " have element type " << type << ", expected integers";
}

//===----------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------===//

/// [group..., a, b, ...] -> [group..., a * b, ...]
Value RoutingBuilder::join(Value value) {
  ExtentList extents = getExtents(value);
  extents[groups] = extents[groups] * extents[groups + 1];
  extents.erase(extents.begin() + groups + 1);
  return core.reshape(value, extents);
}

Value RoutingBuilder::finish(Value value, Type type, ValueRange operands) {
  if (scalarType(value) != getElementTypeOrSelf(type))
    return buildCast(core.builder, core.loc, value, type);
  return core.declare(value, type, operands);
}

/// rows[group..., row(indices[group..., i]), d] for each i and d; 0 where the
/// row is -1.
Value RoutingBuilder::lookUp(Value rows, Value indices,
                             llvm::function_ref<Value(Scalars, Value)> row) {
  ExtentList extents = getExtents(indices);
  extents.push_back(getExtents(rows).back());
  unsigned rank = extents.size();
  Value wide =
      buildGeneric(core.builder, core.loc, "rows", indices,
                   {identityDims(rank - 1)}, identityDims(rank), rank,
                   ReduceKind::Sum, openType(rows.getType(), i64(), extents),
                   [&](OpBuilder &b, Location loc, ValueRange args) {
                     Scalars s{b, loc};
                     return row(s, s.cast(args[0], i64()));
                   });
  return GatherOp::create(core.builder, core.loc,
                          openType(rows.getType(), scalarType(rows), extents),
                          rows, wide, groups);
}

Value RoutingBuilder::index(OpBuilder &b, Location loc, unsigned loop) {
  return IndexOp::create(b, loc, b.getIndexType(), b.getI64IntegerAttr(loop));
}

Value RoutingBuilder::sourcesOf(Value slots, Expr count) {
  Value flat = join(slots);
  unsigned rank = groups + 1;
  ExtentList extents = getExtents(flat);
  Type like = slots.getType();
  Value numbers =
      buildGeneric(core.builder, core.loc, "token", {}, {}, identityDims(rank),
                   rank, ReduceKind::Sum, openType(like, i64(), extents),
                   [&](OpBuilder &b, Location loc, ValueRange) {
                     return Scalars{b, loc}.cast(index(b, loc, groups), i64());
                   });
  extents[groups] = count;
  Type type = openType(like, i64(), extents);
  Value none =
      core.fill(Scalars{core.builder, core.loc}.constant(i64(), -1), type);
  return ScatterOp::create(core.builder, core.loc, type, none, flat, numbers,
                           Value(), groups, false, false);
}

Value RoutingBuilder::lookUpTokens(Value tokens, Value sources, Expr choices) {
  Value each = Scalars{core.builder, core.loc}.cast(
      buildExtent(core.builder, core.loc, choices), i64());
  return lookUp(tokens, sources, [&](Scalars s, Value source) {
    Value missing = s.compare("lt", source, s.constant(i64(), 0));
    return s.select(missing, s.constant(i64(), -1), s.div(source, each));
  });
}

Value RoutingBuilder::lookUpSlots(Value buffers, Value slots) {
  Value rows = lookUp(join(buffers), join(slots),
                      [](Scalars, Value slot) { return slot; });
  ExtentList extents = getExtents(slots);
  extents.push_back(getExtents(buffers).back());
  return core.reshape(rows, extents);
}

Value RoutingBuilder::multiply(StringRef label, ValueRange inputs,
                               ArrayRef<IteratorList> dims,
                               const IteratorList &resultDims, unsigned loops,
                               Type type) {
  Type wide = accumulatorType(getElementTypeOrSelf(type));
  return buildProduct(core.builder, core.loc, label, inputs, dims, resultDims,
                      loops, openType(type, wide, getExtents(type)));
}
