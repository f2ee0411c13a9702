//===- DTensorSpecTest.cpp - Layouts in the words of PyTorch --------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/DTensorSpec.h"

#include "RandomLayout.h"
#include "Ranks.h"
#include "gtest/gtest.h"

using namespace dtensor;
using namespace dtensor::test;

namespace {

class DTensorSpecTest : public testing::Test {
protected:
  std::string said(const Layout &layout, const Mesh &mesh) {
    auto text = printDTensorSpec(layout, mesh, errors.sink());
    return text ? *text : std::exchange(errors.text, "");
  }

  std::string read(llvm::StringRef text) {
    auto spec = parseDTensorSpec(text, context, errors.sink());
    return spec ? spec->first.str() + ": " + spec->second.str()
                : std::exchange(errors.text, "");
  }

  /// The text of a spec with these parts.
  std::string
  spec(const char *placements, const char *shape = "[8, 6]",
       const char *mesh = R"({"dim_names": ["a", "b"], "shape": [2, 3]})") {
    return std::string("{\"mesh\": ") + mesh +
           ", \"placements\": " + placements + ", \"shape\": " + shape + "}";
  }

  ExprContext context;
  Errors errors;
  const Placement r = Placement::replicate();
  const Placement s0 = Placement::shard(0), s1 = Placement::shard(1);
};

TEST_F(DTensorSpecTest, OneLineSaysItAll) {
  Mesh mesh = knownMesh({2, 3});
  auto layout = [&](Placement a, Placement b,
                    llvm::ArrayRef<unsigned> order = {}) {
    return Layout({a, b}, constants(context, {12, 6}), order);
  };
  const std::string head =
      R"({"mesh":{"dim_names":["a","b"],"shape":[2,3]},"placements":[)";
  const std::string tail = R"(],"shape":[12,6]})";
  EXPECT_EQ(said(layout(s0, r), mesh),
            head + R"({"dim":0,"type":"shard"},{"type":"replicate"})" + tail);
  EXPECT_EQ(said(layout(Placement::partial(ReduceKind::Max), s1), mesh),
            head +
                R"({"reduce_op":"max","type":"partial"},)"
                R"({"dim":1,"type":"shard"})" +
                tail);
  EXPECT_EQ(said(layout(s0, s0, {1, 0}), mesh),
            head +
                R"({"dim":0,"split_factor":3,"type":"strided_shard"},)"
                R"({"dim":0,"type":"shard"})" +
                tail);
}

TEST_F(DTensorSpecTest, WhatIsNoNumberIsAnExpressionOrNull) {
  llvm::SmallVector<MeshAxis> axes(unknownMesh({8, 8}).getAxes());
  axes[1].facts.divides = 64;
  Layout layout({s0, r}, {Expr::symbol(context, "B") * 2});
  std::string text =
      R"({"mesh":{"dim_names":["a","b"],"facts":[{},{"divides":64}],)"
      R"("shape":[null,null]},"placements":[{"dim":0,"type":"shard"},)"
      R"({"type":"replicate"}],"shape":["2*B"]})";
  EXPECT_EQ(said(layout, Mesh(axes)), text);
  EXPECT_EQ(read(text), Mesh(axes).str() + ": " + layout.str());
}

TEST_F(DTensorSpecTest, WhatPyTorchCannotSayIsRefused) {
  Mesh mesh = knownMesh({2, 3});
  auto extents = constants(context, {8, 8});
  EXPECT_EQ(said(Layout({Placement::open(), r}, extents), mesh),
            "PyTorch has no words for ? on axis \"a\"");
  Expr unit = Expr::symbol(context, "D");
  EXPECT_EQ(said(Layout({r, Placement::shard(0, unit)}, extents), mesh),
            "PyTorch has no words for shard(0, unit = D) on axis \"b\"");
  EXPECT_EQ(said(Layout({s0, s0}, extents, {1, 0}), mesh),
            "dimension 0 of 8 elements is cut into 6 shards in another order "
            "than the mesh has, a strided shard of PyTorch lies elsewhere "
            "unless they are equal");
  EXPECT_EQ(said(Layout({s0, s0}, extents, {1, 0}), unknownMesh({2, 2})),
            "axis \"a\" cuts after axis \"b\", a strided shard of PyTorch "
            "needs its size");
}

TEST_F(DTensorSpecTest, AnErrorNamesThePlace) {
  const char *two = R"([{"type": "replicate"}, {"type": "replicate"}])";
  const char *tooLong = R"([{"type": "replicate"}])";
  for (auto [text, words] : {
           std::pair(std::string("{"), "[1:1, byte=1]: Expected object key"),
           std::pair(std::string("[]"), "the text: expected an object"),
           std::pair(std::string("{}"), "mesh: missing"),
           std::pair(std::string(R"({"meshes": 1})"),
                     "the text: unknown key \"meshes\""),
           std::pair(std::string(100, '['), "nests deeper than 64"),
           std::pair(spec(two, "8"), "shape: expected a list"),
           std::pair(spec(two, "[8, -1]"), "shape[1]: expected a size"),
           std::pair(spec(two, R"(["B +"])"), "shape[0]: \"B +\": "),
           std::pair(spec("1"), "placements: expected a list"),
           std::pair(spec(tooLong), "placements: layout has 1 placements"),
           std::pair(spec("[1, 1]"), "placements[0]: expected an object"),
           std::pair(spec(R"([{"type": "split"}, 1])"),
                     "placements[0].type: expected replicate, shard"),
           std::pair(spec(R"([{"type": "shard"}, 1])"),
                     "placements[0].dim: missing"),
           std::pair(spec(R"([{"type": "shard", "dim": 2}, 1])"),
                     "placements[0].dim: 2, the tensor has 2 dimensions"),
           std::pair(spec(R"([{"type": "shard", "dim": -1}, 1])"),
                     "placements[0].dim: expected a number from 0"),
           std::pair(spec(R"([{"type": "replicate", "dim": 0}, 1])"),
                     "placements[0]: unknown key \"dim\""),
           std::pair(spec(R"([{"type": "partial", "reduce_op": "or"}, 1])"),
                     "placements[0].reduce_op: expected sum, avg"),
           std::pair(spec(R"([{"type": "strided_shard", "dim": 1}, 1])"),
                     "placements[0].split_factor: missing"),
           std::pair(
               spec(R"([{"type": "strided_shard", "dim": 1, )"
                    R"("split_factor": 2}, {"type": "shard", "dim": 1}])"),
               "placements: split factor 2 of axis \"a\" is no product"),
           std::pair(spec(two, "[8]", R"({"dim_names": ["a"], "shape": []})"),
                     "mesh: 1 names for 0 sizes"),
           std::pair(spec(two, "[8]", R"({"dim_names": [1], "shape": [2]})"),
                     "mesh.dim_names[0]: expected a string"),
           std::pair(spec(two, "[8]", R"({"dim_names": ["a"], "shape": [0]})"),
                     "mesh.shape[0]: expected a size of at least 1"),
           std::pair(spec(two, "[8]",
                          R"({"dim_names": ["a", "a"], "shape": [2, 2]})"),
                     "mesh: mesh has two axes named \"a\""),
           std::pair(spec(two, "[8]",
                          R"({"dim_names": ["a"], "shape": [null], )"
                          R"("facts": [{"divides": 0}]})"),
                     "mesh.facts[0].divides: expected a number from 1"),
       }) {
    std::string told = read(text);
    EXPECT_NE(told.find(words), std::string::npos) << text << ": " << told;
  }
}

/// Size and offset of every dimension on every rank, B = 40 and S = 3.
std::vector<Numbers> pieces(ExprContext &context, const Mesh &mesh,
                            llvm::ArrayRef<int64_t> sizes,
                            const Layout &layout) {
  std::vector<Numbers> result;
  for (const Numbers &coordinates : allCoordinates(sizes)) {
    Numbers &piece = result.emplace_back();
    for (unsigned dim = 0; dim < layout.getRank(); ++dim) {
      LocalDim local = localDim(mesh, layout, dim, context);
      for (Expr expr : {local.size, local.offset})
        piece.push_back(
            valueOn(expr, mesh, sizes, coordinates,
                    [](llvm::StringRef name) { return name == "B" ? 40 : 3; }));
    }
  }
  return result;
}

TEST_F(DTensorSpecTest, RandomLayoutsComeBackOrAreRefusedByName) {
  RandomLayouts random(context, 0);
  int64_t equal = 0, refused = 0, sameBut1 = 0;
  for (int round = 0; round < 2000; ++round) {
    RandomLayout it = random.next({});
    auto text = printDTensorSpec(it.layout, it.mesh, errors.sink());
    if (!text) {
      bool hasWords = llvm::none_of(it.layout.placements, [](auto &placement) {
        return placement.isOpen() || placement.unit;
      });
      if (llvm::StringRef(errors.text).contains("no words for"))
        EXPECT_FALSE(hasWords) << errors.text;
      else
        EXPECT_FALSE(it.layout.hasDefaultOrder()) << errors.text;
      errors.text.clear();
      ++refused;
      continue;
    }
    auto back = parseDTensorSpec(*text, context, errors.sink());
    ASSERT_TRUE(back) << *text << ": " << errors.text;
    EXPECT_EQ(back->first, it.mesh) << *text;
    EXPECT_EQ(said(back->second, back->first), *text);
    if (back->second == it.layout) {
      ++equal;
      continue;
    }
    // The place of an axis of size 1 in the order.
    EXPECT_TRUE(llvm::is_contained(it.sizes, 1)) << *text;
    EXPECT_EQ(pieces(context, it.mesh, it.sizes, back->second),
              pieces(context, it.mesh, it.sizes, it.layout))
        << *text;
    ++sameBut1;
  }
  EXPECT_EQ(equal + refused + sameBut1, 2000);
  EXPECT_EQ(equal, 1565);
  EXPECT_EQ(sameBut1, 30);
}

} // namespace
