//===- LocalShape.cpp - From global extents to one piece ------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/LocalShape.h"

using namespace dtensor;

/// The unit as a factor that is at least 1.
static Expr positiveUnit(Expr unit, ExprContext &context) {
  return unit ? max(unit, 1) : Expr::constant(context, 1);
}

Expr dtensor::chunkSize(Expr extent, Expr unit, Expr axisSize) {
  if (axisSize.isConstant(1))
    return extent;
  Expr step = positiveUnit(unit, extent.getContext());
  return step * ceildiv(ceildiv(extent, step), axisSize);
}

LocalDim dtensor::shardDim(Expr extent, Expr capacity, Expr unit, Expr axisSize,
                           Expr axisIndex) {
  if (axisSize.isConstant(1))
    return {extent, Expr::constant(extent.getContext(), 0), capacity};
  Expr chunk = chunkSize(extent, unit, axisSize);
  Expr begin = axisIndex * chunk;
  LocalDim result;
  result.size = max(min(extent - begin, chunk), 0);
  result.offset = min(extent, begin);
  result.capacity =
      capacity == extent ? chunk : chunkSize(capacity, unit, axisSize);
  return result;
}

LocalDim dtensor::localDim(const Mesh &mesh, const Layout &layout, unsigned dim,
                           ExprContext &context, const Facts *facts) {
  Expr extent = layout.extents[dim], unit = layout.unitOf(dim);
  LocalDim local = {extent, Expr::constant(context, 0), extent};
  // While `even`: local.size == local.capacity == extent / ranks, exactly.
  Expr ranks = Expr::constant(context, 1);
  bool even = facts != nullptr;
  for (unsigned axis : layout.axesOf(dim)) {
    Expr size = mesh.sizeExpr(context, axis);
    Expr index = mesh.indexExpr(context, axis);
    ranks = ranks * size;
    even = even && shardsEvenly(extent, unit, ranks, *facts);
    LocalDim inner;
    if (even) {
      Expr piece = facts->simplify(floordiv(extent, ranks));
      inner = {piece, index * piece, piece};
    } else {
      inner = shardDim(local.size, local.capacity, unit, size, index);
    }
    local = {inner.size, local.offset + inner.offset, inner.capacity};
  }
  return local;
}

bool dtensor::shardsEvenly(Expr extent, Expr unit, Expr axisSize,
                           const Facts &facts) {
  if (axisSize.isConstant(1))
    return true;
  Expr step = facts.simplify(positiveUnit(unit, extent.getContext()));
  return facts.proveDivides(step * axisSize, extent);
}

bool dtensor::chunksAgree(Expr extent, Expr unitA, Expr unitB, Expr axisSize,
                          const Facts &facts) {
  if (unitA == unitB || axisSize.isConstant(1))
    return true;
  ExprContext &context = extent.getContext();
  if (facts.proveEqual(positiveUnit(unitA, context),
                       positiveUnit(unitB, context)))
    return true;
  if (shardsEvenly(extent, unitA, axisSize, facts) &&
      shardsEvenly(extent, unitB, axisSize, facts))
    return true;
  return facts.proveEqual(chunkSize(extent, unitA, axisSize),
                          chunkSize(extent, unitB, axisSize));
}

bool dtensor::chunksAgree(const Mesh &mesh, llvm::ArrayRef<unsigned> axes,
                          Expr extent, Expr unitA, Expr unitB,
                          ExprContext &context, const Facts &facts) {
  if (unitA == unitB)
    return true;
  llvm::SmallVector<unsigned> cutting;
  for (unsigned axis : axes)
    if (!mesh.isTrivial(axis))
      cutting.push_back(axis);
  Expr ranks = mesh.groupSizeExpr(context, cutting);
  if (cutting.size() <= 1)
    return chunksAgree(extent, unitA, unitB, ranks, facts);
  // Pieces of inner axes depend on the rank unless all cuts are even, so that
  // only equal units or even cuts are easy to prove.
  if (facts.proveEqual(positiveUnit(unitA, context),
                       positiveUnit(unitB, context)))
    return true;
  return shardsEvenly(extent, unitA, ranks, facts) &&
         shardsEvenly(extent, unitB, ranks, facts);
}

Expr dtensor::localCapacity(const Mesh &mesh, const Layout &layout,
                            ExprContext &context) {
  Expr product = Expr::constant(context, 1);
  for (unsigned dim = 0; dim < layout.getRank(); ++dim)
    product = product * localDim(mesh, layout, dim, context).capacity;
  return product;
}
