//===- Mesh.h - ranks, coordinates, groups ----------------------*- C++ -*-===//
//
// rank = sum_a coord(a) * stride(a), last axis fastest: stride(last) = 1.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_CORE_MESH_H
#define DTENSOR_RUNTIME_CORE_MESH_H

#include "dtensor-rt/CompiledABI.h"

#include <string>
#include <vector>

namespace dtensor::rt {

struct Mesh {
  std::vector<std::string> names;
  std::vector<int64_t> sizes;

  size_t numAxes() const { return sizes.size(); }
  int64_t numRanks() const;
  std::vector<int64_t> coords(int64_t rank) const;
  int64_t stride(size_t axis) const;
};

/// The ranks that a collective of one rank spans.
struct Group {
  PackedAxes axes = 0;
  /// The member with coordinate 0 on every axis of the group: with `axes` it
  /// names the group.
  int64_t first = 0;
  /// The caller's place among the members.
  int64_t position = 0;
  /// The ranks in group order, first listed axis major.
  std::vector<int64_t> members;

  int64_t size() const { return static_cast<int64_t>(members.size()); }
};

/// Unpacks `axes`, major first. Raises on an axis that the mesh lacks, on a
/// repeated one, and on an empty place before the last axis.
std::vector<unsigned> unpackAxes(const Mesh &mesh, PackedAxes axes);

Group makeGroup(const Mesh &mesh, int64_t rank, PackedAxes axes);

/// "tp, dp", "no axis" for the empty list.
std::string axesString(const Mesh &mesh, PackedAxes axes);

} // namespace dtensor::rt

#endif // DTENSOR_RUNTIME_CORE_MESH_H
