//===- ShardGather.cpp - a shard that travels -----------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ShardGather.h"
#include "dtensor/Dialect/DTensor/IR/LocalOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace dtensor;

std::optional<unsigned> dtensor::soleAxis(LayoutAttr layout, unsigned dim) {
  SmallVector<unsigned> axes = layout.getLayout().axesOf(dim);
  Expr unit = layout.getLayout().unitOf(dim);
  if (axes.size() != 1 || (unit && !unit.isConstant(1)))
    return std::nullopt;
  return axes.front();
}

RedistributeOp dtensor::gatherOf(Value value, unsigned dim, unsigned axis) {
  auto gather = value.getDefiningOp<RedistributeOp>();
  if (!gather || !gather->hasOneUse())
    return {};
  LayoutAttr from = getLayout(gather.getInput()), to = getLayout(value);
  if (soleAxis(from, dim) != axis)
    return {};
  SmallVector<Placement> placements(from.getPlacements());
  placements[axis] = Placement::replicate();
  return from.withPlacements(placements) == to ? gather : RedistributeOp();
}

Value dtensor::passShard(OpBuilder &builder, Location loc, Value local,
                         const ShardSource &from, unsigned dim, Value size) {
  auto type = cast<RankedTensorType>(local.getType());
  SmallVector<Value> sizes;
  for (int64_t i = 0; i < type.getRank(); ++i)
    if (type.isDynamicDim(i))
      sizes.push_back(i == int64_t(dim) ? size
                                        : Value(tensor::DimOp::create(
                                              builder, loc, local, i)));
  return CollectivePermuteOp::create(
      builder, loc, type, local, from.rank, sizes, from.mesh,
      builder.getDenseI64ArrayAttr({static_cast<int64_t>(from.axis)}));
}
