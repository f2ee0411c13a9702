//===- RoutingOps.cpp - mixtures of experts -------------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A slot is counted, and rows are looked up: the numbers of tokens are written
// into the slots, and each slot takes the row of its token.
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/RoutingOps.h"

#include "CoreBuilders.h"
#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "dtensor/Dialect/DTensor/IR/IndexingOps.h"
#include "dtensor/Dialect/DTensor/IR/ScatterOps.h"

using namespace mlir;
using namespace dtensor;

static LogicalResult checkRank(Operation *op, StringRef what, size_t rank,
                               size_t least) {
  if (rank >= least)
    return success();
  return op->emitOpError(what)
         << " has rank " << rank << ", expected at least " << least;
}

/// The first `count` dimensions of `found` are those of `expected`.
static LogicalResult checkLeading(Operation *op, StringRef what,
                                  ArrayRef<Expr> found, ArrayRef<Expr> expected,
                                  size_t rank, size_t count,
                                  const Facts &facts) {
  if (found.size() != rank)
    return op->emitOpError(what)
           << " has rank " << found.size() << ", expected " << rank;
  for (size_t dim = 0; dim < count; ++dim)
    if (failed(checkExtent(op, what + " dimension " + Twine(dim), found[dim],
                           expected[dim], facts)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Extents
//===----------------------------------------------------------------------===//

/// The attributes `count` and `capacity`.
static FailureOr<std::pair<Expr, Expr>> buffersOf(Operation *op) {
  int64_t count = op->getAttrOfType<IntegerAttr>("count").getInt();
  if (count < 1)
    return op->emitOpError("count is ") << count << ", expected at least 1";
  auto capacity = exprOf(op, op->getAttr("capacity"));
  if (failed(capacity))
    return failure();
  ExprContext &context = getExprContext(op->getContext());
  if (Facts().proveLT(*capacity, Expr::constant(context, 0)))
    return op->emitOpError("capacity ") << capacity->str() << " is negative";
  return std::pair(Expr::constant(context, count), *capacity);
}

static LogicalResult inferDispatch(Operation *op, ArrayRef<ExtentList> operands,
                                   const Facts &facts, ExtentList &result) {
  ArrayRef<Expr> tokens = operands[0];
  size_t rank = tokens.size();
  if (failed(checkRank(op, "tokens", rank, 2)) ||
      failed(checkLeading(op, "slots", operands[1], tokens, rank, rank - 1,
                          facts)))
    return failure();
  auto buffers = buffersOf(op);
  if (failed(buffers))
    return failure();
  result = ExtentList(tokens.drop_back(2));
  result.append({buffers->first, buffers->second, tokens.back()});
  return success();
}

static LogicalResult inferCombine(Operation *op, ArrayRef<ExtentList> operands,
                                  const Facts &facts, ExtentList &result) {
  ArrayRef<Expr> buffers = operands[0], slots = operands[1];
  if (failed(checkRank(op, "buffers", buffers.size(), 3)))
    return failure();
  size_t rank = buffers.size() - 1;
  if (failed(
          checkLeading(op, "slots", slots, buffers, rank, rank - 2, facts)) ||
      failed(
          checkLeading(op, "weights", operands[2], slots, rank, rank, facts)))
    return failure();
  result = ExtentList(slots.drop_back());
  result.push_back(buffers.back());
  return success();
}

static LogicalResult inferGrouped(Operation *op, ArrayRef<ExtentList> operands,
                                  const Facts &facts, ExtentList &result) {
  ArrayRef<Expr> lhs = operands[0], rhs = operands[1];
  if (failed(checkRank(op, "lhs", lhs.size(), 3)))
    return failure();
  if (rhs.size() != 3)
    return op->emitOpError("rhs has rank ") << rhs.size() << ", expected 3";
  if (failed(checkExtent(op, "rhs dimension 0", rhs[0], lhs[lhs.size() - 3],
                         facts)) ||
      failed(checkExtent(op, "rhs dimension 1", rhs[1], lhs.back(), facts)))
    return failure();
  result = ExtentList(lhs.drop_back());
  result.push_back(rhs[2]);
  return success();
}

static LogicalResult inferRouting(Operation *op, ArrayRef<ExtentList> operands,
                                  const Facts &facts,
                                  SmallVectorImpl<ExtentList> &results) {
  ExtentList &result = results.emplace_back();
  if (isa<DispatchOp>(op))
    return inferDispatch(op, operands, facts, result);
  if (isa<CombineOp>(op))
    return inferCombine(op, operands, facts, result);
  if (isa<GroupedMatmulOp>(op))
    return inferGrouped(op, operands, facts, result);
  result = operands[0];
  if (failed(checkRank(op, "experts", result.size(), 2)))
    return failure();
  return failure(failed(buffersOf(op)));
}

static LogicalResult checkIntegers(Operation *op, StringRef what, Value value) {
  Type type = scalarType(value);
  if (type.isSignlessInteger() && !isBool(type))
    return success();
  return op->emitOpError(what)
         << " have element type " << type << ", expected integers";
}

static LogicalResult verifyRouting(Operation *op) {
  if (!isa<RouteSlotsOp, GroupedMatmulOp>(op) &&
      failed(checkIntegers(op, "slots", op->getOperand(1))))
    return failure();
  if (isa<RouteSlotsOp>(op) &&
      failed(checkIntegers(op, "experts", op->getOperand(0))))
    return failure();
  Type element = scalarType(op->getResult(0));
  SmallVector<Value> same = {op->getOperand(0)};
  if (isa<CombineOp, GroupedMatmulOp>(op))
    same.push_back(op->getOperands().back());
  for (Value value : same)
    if (scalarType(value) != element)
      return op->emitOpError("operand has element type ")
             << scalarType(value) << " and result " << element;
  if (isa<CombineOp, GroupedMatmulOp>(op) && !isa<FloatType>(element))
    return op->emitOpError("is not defined on element type ") << element;
  return verifyComposite(op);
}

//===----------------------------------------------------------------------===//
// Decomposition
//===----------------------------------------------------------------------===//

namespace {
/// Decomposes one op. `groups` leading dimensions are shared by all tensors.
struct RoutingBuilder {
  Operation *op;
  CoreBuilder core;
  unsigned groups;

  Value route(Value experts, Type type);
  Value dispatch(Value tokens, Value slots, Type type);
  Value combine(Value buffers, Value slots, Value weights, Type type);
  Value grouped(Value lhs, Value rhs, Type type);

private:
  Value join(Value value);
  Value lookUp(Value rows, Value indices,
               llvm::function_ref<Value(Scalars, Value)> row);
  Value finish(Value value, Type type, ValueRange operands);
  Type i64() { return core.builder.getI64Type(); }
  Value index(OpBuilder &b, Location loc, unsigned loop) {
    return IndexOp::create(b, loc, b.getIndexType(), b.getI64IntegerAttr(loop));
  }
};
} // namespace

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

/// Counts who had the same expert before; loops are [group..., S*K, E].
Value RoutingBuilder::route(Value experts, Type type) {
  auto [count, capacity] = *buffersOf(op);
  Value flat = join(experts);
  ExtentList extents = getExtents(flat);
  extents.push_back(count);
  unsigned rank = groups + 2;
  IteratorList tokens = identityDims(rank - 1);
  Type openOnes = openType(type, i64(), extents);
  Value ones = buildGeneric(
      core.builder, core.loc, "route_one_hot", flat, {tokens},
      identityDims(rank), rank, ReduceKind::Sum, openOnes,
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        Value expert = s.cast(index(b, loc, rank - 1), i64());
        Value here = s.compare("eq", s.cast(args[0], i64()), expert);
        return s.select(here, s.constant(i64(), 1), s.constant(i64(), 0));
      });
  Value counts = ScanOp::create(core.builder, core.loc, openOnes, ones, groups,
                                stringify(ReduceKind::Sum));
  Value slots = Scalars{core.builder, core.loc}.cast(
      buildExtent(core.builder, core.loc, capacity), i64());
  extents.pop_back();
  Value chosen = buildGeneric(
      core.builder, core.loc, "route_slots", {flat, counts},
      {tokens, identityDims(rank)}, tokens, rank, ReduceKind::Max,
      openType(type, i64(), extents),
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        Value expert = s.cast(index(b, loc, rank - 1), i64());
        Value slot = s.sub(args[1], s.constant(i64(), 1));
        Value here = s.minimum(s.compare("eq", s.cast(args[0], i64()), expert),
                               s.compare("lt", slot, slots));
        return s.select(here, s.add(s.mul(expert, slots), slot),
                        s.constant(i64(), -1));
      });
  return finish(core.reshape(chosen, getExtents(type)), type, experts);
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

Value RoutingBuilder::dispatch(Value tokens, Value slots, Type type) {
  auto [count, capacity] = *buffersOf(op);
  Expr choices = getExtents(slots).back();
  Value flat = join(slots);
  unsigned rank = groups + 1;
  ExtentList extents = getExtents(flat);
  Value numbers =
      buildGeneric(core.builder, core.loc, "token", {}, {}, identityDims(rank),
                   rank, ReduceKind::Sum, openType(type, i64(), extents),
                   [&](OpBuilder &b, Location loc, ValueRange) {
                     return Scalars{b, loc}.cast(index(b, loc, groups), i64());
                   });
  extents[groups] = count * capacity;
  Type bufferType = openType(type, i64(), extents);
  Value none = core.fill(Scalars{core.builder, core.loc}.constant(i64(), -1),
                         bufferType);
  Value sources =
      ScatterOp::create(core.builder, core.loc, bufferType, none, flat, numbers,
                        Value(), groups, false, false);
  Value each = Scalars{core.builder, core.loc}.cast(
      buildExtent(core.builder, core.loc, choices), i64());
  Value rows = lookUp(tokens, sources, [&](Scalars s, Value source) {
    Value missing = s.compare("lt", source, s.constant(i64(), 0));
    return s.select(missing, s.constant(i64(), -1), s.div(source, each));
  });
  return core.reshapeTo(rows, type);
}

Value RoutingBuilder::combine(Value buffers, Value slots, Value weights,
                              Type type) {
  Type element = scalarType(buffers), wide = accumulatorType(element);
  Value rows = lookUp(join(buffers), join(slots),
                      [](Scalars, Value slot) { return slot; });
  ExtentList extents = getExtents(slots);
  extents.push_back(getExtents(buffers).back());
  Value chosen = core.reshape(rows, extents);
  // [group..., s, k, d]
  unsigned rank = extents.size();
  IteratorList result = identityDims(rank);
  result.erase(result.end() - 2);
  Value sum =
      buildGeneric(core.builder, core.loc, "combine", {chosen, weights},
                   {identityDims(rank), identityDims(rank - 1)}, result, rank,
                   ReduceKind::Sum, openType(type, wide, getExtents(type)),
                   [&](OpBuilder &b, Location loc, ValueRange args) {
                     Scalars s{b, loc};
                     return s.mul(s.cast(args[0], wide), s.cast(args[1], wide));
                   });
  return finish(sum, type, {buffers, slots, weights});
}

/// Loops are [group..., e, c, f, d].
Value RoutingBuilder::grouped(Value lhs, Value rhs, Type type) {
  Type wide = accumulatorType(getElementTypeOrSelf(type));
  int64_t e = groups, c = e + 1, f = e + 2, d = e + 3;
  IteratorList left = identityDims(groups);
  left.append({e, c, d});
  Value product =
      buildGeneric(core.builder, core.loc, "grouped_matmul", {lhs, rhs},
                   {left, {e, d, f}}, identityDims(groups + 3), groups + 4,
                   ReduceKind::Sum, openType(type, wide, getExtents(type)),
                   [&](OpBuilder &b, Location loc, ValueRange args) {
                     Scalars s{b, loc};
                     return s.mul(s.cast(args[0], wide), s.cast(args[1], wide));
                   });
  return finish(product, type, {lhs, rhs});
}

static LogicalResult decomposeRouting(Operation *op, OpBuilder &builder,
                                      ValueRange operands,
                                      TypeRange resultTypes,
                                      SmallVectorImpl<Value> &results) {
  unsigned rank = cast<RankedTensorType>(operands[0].getType()).getRank();
  bool hasBuffers = isa<CombineOp, GroupedMatmulOp>(op);
  RoutingBuilder routing{
      op, {builder, op->getLoc()}, rank - (hasBuffers ? 3 : 2)};
  Type type = resultTypes[0];
  if (isa<RouteSlotsOp>(op))
    results.push_back(routing.route(operands[0], type));
  else if (isa<DispatchOp>(op))
    results.push_back(routing.dispatch(operands[0], operands[1], type));
  else if (isa<CombineOp>(op))
    results.push_back(
        routing.combine(operands[0], operands[1], operands[2], type));
  else
    results.push_back(routing.grouped(operands[0], operands[1], type));
  return success();
}

void DTensorDialect::registerRoutingOps() {
  addOperations<
#define GET_OP_LIST
#include "dtensor/Dialect/DTensor/IR/RoutingOps.cpp.inc"
      >();
}

#define GET_OP_CLASSES
#include "dtensor/Dialect/DTensor/IR/RoutingOps.cpp.inc"
