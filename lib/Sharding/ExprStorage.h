//===- ExprStorage.h - Interned nodes of expressions ------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Private to lib/Sharding. Nodes live in the bump allocator of their context
// and are never freed before it. Invariants of an ExprStorage:
//   terms strictly descending in compareMonomials, coefficients != 0,
//   factors of each term ascending in compareAtoms,
//   info.range holds wherever the value is defined.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_SHARDING_EXPRSTORAGE_H
#define DTENSOR_LIB_SHARDING_EXPRSTORAGE_H

#include "dtensor/Sharding/Expr.h"

#include "llvm/ADT/FoldingSet.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Allocator.h"

#include <mutex>

namespace dtensor::detail {

// Limits that keep hostile input small. An expression past one is poison. An
// atom prints with at most two parentheses per level, so 2 * maxDepth stays
// below the nesting that the parser accepts.
constexpr unsigned maxTerms = 512;
constexpr unsigned maxOperands = 256;
constexpr unsigned maxDegree = 32;
constexpr unsigned maxDepth = 96;
constexpr unsigned maxSize = 1u << 14;

/// lower <= value <= upper; an absent bound is unknown.
struct Interval {
  std::optional<int64_t> lower, upper;
};

/// What a node knows about its values and its shape.
struct NodeInfo {
  Interval range;
  /// Nodes of the printed tree, and its nesting of atoms.
  unsigned size = 1;
  unsigned depth = 0;
};

struct AtomStorage : llvm::FoldingSetNode {
  ExprContext *context;
  bool symbol;
  SymbolKind symbolKind;
  BinaryKind kind;
  llvm::StringRef name;
  llvm::ArrayRef<Expr> operands;
  NodeInfo info;

  void Profile(llvm::FoldingSetNodeID &id) const;
};

struct ExprStorage : llvm::FoldingSetNode {
  ExprContext *context;
  bool poison = false;
  llvm::ArrayRef<ExprTerm> terms;
  NodeInfo info;

  void Profile(llvm::FoldingSetNodeID &id) const;
};

struct ExprContextImpl {
  std::mutex mutex;
  llvm::BumpPtrAllocator allocator;
  llvm::FoldingSet<AtomStorage> atoms;
  llvm::FoldingSet<ExprStorage> exprs;
  ExprStorage poison;
};

/// A term under construction, in any order, zero coefficients allowed.
struct TermBuilder {
  int64_t coefficient;
  llvm::SmallVector<ExprAtom, 4> factors;

  TermBuilder(int64_t coefficient, llvm::ArrayRef<ExprAtom> factors)
      : coefficient(coefficient), factors(factors.begin(), factors.end()) {}
};
using Terms = llvm::SmallVector<TermBuilder, 8>;

/// The only code that makes nodes.
struct ExprFactory {
  static const ExprStorage *get(Expr expr) { return expr.impl; }
  static const AtomStorage *get(ExprAtom atom) { return atom.impl; }

  /// Sorts, merges and interns. Poison if a sum of coefficients overflows.
  static Expr makeExpr(ExprContext &context, Terms &terms);
  static Expr makeSymbol(ExprContext &context, llvm::StringRef name,
                         SymbolKind kind);
  /// Interns the operation as it is: the caller has simplified it.
  static Expr makeAtom(BinaryKind kind, llvm::ArrayRef<Expr> operands);
  static Expr makePoison(ExprContext &context);

private:
  static Expr internExpr(ExprContext &context,
                         llvm::ArrayRef<TermBuilder> terms,
                         const NodeInfo &info);
};

/// Negative, zero, positive; 0 only for the same atom.
int compareAtoms(ExprAtom lhs, ExprAtom rhs);
/// Graded lexicographic, negative if lhs prints first. Admissible:
/// compare(a, b) == compare(a*m, b*m).
int compareMonomials(llvm::ArrayRef<ExprAtom> lhs,
                     llvm::ArrayRef<ExprAtom> rhs);
/// m with m*divisor == monomial, if there is one.
std::optional<llvm::SmallVector<ExprAtom, 4>>
divideMonomial(llvm::ArrayRef<ExprAtom> monomial,
               llvm::ArrayRef<ExprAtom> divisor);

/// The constant term; 0 if there is none.
int64_t getConstantTerm(Expr expr);
/// A lower bound from the kinds of symbols, with 1 + index(x) <= size(x) and
/// min and max resolved; stronger and dearer than Expr::getLowerBound.
std::optional<int64_t> getSignLowerBound(Expr expr, unsigned depth = 0);
inline bool isKnownNonNegative(Expr expr) {
  std::optional<int64_t> lower = getSignLowerBound(expr);
  return lower && *lower >= 0;
}

/// Whether polynomial division finds k with expr == k * divisor. Holds for a
/// divisor of 0 too, unlike anything said with mod.
bool isPolynomialMultiple(Expr expr, Expr divisor);

Expr makeMinMax(BinaryKind kind, llvm::ArrayRef<Expr> operands);

/// Interval arithmetic: of sums, of coefficient * product, of operations.
Interval addIntervals(const Interval &lhs, const Interval &rhs);
Interval boundTerm(int64_t coefficient, llvm::ArrayRef<Interval> factors);
Interval boundOperation(BinaryKind kind, llvm::ArrayRef<Interval> operands);

/// Rebuilds `expr` with each atom, at any depth and outermost first, replaced
/// by what the callback gives; null keeps the atom and enters its operands.
Expr replaceAtoms(Expr expr, llvm::function_ref<Expr(ExprAtom)> replace);

} // namespace dtensor::detail

#endif // DTENSOR_LIB_SHARDING_EXPRSTORAGE_H
