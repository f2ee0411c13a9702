//===- RandomExpr.h - Random expressions with a second meaning --*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A RandomTree holds an Expr and, as a closure, what it was built from. The
// closure never sees the simplifier, so comparing both tests every fold.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_TEST_UNIT_SHARDING_RANDOMEXPR_H
#define DTENSOR_TEST_UNIT_SHARDING_RANDOMEXPR_H

#include "dtensor/Sharding/Expr.h"

#include <functional>
#include <map>
#include <random>

namespace dtensor::test {

struct Binding {
  std::map<std::pair<std::string, SymbolKind>, int64_t> values;

  std::optional<int64_t> lookup(llvm::StringRef name, SymbolKind kind) const {
    auto it = values.find({name.str(), kind});
    if (it == values.end())
      return std::nullopt;
    return it->second;
  }
  std::optional<int64_t> evaluate(Expr expr) const {
    return expr.evaluate([&](llvm::StringRef name, SymbolKind kind) {
      return lookup(name, kind);
    });
  }
  std::string text() const {
    std::string text = " at";
    for (auto &[key, value] : values)
      text += " " + key.first + std::to_string(static_cast<int>(key.second)) +
              "=" + std::to_string(value);
    return text;
  }
};

struct RandomTree {
  Expr expr;
  std::function<std::optional<int64_t>(const Binding &)> value;
  std::function<std::string()> text;
};

inline std::optional<int64_t> applyNaively(int operation, int64_t x,
                                           int64_t y) {
  auto floorDivide = [](int64_t n, int64_t d) {
    return n / d - ((n % d != 0 && n < 0) ? 1 : 0);
  };
  switch (operation) {
  case 0:
    return x + y;
  case 1:
    return x - y;
  case 2:
    return x * y;
  case 3:
    return y <= 0 ? std::nullopt : std::optional(floorDivide(x, y));
  case 4:
    return y <= 0 ? std::nullopt : std::optional(-floorDivide(-x, y));
  case 5:
    return y <= 0 ? std::nullopt : std::optional(x - y * floorDivide(x, y));
  case 6:
    return std::min(x, y);
  default:
    return std::max(x, y);
  }
}

class RandomExpr {
public:
  RandomExpr(ExprContext &context, unsigned seed)
      : context(context), engine(seed) {}

  RandomTree make(int depth) {
    if (depth == 0 || pick(5) == 0)
      return makeLeaf();
    int operation = pick(8);
    RandomTree x = make(depth - 1), y = make(depth - 1);
    static const char *const names[] = {"+",       "-",   "*",   "floordiv",
                                        "ceildiv", "mod", "min", "max"};
    return {apply(operation, x.expr, y.expr),
            [=](const Binding &binding) -> std::optional<int64_t> {
              auto a = x.value(binding), b = y.value(binding);
              if (!a || !b)
                return std::nullopt;
              return applyNaively(operation, *a, *b);
            },
            [=] {
              return "(" + x.text() + " " + names[operation] + " " + y.text() +
                     ")";
            }};
  }

  Binding bind() {
    Binding binding;
    for (const char *name : {"B", "S"})
      binding.values[{name, SymbolKind::Extent}] =
          pick(4) == 0 ? 0 : pick(pick(2) ? 5 : 40);
    int64_t size = 1 + pick(6);
    binding.values[{"tp", SymbolKind::AxisSize}] = size;
    binding.values[{"tp", SymbolKind::AxisIndex}] = pick(size);
    return binding;
  }

private:
  int pick(int count) { return static_cast<int>(engine() % count); }

  static Expr apply(int operation, Expr x, Expr y) {
    switch (operation) {
    case 0:
      return x + y;
    case 1:
      return x - y;
    case 2:
      return x * y;
    default:
      return binary(static_cast<BinaryKind>(operation - 3), x, y);
    }
  }

  RandomTree makeLeaf() {
    static const std::pair<const char *, SymbolKind> symbols[] = {
        {"B", SymbolKind::Extent},
        {"S", SymbolKind::Extent},
        {"tp", SymbolKind::AxisSize},
        {"tp", SymbolKind::AxisIndex}};
    if (pick(3) != 0) {
      auto [name, kind] = symbols[pick(4)];
      return {Expr::symbol(context, name, kind),
              [name = name, kind = kind](const Binding &binding) {
                return binding.lookup(name, kind);
              },
              [name = name, kind = kind] {
                return std::string(kind == SymbolKind::AxisIndex ? "r" : "") +
                       name;
              }};
    }
    int64_t value = pick(2) ? pick(13) : pick(7) - 3;
    return {Expr::constant(context, value),
            [=](const Binding &) { return std::optional<int64_t>(value); },
            [=] { return std::to_string(value); }};
  }

  ExprContext &context;
  std::mt19937 engine;
};

} // namespace dtensor::test

#endif // DTENSOR_TEST_UNIT_SHARDING_RANDOMEXPR_H
