//===- Factorization.cpp - two shapes as products of factors --------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Factorization.h"

#include "llvm/ADT/STLExtras.h"
#include <numeric>

using namespace llvm;

namespace dtensor {

//===----------------------------------------------------------------------===//
// Groups
//===----------------------------------------------------------------------===//

static SmallVector<unsigned> realDims(ArrayRef<Expr> extents) {
  SmallVector<unsigned> dims;
  for (auto [dim, extent] : enumerate(extents))
    if (!extent.isConstant(1))
      dims.push_back(dim);
  return dims;
}

/// products[i] = the product of the first i + 1 listed extents.
static SmallVector<Expr> runningProducts(ArrayRef<Expr> extents,
                                         ArrayRef<unsigned> dims) {
  SmallVector<Expr> products;
  for (unsigned dim : dims)
    products.push_back(products.empty() ? extents[dim]
                                        : products.back() * extents[dim]);
  return products;
}

/// The sizes of the smallest first group; nullopt if no products are equal.
static std::optional<std::pair<unsigned, unsigned>>
firstGroup(ArrayRef<Expr> from, ArrayRef<Expr> to, const Facts &facts) {
  for (unsigned total = 2; total <= from.size() + to.size(); ++total)
    for (unsigned left = 1; left < total && left <= from.size(); ++left) {
      unsigned right = total - left;
      if (right <= to.size() && facts.proveEqual(from[left - 1], to[right - 1]))
        return std::pair(left, right);
    }
  return std::nullopt;
}

SmallVector<ReshapeGroup> groupReshape(ArrayRef<Expr> from, ArrayRef<Expr> to,
                                       const Facts &facts) {
  SmallVector<unsigned> left = realDims(from), right = realDims(to);
  ArrayRef<unsigned> a = left, b = right;
  SmallVector<ReshapeGroup> groups;
  while (!a.empty() || !b.empty()) {
    auto group =
        firstGroup(runningProducts(from, a), runningProducts(to, b), facts);
    ReshapeGroup next;
    next.matched = group.has_value();
    if (!group)
      group = {a.size(), b.size()};
    next.from.assign(a.begin(), a.begin() + group->first);
    next.to.assign(b.begin(), b.begin() + group->second);
    a = a.drop_front(group->first);
    b = b.drop_front(group->second);
    groups.push_back(std::move(next));
  }
  return groups;
}

//===----------------------------------------------------------------------===//
// Exact division
//===----------------------------------------------------------------------===//

/// coefficient * product of the factors.
static Expr termExpr(ExprContext &context, int64_t coefficient,
                     ArrayRef<ExprAtom> factors) {
  Expr result = Expr::constant(context, coefficient);
  for (ExprAtom atom : factors)
    result = result * atom.getExpr();
  return result;
}

/// lhs / rhs of two terms, null if it is no term.
static Expr divideTerm(ExprContext &context, const ExprTerm &lhs,
                       const ExprTerm &rhs) {
  if (lhs.coefficient % rhs.coefficient != 0)
    return {};
  SmallVector<ExprAtom> rest(lhs.factors);
  for (ExprAtom atom : rhs.factors) {
    auto *found = find(rest, atom);
    if (found == rest.end())
      return {};
    rest.erase(found);
  }
  return termExpr(context, lhs.coefficient / rhs.coefficient, rest);
}

Expr divideExactly(Expr lhs, Expr rhs) {
  if (lhs.isOverflow() || rhs.isOverflow() || rhs.getTerms().empty())
    return {};
  ExprContext &context = lhs.getContext();
  Expr quotient = Expr::constant(context, 0), rest = lhs;
  // Long division by leading terms; each step removes one, so as many steps as
  // an exact quotient can have terms are enough.
  for (unsigned step = 0; step < 16; ++step) {
    if (rest.isConstant(0))
      return quotient;
    if (rest.isOverflow())
      return {};
    Expr next =
        divideTerm(context, rest.getTerms().front(), rhs.getTerms().front());
    if (!next)
      return {};
    quotient = quotient + next;
    rest = rest - next * rhs;
  }
  return {};
}

/// The greatest common divisor of two monomials; 1 for other expressions.
static Expr commonFactor(Expr lhs, Expr rhs) {
  ExprContext &context = lhs.getContext();
  if (lhs.getTerms().size() != 1 || rhs.getTerms().size() != 1)
    return Expr::constant(context, 1);
  const ExprTerm &a = lhs.getTerms().front(), &b = rhs.getTerms().front();
  SmallVector<ExprAtom> rest(b.factors), common;
  for (ExprAtom atom : a.factors) {
    auto *found = find(rest, atom);
    if (found == rest.end())
      continue;
    rest.erase(found);
    common.push_back(atom);
  }
  return termExpr(context, std::gcd(a.coefficient, b.coefficient), common);
}

/// The largest factor that both extents are known to begin with.
static Expr sharedFactor(Expr lhs, Expr rhs) {
  if (divideExactly(lhs, rhs))
    return rhs;
  if (divideExactly(rhs, lhs))
    return lhs;
  return commonFactor(lhs, rhs);
}

//===----------------------------------------------------------------------===//
// Factors
//===----------------------------------------------------------------------===//

namespace {
/// Fills the rule group by group. Factors are appended to their dimensions, so
/// they come out major to minor.
struct Factorizer {
  ArrayRef<Expr> from, to;
  ShardingRule rule;

  unsigned add(FactorKind kind, Expr size) {
    rule.factors.push_back({kind, size, ReduceKind::Sum});
    return rule.factors.size() - 1;
  }

  /// One side is a single dimension: it runs over the other's dimensions.
  void addSplit(TensorMap &single, unsigned dim, TensorMap &many,
                ArrayRef<Expr> extents, ArrayRef<unsigned> dims) {
    for (unsigned other : dims) {
      unsigned factor = add(FactorKind::Parallel, extents[other]);
      single[dim].push_back(factor);
      many[other].push_back(factor);
    }
  }

  void addRest(TensorMap &map, unsigned dim, Expr rest) {
    if (rest && !rest.isConstant(1))
      map[dim].push_back(add(FactorKind::NeedReplication, rest));
  }

  /// Both sides are several dimensions: peels off shared factors from the left.
  void addZigzag(const ReshapeGroup &group) {
    TensorMap &in = rule.operands[0], &out = rule.results[0];
    unsigned i = 0, j = 0, numFrom = group.from.size(), numTo = group.to.size();
    Expr lhs, rhs;
    while (i < numFrom && j < numTo) {
      lhs = lhs ? lhs : from[group.from[i]];
      rhs = rhs ? rhs : to[group.to[j]];
      Expr shared = group.matched ? sharedFactor(lhs, rhs) : Expr();
      if (!shared || shared.isConstant(1) || shared.isConstant(0))
        break;
      unsigned factor = add(FactorKind::Parallel, shared);
      in[group.from[i]].push_back(factor);
      out[group.to[j]].push_back(factor);
      lhs = divideExactly(lhs, shared);
      rhs = divideExactly(rhs, shared);
      if (lhs.isConstant(1))
        ++i, lhs = Expr();
      if (rhs.isConstant(1))
        ++j, rhs = Expr();
    }
    for (; i < numFrom; ++i, lhs = Expr())
      addRest(in, group.from[i], lhs ? lhs : from[group.from[i]]);
    for (; j < numTo; ++j, rhs = Expr())
      addRest(out, group.to[j], rhs ? rhs : to[group.to[j]]);
  }

  void addGroup(const ReshapeGroup &group) {
    TensorMap &in = rule.operands[0], &out = rule.results[0];
    if (group.matched && group.from.size() == 1)
      addSplit(in, group.from[0], out, to, group.to);
    else if (group.matched && group.to.size() == 1)
      addSplit(out, group.to[0], in, from, group.from);
    else
      addZigzag(group);
  }
};
} // namespace

ShardingRule factorReshape(ArrayRef<Expr> from, ArrayRef<Expr> to,
                           const Facts &facts) {
  Factorizer factorizer{from, to, {}};
  factorizer.rule.operands.emplace_back(from.size());
  factorizer.rule.results.emplace_back(to.size());
  for (const ReshapeGroup &group : groupReshape(from, to, facts))
    factorizer.addGroup(group);
  return std::move(factorizer.rule);
}

} // namespace dtensor
