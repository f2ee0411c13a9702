//===- PlacedBuilder.cpp - values of decided placements -------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PlacedBuilder.h"

#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "dtensor/Dialect/DTensor/IR/ScatterOps.h"
#include "dtensor/Sharding/LocalShape.h"

using namespace mlir;

namespace dtensor {

RankedTensorType placedType(Value like, Type element, ArrayRef<int64_t> dims,
                            ArrayRef<Expr> extents) {
  LayoutAttr from = getLayout(like);
  Layout layout = from.getLayout();
  for (Placement &placement : layout.placements) {
    if (!placement.isShard())
      continue;
    int64_t dim = dims[placement.dim];
    placement = dim == kWhole ? Placement::replicate()
                              : Placement::shard(dim, placement.unit);
  }
  layout.extents.assign(extents.begin(), extents.end());
  SmallVector<int64_t> shape;
  for (Expr extent : extents)
    shape.push_back(extent.getConstant().value_or(ShapedType::kDynamic));
  return RankedTensorType::get(shape, element,
                               LayoutAttr::get(from.getMesh(), layout));
}

Value buildMove(CoreBuilder core, Value value, Type type) {
  if (value.getType() == type)
    return value;
  return RedistributeOp::create(core.builder, core.loc, type, value,
                                PlanAttr());
}

ShardRows::ShardRows(CoreBuilder core, Value input, unsigned dim)
    : core(core), input(input), dim(dim) {
  ExprContext &context = getExprContext(input.getContext());
  LayoutAttr layout = getLayout(input);
  const Mesh &mesh = layout.getMesh().getMesh();
  Facts facts = factsAround(&*core.builder.getInsertionPoint());
  ranks = mesh.groupSizeExpr(context, layout.getLayout().axesOf(dim));
  capacity = localDim(mesh, layout.getLayout(), dim, context, &facts).capacity;
}

ExtentList ShardRows::extents(ArrayRef<Expr> replacement) const {
  ExtentList from = getExtents(input);
  ExtentList to(ArrayRef(from).take_front(dim));
  llvm::append_range(to, replacement);
  llvm::append_range(to, ArrayRef(from).drop_front(dim + 1));
  return to;
}

/// Without the unit of `dim`, which counts elements of it.
static RankedTensorType dropUnit(RankedTensorType type, unsigned dim) {
  LayoutAttr layout = getLayout(type);
  SmallVector<Placement> placements(layout.getPlacements());
  for (Placement &placement : placements)
    if (placement.isShard(dim))
      placement.unit = {};
  return withLayout(type, layout.withPlacements(placements));
}

RankedTensorType ShardRows::rowsType(Type element, Expr inner) const {
  IteratorList dims = identityDims(rank());
  for (int64_t &to : dims)
    if (to > int64_t(dim))
      ++to;
  return dropUnit(placedType(input, element, dims, extents({ranks, inner})),
                  dim);
}

RankedTensorType ShardRows::perRankType(Type element) const {
  return dropUnit(
      placedType(input, element, identityDims(rank()), extents({ranks})), dim);
}

Value ShardRows::stack(TypedAttr value) const {
  return StackShardsOp::create(core.builder, core.loc,
                               rowsType(scalarType(input), capacity), input,
                               dim, value);
}

} // namespace dtensor
