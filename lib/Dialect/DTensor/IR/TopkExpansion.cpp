//===- TopkExpansion.cpp - topk as maxima of packed elements --------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An element x of at most 32 bits and its position p < 2^31 are one number,
//
//   P = key(x) * 2^32 + (2^31 - 1 - p) * 2 + (x is -0.0)
//
// with key a monotone map to 32 bits that makes NaN the largest. All P differ,
// of equal elements the first has the larger P, and both x and p can be read
// from it (NaN as the one quiet NaN). So the k largest P are all there is to
// find: by maxima of what is below the last one, or by sorting if k is large.
// Where the dimension is sharded each rank finds its own k, those are gathered,
// and the k largest of them are the result on every mesh alike.
//
//===----------------------------------------------------------------------===//

#include "PlacedBuilder.h"
#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "dtensor/Dialect/DTensor/IR/ScatterOps.h"

using namespace mlir;
using namespace dtensor;

/// Above this many passes sorting is cheaper.
constexpr int64_t kMaxPasses = 16;
constexpr int64_t kHigh = int64_t(1) << 32;
constexpr int64_t kPositions = int64_t(1) << 31;

namespace {
struct TopkExpansion {
  TopkOp op;
  CoreBuilder core;
  Type i64;
  int64_t k;

  void run(SmallVectorImpl<Value> &results);
  void runBySorting(SmallVectorImpl<Value> &results);

private:
  Value pack(Value input);
  Value best(Value packed, unsigned dim, unsigned reduced, Expr count);
  Value sortedBest(Value packed, unsigned dim, Expr count);
  Value ownBest(Value packed);
  Value decode(Value packed, Type type,
               llvm::function_ref<Value(Scalars, Value)> read);
  Value readValue(Scalars s, Value packed, Type element);
};
} // namespace

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

static Value shiftRight(Scalars s, Value value, int64_t bits) {
  return arith::ShRSIOp::create(s.builder, s.loc, value,
                                s.constant(value.getType(), bits));
}

static Value bitAnd(Scalars s, Value value, int64_t mask) {
  return arith::AndIOp::create(s.builder, s.loc, value,
                               s.constant(value.getType(), mask));
}

/// Negative floats grow with their bits: flips all but the sign. Its own
/// inverse.
static Value flipNegative(Scalars s, Value bits) {
  Value flip = bitAnd(s, shiftRight(s, bits, 31), 0x7fffffff);
  return arith::XOrIOp::create(s.builder, s.loc, bits, flip);
}

/// The key as an i64 in [-2^31, 2^31), and 1 for -0.0.
static std::pair<Value, Value> buildKey(Scalars s, Value x) {
  Type i64 = s.builder.getI64Type(), i32 = s.builder.getI32Type();
  Value none = s.constant(i64, 0);
  if (!isa<FloatType>(x.getType()))
    return {s.cast(x, i64), none};
  Value wide = s.cast(x, s.builder.getF32Type());
  Value bits = arith::BitcastOp::create(s.builder, s.loc, i32, wide);
  Value zero = s.constant(i32, 0);
  Value isZero = s.compare("eq", wide, s.constant(wide.getType(), 0));
  Value key = s.select(isZero, zero, flipNegative(s, bits));
  key = s.select(s.compare("ne", wide, wide), s.constant(i32, 0x7fffffff), key);
  Value isNegative = s.compare("lt", bits, zero);
  Value mark =
      arith::AndIOp::create(s.builder, s.loc, isZero, isNegative).getResult();
  return {s.cast(key, i64), s.select(mark, s.constant(i64, 1), none)};
}

static Value buildLowest(Scalars s) {
  return arith::ConstantOp::create(
      s.builder, s.loc,
      s.builder.getI64IntegerAttr(std::numeric_limits<int64_t>::min()));
}

Value TopkExpansion::pack(Value input) {
  unsigned rank = getExtents(input).size();
  return buildGeneric(
      core.builder, core.loc, "topk_pack", input, {identityDims(rank)},
      identityDims(rank), rank, ReduceKind::Sum,
      placedType(input, i64, identityDims(rank), getExtents(input)),
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        Value position = IndexOp::create(b, loc, b.getIndexType(),
                                         b.getI64IntegerAttr(op.getDim()));
        auto [key, mark] = buildKey(s, args[0]);
        if (op.getSmallest())
          key = s.sub(s.constant(i64, -1), key);
        Value rest =
            s.sub(s.constant(i64, kPositions - 1), s.cast(position, i64));
        Value low = s.add(s.mul(rest, s.constant(i64, 2)), mark);
        return s.add(s.mul(key, s.constant(i64, kHigh)), low);
      });
}

Value TopkExpansion::readValue(Scalars s, Value packed, Type element) {
  Value key = shiftRight(s, packed, 32);
  if (op.getSmallest())
    key = s.sub(s.constant(i64, -1), key);
  if (!isa<FloatType>(element))
    return s.cast(key, element);
  Type i32 = s.builder.getI32Type(), f32 = s.builder.getF32Type();
  Value narrow = s.cast(key, i32);
  Value isNan = s.compare("eq", narrow, s.constant(i32, 0x7fffffff));
  Value bits =
      s.select(isNan, s.constant(i32, 0x7fc00000), flipNegative(s, narrow));
  Value isMarked = s.compare("ne", bitAnd(s, packed, 1), s.constant(i64, 0));
  bits = s.select(isMarked, s.constant(i32, -2147483648.0), bits);
  Value wide = arith::BitcastOp::create(s.builder, s.loc, f32, bits);
  return s.cast(wide, element);
}

/// -1 where there was no element any more.
static Value readPosition(Scalars s, Value packed) {
  Value low = bitAnd(s, packed, kHigh - 1);
  Value position = s.sub(s.constant(packed.getType(), kPositions - 1),
                         shiftRight(s, low, 1));
  Value missing = s.compare("eq", packed, buildLowest(s));
  return s.select(missing, s.constant(packed.getType(), -1), position);
}

Value TopkExpansion::decode(Value packed, Type type,
                            llvm::function_ref<Value(Scalars, Value)> read) {
  unsigned rank = cast<RankedTensorType>(type).getRank();
  return buildGeneric(core.builder, core.loc, "topk_unpack", packed,
                      {identityDims(rank)}, identityDims(rank), rank,
                      ReduceKind::Sum, type,
                      [&](OpBuilder &b, Location loc, ValueRange args) {
                        return read({b, loc}, args[0]);
                      });
}

//===----------------------------------------------------------------------===//
// The largest
//===----------------------------------------------------------------------===//

/// Dimensions 0 to `rank`, without `count` of them from `first` on.
static IteratorList dimsWithout(unsigned rank, unsigned first, unsigned count) {
  IteratorList dims = identityDims(rank);
  dims.erase(dims.begin() + first, dims.begin() + first + count);
  return dims;
}

/// The largest element below `last`, null in the first pass.
static Value buildPass(CoreBuilder core, Value packed, Value last, Type type,
                       const IteratorList &kept) {
  unsigned rank = getExtents(packed).size();
  SmallVector<Value> inputs = {packed};
  SmallVector<IteratorList> dims = {identityDims(rank)};
  if (last) {
    inputs.push_back(last);
    dims.push_back(kept);
  }
  return buildGeneric(core.builder, core.loc, "topk", inputs, dims, kept, rank,
                      ReduceKind::Max, type,
                      [&](OpBuilder &b, Location loc, ValueRange args) {
                        if (!last)
                          return args[0];
                        Scalars s{b, loc};
                        Value left = s.compare("lt", args[0], args[1]);
                        return s.select(left, args[0], buildLowest(s));
                      });
}

/// `parts` one after the other along the dimension `dim` of `type`.
static Value joinPasses(CoreBuilder core, ArrayRef<Value> parts, unsigned dim,
                        Type type) {
  unsigned rank = cast<RankedTensorType>(type).getRank();
  SmallVector<IteratorList> dims(parts.size(), dimsWithout(rank, dim, 1));
  return buildGeneric(
      core.builder, core.loc, "topk_join", parts, dims, identityDims(rank),
      rank, ReduceKind::Sum, type,
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        Value slot =
            IndexOp::create(b, loc, b.getIndexType(), b.getI64IntegerAttr(dim));
        Value value = args[0];
        for (auto [i, arg] : llvm::enumerate(args.drop_front())) {
          Value number = arith::ConstantIndexOp::create(b, loc, i + 1);
          value = s.select(s.compare("eq", slot, number), arg, value);
        }
        return value;
      });
}

/// The k largest of the `reduced` dimensions from `dim` on, which become one.
Value TopkExpansion::best(Value packed, unsigned dim, unsigned reduced,
                          Expr count) {
  ExtentList extents = getExtents(packed), kept;
  IteratorList map(extents.size(), kWhole);
  IteratorList keptDims = dimsWithout(extents.size(), dim, reduced);
  for (auto [to, from] : llvm::enumerate(keptDims)) {
    map[from] = to;
    kept.push_back(extents[from]);
  }
  Type type = placedType(packed, i64, map, kept);
  SmallVector<Value> parts;
  for (int64_t pass = 0; pass < k; ++pass)
    parts.push_back(
        buildPass(core, packed, pass ? parts.back() : Value(), type, keptDims));
  for (int64_t &to : map)
    if (to >= int64_t(dim))
      ++to;
  kept.insert(kept.begin() + dim, count);
  return joinPasses(core, parts, dim, placedType(packed, i64, map, kept));
}

Value TopkExpansion::sortedBest(Value packed, unsigned dim, Expr count) {
  Type type = packed.getType();
  Value sorted = SortOp::create(core.builder, core.loc, type, type, packed, dim,
                                /*descending=*/true)
                     .getValues();
  ExtentList extents = getExtents(packed);
  extents[dim] = count;
  return core.part(
      sorted, dim, core.number(0), count,
      placedType(packed, i64, identityDims(extents.size()), extents));
}

/// The candidates of all ranks, whole: [..., candidates, ...].
Value TopkExpansion::ownBest(Value packed) {
  unsigned dim = op.getDim();
  ShardRows rows(core, packed, dim);
  Value stacked = rows.stack(
      core.builder.getI64IntegerAttr(std::numeric_limits<int64_t>::min()));
  Expr count = core.number(k);
  Value own;
  if (k <= kMaxPasses) {
    own = best(stacked, dim + 1, 1, count);
  } else {
    count = min(count, rows.capacity);
    own = sortedBest(stacked, dim + 1, count);
  }
  IteratorList whole = identityDims(rows.rank() + 1);
  whole[dim] = kWhole;
  return buildMove(core, own, placedType(own, i64, whole, getExtents(own)));
}

void TopkExpansion::run(SmallVectorImpl<Value> &results) {
  unsigned dim = op.getDim();
  Value packed = pack(op.getInput());
  bool isSharded = !getLayout(packed).getLayout().axesOf(dim).empty();
  Expr count = core.number(k);
  Value found;
  if (isSharded)
    packed = ownBest(packed);
  if (k <= kMaxPasses) {
    found = best(packed, dim, isSharded ? 2 : 1, count);
  } else {
    if (isSharded) {
      ExtentList extents = getExtents(packed);
      extents[dim] = extents[dim] * extents[dim + 1];
      extents.erase(extents.begin() + dim + 1);
      IteratorList map = identityDims(extents.size() + 1);
      map[dim + 1] = kWhole;
      for (int64_t &to : map)
        if (to > int64_t(dim))
          --to;
      packed = core.reshapeTo(packed, placedType(packed, i64, map, extents));
    }
    found = sortedBest(packed, dim, count);
  }
  Type element = scalarType(op.getValues()),
       index = scalarType(op.getIndices());
  results.push_back(
      decode(found, op.getValues().getType(), [&](Scalars s, Value packed) {
        return readValue(s, packed, element);
      }));
  results.push_back(
      decode(found, op.getIndices().getType(), [&](Scalars s, Value packed) {
        return s.cast(readPosition(s, packed), index);
      }));
}

/// Elements of more than 32 bits.
void TopkExpansion::runBySorting(SmallVectorImpl<Value> &results) {
  unsigned dim = op.getDim();
  Value input = op.getInput();
  ExtentList extents = getExtents(input);
  IteratorList whole = identityDims(extents.size());
  whole[dim] = kWhole;
  Type element = scalarType(input);
  Type type = placedType(input, element, whole, extents);
  Type indexType =
      placedType(input, scalarType(op.getIndices()), whole, extents);
  input = buildMove(core, input, type);
  auto sorted = SortOp::create(core.builder, core.loc, type, indexType, input,
                               dim, !op.getSmallest());
  for (auto [value, type] :
       llvm::zip_equal(sorted->getResults(), op->getResultTypes()))
    results.push_back(
        core.part(value, dim, core.number(0), core.number(k), type));
}

LogicalResult TopkOp::expand(OpBuilder &builder,
                             SmallVectorImpl<Value> &results) {
  CoreBuilder core{builder, getLoc()};
  Type element = scalarType(getInput());
  Expr extent = getExtents(getInput())[getDim()];
  core.check("the k of topk", core.number(getK()), extent);
  TopkExpansion expansion{*this, core, builder.getI64Type(), int64_t(getK())};
  if (element.isIndex() || element.getIntOrFloatBitWidth() > 32) {
    expansion.runBySorting(results);
    return success();
  }
  core.check("the extent of topk", extent, core.number(kPositions));
  expansion.run(results);
  return success();
}
