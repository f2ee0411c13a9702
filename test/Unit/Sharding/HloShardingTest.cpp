//===- HloShardingTest.cpp - Layouts in the words of XLA ------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/HloSharding.h"

#include "Ranks.h"
#include "gtest/gtest.h"

#include <random>

using namespace dtensor;
using namespace dtensor::test;

namespace {

class HloShardingTest : public testing::Test {
protected:
  using Sizes = llvm::ArrayRef<int64_t>;

  Layout layout(llvm::ArrayRef<Placement> placements,
                llvm::ArrayRef<int64_t> shape,
                llvm::ArrayRef<unsigned> order = {}) {
    llvm::SmallVector<Expr> extents;
    for (int64_t size : shape)
      extents.push_back(Expr::constant(context, size));
    return Layout(placements, extents, order);
  }

  std::string text(const Layout &layout, Sizes mesh,
                   HloDevices form = HloDevices::Iota) {
    std::string error;
    auto result =
        printHloSharding(layout, mesh, form, [&](const llvm::Twine &message) {
          error = message.str();
        });
    return result ? *result : error;
  }

  std::string parsed(llvm::StringRef text, Sizes mesh) {
    std::string error;
    auto result = parseHloSharding(
        text, mesh, layout({}, {64, 64}).extents,
        [&](const llvm::Twine &message) { error = message.str(); });
    return result ? result->str() : error;
  }

  ExprContext context;
  const Placement r = Placement::replicate();
  const Placement s0 = Placement::shard(0), s1 = Placement::shard(1);
};

TEST_F(HloShardingTest, TextsAreThoseOfXla) {
  const int64_t mesh[] = {2, 4};
  auto shape = {8, 8};
  auto is = [&](std::initializer_list<Placement> placements, const char *iota,
                const char *list) {
    llvm::SmallVector<int64_t> sizes(shape.begin(), shape.end());
    Layout it =
        layout(llvm::ArrayRef(placements.begin(), placements.end()), sizes);
    EXPECT_EQ(text(it, mesh), iota);
    EXPECT_EQ(text(it, mesh, HloDevices::List), list);
  };
  is({r, r}, "{replicated}", "{replicated}");
  is({s0, r}, "{devices=[2,1,4]<=[8] last_tile_dim_replicate}",
     "{devices=[2,1,4]0,1,2,3,4,5,6,7 last_tile_dim_replicate}");
  is({r, s0}, "{devices=[4,1,2]<=[2,4]T(1,0) last_tile_dim_replicate}",
     "{devices=[4,1,2]0,4,1,5,2,6,3,7 last_tile_dim_replicate}");
  is({s0, s1}, "{devices=[2,4]<=[8]}", "{devices=[2,4]0,1,2,3,4,5,6,7}");
  is({s1, s0}, "{devices=[4,2]<=[2,4]T(1,0)}",
     "{devices=[4,2]0,4,1,5,2,6,3,7}");
  is({s0, s0}, "{devices=[8,1]<=[8]}", "{devices=[8,1]0,1,2,3,4,5,6,7}");
  EXPECT_EQ(text(layout({s0, s0}, {8, 8}, {1, 0}), mesh),
            "{devices=[8,1]<=[2,4]T(1,0)}");
}

TEST_F(HloShardingTest, NeighboursInAnIotaAreOne) {
  Placement s2 = Placement::shard(2);
  EXPECT_EQ(text(layout({s1, s0, s0}, {60, 60}), {3, 4, 5}),
            "{devices=[20,3]<=[3,20]T(1,0)}");
  EXPECT_EQ(text(layout({s0, r, s1}, {4, 4}), {2, 1, 2}),
            "{devices=[2,2]<=[4]}");
  EXPECT_EQ(text(layout({s2, s0, s1}, {8, 8, 8}), {2, 2, 2}),
            "{devices=[2,2,2]<=[2,4]T(1,0)}");
}

TEST_F(HloShardingTest, AnotherFormOfTheSameIsRead) {
  const int64_t mesh[] = {2, 4};
  EXPECT_EQ(parsed("{replicated}", mesh), "[replicate, replicate], (64, 64)");
  EXPECT_EQ(parsed("{devices=[4,1,2]<=[2,4]T(1,0) "
                   "last_tile_dims={replicated}}",
                   mesh),
            "[replicate, shard(0)], (64, 64)");
  EXPECT_EQ(parsed("{devices=[1,1,8]<=[8] last_tile_dim_replicate}", mesh),
            "[replicate, replicate], (64, 64)");
  EXPECT_EQ(parsed("{devices=[8,1]0,4,1,5,2,6,3,7}", mesh),
            "[shard(0), shard(0)], (64, 64), order = [1, 0]");
}

TEST_F(HloShardingTest, WhatIsWrongIsTold) {
  const int64_t mesh[] = {2, 4};
  for (auto [input, words] : {
           std::pair("{manual}", "expected 'replicated' or 'devices=['"),
           std::pair("{devices=[8]<=[8]}", "expected 2 tile counts"),
           std::pair("{devices=[8,1]<=[4,2]}", "expected 'T('"),
           std::pair("{devices=[8,1]<=[4,2]T(0,0)}", "a permutation of 2"),
           std::pair("{devices=[4,2]0,1,2}", "as many devices as tiles"),
           std::pair("{devices=[4,2]0,1,2,3,4,5,6,6}", "named twice"),
           std::pair("{devices=[8,1]7,6,5,4,3,2,1,0}", "no axis of the mesh"),
           std::pair("{devices=[4,1]<=[4]}", "4 devices, the mesh has 8"),
           std::pair("{devices=[2,4]<=[99999999999]}", "expected a number"),
           std::pair("{devices=[2,4]<=[8]} x", "expected the end"),
           std::pair("{devices=[2,4]<=[8]", "expected '}'"),
           std::pair("", "expected '{' at column 1"),
       })
    EXPECT_NE(parsed(input, mesh).find(words), std::string::npos)
        << input << ": " << parsed(input, mesh);
}

TEST_F(HloShardingTest, WhatXlaCannotSayIsRefused) {
  EXPECT_EQ(text(layout({Placement::partial()}, {8}), {2}),
            "XLA has no words for partial(sum)");
  Expr unit = Expr::symbol(context, "D");
  EXPECT_EQ(text(layout({Placement::shard(0, unit)}, {8}), {2}),
            "XLA has no words for shard(0, unit = D)");
  EXPECT_EQ(text(layout({s0, s0}, {10}), {2, 4}),
            "dimension 0 of 10 elements is cut by 2 axes, 8 tiles of XLA lie "
            "elsewhere");
  EXPECT_EQ(text(layout({s0}, {10}), {4}), "{devices=[4]<=[4]}");
}

TEST_F(HloShardingTest, RandomLayoutsComeBack) {
  std::mt19937 random(0);
  auto pick = [&](int64_t limit) {
    return static_cast<int64_t>(random() % static_cast<uint64_t>(limit));
  };
  for (int round = 0; round < 2000; ++round) {
    llvm::SmallVector<int64_t> mesh;
    size_t rank = size_t(1 + pick(3));
    llvm::SmallVector<Placement> placements;
    llvm::SmallVector<unsigned> order;
    for (unsigned axis = 0, axes = unsigned(1 + pick(3)); axis < axes; ++axis) {
      mesh.push_back(2 + pick(4));
      int64_t dim = pick(int64_t(rank) + 1) - 1;
      placements.push_back(dim < 0 ? r : Placement::shard(unsigned(dim)));
      order.push_back(axis);
    }
    std::shuffle(order.begin(), order.end(), random);
    llvm::SmallVector<Expr> extents(rank, Expr::symbol(context, "N"));
    Layout before(placements, extents, order);
    for (HloDevices form : {HloDevices::Iota, HloDevices::List}) {
      std::string error;
      auto fail = [&](const llvm::Twine &message) { error = message.str(); };
      auto written = printHloSharding(before, mesh, form, fail);
      ASSERT_TRUE(written) << error;
      auto after = parseHloSharding(*written, mesh, extents, fail);
      ASSERT_TRUE(after) << *written << ": " << error;
      EXPECT_EQ(after->str(), before.str()) << *written;
    }
  }
}

} // namespace
