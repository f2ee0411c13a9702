//===- LocalShapeTest.cpp - Laws of local shapes --------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Ranks.h"
#include "gtest/gtest.h"

using namespace dtensor;
using namespace dtensor::test;

namespace {

class LocalShapeTest : public testing::Test {
protected:
  Expr sym(llvm::StringRef name) { return Expr::symbol(context, name); }
  Expr num(int64_t value) { return Expr::constant(context, value); }

  /// Sizes then offsets of dimension 0 on all ranks, sharded by all axes.
  std::pair<Numbers, Numbers> pieces(int64_t extent, Numbers sizes) {
    Mesh mesh = knownMesh(sizes);
    Layout layout(
        llvm::SmallVector<Placement>(sizes.size(), Placement::shard(0)),
        {num(extent)});
    LocalDim local = localDim(mesh, layout, 0, context);
    std::pair<Numbers, Numbers> all;
    for (const Numbers &rank : allCoordinates(sizes)) {
      all.first.push_back(valueOn(local.size, mesh, sizes, rank));
      all.second.push_back(valueOn(local.offset, mesh, sizes, rank));
    }
    return all;
  }

  ExprContext context;
};

TEST_F(LocalShapeTest, GoldenTableOfOneAxis) {
  using Golden = std::pair<Numbers, Numbers>;
  EXPECT_EQ(pieces(5, {4}), Golden({2, 2, 1, 0}, {0, 2, 4, 5}));
  EXPECT_EQ(pieces(6, {4}), Golden({2, 2, 2, 0}, {0, 2, 4, 6}));
  EXPECT_EQ(pieces(9, {4}), Golden({3, 3, 3, 0}, {0, 3, 6, 9}));
  EXPECT_EQ(pieces(10, {4}), Golden({3, 3, 3, 1}, {0, 3, 6, 9}));
  EXPECT_EQ(pieces(3, {4}), Golden({1, 1, 1, 0}, {0, 1, 2, 3}));
  EXPECT_EQ(pieces(1, {4}), Golden({1, 0, 0, 0}, {0, 1, 1, 1}));
  EXPECT_EQ(pieces(257, {2}), Golden({129, 128}, {0, 129}));
  EXPECT_EQ(pieces(0, {3}), Golden({0, 0, 0}, {0, 0, 0}));
}

TEST_F(LocalShapeTest, GoldenTableOfTwoAxes) {
  using Golden = std::pair<Numbers, Numbers>;
  EXPECT_EQ(pieces(9, {2, 2}), Golden({3, 2, 2, 2}, {0, 3, 5, 7}));
  EXPECT_EQ(pieces(10, {2, 2}), Golden({3, 2, 3, 2}, {0, 3, 5, 8}));
  EXPECT_EQ(pieces(1, {2, 2}), Golden({1, 0, 0, 0}, {0, 1, 1, 1}));
  EXPECT_EQ(pieces(8, {3, 2}), Golden({2, 1, 2, 1, 1, 1}, {0, 2, 3, 5, 6, 7}));
  EXPECT_EQ(pieces(7, {3, 2}), Golden({2, 1, 2, 1, 1, 0}, {0, 2, 3, 5, 6, 7}));
}

TEST_F(LocalShapeTest, OneSymbolicFormulaEqualsCountingForAllNumbers) {
  Mesh mesh = unknownMesh({8});
  Expr n = mesh.sizeExpr(context, 0), r = mesh.indexExpr(context, 0);
  LocalDim local = shardDim(sym("N"), sym("N"), sym("U"), n, r);
  for (int64_t extent = 0; extent <= 20; ++extent)
    for (int64_t unit = 1; unit <= 5; ++unit)
      for (int64_t ranks = 1; ranks <= 7; ++ranks)
        for (int64_t rank = 0; rank < ranks; ++rank) {
          auto extents = [&](llvm::StringRef name) {
            return std::optional<int64_t>(name == "N" ? extent : unit);
          };
          Piece piece = countedPiece(extent, unit, ranks, rank);
          auto value = [&](Expr expr) {
            return valueOn(expr, mesh, {ranks}, {rank}, extents);
          };
          ASSERT_EQ(value(local.size), piece.size);
          ASSERT_EQ(value(local.offset), piece.offset);
          ASSERT_GE(value(local.capacity), piece.size);
        }
}

TEST_F(LocalShapeTest, UnitZeroCountsAsOne) {
  Mesh mesh = unknownMesh({4});
  LocalDim local =
      shardDim(sym("N"), sym("N"), sym("U"), mesh.sizeExpr(context, 0),
               mesh.indexExpr(context, 0));
  auto extents = [](llvm::StringRef name) {
    return std::optional<int64_t>(name == "N" ? 10 : 0);
  };
  EXPECT_EQ(valueOn(local.size, mesh, {4}, {3}, extents), 1);
  EXPECT_EQ(valueOn(local.offset, mesh, {4}, {3}, extents), 9);
}

/// Every nesting of one dimension on a mesh of three axes.
TEST_F(LocalShapeTest, NestedPiecesTileTheDimensionInOrder) {
  Mesh mesh = unknownMesh({2, 2, 2});
  Numbers sizes = {2, 3, 2};
  llvm::SmallVector<unsigned> order = {0, 1, 2};
  do {
    for (int64_t unit : {1, 2, 3}) {
      Placement shard = Placement::shard(0, num(unit));
      Layout layout({shard, shard, shard}, {sym("N")}, order);
      LocalDim local = localDim(mesh, layout, 0, context);
      for (int64_t extent : {0, 1, 5, 7, 12, 13, 24, 37}) {
        auto extents = [&](llvm::StringRef) {
          return std::optional<int64_t>(extent);
        };
        // Ranks in nesting order: the offsets are the running sum of sizes.
        std::map<Numbers, Numbers> byNest;
        for (const Numbers &rank : allCoordinates(sizes))
          byNest[{rank[order[0]], rank[order[1]], rank[order[2]]}] = rank;
        int64_t sum = 0;
        std::set<int64_t> capacities;
        for (auto &entry : byNest) {
          const Numbers &rank = entry.second;
          auto value = [&](Expr expr) {
            return valueOn(expr, mesh, sizes, rank, extents);
          };
          ASSERT_EQ(value(local.offset), sum);
          ASSERT_LE(value(local.size), value(local.capacity));
          capacities.insert(value(local.capacity));
          sum += value(local.size);
        }
        ASSERT_EQ(sum, extent);
        ASSERT_EQ(capacities.size(), 1u);
      }
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(LocalShapeTest, AUnitIsNeverSplit) {
  Mesh mesh = knownMesh({3});
  Layout layout({Placement::shard(0, num(8))}, {num(32)});
  LocalDim local = localDim(mesh, layout, 0, context);
  for (int64_t rank = 0; rank < 3; ++rank)
    EXPECT_EQ(valueOn(local.offset, mesh, {3}, {rank}) % 8, 0);
  // Four heads of width 8 on three ranks: 16 16 0, not 11 11 10.
  EXPECT_EQ(valueOn(local.size, mesh, {3}, {1}), 16);
  EXPECT_EQ(valueOn(local.size, mesh, {3}, {2}), 0);
}

TEST_F(LocalShapeTest, AnAxisOfOneRankCutsNothing) {
  Mesh mesh = knownMesh({1});
  Layout layout({Placement::shard(0, sym("U"))}, {sym("N")});
  LocalDim local = localDim(mesh, layout, 0, context);
  EXPECT_EQ(local.size, sym("N"));
  EXPECT_EQ(local.capacity, sym("N"));
  EXPECT_TRUE(local.offset.isConstant(0));
}

TEST_F(LocalShapeTest, ProvedEvenPiecesHaveThePlainFormulaAndTheSameValue) {
  Mesh mesh = unknownMesh({4, 2});
  Facts facts;
  mesh.declareAxes(facts);
  Expr even = mesh.groupSizeExpr(context, {0, 1}) * sym("K");
  Layout layout({Placement::shard(0), Placement::shard(0)}, {even});
  LocalDim plain = localDim(mesh, layout, 0, context, &facts);
  LocalDim general = localDim(mesh, layout, 0, context);
  EXPECT_EQ(plain.size, sym("K"));
  EXPECT_EQ(plain.capacity, sym("K"));
  for (const Numbers &rank : allCoordinates({3, 2})) {
    auto value = [&](Expr expr) {
      return valueOn(expr, mesh, {3, 2}, rank,
                     [](llvm::StringRef) { return std::optional<int64_t>(5); });
    };
    EXPECT_EQ(value(plain.size), value(general.size));
    EXPECT_EQ(value(plain.offset), value(general.offset));
  }
}

TEST_F(LocalShapeTest, ProofsOfEvennessAreSound) {
  for (int64_t extent = 0; extent <= 24; ++extent)
    for (int64_t unit = 1; unit <= 4; ++unit)
      for (int64_t ranks = 1; ranks <= 4; ++ranks)
        if (shardsEvenly(num(extent), num(unit), num(ranks), Facts()))
          for (int64_t rank = 0; rank < ranks; ++rank)
            ASSERT_EQ(countedPiece(extent, unit, ranks, rank).size * ranks,
                      extent);
  EXPECT_TRUE(shardsEvenly(num(64), num(4), num(8), Facts()));
  EXPECT_FALSE(shardsEvenly(num(64), num(16), num(8), Facts()));
}

TEST_F(LocalShapeTest, UnitsAgreeExactlyIfAllPiecesDoWhenNumbersAreKnown) {
  for (int64_t extent = 0; extent <= 16; ++extent)
    for (int64_t unit = 1; unit <= 5; ++unit)
      for (int64_t ranks = 1; ranks <= 4; ++ranks) {
        bool agree =
            chunksAgree(num(extent), {}, num(unit), num(ranks), Facts());
        bool same = true;
        for (int64_t rank = 0; rank < ranks; ++rank)
          same &= countedPiece(extent, 1, ranks, rank).size ==
                  countedPiece(extent, unit, ranks, rank).size;
        // Units that reach over the end leave the same piece, with other c.
        ASSERT_TRUE(same || !agree);
        if (extent % unit == 0) {
          ASSERT_EQ(same, agree) << extent << ' ' << unit << ' ' << ranks;
        }
      }
}

TEST_F(LocalShapeTest, HeadsAgreeWithPlainPiecesOnlyIfTheRanksDivideTheHeads) {
  Mesh mesh = unknownMesh({4});
  Expr n = mesh.sizeExpr(context, 0);
  Facts facts;
  mesh.declareAxes(facts);
  SymbolFacts width;
  width.min = 1;
  facts.declareSymbol("D", width);
  EXPECT_FALSE(chunksAgree(sym("H") * sym("D"), {}, sym("D"), n, facts));
  EXPECT_TRUE(chunksAgree(n * sym("H") * sym("D"), {}, sym("D"), n, facts));
}

} // namespace
