//===- ExprBounds.cpp - Signs that follow from kinds ------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExprStorage.h"

#include "llvm/ADT/SmallSet.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/MathExtras.h"

using namespace dtensor;
using namespace dtensor::detail;
using llvm::ArrayRef;
using llvm::StringRef;

using Bound = std::optional<int64_t>;

//===----------------------------------------------------------------------===//
// Intervals
//===----------------------------------------------------------------------===//

static Bound addBounds(Bound lhs, Bound rhs) {
  int64_t sum;
  if (!lhs || !rhs || llvm::AddOverflow(*lhs, *rhs, sum))
    return std::nullopt;
  return sum;
}

static Bound multiplyBounds(Bound lhs, Bound rhs) {
  int64_t product;
  if (!lhs || !rhs || llvm::MulOverflow(*lhs, *rhs, product))
    return std::nullopt;
  return product;
}

Interval detail::addIntervals(const Interval &lhs, const Interval &rhs) {
  return {addBounds(lhs.lower, rhs.lower), addBounds(lhs.upper, rhs.upper)};
}

/// Products are bounded only when no factor can be negative.
Interval detail::boundTerm(int64_t coefficient, ArrayRef<Interval> factors) {
  Interval range{1, 1};
  if (factors.size() == 1)
    range = factors.front();
  else
    for (const Interval &factor : factors) {
      if (!factor.lower || *factor.lower < 0)
        return {};
      range = {multiplyBounds(range.lower, factor.lower),
               multiplyBounds(range.upper, factor.upper)};
    }
  if (coefficient < 0)
    std::swap(range.lower, range.upper);
  return {multiplyBounds(range.lower, coefficient),
          multiplyBounds(range.upper, coefficient)};
}

/// n floordiv d over d >= 1 is extreme where d is: the smallest d moves the
/// value away from 0, the largest towards 0 (or -1 from below).
static Interval boundFloorDiv(const Interval &n, int64_t least, Bound most) {
  Interval range;
  if (n.lower && *n.lower >= 0)
    range.lower = most ? llvm::divideFloorSigned(*n.lower, *most) : 0;
  else if (n.lower)
    range.lower = llvm::divideFloorSigned(*n.lower, least);
  if (n.upper && *n.upper >= 0)
    range.upper = llvm::divideFloorSigned(*n.upper, least);
  else if (n.upper)
    range.upper = most ? llvm::divideFloorSigned(*n.upper, *most) : -1;
  return range;
}

static Interval boundCeilDiv(const Interval &n, int64_t least, Bound most) {
  Interval range;
  if (n.lower && *n.lower >= 1)
    range.lower = most ? llvm::divideCeilSigned(*n.lower, *most) : 1;
  else if (n.lower)
    range.lower = llvm::divideCeilSigned(*n.lower, least);
  if (n.upper && *n.upper >= 1)
    range.upper = llvm::divideCeilSigned(*n.upper, least);
  else if (n.upper)
    range.upper = most ? llvm::divideCeilSigned(*n.upper, *most) : 0;
  return range;
}

static Interval boundMod(const Interval &n, Bound most) {
  Interval range{0, std::nullopt};
  if (most)
    range.upper = *most - 1;
  if (n.lower && *n.lower >= 0 && n.upper)
    range.upper = range.upper ? std::min(*range.upper, *n.upper) : *n.upper;
  return range;
}

/// Of min: the upper bound is the least known one, the lower needs them all.
static Interval boundMin(ArrayRef<Interval> operands) {
  Interval range = operands.front();
  for (const Interval &operand : operands.drop_front()) {
    range.lower = range.lower && operand.lower
                      ? std::min(range.lower, operand.lower)
                      : Bound();
    if (operand.upper)
      range.upper =
          range.upper ? std::min(range.upper, operand.upper) : operand.upper;
  }
  return range;
}

static Interval boundMax(ArrayRef<Interval> operands) {
  Interval range = operands.front();
  for (const Interval &operand : operands.drop_front()) {
    range.upper = range.upper && operand.upper
                      ? std::max(range.upper, operand.upper)
                      : Bound();
    if (operand.lower)
      range.lower =
          range.lower ? std::max(range.lower, operand.lower) : operand.lower;
  }
  return range;
}

Interval detail::boundOperation(BinaryKind kind, ArrayRef<Interval> operands) {
  if (kind == BinaryKind::Min)
    return boundMin(operands);
  if (kind == BinaryKind::Max)
    return boundMax(operands);
  // A division has a value only for divisors >= 1.
  const Interval &numerator = operands[0], &divisor = operands[1];
  int64_t least = std::max<int64_t>(1, divisor.lower.value_or(1));
  Bound most = divisor.upper;
  if (most)
    most = std::max(least, *most);
  if (kind == BinaryKind::FloorDiv)
    return boundFloorDiv(numerator, least, most);
  if (kind == BinaryKind::CeilDiv)
    return boundCeilDiv(numerator, least, most);
  return boundMod(numerator, most);
}

//===----------------------------------------------------------------------===//
// Signs of polynomials
//===----------------------------------------------------------------------===//

static bool isSymbolOf(ExprAtom atom, SymbolKind kind) {
  return atom.isSymbol() && atom.getSymbolKind() == kind;
}

/// Replaces factors of the terms themselves, not inside atoms.
static Expr replaceFactors(Expr expr,
                           llvm::function_ref<Expr(ExprAtom)> replace) {
  ExprContext &context = expr.getContext();
  Expr sum = Expr::constant(context, 0);
  for (const ExprTerm &term : expr.getTerms()) {
    Expr product = Expr::constant(context, term.coefficient);
    for (ExprAtom atom : term.factors) {
      Expr replacement = replace(atom);
      product = product * (replacement ? replacement : atom.getExpr());
    }
    sum = sum + product;
  }
  return sum;
}

/// size(x) -> 1 + s, and 1 + index(x) + s where index(x) occurs, with a fresh
/// s >= 0: afterwards all symbols range over all naturals.
static Expr shiftAxisSizes(Expr expr) {
  llvm::SmallSet<StringRef, 4> indices;
  for (const ExprTerm &term : expr.getTerms())
    for (ExprAtom atom : term.factors)
      if (isSymbolOf(atom, SymbolKind::AxisIndex))
        indices.insert(atom.getName());
  ExprContext &context = expr.getContext();
  return replaceFactors(expr, [&](ExprAtom atom) -> Expr {
    if (!isSymbolOf(atom, SymbolKind::AxisSize))
      return Expr();
    StringRef name = atom.getName();
    // No parsed name starts with a control character.
    Expr shifted =
        Expr::symbol(context, ("\x01" + llvm::Twine(name)).str()) + 1;
    if (indices.contains(name))
      shifted = shifted + Expr::symbol(context, name, SymbolKind::AxisIndex);
    return shifted;
  });
}

/// Resolves the first linear min or max of `expr` by each of its operands.
/// A term c*min or -c*max (c > 0) is one of its operands, so all must pass; a
/// term -c*min or c*max is at least each operand, so the best one counts.
static Bound boundByOperands(Expr expr, unsigned depth) {
  for (const ExprTerm &term : expr.getTerms()) {
    if (term.factors.size() != 1 || term.factors.front().isSymbol())
      continue;
    ExprAtom atom = term.factors.front();
    BinaryKind kind = atom.getKind();
    if (kind != BinaryKind::Min && kind != BinaryKind::Max)
      continue;
    bool needAll = (kind == BinaryKind::Min) == (term.coefficient > 0);
    Expr rest = expr - atom.getExpr() * term.coefficient;
    Bound best;
    bool first = true;
    for (Expr operand : atom.getOperands()) {
      Expr resolved = rest + operand * term.coefficient;
      Bound bound = resolved.isOverflow()
                        ? Bound()
                        : getSignLowerBound(resolved, depth + 1);
      if (needAll)
        best = (first || best) && bound ? std::min(bound, first ? bound : best)
                                        : Bound();
      else if (bound)
        best = best ? std::max(best, bound) : bound;
      first = false;
    }
    return best;
  }
  return std::nullopt;
}

Bound detail::getSignLowerBound(Expr expr, unsigned depth) {
  constexpr unsigned maxResolutions = 3;
  if (expr.isOverflow())
    return std::nullopt;
  Bound lower = expr.getLowerBound();
  if (lower && *lower >= 0)
    return lower;
  auto improve = [&](Bound other) {
    if (other && (!lower || *other > *lower))
      lower = other;
  };
  Expr shifted = shiftAxisSizes(expr);
  improve(shifted.getLowerBound());
  if ((!lower || *lower < 0) && depth < maxResolutions)
    improve(boundByOperands(expr, depth));
  return lower;
}
