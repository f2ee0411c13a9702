//===- FactsCheck.cpp - Facts against the values of a launch ----*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/Facts.h"

#include "llvm/ADT/Twine.h"

#include <algorithm>

using namespace dtensor;
using llvm::StringRef;
using llvm::Twine;

using Message = std::optional<std::string>;

namespace {

/// One named value and how to speak of it.
struct Subject {
  StringRef word, name;
  int64_t value;

  Message fail(const Twine &expected) const {
    return (word + " '" + name + "' is " + Twine(value) + ", expected " +
            expected)
        .str();
  }
  Message checkRange(int64_t least, std::optional<int64_t> most) const {
    if (value < least)
      return fail("at least " + Twine(least));
    if (most && value > *most)
      return fail("at most " + Twine(*most));
    return std::nullopt;
  }
  Message checkMultiple(int64_t multiple) const {
    if (multiple > 1 && value % multiple != 0)
      return fail("a multiple of " + Twine(multiple));
    return std::nullopt;
  }
};

} // namespace

static Message checkAxis(StringRef name, const AxisFacts &facts,
                         int64_t value) {
  Subject axis{"the size of mesh axis", name, value};
  if (facts.size && value != *facts.size)
    return axis.fail(Twine(*facts.size));
  if (Message broken =
          axis.checkRange(std::max<int64_t>(1, facts.min), facts.max))
    return broken;
  if (facts.divides && *facts.divides % value != 0)
    return axis.fail("a divisor of " + Twine(*facts.divides));
  return axis.checkMultiple(facts.multipleOf);
}

static Message checkSymbol(StringRef name, const SymbolFacts &facts,
                           int64_t value, Facts::Lookup lookup) {
  Subject symbol{"symbol", name, value};
  if (Message broken =
          symbol.checkRange(std::max<int64_t>(0, facts.min), facts.max))
    return broken;
  if (Message broken = symbol.checkMultiple(facts.multipleOf))
    return broken;
  if (facts.multipleOfAxis.empty())
    return std::nullopt;
  std::optional<int64_t> size =
      lookup(facts.multipleOfAxis, SymbolKind::AxisSize);
  if (size && *size >= 1 && value % *size != 0)
    return symbol.fail("a multiple of " + Twine(*size) +
                       ", the size of mesh axis '" + facts.multipleOfAxis +
                       "'");
  return std::nullopt;
}

static Message checkAssumption(Expr lhs, Expr rhs, bool equal,
                               Facts::Lookup lookup) {
  std::optional<int64_t> x = lhs.evaluate(lookup), y = rhs.evaluate(lookup);
  if (!x || !y || (equal ? *x == *y : *x <= *y))
    return std::nullopt;
  return (lhs.str() + " is " + Twine(*x) + ", expected " +
          (equal ? "" : "at most ") + rhs.str() + ", which is " + Twine(*y))
      .str();
}

std::optional<std::string> Facts::check(Lookup lookup) const {
  for (auto &[name, facts] : axes)
    if (std::optional<int64_t> value = lookup(name, SymbolKind::AxisSize))
      if (Message broken = checkAxis(name, facts, *value))
        return broken;
  for (auto &[name, facts] : symbols)
    if (std::optional<int64_t> value = lookup(name, SymbolKind::Extent))
      if (Message broken = checkSymbol(name, facts, *value, lookup))
        return broken;
  for (auto &[lhs, rhs] : equalities)
    if (Message broken = checkAssumption(lhs, rhs, /*equal=*/true, lookup))
      return broken;
  for (auto &[lhs, rhs] : inequalities)
    if (Message broken = checkAssumption(lhs, rhs, /*equal=*/false, lookup))
      return broken;
  return std::nullopt;
}
