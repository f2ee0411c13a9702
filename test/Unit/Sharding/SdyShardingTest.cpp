//===- SdyShardingTest.cpp - Layouts in the words of Shardy ---------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/SdySharding.h"

#include "Ranks.h"
#include "gtest/gtest.h"

#include <map>
#include <random>

using namespace dtensor;
using namespace dtensor::test;

namespace {

class SdyShardingTest : public testing::Test {
protected:
  /// The canonical text of `text` on `mesh`, or the error.
  std::string canonical(llvm::StringRef text, llvm::StringRef meshText) {
    Errors errors;
    auto mesh = SdyMesh::parse(meshText, errors.sink());
    auto sharding = SdySharding::parse(text, errors.sink());
    if (!mesh || !sharding || !sharding->verify(*mesh, errors.sink()))
      return errors.text;
    sharding->canonicalize(*mesh);
    return sharding->str();
  }

  /// What `text` is here, or the error.
  std::string imported(llvm::StringRef text, llvm::StringRef meshText,
                       llvm::ArrayRef<int64_t> shape = {64, 64},
                       SdyDetail detail = SdyDetail::Refuse) {
    Errors errors;
    auto mesh = SdyMesh::parse(meshText, errors.sink());
    auto sharding = SdySharding::parse(text, errors.sink());
    if (!mesh || !sharding || !sharding->verify(*mesh, errors.sink()))
      return errors.text;
    auto ours = fromSdyMesh(*mesh, *sharding, errors.sink());
    if (!ours)
      return errors.text;
    auto layout = fromSdySharding(*sharding, *ours, constants(context, shape),
                                  detail, errors.sink());
    return layout ? layout->str() : errors.text;
  }

  std::string exported(const Layout &layout, const Mesh &mesh) {
    Errors errors;
    auto sharding = toSdySharding(layout, mesh, "m", errors.sink());
    return sharding ? sharding->str() : errors.text;
  }

  Layout layout(llvm::ArrayRef<Placement> placements,
                llvm::ArrayRef<int64_t> shape = {64, 64},
                llvm::ArrayRef<unsigned> order = {}) {
    return Layout(placements, constants(context, shape), order);
  }

  ExprContext context;
  const Placement r = Placement::replicate(), open = Placement::open();
  const Placement s0 = Placement::shard(0), s1 = Placement::shard(1);
};

constexpr llvm::StringLiteral kTwoByFour = R"(<["x"=2, "y"=4]>)";

TEST_F(SdyShardingTest, TextsAreThoseOfShardy) {
  Mesh mesh = knownMesh({2, 4});
  auto is = [&](const Layout &layout, const char *text) {
    EXPECT_EQ(exported(layout, mesh), text);
  };
  is(layout({r, r}), "<@m, [{}, {}]>");
  is(layout({s0, r}), R"(<@m, [{"a"}, {}]>)");
  is(layout({s1, s0}), R"(<@m, [{"b"}, {"a"}]>)");
  is(layout({s0, s0}), R"(<@m, [{"a", "b"}, {}]>)");
  is(layout({s0, s0}, {64, 64}, {1, 0}), R"(<@m, [{"b", "a"}, {}]>)");
  is(layout({s1, open}), R"(<@m, [{?}, {"a", ?}]>)");
  is(layout({open, r}), R"(<@m, [{?}, {?}], replicated={"b"}>)");
  is(layout({Placement::partial(), s0}),
     R"(<@m, [{"b"}, {}], unreduced={"a"}>)");
  is(layout({Placement::partial(ReduceKind::Max), r}, {}),
     R"(<@m, [], unreduced=max{"a"}>)");
}

TEST_F(SdyShardingTest, OneMeaningHasOneText) {
  auto is = [&](const char *text, const char *expected) {
    EXPECT_EQ(canonical(text, kTwoByFour), expected) << text;
  };
  is(R"(< @m ,[ {"x" , ?}p0, {}],unreduced = sum{"y"} >)",
     R"(<@m, [{"x", ?}p0, {}], unreduced={"y"}>)");
  is(R"(<@m, [{"y":(1)2, "y":(2)2}, {}]>)", R"(<@m, [{"y"}, {}]>)");
  is(R"(<@m, [{"y":(2)2, "y":(1)2}, {}]>)",
     R"(<@m, [{"y":(2)2, "y":(1)2}, {}]>)");
  is(R"(<@m, [], replicated={"y":(2)2, "x", "y":(1)2}>)",
     R"(<@m, [], replicated={"x", "y"}>)");
  is(R"(<@m, [{}], unreduced=min{"y"}, replicated={"x"}>)",
     R"(<@m, [{}], replicated={"x"}, unreduced=min{"y"}>)");
  is(R"(<mesh<["x"=2, "y"=4], device_ids=[0,1,2,3,4,5,6,7]>, [{?}]>)",
     R"(<mesh<["x"=2, "y"=4]>, [{?}]>)");
  is(R"(<@"a mesh", [{"\78"}]>)", R"(<@"a mesh", [{"x"}]>)");
}

TEST_F(SdyShardingTest, WhatIsWrongIsTold) {
  for (auto [text, words] : {
           std::pair("", "expected '<' at column 1"),
           std::pair("<m, []>", "expected '@' and the name of a mesh"),
           std::pair("<@m [{}]>", "expected ','"),
           std::pair("<@m, [{x}]>", "expected a name in quotes"),
           std::pair(R"(<@m, [{"x"]>)", "expected ','"),
           std::pair(R"(<@m, [{?, "x"}]>)", "expected '}'"),
           std::pair(R"(<@m, [{"x":(1}]>)", "expected ')'"),
           std::pair(R"(<@m, [{"x":(1)0}]>)", "expected a part of at least 1"),
           std::pair(R"(<@m, [{"x"}px]>)", "expected a number below 2^31"),
           std::pair(R"(<@m, [{"x"}p9999999999]>)", "expected a number below"),
           std::pair("<@m, [], what={}>", "expected 'replicated' or"),
           std::pair("<@m, []> x", "expected the end"),
           std::pair(R"(<@m, [{"z"}]>)", "is named \"z\""),
           std::pair(R"(<@m, [{"x"}, {"x"}]>)", "axis \"x\" overlaps"),
           std::pair(R"(<@m, [{"y":(1)2}, {"y"}]>)",
                     "overlaps with \"y:(1)2\""),
           std::pair(R"(<@m, [{"y":(1)3}]>)", "\"y:(1)3\" is no part of an "
                                              "axis of size 4"),
           std::pair(R"(<@m, [{"y":(1)4}]>)", "is no part"),
           std::pair(R"(<@m, [{}p2]>)",
                     "dimension 0 is closed and has no axes"),
       })
    EXPECT_NE(canonical(text, kTwoByFour).find(words), std::string::npos)
        << text << ": " << canonical(text, kTwoByFour);
  for (auto [text, words] : {
           std::pair(R"(<["x"=0]>)", "has size 0"),
           std::pair(R"(<["x"=2, "x"=2]>)", "two axes named \"x\""),
           std::pair(R"(<["x"=65536, "y"=65536]>)", "has size 65536"),
           std::pair(R"(<["x"=2], device_ids=[1, 1]>)", "not a permutation"),
           std::pair(R"(<["x"=2], device_ids=[0, 1, 2]>)", "not a permutation"),
       })
    EXPECT_NE(canonical("<@m, []>", text).find(words), std::string::npos)
        << text << ": " << canonical("<@m, []>", text);
}

TEST_F(SdyShardingTest, ShardingsBecomeLayouts) {
  auto is = [&](const char *text, const char *expected) {
    EXPECT_EQ(imported(text, kTwoByFour), expected) << text;
  };
  is("<@m, [{}, {}]>", "[replicate, replicate], (64, 64)");
  is("<@m, [{?}, {?}]>", "[?, ?], (64, 64)");
  is(R"(<@m, [{"y", "x"}, {}]>)",
     "[shard(0), shard(0)], (64, 64), order = [1, 0]");
  is(R"(<@m, [{"y", ?}, {?}], replicated={"x"}>)",
     "[replicate, shard(0)], (64, 64)");
  is(R"(<@m, [{"y"}p0, {}], unreduced=max{"x"}>)",
     "[partial(max), shard(0)], (64, 64)");
  // Nothing is free, so that closed and open are one.
  is(R"(<@m, [{"y", ?}, {"x"}]>)", "[shard(1), shard(0)], (64, 64)");
}

TEST_F(SdyShardingTest, PartsOfAnAxisAreAxes) {
  EXPECT_EQ(imported(R"(<@m, [{"y":(1)2}, {"y":(2)2}]>)", kTwoByFour),
            "[replicate, shard(0), shard(1)], (64, 64)");
  EXPECT_EQ(imported(R"(<@m, [{"y":(2)2}, {?}], replicated={"x"}>)", kTwoByFour,
                     {64, 64}, SdyDetail::Drop),
            "[replicate, replicate, shard(0)], (64, 64)");
  EXPECT_EQ(imported(R"(<@m, [{"x":(1)2}, {"x":(3)2}]>)", R"(<["x"=6]>)"),
            "parts of mesh axis \"x\" end at 2 and at 3 of 6, which have no "
            "parts in common");
}

TEST_F(SdyShardingTest, WhatCannotBeSaidHereIsRefused) {
  EXPECT_EQ(imported(R"(<@m, [{"x"}p1, {}]>)", kTwoByFour),
            R"("<@m, [{"x"}p1, {}]>": dimension 0 has priority 1, here all )"
            "placements are chosen together");
  EXPECT_EQ(imported(R"(<@m, [{"x", ?}, {}]>)", kTwoByFour),
            R"("<@m, [{"x", ?}, {}]>": dimension 1 is closed and another one )"
            R"(is open, here axis "y" is free for all dimensions or for none)");
  EXPECT_EQ(imported(R"(<@m, [{"y", ?}, {?}]>)", kTwoByFour),
            R"("<@m, [{"y", ?}, {?}]>": axis "x" is free, here it may cut )"
            R"(before axis "y")");
  EXPECT_EQ(imported(R"(<@m, [{"x", ?}p1, {}]>)", kTwoByFour, {64, 64},
                     SdyDetail::Drop),
            "[shard(0), replicate], (64, 64)");
  EXPECT_EQ(imported("<@m, [{}]>", kTwoByFour),
            R"("<@m, [{}]>": 1 dimensions for a tensor of rank 2)");
  EXPECT_EQ(imported(R"(<@m, [{"x", "y"}, {}]>)", kTwoByFour, {10, 64}),
            "dimension 0 of 10 elements is cut by 2 axes, 8 tiles of Shardy "
            "lie elsewhere");
  EXPECT_EQ(imported("<@m, []>", R"(<["x"=2], device_ids=[1, 0]>)", {}),
            R"(mesh <["x"=2], device_ids=[1, 0]>: a mesh here has axes, and )"
            "its ranks are row-major");
}

TEST_F(SdyShardingTest, AUnitThatCutsNothingElseIsLeftOut) {
  auto unit = [&](int64_t size) {
    return Placement::shard(0, Expr::constant(context, size));
  };
  Mesh mesh = knownMesh({2, 2});
  EXPECT_EQ(exported(layout({unit(4), r}, {8}), mesh), R"(<@m, [{"a"}]>)");
  EXPECT_EQ(exported(layout({unit(4), unit(4)}, {16}), mesh),
            R"(<@m, [{"a", "b"}]>)");
  for (int64_t extent : {4, 12, 15})
    EXPECT_EQ(exported(layout({unit(4), r}, {extent}), mesh),
              "Shardy has no words for shard(0, unit = 4) on mesh axis \"a\"");
  EXPECT_EQ(exported(layout({unit(INT64_MAX / 2), r}, {INT64_MAX}), mesh),
            "Shardy has no words for shard(0, unit = 4611686018427387903) on "
            "mesh axis \"a\"");
}

TEST_F(SdyShardingTest, WhatShardyCannotSayIsRefused) {
  Expr unit = Expr::symbol(context, "D");
  auto is = [&](const Layout &layout, const Mesh &mesh, const char *text) {
    EXPECT_EQ(exported(layout, mesh), text);
  };
  Mesh mesh = knownMesh({2});
  is(layout({Placement::shard(0, unit)}), mesh,
     "Shardy has no words for shard(0, unit = D) on mesh axis \"a\"");
  is(layout({Placement::partial(ReduceKind::Avg)}), mesh,
     "Shardy has no words for partial(avg) on mesh axis \"a\"");
  is(layout({open}, {}), mesh,
     "Shardy has no words for ? of a scalar on mesh axis \"a\"");
  is(layout({open, s0}), knownMesh({2, 2}),
     "Shardy has no words for ? on mesh axis \"a\", which may cut before axis "
     "\"b\"");
  is(layout({s0}), unknownMesh({2}),
     "mesh axis \"a\" has no known size, Shardy needs a number");
  is(layout({s0, s0}, {6}), knownMesh({2, 2}),
     "dimension 0 of 6 elements is cut by 2 axes, 4 tiles of Shardy lie "
     "elsewhere");
}

/// A random generator whose numbers are the same everywhere.
class Random {
public:
  int64_t pick(int64_t limit) {
    return static_cast<int64_t>(engine() % static_cast<uint64_t>(limit));
  }
  template <typename List>
  void shuffle(List &list) {
    for (size_t i = list.size(); i > 1; --i)
      std::swap(list[i - 1], list[size_t(pick(int64_t(i)))]);
  }

private:
  std::mt19937 engine{0};
};

/// What a refusal is about, by the words that are in it.
std::string nameOf(const std::string &error) {
  for (const char *words : {"unit", "partial(avg)", "partial(product)",
                            "of a scalar", "may cut before", "lie elsewhere"})
    if (error.find(words) != std::string::npos)
      return words;
  return error;
}

TEST_F(SdyShardingTest, RandomLayoutsComeBackOrAreRefusedByName) {
  Random random;
  std::map<std::string, int> refused;
  int equal = 0;
  Expr symbol = Expr::symbol(context, "N");
  for (int round = 0; round < 2000; ++round) {
    llvm::SmallVector<int64_t> sizes;
    llvm::SmallVector<Placement> placements;
    llvm::SmallVector<unsigned> order;
    int64_t rank = random.pick(4);
    auto kind = static_cast<ReduceKind>(random.pick(5));
    bool hasUnit = random.pick(8) == 0;
    for (unsigned axis = 0, axes = unsigned(1 + random.pick(3)); axis < axes;
         ++axis) {
      sizes.push_back(1 + random.pick(4));
      order.push_back(axis);
      int64_t what = random.pick(rank + 3);
      placements.push_back(what < rank        ? Placement::shard(unsigned(what))
                           : what == rank     ? Placement::replicate()
                           : what == rank + 1 ? Placement::open()
                                              : Placement::partial(kind));
      if (hasUnit && what < rank)
        placements.back().unit = symbol;
    }
    random.shuffle(order);
    llvm::SmallVector<Expr> extents;
    for (int64_t dim = 0; dim < rank; ++dim)
      extents.push_back(random.pick(2)
                            ? symbol
                            : Expr::constant(context, random.pick(4) * 6));
    Layout before(placements, extents, order);
    Mesh mesh = knownMesh(sizes);
    Errors errors;
    ASSERT_TRUE(before.verify(mesh, errors.sink())) << errors.text;
    auto said = toSdySharding(before, mesh, "m", errors.sink());
    if (!said) {
      ++refused[nameOf(errors.text)];
      continue;
    }
    auto read = SdySharding::parse(said->str(), errors.sink());
    auto there = toSdyMesh(mesh, errors.sink());
    ASSERT_TRUE(read && there && read->verify(*there, errors.sink()))
        << errors.text;
    read->canonicalize(*there);
    EXPECT_EQ(read->str(), said->str());
    auto after =
        fromSdySharding(*read, mesh, extents, SdyDetail::Refuse, errors.sink());
    ASSERT_TRUE(after) << said->str() << ": " << errors.text;
    EXPECT_EQ(after->str(), before.str()) << said->str();
    equal += *after == before;
  }
  std::map<std::string, int> expected = {
      {"unit", 106},        {"partial(avg)", 127},   {"partial(product)", 143},
      {"of a scalar", 246}, {"may cut before", 121}, {"lie elsewhere", 14}};
  EXPECT_EQ(refused, expected);
  EXPECT_EQ(equal, 1243);
}

/// Random parts of one axis of size 24 and of a second one of size 2, closed.
TEST_F(SdyShardingTest, RandomPartsComeBack) {
  Random random;
  const SdyMesh mesh = *SdyMesh::parse(R"(<["x"=24, "y"=2]>)", Errors().sink());
  for (int round = 0; round < 500; ++round) {
    SdyAxes axes = {{"y", 1, 0}};
    for (int64_t at = 1; at < 24;) {
      int64_t size = 2 + random.pick(5);
      if (24 % (at * size) != 0)
        continue;
      axes.push_back({"x", at, size});
      at *= size;
    }
    random.shuffle(axes);
    SdySharding before;
    before.meshName = "m";
    before.dims.resize(2);
    for (const SdyAxis &axis : axes)
      if (int64_t where = random.pick(3); where < 2)
        before.dims[size_t(where)].axes.push_back(axis);
    before.canonicalize(mesh);
    Errors errors;
    ASSERT_TRUE(before.verify(mesh, errors.sink())) << errors.text;
    auto ours = fromSdyMesh(mesh, before, errors.sink());
    ASSERT_TRUE(ours) << errors.text;
    EXPECT_EQ(*toSdyMesh(*ours, errors.sink()), mesh);
    auto layout = fromSdySharding(before, *ours, constants(context, {48, 48}),
                                  SdyDetail::Refuse, errors.sink());
    ASSERT_TRUE(layout) << before.str() << ": " << errors.text;
    EXPECT_EQ(exported(*layout, *ours), before.str()) << ours->str();
  }
}

/// The first element of each rank, as Shardy has it: tiles of equal width, axes
/// major to minor. With units, too.
TEST_F(SdyShardingTest, ElementsLieWhereShardyHasThem) {
  Random random;
  int compared = 0;
  for (int round = 0; round < 500; ++round) {
    llvm::SmallVector<int64_t> sizes = {1 + random.pick(4), 1 + random.pick(4),
                                        1 + random.pick(4)};
    llvm::SmallVector<Placement> placements;
    llvm::SmallVector<unsigned> order = {0, 1, 2};
    random.shuffle(order);
    for (unsigned axis = 0; axis < 3; ++axis)
      placements.push_back(random.pick(2) ? s0 : r);
    Expr unit = Expr::constant(context, 1 + random.pick(3));
    if (random.pick(2))
      for (Placement &placement : placements)
        if (placement.isShard())
          placement = Placement::shard(0, unit);
    int64_t extent = random.pick(40);
    Layout ours = layout(placements, {extent}, order);
    Mesh mesh = knownMesh(sizes);
    Errors errors;
    auto said = toSdySharding(ours, mesh, "m", errors.sink());
    if (!said)
      continue;
    for (const Numbers &at : allCoordinates(sizes)) {
      int64_t tiles = 1, tile = 0;
      for (const SdyAxis &axis : said->dims[0].axes) {
        unsigned index = *mesh.lookup(axis.name);
        tiles *= sizes[index];
        tile = tile * sizes[index] + at[index];
      }
      int64_t width = (extent + tiles - 1) / tiles;
      LocalDim local = localDim(mesh, ours, 0, context);
      EXPECT_EQ(valueOn(local.offset, mesh, sizes, at),
                std::min(extent, tile * width))
          << said->str();
      ++compared;
    }
  }
  EXPECT_GT(compared, 1000);
}

} // namespace
