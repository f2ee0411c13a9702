//===- GridSharding.cpp - Layouts in the words of MLIR --------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/GridSharding.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"

using namespace dtensor;
using llvm::ArrayRef;
using llvm::SmallVector;
using llvm::Twine;

using Numbers = SmallVector<int64_t>;

/// Lists of more shards are not written out.
static constexpr int64_t kMaxShards = int64_t(1) << 20;

/// How many shards `axes` make; nullopt if an axis has no known size.
static std::optional<int64_t> countShards(const Mesh &mesh,
                                          ArrayRef<unsigned> axes) {
  int64_t count = 1;
  for (unsigned axis : axes) {
    std::optional<int64_t> size = mesh.knownSize(axis);
    if (!size || *size > kMaxShards / count)
      return std::nullopt;
    count *= *size;
  }
  return count;
}

/// Where the shards of [begin, begin + extent) begin that `axes` cut.
static void addBegins(const Mesh &mesh, ArrayRef<unsigned> axes, int64_t begin,
                      int64_t extent, Numbers &begins) {
  if (axes.empty())
    return begins.push_back(begin);
  int64_t ranks = *mesh.knownSize(axes.front());
  int64_t chunk = extent / ranks + (extent % ranks != 0);
  for (int64_t rank : llvm::seq(ranks)) {
    // Not min(extent, rank * chunk): that may overflow.
    int64_t from = chunk && rank > extent / chunk ? extent : rank * chunk;
    int64_t size = std::min(extent - from, chunk);
    addBegins(mesh, axes.drop_front(), begin + from, size, begins);
  }
}

/// The offsets of all dimensions that are split; nullopt with the first
/// dimension that has none in `unknown`.
static std::optional<Numbers> offsetsOf(const Layout &layout, const Mesh &mesh,
                                        unsigned &unknown) {
  Numbers offsets;
  for (unsigned dim : llvm::seq(layout.getRank())) {
    SmallVector<unsigned> axes = layout.axesOf(dim);
    if (axes.empty())
      continue;
    std::optional<int64_t> extent = layout.extents[dim].getConstant();
    if (!extent || !countShards(mesh, axes)) {
      unknown = dim;
      return std::nullopt;
    }
    addBegins(mesh, axes, 0, *extent, offsets);
    offsets.push_back(*extent);
  }
  return offsets;
}

/// A dimension that is known to be cut into shards of several sizes.
static std::optional<unsigned> findUneven(const Layout &layout,
                                          const Mesh &mesh) {
  for (unsigned dim : llvm::seq(layout.getRank())) {
    std::optional<int64_t> extent = layout.extents[dim].getConstant();
    std::optional<int64_t> shards = countShards(mesh, layout.axesOf(dim));
    if (extent && shards && *extent % *shards != 0)
      return dim;
  }
  return std::nullopt;
}

/// Sizes of grids with offsets are all numbers.
static std::optional<unsigned> findUnknownAxis(const Mesh &mesh) {
  for (unsigned axis : llvm::seq(mesh.getNumAxes()))
    if (!mesh.knownSize(axis))
      return axis;
  return std::nullopt;
}

static bool addOffsets(const Layout &layout, const Mesh &mesh,
                       GridSharding &result, EmitError emitError) {
  std::optional<unsigned> uneven = findUneven(layout, mesh);
  if (!uneven)
    return true;
  std::string what =
      ("dimension " + Twine(*uneven) + " of " + layout.extents[*uneven].str() +
       " elements has uneven shards on " +
       Twine(*countShards(mesh, layout.axesOf(*uneven))) +
       " ranks, which MLIR's shard dialect says by numbers, but ")
          .str();
  if (std::optional<unsigned> axis = findUnknownAxis(mesh)) {
    emitError(what + "the size of axis \"" + mesh.getName(*axis) +
              "\" is not known");
    return false;
  }
  unsigned unknown = 0;
  std::optional<Numbers> offsets = offsetsOf(layout, mesh, unknown);
  if (!offsets) {
    emitError(what + "those of dimension " + Twine(unknown) + " of " +
              layout.extents[unknown].str() + " elements are not known");
    return false;
  }
  result.offsets = *offsets;
  return true;
}

std::optional<GridSharding> dtensor::toGridSharding(const Layout &layout,
                                                    const Mesh &mesh,
                                                    EmitError emitError) {
  for (auto [axis, placement] : llvm::enumerate(layout.placements)) {
    bool isPlain = placement.isShard() && !placement.unit;
    if (placement.isReplicate() || isPlain)
      continue;
    emitError("MLIR's shard dialect has no words for " + placement.str() +
              " on axis \"" + mesh.getName(static_cast<unsigned>(axis)) + "\"");
    return std::nullopt;
  }
  GridSharding result;
  for (unsigned dim : llvm::seq(layout.getRank())) {
    SmallVector<unsigned> axes = layout.axesOf(dim);
    result.splitAxes.emplace_back(axes.begin(), axes.end());
  }
  while (!result.splitAxes.empty() && result.splitAxes.back().empty())
    result.splitAxes.pop_back();
  if (!addOffsets(layout, mesh, result, emitError))
    return std::nullopt;
  return result;
}

/// The layout that `splitAxes` say, whatever the offsets.
static std::optional<Layout> placed(const GridSharding &sharding,
                                    const Mesh &mesh, ArrayRef<Expr> extents,
                                    EmitError emitError) {
  SmallVector<Placement> placements(mesh.getNumAxes(), Placement::replicate());
  SmallVector<unsigned> order;
  for (auto [dim, axes] : llvm::enumerate(sharding.splitAxes))
    for (int16_t number : axes) {
      auto axis = static_cast<unsigned>(number);
      if (number < 0 || axis >= placements.size())
        emitError("split axis " + Twine(number) + " is none of the " +
                  Twine(placements.size()) + " of the grid");
      else if (dim >= extents.size())
        emitError("dimension " + Twine(dim) + " is split, the tensor has " +
                  Twine(extents.size()));
      else if (placements[axis].isShard())
        emitError("axis " + Twine(number) + " splits dimension " +
                  Twine(placements[axis].dim) + " and dimension " + Twine(dim));
      else {
        placements[axis] = Placement::shard(static_cast<unsigned>(dim));
        order.push_back(axis);
        continue;
      }
      return std::nullopt;
    }
  for (unsigned axis : llvm::seq(mesh.getNumAxes()))
    if (placements[axis].isReplicate())
      order.push_back(axis);
  return Layout(placements, extents, order);
}

static bool cutsThere(const Layout &layout, const Mesh &mesh,
                      ArrayRef<int64_t> offsets, EmitError emitError) {
  unsigned unknown = 0;
  std::optional<Numbers> ours = offsetsOf(layout, mesh, unknown);
  if (!ours) {
    emitError("offsets of the shards are numbers, dimension " + Twine(unknown) +
              " of " + layout.extents[unknown].str() +
              " elements is cut where only the launch knows");
    return false;
  }
  if (ours->size() != offsets.size()) {
    emitError(Twine(offsets.size()) + " offsets of shards, expected " +
              Twine(ours->size()));
    return false;
  }
  for (auto [position, pair] :
       llvm::enumerate(llvm::zip_equal(offsets, *ours))) {
    auto [given, expected] = pair;
    if (given == expected)
      continue;
    emitError("offset " + Twine(position) + " of the shards is " +
              Twine(given) + ", a layout cuts at " + Twine(expected));
    return false;
  }
  return true;
}

std::optional<Layout> dtensor::fromGridSharding(const GridSharding &sharding,
                                                const Mesh &mesh,
                                                ArrayRef<Expr> extents,
                                                EmitError emitError) {
  std::optional<Layout> layout = placed(sharding, mesh, extents, emitError);
  if (layout && !sharding.offsets.empty() &&
      !cutsThere(*layout, mesh, sharding.offsets, emitError))
    return std::nullopt;
  return layout;
}
