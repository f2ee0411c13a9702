//===- SdySharding.cpp - Layouts in the words of Shardy -------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/SdySharding.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace dtensor;
using llvm::ArrayRef;
using llvm::SmallVector;
using llvm::StringRef;
using llvm::Twine;

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

bool SdyAxis::operator==(const SdyAxis &other) const {
  return name == other.name && before == other.before && size == other.size;
}

const SdyMesh::Axis *SdyMesh::lookup(StringRef name) const {
  const Axis *axis =
      llvm::find_if(axes, [&](const Axis &axis) { return axis.name == name; });
  return axis == axes.end() ? nullptr : axis;
}

bool SdyMesh::operator==(const SdyMesh &other) const {
  return axes == other.axes && devices == other.devices;
}

/// The inverse of `SdyAxis::str` for a part.
static std::optional<SdyAxis> parsePart(StringRef text) {
  auto [name, numbers] = text.rsplit(":(");
  SdyAxis part;
  part.name = name.str();
  if (name.empty() || numbers.consumeInteger(10, part.before) ||
      !numbers.consume_front(")") || numbers.getAsInteger(10, part.size) ||
      part.size < 2)
    return std::nullopt;
  return part;
}

/// What each axis of our mesh is there. Axes are parts only if they are several
/// in a row and make up a whole.
static SmallVector<SdyAxis> partsOf(const Mesh &mesh) {
  SmallVector<SdyAxis> result;
  for (const MeshAxis &axis : mesh.getAxes()) {
    std::optional<SdyAxis> part = parsePart(axis.name);
    bool isPart = part && part->size == axis.facts.size;
    result.push_back(isPart ? *part : SdyAxis{axis.name, 1, 0});
  }
  for (unsigned first = 0, last; first < result.size(); first = last) {
    int64_t size = 1;
    last = first;
    while (last < result.size() && result[last].isPart() &&
           result[last].name == result[first].name &&
           result[last].before == size)
      size *= result[last++].size;
    if (last > first + 1)
      continue;
    last = first + 1;
    result[first] = SdyAxis{mesh.getName(first).str(), 1, 0};
  }
  return result;
}

/// The axes of our mesh that are `axis`, major to minor.
static SmallVector<unsigned> axesOf(const SdyAxis &axis,
                                    ArrayRef<SdyAxis> parts) {
  SmallVector<unsigned> result;
  for (auto [index, part] : llvm::enumerate(parts))
    if (part.name == axis.name &&
        (!axis.isPart() ||
         (part.before >= axis.before &&
          part.before * part.size <= axis.before * axis.size)))
      result.push_back(static_cast<unsigned>(index));
  return result;
}

//===----------------------------------------------------------------------===//
// Meshes
//===----------------------------------------------------------------------===//

template <typename Visit>
static void forEachAxis(const SdySharding &sharding, Visit visit) {
  for (const SdyDimension &dim : sharding.dims)
    llvm::for_each(dim.axes, visit);
  llvm::for_each(sharding.replicated, visit);
  llvm::for_each(sharding.unreduced, visit);
}

/// Where the parts of `axis` in `shardings` begin and end, from 1 to its size.
static SmallVector<int64_t> cutsOf(const SdyMesh::Axis &axis,
                                   ArrayRef<SdySharding> shardings) {
  SmallVector<int64_t> cuts = {1, axis.size};
  for (const SdySharding &sharding : shardings)
    forEachAxis(sharding, [&](const SdyAxis &part) {
      if (part.name == axis.name && part.isPart())
        llvm::append_values(cuts, part.before, part.before * part.size);
    });
  llvm::sort(cuts);
  cuts.erase(llvm::unique(cuts), cuts.end());
  return cuts;
}

std::optional<Mesh> dtensor::fromSdyMesh(const SdyMesh &mesh,
                                         ArrayRef<SdySharding> shardings,
                                         EmitError emitError) {
  if (mesh.axes.empty() || !mesh.devices.empty()) {
    emitError("mesh " + Twine(mesh.str()) +
              ": a mesh here has axes, and its ranks are row-major");
    return std::nullopt;
  }
  SmallVector<MeshAxis> axes;
  for (const SdyMesh::Axis &axis : mesh.axes) {
    SmallVector<int64_t> cuts = cutsOf(axis, shardings);
    if (cuts.size() < 3) {
      axes.emplace_back().name = axis.name;
      axes.back().facts.size = axis.size;
      continue;
    }
    for (auto [begin, end] :
         llvm::zip_equal(ArrayRef(cuts).drop_back(), ArrayRef(cuts).slice(1))) {
      if (end % begin != 0) {
        emitError("parts of mesh axis \"" + Twine(axis.name) + "\" end at " +
                  Twine(begin) + " and at " + Twine(end) + " of " +
                  Twine(axis.size) + ", which have no parts in common");
        return std::nullopt;
      }
      axes.emplace_back().name = SdyAxis{axis.name, begin, end / begin}.str();
      axes.back().facts.size = end / begin;
    }
  }
  Mesh result(axes);
  return result.verify(emitError) ? std::optional(result) : std::nullopt;
}

std::optional<SdyMesh> dtensor::toSdyMesh(const Mesh &mesh,
                                          EmitError emitError) {
  SdyMesh result;
  for (auto [index, part] : llvm::enumerate(partsOf(mesh))) {
    std::optional<int64_t> size = mesh.knownSize(static_cast<unsigned>(index));
    if (!size) {
      emitError("mesh axis \"" + Twine(part.name) +
                "\" has no known size, Shardy needs a number");
      return std::nullopt;
    }
    if (part.before > 1)
      result.axes.back().size *= *size;
    else
      result.axes.push_back({part.name, *size});
    // Another axis may have the name of the whole.
    if (part.before == 1 && result.lookup(part.name) != &result.axes.back()) {
      emitError("mesh has an axis \"" + Twine(part.name) +
                "\", and axes that are parts of one of this name");
      return std::nullopt;
    }
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Verification and canonical form
//===----------------------------------------------------------------------===//

bool SdySharding::hasOpen() const {
  return llvm::any_of(dims, [](const SdyDimension &dim) { return dim.isOpen; });
}

bool SdySharding::isFullyOpen() const {
  return !dims.empty() && replicated.empty() && unreduced.empty() &&
         llvm::all_of(dims, [](const SdyDimension &dim) {
           return dim.isOpen && dim.axes.empty();
         });
}

static bool verifyAxis(const SdyAxis &axis, const SdyMesh &mesh,
                       EmitError emitError) {
  const SdyMesh::Axis *whole = mesh.lookup(axis.name);
  if (!whole) {
    emitError("no axis of mesh " + Twine(mesh.str()) + " is named \"" +
              axis.name + "\"");
    return false;
  }
  if (!axis.isPart())
    return true;
  if (axis.before >= 1 && axis.size >= 2 && axis.size < whole->size &&
      axis.before <= whole->size &&
      whole->size % (axis.before * axis.size) == 0)
    return true;
  emitError("\"" + Twine(axis.str()) + "\" is no part of an axis of size " +
            Twine(whole->size));
  return false;
}

static bool overlap(const SdyAxis &a, const SdyAxis &b) {
  if (a.name != b.name || !a.isPart() || !b.isPart())
    return a.name == b.name;
  return a.before < b.before * b.size && b.before < a.before * a.size;
}

bool SdySharding::verify(const SdyMesh &mesh, EmitError emitError) const {
  SmallVector<SdyAxis> seen;
  bool good = true;
  forEachAxis(*this, [&](const SdyAxis &axis) {
    if (!good || !(good = verifyAxis(axis, mesh, emitError)))
      return;
    auto twice = llvm::find_if(
        seen, [&](const SdyAxis &other) { return overlap(axis, other); });
    if (twice != seen.end()) {
      emitError("axis \"" + axis.str() + "\" overlaps with \"" + twice->str() +
                "\" in one sharding");
      good = false;
    }
    seen.push_back(axis);
  });
  for (auto [index, dim] : llvm::enumerate(dims))
    if (good && dim.priority && !dim.isOpen && dim.axes.empty()) {
      emitError("dimension " + Twine(index) +
                " is closed and has no axes, but has priority " +
                Twine(*dim.priority));
      good = false;
    }
  return good;
}

/// Neighbouring parts become one, all parts of an axis the axis.
static void join(SdyAxes &axes, const SdyMesh &mesh) {
  SdyAxes joined;
  for (const SdyAxis &axis : axes) {
    bool continues = !joined.empty() && axis.isPart() &&
                     joined.back().isPart() &&
                     joined.back().name == axis.name &&
                     joined.back().before * joined.back().size == axis.before;
    if (continues)
      joined.back().size *= axis.size;
    else
      joined.push_back(axis);
    if (joined.back().size == mesh.lookup(axis.name)->size)
      joined.back().size = 0;
  }
  axes = std::move(joined);
}

void SdySharding::canonicalize(const SdyMesh &mesh) {
  auto position = [&](const SdyAxis &axis) {
    return std::pair(mesh.lookup(axis.name), axis.before);
  };
  for (SdyAxes *list : {&replicated, &unreduced})
    llvm::sort(*list, [&](const SdyAxis &a, const SdyAxis &b) {
      return position(a) < position(b);
    });
  for (SdyDimension &dim : dims)
    join(dim.axes, mesh);
  join(replicated, mesh);
  join(unreduced, mesh);
}

//===----------------------------------------------------------------------===//
// Conversion
//===----------------------------------------------------------------------===//

/// Several axes on one dimension: see the top of the header.
static bool cutsAgree(const Layout &layout, const Mesh &mesh,
                      EmitError emitError) {
  for (unsigned dim = 0; dim < layout.getRank(); ++dim) {
    int64_t tiles = 1;
    unsigned cuts = 0;
    for (unsigned axis : layout.axesOf(dim)) {
      tiles *= *mesh.knownSize(axis);
      cuts += !mesh.isTrivial(axis);
    }
    std::optional<int64_t> extent = layout.extents[dim].getConstant();
    if (cuts < 2 || !extent || *extent % tiles == 0)
      continue;
    emitError("dimension " + Twine(dim) + " of " + Twine(*extent) +
              " elements is cut by " + Twine(cuts) + " axes, " + Twine(tiles) +
              " tiles of Shardy lie elsewhere");
    return false;
  }
  return true;
}

/// An open axis, and one after it in the mesh that shards: here the first may
/// cut what the second cuts, before it, and there only after it.
static std::optional<std::pair<unsigned, unsigned>>
findOpenBefore(ArrayRef<Placement> placements) {
  for (unsigned axis = 0; axis < placements.size(); ++axis)
    for (unsigned before = 0; before < axis; ++before)
      if (placements[axis].isShard() && placements[before].isOpen())
        return std::pair(before, axis);
  return std::nullopt;
}

/// Reports what no layout says; with `Drop` only what no placement does.
static bool canBeSaid(const SdySharding &sharding, unsigned rank,
                      ArrayRef<Placement> placements, const Mesh &mesh,
                      SdyDetail detail, EmitError emitError) {
  auto refuse = [&](const Twine &why) {
    emitError("\"" + sharding.str() + "\": " + why);
    return false;
  };
  if (sharding.dims.size() != rank)
    return refuse(Twine(sharding.dims.size()) +
                  " dimensions for a tensor of rank " + Twine(rank));
  if (detail == SdyDetail::Drop)
    return true;
  const Placement *freeAxis =
      llvm::find_if(placements, [](auto &p) { return p.isOpen(); });
  bool hasFree = freeAxis != placements.end() && sharding.hasOpen();
  for (auto [index, dim] : llvm::enumerate(sharding.dims)) {
    if (dim.priority.value_or(0) > 0)
      return refuse("dimension " + Twine(index) + " has priority " +
                    Twine(*dim.priority) +
                    ", here all placements are chosen together");
    if (hasFree && !dim.isOpen)
      return refuse(
          "dimension " + Twine(index) +
          " is closed and another one is open, here axis \"" +
          mesh.getName(static_cast<unsigned>(freeAxis - placements.begin())) +
          "\" is free for all dimensions or for none");
  }
  if (auto found = findOpenBefore(placements); found && hasFree)
    return refuse("axis \"" + mesh.getName(found->first) +
                  "\" is free, here it may cut before axis \"" +
                  mesh.getName(found->second) + "\"");
  return true;
}

std::optional<Layout> dtensor::fromSdySharding(const SdySharding &sharding,
                                               const Mesh &mesh,
                                               ArrayRef<Expr> extents,
                                               SdyDetail detail,
                                               EmitError emitError) {
  SmallVector<SdyAxis> parts = partsOf(mesh);
  SmallVector<Placement> placements(mesh.getNumAxes(), Placement::open());
  SmallVector<unsigned> order;
  auto place = [&](ArrayRef<SdyAxis> axes, const Placement &placement) {
    for (const SdyAxis &axis : axes)
      for (unsigned index : axesOf(axis, parts)) {
        placements[index] = placement;
        order.push_back(index);
      }
  };
  for (auto [dim, said] : llvm::enumerate(sharding.dims))
    place(said.axes, Placement::shard(static_cast<unsigned>(dim)));
  place(sharding.replicated, Placement::replicate());
  place(sharding.unreduced, Placement::partial(sharding.reduce));
  for (unsigned axis = 0; axis < mesh.getNumAxes(); ++axis)
    if (placements[axis].isOpen())
      order.push_back(axis);
  unsigned rank = static_cast<unsigned>(extents.size());
  if (!canBeSaid(sharding, rank, placements, mesh, detail, emitError))
    return std::nullopt;
  bool allOpen = sharding.hasOpen() &&
                 llvm::all_of(sharding.dims, [](const SdyDimension &dim) {
                   return dim.isOpen;
                 });
  for (Placement &placement : placements)
    if (placement.isOpen() && !allOpen)
      placement = Placement::replicate();
  Layout layout(placements, extents, order);
  if (!layout.verify(mesh, emitError) || !cutsAgree(layout, mesh, emitError))
    return std::nullopt;
  return layout;
}

/// Do the pieces that `axis` cuts end with a unit anyway, since all are equal?
static bool isIdleUnit(const Layout &layout, const Mesh &mesh, unsigned axis) {
  const Placement &placement = layout.placements[axis];
  if (!placement.isShard() || !placement.unit)
    return true;
  std::optional<int64_t> extent = layout.extents[placement.dim].getConstant();
  std::optional<int64_t> size = placement.unit.getConstant();
  if (!extent || !size || *size < 1 || *size > *extent)
    return false;
  for (unsigned cutter : layout.axesOf(placement.dim))
    if (llvm::MulOverflow(*size, *mesh.knownSize(cutter), *size))
      return false;
  return *extent % *size == 0;
}

static bool canBeSaid(const Layout &layout, const Mesh &mesh,
                      EmitError emitError) {
  for (auto [axis, placement] : llvm::enumerate(layout.placements)) {
    bool isMean =
        placement.isPartial() && (placement.reduce == ReduceKind::Avg ||
                                  placement.reduce == ReduceKind::Product);
    bool isHidden = placement.isOpen() && layout.getRank() == 0;
    if (!isMean && !isHidden &&
        isIdleUnit(layout, mesh, static_cast<unsigned>(axis)))
      continue;
    emitError("Shardy has no words for " + Twine(placement.str()) +
              (isHidden ? " of a scalar" : "") + " on mesh axis \"" +
              mesh.getName(static_cast<unsigned>(axis)) + "\"");
    return false;
  }
  if (auto found = findOpenBefore(layout.placements)) {
    emitError("Shardy has no words for ? on mesh axis \"" +
              mesh.getName(found->first) + "\", which may cut before axis \"" +
              mesh.getName(found->second) + "\"");
    return false;
  }
  return true;
}

std::optional<SdySharding> dtensor::toSdySharding(const Layout &layout,
                                                  const Mesh &mesh,
                                                  StringRef meshName,
                                                  EmitError emitError) {
  std::optional<SdyMesh> there = toSdyMesh(mesh, emitError);
  if (!there || !canBeSaid(layout, mesh, emitError) ||
      !cutsAgree(layout, mesh, emitError))
    return std::nullopt;
  SmallVector<SdyAxis> parts = partsOf(mesh);
  SdySharding result;
  result.meshName = meshName.str();
  for (unsigned dim = 0; dim < layout.getRank(); ++dim) {
    result.dims.emplace_back().isOpen = layout.hasOpen();
    for (unsigned axis : layout.axesOf(dim))
      result.dims.back().axes.push_back(parts[axis]);
  }
  for (auto [axis, placement] : llvm::enumerate(layout.placements)) {
    if (placement.isReplicate() && layout.hasOpen())
      result.replicated.push_back(parts[axis]);
    if (placement.isPartial()) {
      result.unreduced.push_back(parts[axis]);
      result.reduce = placement.reduce;
    }
  }
  result.canonicalize(*there);
  return result;
}
