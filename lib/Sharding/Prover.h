//===- Prover.h - Refutation over the integers ------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Private to lib/Sharding. To prove a goal, show that the facts and the negated
// goal have no integer solution. Facts first rename symbols, so that canonical
// folding sees them:  s = m*k (multipleOf), s = size(a)*k (multipleOfAxis).
// Then, while undecided: intervals, a linear system with monomials and atoms as
// variables, the few possible sizes of one axis, the operands of one min or
// max.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_SHARDING_PROVER_H
#define DTENSOR_LIB_SHARDING_PROVER_H

#include "ExprStorage.h"

#include "dtensor/Sharding/Facts.h"

namespace dtensor::detail {

/// Values that one axis size can take, if they are few.
struct AxisCases {
  ExprAtom size;
  llvm::SmallVector<int64_t, 8> values;
};

/// A conjunction: goal >= 0 (or == 0), each of nonNegative >= 0, each of
/// zero == 0, each symbol in its range.
struct Problem {
  Expr goal;
  bool goalIsZero = false;
  llvm::SmallVector<Expr, 8> nonNegative, zero;
  llvm::DenseMap<const void *, Interval> ranges;
  llvm::SmallVector<AxisCases, 2> axes;

  Interval getRange(ExprAtom atom) const;
  Interval getRange(Expr expr) const;
};

/// Whether the rational or integer relaxation has no solution.
bool isLinearlyInfeasible(const Problem &problem);

class Prover {
public:
  /// When a symbol is a multiple of a number and of an axis, only one of both
  /// can rename it.
  enum class View { PreferNumber, PreferAxis };

  Prover(const Facts &facts, ExprContext &context, View view);

  /// Whether some symbol has both, so that the other view may prove more.
  bool hasTwoViews() const { return twoViews; }
  /// True if no binding gives goal >= 0 (goal == 0 if `zero`).
  bool refute(Expr goal, bool zero);
  /// `expr` in the renamed symbols; known values are constants in it.
  Expr rename(Expr expr) const;
  /// Bounds and a divisor of the value of a renamed expression.
  Interval getRange(Expr renamed) const { return base.getRange(renamed); }
  int64_t getKnownMultiple(Expr renamed) const;
  /// d with (divisor | d) for all bindings, from declared `divides`.
  std::optional<int64_t> getKnownMultipleOf(Expr divisor) const;

private:
  void renameAxis(llvm::StringRef name, const AxisFacts &facts);
  void renameSymbol(llvm::StringRef name, const SymbolFacts &facts, View view);
  void addAssumptions();
  void solveEquality(Expr difference);
  bool refuteCases(Problem problem, unsigned &budget) const;
  bool refuteAxis(const Problem &problem, unsigned &budget, bool &split) const;
  bool refuteMinMax(const Problem &problem, unsigned &budget) const;

  const Facts &facts;
  ExprContext &context;
  bool twoViews = false;
  std::map<std::pair<SymbolKind, std::string>, Expr> renamed;
  Problem base;
};

} // namespace dtensor::detail

#endif // DTENSOR_LIB_SHARDING_PROVER_H
