//===- PiecesTest.cpp - how a group cuts a dimension ------------*- C++ -*-===//

#include "../../../lib/Runtime/Core/Pieces.h"

#include "gtest/gtest.h"

using namespace dtensor::rt;

namespace {

std::vector<int64_t> sizesOf(const std::vector<int64_t> &mesh,
                             const std::vector<unsigned> &axes, int64_t extent,
                             int64_t unit) {
  Mesh m;
  m.sizes = mesh;
  m.names.assign(mesh.size(), "a");
  PackedAxes packed = 0;
  for (unsigned i = 0; i < axes.size(); ++i)
    packed = packAxis(packed, i, axes[i]);
  std::vector<int64_t> sizes;
  int64_t offset = 0;
  for (const Piece &piece : cutPieces(m, packed, extent, unit)) {
    EXPECT_EQ(piece.offset, offset);
    offset += piece.size;
    sizes.push_back(piece.size);
  }
  EXPECT_EQ(offset, extent);
  return sizes;
}

using Sizes = std::vector<int64_t>;

TEST(Pieces, OnlyATailIsShortOrEmpty) {
  EXPECT_EQ(sizesOf({4}, {0}, 10, 1), (Sizes{3, 3, 3, 1}));
  EXPECT_EQ(sizesOf({4}, {0}, 5, 1), (Sizes{2, 2, 1, 0}));
  EXPECT_EQ(sizesOf({4}, {0}, 0, 1), (Sizes{0, 0, 0, 0}));
}

TEST(Pieces, UnitsStayWhole) {
  EXPECT_EQ(sizesOf({4}, {0}, 10, 3), (Sizes{3, 3, 3, 1}));
  EXPECT_EQ(sizesOf({2}, {0}, 10, 4), (Sizes{8, 2}));
  EXPECT_EQ(sizesOf({2}, {0}, 10, 0), (Sizes{5, 5}));
}

TEST(Pieces, LaterAxesCutWhatEarlierOnesLeft) {
  EXPECT_EQ(sizesOf({2, 2}, {0, 1}, 10, 1), (Sizes{3, 2, 3, 2}));
  EXPECT_EQ(sizesOf({2, 3}, {1, 0}, 7, 1), (Sizes{2, 1, 2, 1, 1, 0}));
  EXPECT_EQ(sizesOf({2, 2}, {}, 7, 1), (Sizes{7}));
}

} // namespace
