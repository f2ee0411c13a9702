//===- ExprSimplify.cpp - Canonical division, min and max -------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every rule is an identity over the integers wherever its left side has a
// value (divisor >= 1). Canonical remainders r of a division by b:
//   constant b:  coefficients in [0, b), shown as ceildiv iff the constant of
//                r is b-1, since (x + b-1) floordiv b == x ceildiv b
//   symbolic b:  floordiv has a constant >= 0 and ceildiv one <= 0, since
//                (x - 1) floordiv b + 1 == x ceildiv b
//
//===----------------------------------------------------------------------===//

#include "ExprStorage.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace dtensor;
using namespace dtensor::detail;
using llvm::ArrayRef;
using llvm::SmallVector;

static Expr asConstant(Expr like, int64_t value) {
  return Expr::constant(like.getContext(), value);
}

static bool isPositive(Expr expr) {
  std::optional<int64_t> lower = expr.getLowerBound();
  return lower && *lower >= 1;
}

/// gcd of the coefficients, without the constant term if `skipConstant`.
static int64_t getContent(Expr expr, bool skipConstant) {
  uint64_t content = 0;
  for (const ExprTerm &term : expr.getTerms())
    if (!skipConstant || !term.factors.empty())
      content = std::gcd(content, llvm::AbsoluteValue(term.coefficient));
  // 2^63 is not an int64; a divisor of it serves as well.
  return content > uint64_t(INT64_MAX) ? int64_t(1) << 62 : int64_t(content);
}

/// Replaces each coefficient by coefficient/divisor rounded down.
static Expr floorCoefficients(Expr expr, int64_t divisor) {
  Terms terms;
  for (const ExprTerm &term : expr.getTerms())
    terms.emplace_back(llvm::divideFloorSigned(term.coefficient, divisor),
                       term.factors);
  return ExprFactory::makeExpr(expr.getContext(), terms);
}

static Expr divideByFactor(Expr expr, ExprAtom factor) {
  Terms terms;
  for (const ExprTerm &term : expr.getTerms())
    terms.emplace_back(term.coefficient, *divideMonomial(term.factors, factor));
  return ExprFactory::makeExpr(expr.getContext(), terms);
}

/// A factor >= 1 of every term of both; neither is 0.
static std::optional<ExprAtom> findCommonFactor(Expr lhs, Expr rhs) {
  if (lhs.getTerms().empty())
    return std::nullopt;
  for (ExprAtom atom : rhs.getTerms().front().factors) {
    auto has = [&](const ExprTerm &term) {
      return llvm::is_contained(term.factors, atom);
    };
    if (isPositive(atom.getExpr()) && llvm::all_of(lhs.getTerms(), has) &&
        llvm::all_of(rhs.getTerms(), has))
      return atom;
  }
  return std::nullopt;
}

namespace {
/// dividend == quotient * divisor + remainder.
struct Division {
  Expr quotient, remainder;
};
} // namespace

/// Polynomial division by the leading term of `divisor`, coefficients rounded
/// down. Ends because each step lowers the term it reduces.
static Division dividePolynomial(Expr dividend, Expr divisor) {
  const ExprTerm &lead = divisor.getTerms().front();
  Division result{asConstant(dividend, 0), dividend};
  for (unsigned step = 0; step < maxTerms; ++step) {
    Terms factor;
    for (const ExprTerm &term : result.remainder.getTerms()) {
      auto monomial = divideMonomial(term.factors, lead.factors);
      // A leading coefficient < 0 would make "rounded down" ambiguous.
      if (!monomial || lead.coefficient <= 0)
        continue;
      int64_t times =
          llvm::divideFloorSigned(term.coefficient, lead.coefficient);
      if (times == 0)
        continue;
      factor.emplace_back(times, *monomial);
      break;
    }
    if (factor.empty())
      return result;
    Expr times = ExprFactory::makeExpr(dividend.getContext(), factor);
    Division next{result.quotient + times, result.remainder - times * divisor};
    if (next.quotient.isOverflow() || next.remainder.isOverflow())
      return result;
    result = next;
  }
  return result;
}

bool detail::isPolynomialMultiple(Expr expr, Expr divisor) {
  if (expr.isConstant(0))
    return true;
  if (divisor.getTerms().empty())
    return false;
  return dividePolynomial(expr, divisor).remainder.isConstant(0);
}

//===----------------------------------------------------------------------===//
// Division by a constant
//===----------------------------------------------------------------------===//

/// The division `inner` in expr == inner + constant, if expr is one.
static std::optional<ExprAtom> getDivisionPlusConstant(Expr expr) {
  ArrayRef<ExprTerm> terms = expr.getTerms();
  if (terms.empty() || terms.size() > 2 || terms.front().coefficient != 1 ||
      terms.front().factors.size() != 1)
    return std::nullopt;
  if (terms.size() == 2 && !terms.back().factors.empty())
    return std::nullopt;
  ExprAtom atom = terms.front().factors.front();
  if (atom.isSymbol() || (atom.getKind() != BinaryKind::FloorDiv &&
                          atom.getKind() != BinaryKind::CeilDiv))
    return std::nullopt;
  return atom;
}

/// (x floordiv p + c) floordiv q == (x + c*p) floordiv (p*q) and
/// (x ceildiv p + c) ceildiv q == (x + c*p) ceildiv (p*q), for p, q >= 1.
/// A constant p serves both kinds: x ceildiv p == (x + p-1) floordiv p.
static Expr flattenNested(BinaryKind kind, Expr numerator, Expr divisor) {
  std::optional<ExprAtom> inner = getDivisionPlusConstant(numerator);
  if (!inner || !isPositive(divisor))
    return {};
  Expr x = inner->getOperands()[0], p = inner->getOperands()[1];
  if (!isPositive(p))
    return {};
  if (inner->getKind() != kind) {
    if (!p.getConstant())
      return {};
    x = kind == BinaryKind::FloorDiv ? x + p - 1 : x - p + 1;
  }
  Expr flat = x + p * getConstantTerm(numerator), product = p * divisor;
  if (flat.isOverflow() || product.isOverflow())
    return {};
  return binary(kind, flat, product);
}

static Expr floorDivByConstant(Expr numerator, int64_t k) {
  Expr quotient = floorCoefficients(numerator, k);
  Expr rest = numerator - quotient * k;
  if (std::optional<int64_t> constant = rest.getConstant())
    return quotient + llvm::divideFloorSigned(*constant, k);
  if (rest.isOverflow())
    return rest;
  int64_t common = std::gcd(getContent(rest, /*skipConstant=*/true), k);
  if (common > 1)
    return quotient + floordiv(floorCoefficients(rest, common), k / common);
  std::optional<int64_t> low = rest.getLowerBound(),
                         high = rest.getUpperBound();
  if (low && high &&
      llvm::divideFloorSigned(*low, k) == llvm::divideFloorSigned(*high, k))
    return quotient + llvm::divideFloorSigned(*low, k);
  Expr divisor = asConstant(rest, k);
  bool asCeil = getConstantTerm(rest) == k - 1;
  if (Expr flat = flattenNested(BinaryKind::FloorDiv, rest, divisor))
    return quotient + flat;
  if (!asCeil)
    return quotient +
           ExprFactory::makeAtom(BinaryKind::FloorDiv, {rest, divisor});
  Expr shifted = rest - (k - 1);
  if (Expr flat = flattenNested(BinaryKind::CeilDiv, shifted, divisor))
    return quotient + flat;
  return quotient +
         ExprFactory::makeAtom(BinaryKind::CeilDiv, {shifted, divisor});
}

/// x mod (k*j) == x modulo k, so the inner mod of a term may go.
static Expr dropInnerMods(Expr numerator, int64_t k) {
  Expr result = numerator;
  for (const ExprTerm &term : numerator.getTerms()) {
    if (term.factors.size() != 1 || term.factors.front().isSymbol() ||
        term.factors.front().getKind() != BinaryKind::Mod)
      continue;
    ArrayRef<Expr> operands = term.factors.front().getOperands();
    std::optional<int64_t> inner = operands[1].getConstant();
    if (!inner || *inner % k != 0)
      continue;
    Expr dropped = result + (operands[0] - term.factors.front().getExpr()) *
                                term.coefficient;
    if (!dropped.isOverflow())
      result = dropped;
  }
  return result;
}

static Expr modByConstant(Expr numerator, int64_t k) {
  Terms terms;
  for (const ExprTerm &term : dropInnerMods(numerator, k).getTerms())
    terms.emplace_back(llvm::mod(term.coefficient, k), term.factors);
  Expr rest = ExprFactory::makeExpr(numerator.getContext(), terms);
  if (rest.isOverflow() || rest.getConstant())
    return rest;
  int64_t common = std::gcd(getContent(rest, /*skipConstant=*/true), k);
  if (common > 1)
    return mod(floorCoefficients(rest, common), k / common) * common +
           llvm::mod(getConstantTerm(rest), common);
  std::optional<int64_t> low = rest.getLowerBound(),
                         high = rest.getUpperBound();
  if (low && high &&
      llvm::divideFloorSigned(*low, k) == llvm::divideFloorSigned(*high, k))
    return rest - llvm::divideFloorSigned(*low, k) * k;
  return ExprFactory::makeAtom(BinaryKind::Mod, {rest, asConstant(rest, k)});
}

//===----------------------------------------------------------------------===//
// Division by a symbolic divisor
//===----------------------------------------------------------------------===//

/// floor((g*x + c) / (g*d)) == floor((x + floor(c/g)) / d), for ceil likewise,
/// and (g*x + c) mod (g*d) == g*((x + floor(c/g)) mod d) + c mod g, g > 0.
static Expr cancelContent(BinaryKind kind, Expr numerator, Expr divisor) {
  auto common = static_cast<int64_t>(
      std::gcd(getContent(numerator, /*skipConstant=*/true),
               getContent(divisor, /*skipConstant=*/false)));
  if (common <= 1)
    return {};
  int64_t excess = llvm::mod(getConstantTerm(numerator), common);
  Expr reduced = floorCoefficients(numerator, common);
  Expr smaller = floorCoefficients(divisor, common);
  if (kind == BinaryKind::Mod)
    return mod(reduced, smaller) * common + excess;
  if (kind == BinaryKind::CeilDiv && excess != 0)
    reduced = reduced + 1;
  return binary(kind, reduced, smaller);
}

/// The value if 0 <= r < b, 1 <= r <= b or -b < r <= 0 decide it.
static Expr decideByRange(BinaryKind kind, Expr rest, Expr divisor) {
  if (kind != BinaryKind::CeilDiv) {
    if (!isKnownNonNegative(divisor - rest - 1) || !isKnownNonNegative(rest))
      return {};
    return kind == BinaryKind::Mod ? rest : asConstant(rest, 0);
  }
  if (isKnownNonNegative(rest - 1) && isKnownNonNegative(divisor - rest))
    return asConstant(rest, 1);
  if (isKnownNonNegative(-rest) && isKnownNonNegative(divisor + rest - 1))
    return asConstant(rest, 0);
  return {};
}

/// The division of a reduced remainder, with the constant on its own side.
static Expr makeDivision(BinaryKind kind, Expr rest, Expr divisor) {
  int64_t constant = getConstantTerm(rest);
  if (kind == BinaryKind::FloorDiv && constant < 0)
    return ceildiv(rest + 1, divisor) - 1;
  if (kind == BinaryKind::CeilDiv && constant > 0)
    return floordiv(rest - 1, divisor) + 1;
  if (kind != BinaryKind::Mod)
    if (Expr flat = flattenNested(kind, rest, divisor))
      return flat;
  return ExprFactory::makeAtom(kind, {rest, divisor});
}

static Expr divideBySymbolic(BinaryKind kind, Expr numerator, Expr divisor) {
  if (Expr reduced = cancelContent(kind, numerator, divisor))
    return reduced;
  if (std::optional<ExprAtom> factor = findCommonFactor(numerator, divisor)) {
    Expr reduced = binary(kind, divideByFactor(numerator, *factor),
                          divideByFactor(divisor, *factor));
    return kind == BinaryKind::Mod ? reduced * factor->getExpr() : reduced;
  }
  Division parts{asConstant(numerator, 0), numerator};
  if (isPositive(divisor))
    parts = dividePolynomial(numerator, divisor);
  Expr value = decideByRange(kind, parts.remainder, divisor);
  if (!value)
    value = parts.quotient.isConstant(0)
                ? makeDivision(kind, parts.remainder, divisor)
                : binary(kind, parts.remainder, divisor);
  return kind == BinaryKind::Mod ? value : parts.quotient + value;
}

static Expr divide(BinaryKind kind, Expr lhs, Expr rhs) {
  if (lhs.isOverflow() || rhs.isOverflow())
    return Expr::overflow(lhs.getContext());
  std::optional<int64_t> k = rhs.getConstant();
  if (!k)
    return divideBySymbolic(kind, lhs, rhs);
  if (*k <= 0)
    return Expr::overflow(lhs.getContext());
  if (*k == 1)
    return kind == BinaryKind::Mod ? asConstant(lhs, 0) : lhs;
  if (kind == BinaryKind::Mod)
    return modByConstant(lhs, *k);
  std::optional<int64_t> value = lhs.getConstant();
  if (kind == BinaryKind::FloorDiv)
    return value ? asConstant(lhs, llvm::divideFloorSigned(*value, *k))
                 : floorDivByConstant(lhs, *k);
  if (value)
    return asConstant(lhs, llvm::divideCeilSigned(*value, *k));
  Expr shifted = lhs + (*k - 1);
  return shifted.isOverflow() ? shifted : floorDivByConstant(shifted, *k);
}

Expr dtensor::floordiv(Expr lhs, Expr rhs) {
  return divide(BinaryKind::FloorDiv, lhs, rhs);
}

Expr dtensor::ceildiv(Expr lhs, Expr rhs) {
  return divide(BinaryKind::CeilDiv, lhs, rhs);
}

Expr dtensor::mod(Expr lhs, Expr rhs) {
  return divide(BinaryKind::Mod, lhs, rhs);
}

//===----------------------------------------------------------------------===//
// Min and max
//===----------------------------------------------------------------------===//

/// Whether `weak` never decides: for max weak <= strong, for min the reverse.
static bool isDominated(BinaryKind kind, Expr weak, Expr strong) {
  Expr gap = kind == BinaryKind::Max ? strong - weak : weak - strong;
  return isKnownNonNegative(gap);
}

/// Operands of nested atoms of the same kind take the place of the atom.
static void flattenInto(BinaryKind kind, Expr expr,
                        llvm::SmallVectorImpl<Expr> &operands) {
  std::optional<ExprAtom> atom = expr.getAtom();
  if (atom && !atom->isSymbol() && atom->getKind() == kind)
    llvm::append_range(operands, atom->getOperands());
  else
    operands.push_back(expr);
}

Expr detail::makeMinMax(BinaryKind kind, ArrayRef<Expr> inputs) {
  constexpr unsigned maxCompared = 16;
  SmallVector<Expr, 4> operands;
  for (Expr input : inputs) {
    if (input.isOverflow())
      return input;
    flattenInto(kind, input, operands);
  }
  llvm::sort(operands, ExprLess());
  operands.erase(llvm::unique(operands), operands.end());
  // Only an operand that is still there may drop another one: two that are
  // equal but written differently dominate each other.
  for (size_t i = 0; operands.size() <= maxCompared && i < operands.size();) {
    Expr candidate = operands[i];
    bool dominated = llvm::any_of(operands, [&](Expr other) {
      return other != candidate && isDominated(kind, candidate, other);
    });
    if (dominated)
      operands.erase(operands.begin() + i);
    else
      ++i;
  }
  return operands.size() == 1 ? operands.front()
                              : ExprFactory::makeAtom(kind, operands);
}

Expr dtensor::min(Expr lhs, Expr rhs) {
  return makeMinMax(BinaryKind::Min, {lhs, rhs});
}

Expr dtensor::max(Expr lhs, Expr rhs) {
  return makeMinMax(BinaryKind::Max, {lhs, rhs});
}

Expr dtensor::binary(BinaryKind kind, Expr lhs, Expr rhs) {
  switch (kind) {
  case BinaryKind::FloorDiv:
    return floordiv(lhs, rhs);
  case BinaryKind::CeilDiv:
    return ceildiv(lhs, rhs);
  case BinaryKind::Mod:
    return mod(lhs, rhs);
  case BinaryKind::Min:
    return min(lhs, rhs);
  case BinaryKind::Max:
    return max(lhs, rhs);
  }
  llvm_unreachable("all kinds are handled");
}
