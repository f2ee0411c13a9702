//===- ScanExpansion.cpp - scans along a sharded dimension ----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With x(r, i) element i of the shard of rank r, and t(r) the total of it,
//
//   y(r, i) = (t(0) + ... + t(r - 1)) + (x(r, 0) + ... + x(r, i))
//
// so that one total per rank is all that moves.
//
//===----------------------------------------------------------------------===//

#include "PlacedBuilder.h"
#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "dtensor/Dialect/DTensor/IR/Reductions.h"
#include "dtensor/Dialect/DTensor/IR/ScatterOps.h"

using namespace mlir;
using namespace dtensor;

namespace {
struct ScanExpansion {
  ShardRows rows;
  ReduceKind kind;
  TypedAttr neutral;

  Value run(Type type);

private:
  Value totals(Value stacked);
  Value prefixes(Value totals);
  Value join(Value prefixes, Value scanned);
  Type element() { return scalarType(rows.input); }
  /// All iterators of [..., ranks, ...] with `gone` left out.
  IteratorList without(unsigned gone) {
    IteratorList dims = identityDims(rows.rank() + 1);
    dims.erase(dims.begin() + gone);
    return dims;
  }
};
} // namespace

/// [..., ranks, c, ...] -> [..., ranks, ...]
Value ScanExpansion::totals(Value stacked) {
  unsigned rank = rows.rank() + 1;
  return buildGeneric(
      rows.core.builder, rows.core.loc, "scan_total", stacked,
      {identityDims(rank)}, without(rows.dim + 1), rank, kind,
      rows.perRankType(element()),
      [](OpBuilder &, Location, ValueRange args) { return args[0]; });
}

/// p(r) = t(0) + ... + t(r - 1): iterator `dim` is r, the one behind it runs
/// over all ranks.
Value ScanExpansion::prefixes(Value totals) {
  unsigned rank = rows.rank() + 1, r = rows.dim;
  return buildGeneric(
      rows.core.builder, rows.core.loc, "scan_prefix", totals, {without(r)},
      without(r + 1), rank, kind, rows.perRankType(element()),
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Value here =
            IndexOp::create(b, loc, b.getIndexType(), b.getI64IntegerAttr(r));
        Value other = IndexOp::create(b, loc, b.getIndexType(),
                                      b.getI64IntegerAttr(r + 1));
        Scalars s{b, loc};
        Value none = arith::ConstantOp::create(b, loc, neutral);
        return s.select(s.compare("lt", other, here), args[0], none);
      });
}

Value ScanExpansion::join(Value prefixes, Value scanned) {
  unsigned rank = rows.rank() + 1;
  return buildGeneric(
      rows.core.builder, rows.core.loc, "scan_join", {prefixes, scanned},
      {without(rows.dim + 1), identityDims(rank)}, identityDims(rank), rank,
      ReduceKind::Sum, scanned.getType(),
      [&](OpBuilder &b, Location loc, ValueRange args) {
        return createCombiner(b, loc, kind, args[0], args[1]);
      });
}

Value ScanExpansion::run(Type type) {
  CoreBuilder core = rows.core;
  Value stacked = rows.stack(neutral);
  Value total = totals(stacked);
  IteratorList whole = identityDims(rows.rank());
  whole[rows.dim] = kWhole;
  Value all = buildMove(core, total,
                        placedType(total, element(), whole, getExtents(total)));
  Value scanned = ScanOp::create(core.builder, core.loc, stacked.getType(),
                                 stacked, rows.dim + 1, stringify(kind));
  Value joined = join(prefixes(all), scanned);
  return UnstackShardsOp::create(core.builder, core.loc, type, joined,
                                 rows.dim);
}

/// The type of `value` with no pending reduction.
static RankedTensorType reducedType(Value value) {
  LayoutAttr layout = getLayout(value);
  SmallVector<Placement> placements(layout.getPlacements());
  for (Placement &placement : placements)
    if (placement.isPartial())
      placement = Placement::replicate();
  return withLayout(cast<RankedTensorType>(value.getType()),
                    layout.withPlacements(placements));
}

LogicalResult ScanOp::expand(OpBuilder &builder,
                             SmallVectorImpl<Value> &results) {
  unsigned dim = getDim();
  if (getLayout(getInput()).getLayout().axesOf(dim).empty())
    return success();
  CoreBuilder core{builder, getLoc()};
  Value input = buildMove(core, getInput(), reducedType(getInput()));
  ReduceKind kind = *parseScanKind(getKind());
  TypedAttr neutral = getNeutralElement(kind, scalarType(input));
  ScanExpansion expansion{ShardRows(core, input, dim), kind, neutral};
  Value result = expansion.run(reducedType(getResult()));
  results.push_back(buildMove(core, result, getResult().getType()));
  return success();
}
