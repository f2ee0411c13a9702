//===- DTensorPlacements.cpp - Orders of axes as strided shards -----------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/DTensorSpec.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"

using namespace dtensor;
using llvm::ArrayRef;
using llvm::SmallVector;
using llvm::Twine;

/// The largest product of sizes that is told.
static constexpr int64_t kMaxFactor = int64_t(1) << 40;

/// Multiplies `product` by the size of `axis`; false if it is not known.
static bool multiply(int64_t &product, const Mesh &mesh, unsigned axis) {
  std::optional<int64_t> size = mesh.knownSize(axis);
  if (!size || *size > kMaxFactor / product)
    return false;
  product *= *size;
  return true;
}

/// Strided shards need dimensions that divide.
static bool divides(const Layout &layout, const Mesh &mesh,
                    ArrayRef<DTensorPlacement> placements,
                    EmitError emitError) {
  for (const DTensorPlacement &strided : placements) {
    if (strided.splitFactor == 1)
      continue;
    unsigned dim = strided.placement.dim;
    std::optional<int64_t> extent = layout.extents[dim].getConstant();
    int64_t shards = 1;
    bool isKnown = extent.has_value();
    for (unsigned axis : layout.axesOf(dim))
      isKnown = isKnown && multiply(shards, mesh, axis);
    if (!isKnown || *extent % shards == 0)
      continue;
    emitError("dimension " + Twine(dim) + " of " + Twine(*extent) +
              " elements is cut into " + Twine(shards) +
              " shards in another order than the mesh has, a strided shard of "
              "PyTorch lies elsewhere unless they are equal");
    return false;
  }
  return true;
}

std::optional<SmallVector<DTensorPlacement>>
dtensor::toDTensorPlacements(const Layout &layout, const Mesh &mesh,
                             EmitError emitError) {
  SmallVector<DTensorPlacement> result;
  for (auto [position, placement] : llvm::enumerate(layout.placements)) {
    auto axis = static_cast<unsigned>(position);
    if (placement.isOpen() || placement.unit) {
      emitError("PyTorch has no words for " + placement.str() + " on axis \"" +
                mesh.getName(axis) + "\"");
      return std::nullopt;
    }
    DTensorPlacement &made = result.emplace_back();
    made.placement = placement;
    for (unsigned outer : layout.outerAxes(axis))
      if (outer > axis && !multiply(made.splitFactor, mesh, outer)) {
        emitError("axis \"" + mesh.getName(axis) + "\" cuts after axis \"" +
                  mesh.getName(outer) +
                  "\", a strided shard of PyTorch needs its size");
        return std::nullopt;
      }
  }
  if (!divides(layout, mesh, result, emitError))
    return std::nullopt;
  return result;
}

/// Puts `axis` into `nest`, axes to the right of it, major first, behind those
/// whose sizes have the product `factor`.
static bool insert(SmallVector<unsigned> &nest, unsigned axis, int64_t factor,
                   const Mesh &mesh) {
  int64_t product = 1;
  for (size_t position = 0;; ++position) {
    if (product == factor) {
      nest.insert(nest.begin() + static_cast<ptrdiff_t>(position), axis);
      return true;
    }
    if (position == nest.size() || !multiply(product, mesh, nest[position]))
      return false;
  }
}

std::optional<Layout>
dtensor::fromDTensorPlacements(ArrayRef<DTensorPlacement> placements,
                               const Mesh &mesh, ArrayRef<Expr> extents,
                               EmitError emitError) {
  SmallVector<Placement> plain;
  for (const DTensorPlacement &it : placements)
    plain.push_back(it.placement);
  Layout layout(plain, extents);
  if (!layout.verify(mesh, emitError))
    return std::nullopt;
  SmallVector<SmallVector<unsigned>> nests(layout.getRank());
  SmallVector<unsigned> order;
  for (unsigned axis : llvm::reverse(llvm::seq(mesh.getNumAxes()))) {
    const DTensorPlacement &it = placements[axis];
    if (!it.placement.isShard()) {
      order.push_back(axis);
      continue;
    }
    SmallVector<unsigned> &nest = nests[it.placement.dim];
    if (insert(nest, axis, it.splitFactor, mesh))
      continue;
    emitError("split factor " + Twine(it.splitFactor) + " of axis \"" +
              mesh.getName(axis) +
              "\" is no product of sizes of axes behind it that shard "
              "dimension " +
              Twine(it.placement.dim));
    return std::nullopt;
  }
  for (ArrayRef<unsigned> nest : nests)
    order.append(nest.begin(), nest.end());
  layout = Layout(plain, extents, order);
  if (!divides(layout, mesh, placements, emitError))
    return std::nullopt;
  return layout;
}
