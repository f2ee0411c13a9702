//===- Pieces.cpp - how a group cuts a dimension ----------------*- C++ -*-===//

#include "Pieces.h"

#include <algorithm>

using namespace dtensor::rt;

static int64_t ceilDiv(int64_t a, int64_t b) { return a / b + (a % b != 0); }

std::vector<Piece> dtensor::rt::cutPieces(const Mesh &mesh, PackedAxes axes,
                                          int64_t extent, int64_t unit) {
  unit = std::max<int64_t>(unit, 1);
  std::vector<Piece> pieces = {{0, extent}};
  for (unsigned axis : unpackAxes(mesh, axes)) {
    std::vector<Piece> next;
    for (const Piece &piece : pieces) {
      int64_t n = mesh.sizes[axis];
      int64_t chunk = unit * ceilDiv(ceilDiv(piece.size, unit), n);
      for (int64_t r = 0; r < n; ++r) {
        int64_t offset = std::min(piece.size, r * chunk);
        next.push_back(
            {piece.offset + offset, std::min(piece.size - offset, chunk)});
      }
    }
    pieces = std::move(next);
  }
  return pieces;
}
