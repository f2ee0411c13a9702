//===- Layout.cpp - How a mesh holds a tensor -----------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/Layout.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/Support/raw_ostream.h"

using namespace dtensor;
using llvm::SmallVector;
using llvm::Twine;

static SmallVector<unsigned, 2> identityOrder(unsigned numAxes) {
  return llvm::to_vector<2>(llvm::seq<unsigned>(0, numAxes));
}

static bool isPermutation(llvm::ArrayRef<unsigned> order, unsigned count) {
  llvm::SmallBitVector seen(count);
  for (unsigned axis : order) {
    if (axis >= count || seen.test(axis))
      return false;
    seen.set(axis);
  }
  return order.size() == count;
}

Layout::Layout(llvm::ArrayRef<Placement> placements,
               llvm::ArrayRef<Expr> extents, llvm::ArrayRef<unsigned> order)
    : placements(placements.begin(), placements.end()),
      order(order.begin(), order.end()),
      extents(extents.begin(), extents.end()) {
  if (order.empty() || isPermutation(order, placements.size()))
    canonicalizeOrder();
}

Layout Layout::replicated(unsigned numAxes, llvm::ArrayRef<Expr> extents) {
  return Layout(SmallVector<Placement>(numAxes, Placement::replicate()),
                extents);
}

Layout Layout::mapExprs(llvm::function_ref<Expr(Expr)> change) const {
  Layout changed = *this;
  for (Expr &extent : changed.extents)
    extent = change(extent);
  for (Placement &placement : changed.placements)
    if (placement.unit)
      placement = Placement::shard(placement.dim, change(placement.unit));
  return changed;
}

SmallVector<unsigned> Layout::axesOf(unsigned dim) const {
  // Layouts that do not verify are printed too: an order that is none is as
  // good as the identity.
  bool ordered = order.size() == placements.size();
  SmallVector<unsigned> axes;
  for (unsigned i = 0; i < placements.size(); ++i) {
    unsigned axis = ordered ? order[i] : i;
    if (axis < placements.size() && placements[axis].isShard(dim))
      axes.push_back(axis);
  }
  return axes;
}

SmallVector<unsigned> Layout::partialAxes() const {
  SmallVector<unsigned> axes;
  for (unsigned axis = 0; axis < placements.size(); ++axis)
    if (placements[axis].isPartial())
      axes.push_back(axis);
  return axes;
}

Expr Layout::unitOf(unsigned dim) const {
  for (const Placement &placement : placements)
    if (placement.isShard(dim))
      return placement.unit;
  return {};
}

SmallVector<unsigned> Layout::outerAxes(unsigned axis) const {
  if (!placements[axis].isShard())
    return {};
  SmallVector<unsigned> axes = axesOf(placements[axis].dim);
  axes.erase(llvm::find(axes, axis), axes.end());
  return axes;
}

bool Layout::hasOpen() const {
  return llvm::any_of(placements, [](auto &p) { return p.isOpen(); });
}

bool Layout::hasPartial() const {
  return llvm::any_of(placements, [](auto &p) { return p.isPartial(); });
}

bool Layout::isReplicated() const {
  return llvm::all_of(placements, [](auto &p) { return p.isReplicate(); });
}

bool Layout::hasDefaultOrder() const {
  for (unsigned axis = 0; axis < placements.size(); ++axis)
    if (placements[axis].isShard() &&
        !llvm::is_sorted(axesOf(placements[axis].dim)))
      return false;
  return true;
}

bool Layout::samePlacements(const Layout &other) const {
  if (placements != other.placements)
    return false;
  for (const Placement &placement : placements)
    if (placement.isShard() &&
        axesOf(placement.dim) != other.axesOf(placement.dim))
      return false;
  return true;
}

void Layout::canonicalizeOrder() {
  SmallVector<unsigned, 2> canonical = identityOrder(placements.size());
  for (const Placement &placement : placements) {
    if (!placement.isShard())
      continue;
    SmallVector<unsigned> nest = axesOf(placement.dim), slots = nest;
    llvm::sort(slots);
    for (auto [slot, axis] : llvm::zip_equal(slots, nest))
      canonical[slot] = axis;
  }
  order = std::move(canonical);
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

static std::string onAxis(const Mesh &mesh, unsigned axis) {
  return (" on axis \"" + mesh.getName(axis) + "\"").str();
}

static bool verifyExtents(const Layout &layout, EmitError emitError) {
  for (auto [dim, extent] : llvm::enumerate(layout.extents)) {
    if (!extent || extent.isOverflow()) {
      emitError("extent of dimension " + Twine(dim) +
                " is not a 64-bit integer expression");
      return false;
    }
    std::optional<int64_t> value = extent.getConstant();
    if (value && *value < 0) {
      emitError("extent of dimension " + Twine(dim) +
                " is negative: " + Twine(*value));
      return false;
    }
  }
  return true;
}

/// The shard on `axis` alone: dimension and unit.
static bool verifyShard(const Layout &layout, const Mesh &mesh, unsigned axis,
                        EmitError emitError) {
  const Placement &placement = layout.placements[axis];
  auto fail = [&](const Twine &what) {
    emitError(Twine(placement.str()) + onAxis(mesh, axis) + " " + what);
    return false;
  };
  if (placement.dim >= layout.getRank())
    return fail("names dimension " + Twine(placement.dim) +
                " of a tensor of rank " + Twine(layout.getRank()));
  if (!placement.unit)
    return true;
  std::optional<int64_t> bound = placement.unit.isOverflow()
                                     ? std::optional<int64_t>(0)
                                     : placement.unit.getUpperBound();
  if (bound && *bound < 1)
    return fail("has a unit that is not positive");
  return true;
}

/// Placements of two axes against each other.
static bool verifyPair(const Layout &layout, const Mesh &mesh, unsigned first,
                       unsigned second, EmitError emitError) {
  const Placement &a = layout.placements[first];
  const Placement &b = layout.placements[second];
  if (a.isPartial() && b.isPartial() && a.reduce != b.reduce) {
    emitError(Twine(a.str()) + onAxis(mesh, first) + " and " + b.str() +
              onAxis(mesh, second) + " mix two kinds of reduction");
    return false;
  }
  if (a.isShard() && b.isShard(a.dim) && a.unit != b.unit) {
    emitError(Twine(a.str()) + onAxis(mesh, first) + " and " + b.str() +
              onAxis(mesh, second) + " shard one dimension with two units");
    return false;
  }
  return true;
}

bool Layout::verify(const Mesh &mesh, EmitError emitError) const {
  if (placements.size() != mesh.getNumAxes()) {
    emitError("layout has " + Twine(placements.size()) +
              " placements, but the mesh has " + Twine(mesh.getNumAxes()) +
              " axes");
    return false;
  }
  if (!order.empty() && !isPermutation(order, placements.size())) {
    emitError("order is not a permutation of the " + Twine(placements.size()) +
              " mesh axes");
    return false;
  }
  if (!verifyExtents(*this, emitError))
    return false;
  for (unsigned axis = 0; axis < placements.size(); ++axis) {
    if (placements[axis].isShard() &&
        !verifyShard(*this, mesh, axis, emitError))
      return false;
    for (unsigned before = 0; before < axis; ++before)
      if (!verifyPair(*this, mesh, before, axis, emitError))
        return false;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Equality and printing
//===----------------------------------------------------------------------===//

bool Layout::operator==(const Layout &other) const {
  return extents == other.extents && samePlacements(other);
}

llvm::hash_code dtensor::hash_value(const Layout &layout) {
  // Without `order`: equal layouts may spell it differently.
  return llvm::hash_combine(
      llvm::hash_combine_range(layout.placements.begin(),
                               layout.placements.end()),
      llvm::hash_combine_range(layout.extents.begin(), layout.extents.end()));
}

void Layout::print(llvm::raw_ostream &os) const {
  os << '[';
  llvm::interleaveComma(placements, os);
  os << "], (";
  llvm::interleaveComma(extents, os);
  os << ')';
  if (hasDefaultOrder())
    return;
  os << ", order = [";
  llvm::interleaveComma(order, os);
  os << ']';
}

std::string Layout::str() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  print(os);
  return text;
}
