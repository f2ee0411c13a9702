//===- GridShardingTest.cpp - Layouts in the words of MLIR ----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/GridSharding.h"

#include "RandomLayout.h"
#include "Ranks.h"
#include "gtest/gtest.h"

using namespace dtensor;
using namespace dtensor::test;

namespace {

class GridShardingTest : public testing::Test {
protected:
  std::string said(const Layout &layout, const Mesh &mesh) {
    auto sharding = toGridSharding(layout, mesh, errors.sink());
    if (!sharding)
      return std::exchange(errors.text, "");
    std::string text;
    for (auto &axes : sharding->splitAxes) {
      text += "[";
      for (int16_t axis : axes)
        text += std::to_string(axis) + ",";
      text += "]";
    }
    for (int64_t offset : sharding->offsets)
      text += " " + std::to_string(offset);
    return text;
  }

  std::string read(const GridSharding &sharding, const Mesh &mesh,
                   llvm::ArrayRef<int64_t> shape) {
    auto layout = fromGridSharding(sharding, mesh, constants(context, shape),
                                   errors.sink());
    return layout ? layout->str() : std::exchange(errors.text, "");
  }

  Layout layout(llvm::ArrayRef<Placement> placements,
                llvm::ArrayRef<int64_t> shape,
                llvm::ArrayRef<unsigned> order = {}) {
    return Layout(placements, constants(context, shape), order);
  }

  ExprContext context;
  Errors errors;
  const Placement r = Placement::replicate();
  const Placement s0 = Placement::shard(0), s1 = Placement::shard(1);
};

TEST_F(GridShardingTest, AxesOfADimensionAreMajorFirst) {
  Mesh mesh = knownMesh({2, 3});
  EXPECT_EQ(said(layout({s0, s1}, {6, 6}), mesh), "[0,][1,]");
  EXPECT_EQ(said(layout({s1, r}, {6, 6}), mesh), "[][0,]");
  EXPECT_EQ(said(layout({s0, s0}, {6, 6}), mesh), "[0,1,]");
  EXPECT_EQ(said(layout({s0, s0}, {6, 6}, {1, 0}), mesh), "[1,0,]");
  EXPECT_EQ(said(layout({r, r}, {6, 6}), mesh), "");
}

TEST_F(GridShardingTest, UnevenShardsAreNumbers) {
  EXPECT_EQ(said(layout({s0}, {10}), knownMesh({4})), "[0,] 0 3 6 9 10");
  EXPECT_EQ(said(layout({s0, s1}, {4, 3}), knownMesh({2, 2})),
            "[0,][1,] 0 2 4 0 2 3");
  EXPECT_EQ(said(layout({s0, s0}, {7}), knownMesh({2, 2})), "[0,1,] 0 2 4 6 7");
  EXPECT_EQ(said(layout({s0}, {1}), knownMesh({3})), "[0,] 0 1 1 1");
}

TEST_F(GridShardingTest, WhatItCannotSayIsRefused) {
  Mesh mesh = knownMesh({4});
  EXPECT_EQ(said(layout({Placement::partial(ReduceKind::Max)}, {8}), mesh),
            "MLIR's shard dialect has no words for partial(max) on axis \"a\"");
  EXPECT_EQ(said(layout({Placement::open()}, {8}), mesh),
            "MLIR's shard dialect has no words for ? on axis \"a\"");
  Expr unit = Expr::symbol(context, "D");
  EXPECT_EQ(said(layout({Placement::shard(0, unit)}, {8}), mesh),
            "MLIR's shard dialect has no words for shard(0, unit = D) on axis "
            "\"a\"");
  Mesh half = Mesh({mesh.getAxes()[0], unknownMesh({2, 2}).getAxes()[1]});
  EXPECT_EQ(said(layout({s0, s1}, {10, 4}), half),
            "dimension 0 of 10 elements has uneven shards on 4 ranks, which "
            "MLIR's shard dialect says by numbers, but the size of axis \"b\" "
            "is not known");
  Layout symbolic({s0, s1},
                  {Expr::constant(context, 10), Expr::symbol(context, "B")});
  EXPECT_EQ(said(symbolic, knownMesh({4, 2})),
            "dimension 0 of 10 elements has uneven shards on 4 ranks, which "
            "MLIR's shard dialect says by numbers, but those of dimension 1 of "
            "B elements are not known");
}

TEST_F(GridShardingTest, WhatNoLayoutSaysIsRefused) {
  Mesh mesh = knownMesh({2, 2});
  EXPECT_EQ(read({{{2}}, {}}, mesh, {4}),
            "split axis 2 is none of the 2 of the grid");
  EXPECT_EQ(read({{{-1}}, {}}, mesh, {4}),
            "split axis -1 is none of the 2 of the grid");
  EXPECT_EQ(read({{{}, {1}}, {}}, mesh, {4}),
            "dimension 1 is split, the tensor has 1");
  EXPECT_EQ(read({{{0}, {0}}, {}}, mesh, {4, 4}),
            "axis 0 splits dimension 0 and dimension 1");
  EXPECT_EQ(read({{{0}}, {0, 1, 4}}, mesh, {4}),
            "offset 1 of the shards is 1, a layout cuts at 2");
  EXPECT_EQ(read({{{0}}, {0, 4}}, mesh, {4}),
            "2 offsets of shards, expected 3");
  EXPECT_EQ(read({{{0}}, {0, 2, 4}}, unknownMesh({2}), {4}),
            "offsets of the shards are numbers, dimension 0 of 4 elements is "
            "cut where only the launch knows");
  EXPECT_EQ(read({{{0}, {}, {}}, {0, 2, 4}}, mesh, {4}),
            "[shard(0), replicate], (4)");
}

/// Where each rank's piece of `dim` begins by counting, major axes first.
Numbers countedBegins(const Layout &layout, llvm::ArrayRef<int64_t> sizes,
                      unsigned dim) {
  std::vector<Piece> pieces = {{*layout.extents[dim].getConstant(), 0}};
  for (unsigned axis : layout.axesOf(dim)) {
    std::vector<Piece> next;
    for (Piece piece : pieces)
      for (int64_t rank = 0; rank < sizes[axis]; ++rank) {
        Piece inner = countedPiece(piece.size, 1, sizes[axis], rank);
        next.push_back({inner.size, piece.offset + inner.offset});
      }
    pieces = next;
  }
  Numbers begins;
  for (Piece piece : pieces)
    begins.push_back(piece.offset);
  return begins;
}

TEST_F(GridShardingTest, OffsetsAreWhereThePiecesBegin) {
  RandomLayouts random(context, 1);
  int64_t compared = 0;
  while (compared < 500) {
    RandomLayout it = random.next({.known = true});
    auto sharding = toGridSharding(it.layout, it.mesh, errors.sink());
    ASSERT_TRUE(sharding) << errors.text;
    if (sharding->offsets.empty())
      continue;
    Numbers expected;
    for (unsigned dim = 0; dim < it.layout.getRank(); ++dim) {
      if (it.layout.axesOf(dim).empty())
        continue;
      Numbers begins = countedBegins(it.layout, it.sizes, dim);
      expected.insert(expected.end(), begins.begin(), begins.end());
      expected.push_back(*it.layout.extents[dim].getConstant());
    }
    EXPECT_EQ(Numbers(sharding->offsets.begin(), sharding->offsets.end()),
              expected)
        << it.layout.str();
    ++compared;
  }
}

TEST_F(GridShardingTest, RandomLayoutsComeBackOrAreRefusedByName) {
  RandomLayouts random(context, 0);
  int64_t equal = 0, refused = 0;
  for (int round = 0; round < 2000; ++round) {
    RandomLayout it = random.next({});
    auto sharding = toGridSharding(it.layout, it.mesh, errors.sink());
    bool hasWords = llvm::all_of(it.layout.placements, [](auto &placement) {
      return placement.isReplicate() ||
             (placement.isShard() && !placement.unit);
    });
    if (!sharding) {
      EXPECT_NE(errors.text.find(hasWords ? "has uneven shards on"
                                          : "has no words for"),
                std::string::npos)
          << errors.text;
      errors.text.clear();
      ++refused;
      continue;
    }
    EXPECT_TRUE(hasWords) << it.layout.str();
    auto back =
        fromGridSharding(*sharding, it.mesh, it.layout.extents, errors.sink());
    ASSERT_TRUE(back) << it.layout.str() << ": " << errors.text;
    EXPECT_EQ(*back, it.layout);
    ++equal;
  }
  EXPECT_EQ(equal + refused, 2000);
  EXPECT_EQ(equal, 1342);
}

} // namespace
