//===- RedistributionTest.cpp - Laws of redistribution plans --------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PlanSimulator.h"
#include "gtest/gtest.h"

#include <random>

using namespace dtensor;
using namespace dtensor::test;

namespace {

class RedistributionTest : public testing::Test {
protected:
  Expr sym(llvm::StringRef name) { return Expr::symbol(context, name); }
  Expr num(int64_t value) { return Expr::constant(context, value); }
  Layout layout(llvm::ArrayRef<Placement> placements,
                llvm::ArrayRef<unsigned> order = {}) {
    return Layout(placements, {sym("N0"), sym("N1")}, order);
  }
  Facts factsOf(const Mesh &mesh, int64_t hint = 128) {
    Facts facts;
    mesh.declareAxes(facts);
    SymbolFacts symbol;
    symbol.hint = hint;
    facts.declareSymbol("N0", symbol);
    facts.declareSymbol("N1", symbol);
    return facts;
  }
  std::optional<Plan> plan(const Mesh &mesh, const Layout &from,
                           const Layout &to, const Facts &facts,
                           std::string *error = nullptr) {
    return planRedistribution(mesh, from, to, 4, facts, context, {}, error);
  }
  /// The steps as text, joined by "; ", with hints large enough for bytes to
  /// decide.
  std::string steps(const Mesh &mesh, const Layout &from, const Layout &to,
                    int64_t hint = 8192) {
    std::string error, text;
    auto found = plan(mesh, from, to, factsOf(mesh, hint), &error);
    if (!found)
      return error;
    for (const Step &step : found->steps)
      text += (text.empty() ? "" : "; ") + step.str();
    return text;
  }
  void checkContents(const Mesh &mesh, const Numbers &sizes,
                     const Numbers &shape, const Layout &from, const Layout &to,
                     const Plan &plan);
  void checkPair(const Mesh &mesh, const Numbers &sizes, const Layout &from,
                 const Layout &to, int64_t hint);
  void checkAllPairs(const Numbers &sizes, llvm::ArrayRef<Layout> layouts);

  ExprContext context;
  const Placement r = Placement::replicate();
  const Placement s0 = Placement::shard(0), s1 = Placement::shard(1);
  const Placement sum = Placement::partial(ReduceKind::Sum);
  const Placement max = Placement::partial(ReduceKind::Max);
  const std::vector<Placement> all = {r, s0, s1, sum, max};
  const std::vector<Numbers> shapes = {{10, 5}, {9, 5}, {3, 5}, {1, 3}, {0, 4}};
};

bool isForbidden(const Placement &from, const Placement &to) {
  return to.isPartial() && from != to && !from.isReplicate();
}

bool isForbidden(const Layout &from, const Layout &to) {
  bool forbidden = false;
  for (unsigned axis = 0; axis < from.getNumAxes(); ++axis)
    forbidden |= isForbidden(from.placements[axis], to.placements[axis]);
  return forbidden;
}

/// The definition of a changing axis, word for word, units as written.
unsigned countChanged(const Layout &from, const Layout &to) {
  unsigned count = 0;
  for (unsigned axis = 0; axis < from.getNumAxes(); ++axis)
    count += from.placements[axis] != to.placements[axis] ||
             from.outerAxes(axis) != to.outerAxes(axis);
  return count;
}

void RedistributionTest::checkContents(const Mesh &mesh, const Numbers &sizes,
                                       const Numbers &shape, const Layout &from,
                                       const Layout &to, const Plan &plan) {
  PlanSimulator ranks(mesh, sizes, shape);
  ranks.distribute(from, context);
  ASSERT_TRUE(ranks.holds(from, context));
  const Layout *before = &from;
  for (const Step &step : plan.steps) {
    ASSERT_TRUE(ranks.run(step, *before, context)) << step.str();
    ASSERT_TRUE(ranks.holds(step.result, context)) << step.str();
    before = &step.result;
  }
  ASSERT_TRUE(ranks.holds(to, context));
}

/// A plan exists exactly if no axis is forbidden; it ends at its target, moves
/// the right values, and keeps to one collective per axis that changes.
void RedistributionTest::checkPair(const Mesh &mesh, const Numbers &sizes,
                                   const Layout &from, const Layout &to,
                                   int64_t hint) {
  SCOPED_TRACE(from.str() + " to " + to.str());
  std::string error;
  Facts facts = factsOf(mesh, hint);
  std::optional<Plan> found = plan(mesh, from, to, facts, &error);
  ASSERT_EQ(found.has_value(), !isForbidden(from, to)) << error;
  if (!found)
    return;
  ASSERT_LE(found->collectives(), countChanged(from, to));
  ASSERT_EQ(changedAxes(mesh, from, to, facts, context).size(),
            countChanged(from, to));
  if (!found->steps.empty()) {
    ASSERT_EQ(found->steps.back().result, to);
  }
  for (const Step &step : found->steps) {
    Errors errors;
    auto sink = errors.sink();
    ASSERT_TRUE(step.result.verify(mesh, sink)) << errors.text;
  }
  for (const Numbers &shape : shapes) {
    ASSERT_NO_FATAL_FAILURE(
        checkContents(mesh, sizes, shape, from, to, *found));
  }
}

void RedistributionTest::checkAllPairs(const Numbers &sizes,
                                       llvm::ArrayRef<Layout> layouts) {
  Mesh mesh = unknownMesh(sizes);
  // Small and large tensors take different ways.
  for (int64_t hint : {16, 1 << 14})
    for (const Layout &from : layouts)
      for (const Layout &to : layouts)
        ASSERT_NO_FATAL_FAILURE(checkPair(mesh, sizes, from, to, hint));
}

//===----------------------------------------------------------------------===//
// All pairs, contents and numbers of collectives
//===----------------------------------------------------------------------===//

TEST_F(RedistributionTest, AllPairsOnOneAxisMoveTheRightValues) {
  std::vector<Layout> layouts;
  for (const Placement &placement : all)
    layouts.push_back(layout({placement}));
  for (int64_t size : {1, 2, 3, 4})
    checkAllPairs({size}, layouts);
}

TEST_F(RedistributionTest, AllPairsOnTwoAxesMoveTheRightValues) {
  std::vector<Layout> layouts;
  for (const Placement &first : all)
    for (const Placement &second : all) {
      Layout both = layout({first, second});
      Errors errors;
      auto sink = errors.sink();
      if (both.verify(unknownMesh({2, 2}), sink))
        layouts.push_back(both);
    }
  EXPECT_EQ(layouts.size(), 23u); // 25 less the two that mix reductions
  checkAllPairs({2, 2}, layouts);
  checkAllPairs({2, 3}, layouts);
}

TEST_F(RedistributionTest, OrdersAndUnitsMoveTheRightValues) {
  Placement by2 = Placement::shard(0, num(2)),
            by3 = Placement::shard(0, num(3));
  std::vector<Layout> layouts = {
      layout({r, r}),
      layout({s0, s0}),
      layout({s0, s0}, {1, 0}),
      layout({by2, by2}),
      layout({by3, by3}, {1, 0}),
      layout({by2, r}),
      layout({r, by3}),
      layout({s0, r}),
      layout({s1, by2}),
      layout({s1, s1}, {1, 0}),
      layout({sum, by2}),
      layout({by3, sum}),
  };
  checkAllPairs({2, 2}, layouts);
  checkAllPairs({3, 2}, layouts);
}

TEST_F(RedistributionTest, RandomPairsOnThreeAxesMoveTheRightValues) {
  std::mt19937 random(7);
  Numbers sizes = {2, 2, 3};
  Mesh mesh = unknownMesh(sizes);
  auto randomLayout = [&] {
    llvm::SmallVector<Placement> placements;
    for (unsigned axis = 0; axis < 3; ++axis)
      placements.push_back(all[random() % 4]);
    llvm::SmallVector<unsigned> order = {0, 1, 2};
    std::shuffle(order.begin(), order.end(), random);
    return layout(placements, order);
  };
  for (int i = 0; i < 150; ++i)
    ASSERT_NO_FATAL_FAILURE(
        checkPair(mesh, sizes, randomLayout(), randomLayout(), 1 << (i % 15)));
}

TEST_F(RedistributionTest, OtherReductionsMoveTheRightValues) {
  for (ReduceKind kind :
       {ReduceKind::Avg, ReduceKind::Min, ReduceKind::Product}) {
    Placement partial = Placement::partial(kind);
    checkAllPairs({3}, {layout({partial}), layout({r}), layout({s1})});
    checkAllPairs({2, 2}, {layout({partial, partial}), layout({r, partial}),
                           layout({s0, s0})});
  }
}

//===----------------------------------------------------------------------===//
// Which steps
//===----------------------------------------------------------------------===//

TEST_F(RedistributionTest, OneAxisTakesTheOneStepOfItsPair) {
  Mesh mesh = unknownMesh({4});
  auto one = [&](Placement from, Placement to) {
    return steps(mesh, layout({from}), layout({to}));
  };
  EXPECT_EQ(one(s1, r), "all_gather(dim = 1, axes = [0])");
  EXPECT_EQ(one(s0, s1), "all_to_all(from = 0, to = 1, axes = [0])");
  EXPECT_EQ(one(sum, r), "all_reduce(sum, axes = [0])");
  EXPECT_EQ(one(max, s0), "reduce_scatter(dim = 0, max, axes = [0])");
  EXPECT_EQ(one(r, s1), "shard_slice(dim = 1, axes = [0])");
  EXPECT_EQ(one(r, max), "init_partial(max, axes = [0])");
  EXPECT_EQ(one(s0, Placement::shard(0, num(3))),
            "regroup(dim = 0, axes = [0])");
  EXPECT_EQ(one(s0, s0), "");
}

TEST_F(RedistributionTest, AxesFuseIntoOneCollective) {
  Mesh mesh = unknownMesh({2, 4});
  EXPECT_EQ(steps(mesh, layout({sum, sum}), layout({r, r})),
            "all_reduce(sum, axes = [0, 1])");
  EXPECT_EQ(steps(mesh, layout({s0, s0}), layout({r, r})),
            "all_gather(dim = 0, axes = [0, 1])");
  EXPECT_EQ(steps(mesh, layout({s0, s0}, {1, 0}), layout({r, r})),
            "all_gather(dim = 0, axes = [1, 0])");
  EXPECT_EQ(steps(mesh, layout({sum, sum}), layout({s0, s0})),
            "reduce_scatter(dim = 0, sum, axes = [0, 1])");
  EXPECT_EQ(steps(mesh, layout({s0, s0}), layout({s1, s1})),
            "all_to_all(from = 0, to = 1, axes = [0, 1])");
  EXPECT_EQ(steps(mesh, layout({r, r}), layout({s1, s1})),
            "shard_slice(dim = 1, axes = [0, 1])");
}

TEST_F(RedistributionTest, SwappingTwoAxesRegroupsOrTakesADetourByCost) {
  Mesh mesh = unknownMesh({4, 4});
  Layout from = layout({s0, s0}), to = layout({s0, s0}, {1, 0});
  EXPECT_EQ(steps(mesh, from, to, 16), "regroup(dim = 0, axes = [0, 1])");
  EXPECT_EQ(steps(mesh, from, to, 8192),
            "all_to_all(from = 0, to = 1, axes = [0, 1]); "
            "all_to_all(from = 1, to = 0, axes = [0, 1])");
  // A dimension too short to share is no way round.
  llvm::SmallVector<Expr> thin = {num(1 << 26), num(2)};
  EXPECT_EQ(steps(mesh, Layout({s0, s0}, thin), Layout({s0, s0}, thin, {1, 0})),
            "regroup(dim = 0, axes = [0, 1])");
}

TEST_F(RedistributionTest, AnAxisNestedInsideOneThatLeavesChangesToo) {
  Mesh mesh = unknownMesh({2, 2});
  Layout nested = layout({s0, s0}), inner = layout({r, s0});
  EXPECT_EQ(changedAxes(mesh, nested, inner, factsOf(mesh), context),
            (llvm::SmallVector<unsigned>{0, 1}));
  Layout outer = layout({s0, r});
  EXPECT_EQ(changedAxes(mesh, nested, outer, factsOf(mesh), context),
            (llvm::SmallVector<unsigned>{1}));
  EXPECT_EQ(steps(mesh, nested, outer), "all_gather(dim = 0, axes = [1])");
}

TEST_F(RedistributionTest, SlicingComesBeforeGatheringWhereItSavesBytes) {
  Mesh mesh = unknownMesh({8, 8});
  EXPECT_EQ(steps(mesh, layout({r, s0}), layout({s1, r})),
            "shard_slice(dim = 1, axes = [0]); "
            "all_gather(dim = 0, axes = [1])");
}

TEST_F(RedistributionTest, AnAxisOfOneRankNeverMoves) {
  Mesh mesh = knownMesh({1, 1});
  for (const Placement &from : all)
    for (const Placement &to : all)
      EXPECT_EQ(steps(mesh, layout({from, r}), layout({to, r})), "");
  Mesh pair = knownMesh({1, 2});
  EXPECT_EQ(steps(pair, layout({s0, s0}), layout({r, r})),
            "all_gather(dim = 0, axes = [1])");
  EXPECT_EQ(steps(pair, layout({s0, s0}), layout({r, s0})), "");
}

TEST_F(RedistributionTest, PiecesThatProvablyAgreeStayWhereTheyAre) {
  Mesh mesh = unknownMesh({4});
  Facts facts = factsOf(mesh);
  SymbolFacts width;
  width.min = 1;
  facts.declareSymbol("D", width);
  Expr heads = sym("H"), n = mesh.sizeExpr(context, 0), d = sym("D");
  auto pair = [&](Expr extent) {
    return plan(mesh, Layout({s0}, {extent}),
                Layout({Placement::shard(0, d)}, {extent}), facts);
  };
  EXPECT_TRUE(pair(n * heads * d)->steps.empty());
  ASSERT_EQ(pair(heads * d)->steps.size(), 1u);
  EXPECT_EQ(pair(heads * d)->steps[0].kind, StepKind::Regroup);
}

TEST_F(RedistributionTest, OnlyTheAxesWhosePiecesDifferAreRegrouped) {
  // 24 over 2 is 12 in units of 1 and 3; 12 over 8 is 2 or 3.
  Mesh mesh = knownMesh({2, 8});
  Placement by3 = Placement::shard(0, num(3));
  Layout from({s0, s0}, {num(24)}), to({by3, by3}, {num(24)});
  auto found = plan(mesh, from, to, Facts());
  ASSERT_EQ(found->steps.size(), 1u);
  EXPECT_EQ(found->steps[0].str(), "regroup(dim = 0, axes = [1])");
  PlanSimulator ranks(mesh, {2, 8}, {24});
  ranks.distribute(from, context);
  EXPECT_TRUE(ranks.run(found->steps[0], from, context));
  EXPECT_TRUE(ranks.holds(to, context));
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

TEST_F(RedistributionTest, ForbiddenPairsAreNamed) {
  Mesh mesh = unknownMesh({2, 2});
  EXPECT_EQ(steps(mesh, layout({r, s0}), layout({r, sum})),
            "cannot redistribute shard(0) to partial(sum) on axis \"b\"");
  EXPECT_EQ(steps(mesh, layout({sum, r}), layout({max, r})),
            "cannot redistribute partial(sum) to partial(max) on axis \"a\"");
  EXPECT_EQ(steps(mesh, layout({Placement::open(), r}), layout({r, r})),
            "cannot redistribute ? to replicate on axis \"a\"");
  EXPECT_EQ(
      steps(mesh, Layout({r, r}, {sym("N0")}), Layout({r, r}, {sym("N1")})),
      "cannot redistribute extents (N0) to extents (N1)");
}

//===----------------------------------------------------------------------===//
// Costs
//===----------------------------------------------------------------------===//

TEST_F(RedistributionTest, TheClosedFormIsTheCostOfThePlanOnOneAxis) {
  for (int64_t size : {1, 2, 3, 8, 64})
    for (int64_t hint : {1, 100, 3000, 20000}) {
      Mesh mesh = unknownMesh({size});
      Facts facts = factsOf(mesh, hint);
      double whole = 4.0 * hint * hint;
      for (const Placement &from : all)
        for (const Placement &to : all) {
          auto found = plan(mesh, layout({from}), layout({to}), facts);
          double time = redistributionTime(from, to, whole, size);
          if (found) {
            ASSERT_EQ(found->time, time) << from.str() << " " << to.str();
          } else {
            ASSERT_TRUE(std::isinf(time) || size == 1);
          }
        }
    }
}

/// A detour costs no less, if it keeps to the collectives that the direct way
/// may use.
TEST_F(RedistributionTest, CostsObeyTheTriangleInequality) {
  std::vector<Layout> layouts = {layout({s0, s0}, {1, 0}),
                                 layout({s1, s1}, {1, 0})};
  for (const Placement &first : all)
    for (const Placement &second : all)
      if (!(first.isPartial() && second.isPartial() && first != second))
        layouts.push_back(layout({first, second}));
  Mesh mesh = unknownMesh({4, 2});
  size_t count = layouts.size(), compared = 0;
  for (int64_t hint : {4, 512, 16384}) {
    Facts facts = factsOf(mesh, hint);
    std::vector<std::optional<Plan>> plans;
    for (const Layout &from : layouts)
      for (const Layout &to : layouts)
        plans.push_back(plan(mesh, from, to, facts));
    for (size_t a = 0; a < count; ++a)
      for (size_t b = 0; b < count; ++b)
        for (size_t c = 0; c < count; ++c) {
          const auto &direct = plans[a * count + c];
          const auto &first = plans[a * count + b];
          const auto &second = plans[b * count + c];
          if (!direct || !first || !second)
            continue;
          size_t budget =
              changedAxes(mesh, layouts[a], layouts[c], facts, context).size();
          if (first->collectives() + second->collectives() > budget)
            continue;
          ++compared;
          ASSERT_LE(direct->time, first->time + second->time)
              << layouts[a].str() << " via " << layouts[b].str() << " to "
              << layouts[c].str();
        }
  }
  EXPECT_GT(compared, 5000u);
}

TEST_F(RedistributionTest, BytesAreFormulasThatHoldForEveryNumber) {
  Mesh mesh = unknownMesh({4});
  auto bytes = [&](Placement from, Placement to, int64_t n0, int64_t ranks) {
    auto found = plan(mesh, layout({from}), layout({to}), factsOf(mesh));
    return valueOn(found->bytes, mesh, {ranks}, {0}, [&](llvm::StringRef name) {
      return std::optional<int64_t>(name == "N0" ? n0 : 6);
    });
  };
  // 10 rows on 4 ranks: pieces of 3 (padded), 6 columns, 4 bytes.
  EXPECT_EQ(bytes(s0, r, 10, 4), 3 * 3 * 6 * 4);
  EXPECT_EQ(bytes(sum, s0, 10, 4), 3 * 3 * 6 * 4);
  EXPECT_EQ(bytes(sum, r, 10, 4), 2 * 3 * 15 * 4);
  EXPECT_EQ(bytes(s0, s1, 10, 4), 3 * 3 * 2 * 4);
  EXPECT_EQ(bytes(r, s0, 10, 4), 0);
  EXPECT_EQ(bytes(r, sum, 10, 4), 0);
  for (const Placement &from : all)
    if (!from.isReplicate())
      EXPECT_EQ(bytes(from, r, 10, 1), 0);
}

TEST_F(RedistributionTest, PlansAreTheSameWhateverTheNumberOfRanks) {
  Layout from = layout({s0, sum}), to = layout({s1, s0});
  std::string small = steps(unknownMesh({4, 4}), from, to, 1 << 20);
  EXPECT_EQ(steps(unknownMesh({1 << 14, 1 << 14}), from, to, 1 << 20), small);
}

TEST_F(RedistributionTest, FifteenAxesThatAllChangeStayWithinTheirBudget) {
  Mesh mesh = unknownMesh(Numbers(15, 2));
  llvm::SmallVector<Placement> before, after;
  llvm::SmallVector<unsigned> reversed;
  for (unsigned axis = 0; axis < 15; ++axis) {
    before.push_back(axis % 3 ? Placement::shard(axis % 2) : sum);
    after.push_back(Placement::shard(axis % 5 ? 1 : 0));
    reversed.push_back(14 - axis);
  }
  Layout from = layout(before), to = layout(after, reversed);
  auto found = plan(mesh, from, to, factsOf(mesh));
  ASSERT_TRUE(found);
  EXPECT_LE(found->collectives(), 15u);
  EXPECT_EQ(found->steps.back().result, to);
}

} // namespace
