//===- ExplainPricing.cpp - what other strategies would have cost ---------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExplainMovement.h"
#include "dtensor/Sharding/LocalShape.h"
#include "dtensor/Sharding/OpTime.h"

#include <cmath>

using namespace mlir;
using namespace dtensor;

/// More would bury the ones that came close.
static constexpr unsigned kMaxRejected = 3;

/// The value before the redistribute that made it, if one did.
static Value sourceOf(Value value) {
  auto move = value.getDefiningOp<RedistributeOp>();
  return move ? Value(move.getInput()) : value;
}

/// Equal but for units, which follow from the neighbours.
static bool looksLike(const Placement &lhs, const Placement &rhs) {
  return lhs.kind == rhs.kind && lhs.dim == rhs.dim && lhs.reduce == rhs.reduce;
}

static bool looksLike(ArrayRef<Placement> lhs, ArrayRef<Placement> rhs) {
  return llvm::all_of_zip(
      lhs, rhs, [](const auto &x, const auto &y) { return looksLike(x, y); });
}

OpPricing::OpPricing(Operation *op, ShardingRule rule, const Mesh &mesh,
                     const Facts &facts)
    : op(op), rule(std::move(rule)), mesh(mesh), facts(facts) {}

SmallVector<Placement> OpPricing::current(ValueRange values,
                                          unsigned axis) const {
  SmallVector<Placement> placements;
  for (Value value : values) {
    LayoutAttr layout = getLayout(value);
    placements.push_back(layout ? layout.getPlacements()[axis]
                                : Placement::replicate());
  }
  return placements;
}

std::optional<Strategy> OpPricing::chosen(unsigned axis) const {
  Strategy now;
  now.operands = current(op->getOperands(), axis);
  now.results = current(op->getResults(), axis);
  for (const Strategy &strategy : strategies(rule, {}, &facts)) {
    if (!looksLike(strategy.operands, now.operands) ||
        !looksLike(strategy.results, now.results))
      continue;
    now.factor = strategy.factor;
    return now;
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Words
//===----------------------------------------------------------------------===//

/// Where a factor shows: a result's dimension, else an operand's.
static std::string findDim(ArrayRef<TensorMap> maps, unsigned factor,
                           StringRef what) {
  for (auto [tensor, map] : llvm::enumerate(maps))
    for (auto [dim, factors] : llvm::enumerate(map)) {
      if (!llvm::is_contained(factors, factor))
        continue;
      std::string number = maps.size() > 1 ? " " + std::to_string(tensor) : "";
      return ("dimension " + Twine(dim) + " of its " + what + number).str();
    }
  return "";
}

std::string OpPricing::describeFactor(unsigned factor) const {
  std::string place;
  if (rule.factors[factor].kind == FactorKind::Reduction)
    place = "its reduction";
  if (place.empty())
    place = findDim(rule.results, factor, "result");
  if (place.empty())
    place = findDim(rule.operands, factor, "operand");
  return place + " of extent " + rule.factors[factor].size.str();
}

std::string OpPricing::describe(const Strategy &strategy) const {
  if (strategy.factor >= 0)
    return "sharded along " + describeFactor(strategy.factor);
  if (strategy.factor == Strategy::kReplicate)
    return "replicated";
  std::string text = "on pending values (";
  llvm::raw_string_ostream os(text);
  llvm::interleaveComma(strategy.operands, os);
  os << ')';
  return text;
}

//===----------------------------------------------------------------------===//
// Prices
//===----------------------------------------------------------------------===//

double OpPricing::wholeBytes(Value value, unsigned axis) const {
  LayoutAttr layout = getLayout(value);
  double bytes = getElementBytes(value.getType());
  for (Expr extent : layout.getExtents())
    bytes *= static_cast<double>(facts.hint(extent));
  for (auto [other, placement] : llvm::enumerate(layout.getPlacements()))
    if (other != axis && placement.isShard())
      bytes /= static_cast<double>(mesh.hint(other));
  return bytes;
}

/// Pieces that are equal at the hints are not exchanged at launch.
double OpPricing::move(Value value, unsigned axis, const Placement &from,
                       const Placement &to) const {
  bool agree = false;
  if (from.isShard() && to.isShard(from.dim)) {
    Expr extent = getLayout(value).getExtents()[from.dim];
    Expr size = mesh.sizeExpr(extent.getContext(), axis);
    agree = facts.hint(chunkSize(extent, from.unit, size)) ==
            facts.hint(chunkSize(extent, to.unit, size));
  }
  return redistributionTime(from, to, wholeBytes(value, axis), mesh.hint(axis),
                            model, agree);
}

double OpPricing::opTime(unsigned axis, const Strategy &strategy) const {
  OpWork work;
  auto bytesOf = [&](Value value) {
    return getLayout(value) ? std::optional(wholeBytes(value, axis))
                            : std::nullopt;
  };
  for (Value value : op->getOperands())
    work.operands.push_back(bytesOf(value));
  for (Value value : op->getResults())
    work.results.push_back(bytesOf(value));
  for (unsigned other = 0; other < mesh.getNumAxes(); ++other)
    if (other != axis &&
        llvm::any_of(current(op->getOperands(), other),
                     [](const Placement &p) { return p.isShard(); }))
      work.sharers *= static_cast<double>(mesh.hint(other));
  return dtensor::opTime(rule, strategy, work, mesh.hint(axis), facts, model);
}

double OpPricing::time(unsigned axis, const Strategy &strategy) const {
  double total = opTime(axis, strategy);
  for (auto [value, wanted] :
       llvm::zip_equal(op->getOperands(), strategy.operands)) {
    Value source = sourceOf(value);
    if (LayoutAttr layout = getLayout(source))
      total += move(source, axis, layout.getPlacements()[axis], wanted);
  }
  for (auto [value, given] :
       llvm::zip_equal(op->getResults(), strategy.results)) {
    if (!getLayout(value))
      continue;
    SmallVector<Placement, 4> wishes;
    for (Operation *user : value.getUsers()) {
      auto next = dyn_cast<RedistributeOp>(user);
      LayoutAttr layout =
          getLayout(next ? Value(next.getResult()) : Value(value));
      const Placement &wish = layout.getPlacements()[axis];
      if (llvm::is_contained(wishes, wish))
        continue;
      wishes.push_back(wish);
      total += move(value, axis, given, wish);
    }
  }
  return total;
}

bool OpPricing::isLegal(unsigned axis, const Strategy &strategy) const {
  auto layouts = [&](ValueRange values, ArrayRef<Placement> placements) {
    SmallVector<Layout> list;
    for (auto [value, placement] : llvm::zip_equal(values, placements)) {
      LayoutAttr attr = getLayout(value);
      list.push_back(attr ? attr.getLayout() : Layout());
      if (!attr || attr.getPlacements()[axis] == placement)
        continue;
      SmallVector<Placement> changed(attr.getPlacements());
      changed[axis] = placement;
      list.back() = Layout(changed, attr.getExtents());
    }
    return list;
  };
  SmallVector<Layout> operands = layouts(op->getOperands(), strategy.operands);
  SmallVector<Layout> results = layouts(op->getResults(), strategy.results);
  auto ignore = [](const Twine &) {};
  for (const Layout &layout : llvm::concat<Layout>(operands, results))
    if (!layout.placements.empty() && !layout.verify(mesh, ignore))
      return false;
  return accepts(rule, mesh, operands, results, nullptr, &facts);
}

void OpPricing::addRejected(unsigned axis,
                            SmallVectorImpl<RejectedWay> &rejected) const {
  std::optional<Strategy> now = chosen(axis);
  if (!now)
    return;
  double instead = time(axis, *now);
  SmallVector<RejectedWay> found;
  for (const Strategy &strategy : strategies(rule, {}, &facts)) {
    if (looksLike(strategy.operands, now->operands) &&
        looksLike(strategy.results, now->results))
      continue;
    double price = time(axis, strategy);
    if (!std::isfinite(price) || !isLegal(axis, strategy))
      continue;
    auto later = llvm::find_if(
        found, [&](const RejectedWay &other) { return price < other.time; });
    found.insert(later, {describeOp(op) + ", " + describe(strategy) + " on \"" +
                             mesh.getName(axis).str() + "\"",
                         price, instead, Expr()});
  }
  for (RejectedWay &way : MutableArrayRef(found).take_front(kMaxRejected))
    rejected.push_back(std::move(way));
}
