//===- Unification.cpp - one name for equal extents -----------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Unification.h"
#include <numeric>

using namespace dtensor;

Unification::Weight Unification::weightOf(llvm::StringRef name) const {
  auto it = weights.find(name);
  return it == weights.end() ? Stated : it->second;
}

Expr Unification::resolve(Expr expr) {
  if (!expr || replacements.empty() || !expr.hasSymbols())
    return expr;
  return expr.substitute([&](llvm::StringRef name, SymbolKind kind) -> Expr {
    if (kind != SymbolKind::Extent)
      return {};
    auto it = replacements.find(name);
    if (it == replacements.end())
      return {};
    // Shorten the chain; the map does not grow, so `it` stays valid.
    Expr resolved = resolve(it->second);
    it->second = resolved;
    return resolved;
  });
}

void Unification::mergeFacts(llvm::StringRef gone, llvm::StringRef kept) {
  const SymbolFacts *old = facts.lookupSymbol(gone);
  if (!old)
    return;
  const SymbolFacts *known = facts.lookupSymbol(kept);
  SymbolFacts merged = known ? *known : *old;
  merged.min = std::max(merged.min, old->min);
  if (old->max)
    merged.max = merged.max ? std::min(*merged.max, *old->max) : old->max;
  int64_t gcd = std::gcd(merged.multipleOf, old->multipleOf);
  int64_t lcm;
  if (!llvm::MulOverflow(merged.multipleOf / gcd, old->multipleOf, lcm))
    merged.multipleOf = lcm;
  if (merged.hint == SymbolFacts().hint)
    merged.hint = old->hint;
  if (merged.multipleOfAxis.empty())
    merged.multipleOfAxis = old->multipleOfAxis;
  facts.declareSymbol(kept, merged);
}

bool Unification::replace(Expr symbol, Expr by) {
  llvm::StringRef name = *symbol.getSymbolName();
  if (weightOf(name) == Pinned)
    return false;
  bool occurs = false;
  by.walkSymbols([&](llvm::StringRef other, SymbolKind kind) {
    occurs |= kind == SymbolKind::Extent && other == name;
  });
  if (occurs)
    return false;
  if (std::optional<llvm::StringRef> kept = by.getSymbolName())
    mergeFacts(name, *kept);
  replacements[name] = by;
  return true;
}

Unification::Outcome Unification::unify(Expr lhs, Expr rhs) {
  lhs = resolve(lhs);
  rhs = resolve(rhs);
  if (lhs == rhs)
    return Outcome::Equal;
  if (lhs.isOverflow() || rhs.isOverflow() || facts.proveDifferent(lhs, rhs))
    return Outcome::Different;
  std::optional<llvm::StringRef> left = lhs.getSymbolName();
  std::optional<llvm::StringRef> right = rhs.getSymbolName();
  // The lighter bare symbol first.
  if (left && right && weightOf(*right) < weightOf(*left))
    std::swap(lhs, rhs);
  else if (!left && right)
    std::swap(lhs, rhs);
  if (lhs.getSymbolName() && replace(lhs, rhs))
    return Outcome::Equal;
  if (rhs.getSymbolName() && replace(rhs, lhs))
    return Outcome::Equal;
  return facts.proveEqual(lhs, rhs) ? Outcome::Equal : Outcome::Undecided;
}
