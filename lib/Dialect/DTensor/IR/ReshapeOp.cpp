//===- ReshapeOp.cpp - rule and local form of reshape ---------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A shard of a reshape is the reshape of a shard: the sharded factor is the
// major-most of its dimension on both sides, so that each rank's part of a
// group is the same range of the group's row-major order.
//
//===----------------------------------------------------------------------===//

#include "CompositeUtils.h"
#include "Factorization.h"
#include "dtensor/Dialect/DTensor/IR/LocalOps.h"
#include "dtensor/Dialect/DTensor/IR/RuleUtils.h"
#include "dtensor/Dialect/DTensor/IR/ViewOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace dtensor;

LogicalResult ReshapeOp::verify() {
  if (scalarType(getInput()) != scalarType(getResult()))
    return emitOpError("operand has element type ")
           << scalarType(getInput()) << " and result "
           << scalarType(getResult());
  if (failed(verifyOneMesh(*this)))
    return failure();
  ExtentList from = getExtents(getInput()), to = getExtents(getResult());
  if (llvm::is_contained(from, Expr()) || llvm::is_contained(to, Expr()))
    return success();
  ExprContext &context = getExprContext(getContext());
  Expr before = product(context, from), after = product(context, to);
  if (provablyDifferent(before, after))
    return emitOpError("operand has ")
           << before.str() << " elements and result " << after.str();
  return success();
}

FailureOr<ShardingRule> ReshapeOp::getShardingRule() {
  RuleBuilder builder;
  builder.rule = factorReshape(getExtents(getInput()), getExtents(getResult()),
                               factsAround(*this));
  builder.addPartials(allReduceKinds(), 1, {0});
  return std::move(builder.rule);
}

LogicalResult ReshapeOp::normalize(NormalizeContext &context) {
  auto sizes = resultSizes(*this, getSizesAttr());
  if (failed(sizes))
    return failure();
  ExprContext &exprs = context.getExprContext();
  if (failed(context.unify(*this, product(exprs, *sizes),
                           product(exprs, context.getExtents(getInput())),
                           "the number of elements")))
    return failure();
  return normalizeCore(*this, context, *sizes);
}

//===----------------------------------------------------------------------===//
// Partition
//===----------------------------------------------------------------------===//

/// Every dimension of a shape in one list per group: an extent 1 goes with the
/// group before it, at the front with the first.
static SmallVector<ReassociationIndices>
reassociate(unsigned rank, ArrayRef<ArrayRef<unsigned>> groups) {
  SmallVector<ReassociationIndices> result(groups.size());
  if (groups.empty())
    return result;
  unsigned group = 0;
  for (unsigned dim = 0; dim < rank; ++dim) {
    while (group + 1 < groups.size() &&
           llvm::is_contained(groups[group + 1], dim))
      ++group;
    result[group].push_back(dim);
  }
  return result;
}

static int64_t staticProduct(ArrayRef<int64_t> shape, ArrayRef<int64_t> dims) {
  int64_t result = 1;
  for (int64_t dim : dims) {
    if (ShapedType::isDynamic(shape[dim]))
      return ShapedType::kDynamic;
    result *= shape[dim];
  }
  return result;
}

static RankedTensorType groupedType(RankedTensorType type,
                                    ArrayRef<ReassociationIndices> groups) {
  SmallVector<int64_t> shape;
  for (const ReassociationIndices &group : groups)
    shape.push_back(staticProduct(type.getShape(), group));
  return RankedTensorType::get(shape, type.getElementType());
}

/// Upstream lowers expand_shape only with one unknown size per group.
static bool canExpand(RankedTensorType type,
                      ArrayRef<ReassociationIndices> groups) {
  return llvm::all_of(groups, [&](const ReassociationIndices &group) {
    return llvm::count_if(
               group, [&](int64_t dim) { return type.isDynamicDim(dim); }) <= 1;
  });
}

/// collapse_shape to one dimension per group, then expand_shape.
static Value reshapeByGroups(OpBuilder &builder, Location loc, Value input,
                             RankedTensorType type,
                             ArrayRef<OpFoldResult> sizes,
                             ArrayRef<ReassociationIndices> from,
                             ArrayRef<ReassociationIndices> to) {
  auto inputType = cast<RankedTensorType>(input.getType());
  Value value = input;
  if (static_cast<int64_t>(from.size()) != inputType.getRank())
    value = tensor::CollapseShapeOp::create(
        builder, loc, groupedType(inputType, from), input, from);
  value = castTensor(builder, loc, value, groupedType(type, to));
  if (static_cast<int64_t>(to.size()) == type.getRank())
    return value;
  return tensor::ExpandShapeOp::create(builder, loc, type, value, to, sizes);
}

/// Where the products are not proved equal, they are compared in the program:
/// extents are global, so all ranks agree.
static void checkProducts(ReshapeOp op, OpBuilder &builder,
                          PartitionContext &context, ArrayRef<Expr> from,
                          ArrayRef<Expr> to) {
  ExprContext &exprs = getExprContext(op.getContext());
  Location loc = op.getLoc();
  Value before = context.materialize(product(exprs, from));
  Value after = context.materialize(product(exprs, to));
  Value equal = Scalars{builder, loc}.compare("eq", before, after);
  CheckOp::create(builder, loc, equal,
                  builder.getStringAttr(
                      "reshape of {0} elements to a shape of {1} elements"),
                  before, after);
}

LogicalResult ReshapeOp::partition(OpBuilder &builder, ValueRange operands,
                                   PartitionContext &context,
                                   SmallVectorImpl<Value> &results) {
  ExtentList from = getExtents(getInput()), to = getExtents(getResult());
  auto groups = groupReshape(from, to, factsAround(*this));
  RankedTensorType type = context.getLocalType(getResult());
  SmallVector<OpFoldResult> sizes = localSizes(builder, context, getResult());
  bool matched = groups.empty() || groups.back().matched;
  if (!matched)
    checkProducts(*this, builder, context, from, to);
  SmallVector<ArrayRef<unsigned>> left, right;
  for (const ReshapeGroup &group : groups) {
    left.push_back(group.from);
    right.push_back(group.to);
  }
  auto collapsed = reassociate(from.size(), left);
  auto expanded = reassociate(to.size(), right);
  results.push_back(
      matched && canExpand(type, expanded)
          ? reshapeByGroups(builder, getLoc(), operands[0], type, sizes,
                            collapsed, expanded)
          : reshapeByShape(builder, getLoc(), operands[0], type, sizes));
  return success();
}
