//===- Distribution.cpp - global arrays to local ones and back --*- C++ -*-===//

#include "Distribution.h"

#include <algorithm>
#include <new>

using namespace dtensor::rt;

namespace {

bool isPartial(const PlacementDecl &placement) {
  return placement.kind == PlacementDecl::Partial;
}

const PlacementDecl *findPartial(const ValueDecl &value) {
  auto it =
      std::find_if(value.placements.begin(), value.placements.end(), isPartial);
  return it == value.placements.end() ? nullptr : &*it;
}

/// True when every coordinate on an axis of this kind is 0.
bool isFirst(const ValueDecl &value, const std::vector<int64_t> &coords,
             PlacementDecl::Kind kind) {
  for (size_t a = 0; a < coords.size(); ++a)
    if (value.placements[a].kind == kind && coords[a] != 0)
      return false;
  return true;
}

PackedAxes partialAxes(const ValueDecl &value) {
  PackedAxes axes = 0;
  unsigned count = 0;
  for (unsigned a = 0; a < value.placements.size(); ++a)
    if (isPartial(value.placements[a]))
      axes = packAxis(axes, count++, a);
  return axes;
}

} // namespace

View dtensor::rt::slice(const View &global, const Box &box) {
  View view = global;
  for (int64_t d = 0; d < global.rank; ++d)
    view = view.slice(d, box.offsets[d], box.extents[d]);
  return view;
}

View dtensor::rt::allocateLocal(const Box &box, int32_t dtype,
                                Buffer &storage) {
  View view =
      rowMajorView(nullptr, dtype, static_cast<int64_t>(box.extents.size()),
                   box.extents.data());
  storage.reset(alignedAlloc(view.numBytes()));
  if (!storage)
    throw std::bad_alloc();
  view.base = static_cast<char *>(storage.get());
  return view;
}

View dtensor::rt::distribute(const View &global, const Box &box,
                             const ValueDecl &value,
                             const std::vector<int64_t> &coords, bool mayAlias,
                             Buffer &storage) {
  const PlacementDecl *partial = findPartial(value);
  bool holdsValue = !partial || partial->isAverage ||
                    isFirst(value, coords, PlacementDecl::Partial);
  View part = slice(global, box);
  bool isWhole = std::equal(part.sizes, part.sizes + part.rank, global.sizes);
  if (mayAlias && holdsValue && isWhole && global.isRowMajor() && global.base)
    return rowMajorView(global.base, global.dtype, global.rank, global.sizes);
  View local = allocateLocal(box, global.dtype, storage);
  if (holdsValue)
    copy(local, part);
  else
    fillNeutral(local, partial->reduce);
  return local;
}

bool dtensor::rt::isCollected(const ValueDecl &value,
                              const std::vector<int64_t> &coords) {
  return isFirst(value, coords, PlacementDecl::Replicate);
}

void dtensor::rt::collect(const View &global, const ValueDecl &value,
                          const Mesh &mesh, const std::vector<View> &locals,
                          const std::vector<Box> &boxes) {
  const PlacementDecl *partial = findPartial(value);
  PackedAxes axes = partialAxes(value);
  for (int64_t rank = 0; rank < mesh.numRanks(); ++rank) {
    std::vector<int64_t> coords = mesh.coords(rank);
    if (!isFirst(value, coords, PlacementDecl::Replicate) ||
        !isFirst(value, coords, PlacementDecl::Partial))
      continue;
    View part = slice(global, boxes[rank]);
    if (!partial) {
      copy(part, locals[rank]);
      continue;
    }
    std::vector<View> sources;
    Group group = makeGroup(mesh, rank, axes);
    for (int64_t member : group.members)
      sources.push_back(locals[member]);
    reduce(sources.data(), group.size(), &part, 1, partial->reduce,
           partial->isAverage ? group.size() : 1);
  }
}
