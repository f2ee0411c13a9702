//===- RandomLayout.h - Layouts of all kinds for tests ----------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_TEST_UNIT_SHARDING_RANDOMLAYOUT_H
#define DTENSOR_TEST_UNIT_SHARDING_RANDOMLAYOUT_H

#include "Ranks.h"

#include <random>

namespace dtensor::test {

struct RandomLayout {
  llvm::SmallVector<int64_t> sizes; ///< of the axes, where they are known
  Mesh mesh;
  Layout layout;
};

struct RandomLayoutOptions {
  /// Sizes and extents are numbers, placements are replicate and shard.
  bool known = false;
};

/// Layouts of tensors of up to three dimensions on meshes of up to three axes,
/// with every kind of placement and of order, even and uneven.
class RandomLayouts {
public:
  RandomLayouts(ExprContext &context, unsigned seed)
      : context(context), engine(seed) {}

  RandomLayout next(RandomLayoutOptions options) {
    RandomLayout result;
    auto numAxes = static_cast<unsigned>(1 + pick(3));
    int64_t rank = pick(4);
    llvm::SmallVector<Expr> extents;
    for (int64_t dim = 0; dim < rank; ++dim)
      extents.push_back(extent(options));
    // Kinds of partial placements do not mix, nor units of a dimension.
    ReduceKind kind = kKinds[pick(5)];
    Expr unit =
        !options.known && oneIn(12) ? Expr::symbol(context, "D") : Expr();
    llvm::SmallVector<Placement> placements;
    llvm::SmallVector<unsigned> order;
    for (unsigned axis = 0; axis < numAxes; ++axis) {
      result.sizes.push_back(1 + pick(5));
      order.push_back(axis);
      placements.push_back(placement(rank, kind, unit, options));
    }
    for (size_t left = order.size(); left > 1; --left)
      std::swap(order[left - 1],
                order[static_cast<size_t>(pick(int64_t(left)))]);
    bool isKnown = options.known || !oneIn(6);
    result.mesh = isKnown ? knownMesh(result.sizes) : unknownMesh(result.sizes);
    result.layout = Layout(placements, extents, order);
    return result;
  }

private:
  static constexpr ReduceKind kKinds[] = {ReduceKind::Sum, ReduceKind::Avg,
                                          ReduceKind::Max, ReduceKind::Min,
                                          ReduceKind::Product};

  int64_t pick(int64_t limit) {
    return static_cast<int64_t>(engine() % static_cast<uint64_t>(limit));
  }
  bool oneIn(int64_t n) { return pick(n) == 0; }

  Expr extent(RandomLayoutOptions options) {
    if (options.known || !oneIn(4))
      return Expr::constant(context, oneIn(2) ? pick(40) : 60 * pick(3));
    Expr batch = Expr::symbol(context, "B");
    return oneIn(2) ? batch : batch * Expr::symbol(context, "S") + 1;
  }

  Placement placement(int64_t rank, ReduceKind kind, Expr unit,
                      RandomLayoutOptions options) {
    if (!options.known && oneIn(16))
      return Placement::open();
    if (!options.known && oneIn(10))
      return Placement::partial(kind);
    if (rank == 0 || oneIn(4))
      return Placement::replicate();
    return Placement::shard(static_cast<unsigned>(pick(rank)), unit);
  }

  ExprContext &context;
  std::mt19937 engine;
};

} // namespace dtensor::test

#endif // DTENSOR_TEST_UNIT_SHARDING_RANDOMLAYOUT_H
