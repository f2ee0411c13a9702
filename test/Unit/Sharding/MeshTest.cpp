//===- MeshTest.cpp - Laws of meshes --------------------------------------===//
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

MeshAxis axis(std::string name, std::optional<int64_t> size = {}) {
  MeshAxis axis;
  axis.name = std::move(name);
  axis.facts.size = size;
  return axis;
}

std::string errorOf(const Mesh &mesh) {
  Errors errors;
  auto sink = errors.sink();
  EXPECT_EQ(mesh.verify(sink), errors.text.empty());
  return errors.text;
}

TEST(Mesh, PrintsSizesAndFactsThatAreNotDefaults) {
  MeshAxis tp = axis("tp");
  tp.facts.divides = 64;
  tp.facts.hint = 4;
  EXPECT_EQ(Mesh({axis("dp", 2), tp}).str(),
            "\"dp\" = 2, \"tp\" = ? {divides 64, hint 4}");
  EXPECT_EQ(Mesh({axis("x")}).str(), "\"x\" = ?");
  tp.facts.min = 2;
  tp.facts.max = 16;
  tp.facts.multipleOf = 2;
  EXPECT_EQ(Mesh({tp}).str(), "\"tp\" = ? {min 2, max 16, divides 64, "
                              "multiple_of 2, hint 4}");
}

TEST(Mesh, SizeIsAConstantIfKnownAndASymbolOtherwise) {
  ExprContext context;
  Mesh mesh({axis("dp", 2), axis("tp"), axis("pp", 1)});
  EXPECT_TRUE(mesh.sizeExpr(context, 0).isConstant(2));
  EXPECT_EQ(mesh.sizeExpr(context, 1).str(), "size(tp)");
  EXPECT_EQ(mesh.indexExpr(context, 0).str(), "index(dp)");
  EXPECT_TRUE(mesh.indexExpr(context, 2).isConstant(0));
  EXPECT_EQ(mesh.groupSizeExpr(context, {0, 1, 2}).str(), "2*size(tp)");
  EXPECT_EQ(mesh.lookup("tp"), 1u);
  EXPECT_EQ(mesh.lookup("ep"), std::nullopt);
}

TEST(Mesh, HintIsAlwaysASizeThatTheFactsAllow) {
  for (int64_t hint : {1, 3, 8, 100})
    for (int64_t multiple : {1, 2, 6})
      for (int64_t min : {1, 5}) {
        MeshAxis tp = axis("tp");
        tp.facts.hint = hint;
        tp.facts.multipleOf = multiple;
        tp.facts.min = min;
        tp.facts.divides = 24;
        int64_t chosen = Mesh({tp}).hint(0);
        EXPECT_EQ(24 % chosen, 0);
        EXPECT_EQ(chosen % multiple, 0);
        EXPECT_GE(chosen, min);
      }
  EXPECT_EQ(Mesh({axis("tp")}).hint(0), 8);
  EXPECT_EQ(Mesh({axis("tp", 3)}).hint(0), 3);
}

TEST(Mesh, EqualMeshesHashEqualAndFactsTellMeshesApart) {
  Mesh known({axis("tp", 4)}), unknown({axis("tp")});
  EXPECT_EQ(known, Mesh({axis("tp", 4)}));
  EXPECT_EQ(hash_value(known), hash_value(Mesh({axis("tp", 4)})));
  EXPECT_NE(known, unknown);
  EXPECT_NE(known, Mesh({axis("ep", 4)}));
}

TEST(Mesh, VerifyNamesTheAxisAndTheNumbers) {
  EXPECT_EQ(errorOf(Mesh({axis("dp", 2), axis("tp")})), "");
  EXPECT_EQ(errorOf(Mesh()), "mesh has 0 axes, but must have 1 to 15");
  EXPECT_EQ(errorOf(Mesh({axis("a"), axis("a")})),
            "mesh has two axes named \"a\"");
  EXPECT_EQ(errorOf(Mesh({axis("")})), "mesh axis has an empty name");
  EXPECT_EQ(errorOf(Mesh({axis("a", 0)})),
            "mesh axis \"a\" has size 0, but every number must be at least 1");
  llvm::SmallVector<MeshAxis> many;
  for (unsigned i = 0; i < 16; ++i)
    many.push_back(axis("x" + std::to_string(i)));
  EXPECT_EQ(errorOf(Mesh(many)), "mesh has 16 axes, but must have 1 to 15");
  EXPECT_EQ(errorOf(Mesh(llvm::ArrayRef(many).drop_back())), "");
}

TEST(Mesh, VerifyRejectsFactsThatContradictEachOther) {
  MeshAxis tp = axis("tp", 3);
  tp.facts.divides = 64;
  EXPECT_EQ(errorOf(Mesh({tp})),
            "mesh axis \"tp\" has size 3, which its own facts exclude");
  tp.facts.size = std::nullopt;
  EXPECT_EQ(errorOf(Mesh({tp})), "");
  tp.facts.multipleOf = 3;
  EXPECT_EQ(errorOf(Mesh({tp})),
            "mesh axis \"tp\" has facts that no size satisfies");
  tp.facts = {};
  tp.facts.min = 4;
  tp.facts.max = 2;
  EXPECT_EQ(errorOf(Mesh({tp})), "mesh axis \"tp\" has max 2 below min 4");
}

} // namespace
