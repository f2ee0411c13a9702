//===- Mesh.h - Named axes of ranks -----------------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A mesh is a grid of ranks with named axes. The size of an axis is a number
// or is known only at launch; what is known about it then are its facts.
// Ranks are numbered row-major: the last axis varies fastest.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_SHARDING_MESH_H
#define DTENSOR_SHARDING_MESH_H

#include "dtensor/Sharding/Facts.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/Twine.h"

namespace dtensor {

/// Receives the text of one error: lower case, no full stop.
using EmitError = llvm::function_ref<void(const llvm::Twine &)>;

struct MeshAxis {
  std::string name;
  AxisFacts facts;

  bool operator==(const MeshAxis &other) const;
};

class Mesh {
public:
  /// Lists of axes travel to the runtime as 4-bit numbers in 64 bits, with 0
  /// as the end: at most 15 axes.
  static constexpr unsigned kMaxAxes = 15;

  Mesh() = default;
  explicit Mesh(llvm::ArrayRef<MeshAxis> axes)
      : axes(axes.begin(), axes.end()) {}

  llvm::ArrayRef<MeshAxis> getAxes() const { return axes; }
  unsigned getNumAxes() const { return axes.size(); }
  llvm::StringRef getName(unsigned axis) const { return axes[axis].name; }

  /// The position of the axis with this name.
  std::optional<unsigned> lookup(llvm::StringRef name) const;

  /// The size if it is a known number.
  std::optional<int64_t> knownSize(unsigned axis) const;
  /// True only if the axis is known to hold a single rank.
  bool isTrivial(unsigned axis) const { return knownSize(axis) == 1; }

  /// The known size as a constant, else the symbol `size(name)`.
  Expr sizeExpr(ExprContext &context, unsigned axis) const;
  /// This rank's coordinate: constant 0 on an axis of known size 1, else the
  /// symbol `index(name)`.
  Expr indexExpr(ExprContext &context, unsigned axis) const;
  /// The product of the sizes of `group` (1 for an empty group).
  Expr groupSizeExpr(ExprContext &context,
                     llvm::ArrayRef<unsigned> group) const;

  /// The size that costs are computed at: the known size, else the hint moved
  /// to the nearest size that the facts allow. Always >= 1.
  int64_t hint(unsigned axis) const;
  /// The product of the hints of `group`, saturating.
  int64_t groupHint(llvm::ArrayRef<unsigned> group) const;

  /// Declares every axis, with `hint(axis)` as its hint.
  void declareAxes(Facts &facts) const;

  /// At least one axis, at most kMaxAxes; names non-empty and unique; sizes
  /// and bounds >= 1; facts that some size satisfies, the known size included.
  bool verify(EmitError emitError) const;

  bool operator==(const Mesh &other) const { return axes == other.axes; }
  bool operator!=(const Mesh &other) const { return !(*this == other); }

  /// Without brackets: `"dp" = 2, "tp" = ? {divides 64, hint 4}`. The facts,
  /// in this order and only where they differ from their defaults: min, max,
  /// divides, multiple_of, hint.
  void print(llvm::raw_ostream &os) const;
  std::string str() const;

private:
  llvm::SmallVector<MeshAxis, 2> axes;
};

llvm::hash_code hash_value(const Mesh &mesh);

} // namespace dtensor

#endif // DTENSOR_SHARDING_MESH_H
