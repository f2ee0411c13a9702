//===- StackShards.cpp - the shards of a dimension as rows ----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompositeUtils.h"
#include "dtensor/Dialect/DTensor/IR/RuleUtils.h"
#include "dtensor/Dialect/DTensor/IR/ScatterOps.h"
#include "dtensor/Sharding/LocalShape.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace dtensor;

/// `flat` [..., N, ...] and `rows` [..., ranks, c, ...] go together.
static LogicalResult verifyRows(Operation *op, Value flat, Value rows,
                                int64_t dim) {
  auto flatType = cast<RankedTensorType>(flat.getType());
  auto rowsType = cast<RankedTensorType>(rows.getType());
  if (failed(checkDim(op, "dim", dim, flatType.getRank())))
    return failure();
  LayoutAttr layout = getLayout(flat), rowsLayout = getLayout(rows);
  if (!layout || !rowsLayout || layout.getLayout().axesOf(dim).empty())
    return op->emitOpError("needs a layout that shards dimension ") << dim;
  if (rowsType.getRank() != flatType.getRank() + 1)
    return op->emitOpError("rows have rank ")
           << rowsType.getRank() << ", expected " << flatType.getRank() + 1;
  if (rowsType.getElementType() != flatType.getElementType())
    return op->emitOpError("rows have element type ")
           << rowsType.getElementType() << ", expected "
           << flatType.getElementType();
  ExprContext &context = getExprContext(op->getContext());
  const Mesh &mesh = layout.getMesh().getMesh();
  Expr ranks = mesh.groupSizeExpr(context, layout.getLayout().axesOf(dim));
  for (auto [i, extent] : llvm::enumerate(layout.getExtents())) {
    Expr found = rowsLayout.getExtents()[int64_t(i) > dim ? i + 1 : i];
    if (failed(checkExtent(op, "rows dimension " + Twine(i), found,
                           int64_t(i) == dim ? ranks : extent)))
      return failure();
  }
  return verifyOneMesh(op);
}

/// One factor for `dim` and the rows; a unit is a factor inside of it.
static ShardingRule rowsRule(Value flat, Value rows, unsigned dim,
                             bool stacks) {
  RuleBuilder builder;
  TensorMap flatMap, rowsMap;
  LayoutAttr layout = getLayout(flat);
  ExtentList rowExtents = getExtents(rows);
  for (auto [i, extent] : llvm::enumerate(layout.getExtents())) {
    if (i != dim) {
      flatMap.push_back(builder.parallel(extent));
      rowsMap.push_back(flatMap.back());
      continue;
    }
    unsigned row = builder.add(FactorKind::Parallel, rowExtents[dim]);
    flatMap.push_back({row});
    if (Expr unit = layout.getLayout().unitOf(dim))
      flatMap.back().push_back(builder.add(FactorKind::NeedReplication, unit));
    rowsMap.push_back({row});
    rowsMap.push_back(builder.whole(rowExtents[dim + 1]));
  }
  builder.rule.operands = {stacks ? flatMap : rowsMap};
  builder.rule.results = {stacks ? rowsMap : flatMap};
  if (!stacks)
    builder.addPartials(allReduceKinds(), 1, {0});
  return std::move(builder.rule);
}

//===----------------------------------------------------------------------===//
// Stack
//===----------------------------------------------------------------------===//

LogicalResult StackShardsOp::verify() {
  if (getValue().getType() != scalarType(getInput()))
    return emitOpError("value has type ")
           << getValue().getType() << ", expected " << scalarType(getInput());
  return verifyRows(*this, getInput(), getResult(), getDim());
}

FailureOr<ShardingRule> StackShardsOp::getShardingRule() {
  return rowsRule(getInput(), getResult(), getDim(), /*stacks=*/true);
}

/// y[..., 0, i, ...] = i < size ? x[..., i, ...] : value
LogicalResult StackShardsOp::partition(OpBuilder &builder, ValueRange operands,
                                       PartitionContext &context,
                                       SmallVectorImpl<Value> &results) {
  Location loc = getLoc();
  RankedTensorType type = context.getLocalType(getResult());
  unsigned dim = getDim(), rank = type.getRank();
  Value size = context.getLocalSize(getInput(), dim);
  Value empty = emptyLocal(builder, loc, context, getResult());
  AffineMap map = builder.getMultiDimIdentityMap(rank);
  SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      builder, loc, TypeRange{empty.getType()}, ValueRange(), ValueRange{empty},
      ArrayRef<AffineMap>{map}, loops,
      [&](OpBuilder &b, Location loc, ValueRange) {
        SmallVector<Value> at;
        for (unsigned i = 0; i < rank; ++i)
          if (i != dim)
            at.push_back(linalg::IndexOp::create(b, loc, i));
        Value inside = Scalars{b, loc}.compare("lt", at[dim], size);
        auto choice = scf::IfOp::create(
            b, loc, inside,
            [&](OpBuilder &b, Location loc) {
              Value read = tensor::ExtractOp::create(b, loc, operands[0], at);
              scf::YieldOp::create(b, loc, read);
            },
            [&](OpBuilder &b, Location loc) {
              Value fill = arith::ConstantOp::create(b, loc, getValue());
              scf::YieldOp::create(b, loc, fill);
            });
        linalg::YieldOp::create(b, loc, choice.getResults());
      });
  results.push_back(castTensor(builder, loc, generic.getResult(0), type));
  return success();
}

//===----------------------------------------------------------------------===//
// Unstack
//===----------------------------------------------------------------------===//

LogicalResult UnstackShardsOp::verify() {
  return verifyRows(*this, getResult(), getInput(), getDim());
}

FailureOr<ShardingRule> UnstackShardsOp::getShardingRule() {
  return rowsRule(getResult(), getInput(), getDim(), /*stacks=*/false);
}

LogicalResult UnstackShardsOp::partition(OpBuilder &builder,
                                         ValueRange operands,
                                         PartitionContext &context,
                                         SmallVectorImpl<Value> &results) {
  Location loc = getLoc();
  RankedTensorType type = context.getLocalType(getResult());
  SmallVector<OpFoldResult> sizes = localSizes(builder, context, getResult());
  sizes.insert(sizes.begin() + getDim(), builder.getIndexAttr(1));
  SmallVector<OpFoldResult> zeros(sizes.size(), builder.getIndexAttr(0));
  SmallVector<OpFoldResult> ones(sizes.size(), builder.getIndexAttr(1));
  results.push_back(tensor::ExtractSliceOp::create(
      builder, loc, type, operands[0], zeros, sizes, ones));
  return success();
}
