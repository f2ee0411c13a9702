//===- Expr.h - Canonical symbolic integers ---------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An extent is an integer polynomial over symbols and opaque atoms:
//
//   e = sum_i c_i * prod_j a_ij      a = symbol | e floordiv e | e ceildiv e
//                                      | e mod e | min(e...) | max(e...)
//
// Every Expr is canonical from the moment it is made and interned in its
// ExprContext, so `a == b` (one pointer compare) means "same canonical form".
// Two different canonical forms may still be equal as functions: Facts decides.
//
// Laws, over the integers, for every binding that obeys the kinds of the
// symbols and for which the left side is defined:
//   extent >= 0,  size(x) >= 1,  0 <= index(x) < size(x)
//   a = b*(a floordiv b) + a mod b,  0 <= a mod b < b
//   a ceildiv b = -((-a) floordiv b)
// A division by a value <= 0 has no value. No fold turns such a division by a
// possibly zero extent into a number: (a*q) floordiv q is a only if q >= 1.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_SHARDING_EXPR_H
#define DTENSOR_SHARDING_EXPR_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace dtensor {

namespace detail {
struct AtomStorage;
struct ExprStorage;
struct ExprContextImpl;
struct ExprFactory;
} // namespace detail

/// Extent: >= 0. AxisSize: ranks along a mesh axis, >= 1. AxisIndex: the
/// coordinate of this rank along a mesh axis, in [0, size of the axis).
enum class SymbolKind { Extent, AxisSize, AxisIndex };

/// Min and Max are n-ary inside an atom and binary in the Folder.
enum class BinaryKind { FloorDiv, CeilDiv, Mod, Min, Max };

/// Owns every Expr made in it. Thread-safe. Must outlive its expressions.
class ExprContext {
public:
  ExprContext();
  ~ExprContext();
  ExprContext(const ExprContext &) = delete;
  ExprContext &operator=(const ExprContext &) = delete;

private:
  friend struct detail::ExprFactory;
  std::unique_ptr<detail::ExprContextImpl> impl;
};

class Expr;

/// One indivisible factor of a term: a symbol or a non-polynomial operation.
class ExprAtom {
public:
  explicit ExprAtom(const detail::AtomStorage *impl) : impl(impl) {}

  bool operator==(ExprAtom other) const { return impl == other.impl; }
  bool operator!=(ExprAtom other) const { return impl != other.impl; }

  bool isSymbol() const;
  /// Name and kind of a symbol. Precondition: isSymbol().
  llvm::StringRef getName() const;
  SymbolKind getSymbolKind() const;
  /// Operation of a non-symbol. Precondition: !isSymbol().
  BinaryKind getKind() const;
  /// Two operands for divisions and mod, two or more for min and max, none
  /// for a symbol.
  llvm::ArrayRef<Expr> getOperands() const;
  /// The expression 1 * this.
  Expr getExpr() const;
  const void *getAsOpaquePointer() const { return impl; }

private:
  friend struct detail::ExprFactory;
  const detail::AtomStorage *impl;
};

/// coefficient * product of factors. Factors are sorted, repeated for powers,
/// and empty for the constant term. The coefficient is never 0.
struct ExprTerm {
  int64_t coefficient;
  llvm::ArrayRef<ExprAtom> factors;
};

/// A canonical expression: one pointer, copied freely. Null is allowed as "no
/// expression" and tests false.
class Expr {
public:
  Expr() = default;
  explicit Expr(const detail::ExprStorage *impl) : impl(impl) {}

  static Expr constant(ExprContext &context, int64_t value);
  static Expr symbol(ExprContext &context, llvm::StringRef name,
                     SymbolKind kind = SymbolKind::Extent);
  /// The poison that isOverflow() recognises.
  static Expr overflow(ExprContext &context);

  explicit operator bool() const { return impl != nullptr; }
  bool operator==(Expr other) const { return impl == other.impl; }
  bool operator!=(Expr other) const { return impl != other.impl; }

  ExprContext &getContext() const;

  std::optional<int64_t> getConstant() const;
  bool isConstant(int64_t value) const;
  /// The name, if this is a bare Extent symbol.
  std::optional<llvm::StringRef> getSymbolName() const;
  /// The atom, if this is 1 * atom.
  std::optional<ExprAtom> getAtom() const;
  /// Poison: a constant left int64, a divisor was a constant <= 0, or the
  /// expression passed the size limits. Any operation on poison is poison.
  /// Verifiers reject it.
  bool isOverflow() const;

  /// Terms in canonical order (degree descending, names, constant last).
  /// Empty for 0. Precondition: !isOverflow().
  llvm::ArrayRef<ExprTerm> getTerms() const;

  /// A bound that follows from the kinds of the symbols alone, if there is one.
  std::optional<int64_t> getLowerBound() const;
  std::optional<int64_t> getUpperBound() const;

  using Lookup =
      llvm::function_ref<std::optional<int64_t>(llvm::StringRef, SymbolKind)>;
  /// The value under `lookup`, or nullopt on an unbound symbol, on a division
  /// by a value <= 0, and when a step leaves int64.
  std::optional<int64_t> evaluate(Lookup lookup) const;

  /// Replaces symbols, all at once; a null Expr from the callback keeps one.
  Expr substitute(
      llvm::function_ref<Expr(llvm::StringRef, SymbolKind)> replace) const;

  /// Visits each symbol once, in a deterministic order.
  void walkSymbols(
      llvm::function_ref<void(llvm::StringRef, SymbolKind)> visit) const;
  bool hasSymbols() const;

  /// `B*S + 2*H - 1`, `(B + 1) ceildiv size(tp)`, `min(a, b)`, `index(tp)`.
  /// parseExpr gives the same Expr back, except for poison: `<overflow>`.
  void print(llvm::raw_ostream &os) const;
  std::string str() const;

  const void *getAsOpaquePointer() const { return impl; }
  static Expr getFromOpaquePointer(const void *pointer) {
    return Expr(static_cast<const detail::ExprStorage *>(pointer));
  }

private:
  friend struct detail::ExprFactory;
  const detail::ExprStorage *impl = nullptr;
};

Expr operator+(Expr lhs, Expr rhs);
Expr operator-(Expr lhs, Expr rhs);
Expr operator*(Expr lhs, Expr rhs);
Expr operator-(Expr operand);
Expr operator+(Expr lhs, int64_t rhs);
Expr operator-(Expr lhs, int64_t rhs);
Expr operator*(Expr lhs, int64_t rhs);
Expr operator+(int64_t lhs, Expr rhs);
Expr operator-(int64_t lhs, Expr rhs);
Expr operator*(int64_t lhs, Expr rhs);

Expr floordiv(Expr lhs, Expr rhs);
Expr ceildiv(Expr lhs, Expr rhs);
Expr mod(Expr lhs, Expr rhs);
Expr min(Expr lhs, Expr rhs);
Expr max(Expr lhs, Expr rhs);
Expr floordiv(Expr lhs, int64_t rhs);
Expr ceildiv(Expr lhs, int64_t rhs);
Expr mod(Expr lhs, int64_t rhs);
Expr min(Expr lhs, int64_t rhs);
Expr max(Expr lhs, int64_t rhs);
Expr binary(BinaryKind kind, Expr lhs, Expr rhs);

/// Total order by structure and names, the same in every run and context:
/// negative, zero, positive. Null comes first, poison second.
int compare(Expr lhs, Expr rhs);
struct ExprLess {
  bool operator()(Expr lhs, Expr rhs) const { return compare(lhs, rhs) < 0; }
};

llvm::raw_ostream &operator<<(llvm::raw_ostream &os, Expr expr);

inline llvm::hash_code hash_value(Expr expr) {
  return llvm::hash_value(expr.getAsOpaquePointer());
}

//===----------------------------------------------------------------------===//
// Folding: one formula, two regimes
//===----------------------------------------------------------------------===//

/// Rebuilds an expression in another domain, for example as IR values.
template <class T>
struct Folder {
  virtual ~Folder() = default;
  virtual T constant(int64_t value) = 0;
  virtual T symbol(llvm::StringRef name, SymbolKind kind) = 0;
  virtual T add(T lhs, T rhs) = 0;
  virtual T mul(T lhs, T rhs) = 0;
  virtual T binary(BinaryKind kind, T lhs, T rhs) = 0;
};

/// Results already built, by node. Keep one per place where values dominate.
template <class T>
using ExprMemo = llvm::DenseMap<const void *, T>;

template <class T>
T foldExpr(Expr expr, Folder<T> &folder, ExprMemo<T> &memo);

/// Folds one atom; see foldExpr.
template <class T>
T foldAtom(ExprAtom atom, Folder<T> &folder, ExprMemo<T> &memo) {
  auto known = memo.find(atom.getAsOpaquePointer());
  if (known != memo.end())
    return known->second;
  std::optional<T> result;
  if (atom.isSymbol())
    result = folder.symbol(atom.getName(), atom.getSymbolKind());
  for (Expr operand : atom.getOperands()) {
    T value = foldExpr(operand, folder, memo);
    result = result ? folder.binary(atom.getKind(), *result, value) : value;
  }
  memo.try_emplace(atom.getAsOpaquePointer(), *result);
  return *result;
}

/// Calls `folder` bottom-up, once per distinct node. The calls come in the
/// same order in every run. Precondition: expr is neither null nor poison.
template <class T>
T foldExpr(Expr expr, Folder<T> &folder, ExprMemo<T> &memo) {
  auto known = memo.find(expr.getAsOpaquePointer());
  if (known != memo.end())
    return known->second;
  std::optional<T> sum;
  for (const ExprTerm &term : expr.getTerms()) {
    std::optional<T> product;
    for (ExprAtom atom : term.factors) {
      T factor = foldAtom(atom, folder, memo);
      product = product ? folder.mul(*product, factor) : factor;
    }
    if (!product)
      product = folder.constant(term.coefficient);
    else if (term.coefficient != 1)
      product = folder.mul(*product, folder.constant(term.coefficient));
    sum = sum ? folder.add(*sum, *product) : *product;
  }
  if (!sum)
    sum = folder.constant(0);
  memo.try_emplace(expr.getAsOpaquePointer(), *sum);
  return *sum;
}

template <class T>
T foldExpr(Expr expr, Folder<T> &folder) {
  ExprMemo<T> memo;
  return foldExpr(expr, folder, memo);
}

//===----------------------------------------------------------------------===//
// Parsing
//===----------------------------------------------------------------------===//

/// Tokens of the text form, so that text and an IR parser share one grammar.
/// Each call eats the token it names if it comes next and tells whether it did.
class ExprTokens {
public:
  virtual ~ExprTokens();
  /// One of `+ - * ( ) ,`.
  virtual bool eatPunctuation(char which) = 0;
  /// A bare word equal to `word`.
  virtual bool eatKeyword(llvm::StringRef word) = 0;
  /// Any bare word, or a quoted string for a name that is not one.
  virtual std::optional<std::string> eatName() = 0;
  /// The digits of a decimal integer; never a sign. Sets `tooLarge`, and gives
  /// any value, when they do not fit uint64.
  virtual std::optional<uint64_t> eatInteger(bool &tooLarge) = 0;
};

/// Parses one expression from `tokens` and stops behind it. On an error gives
/// nullopt and says in `error` (if not null) what was expected. Nesting is
/// limited to 200.
std::optional<Expr> parseExpr(ExprTokens &tokens, ExprContext &context,
                              std::string *error = nullptr);

/// Parses the whole of `text`; an error also names the offset.
std::optional<Expr> parseExpr(llvm::StringRef text, ExprContext &context,
                              std::string *error = nullptr);

} // namespace dtensor

namespace llvm {
template <>
struct DenseMapInfo<dtensor::Expr> {
  using PointerInfo = DenseMapInfo<const void *>;
  static dtensor::Expr getEmptyKey() {
    return dtensor::Expr::getFromOpaquePointer(PointerInfo::getEmptyKey());
  }
  static dtensor::Expr getTombstoneKey() {
    return dtensor::Expr::getFromOpaquePointer(PointerInfo::getTombstoneKey());
  }
  static unsigned getHashValue(dtensor::Expr expr) {
    return PointerInfo::getHashValue(expr.getAsOpaquePointer());
  }
  static bool isEqual(dtensor::Expr lhs, dtensor::Expr rhs) {
    return lhs == rhs;
  }
};
} // namespace llvm

#endif // DTENSOR_SHARDING_EXPR_H
