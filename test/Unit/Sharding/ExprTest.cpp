//===- ExprTest.cpp - Laws of canonical expressions -------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/Expr.h"

#include "RandomExpr.h"

#include "gtest/gtest.h"

#include <set>
#include <thread>

using namespace dtensor;
using namespace dtensor::test;

namespace {

class ExprTest : public ::testing::Test {
protected:
  Expr parse(llvm::StringRef text) {
    std::string error;
    std::optional<Expr> expr = parseExpr(text, context, &error);
    EXPECT_TRUE(expr) << text.str() << ": " << error;
    return expr ? *expr : Expr::overflow(context);
  }
  std::string canonical(llvm::StringRef text) { return parse(text).str(); }
  std::string parseError(llvm::StringRef text) {
    std::string error;
    EXPECT_FALSE(parseExpr(text, context, &error)) << text.str();
    return error;
  }
  Expr number(int64_t value) { return Expr::constant(context, value); }

  ExprContext context;
  Expr b = Expr::symbol(context, "B"), s = Expr::symbol(context, "S");
  Expr tp = Expr::symbol(context, "tp", SymbolKind::AxisSize);
  Expr r = Expr::symbol(context, "tp", SymbolKind::AxisIndex);
};

TEST_F(ExprTest, PolynomialsFormACommutativeRing) {
  RandomExpr random(context, 1);
  for (int i = 0; i < 300; ++i) {
    Expr x = random.make(2).expr, y = random.make(2).expr,
         z = random.make(2).expr;
    if (x.isOverflow() || y.isOverflow() || z.isOverflow())
      continue;
    EXPECT_EQ(x + y, y + x);
    EXPECT_EQ(x * y, y * x);
    EXPECT_EQ((x + y) + z, x + (y + z));
    EXPECT_EQ((x * y) * z, x * (y * z));
    EXPECT_EQ(x * (y + z), x * y + x * z);
    EXPECT_EQ(x + 0, x);
    EXPECT_EQ(x * 1, x);
    EXPECT_EQ(x * 0, number(0));
    EXPECT_EQ(x - x, number(0));
    EXPECT_EQ(x - y, x + (-y));
  }
}

TEST_F(ExprTest, EqualFormsAreOnePointer) {
  EXPECT_EQ(b * s, s * b);
  EXPECT_EQ(b * s + 2 * b, b * (s + 2));
  EXPECT_EQ(parse("(B + S)*(B - S)"), b * b - s * s);
  EXPECT_NE(b, Expr::symbol(context, "B", SymbolKind::AxisSize));
  EXPECT_NE(tp, r);
}

TEST_F(ExprTest, TermsPrintByDegreeThenNameConstantLast) {
  EXPECT_EQ(canonical("-1 + 2*H + S*B"), "B*S + 2*H - 1");
  EXPECT_EQ(canonical("B*B*3"), "3*B*B");
  EXPECT_EQ(canonical("0*B"), "0");
  EXPECT_EQ(canonical("-B"), "-B");
  EXPECT_EQ(canonical("(-1 + B) ceildiv size(tp)"), "(B - 1) ceildiv size(tp)");
  EXPECT_EQ(canonical("(1 + B) ceildiv size(tp)"), "B floordiv size(tp) + 1");
  EXPECT_EQ(canonical("2*(x floordiv 4)"), "2*(x floordiv 4)");
  EXPECT_EQ(canonical("1 + x floordiv 4"), "x floordiv 4 + 1");
  EXPECT_EQ(canonical("index(tp)*(N ceildiv size(tp))"),
            "index(tp)*(N ceildiv size(tp))");
  EXPECT_EQ(canonical("max(b, min(c, a))"), "max(b, min(a, c))");
}

TEST_F(ExprTest, ArithmeticAgreesWithEvaluation) {
  RandomExpr random(context, 2);
  int compared = 0;
  for (int i = 0; i < 20000; ++i) {
    RandomTree tree = random.make(3);
    for (int j = 0; j < 6; ++j) {
      Binding binding = random.bind();
      std::optional<int64_t> expected = tree.value(binding);
      if (!expected)
        continue;
      ++compared;
      std::optional<int64_t> actual = binding.evaluate(tree.expr);
      ASSERT_TRUE(actual) << tree.text() << " -> " << tree.expr.str();
      ASSERT_EQ(*actual, *expected)
          << tree.text() << " -> " << tree.expr.str() << binding.text();
    }
  }
  EXPECT_GT(compared, 20000);
}

TEST_F(ExprTest, BoundsHoldForEveryBinding) {
  RandomExpr random(context, 3);
  int bounded = 0;
  for (int i = 0; i < 4000; ++i) {
    Expr expr = random.make(3).expr;
    std::optional<int64_t> lower = expr.getLowerBound();
    std::optional<int64_t> upper = expr.getUpperBound();
    bounded += lower.has_value() + upper.has_value();
    for (int j = 0; j < 6; ++j) {
      std::optional<int64_t> value = random.bind().evaluate(expr);
      if (value && lower)
        ASSERT_LE(*lower, *value) << expr.str();
      if (value && upper)
        ASSERT_GE(*upper, *value) << expr.str();
    }
  }
  EXPECT_GT(bounded, 1000);
}

TEST_F(ExprTest, PrintedTextParsesToTheSameExpression) {
  RandomExpr random(context, 4);
  for (int i = 0; i < 5000; ++i) {
    Expr expr = random.make(4).expr;
    if (!expr.isOverflow())
      ASSERT_EQ(parse(expr.str()), expr) << expr.str();
  }
  for (llvm::StringRef text :
       {"-9223372036854775808", "9223372036854775807",
        "A - 9223372036854775807*B", "A + -9223372036854775808*B",
        "-9223372036854775808*B", "min + max*size - index(index)",
        "\"a b\\\\\\22\"*size(\"0\")", "mod mod mod"})
    EXPECT_EQ(canonical(canonical(text)), canonical(text));
  EXPECT_EQ(canonical("mod mod floordiv"), "mod mod floordiv");
}

TEST_F(ExprTest, SubstitutionCommutesWithEvaluation) {
  RandomExpr random(context, 5);
  for (int i = 0; i < 3000; ++i) {
    RandomTree tree = random.make(3);
    Binding binding = random.bind();
    std::optional<int64_t> expected = tree.value(binding);
    if (!expected || tree.expr.isOverflow())
      continue;
    Expr bound =
        tree.expr.substitute([&](llvm::StringRef name, SymbolKind kind) {
          return number(*binding.lookup(name, kind));
        });
    ASSERT_EQ(bound.getConstant(), expected) << tree.text();
  }
  EXPECT_EQ((b + s).substitute([&](llvm::StringRef name, SymbolKind) {
    return name == "B" ? s : Expr();
  }),
            2 * s);
}

TEST_F(ExprTest, ConstantDivisorsPullOutMultiples) {
  EXPECT_EQ(canonical("(4*B + 3) floordiv 4"), "B");
  EXPECT_EQ(canonical("(4*B + 1) ceildiv 4"), "B + 1");
  EXPECT_EQ(canonical("(6*B + 3) floordiv 4"), "B + B ceildiv 2");
  EXPECT_EQ(canonical("(B + 3) floordiv 4"), "B ceildiv 4");
  EXPECT_EQ(canonical("(B ceildiv 4) ceildiv 3"), "B ceildiv 12");
  EXPECT_EQ(canonical("(B floordiv 4) floordiv 3"), "B floordiv 12");
  EXPECT_EQ(canonical("(4*B + 6) mod 4"), "2");
  EXPECT_EQ(canonical("(B mod 8) mod 4"), "B mod 4");
  EXPECT_EQ(canonical("(B mod 4) mod 8"), "B mod 4");
  EXPECT_EQ(canonical("(2*B + 3) mod 4"), "2*((B + 1) mod 2) + 1");
}

TEST_F(ExprTest, SymbolicDivisorsFoldOnlyWhenPositive) {
  EXPECT_EQ(floordiv(b * tp, tp), b);
  EXPECT_EQ(ceildiv(b * tp, tp), b);
  EXPECT_EQ(mod(b * tp, tp), number(0));
  EXPECT_EQ(floordiv(b * tp + s, tp), b + floordiv(s, tp));
  EXPECT_EQ(ceildiv(b + tp - 1, tp), floordiv(b - 2, tp) + 2);
  EXPECT_EQ(floordiv(b + tp - 1, tp), ceildiv(b, tp));
  EXPECT_EQ(floordiv(b * (s + 1), s + 1), b);
  EXPECT_EQ(floordiv(number(0), tp), number(0));
  EXPECT_EQ(floordiv(r, tp), number(0));
  EXPECT_EQ(mod(r, tp), r);
  // An extent may be 0, and then these have no value.
  EXPECT_EQ(floordiv(b * s, s).str(), "(B*S) floordiv S");
  EXPECT_EQ(floordiv(number(0), s).str(), "0 floordiv S");
  EXPECT_EQ(mod(b * s, s).str(), "(B*S) mod S");
}

TEST_F(ExprTest, DivisionByZeroHasNoValue) {
  auto atZero = [](llvm::StringRef, SymbolKind) {
    return std::optional<int64_t>(0);
  };
  EXPECT_EQ(floordiv(b * s, s).evaluate(atZero), std::nullopt);
  EXPECT_EQ(mod(b, s).evaluate(atZero), std::nullopt);
  EXPECT_EQ((b + s).evaluate(atZero), 0);
  EXPECT_EQ((b + s).evaluate([](llvm::StringRef, SymbolKind) {
    return std::optional<int64_t>();
  }),
            std::nullopt);
}

TEST_F(ExprTest, MinAndMaxDropWhatNeverDecides) {
  EXPECT_EQ(max(b, 0), b);
  EXPECT_EQ(max(tp, 1), tp);
  EXPECT_EQ(min(b, b + 1), b);
  EXPECT_EQ(min(b, b * tp), b);
  EXPECT_EQ(min(r, tp), r);
  EXPECT_EQ(max(min(b, s), b), b);
  EXPECT_EQ(max(b, max(s, b)), max(s, b));
  EXPECT_EQ(min(min(b, 3), min(5 + s, 7)), min(b, 3));
  EXPECT_EQ(max(b - 1, 0).str(), "max(B - 1, 0)");
  EXPECT_EQ(min(b, b * s).str(), "min(B*S, B)");
}

TEST_F(ExprTest, ArithmeticBeyondInt64IsPoison) {
  Expr large = number(INT64_MAX);
  EXPECT_TRUE((large + 1).isOverflow());
  EXPECT_TRUE((large * b * 2).isOverflow());
  EXPECT_TRUE((-(number(INT64_MIN) * b)).isOverflow());
  EXPECT_TRUE(floordiv(b, 0).isOverflow());
  EXPECT_TRUE(mod(b, -3).isOverflow());
  EXPECT_TRUE(max(b, large + 1).isOverflow());
  EXPECT_FALSE((large - 1 + 1).isOverflow());
  EXPECT_EQ((large + 1).str(), "<overflow>");
  EXPECT_EQ((large * b).evaluate([](llvm::StringRef, SymbolKind) {
    return std::optional<int64_t>(2);
  }),
            std::nullopt);
}

TEST_F(ExprTest, HugeExpressionsBecomePoisonAndEnd) {
  Expr sum = b + s + tp + r + 1, power = sum;
  for (int i = 0; i < 40 && !power.isOverflow(); ++i)
    power = power * sum;
  EXPECT_TRUE(power.isOverflow());
  Expr nested = b;
  for (int i = 0; i < 300 && !nested.isOverflow(); ++i)
    nested = mod(nested + s, nested * tp);
  EXPECT_TRUE(nested.isOverflow());
}

TEST_F(ExprTest, ParserNamesWhatItExpected) {
  EXPECT_EQ(parseError(""), "expected an integer, a name or '(' at offset 0");
  EXPECT_EQ(parseError("B +"),
            "expected an integer, a name or '(' at offset 3");
  EXPECT_EQ(parseError("(B"), "expected ')' at offset 2");
  EXPECT_EQ(parseError("B S"),
            "expected the end of the expression at offset 2");
  EXPECT_EQ(parseError("size(3)"),
            "expected the name of a mesh axis at offset 5");
  EXPECT_EQ(parseError("foo(B)"), "unknown function 'foo': expected min, max, "
                                  "size or index at offset 4");
  EXPECT_EQ(parseError("9223372036854775808"),
            "integer does not fit 64 bits at offset 19");
  EXPECT_EQ(parseError("B floordiv 0"),
            "expression leaves the 64-bit range, divides by a constant below "
            "1, or is too large at offset 12");
  EXPECT_EQ(parseError("\"B"),
            "expected an integer, a name or '(' at offset 0");
  EXPECT_EQ(parseError(std::string(100000, '(')),
            "expression nests deeper than 200 levels at offset 200");
}

TEST_F(ExprTest, DamagedTextNeverCrashesTheParser) {
  RandomExpr random(context, 6);
  std::mt19937 engine(6);
  llvm::StringRef alphabet = "B09 +-*(),\"\\modinszefltrc\n\x80";
  for (int i = 0; i < 5000; ++i) {
    std::string text = random.make(3).expr.str();
    for (int j = 0; j < 3 && !text.empty(); ++j)
      text[engine() % text.size()] = alphabet[engine() % alphabet.size()];
    std::string error;
    if (!parseExpr(text, context, &error))
      EXPECT_FALSE(error.empty());
  }
}

TEST_F(ExprTest, OrderIsTotalAndTheSameInEveryContext) {
  ExprContext other;
  RandomExpr here(context, 7), there(other, 7);
  std::vector<Expr> ours, theirs;
  // Make the symbols of the second context in another order first.
  Expr::symbol(other, "S"), Expr::symbol(other, "B");
  for (int i = 0; i < 60; ++i) {
    ours.push_back(here.make(3).expr);
    theirs.push_back(there.make(3).expr);
  }
  for (size_t i = 0; i < ours.size(); ++i) {
    EXPECT_EQ(ours[i].str(), theirs[i].str());
    for (size_t j = 0; j < ours.size(); ++j) {
      EXPECT_EQ(compare(ours[i], ours[j]), -compare(ours[j], ours[i]));
      EXPECT_EQ(compare(ours[i], ours[j]), compare(theirs[i], theirs[j]));
      EXPECT_EQ(compare(ours[i], ours[j]) == 0, ours[i] == ours[j]);
    }
  }
}

TEST_F(ExprTest, SymbolsAreVisitedOnce) {
  std::vector<std::string> names;
  parse("B*(S floordiv size(tp)) + B + min(S, T)")
      .walkSymbols([&](llvm::StringRef name, SymbolKind kind) {
        names.push_back(name.str() + std::to_string(static_cast<int>(kind)));
      });
  EXPECT_EQ(names, (std::vector<std::string>{"B0", "S0", "tp1", "T0"}));
  EXPECT_FALSE(number(3).hasSymbols());
  EXPECT_TRUE(b.hasSymbols());
  EXPECT_EQ(b.getSymbolName(), llvm::StringRef("B"));
  EXPECT_EQ(tp.getSymbolName(), std::nullopt);
}

TEST_F(ExprTest, FoldingVisitsASharedPartOnce) {
  struct Counter final : Folder<int> {
    int divisions = 0;
    int constant(int64_t) override { return 0; }
    int symbol(llvm::StringRef, SymbolKind) override { return 0; }
    int add(int, int) override { return 0; }
    int mul(int, int) override { return 0; }
    int binary(BinaryKind, int, int) override { return ++divisions; }
  } counter;
  Expr shared = ceildiv(b, tp);
  foldExpr(shared * s + mod(shared + s, 7) + shared, counter);
  EXPECT_EQ(counter.divisions, 2);
}

TEST_F(ExprTest, ContextsServeManyThreads) {
  std::vector<std::vector<Expr>> made(4);
  std::vector<std::thread> threads;
  for (auto &list : made)
    threads.emplace_back([&] {
      RandomExpr random(context, 8);
      for (int i = 0; i < 500; ++i)
        list.push_back(random.make(3).expr);
    });
  for (std::thread &thread : threads)
    thread.join();
  for (auto &list : made)
    EXPECT_EQ(list, made.front());
}

} // namespace
