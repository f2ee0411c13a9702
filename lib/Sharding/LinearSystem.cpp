//===- LinearSystem.cpp - Monomials as variables ----------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each monomial m becomes one integer variable. What links the variables:
//   range        l <= m <= u
//   product      (x - lx)*(R - lR) >= 0 and (ux - x)*(R - lR) >= 0, m = x*R
//   division     d*q <= n <= d*q + d-1 for q = n floordiv d, ceildiv likewise
//   mod          n mod d = n - d*(n floordiv d)
//   min, max     at most, at least each operand
// The rational relaxation comes first. The integer test is exact but can take
// seconds from about ten variables on, so larger systems do without it.
// Leaving any of them out only makes the system weaker, so limits are sound.
//
//===----------------------------------------------------------------------===//

#include "Prover.h"

#include "mlir/Analysis/Presburger/IntegerRelation.h"
#include "mlir/Analysis/Presburger/Simplex.h"

#include "llvm/ADT/STLExtras.h"

using namespace dtensor;
using namespace dtensor::detail;
using llvm::ArrayRef;
using llvm::SmallVector;

namespace {

class LinearSystem {
public:
  explicit LinearSystem(const Problem &problem) : problem(problem) {}

  /// expr >= 0, or expr == 0. Poison says nothing.
  void add(Expr expr, bool zero);
  /// Describes variables, which may make more, until done or at the limit.
  void close();
  bool isInfeasible() const;

private:
  static constexpr unsigned maxColumns = 28, maxRows = 120;
  static constexpr unsigned maxIntegerColumns = 8;

  struct Row {
    SmallVector<std::pair<unsigned, int64_t>, 4> entries;
    int64_t constant = 0;
    bool zero;
  };

  /// Full columns refuse only the constraints that are not the goal's.
  bool isFull() const {
    return columns.size() >= maxColumns || rows.size() >= maxRows;
  }
  unsigned getColumn(ArrayRef<ExprAtom> monomial);
  void describe(ArrayRef<ExprAtom> monomial);
  void describeProduct(ArrayRef<ExprAtom> monomial, Expr whole);
  void describeOperation(ExprAtom atom);
  void describeDivision(BinaryKind kind, Expr n, Expr d, Expr value);

  const Problem &problem;
  llvm::DenseMap<Expr, unsigned> columns;
  std::vector<SmallVector<ExprAtom, 4>> pending;
  size_t described = 0;
  std::vector<Row> rows;
};

} // namespace

static Expr makeMonomial(ArrayRef<ExprAtom> factors) {
  Terms terms;
  terms.emplace_back(1, factors);
  return ExprFactory::makeExpr(*ExprFactory::get(factors.front())->context,
                               terms);
}

unsigned LinearSystem::getColumn(ArrayRef<ExprAtom> monomial) {
  auto [it, isNew] =
      columns.try_emplace(makeMonomial(monomial), columns.size());
  if (isNew)
    pending.emplace_back(monomial.begin(), monomial.end());
  return it->second;
}

void LinearSystem::add(Expr expr, bool zero) {
  if (expr.isOverflow() || (expr.getConstant() && *expr.getConstant() == 0))
    return;
  Row row;
  row.zero = zero;
  for (const ExprTerm &term : expr.getTerms()) {
    if (term.factors.empty())
      row.constant = term.coefficient;
    else
      row.entries.emplace_back(getColumn(term.factors), term.coefficient);
  }
  rows.push_back(std::move(row));
}

void LinearSystem::close() {
  for (; described < pending.size() && !isFull(); ++described) {
    SmallVector<ExprAtom, 4> monomial = pending[described];
    describe(monomial);
  }
}

void LinearSystem::describe(ArrayRef<ExprAtom> monomial) {
  Expr whole = makeMonomial(monomial);
  Interval range = problem.getRange(whole);
  if (range.lower)
    add(whole - *range.lower, /*zero=*/false);
  if (range.upper)
    add(*range.upper - whole, /*zero=*/false);
  if (monomial.size() > 1)
    describeProduct(monomial, whole);
  else if (!monomial.front().isSymbol())
    describeOperation(monomial.front());
}

void LinearSystem::describeProduct(ArrayRef<ExprAtom> monomial, Expr whole) {
  for (ExprAtom factor : monomial) {
    Expr x = factor.getExpr();
    Expr rest = makeMonomial(*divideMonomial(monomial, factor));
    Interval xRange = problem.getRange(factor);
    Interval restRange = problem.getRange(rest);
    if (!restRange.lower)
      continue;
    Expr above = rest - *restRange.lower;
    if (xRange.lower)
      add(whole - *restRange.lower * x - *xRange.lower * above,
          /*zero=*/false);
    if (xRange.upper)
      add(*xRange.upper * above - whole + *restRange.lower * x,
          /*zero=*/false);
  }
}

void LinearSystem::describeDivision(BinaryKind kind, Expr n, Expr d,
                                    Expr value) {
  add(d - 1, /*zero=*/false);
  Expr multiple = d * value;
  Expr excess = kind == BinaryKind::FloorDiv ? n - multiple : multiple - n;
  add(excess, /*zero=*/false);
  add(d - 1 - excess, /*zero=*/false);
  // |n / d| <= |n|; the solver cannot see it in the product d * value.
  Interval range = problem.getRange(n);
  if (range.lower && *range.lower >= 0) {
    add(n - value, /*zero=*/false);
    add(value, /*zero=*/false);
  }
}

void LinearSystem::describeOperation(ExprAtom atom) {
  Expr value = atom.getExpr();
  ArrayRef<Expr> operands = atom.getOperands();
  BinaryKind kind = atom.getKind();
  if (kind == BinaryKind::Min || kind == BinaryKind::Max) {
    for (Expr operand : operands)
      add(kind == BinaryKind::Min ? operand - value : value - operand,
          /*zero=*/false);
    return;
  }
  Expr n = operands[0], d = operands[1];
  if (kind != BinaryKind::Mod)
    return describeDivision(kind, n, d, value);
  add(d - 1 - value, /*zero=*/false);
  add(value - n + d * floordiv(n, d), /*zero=*/true);
}

bool LinearSystem::isInfeasible() const {
  using namespace mlir::presburger;
  IntegerPolyhedron set(PresburgerSpace::getSetSpace(columns.size()));
  for (const Row &row : rows) {
    SmallVector<int64_t, 16> coefficients(columns.size() + 1, 0);
    for (auto [column, coefficient] : row.entries)
      coefficients[column] = coefficient;
    coefficients.back() = row.constant;
    if (row.zero)
      set.addEquality(coefficients);
    else
      set.addInequality(coefficients);
  }
  if (Simplex(set).isEmpty())
    return true;
  if (set.isEmptyByGCDTest())
    return true;
  return columns.size() <= maxIntegerColumns && set.isIntegerEmpty();
}

/// Hypotheses that share a symbol with what is already in, transitively.
static SmallVector<std::pair<Expr, bool>, 8>
selectRelevant(const Problem &problem) {
  llvm::DenseMap<Expr, bool> known;
  SmallVector<std::pair<Expr, bool>, 8> rest, chosen;
  for (Expr expr : problem.nonNegative)
    rest.emplace_back(expr, false);
  for (Expr expr : problem.zero)
    rest.emplace_back(expr, true);
  ExprContext &context = problem.goal.getContext();
  auto learn = [&](Expr expr) {
    expr.walkSymbols([&](llvm::StringRef name, SymbolKind kind) {
      known[Expr::symbol(context, name, kind)] = true;
    });
  };
  learn(problem.goal);
  for (bool changed = true; changed;) {
    changed = false;
    for (auto &[expr, zero] : rest) {
      bool shares = false;
      if (expr)
        expr.walkSymbols([&](llvm::StringRef name, SymbolKind kind) {
          shares |= known.contains(Expr::symbol(context, name, kind));
        });
      if (!shares)
        continue;
      chosen.emplace_back(expr, zero);
      learn(expr);
      expr = Expr();
      changed = true;
    }
  }
  return chosen;
}

bool detail::isLinearlyInfeasible(const Problem &problem) {
  constexpr unsigned maxHypotheses = 24;
  LinearSystem system(problem);
  system.add(problem.goal, problem.goalIsZero);
  SmallVector<std::pair<Expr, bool>, 8> hypotheses = selectRelevant(problem);
  if (hypotheses.size() > maxHypotheses)
    hypotheses.truncate(maxHypotheses);
  for (auto [expr, zero] : hypotheses)
    system.add(expr, zero);
  system.close();
  return system.isInfeasible();
}
