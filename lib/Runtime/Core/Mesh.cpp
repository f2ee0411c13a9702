//===- Mesh.cpp - ranks, coordinates, groups --------------------*- C++ -*-===//

#include "Mesh.h"

#include "Error.h"

#include <algorithm>

using namespace dtensor::rt;

int64_t Mesh::numRanks() const {
  int64_t count = 1;
  for (int64_t size : sizes)
    count *= size;
  return count;
}

int64_t Mesh::stride(size_t axis) const {
  int64_t result = 1;
  for (size_t a = axis + 1; a < sizes.size(); ++a)
    result *= sizes[a];
  return result;
}

std::vector<int64_t> Mesh::coords(int64_t rank) const {
  std::vector<int64_t> result(sizes.size());
  for (size_t a = sizes.size(); a-- > 0; rank /= sizes[a])
    result[a] = rank % sizes[a];
  return result;
}

std::vector<unsigned> dtensor::rt::unpackAxes(const Mesh &mesh,
                                              PackedAxes axes) {
  std::vector<unsigned> result;
  for (uint64_t rest = static_cast<uint64_t>(axes); rest; rest >>= 4) {
    unsigned nibble = rest & 15;
    if (nibble == 0 || nibble > mesh.numAxes())
      raise(DTENSOR_RT_RUN_FAILED, "collective names mesh axis ",
            static_cast<int>(nibble) - 1, ", the mesh has ", mesh.numAxes());
    if (std::find(result.begin(), result.end(), nibble - 1) != result.end())
      raise(DTENSOR_RT_RUN_FAILED, "collective names mesh axis ",
            quoted(mesh.names[nibble - 1]), " twice");
    result.push_back(nibble - 1);
  }
  return result;
}

Group dtensor::rt::makeGroup(const Mesh &mesh, int64_t rank, PackedAxes axes) {
  std::vector<unsigned> list = unpackAxes(mesh, axes);
  std::vector<int64_t> coords = mesh.coords(rank);
  Group group;
  group.axes = axes;
  group.first = rank;
  for (unsigned axis : list) {
    group.first -= coords[axis] * mesh.stride(axis);
    group.position = group.position * mesh.sizes[axis] + coords[axis];
  }
  group.members = {group.first};
  for (unsigned axis : list) {
    std::vector<int64_t> wider;
    for (int64_t member : group.members)
      for (int64_t i = 0; i < mesh.sizes[axis]; ++i)
        wider.push_back(member + i * mesh.stride(axis));
    group.members = std::move(wider);
  }
  return group;
}

std::string dtensor::rt::axesString(const Mesh &mesh, PackedAxes axes) {
  std::string text;
  for (unsigned axis : unpackAxes(mesh, axes))
    text += (text.empty() ? "" : ", ") + mesh.names[axis];
  return text.empty() ? "no axis" : text;
}
