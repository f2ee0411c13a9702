//===- Pieces.h - how a group cuts a dimension ------------------*- C++ -*-===//
//
// One axis of n ranks cuts N elements in units of U into pieces of
//
//   c = U * ceildiv(ceildiv(N, U), n),  size(r) = clamp(N - r*c, 0, c),
//   offset(r) = min(N, r*c)
//
// and nested axes, major to minor, cut the piece left by those before with the
// same formula. Unit 0 counts as 1. It is the only formula of the compiler's
// layouts that the runtime knows: members must know each other's sizes.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_CORE_PIECES_H
#define DTENSOR_RUNTIME_CORE_PIECES_H

#include "Mesh.h"

namespace dtensor::rt {

/// Part [offset, offset + size) of a dimension.
struct Piece {
  int64_t offset, size;
};

/// The pieces of the members of a group over `axes`, in group order.
std::vector<Piece> cutPieces(const Mesh &mesh, PackedAxes axes, int64_t extent,
                             int64_t unit);

} // namespace dtensor::rt

#endif // DTENSOR_RUNTIME_CORE_PIECES_H
