//===- RowSorting.cpp - sorting and merging rows --------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LoopBuilder.h"
#include "OrderedLowering.h"

using namespace mlir;
using namespace dtensor;

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

using RowBody =
    llvm::function_ref<SmallVector<Value>(LoopBuilder, ValueRange carried)>;

/// As buildNest with two values.
static SmallVector<Value> overRows(LoopBuilder loops, Value shape,
                                   ArrayRef<int64_t> dims,
                                   SmallVector<Value> &at, ValueRange carried,
                                   RowBody body) {
  if (dims.empty())
    return body(loops, carried);
  return loops.loop(loops.index(0), loops.size(shape, dims.front()), carried,
                    [&](OpBuilder &b, Value i, ValueRange values) {
                      at[dims.front()] = i;
                      return overRows({b, loops.loc}, shape, dims.drop_front(),
                                      at, values, body);
                    });
}

/// Runs `body` for every row of `values` along `dim`, with what it makes of the
/// values and of the indices.
static SmallVector<Value> overRows(LoopBuilder loops, Value values,
                                   Type indexType, int64_t dim,
                                   SmallVector<Value> &at, RowBody body) {
  int64_t rank = cast<RankedTensorType>(values.getType()).getRank();
  IteratorList others;
  for (int64_t other = 0; other < rank; ++other)
    if (other != dim)
      others.push_back(other);
  at.resize(rank);
  Value empty = buildEmpty(loops, values, scalarType(values));
  Value indices = buildEmpty(loops, values, indexType);
  return overRows(loops, values, others, at, {empty, indices}, body);
}

SmallVector<Value> dtensor::lowerSort(SortOp op, LoopBuilder loops) {
  SmallVector<Value> at;
  return overRows(loops, op.getInput(), scalarType(op.getIndices()),
                  op.getDim(), at, [&](LoopBuilder loops, ValueRange carried) {
                    return sortRow(op, loops, at, carried[0], carried[1]);
                  });
}

//===----------------------------------------------------------------------===//
// Merge
//===----------------------------------------------------------------------===//

namespace {
/// Two rows that are walked side by side; `at` says which.
struct MergeRows {
  MergeOp op;
  Location loc;
  SmallVector<Value> &at;
  Value size;

  Value read(OpBuilder &b, Value tensor, Value position) {
    SmallVector<Value> positions(at);
    positions[op.getDim()] = position;
    return tensor::ExtractOp::create(b, loc, tensor, positions);
  }
  Value isLeftFirst(OpBuilder &b, Value left, Value right);
  Value takesLeft(OpBuilder &b, Value left, Value right);
  SmallVector<Value> next(OpBuilder &b, Value takes, Value left, Value right);
  SmallVector<Value> take(OpBuilder &b, Value takes, Value left, Value right);
  SmallVector<Value> run(LoopBuilder loops, ValueRange carried);
  SmallVector<Value> walk(LoopBuilder loops, Value end, ValueRange carried);
};
} // namespace

Value MergeRows::isLeftFirst(OpBuilder &b, Value left, Value right) {
  Scalars s{b, loc};
  Value x = read(b, op.getValues(), left);
  Value y = read(b, op.getOtherValues(), right);
  Value p = read(b, op.getPositions(), left);
  Value q = read(b, op.getOtherPositions(), right);
  Value before = buildIsBefore(s, x, y, op.getDescending());
  Value after = buildIsBefore(s, y, x, op.getDescending());
  Value isFirst =
      s.select(before, before, s.select(after, before, s.compare("lt", p, q)));
  Value none = s.constant(p.getType(), 0);
  Value isLeft = s.compare("ge", p, none), isRight = s.compare("ge", q, none);
  return s.select(isRight, arith::AndIOp::create(b, loc, isLeft, isFirst),
                  isLeft);
}

/// The left row has an element and the right one has none, or none before it.
Value MergeRows::takesLeft(OpBuilder &b, Value left, Value right) {
  Scalars s{b, loc};
  Value hasLeft = s.compare("lt", left, size);
  Value hasRight = s.compare("lt", right, op.getCount());
  Value both = arith::AndIOp::create(b, loc, hasLeft, hasRight);
  auto choice = scf::IfOp::create(
      b, loc, both,
      [&](OpBuilder &b, Location loc) {
        scf::YieldOp::create(b, loc, isLeftFirst(b, left, right));
      },
      [&](OpBuilder &b, Location loc) {
        scf::YieldOp::create(b, loc, hasLeft);
      });
  return choice.getResult(0);
}

SmallVector<Value> MergeRows::next(OpBuilder &b, Value takes, Value left,
                                   Value right) {
  Scalars s{b, loc};
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  return {s.select(takes, s.add(left, one), left),
          s.select(takes, right, s.add(right, one))};
}

/// The element that is taken and its position.
SmallVector<Value> MergeRows::take(OpBuilder &b, Value takes, Value left,
                                   Value right) {
  auto choice = scf::IfOp::create(
      b, loc, takes,
      [&](OpBuilder &b, Location loc) {
        scf::YieldOp::create(b, loc,
                             ValueRange{read(b, op.getValues(), left),
                                        read(b, op.getPositions(), left)});
      },
      [&](OpBuilder &b, Location loc) {
        scf::YieldOp::create(
            b, loc,
            ValueRange{read(b, op.getOtherValues(), right),
                       read(b, op.getOtherPositions(), right)});
      });
  return llvm::to_vector_of<Value>(choice.getResults());
}

/// One loop, which walks past what is before `begin`: a second one would need
/// what the first has found, outside of a kernel. For the same reason it stands
/// in another one, of one iteration, which gives nothing but the tensors.
SmallVector<Value> MergeRows::run(LoopBuilder loops, ValueRange carried) {
  Scalars s{loops.builder, loc};
  Value end = s.add(op.getBegin(), size);
  return loops.loop(loops.index(0), s.minimum(end, loops.index(1)), carried,
                    [&](OpBuilder &b, Value, ValueRange inner) {
                      return walk({b, loc}, end, inner);
                    });
}

SmallVector<Value> MergeRows::walk(LoopBuilder loops, Value end,
                                   ValueRange carried) {
  Value zero = loops.index(0), begin = op.getBegin();
  SmallVector<Value> found = loops.loop(
      zero, end, {carried[0], carried[1], zero, zero},
      [&](OpBuilder &b, Value i, ValueRange walked) {
        Scalars s{b, loc};
        Value takes = takesLeft(b, walked[2], walked[3]);
        SmallVector<Value> element = take(b, takes, walked[2], walked[3]);
        at[op.getDim()] = s.sub(i, begin);
        auto written = scf::IfOp::create(
            b, loc, s.compare("ge", i, begin),
            [&](OpBuilder &b, Location loc) {
              SmallVector<Value> both;
              for (unsigned k : {0, 1})
                both.push_back(tensor::InsertOp::create(b, loc, element[k],
                                                        walked[k], at));
              scf::YieldOp::create(b, loc, both);
            },
            [&](OpBuilder &b, Location loc) {
              scf::YieldOp::create(b, loc, walked.take_front(2));
            });
        SmallVector<Value> carry =
            llvm::to_vector_of<Value>(written.getResults());
        llvm::append_range(carry, next(b, takes, walked[2], walked[3]));
        return carry;
      });
  found.truncate(2);
  return found;
}

SmallVector<Value> dtensor::lowerMerge(MergeOp op, LoopBuilder loops) {
  SmallVector<Value> at;
  MergeRows rows{op, loops.loc, at, loops.size(op.getValues(), op.getDim())};
  return overRows(loops, op.getValues(), scalarType(op.getPositions()),
                  op.getDim(), at, [&](LoopBuilder loops, ValueRange carried) {
                    return rows.run(loops, carried);
                  });
}
