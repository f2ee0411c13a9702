//===- HloSharding.cpp - Layouts in the words of XLA ----------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/HloSharding.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <numeric>

using namespace dtensor;
using llvm::ArrayRef;
using llvm::SmallVector;
using llvm::StringRef;

using Numbers = SmallVector<int64_t>;

/// Lists of more devices are not written out.
static constexpr int64_t kMaxDevices = int64_t(1) << 24;

/// -1 if it exceeds `kMaxDevices`.
static int64_t product(ArrayRef<int64_t> sizes) {
  int64_t result = 1;
  for (int64_t size : sizes) {
    if (size < 1 || size > kMaxDevices / result)
      return -1;
    result *= size;
  }
  return result;
}

/// iota(product(sizes)), shaped like `sizes`, transposed, flattened.
static Numbers transposedIota(ArrayRef<int64_t> sizes,
                              ArrayRef<unsigned> permutation) {
  Numbers result = {0};
  for (unsigned axis : permutation) {
    int64_t stride = product(sizes.drop_front(axis + 1));
    Numbers next;
    next.reserve(result.size() * static_cast<size_t>(sizes[axis]));
    for (int64_t base : result)
      for (int64_t i = 0; i < sizes[axis]; ++i)
        next.push_back(base + i * stride);
    result = std::move(next);
  }
  return result;
}

static std::string joined(ArrayRef<int64_t> numbers) {
  return llvm::join(
      llvm::map_range(numbers, [](int64_t n) { return std::to_string(n); }),
      ",");
}

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

/// Sizes of 1 are left out, axes that stay neighbours are one.
static std::string iotaText(ArrayRef<int64_t> sizes,
                            ArrayRef<unsigned> permutation) {
  SmallVector<SmallVector<unsigned>> runs; // in the order of `permutation`
  auto follows = [&](unsigned last, unsigned axis) {
    return axis > last && product(sizes.slice(last + 1, axis - last - 1)) == 1;
  };
  for (unsigned axis : permutation) {
    if (sizes[axis] == 1)
      continue;
    if (!runs.empty() && follows(runs.back().back(), axis))
      runs.back().push_back(axis);
    else
      runs.push_back({axis});
  }
  SmallVector<unsigned> byAxis(runs.size());
  std::iota(byAxis.begin(), byAxis.end(), 0);
  llvm::sort(byAxis, [&](unsigned a, unsigned b) {
    return runs[a].front() < runs[b].front();
  });
  Numbers shape, order(runs.size());
  for (auto [position, run] : llvm::enumerate(byAxis)) {
    int64_t size = 1;
    for (unsigned axis : runs[run])
      size *= sizes[axis];
    shape.push_back(size);
    order[run] = static_cast<int64_t>(position);
  }
  std::string text = "<=[" + joined(shape) + "]";
  return runs.size() < 2 ? text : text + "T(" + joined(order) + ")";
}

static bool canBeSaid(const Layout &layout, ArrayRef<int64_t> meshSizes,
                      EmitError emitError) {
  if (layout.placements.size() != meshSizes.size() || product(meshSizes) < 0) {
    emitError("a layout of " + llvm::Twine(layout.placements.size()) +
              " axes on a mesh of " + llvm::Twine(meshSizes.size()) +
              ", of at most " + llvm::Twine(kMaxDevices) + " devices");
    return false;
  }
  for (const Placement &placement : layout.placements) {
    bool isPlain = placement.isShard() && !placement.unit;
    if (placement.isReplicate() || isPlain)
      continue;
    emitError("XLA has no words for " + placement.str());
    return false;
  }
  return true;
}

/// Several axes on one dimension: see the top of the header.
static bool cutsAgree(const Layout &layout, ArrayRef<int64_t> meshSizes,
                      EmitError emitError) {
  for (unsigned dim = 0; dim < layout.getRank(); ++dim) {
    int64_t tiles = 1;
    unsigned cuts = 0;
    for (unsigned axis : layout.axesOf(dim)) {
      tiles *= meshSizes[axis];
      cuts += meshSizes[axis] > 1;
    }
    std::optional<int64_t> extent = layout.extents[dim].getConstant();
    if (cuts < 2 || !extent || *extent % tiles == 0)
      continue;
    emitError("dimension " + llvm::Twine(dim) + " of " + llvm::Twine(*extent) +
              " elements is cut by " + llvm::Twine(cuts) + " axes, " +
              llvm::Twine(tiles) + " tiles of XLA lie elsewhere");
    return false;
  }
  return true;
}

std::optional<std::string>
dtensor::printHloSharding(const Layout &layout, ArrayRef<int64_t> meshSizes,
                          HloDevices devices, EmitError emitError) {
  if (!canBeSaid(layout, meshSizes, emitError) ||
      !cutsAgree(layout, meshSizes, emitError))
    return std::nullopt;
  SmallVector<unsigned> permutation;
  Numbers tiles;
  for (unsigned dim = 0; dim < layout.getRank(); ++dim) {
    tiles.push_back(1);
    for (unsigned axis : layout.axesOf(dim)) {
      permutation.push_back(axis);
      tiles.back() *= meshSizes[axis];
    }
  }
  int64_t cut = product(tiles), all = product(meshSizes);
  if (cut == 1)
    return "{replicated}";
  for (unsigned axis = 0; axis < meshSizes.size(); ++axis)
    if (layout.placements[axis].isReplicate())
      permutation.push_back(axis);
  if (cut != all)
    tiles.push_back(all / cut);
  std::string text = "{devices=[" + joined(tiles) + "]";
  text += devices == HloDevices::Iota
              ? iotaText(meshSizes, permutation)
              : joined(transposedIota(meshSizes, permutation));
  return text + (cut != all ? " last_tile_dim_replicate}" : "}");
}

//===----------------------------------------------------------------------===//
// Parsing
//===----------------------------------------------------------------------===//

namespace {

/// What a text says.
struct Tiles {
  Numbers counts;  ///< of each tensor dimension
  Numbers devices; ///< row-major over `counts`, then those that share a tile
  int64_t sharing = 1;
};

class Parser {
public:
  Parser(StringRef text, EmitError emitError)
      : whole(text), rest(text), emitError(emitError) {}

  /// No counts: replicated.
  std::optional<Tiles> parse(unsigned rank) {
    Tiles tiles;
    if (!take("{"))
      return fail("'{'");
    if (take("replicated"))
      return end(tiles);
    if (!take("devices=["))
      return fail("'replicated' or 'devices=['");
    Numbers counts;
    if (!list(counts, "]") || !devices(tiles.devices))
      return std::nullopt;
    bool isShared =
        take("last_tile_dim_replicate") || take("last_tile_dims={replicated}");
    if (counts.size() != rank + (isShared ? 1 : 0))
      return fail(llvm::Twine(rank + (isShared ? 1 : 0)) + " tile counts");
    if (product(counts) != static_cast<int64_t>(tiles.devices.size()))
      return fail("as many devices as tiles");
    if (isShared)
      tiles.sharing = counts.pop_back_val();
    tiles.counts = std::move(counts);
    return end(tiles);
  }

private:
  std::nullopt_t fail(const llvm::Twine &expected) {
    emitError("\"" + whole + "\": expected " + expected + " at column " +
              llvm::Twine(whole.size() - rest.size() + 1));
    return std::nullopt;
  }

  std::optional<Tiles> end(Tiles &tiles) {
    if (!take("}"))
      return fail("'}'");
    if (!rest.trim().empty())
      return fail("the end");
    return std::move(tiles);
  }

  bool take(StringRef word) {
    rest = rest.ltrim();
    return rest.consume_front(word);
  }

  /// Numbers, then `close`.
  bool list(Numbers &numbers, StringRef close) {
    do {
      rest = rest.ltrim();
      uint64_t number;
      if (rest.consumeInteger(10, number) ||
          number > static_cast<uint64_t>(kMaxDevices)) {
        fail("a number");
        return false;
      }
      numbers.push_back(static_cast<int64_t>(number));
    } while (take(","));
    if (take(close))
      return true;
    fail("'" + close + "'");
    return false;
  }

  bool devices(Numbers &result) {
    if (!take("<=["))
      return list(result, "");
    Numbers shape, order;
    if (!list(shape, "]"))
      return false;
    if (take("T(") ? !list(order, ")") : shape.size() != 1) {
      if (order.empty())
        fail("'T('");
      return false;
    }
    SmallVector<unsigned> permutation(order.begin(), order.end());
    if (order.empty())
      permutation = {0};
    SmallVector<unsigned> sorted = permutation;
    llvm::sort(sorted);
    for (auto [i, axis] : llvm::enumerate(sorted))
      if (axis != i || sorted.size() != shape.size()) {
        fail("a permutation of " + llvm::Twine(shape.size()) + " dimensions");
        return false;
      }
    if (product(shape) < 0) {
      fail("at most " + llvm::Twine(kMaxDevices) + " devices");
      return false;
    }
    result = transposedIota(shape, permutation);
    return true;
  }

  StringRef whole, rest;
  EmitError emitError;
};

} // namespace

/// The tile that each device has along each dimension; empty unless `devices`
/// are all devices.
static SmallVector<Numbers> tilesOfDevices(const Tiles &tiles) {
  SmallVector<Numbers> result(tiles.devices.size());
  for (auto [position, device] : llvm::enumerate(tiles.devices)) {
    if (device >= static_cast<int64_t>(result.size()) ||
        !result[static_cast<size_t>(device)].empty())
      return {};
    Numbers &tile = result[static_cast<size_t>(device)];
    int64_t left = static_cast<int64_t>(position) / tiles.sharing;
    for (int64_t count : llvm::reverse(tiles.counts)) {
      tile.push_back(left % count);
      left /= count;
    }
    std::reverse(tile.begin(), tile.end());
  }
  return result;
}

/// The layout in which a step along an axis does what it does from device 0.
static Layout guess(ArrayRef<Numbers> tileOf, ArrayRef<int64_t> meshSizes,
                    ArrayRef<Expr> extents) {
  SmallVector<Placement> placements;
  Numbers steps;
  for (unsigned axis = 0; axis < meshSizes.size(); ++axis) {
    placements.push_back(Placement::replicate());
    steps.push_back(0);
    if (meshSizes[axis] == 1)
      continue;
    int64_t next = product(meshSizes.drop_front(axis + 1));
    for (auto [dim, tile] : llvm::enumerate(tileOf[static_cast<size_t>(next)]))
      if (tile != 0 && placements.back().isReplicate()) {
        placements.back() = Placement::shard(static_cast<unsigned>(dim));
        steps.back() = tile;
      }
  }
  SmallVector<unsigned> order(meshSizes.size());
  std::iota(order.begin(), order.end(), 0);
  llvm::sort(order, [&](unsigned a, unsigned b) {
    return std::pair(-steps[a], a) < std::pair(-steps[b], b);
  });
  return Layout(placements, extents, order);
}

static bool says(const Layout &layout, ArrayRef<int64_t> meshSizes,
                 ArrayRef<Numbers> tileOf) {
  for (auto [device, tile] : llvm::enumerate(tileOf))
    for (unsigned dim = 0; dim < layout.getRank(); ++dim) {
      int64_t expected = 0;
      for (unsigned axis : layout.axesOf(dim)) {
        int64_t stride = product(meshSizes.drop_front(axis + 1));
        int64_t at = static_cast<int64_t>(device) / stride % meshSizes[axis];
        expected = expected * meshSizes[axis] + at;
      }
      if (tile[dim] != expected)
        return false;
    }
  return true;
}

std::optional<Layout> dtensor::parseHloSharding(StringRef text,
                                                ArrayRef<int64_t> meshSizes,
                                                ArrayRef<Expr> extents,
                                                EmitError emitError) {
  std::optional<Tiles> tiles =
      Parser(text, emitError).parse(static_cast<unsigned>(extents.size()));
  if (!tiles)
    return std::nullopt;
  unsigned axes = static_cast<unsigned>(meshSizes.size());
  if (tiles->devices.empty())
    return Layout::replicated(axes, extents);
  auto refuse = [&](const llvm::Twine &why) {
    emitError("\"" + text + "\": " + why);
    return std::nullopt;
  };
  int64_t count = product(meshSizes);
  if (count != static_cast<int64_t>(tiles->devices.size()))
    return refuse(llvm::Twine(tiles->devices.size()) +
                  " devices, the mesh has " + llvm::Twine(count));
  SmallVector<Numbers> tileOf = tilesOfDevices(*tiles);
  if (tileOf.empty())
    return refuse("a device is named twice, or is none of the mesh");
  Layout layout = guess(tileOf, meshSizes, extents);
  if (!says(layout, meshSizes, tileOf))
    return refuse("no axis of the mesh runs along these devices");
  if (!cutsAgree(layout, meshSizes, emitError))
    return std::nullopt;
  return layout;
}
