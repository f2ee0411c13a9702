//===- RoutingBackward.cpp - gradients of mixtures of experts -------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RoutingBuilder.h"
#include "dtensor/Dialect/DTensor/IR/IndexingOps.h"

using namespace mlir;
using namespace dtensor;

//===----------------------------------------------------------------------===//
// Extents
//===----------------------------------------------------------------------===//

static LogicalResult
inferDispatchBackward(Operation *op, ArrayRef<ExtentList> operands,
                      const Facts &facts,
                      SmallVectorImpl<ExtentList> &results) {
  ArrayRef<Expr> grad = operands[0], slots = operands[1];
  if (failed(checkRankAtLeast(op, "grad", grad.size(), 3)))
    return failure();
  size_t rank = grad.size() - 1;
  if (failed(checkLeading(op, "slots", slots, grad, rank, rank - 2, facts)))
    return failure();
  ExtentList tokens(slots.drop_back());
  tokens.push_back(grad.back());
  results.push_back(tokens);
  return success();
}

static LogicalResult
inferCombineBackward(Operation *op, ArrayRef<ExtentList> operands,
                     const Facts &facts, SmallVectorImpl<ExtentList> &results) {
  ArrayRef<Expr> grad = operands[0], buffers = operands[1], slots = operands[2];
  if (failed(checkRankAtLeast(op, "grad", grad.size(), 2)))
    return failure();
  size_t rank = grad.size();
  if (failed(checkLeading(op, "buffers", buffers, grad, rank + 1, rank - 2,
                          facts)) ||
      failed(checkExtent(op, "buffers dimension " + Twine(rank), buffers.back(),
                         grad.back(), facts)) ||
      failed(checkLeading(op, "slots", slots, grad, rank, rank - 1, facts)) ||
      failed(
          checkLeading(op, "weights", operands[3], slots, rank, rank, facts)))
    return failure();
  results.push_back(operands[1]);
  results.push_back(operands[3]);
  return success();
}

static LogicalResult
inferGroupedBackward(Operation *op, ArrayRef<ExtentList> operands,
                     const Facts &facts, SmallVectorImpl<ExtentList> &results) {
  ArrayRef<Expr> grad = operands[0], lhs = operands[1], rhs = operands[2];
  if (failed(checkRankAtLeast(op, "grad", grad.size(), 3)))
    return failure();
  size_t rank = grad.size();
  if (rhs.size() != 3)
    return op->emitOpError("rhs has rank ") << rhs.size() << ", expected 3";
  if (failed(checkLeading(op, "lhs", lhs, grad, rank, rank - 1, facts)) ||
      failed(
          checkExtent(op, "rhs dimension 0", rhs[0], grad[rank - 3], facts)) ||
      failed(checkExtent(op, "rhs dimension 1", rhs[1], lhs.back(), facts)) ||
      failed(checkExtent(op, "rhs dimension 2", rhs[2], grad.back(), facts)))
    return failure();
  results.push_back(operands[1]);
  results.push_back(operands[2]);
  return success();
}

LogicalResult
dtensor::inferRoutingBackward(Operation *op, ArrayRef<ExtentList> operands,
                              const Facts &facts,
                              SmallVectorImpl<ExtentList> &results) {
  if (isa<DispatchBackwardOp>(op))
    return inferDispatchBackward(op, operands, facts, results);
  if (isa<CombineBackwardOp>(op))
    return inferCombineBackward(op, operands, facts, results);
  return inferGroupedBackward(op, operands, facts, results);
}

LogicalResult dtensor::verifyRoutingBackward(Operation *op) {
  Type element = scalarType(op->getResult(0));
  if (!isa<FloatType>(element))
    return op->emitOpError("is not defined on element type ") << element;
  int64_t slots = isa<DispatchBackwardOp>(op)  ? 1
                  : isa<CombineBackwardOp>(op) ? 2
                                               : -1;
  for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
    if (int64_t(i) == slots) {
      if (failed(checkIntegers(op, "slots", operand)))
        return failure();
    } else if (scalarType(operand) != element) {
      return op->emitOpError("operand has element type ")
             << scalarType(operand) << " and result " << element;
    }
  }
  if (scalarType(op->getResults().back()) != element)
    return op->emitOpError("has results of element types ")
           << element << " and " << scalarType(op->getResults().back());
  return verifyComposite(op);
}

//===----------------------------------------------------------------------===//
// Decomposition
//===----------------------------------------------------------------------===//

namespace {
struct RoutingGradient : RoutingBuilder {
  Value tokens(Value grad, Value slots, Type type);
  Value buffers(Value grad, Value slots, Value weights, Type type);
  Value weights(Value grad, Value buffers, Value slots, Type type);
  Value lhs(Value grad, Value rhs, Type type);
  Value rhs(Value grad, Value lhs, Type type);
};
} // namespace

Value RoutingGradient::tokens(Value grad, Value slots, Type type) {
  Value rows = lookUpSlots(grad, slots);
  unsigned rank = getExtents(rows).size();
  IteratorList result = identityDims(rank);
  result.erase(result.end() - 2);
  Value sum = multiply("dispatch_backward", rows, {identityDims(rank)}, result,
                       rank, type);
  return finish(sum, type, {grad, slots});
}

/// Slots look up their token's gradient and weight.
Value RoutingGradient::buffers(Value grad, Value slots, Value weights,
                               Type type) {
  ExtentList extents = getExtents(type);
  Value sources = sourcesOf(slots, extents[groups] * extents[groups + 1]);
  Value rows = lookUpTokens(grad, sources, getExtents(slots).back());
  Value factors =
      GatherOp::create(core.builder, core.loc,
                       openType(type, scalarType(weights), getExtents(sources)),
                       join(weights), sources, groups);
  unsigned rank = groups + 2;
  Value product = multiply("combine_backward", {rows, factors},
                           {identityDims(rank), identityDims(rank - 1)},
                           identityDims(rank), rank, rows.getType());
  product = buildCast(core.builder, core.loc, product, rows.getType());
  return core.reshapeTo(product, type);
}

/// Loops are [group..., s, k, d].
Value RoutingGradient::weights(Value grad, Value buffers, Value slots,
                               Type type) {
  unsigned s = groups, k = groups + 1, d = groups + 2;
  IteratorList token = identityDims(s + 1), result = identityDims(k + 1);
  token.push_back(d);
  Value sum = multiply("combine_backward", {lookUpSlots(buffers, slots), grad},
                       {identityDims(d + 1), token}, result, d + 1, type);
  return finish(sum, type, {grad, buffers, slots});
}

/// Loops are [group..., e, c, d, f].
Value RoutingGradient::lhs(Value grad, Value rhs, Type type) {
  int64_t e = groups, c = e + 1, d = e + 2, f = e + 3;
  IteratorList left = identityDims(groups);
  left.append({e, c, f});
  Value product =
      multiply("grouped_matmul_backward", {grad, rhs}, {left, {e, d, f}},
               identityDims(groups + 3), groups + 4, type);
  return finish(product, type, {grad, rhs});
}

/// Loops are [e, d, f, group..., c].
Value RoutingGradient::rhs(Value grad, Value lhs, Type type) {
  int64_t e = 0, d = 1, f = 2, c = 3 + groups;
  IteratorList left, right;
  for (unsigned i = 0; i < groups; ++i)
    left.push_back(3 + i);
  right = left;
  left.append({e, c, d});
  right.append({e, c, f});
  Value product = multiply("grouped_matmul_backward", {lhs, grad},
                           {left, right}, {e, d, f}, groups + 4, type);
  return finish(product, type, {grad, lhs});
}

LogicalResult
dtensor::decomposeRoutingBackward(Operation *op, OpBuilder &builder,
                                  ValueRange operands, TypeRange types,
                                  SmallVectorImpl<Value> &results) {
  unsigned rank = cast<RankedTensorType>(operands[0].getType()).getRank();
  unsigned groups = rank - (isa<CombineBackwardOp>(op) ? 2 : 3);
  RoutingGradient gradient{{op, {builder, op->getLoc()}, groups}};
  if (isa<DispatchBackwardOp>(op)) {
    results.push_back(gradient.tokens(operands[0], operands[1], types[0]));
    return success();
  }
  Value grad = operands[0], first = operands[1], second = operands[2];
  if (isa<CombineBackwardOp>(op)) {
    results.push_back(gradient.buffers(grad, second, operands[3], types[0]));
    results.push_back(gradient.weights(grad, first, second, types[1]));
  } else {
    results.push_back(gradient.lhs(grad, second, types[0]));
    results.push_back(gradient.rhs(grad, first, types[1]));
  }
  return success();
}
