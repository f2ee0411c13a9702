//===- CoreBuilders.cpp - core ops on open placements ---------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CoreBuilders.h"

#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "dtensor/Dialect/DTensor/IR/IndexingOps.h"
#include "dtensor/Dialect/DTensor/IR/LocalOps.h"
#include "dtensor/Dialect/DTensor/IR/ViewOps.h"

using namespace mlir;

namespace dtensor {

Expr CoreBuilder::number(int64_t value) {
  return Expr::constant(getExprContext(builder.getContext()), value);
}

ArrayAttr CoreBuilder::list(ArrayRef<Expr> exprs) {
  SmallVector<Attribute> attrs;
  for (Expr expr : exprs)
    attrs.push_back(ExprAttr::get(builder.getContext(), expr));
  return builder.getArrayAttr(attrs);
}

Value CoreBuilder::reshape(Value input, ArrayRef<Expr> extents) {
  return reshapeTo(input,
                   openType(input.getType(), scalarType(input), extents));
}

Value CoreBuilder::reshapeTo(Value input, Type type) {
  return ReshapeOp::create(builder, loc, type, input, ArrayAttr());
}

Value CoreBuilder::slice(Value input, ArrayRef<Expr> starts,
                         ArrayRef<Expr> sizes, ArrayRef<Expr> steps,
                         Type type) {
  if (!type)
    type = openType(input.getType(), scalarType(input), sizes);
  return SliceOp::create(builder, loc, type, input, list(starts), list(sizes),
                         list(steps));
}

Value CoreBuilder::part(Value input, unsigned dim, Expr start, Expr size,
                        Type type) {
  ExtentList sizes = getExtents(input);
  ExtentList starts(sizes.size(), number(0)), steps(sizes.size(), number(1));
  starts[dim] = start;
  sizes[dim] = size;
  return slice(input, starts, sizes, steps, type);
}

Value CoreBuilder::concat(ValueRange inputs, unsigned dim, Type type) {
  if (!type) {
    ExtentList extents = getExtents(inputs.front());
    for (Value input : inputs.drop_front())
      extents[dim] = extents[dim] + getExtents(input)[dim];
    type =
        openType(inputs.front().getType(), scalarType(inputs.front()), extents);
  }
  return ConcatOp::create(builder, loc, type, inputs, dim);
}

Value CoreBuilder::permute(Value input, ArrayRef<int64_t> permutation,
                           Type type) {
  ExtentList from = getExtents(input), extents;
  IteratorList dims(permutation.size());
  for (auto [result, operand] : llvm::enumerate(permutation)) {
    extents.push_back(from[operand]);
    dims[operand] = result;
  }
  if (!type)
    type = openType(input.getType(), scalarType(input), extents);
  unsigned rank = permutation.size();
  return buildGeneric(
      builder, loc, "permute", input, {dims}, identityDims(rank), rank,
      ReduceKind::Sum, type,
      [](OpBuilder &, Location, ValueRange args) { return args[0]; });
}

Value CoreBuilder::fill(Value scalar, Type type) {
  unsigned rank = cast<RankedTensorType>(type).getRank();
  return buildGeneric(
      builder, loc, "full", {}, {}, identityDims(rank), rank, ReduceKind::Sum,
      type, [&](OpBuilder &, Location, ValueRange) { return scalar; });
}

Value CoreBuilder::select(Value input, unsigned dim, Expr size,
                          llvm::function_ref<Value(Scalars, Value)> index,
                          Type type) {
  Type i64 = builder.getI64Type();
  Value indices =
      buildGeneric(builder, loc, "index", {}, {}, {0}, 1, ReduceKind::Sum,
                   openType(input.getType(), i64, size),
                   [&](OpBuilder &b, Location loc, ValueRange) {
                     Value position = IndexOp::create(b, loc, b.getIndexType(),
                                                      b.getI64IntegerAttr(0));
                     Scalars s{b, loc};
                     return index(s, s.cast(position, i64));
                   });
  if (!type) {
    ExtentList extents = getExtents(input);
    extents[dim] = size;
    type = openType(input.getType(), scalarType(input), extents);
  }
  return IndexSelectOp::create(builder, loc, type, input, indices, dim);
}

void CoreBuilder::check(const Twine &what, Expr low, Expr high) {
  if (Facts().proveLE(low, high))
    return;
  Value lhs = buildExtent(builder, loc, low);
  Value rhs = buildExtent(builder, loc, high);
  Value holds = Scalars{builder, loc}.compare("le", lhs, rhs);
  CheckOp::create(builder, loc, holds,
                  builder.getStringAttr(what + " is {0}, expected at most {1}"),
                  lhs, rhs);
}

Value CoreBuilder::declare(Value value, Type type, ValueRange operands) {
  if (!llvm::is_contained(operands, value)) {
    value.setType(type);
    return value;
  }
  unsigned rank = cast<RankedTensorType>(type).getRank();
  return buildGeneric(
      builder, loc, "copy", value, {identityDims(rank)}, identityDims(rank),
      rank, ReduceKind::Sum, type,
      [](OpBuilder &, Location, ValueRange args) { return args[0]; });
}

FailureOr<Expr> exprOf(Operation *op, Attribute attr) {
  auto list = exprList(op, ArrayAttr::get(op->getContext(), attr));
  if (failed(list))
    return failure();
  return list->front();
}

} // namespace dtensor
