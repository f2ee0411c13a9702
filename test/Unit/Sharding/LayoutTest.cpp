//===- LayoutTest.cpp - Laws of placements and layouts --------------------===//
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

class LayoutTest : public testing::Test {
protected:
  Expr sym(llvm::StringRef name) { return Expr::symbol(context, name); }
  Expr num(int64_t value) { return Expr::constant(context, value); }

  std::string errorOf(const Layout &layout, const Mesh &mesh) {
    Errors errors;
    auto sink = errors.sink();
    EXPECT_EQ(layout.verify(mesh, sink), errors.text.empty());
    return errors.text;
  }

  ExprContext context;
  const Placement r = Placement::replicate();
  const Placement s0 = Placement::shard(0), s1 = Placement::shard(1);
  const Placement sum = Placement::partial(ReduceKind::Sum);
};

TEST_F(LayoutTest, PlacementsPrintInTheWordsOfTheLanguage) {
  EXPECT_EQ(Placement::open().str(), "?");
  EXPECT_EQ(r.str(), "replicate");
  EXPECT_EQ(s0.str(), "shard(0)");
  EXPECT_EQ(Placement::shard(2, sym("D")).str(), "shard(2, unit = D)");
  EXPECT_EQ(sum.str(), "partial(sum)");
}

TEST_F(LayoutTest, UnitOneIsNoUnit) {
  EXPECT_EQ(Placement::shard(0, num(1)), s0);
  EXPECT_EQ(hash_value(Placement::shard(0, num(1))), hash_value(s0));
  EXPECT_NE(Placement::shard(0, num(2)), s0);
}

TEST_F(LayoutTest, ReduceKindsPrintAndParseBack) {
  for (ReduceKind kind : {ReduceKind::Sum, ReduceKind::Avg, ReduceKind::Max,
                          ReduceKind::Min, ReduceKind::Product})
    EXPECT_EQ(parseReduceKind(stringify(kind)), kind);
  EXPECT_EQ(parseReduceKind("mean"), std::nullopt);
}

TEST_F(LayoutTest, OrderMattersOnlyAmongAxesOfOneDimension) {
  llvm::SmallVector<Expr> extents = {sym("B"), sym("S")};
  Layout nested({s0, s0, s1}, extents);
  EXPECT_EQ(nested.axesOf(0), (llvm::SmallVector<unsigned>{0, 1}));
  Layout swapped({s0, s0, s1}, extents, {1, 0, 2});
  EXPECT_EQ(swapped.axesOf(0), (llvm::SmallVector<unsigned>{1, 0}));
  EXPECT_NE(nested, swapped);
  // Moving the axis of the other dimension around says nothing new.
  EXPECT_EQ(Layout({s0, s0, s1}, extents, {2, 0, 1}), nested);
  EXPECT_EQ(Layout({s0, s0, s1}, extents, {1, 2, 0}), swapped);
  EXPECT_EQ(hash_value(Layout({s0, s0, s1}, extents, {1, 2, 0})),
            hash_value(swapped));
}

TEST_F(LayoutTest, CanonicalOrderIsTheSameForLayoutsThatAreTheSame) {
  llvm::SmallVector<Expr> extents = {sym("B"), sym("S")};
  llvm::SmallVector<unsigned> order = {0, 1, 2, 3};
  do {
    Layout layout({s0, s1, s0, s1}, extents, order);
    bool swap0 = layout.axesOf(0).front() == 2;
    bool swap1 = layout.axesOf(1).front() == 3;
    llvm::SmallVector<unsigned, 2> expected = {
        swap0 ? 2u : 0u, swap1 ? 3u : 1u, swap0 ? 0u : 2u, swap1 ? 1u : 3u};
    EXPECT_EQ(layout.order, expected);
    EXPECT_EQ(layout.hasDefaultOrder(), !swap0 && !swap1);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(LayoutTest, OuterAxesAreThoseThatCutBefore) {
  Layout layout({s0, s1, s0}, {sym("B"), sym("S")}, {2, 1, 0});
  EXPECT_EQ(layout.outerAxes(0), (llvm::SmallVector<unsigned>{2}));
  EXPECT_TRUE(layout.outerAxes(2).empty());
  EXPECT_TRUE(layout.outerAxes(1).empty());
}

TEST_F(LayoutTest, PrintsTheOrderOnlyWhereItIsNotTheDefault) {
  EXPECT_EQ(Layout({r, s0}, {sym("B"), num(256)}).str(),
            "[replicate, shard(0)], (B, 256)");
  EXPECT_EQ(Layout({s0, s0}, {sym("B")}, {1, 0}).str(),
            "[shard(0), shard(0)], (B), order = [1, 0]");
  EXPECT_EQ(Layout({r}, {}).str(), "[replicate], ()");
}

TEST_F(LayoutTest, AScalarMayBeReplicateOrPartial) {
  Mesh mesh = unknownMesh({4});
  EXPECT_EQ(errorOf(Layout({sum}, {}), mesh), "");
  EXPECT_TRUE(Layout({sum}, {}).hasPartial());
  EXPECT_TRUE(Layout({r}, {}).isReplicated());
  EXPECT_EQ(errorOf(Layout({s0}, {}), mesh),
            "shard(0) on axis \"a\" names dimension 0 of a tensor of rank 0");
}

TEST_F(LayoutTest, VerifyNamesNumbersAndAxes) {
  Mesh mesh = unknownMesh({2, 4});
  EXPECT_EQ(errorOf(Layout({r}, {sym("B")}), mesh),
            "layout has 1 placements, but the mesh has 2 axes");
  EXPECT_EQ(
      errorOf(Layout({sum, Placement::partial(ReduceKind::Max)}, {sym("B")}),
              mesh),
      "partial(sum) on axis \"a\" and partial(max) on axis \"b\" mix two "
      "kinds of reduction");
  EXPECT_EQ(
      errorOf(Layout({s0, Placement::shard(0, sym("D"))}, {sym("B")}), mesh),
      "shard(0) on axis \"a\" and shard(0, unit = D) on axis \"b\" shard "
      "one dimension with two units");
  EXPECT_EQ(errorOf(Layout({r, Placement::shard(0, num(0))}, {sym("B")}), mesh),
            "shard(0, unit = 0) on axis \"b\" has a unit that is not positive");
  EXPECT_EQ(errorOf(Layout({r, r}, {sym("B")}, {0, 0}), mesh),
            "order is not a permutation of the 2 mesh axes");
  EXPECT_EQ(errorOf(Layout({r, r}, {num(-3)}), mesh),
            "extent of dimension 0 is negative: -3");
  EXPECT_EQ(errorOf(Layout({r, r}, {Expr()}), mesh),
            "extent of dimension 0 is not a 64-bit integer expression");
}

TEST_F(LayoutTest, AnOrderThatIsNoneIsAnErrorAndStillPrints) {
  Mesh mesh = unknownMesh({2, 4});
  for (llvm::SmallVector<unsigned> order :
       {llvm::SmallVector<unsigned>{0}, {1, 7}, {1, 1}, {0, 1, 2}}) {
    Layout layout({s0, s0}, {sym("B")}, order);
    EXPECT_NE(errorOf(layout, mesh), "");
    EXPECT_NE(layout.str(), "");
    EXPECT_EQ(layout, layout);
  }
}

TEST_F(LayoutTest, ExprsAreMappedInExtentsAndUnitsAndAxesNestAsBefore) {
  Layout layout({Placement::shard(0, sym("D")), Placement::shard(0, sym("D"))},
                {sym("B"), num(4)}, {1, 0});
  Layout twice = layout.mapExprs([](Expr expr) { return expr * 2; });
  EXPECT_EQ(twice, Layout({Placement::shard(0, sym("D") * 2),
                           Placement::shard(0, sym("D") * 2)},
                          {sym("B") * 2, num(8)}, {1, 0}));
  EXPECT_EQ(layout.mapExprs([](Expr expr) { return expr; }), layout);
  Layout plain({s0, r}, {sym("B")});
  EXPECT_EQ(plain.mapExprs([&](Expr) { return num(3); }),
            Layout({s0, r}, {num(3)}));
}

TEST_F(LayoutTest, OpenPlacementsVerifyAndAreFound) {
  Mesh mesh = unknownMesh({2});
  Layout layout({Placement::open()}, {sym("B")});
  EXPECT_EQ(errorOf(layout, mesh), "");
  EXPECT_TRUE(layout.hasOpen());
  EXPECT_FALSE(layout.isReplicated());
}

} // namespace
