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

#include "RoutingBuilder.h"
#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "dtensor/Dialect/DTensor/IR/ScatterOps.h"

using namespace mlir;
using namespace dtensor;

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
  if (failed(checkRankAtLeast(op, "tokens", rank, 2)) ||
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
  if (failed(checkRankAtLeast(op, "buffers", buffers.size(), 3)))
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
  if (failed(checkRankAtLeast(op, "lhs", lhs.size(), 3)))
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
  if (failed(checkRankAtLeast(op, "experts", result.size(), 2)))
    return failure();
  return failure(failed(buffersOf(op)));
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
struct Routing : RoutingBuilder {
  Value route(Value experts, Type type);
  Value dispatch(Value tokens, Value slots, Type type);
  Value combine(Value buffers, Value slots, Value weights, Type type);
  Value grouped(Value lhs, Value rhs, Type type);
};
} // namespace

/// Counts who had the same expert before; loops are [group..., S*K, E].
Value Routing::route(Value experts, Type type) {
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

Value Routing::dispatch(Value tokens, Value slots, Type type) {
  auto [count, capacity] = *buffersOf(op);
  Value rows = lookUpTokens(tokens, sourcesOf(slots, count * capacity),
                            getExtents(slots).back());
  return core.reshapeTo(rows, type);
}

Value Routing::combine(Value buffers, Value slots, Value weights, Type type) {
  Value rows = lookUpSlots(buffers, slots);
  unsigned rank = getExtents(rows).size();
  IteratorList result = identityDims(rank);
  result.erase(result.end() - 2);
  Value sum = multiply("combine", {rows, weights},
                       {identityDims(rank), identityDims(rank - 1)}, result,
                       rank, type);
  return finish(sum, type, {buffers, slots, weights});
}

/// Loops are [group..., e, c, f, d].
Value Routing::grouped(Value lhs, Value rhs, Type type) {
  int64_t e = groups, c = e + 1, f = e + 2, d = e + 3;
  IteratorList left = identityDims(groups);
  left.append({e, c, d});
  Value product = multiply("grouped_matmul", {lhs, rhs}, {left, {e, d, f}},
                           identityDims(groups + 3), groups + 4, type);
  return finish(product, type, {lhs, rhs});
}

static LogicalResult decomposeRouting(Operation *op, OpBuilder &builder,
                                      ValueRange operands,
                                      TypeRange resultTypes,
                                      SmallVectorImpl<Value> &results) {
  unsigned rank = cast<RankedTensorType>(operands[0].getType()).getRank();
  bool hasBuffers = isa<CombineOp, GroupedMatmulOp>(op);
  Routing routing{{op, {builder, op->getLoc()}, rank - (hasBuffers ? 3 : 2)}};
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
