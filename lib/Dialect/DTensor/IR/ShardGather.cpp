//===- ShardGather.cpp - a shard that is gathered -------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ShardGather.h"

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
