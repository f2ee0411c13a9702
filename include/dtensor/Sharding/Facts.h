//===- Facts.h - What is known about symbols and axes -----------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The declared facts of one function and its mesh, and proofs from them.
//
// A proof is about every binding that obeys the facts and for which both sides
// have a value. `true` is a theorem; `false` means "not proved", never "false".
// Facts are checked once, at launch, by check().
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_SHARDING_FACTS_H
#define DTENSOR_SHARDING_FACTS_H

#include "dtensor/Sharding/Expr.h"

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace dtensor {

namespace detail {
class Prover;
} // namespace detail

/// Facts of one extent: min <= s <= max, multipleOf | s, and
/// size(multipleOfAxis) | s unless that name is empty.
struct SymbolFacts {
  int64_t min = 0;
  std::optional<int64_t> max;
  int64_t multipleOf = 1;
  /// Typical value; steers costs, never correctness.
  int64_t hint = 128;
  std::string multipleOfAxis;
};

/// Facts of one axis size n: n == size, min <= n <= max, n | divides,
/// multipleOf | n.
struct AxisFacts {
  std::optional<int64_t> size;
  int64_t min = 1;
  std::optional<int64_t> max;
  std::optional<int64_t> divides;
  int64_t multipleOf = 1;
  int64_t hint = 8;
};

/// Proofs are cached inside, so one object serves one thread at a time.
class Facts {
public:
  void declareSymbol(llvm::StringRef name, SymbolFacts facts);
  void declareAxis(llvm::StringRef name, AxisFacts facts);
  /// lhs == rhs in every run that passes the launch checks.
  void assumeEqual(Expr lhs, Expr rhs);
  /// lhs <= rhs in every run that passes the launch checks.
  void assumeLE(Expr lhs, Expr rhs);

  /// Null if not declared.
  const SymbolFacts *lookupSymbol(llvm::StringRef name) const;
  const AxisFacts *lookupAxis(llvm::StringRef name) const;

  bool proveEqual(Expr lhs, Expr rhs) const;
  /// Different for all values that the facts allow.
  bool proveDifferent(Expr lhs, Expr rhs) const;
  bool proveLE(Expr lhs, Expr rhs) const;
  bool proveLT(Expr lhs, Expr rhs) const { return proveLE(lhs + 1, rhs); }
  /// expr >= 1.
  bool provePositive(Expr expr) const;
  bool proveNonNegative(Expr expr) const;
  /// expr == k * divisor for some integer k, so 0 divides only 0. The divisor
  /// need not be positive.
  bool proveDivides(Expr divisor, Expr expr) const;

  /// The value at the hints, saturating; at least 0 and always defined: a
  /// division by a value <= 0 divides by 1.
  int64_t hint(Expr expr) const;

  /// An equal expression that uses the facts: known sizes become constants,
  /// exact divisions drop, decided min and max drop.
  Expr simplify(Expr expr) const;

  using Lookup = Expr::Lookup;
  /// The first declared or assumed fact that the values break, in words with
  /// the numbers; nullopt if none. Names that have no value are skipped.
  std::optional<std::string> check(Lookup lookup) const;

private:
  friend class detail::Prover;
  /// No value that the facts allow has expr >= 1 (in Goal::Positive), or
  /// expr == 0 (in Goal::Zero).
  enum class Goal { Positive, Zero };
  bool refute(Goal goal, Expr expr) const;
  void forgetProofs();

  std::map<std::string, SymbolFacts, std::less<>> symbols;
  std::map<std::string, AxisFacts, std::less<>> axes;
  /// first == second, and first <= second.
  std::vector<std::pair<Expr, Expr>> equalities, inequalities;

  mutable llvm::DenseMap<std::pair<unsigned, Expr>, bool> refuted;
  mutable llvm::DenseMap<Expr, Expr> simplified;
};

} // namespace dtensor

#endif // DTENSOR_SHARDING_FACTS_H
