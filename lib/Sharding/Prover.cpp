//===- Prover.cpp - Refutation over the integers ----------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Prover.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace dtensor;
using namespace dtensor::detail;
using llvm::ArrayRef;
using llvm::SmallVector;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Ranges under the facts
//===----------------------------------------------------------------------===//

Interval Problem::getRange(ExprAtom atom) const {
  if (atom.isSymbol()) {
    auto known = ranges.find(atom.getAsOpaquePointer());
    return known == ranges.end() ? ExprFactory::get(atom)->info.range
                                 : known->second;
  }
  SmallVector<Interval, 4> operands;
  for (Expr operand : atom.getOperands())
    operands.push_back(getRange(operand));
  return boundOperation(atom.getKind(), operands);
}

Interval Problem::getRange(Expr expr) const {
  if (expr.isOverflow())
    return {};
  Interval sum{0, 0};
  for (const ExprTerm &term : expr.getTerms()) {
    SmallVector<Interval, 4> factors;
    for (ExprAtom atom : term.factors)
      factors.push_back(getRange(atom));
    sum = addIntervals(sum, boundTerm(term.coefficient, factors));
  }
  return sum;
}

//===----------------------------------------------------------------------===//
// Renaming by facts
//===----------------------------------------------------------------------===//

/// All n in [least, most] with n | dividend and multiple | n, if they are few.
static SmallVector<int64_t, 8> listSizes(int64_t least,
                                         std::optional<int64_t> most,
                                         std::optional<int64_t> dividend,
                                         int64_t multiple) {
  constexpr int64_t maxTried = 1 << 16;
  constexpr size_t maxCases = 16;
  SmallVector<int64_t, 8> values;
  if (dividend)
    most = most ? std::min(*most, *dividend) : *dividend;
  if (!most || *most > maxTried)
    return {};
  for (int64_t n = least; n <= *most; ++n) {
    if (n % multiple != 0 || (dividend && *dividend % n != 0))
      continue;
    if (values.size() == maxCases)
      return {};
    values.push_back(n);
  }
  return values;
}

/// [lower, upper] divided by m >= 1, rounded inwards.
static Interval divideRange(const Interval &range, int64_t m) {
  Interval result;
  if (range.lower)
    result.lower = llvm::divideCeilSigned(*range.lower, m);
  if (range.upper)
    result.upper = llvm::divideFloorSigned(*range.upper, m);
  return result;
}

void Prover::renameAxis(StringRef name, const AxisFacts &facts) {
  std::pair<SymbolKind, std::string> key(SymbolKind::AxisSize, name.str());
  Expr size = Expr::symbol(context, name, SymbolKind::AxisSize);
  Expr index = Expr::symbol(context, name, SymbolKind::AxisIndex);
  int64_t multiple = std::max<int64_t>(1, facts.multipleOf);
  int64_t least = std::max<int64_t>(1, facts.min);
  std::optional<int64_t> most = facts.max;
  if (facts.divides && *facts.divides >= 1)
    most = most ? std::min(*most, *facts.divides) : *facts.divides;
  SmallVector<int64_t, 8> values =
      listSizes(least, most, facts.divides, multiple);
  if (facts.size)
    values = {*facts.size};
  if (values.size() == 1) {
    renamed[key] = Expr::constant(context, values.front());
    most = values.front();
  } else if (!values.empty()) {
    base.axes.push_back({*size.getAtom(), values});
  } else if (multiple > 1) {
    Expr part = Expr::symbol(context, ("\x02" + llvm::Twine(name)).str(),
                             SymbolKind::AxisSize);
    renamed[key] = part * multiple;
    base.ranges[part.getAtom()->getAsOpaquePointer()] =
        divideRange({least, most}, multiple);
  }
  base.ranges[size.getAtom()->getAsOpaquePointer()] = {least, most};
  Interval indexRange{0, std::nullopt};
  if (most)
    indexRange.upper = *most - 1;
  base.ranges[index.getAtom()->getAsOpaquePointer()] = indexRange;
}

void Prover::renameSymbol(StringRef name, const SymbolFacts &facts, View view) {
  Expr symbol = Expr::symbol(context, name);
  Interval range{std::max<int64_t>(0, facts.min), facts.max};
  base.ranges[symbol.getAtom()->getAsOpaquePointer()] = range;
  int64_t multiple = std::max<int64_t>(1, facts.multipleOf);
  bool hasAxis = !facts.multipleOfAxis.empty();
  twoViews |= hasAxis && multiple > 1;
  Expr &replacement = renamed[{SymbolKind::Extent, name.str()}];
  replacement = symbol;
  Expr part = Expr::symbol(context, ("\x02" + llvm::Twine(name)).str());
  if (facts.max && *facts.max == *range.lower) {
    replacement = Expr::constant(context, *facts.max);
  } else if (hasAxis && (multiple == 1 || view == View::PreferAxis)) {
    Expr size = rename(
        Expr::symbol(context, facts.multipleOfAxis, SymbolKind::AxisSize));
    replacement = part * size;
    base.nonNegative.push_back(replacement - *range.lower);
    if (range.upper)
      base.nonNegative.push_back(*range.upper - replacement);
    // size >= 1, so the part obeys the upper bound and has the same sign.
    base.ranges[part.getAtom()->getAsOpaquePointer()] = {
        *range.lower >= 1 ? 1 : 0, range.upper};
  } else if (multiple > 1) {
    replacement = part * multiple;
    base.ranges[part.getAtom()->getAsOpaquePointer()] =
        divideRange(range, multiple);
  }
}

/// symbol = rest, from 0 == c*symbol + rest' with c == 1 or -1, if the rest
/// does not hold the symbol.
void Prover::solveEquality(Expr difference) {
  for (const ExprTerm &term : difference.getTerms()) {
    if (term.factors.size() != 1 || !term.factors.front().isSymbol() ||
        (term.coefficient != 1 && term.coefficient != -1))
      continue;
    ExprAtom atom = term.factors.front();
    Expr symbol = atom.getExpr();
    Expr rest = (symbol * term.coefficient - difference) * term.coefficient;
    bool occurs = rest.isOverflow();
    rest.walkSymbols([&](StringRef name, SymbolKind kind) {
      occurs |= name == atom.getName() && kind == atom.getSymbolKind();
    });
    if (occurs)
      continue;
    // What is known of the symbol must now be known of the rest.
    Interval range = base.getRange(atom);
    if (range.lower)
      base.nonNegative.push_back(rest - *range.lower);
    if (range.upper)
      base.nonNegative.push_back(*range.upper - rest);
    auto replace = [&](StringRef name, SymbolKind kind) {
      bool same = name == atom.getName() && kind == atom.getSymbolKind();
      return same ? rest : Expr();
    };
    for (auto &[key, replacement] : renamed)
      replacement = replacement.substitute(replace);
    renamed.try_emplace({atom.getSymbolKind(), atom.getName().str()}, rest);
    return;
  }
  base.zero.push_back(difference);
}

void Prover::addAssumptions() {
  for (auto &[lhs, rhs] : facts.equalities) {
    Expr difference = rename(lhs) - rename(rhs);
    if (!difference.isOverflow() && !difference.isConstant(0))
      solveEquality(difference);
  }
  for (auto &[lhs, rhs] : facts.inequalities)
    base.nonNegative.push_back(rename(rhs) - rename(lhs));
  // Later solutions apply to what came before them.
  for (Expr &expr : base.nonNegative)
    expr = rename(expr);
  for (Expr &expr : base.zero)
    expr = rename(expr);
}

Prover::Prover(const Facts &facts, ExprContext &context, View view)
    : facts(facts), context(context) {
  for (auto &[name, axis] : facts.axes)
    renameAxis(name, axis);
  for (auto &[name, symbol] : facts.symbols)
    renameSymbol(name, symbol, view);
  addAssumptions();
}

Expr Prover::rename(Expr expr) const {
  return expr.substitute([&](StringRef name, SymbolKind kind) {
    auto known = renamed.find({kind, name.str()});
    return known == renamed.end() ? Expr() : known->second;
  });
}

//===----------------------------------------------------------------------===//
// Divisibility
//===----------------------------------------------------------------------===//

int64_t Prover::getKnownMultiple(Expr expr) const {
  if (expr.isOverflow())
    return 1;
  int64_t common = 0;
  for (const ExprTerm &term : expr.getTerms()) {
    int64_t multiple = term.coefficient == INT64_MIN
                           ? int64_t(1) << 62
                           : std::abs(term.coefficient);
    for (ExprAtom atom : term.factors) {
      int64_t factor = 1, product;
      if (!atom.isSymbol() && (atom.getKind() == BinaryKind::Min ||
                               atom.getKind() == BinaryKind::Max)) {
        factor = 0;
        for (Expr operand : atom.getOperands())
          factor = std::gcd(factor, getKnownMultiple(operand));
      }
      if (!llvm::MulOverflow(multiple, factor, product))
        multiple = product;
    }
    common = std::gcd(common, multiple);
  }
  return common;
}

std::optional<int64_t> Prover::getKnownMultipleOf(Expr divisor) const {
  if (divisor.isOverflow() || divisor.getTerms().size() != 1)
    return std::nullopt;
  const ExprTerm &term = divisor.getTerms().front();
  int64_t product = term.coefficient;
  for (ExprAtom atom : term.factors) {
    if (!atom.isSymbol() || atom.getSymbolKind() != SymbolKind::AxisSize)
      return std::nullopt;
    const AxisFacts *axis = facts.lookupAxis(atom.getName());
    if (!axis || !axis->divides ||
        llvm::MulOverflow(product, *axis->divides, product))
      return std::nullopt;
  }
  if (product <= 0)
    return std::nullopt;
  return product;
}

//===----------------------------------------------------------------------===//
// Refutation
//===----------------------------------------------------------------------===//

/// Whether intervals alone contradict the problem.
static bool isOutOfRange(const Problem &problem) {
  Interval goal = problem.getRange(problem.goal);
  if (goal.upper && *goal.upper < 0)
    return true;
  if (problem.goalIsZero && goal.lower && *goal.lower > 0)
    return true;
  // A hypothesis that a case makes false rules the case out.
  return llvm::any_of(problem.nonNegative, [&](Expr expr) {
    Interval range = problem.getRange(expr);
    return range.upper && *range.upper < 0;
  });
}

/// The first atom inside `expr`, outermost first, that satisfies `accept`.
static std::optional<ExprAtom>
findAtom(Expr expr, llvm::function_ref<bool(ExprAtom)> accept) {
  std::optional<ExprAtom> found;
  replaceAtoms(expr, [&](ExprAtom atom) {
    if (!found && accept(atom))
      found = atom;
    // Anything found ends the walk cheaply: no operands are entered.
    return found ? atom.getExpr() : Expr();
  });
  return found;
}

static void replaceEverywhere(Problem &problem, ExprAtom atom, Expr value) {
  auto replace = [&](ExprAtom other) { return other == atom ? value : Expr(); };
  problem.goal = replaceAtoms(problem.goal, replace);
  for (Expr &expr : problem.nonNegative)
    expr = replaceAtoms(expr, replace);
  for (Expr &expr : problem.zero)
    expr = replaceAtoms(expr, replace);
}

bool Prover::refuteAxis(const Problem &problem, unsigned &budget,
                        bool &split) const {
  for (const AxisCases &axis : problem.axes) {
    if (!findAtom(problem.goal, [&](ExprAtom a) { return a == axis.size; }))
      continue;
    split = true;
    Expr index =
        Expr::symbol(context, axis.size.getName(), SymbolKind::AxisIndex);
    return llvm::all_of(axis.values, [&](int64_t value) {
      Problem fixed = problem;
      llvm::erase_if(fixed.axes, [&](const AxisCases &other) {
        return other.size == axis.size;
      });
      replaceEverywhere(fixed, axis.size, Expr::constant(context, value));
      fixed.ranges[index.getAtom()->getAsOpaquePointer()] = {0, value - 1};
      return refuteCases(std::move(fixed), budget);
    });
  }
  split = false;
  return false;
}

bool Prover::refuteMinMax(const Problem &problem, unsigned &budget) const {
  auto isMinOrMax = [](ExprAtom atom) {
    return !atom.isSymbol() && (atom.getKind() == BinaryKind::Min ||
                                atom.getKind() == BinaryKind::Max);
  };
  // An earlier case may have moved a min or max into the hypotheses.
  std::optional<ExprAtom> atom = findAtom(problem.goal, isMinOrMax);
  for (Expr expr : problem.nonNegative)
    if (!atom)
      atom = findAtom(expr, isMinOrMax);
  if (!atom)
    return false;
  bool isMin = atom->getKind() == BinaryKind::Min;
  return llvm::all_of(atom->getOperands(), [&](Expr chosen) {
    Problem fixed = problem;
    replaceEverywhere(fixed, *atom, chosen);
    for (Expr other : atom->getOperands())
      if (other != chosen)
        fixed.nonNegative.push_back(isMin ? other - chosen : chosen - other);
    return refuteCases(std::move(fixed), budget);
  });
}

bool Prover::refuteCases(Problem problem, unsigned &budget) const {
  // A goal that no longer has a value has no solution, but it may also be too
  // large to write; give up on it.
  if (problem.goal.isOverflow() || budget == 0)
    return false;
  --budget;
  if (isOutOfRange(problem) || isLinearlyInfeasible(problem))
    return true;
  bool split = false;
  bool refuted = refuteAxis(problem, budget, split);
  return split ? refuted : refuteMinMax(problem, budget);
}

bool Prover::refute(Expr goal, bool zero) {
  unsigned budget = 80;
  Problem problem = base;
  problem.goal = rename(goal);
  problem.goalIsZero = zero;
  if (problem.goal.isOverflow())
    return false;
  // Every coordinate is below the size of its axis.
  problem.goal.walkSymbols([&](StringRef name, SymbolKind kind) {
    if (kind != SymbolKind::AxisIndex)
      return;
    Expr size = Expr::symbol(context, name, SymbolKind::AxisSize);
    Expr index = Expr::symbol(context, name, SymbolKind::AxisIndex);
    problem.nonNegative.push_back(rename(size) - index - 1);
  });
  return refuteCases(std::move(problem), budget);
}
