//===- Ranks.h - Meshes, layouts and ranks for tests ------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_TEST_UNIT_SHARDING_RANKS_H
#define DTENSOR_TEST_UNIT_SHARDING_RANKS_H

#include "dtensor/Sharding/LocalShape.h"

namespace dtensor::test {

using Numbers = std::vector<int64_t>;

/// Axes named a, b, c ... of known size.
inline Mesh knownMesh(llvm::ArrayRef<int64_t> sizes) {
  llvm::SmallVector<MeshAxis> axes;
  for (int64_t size : sizes) {
    MeshAxis axis;
    axis.name = std::string(1, static_cast<char>('a' + axes.size()));
    axis.facts.size = size;
    axes.push_back(axis);
  }
  return Mesh(axes);
}

/// The same axes with sizes unknown to the compiler; `hints` steer costs.
inline Mesh unknownMesh(llvm::ArrayRef<int64_t> hints) {
  llvm::SmallVector<MeshAxis> axes(knownMesh(hints).getAxes());
  for (auto [axis, hint] : llvm::zip_equal(axes, hints)) {
    axis.facts.size = std::nullopt;
    axis.facts.hint = hint;
  }
  return Mesh(axes);
}

inline llvm::SmallVector<Expr> constants(ExprContext &context,
                                         llvm::ArrayRef<int64_t> values) {
  llvm::SmallVector<Expr> exprs;
  for (int64_t value : values)
    exprs.push_back(Expr::constant(context, value));
  return exprs;
}

/// Coordinates of every rank, the last axis fastest.
inline std::vector<Numbers> allCoordinates(llvm::ArrayRef<int64_t> sizes) {
  std::vector<Numbers> ranks = {{}};
  for (int64_t size : sizes) {
    std::vector<Numbers> longer;
    for (const Numbers &rank : ranks)
      for (int64_t i = 0; i < size; ++i) {
        longer.push_back(rank);
        longer.back().push_back(i);
      }
    ranks = std::move(longer);
  }
  return ranks;
}

/// The value of `expr` on one rank; `extents` binds extent symbols.
inline int64_t valueOn(
    Expr expr, const Mesh &mesh, llvm::ArrayRef<int64_t> sizes,
    const Numbers &coordinates,
    llvm::function_ref<std::optional<int64_t>(llvm::StringRef)> extents =
        [](llvm::StringRef) { return std::optional<int64_t>(); }) {
  auto value = expr.evaluate(
      [&](llvm::StringRef name, SymbolKind kind) -> std::optional<int64_t> {
        if (kind == SymbolKind::Extent)
          return extents(name);
        unsigned axis = *mesh.lookup(name);
        return kind == SymbolKind::AxisSize ? sizes[axis] : coordinates[axis];
      });
  return value.value_or(-1);
}

/// One piece by counting, not by formula: whole units are dealt out in runs of
/// equal length, front to back.
struct Piece {
  int64_t size, offset;
};
inline Piece countedPiece(int64_t extent, int64_t unit, int64_t ranks,
                          int64_t rank) {
  int64_t units = 0;
  while (units * unit < extent)
    ++units;
  int64_t perRank = 0;
  while (perRank * ranks < units)
    ++perRank;
  int64_t begin = 0, end = 0;
  for (int64_t i = 0; i < extent; ++i) {
    int64_t owner = (i / unit) / perRank;
    begin += owner < rank;
    end += owner <= rank;
  }
  return {end - begin, begin};
}

/// Collects the text of one error.
struct Errors {
  std::string text;
  auto sink() {
    return [this](const llvm::Twine &message) { text += message.str(); };
  }
};

} // namespace dtensor::test

#endif // DTENSOR_TEST_UNIT_SHARDING_RANKS_H
