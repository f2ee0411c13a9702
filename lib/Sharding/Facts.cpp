//===- Facts.cpp - What is known about symbols and axes ---------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/Facts.h"

#include "Prover.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace dtensor;
using namespace dtensor::detail;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Declaration
//===----------------------------------------------------------------------===//

void Facts::forgetProofs() {
  refuted.clear();
  simplified.clear();
}

void Facts::declareSymbol(StringRef name, SymbolFacts facts) {
  symbols[name.str()] = std::move(facts);
  forgetProofs();
}

void Facts::declareAxis(StringRef name, AxisFacts facts) {
  axes[name.str()] = std::move(facts);
  forgetProofs();
}

void Facts::assumeEqual(Expr lhs, Expr rhs) {
  if (lhs == rhs)
    return;
  equalities.emplace_back(lhs, rhs);
  forgetProofs();
}

void Facts::assumeLE(Expr lhs, Expr rhs) {
  inequalities.emplace_back(lhs, rhs);
  forgetProofs();
}

const SymbolFacts *Facts::lookupSymbol(StringRef name) const {
  auto known = symbols.find(name);
  return known == symbols.end() ? nullptr : &known->second;
}

const AxisFacts *Facts::lookupAxis(StringRef name) const {
  auto known = axes.find(name);
  return known == axes.end() ? nullptr : &known->second;
}

//===----------------------------------------------------------------------===//
// Proofs
//===----------------------------------------------------------------------===//

bool Facts::refute(Goal goal, Expr expr) const {
  std::pair<unsigned, Expr> key(static_cast<unsigned>(goal), expr);
  auto known = refuted.find(key);
  if (known != refuted.end())
    return known->second;
  bool zero = goal == Goal::Zero;
  Expr atLeast = zero ? expr : expr - 1;
  Prover prover(*this, expr.getContext(), Prover::View::PreferNumber);
  bool result = prover.refute(atLeast, zero);
  if (!result && prover.hasTwoViews())
    result = Prover(*this, expr.getContext(), Prover::View::PreferAxis)
                 .refute(atLeast, zero);
  refuted[key] = result;
  return result;
}

bool Facts::proveNonNegative(Expr expr) const {
  if (expr.isOverflow())
    return false;
  if (std::optional<int64_t> constant = expr.getConstant())
    return *constant >= 0;
  if (isKnownNonNegative(expr))
    return true;
  Expr negated = -expr;
  return !negated.isOverflow() && refute(Goal::Positive, negated);
}

bool Facts::provePositive(Expr expr) const {
  return proveNonNegative(expr - 1);
}

bool Facts::proveLE(Expr lhs, Expr rhs) const {
  return proveNonNegative(rhs - lhs);
}

bool Facts::proveEqual(Expr lhs, Expr rhs) const {
  if (lhs.isOverflow() || rhs.isOverflow())
    return false;
  if (lhs == rhs)
    return true;
  Expr difference = lhs - rhs;
  if (difference.isOverflow() || difference.getConstant())
    return difference.isConstant(0);
  return proveNonNegative(difference) && proveNonNegative(-difference);
}

bool Facts::proveDifferent(Expr lhs, Expr rhs) const {
  Expr difference = lhs - rhs;
  if (difference.isOverflow())
    return false;
  if (std::optional<int64_t> constant = difference.getConstant())
    return *constant != 0;
  return refute(Goal::Zero, difference);
}

bool Facts::proveDivides(Expr divisor, Expr expr) const {
  if (divisor.isOverflow() || expr.isOverflow())
    return false;
  if (isPolynomialMultiple(expr, divisor))
    return true;
  ExprContext &context = expr.getContext();
  for (auto view : {Prover::View::PreferNumber, Prover::View::PreferAxis}) {
    Prover prover(*this, context, view);
    Expr whole = prover.rename(expr), part = prover.rename(divisor);
    if (whole.isOverflow() || part.isOverflow())
      return false;
    if (isPolynomialMultiple(whole, part))
      return true;
    std::optional<int64_t> multiple = prover.getKnownMultipleOf(part);
    if (multiple && prover.getKnownMultiple(whole) % *multiple == 0)
      return true;
    if (!prover.hasTwoViews())
      break;
  }
  // From here on the proof speaks of mod, which needs a divisor >= 1.
  if (!provePositive(divisor))
    return false;
  Expr remainder = mod(expr, divisor);
  if (remainder.isOverflow() || remainder.getConstant())
    return remainder.isConstant(0);
  return refute(Goal::Positive, remainder);
}

//===----------------------------------------------------------------------===//
// Hints
//===----------------------------------------------------------------------===//

/// Into [least, most], and up to a multiple if that stays inside.
static int64_t fitHint(int64_t hint, int64_t least, std::optional<int64_t> most,
                       int64_t multiple) {
  int64_t value = std::max(hint, least), rounded;
  if (most)
    value = std::max(least, std::min(value, *most));
  if (multiple <= 1 || value % multiple == 0)
    return value;
  int64_t down = value - value % multiple;
  if (llvm::AddOverflow(down, multiple, rounded) || (most && rounded > *most))
    return down >= least ? down : value;
  return rounded;
}

static int64_t fitAxisHint(const AxisFacts &facts) {
  if (facts.size)
    return *facts.size;
  std::optional<int64_t> most = facts.max;
  if (facts.divides)
    most = most ? std::min(*most, *facts.divides) : *facts.divides;
  return fitHint(facts.hint, std::max<int64_t>(1, facts.min), most,
                 facts.multipleOf);
}

namespace {

/// Saturating arithmetic: costs compare even when they are absurd.
struct HintFolder final : Folder<int64_t> {
  const Facts &facts;
  explicit HintFolder(const Facts &facts) : facts(facts) {}

  static int64_t saturate(__int128 value) {
    return static_cast<int64_t>(std::clamp<__int128>(
        value, -static_cast<__int128>(INT64_MAX), INT64_MAX));
  }
  int64_t constant(int64_t value) override { return saturate(value); }
  int64_t symbol(StringRef name, SymbolKind kind) override {
    if (kind == SymbolKind::AxisIndex)
      return 0;
    if (kind == SymbolKind::AxisSize) {
      const AxisFacts *axis = facts.lookupAxis(name);
      return fitAxisHint(axis ? *axis : AxisFacts());
    }
    const SymbolFacts *declared = facts.lookupSymbol(name);
    SymbolFacts symbol = declared ? *declared : SymbolFacts();
    return fitHint(symbol.hint, std::max<int64_t>(0, symbol.min), symbol.max,
                   symbol.multipleOf);
  }
  int64_t add(int64_t lhs, int64_t rhs) override {
    return saturate(static_cast<__int128>(lhs) + rhs);
  }
  int64_t mul(int64_t lhs, int64_t rhs) override {
    return saturate(static_cast<__int128>(lhs) * rhs);
  }
  int64_t binary(BinaryKind kind, int64_t lhs, int64_t rhs) override {
    int64_t divisor = std::max<int64_t>(1, rhs);
    switch (kind) {
    case BinaryKind::FloorDiv:
      return llvm::divideFloorSigned(lhs, divisor);
    case BinaryKind::CeilDiv:
      return llvm::divideCeilSigned(lhs, divisor);
    case BinaryKind::Mod:
      return llvm::mod(lhs, divisor);
    case BinaryKind::Min:
      return std::min(lhs, rhs);
    case BinaryKind::Max:
      return std::max(lhs, rhs);
    }
    llvm_unreachable("all kinds are handled");
  }
};

} // namespace

int64_t Facts::hint(Expr expr) const {
  if (expr.isOverflow())
    return 0;
  HintFolder folder(*this);
  return std::max<int64_t>(0, foldExpr(expr, folder));
}

//===----------------------------------------------------------------------===//
// Simplification
//===----------------------------------------------------------------------===//

namespace {

struct Simplifier final : Folder<Expr> {
  const Facts &facts;
  ExprContext &context;
  Prover prover;
  Simplifier(const Facts &facts, ExprContext &context)
      : facts(facts), context(context),
        prover(facts, context, Prover::View::PreferNumber) {}

  Expr constant(int64_t value) override {
    return Expr::constant(context, value);
  }
  /// Only constants replace a symbol: other names are not the caller's.
  Expr symbol(StringRef name, SymbolKind kind) override {
    Expr symbol = Expr::symbol(context, name, kind);
    Expr known = prover.rename(symbol);
    if (known.getConstant())
      return known;
    Interval range = prover.getRange(known);
    bool single = range.lower && range.upper && *range.lower == *range.upper;
    return single ? Expr::constant(context, *range.lower) : symbol;
  }
  Expr add(Expr lhs, Expr rhs) override { return lhs + rhs; }
  Expr mul(Expr lhs, Expr rhs) override { return lhs * rhs; }
  Expr binary(BinaryKind kind, Expr lhs, Expr rhs) override;

private:
  Expr divide(BinaryKind kind, Expr n, Expr d);
};

} // namespace

/// An exact division is written floordiv, whatever rounding it came with; what
/// a divisor exceeds divides to 0 or 1.
Expr Simplifier::divide(BinaryKind kind, Expr n, Expr d) {
  Expr plain = dtensor::binary(kind, n, d);
  if (plain.isOverflow() || plain.getConstant())
    return plain;
  // What divides by an extent that may be 0 keeps doing so.
  if (!facts.provePositive(d))
    return plain;
  if (facts.proveDivides(d, n))
    return kind == BinaryKind::Mod ? constant(0) : floordiv(n, d);
  // Canonical form wrote (n + 1) ceildiv d as n floordiv d + 1.
  if (kind == BinaryKind::FloorDiv && facts.proveDivides(d, n + 1))
    return floordiv(n + 1, d) - 1;
  if (kind == BinaryKind::CeilDiv) {
    if (facts.provePositive(n) && facts.proveLE(n, d))
      return constant(1);
    return plain;
  }
  if (facts.proveNonNegative(n) && facts.proveLT(n, d))
    return kind == BinaryKind::Mod ? n : constant(0);
  return plain;
}

Expr Simplifier::binary(BinaryKind kind, Expr lhs, Expr rhs) {
  if (lhs.isOverflow() || rhs.isOverflow())
    return Expr::overflow(context);
  if (kind != BinaryKind::Min && kind != BinaryKind::Max)
    return divide(kind, lhs, rhs);
  bool isMin = kind == BinaryKind::Min;
  if (facts.proveLE(lhs, rhs))
    return isMin ? lhs : rhs;
  if (facts.proveLE(rhs, lhs))
    return isMin ? rhs : lhs;
  return dtensor::binary(kind, lhs, rhs);
}

Expr Facts::simplify(Expr expr) const {
  if (expr.isOverflow() || expr.getConstant())
    return expr;
  auto known = simplified.find(expr);
  if (known != simplified.end())
    return known->second;
  Simplifier simplifier(*this, expr.getContext());
  Expr result = foldExpr(expr, simplifier);
  simplified[expr] = result;
  return result;
}
