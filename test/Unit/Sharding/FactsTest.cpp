//===- FactsTest.cpp - Proofs from declared facts ---------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/Facts.h"

#include "RandomExpr.h"

#include "gtest/gtest.h"

using namespace dtensor;
using namespace dtensor::test;

namespace {

SymbolFacts multipleOf(int64_t multiple) {
  SymbolFacts facts;
  facts.multipleOf = multiple;
  return facts;
}

SymbolFacts multipleOfAxis(llvm::StringRef axis) {
  SymbolFacts facts;
  facts.multipleOfAxis = axis.str();
  return facts;
}

SymbolFacts between(int64_t least, std::optional<int64_t> most) {
  SymbolFacts facts;
  facts.min = least;
  facts.max = most;
  return facts;
}

AxisFacts divides(int64_t dividend) {
  AxisFacts facts;
  facts.divides = dividend;
  return facts;
}

AxisFacts fixedSize(int64_t size) {
  AxisFacts facts;
  facts.size = size;
  return facts;
}

class FactsTest : public ::testing::Test {
protected:
  Expr parse(llvm::StringRef text) {
    std::string error;
    std::optional<Expr> expr = parseExpr(text, context, &error);
    EXPECT_TRUE(expr) << text.str() << ": " << error;
    return expr ? *expr : Expr::overflow(context);
  }
  bool le(llvm::StringRef lhs, llvm::StringRef rhs) {
    return facts.proveLE(parse(lhs), parse(rhs));
  }
  bool equal(llvm::StringRef lhs, llvm::StringRef rhs) {
    return facts.proveEqual(parse(lhs), parse(rhs));
  }
  bool different(llvm::StringRef lhs, llvm::StringRef rhs) {
    return facts.proveDifferent(parse(lhs), parse(rhs));
  }
  bool divide(llvm::StringRef divisor, llvm::StringRef expr) {
    return facts.proveDivides(parse(divisor), parse(expr));
  }
  std::string simple(llvm::StringRef text) {
    return facts.simplify(parse(text)).str();
  }

  ExprContext context;
  Facts facts;
};

TEST_F(FactsTest, KindsAloneGiveSigns) {
  EXPECT_TRUE(le("0", "B*S"));
  EXPECT_TRUE(le("1", "size(tp)"));
  EXPECT_TRUE(le("index(tp) + 1", "size(tp)"));
  EXPECT_TRUE(different("B + 1", "0"));
  EXPECT_FALSE(le("1", "B"));
  EXPECT_FALSE(different("B", "S"));
  EXPECT_FALSE(equal("B", "S"));
}

TEST_F(FactsTest, ShardsOfAnyExtentObeyTheChunkLaws) {
  // c = ceildiv(N, n), size(r) = clamp(N - r*c, 0, c), offset = min(N, r*c).
  const char *chunk = "N ceildiv size(tp)";
  EXPECT_TRUE(le(chunk, "N"));
  EXPECT_TRUE(le("N", "size(tp)*(N ceildiv size(tp))"));
  EXPECT_TRUE(le("size(tp)*(N floordiv size(tp))", "N"));
  EXPECT_TRUE(le("size(tp)*(N ceildiv size(tp))", "N + size(tp) - 1"));
  EXPECT_TRUE(le("min(N, index(tp)*(N ceildiv size(tp)))", "N"));
  EXPECT_TRUE(le("min(max(N - index(tp)*(N ceildiv size(tp)), 0), "
                 "N ceildiv size(tp))",
                 chunk));
  EXPECT_TRUE(le("0", "min(max(N - index(tp)*(N ceildiv size(tp)), 0), "
                      "N ceildiv size(tp))"));
  EXPECT_TRUE(le("min(N, index(tp)*(N ceildiv size(tp))) + "
                 "min(max(N - index(tp)*(N ceildiv size(tp)), 0), "
                 "N ceildiv size(tp))",
                 "N"));
  EXPECT_FALSE(le("size(tp)*(N ceildiv size(tp))", "N"));
}

TEST_F(FactsTest, RangesBoundExpressions) {
  facts.declareSymbol("B", between(2, 16));
  facts.declareSymbol("S", between(1, std::nullopt));
  EXPECT_TRUE(le("B", "16"));
  EXPECT_TRUE(le("2*S", "B*S"));
  EXPECT_TRUE(le("B*S", "16*S"));
  EXPECT_TRUE(different("B", "17"));
  EXPECT_TRUE(le("B ceildiv 4", "4"));
  EXPECT_TRUE(facts.provePositive(parse("S")));
  EXPECT_FALSE(le("B", "15"));
}

TEST_F(FactsTest, DivisibilityComesFromDeclaredMultiples) {
  facts.declareSymbol("H", multipleOf(8));
  facts.declareAxis("tp", divides(8));
  EXPECT_TRUE(divide("4", "H"));
  EXPECT_TRUE(divide("8", "H*B + 16"));
  EXPECT_TRUE(divide("size(tp)", "H"));
  EXPECT_TRUE(divide("size(tp)", "64"));
  EXPECT_TRUE(divide("size(tp)*2", "2*H"));
  EXPECT_TRUE(divide("size(tp)", "min(H, 16)"));
  EXPECT_TRUE(divide("size(tp)", "size(tp)*B"));
  EXPECT_FALSE(divide("16", "H"));
  EXPECT_FALSE(divide("size(tp)", "12"));
  EXPECT_FALSE(divide("size(dp)", "H"));
  EXPECT_FALSE(divide("B", "S"));
  // Zero divides zero, but the division still has no value.
  EXPECT_TRUE(divide("B", "B*S"));
  EXPECT_EQ(simple("(B*S) mod B"), "(B*S) mod B");
}

TEST_F(FactsTest, DivisibilityByAnAxisOfManySizes) {
  facts.declareAxis("tp", divides(720720));
  facts.declareAxis("ep", divides(6));
  facts.declareSymbol("H", multipleOf(720720 * 6));
  facts.declareSymbol("K", multipleOfAxis("tp"));
  EXPECT_TRUE(divide("size(tp)", "720720*B"));
  EXPECT_TRUE(divide("size(tp)*size(ep)", "H"));
  EXPECT_TRUE(divide("size(tp)", "K"));
  EXPECT_TRUE(divide("size(tp)*size(ep)", "6*K"));
  EXPECT_FALSE(divide("size(tp)*size(ep)", "K"));
}

TEST_F(FactsTest, ASymbolMayBeAMultipleOfANumberAndOfAnAxis) {
  SymbolFacts both = multipleOf(4);
  both.multipleOfAxis = "tp";
  facts.declareSymbol("H", both);
  EXPECT_TRUE(divide("4", "H"));
  EXPECT_TRUE(divide("size(tp)", "H"));
  EXPECT_FALSE(divide("4*size(tp)", "H"));
  EXPECT_TRUE(equal("4*(H floordiv 4)", "H"));
  EXPECT_TRUE(equal("size(tp)*(H ceildiv size(tp))", "H"));
}

TEST_F(FactsTest, KnownSizesBecomeConstants) {
  facts.declareAxis("tp", fixedSize(4));
  facts.declareSymbol("B", between(3, 3));
  EXPECT_EQ(simple("N ceildiv size(tp)"), "N ceildiv 4");
  EXPECT_EQ(simple("B*size(tp)"), "12");
  EXPECT_TRUE(equal("size(tp)", "4"));
  EXPECT_TRUE(le("index(tp)", "3"));
}

TEST_F(FactsTest, ExactDivisionsLoseTheirRounding) {
  facts.declareAxis("tp", divides(8));
  facts.declareSymbol("H", multipleOf(8));
  EXPECT_EQ(simple("H ceildiv size(tp)"), "H floordiv size(tp)");
  EXPECT_EQ(simple("H mod size(tp)"), "0");
  EXPECT_EQ(simple("64 ceildiv size(tp)"), "64 floordiv size(tp)");
  EXPECT_EQ(simple("(H + 8) ceildiv size(tp)"), simple("(H + 8) floordiv "
                                                       "size(tp)"));
  EXPECT_EQ(simple("B ceildiv size(tp)"), "B ceildiv size(tp)");
}

TEST_F(FactsTest, FactsDecideMinAndMax) {
  facts.declareSymbol("B", between(0, 8));
  facts.declareSymbol("S", between(8, std::nullopt));
  EXPECT_EQ(simple("min(B, S)"), "B");
  EXPECT_EQ(simple("max(B, S, 4)"), "S");
  EXPECT_EQ(simple("min(B, T)"), "min(B, T)");
  EXPECT_EQ(simple("B floordiv 9"), "0");
  EXPECT_EQ(simple("B mod (S + 1)"), "B");
}

TEST_F(FactsTest, AssumedEqualitiesAreUsed) {
  facts.assumeEqual(parse("H"), parse("4*K"));
  facts.assumeEqual(parse("T"), parse("S + 1"));
  facts.assumeEqual(parse("A*A"), parse("B*B + 1"));
  EXPECT_TRUE(equal("H floordiv 4", "K"));
  EXPECT_TRUE(divide("4", "H"));
  EXPECT_TRUE(le("S", "T"));
  EXPECT_TRUE(different("S", "T"));
  EXPECT_TRUE(different("A*A", "B*B"));
  EXPECT_FALSE(equal("H", "K"));
  facts.assumeLE(parse("U"), parse("S"));
  EXPECT_TRUE(le("U + 1", "T"));
  EXPECT_FALSE(le("U", "S - 1"));
}

TEST_F(FactsTest, ParityMakesDifferent) {
  EXPECT_TRUE(different("2*B", "2*S + 1"));
  EXPECT_TRUE(different("B mod 4", "4"));
  EXPECT_TRUE(different("6*B + 4*S", "2*T + 1"));
  EXPECT_FALSE(different("2*B", "3*S + 1"));
}

TEST_F(FactsTest, DivisionAndRemainderBelongTogether) {
  EXPECT_TRUE(equal("4*(B floordiv 4) + B mod 4", "B"));
  EXPECT_TRUE(equal("size(tp)*(B floordiv size(tp)) + B mod size(tp)", "B"));
  EXPECT_TRUE(le("B ceildiv 4", "B floordiv 4 + 1"));
  EXPECT_TRUE(equal("max(B, S) + min(B, S)", "B + S"));
}

TEST_F(FactsTest, HintsSaturateAndAreNeverNegative) {
  facts.declareSymbol("B", between(0, 64));
  facts.declareAxis("tp", divides(4));
  EXPECT_EQ(facts.hint(parse("S")), 128);
  EXPECT_EQ(facts.hint(parse("size(dp)")), 8);
  EXPECT_EQ(facts.hint(parse("B")), 64);
  EXPECT_EQ(facts.hint(parse("size(tp)")), 4);
  EXPECT_EQ(facts.hint(parse("B - S")), 0);
  EXPECT_EQ(facts.hint(parse("S floordiv (B - 64)")), 128);
  EXPECT_EQ(facts.hint(parse("9223372036854775807*S")), INT64_MAX);
  EXPECT_EQ(facts.hint(Expr::overflow(context)), 0);
}

TEST_F(FactsTest, LaunchChecksNameTheBrokenFact) {
  SymbolFacts rows = multipleOf(4);
  rows.min = 4;
  rows.max = 64;
  rows.multipleOfAxis = "tp";
  facts.declareSymbol("B", rows);
  facts.declareAxis("tp", divides(12));
  facts.assumeEqual(parse("S"), parse("2*B"));
  auto check = [&](int64_t b, int64_t s, int64_t tp) {
    return facts
        .check([&](llvm::StringRef name, SymbolKind) {
          return std::optional<int64_t>(name == "B" ? b : name == "S" ? s : tp);
        })
        .value_or("");
  };
  EXPECT_EQ(check(12, 24, 6), "");
  EXPECT_EQ(check(0, 0, 6), "symbol 'B' is 0, expected at least 4");
  EXPECT_EQ(check(72, 144, 6), "symbol 'B' is 72, expected at most 64");
  EXPECT_EQ(check(6, 12, 6), "symbol 'B' is 6, expected a multiple of 4");
  EXPECT_EQ(check(16, 32, 6), "symbol 'B' is 16, expected a multiple of 6, "
                              "the size of mesh axis 'tp'");
  EXPECT_EQ(check(12, 24, 5),
            "the size of mesh axis 'tp' is 5, expected a divisor of 12");
  EXPECT_EQ(check(12, 24, 0),
            "the size of mesh axis 'tp' is 0, expected at least 1");
  EXPECT_EQ(check(12, 20, 6), "S is 20, expected 2*B, which is 24");
}

TEST_F(FactsTest, PoisonProvesNothing) {
  Expr poison = Expr::overflow(context), b = parse("B");
  EXPECT_FALSE(facts.proveEqual(poison, poison));
  EXPECT_FALSE(facts.proveDifferent(poison, b));
  EXPECT_FALSE(facts.proveLE(b, poison));
  EXPECT_FALSE(facts.proveDivides(poison, b));
  EXPECT_TRUE(facts.simplify(poison).isOverflow());
}

/// Every proof must hold for all small bindings that pass the facts' own check.
TEST_F(FactsTest, ProofsAgreeWithExhaustiveSearch) {
  SymbolFacts even = multipleOf(2);
  even.max = 8;
  even.multipleOfAxis = "tp";
  facts.declareSymbol("B", even);
  facts.declareSymbol("S", between(1, 6));
  AxisFacts axis = divides(4);
  facts.declareAxis("tp", axis);
  facts.assumeLE(parse("S"), parse("B + 2"));
  std::vector<Binding> bindings;
  for (int64_t b = 0; b <= 9; ++b)
    for (int64_t s = 0; s <= 7; ++s)
      for (int64_t n = 1; n <= 5; ++n)
        for (int64_t r = 0; r < n; ++r) {
          Binding binding;
          binding.values = {{{"B", SymbolKind::Extent}, b},
                            {{"S", SymbolKind::Extent}, s},
                            {{"tp", SymbolKind::AxisSize}, n},
                            {{"tp", SymbolKind::AxisIndex}, r}};
          if (!facts.check([&](llvm::StringRef name, SymbolKind kind) {
                return binding.lookup(name, kind);
              }))
            bindings.push_back(binding);
        }
  ASSERT_GT(bindings.size(), 20u);
  RandomExpr random(context, 11);
  int proved[5] = {};
  for (int i = 0; i < 400; ++i) {
    Expr x = random.make(2).expr, y = random.make(2).expr;
    if (x.isOverflow() || y.isOverflow())
      continue;
    bool claims[] = {facts.proveLE(x, y), facts.proveEqual(x, y),
                     facts.proveDifferent(x, y), facts.proveDivides(y, x),
                     true};
    for (int j = 0; j < 5; ++j)
      proved[j] += claims[j];
    Expr simple = facts.simplify(x);
    EXPECT_GE(facts.hint(x), 0);
    for (Binding &binding : bindings) {
      auto a = binding.evaluate(x), b = binding.evaluate(y);
      if (!a)
        continue;
      ASSERT_EQ(binding.evaluate(simple), a)
          << x.str() << " -> " << simple.str() << binding.text();
      if (!b)
        continue;
      ASSERT_TRUE(!claims[0] || *a <= *b) << x.str() << " <= " << y.str();
      ASSERT_TRUE(!claims[1] || *a == *b) << x.str() << " == " << y.str();
      ASSERT_TRUE(!claims[2] || *a != *b) << x.str() << " != " << y.str();
      ASSERT_TRUE(!claims[3] || (*b == 0 ? *a == 0 : *a % *b == 0))
          << y.str() << " | " << x.str() << binding.text();
    }
  }
  for (int count : proved)
    EXPECT_GT(count, 0);
}

} // namespace
