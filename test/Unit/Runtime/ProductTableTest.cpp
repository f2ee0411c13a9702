//===- ProductTableTest.cpp - algorithms chosen ahead of time ---*- C++ -*-===//

#include "dtensor-rt/ProductTable.h"

#include "gtest/gtest.h"

#include <cstring>

using namespace dtensor::rt;

namespace {

TunedProduct makeProduct(int64_t m, uint64_t algorithm) {
  TunedProduct product;
  product.arch = 90;
  product.version = 130100;
  product.dtypeIn = product.dtypeOut = DTENSOR_RT_bf16;
  product.transB = true;
  product.m = m;
  product.n = 8192;
  product.k = 14336;
  product.algorithm = {algorithm, 0, ~uint64_t(0)};
  return product;
}

TEST(ProductTable, ALineIsReadBack) {
  TunedProduct product = makeProduct(4097, 42);
  auto read = parseTunedProduct(formatTunedProduct(product) + " # 12 us");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->kind(), product.kind());
  EXPECT_EQ(read->m, product.m);
  EXPECT_EQ(read->algorithm, product.algorithm);
}

TEST(ProductTable, WhatIsNoEntryIsRefused) {
  std::string line = formatTunedProduct(makeProduct(16, 1));
  EXPECT_TRUE(parseTunedProduct(line));
  for (const char *bad : {"", "sm_90", "# a comment"})
    EXPECT_FALSE(parseTunedProduct(bad)) << bad;
  EXPECT_FALSE(parseTunedProduct(line + "0"));
  EXPECT_FALSE(parseTunedProduct(line + " more"));
  EXPECT_FALSE(parseTunedProduct(line.substr(0, line.size() - 1)));
  auto replaced = [&](const char *from, const char *to) {
    return std::string(line).replace(line.find(from), strlen(from), to);
  };
  EXPECT_FALSE(parseTunedProduct(replaced("bf16", "bf17")));
  EXPECT_FALSE(parseTunedProduct(replaced(" nt ", " nx ")));
  EXPECT_FALSE(parseTunedProduct(replaced(" 16 ", " -16 ")));
  EXPECT_FALSE(parseTunedProduct(replaced("sm_90", "sm_")));
}

uint64_t findAlgorithm(const ProductTable &table, int64_t m) {
  const TunedProduct *found = table.find(makeProduct(m, 0));
  return found ? found->algorithm[0] : 0;
}

TEST(ProductTable, TheNearestRowsServe) {
  ProductTable table;
  for (int64_t m : {16, 32, 128, 4096, 4097})
    table.add(makeProduct(m, static_cast<uint64_t>(m)));
  EXPECT_EQ(findAlgorithm(table, 1), 16u);
  EXPECT_EQ(findAlgorithm(table, 17), 32u);
  EXPECT_EQ(findAlgorithm(table, 65), 128u);
  EXPECT_EQ(findAlgorithm(table, 64), 0u);
  EXPECT_EQ(findAlgorithm(table, 129), 0u);
  EXPECT_EQ(findAlgorithm(table, 4000), 4096u);
  EXPECT_EQ(findAlgorithm(table, 4100), 4097u);
  EXPECT_EQ(findAlgorithm(table, 5000), 0u);
}

TEST(ProductTable, OtherProductsDoNotServe) {
  ProductTable table;
  table.add(makeProduct(16, 1));
  auto finds = [&](auto change) {
    TunedProduct wanted = makeProduct(16, 0);
    change(wanted);
    return table.find(wanted) != nullptr;
  };
  EXPECT_TRUE(finds([](TunedProduct &) {}));
  EXPECT_FALSE(finds([](TunedProduct &p) { p.n = 8200; }));
  EXPECT_FALSE(finds([](TunedProduct &p) { p.transB = false; }));
  EXPECT_FALSE(finds([](TunedProduct &p) { p.version = 130000; }));
  EXPECT_FALSE(finds([](TunedProduct &p) { p.arch = 100; }));
  EXPECT_FALSE(finds([](TunedProduct &p) { p.dtypeOut = DTENSOR_RT_f32; }));
}

} // namespace
