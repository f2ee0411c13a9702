//===- OrderedLowering.cpp - ordered ops as loops -------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One element at a time, on the tensors of one rank; those that may meet, in
// row-major order.
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
Value dtensor::buildEmpty(LoopBuilder loops, Value like, Type element) {
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
  // First what the target has as well: there iterations are independent.
  IteratorList order;
  for (bool isShared : {true, false})
    for (int64_t dim : identityDims(at.size()))
      if (llvm::is_contained(map.targetDims, dim) == isShared)
        order.push_back(dim);
  return buildNest(loops, updates, order, at, op.getInput(),
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

SmallVector<Value> dtensor::lowerOrderedToLoops(OpBuilder &builder,
                                                Operation *op) {
  LoopBuilder loops{builder, op->getLoc()};
  SmallVector<Value> results;
  if (auto scatter = dyn_cast<ScatterOp>(op))
    results = {lowerScatter(scatter, loops)};
  else if (auto scan = dyn_cast<ScanOp>(op))
    results = {lowerScan(scan, loops)};
  else if (auto merge = dyn_cast<MergeOp>(op))
    results = lowerMerge(merge, loops);
  else
    results = lowerSort(cast<SortOp>(op), loops);
  for (auto [result, value] : llvm::zip_equal(op->getResults(), results))
    if (value.getType() != result.getType())
      value = tensor::CastOp::create(builder, op->getLoc(), result.getType(),
                                     value);
  return results;
}
