//===- OrderedLowering.cpp - ordered ops as loops -------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One element at a time, in row-major order, on the tensors of one rank.
//
//===----------------------------------------------------------------------===//

#include "OrderedLowering.h"

#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "dtensor/Dialect/DTensor/IR/Reductions.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace dtensor;

ScatterLoops dtensor::scatterLoops(unsigned targetRank, unsigned indexRank,
                                   unsigned dim, bool rows) {
  ScatterLoops loops;
  unsigned replaced = rows ? indexRank : 1;
  loops.indexDims = identityDims(indexRank);
  if (rows)
    for (int64_t &loop : loops.indexDims)
      loop += dim;
  for (unsigned i = 0; i < targetRank; ++i)
    loops.targetDims.push_back(i < dim    ? i
                               : i == dim ? kBroadcast
                                          : i + replaced - 1);
  return loops;
}

namespace {
/// Builds loops around a position.
struct LoopBuilder {
  OpBuilder &builder;
  Location loc;

  using Body = llvm::function_ref<SmallVector<Value>(OpBuilder &, Value index,
                                                     ValueRange carried)>;

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(builder, loc, value);
  }
  Value size(Value tensor, int64_t dim) {
    return tensor::DimOp::create(builder, loc, tensor, dim);
  }
  SmallVector<Value> loop(Value from, Value to, ValueRange carried, Body body) {
    auto op = scf::ForOp::create(
        builder, loc, from, to, index(1), carried,
        [&](OpBuilder &b, Location, Value i, ValueRange values) {
          scf::YieldOp::create(b, loc, body(b, i, values));
        });
    return llvm::to_vector_of<Value>(op.getResults());
  }
};
} // namespace

/// Calls `body` at every position of the dimensions `dims` of `shape`, with one
/// value carried along; `positions` has the positions of all dimensions.
static Value buildNest(LoopBuilder loops, Value shape, ArrayRef<int64_t> dims,
                       SmallVector<Value> &positions, Value carried,
                       llvm::function_ref<Value(OpBuilder &, Value)> body) {
  if (dims.empty())
    return body(loops.builder, carried);
  return loops
      .loop(loops.index(0), loops.size(shape, dims.front()), carried,
            [&](OpBuilder &b, Value i, ValueRange values) {
              positions[dims.front()] = i;
              return SmallVector<Value>{buildNest({b, loops.loc}, shape,
                                                  dims.drop_front(), positions,
                                                  values[0], body)};
            })
      .front();
}

/// A tensor of the shape of `like` that is not initialized.
static Value buildEmpty(LoopBuilder loops, Value like, Type element) {
  auto type = cast<RankedTensorType>(like.getType());
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(loops.builder, loops.loc, like);
  Value empty =
      tensor::EmptyOp::create(loops.builder, loops.loc, sizes, element);
  auto wanted = RankedTensorType::get(type.getShape(), element);
  if (empty.getType() == wanted)
    return empty;
  return tensor::CastOp::create(loops.builder, loops.loc, wanted, empty);
}

//===----------------------------------------------------------------------===//
// Scatter
//===----------------------------------------------------------------------===//

/// Writes `update` at `positions` if `local` is inside of dimension `dim`.
static Value buildWrite(ScatterOp op, LoopBuilder loops, Value target,
                        Value update, Value local, ArrayRef<Value> positions) {
  OpBuilder &b = loops.builder;
  Location loc = loops.loc;
  Scalars s{b, loc};
  Value inside = arith::AndIOp::create(
      b, loc, s.compare("ge", local, loops.index(0)),
      s.compare("lt", local, loops.size(target, op.getDim())));
  auto choice = scf::IfOp::create(
      b, loc, inside,
      [&](OpBuilder &b, Location loc) {
        Value value = update;
        if (op.getAdd())
          value = Scalars{b, loc}.add(
              tensor::ExtractOp::create(b, loc, target, positions), value);
        Value written =
            tensor::InsertOp::create(b, loc, value, target, positions);
        scf::YieldOp::create(b, loc, written);
      },
      [&](OpBuilder &b, Location loc) {
        scf::YieldOp::create(b, loc, target);
      });
  return choice.getResult(0);
}

static Value lowerScatter(ScatterOp op, LoopBuilder loops) {
  Value updates = op.getUpdates(), indices = op.getIndices();
  auto rank = [](Value value) {
    return cast<RankedTensorType>(value.getType()).getRank();
  };
  ScatterLoops map = scatterLoops(rank(op.getInput()), rank(indices),
                                  op.getDim(), op.getRows());
  SmallVector<Value> at(rank(updates));
  auto pick = [&](const IteratorList &dims, Value otherwise) {
    SmallVector<Value> positions;
    for (int64_t dim : dims)
      positions.push_back(dim == kBroadcast ? otherwise : at[dim]);
    return positions;
  };
  return buildNest(loops, updates, identityDims(at.size()), at, op.getInput(),
                   [&](OpBuilder &b, Value target) {
                     Scalars s{b, loops.loc};
                     Value read = tensor::ExtractOp::create(
                         b, loops.loc, indices, pick(map.indexDims, Value()));
                     Value local = s.cast(read, b.getIndexType());
                     if (op.getOffset())
                       local = s.sub(local, op.getOffset());
                     Value update =
                         tensor::ExtractOp::create(b, loops.loc, updates, at);
                     return buildWrite(op, {b, loops.loc}, target, update,
                                       local, pick(map.targetDims, local));
                   });
}

//===----------------------------------------------------------------------===//
// Scan
//===----------------------------------------------------------------------===//

static Value lowerScan(ScanOp op, LoopBuilder loops) {
  Value input = op.getInput();
  int64_t rank = cast<RankedTensorType>(input.getType()).getRank();
  Type element = scalarType(input);
  ReduceKind kind = *parseScanKind(op.getKind());
  Value neutral = arith::ConstantOp::create(loops.builder, loops.loc,
                                            getNeutralElement(kind, element));
  IteratorList others;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (dim != int64_t(op.getDim()))
      others.push_back(dim);
  SmallVector<Value> at(rank);
  return buildNest(loops, input, others, at, buildEmpty(loops, input, element),
                   [&](OpBuilder &b, Value target) {
                     LoopBuilder inner{b, loops.loc};
                     return inner
                         .loop(inner.index(0), inner.size(input, op.getDim()),
                               {target, neutral},
                               [&](OpBuilder &b, Value i, ValueRange values) {
                                 at[op.getDim()] = i;
                                 Value x = tensor::ExtractOp::create(
                                     b, loops.loc, input, at);
                                 Value sum = createCombiner(b, loops.loc, kind,
                                                            values[1], x);
                                 Value written = tensor::InsertOp::create(
                                     b, loops.loc, sum, values[0], at);
                                 return SmallVector<Value>{written, sum};
                               })
                         .front();
                   });
}

//===----------------------------------------------------------------------===//
// Sort
//===----------------------------------------------------------------------===//

Value dtensor::buildIsBefore(Scalars s, Value lhs, Value rhs, bool descending) {
  Value before = s.compare(descending ? "gt" : "lt", lhs, rhs);
  if (!isa<FloatType>(lhs.getType()))
    return before;
  Value lhsIsNan = s.compare("ne", lhs, lhs);
  Value rhsIsNan = s.compare("ne", rhs, rhs);
  if (descending)
    std::swap(lhsIsNan, rhsIsNan);
  // Ascending: a number is before NaN.
  Value lhsIsNumber = arith::XOrIOp::create(s.builder, s.loc, lhsIsNan,
                                            s.constant(lhsIsNan.getType(), 1));
  Value last = arith::AndIOp::create(s.builder, s.loc, lhsIsNumber, rhsIsNan);
  return arith::OrIOp::create(s.builder, s.loc, before, last);
}

namespace {
/// A stable merge sort of one row. `scratch` [2, n] holds two lists of
/// positions: runs of `width` in order in one of them are merged into the
/// other.
struct MergeSort {
  SortOp op;
  Location loc;
  SmallVector<Value> &at;
  Value count;

  Value read(OpBuilder &b, Value scratch, Value side, Value i) {
    return tensor::ExtractOp::create(b, loc, scratch, ValueRange{side, i});
  }
  Value element(OpBuilder &b, Value position) {
    SmallVector<Value> positions = at;
    positions[op.getDim()] =
        arith::IndexCastOp::create(b, loc, b.getIndexType(), position);
    return tensor::ExtractOp::create(b, loc, op.getInput(), positions);
  }
  Value takesLeft(OpBuilder &b, Value scratch, Value side, Value left,
                  Value right, Value middle, Value end);
  Value mergeRuns(OpBuilder &b, Value scratch, Value side, Value begin,
                  Value width);
  std::pair<Value, Value> sort(OpBuilder &b, Value scratch);
};
} // namespace

/// The left run has an element and the right one has none, or none before it.
Value MergeSort::takesLeft(OpBuilder &b, Value scratch, Value side, Value left,
                           Value right, Value middle, Value end) {
  Scalars s{b, loc};
  Value hasLeft = s.compare("lt", left, middle);
  Value hasRight = s.compare("lt", right, end);
  Value both = arith::AndIOp::create(b, loc, hasLeft, hasRight);
  auto choice = scf::IfOp::create(
      b, loc, both,
      [&](OpBuilder &b, Location loc) {
        Value x = element(b, read(b, scratch, side, left));
        Value y = element(b, read(b, scratch, side, right));
        Value before = buildIsBefore({b, loc}, y, x, op.getDescending());
        Value one = Scalars{b, loc}.constant(before.getType(), 1);
        Value stays = arith::XOrIOp::create(b, loc, before, one);
        scf::YieldOp::create(b, loc, stays);
      },
      [&](OpBuilder &b, Location loc) {
        scf::YieldOp::create(b, loc, hasLeft);
      });
  return choice.getResult(0);
}

Value MergeSort::mergeRuns(OpBuilder &b, Value scratch, Value side, Value begin,
                           Value width) {
  Scalars s{b, loc};
  LoopBuilder loops{b, loc};
  Value middle = s.minimum(s.add(begin, width), count);
  Value end = s.minimum(s.add(middle, width), count);
  Value other = s.sub(loops.index(1), side);
  return loops
      .loop(begin, end, {scratch, begin, middle},
            [&](OpBuilder &b, Value i, ValueRange carried) {
              Scalars s{b, loc};
              Value left = carried[1], right = carried[2];
              Value isLeft =
                  takesLeft(b, carried[0], side, left, right, middle, end);
              Value from = s.select(isLeft, left, right);
              Value position = read(b, carried[0], side, from);
              Value written = tensor::InsertOp::create(
                  b, loc, position, carried[0], ValueRange{other, i});
              Value one = arith::ConstantIndexOp::create(b, loc, 1);
              return SmallVector<Value>{
                  written, s.select(isLeft, s.add(left, one), left),
                  s.select(isLeft, right, s.add(right, one))};
            })
      .front();
}

/// The scratch tensor and the side of it that is in order.
std::pair<Value, Value> MergeSort::sort(OpBuilder &b, Value scratch) {
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  SmallVector<Value> carried = {scratch, zero, one};
  SmallVector<Type> types = llvm::to_vector(ValueRange(carried).getTypes());
  auto loop = scf::WhileOp::create(
      b, loc, types, carried,
      [&](OpBuilder &b, Location loc, ValueRange values) {
        Value more = Scalars{b, loc}.compare("lt", values[2], count);
        scf::ConditionOp::create(b, loc, more, values);
      },
      [&](OpBuilder &b, Location loc, ValueRange values) {
        Scalars s{b, loc};
        Value side = values[1], width = values[2];
        Value step = s.add(width, width);
        auto runs = scf::ForOp::create(
            b, loc, zero, count, step, values[0],
            [&](OpBuilder &b, Location loc, Value begin, ValueRange inner) {
              scf::YieldOp::create(b, loc,
                                   mergeRuns(b, inner[0], side, begin, width));
            });
        scf::YieldOp::create(
            b, loc, ValueRange{runs.getResult(0), s.sub(one, side), step});
      });
  return {loop.getResult(0), loop.getResult(1)};
}

/// Sorts the row at `at` into `values` and `indices`.
static SmallVector<Value> sortRow(SortOp op, LoopBuilder loops,
                                  SmallVector<Value> &at, Value values,
                                  Value indices) {
  OpBuilder &b = loops.builder;
  Location loc = loops.loc;
  Type i64 = b.getI64Type();
  Value count = loops.size(op.getInput(), op.getDim());
  Value scratch = tensor::EmptyOp::create(
      b, loc, {b.getIndexAttr(2), OpFoldResult(count)}, i64);
  Value zero = loops.index(0);
  scratch = loops
                .loop(zero, count, scratch,
                      [&](OpBuilder &b, Value i, ValueRange carried) {
                        Value position =
                            arith::IndexCastOp::create(b, loc, i64, i);
                        Value written = tensor::InsertOp::create(
                            b, loc, position, carried[0], ValueRange{zero, i});
                        return SmallVector<Value>{written};
                      })
                .front();
  MergeSort merge{op, loc, at, count};
  auto [sorted, side] = merge.sort(b, scratch);
  return loops.loop(
      zero, count, {values, indices},
      [&, sorted = sorted, side = side](OpBuilder &b, Value i,
                                        ValueRange carried) {
        Value position = merge.read(b, sorted, side, i);
        Value value = merge.element(b, position);
        at[op.getDim()] = i;
        Value index =
            Scalars{b, loc}.cast(position, scalarType(op.getIndices()));
        return SmallVector<Value>{
            tensor::InsertOp::create(b, loc, value, carried[0], at),
            tensor::InsertOp::create(b, loc, index, carried[1], at)};
      });
}

/// As buildNest with two values.
static SmallVector<Value> sortRows(SortOp op, LoopBuilder loops,
                                   ArrayRef<int64_t> dims,
                                   SmallVector<Value> &at, ValueRange carried) {
  if (dims.empty())
    return sortRow(op, loops, at, carried[0], carried[1]);
  return loops.loop(loops.index(0), loops.size(op.getInput(), dims.front()),
                    carried, [&](OpBuilder &b, Value i, ValueRange values) {
                      at[dims.front()] = i;
                      return sortRows(op, {b, loops.loc}, dims.drop_front(), at,
                                      values);
                    });
}

static SmallVector<Value> lowerSort(SortOp op, LoopBuilder loops) {
  Value input = op.getInput();
  int64_t rank = cast<RankedTensorType>(input.getType()).getRank();
  IteratorList others;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (dim != int64_t(op.getDim()))
      others.push_back(dim);
  SmallVector<Value> at(rank);
  Value values = buildEmpty(loops, input, scalarType(input));
  Value indices = buildEmpty(loops, input, scalarType(op.getIndices()));
  return sortRows(op, loops, others, at, {values, indices});
}

SmallVector<Value> dtensor::lowerOrderedToLoops(OpBuilder &builder,
                                                Operation *op) {
  LoopBuilder loops{builder, op->getLoc()};
  SmallVector<Value> results;
  if (auto scatter = dyn_cast<ScatterOp>(op))
    results = {lowerScatter(scatter, loops)};
  else if (auto scan = dyn_cast<ScanOp>(op))
    results = {lowerScan(scan, loops)};
  else
    results = lowerSort(cast<SortOp>(op), loops);
  for (auto [result, value] : llvm::zip_equal(op->getResults(), results))
    if (value.getType() != result.getType())
      value = tensor::CastOp::create(builder, op->getLoc(), result.getType(),
                                     value);
  return results;
}
