//===- SortMerges.cpp - sorting what no rank has --------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every rank sorts its shard, padded to the capacity of one. Then pairs of
// ranks exchange what they have: the first keeps the smaller half of it, the
// second the larger one. Which pairs, is Batcher's merge exchange (Knuth,
// volume 3, algorithm 5.2.2M), a network for any number of ranks: t(t+1)/2
// rounds for at most 2^t of them. What sorts elements sorts shards of one size.
//
// An element travels with its position, so that no two are equal: the order is
// that of a stable sort, on every mesh. Padding has the position -1 and ends up
// where the last shards have no elements.
//
//===----------------------------------------------------------------------===//

#include "CompositeUtils.h"
#include "ShardGather.h"
#include "dtensor/Dialect/DTensor/IR/Bytes.h"
#include "dtensor/Dialect/DTensor/IR/LocalOps.h"
#include "dtensor/Dialect/DTensor/IR/RuleUtils.h"
#include "dtensor/Dialect/DTensor/IR/ScatterOps.h"
#include "dtensor/Sharding/LocalShape.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace dtensor;

//===----------------------------------------------------------------------===//
// Gather or merge
//===----------------------------------------------------------------------===//

static bool isCut(Operation *user, LayoutAttr cut) {
  auto move = dyn_cast<RedistributeOp>(user);
  return move && getLayout(move.getResult()) == cut;
}

namespace {
/// What both ways take on one rank, at the hints.
class SortCost {
public:
  SortCost(SortOp op, unsigned axis, LayoutAttr cut)
      : op(op), cut(cut), facts(factsAround(op)),
        ranks(cut.getMesh().getMesh().hint(axis)),
        length(facts.hint(getExtents(op.getInput())[op.getDim()])),
        values(getHintedBytes(op.getValues().getType(), facts)),
        indices(getHintedBytes(op.getIndices().getType(), facts)) {}

  double gather() {
    return model.stepTime(StepKind::AllGather, values, ranks, op.getDim()) +
           values / model.heldMemory + passes(length) * walk(1);
  }
  double merge() {
    double n = static_cast<double>(ranks);
    unsigned steps = llvm::Log2_64_Ceil(ranks),
             rounds = steps * (steps + 1) / 2;
    double round =
        model.passTime(values / n) + model.passTime(indices / n) + 2 * walk(n);
    double time =
        passes(llvm::divideCeil(length, ranks)) * walk(n) + rounds * round;
    for (auto [result, bytes] : {std::pair{op.getValues(), values},
                                 std::pair{op.getIndices(), indices}})
      if (!llvm::all_of(result.getUsers(),
                        [&](Operation *user) { return isCut(user, cut); }))
        time += model.stepTime(StepKind::AllGather, bytes, ranks, op.getDim());
    return time;
  }

private:
  static double passes(int64_t length) {
    return llvm::Log2_64_Ceil(std::max<int64_t>(length, 2));
  }
  /// Reading and writing a part of all elements and their positions.
  double walk(double parts) const {
    return 2 * (values + indices) / parts / model.memoryBandwidth;
  }

  SortOp op;
  LayoutAttr cut;
  Facts facts;
  int64_t ranks, length;
  double values, indices;
  CostModel model;
};
} // namespace

LogicalResult SortOp::expand(OpBuilder &builder,
                             SmallVectorImpl<Value> &results) {
  auto gather = getInput().getDefiningOp<RedistributeOp>();
  if (getMerges() || !gather)
    return success();
  auto axis = soleAxis(dtensor::getLayout(gather.getInput()), getDim());
  if (!axis || !gatherOf(getInput(), getDim(), *axis))
    return success();
  LayoutAttr cut = dtensor::getLayout(gather.getInput());
  SortCost cost(*this, *axis, cut);
  if (cost.gather() <= cost.merge())
    return success();
  auto cutType = [&](Value value) {
    return withLayout(cast<RankedTensorType>(value.getType()), cut);
  };
  auto sorted = SortOp::create(builder, getLoc(), cutType(getValues()),
                               cutType(getIndices()), gather.getInput(),
                               getDim(), getDescending(), /*merges=*/true);
  for (auto [from, to] : llvm::zip_equal(sorted->getResults(), getResults()))
    results.push_back(RedistributeOp::create(builder, getLoc(), to.getType(),
                                             from, PlanAttr()));
  return success();
}

//===----------------------------------------------------------------------===//
// The local program
//===----------------------------------------------------------------------===//

namespace {
/// Elements in order, and where they were.
struct Sorted {
  Value values, positions;
};

class SortMerger {
public:
  SortMerger(SortOp op, OpBuilder &builder, PartitionContext &context,
             unsigned axis)
      : op(op), builder(builder), loc(op.getLoc()), context(context),
        exprs(getExprContext(op.getContext())),
        layout(getLayout(op.getInput())), axis(axis), dim(op.getDim()) {
    const Mesh &mesh = layout.getMesh().getMesh();
    Facts facts = factsAround(op);
    capacity =
        value(localDim(mesh, layout.getLayout(), dim, exprs, &facts).capacity);
    ranks = value(mesh.sizeExpr(exprs, axis));
    rank = value(mesh.indexExpr(exprs, axis));
    zero = number(0);
    one = number(1);
  }

  void run(Value input, SmallVectorImpl<Value> &results);

private:
  Value number(int64_t value) {
    return arith::ConstantIndexOp::create(builder, loc, value);
  }
  Value value(Expr expr) {
    if (auto constant = expr.getConstant())
      return number(*constant);
    return context.materialize(expr);
  }
  Scalars scalars() { return {builder, loc}; }
  Value bitAnd(Value lhs, Value rhs) {
    return arith::AndIOp::create(builder, loc, lhs, rhs);
  }
  Value half(Value number) {
    return arith::ShRUIOp::create(builder, loc, number, one);
  }
  SmallVector<Value>
  loop(Value count, ValueRange carried,
       llvm::function_ref<SmallVector<Value>(ValueRange carried)> body);
  Sorted sortOwn(Value input);
  Value globalPositions(Value positions);
  Value padded(Value tensor, double filler);
  std::pair<Value, Value> measureNetwork();
  Value pass(Value local, Value partner);
  Sorted exchange(const Sorted &own, Value p, Value r, Value d);
  Value ownPart(Value tensor, Value global);

  SortOp op;
  OpBuilder &builder;
  Location loc;
  PartitionContext &context;
  ExprContext &exprs;
  LayoutAttr layout;
  unsigned axis, dim;
  Value capacity, ranks, rank, zero, one;
};
} // namespace

SmallVector<Value> SortMerger::loop(
    Value count, ValueRange carried,
    llvm::function_ref<SmallVector<Value>(ValueRange carried)> body) {
  auto loop = scf::ForOp::create(builder, loc, zero, count, one, carried);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  scf::YieldOp::create(builder, loc, body(loop.getRegionIterArgs()));
  return llvm::to_vector_of<Value>(loop.getResults());
}

/// The positions of this rank's elements in the whole.
Value SortMerger::globalPositions(Value positions) {
  Type element = scalarType(positions);
  Value offset = context.getOffset(op.getInput(), dim);
  Value added = scalars().cast(offset, element);
  int64_t rank = cast<RankedTensorType>(positions.getType()).getRank();
  AffineMap map = builder.getMultiDimIdentityMap(rank);
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  Value empty = tensor::EmptyOp::create(
      builder, loc, tensor::getMixedSizes(builder, loc, positions), element);
  auto generic = linalg::GenericOp::create(
      builder, loc, empty.getType(), positions, empty, ArrayRef{map, map},
      iterators, [&](OpBuilder &b, Location loc, ValueRange args) {
        linalg::YieldOp::create(b, loc, Scalars{b, loc}.add(args[0], added));
      });
  return generic.getResult(0);
}

/// As many as a shard may have, `filler` behind.
Value SortMerger::padded(Value tensor, double filler) {
  Type element = scalarType(tensor);
  SmallVector<OpFoldResult> own = tensor::getMixedSizes(builder, loc, tensor);
  SmallVector<OpFoldResult> sizes = own;
  sizes[dim] = capacity;
  Value empty = tensor::EmptyOp::create(builder, loc, sizes, element);
  Value fill = scalars().constant(element, filler);
  Value filled = linalg::FillOp::create(builder, loc, fill, empty).getResult(0);
  SmallVector<OpFoldResult> offsets(own.size(), builder.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(own.size(), builder.getIndexAttr(1));
  return tensor::InsertSliceOp::create(builder, loc, tensor, filled, offsets,
                                       own, strides);
}

Sorted SortMerger::sortOwn(Value input) {
  auto sorted = SortOp::create(
      builder, loc, context.getLocalType(op.getValues()),
      context.getLocalType(op.getIndices()), input, dim, op.getDescending());
  return {padded(sorted.getValues(), 0),
          padded(globalPositions(sorted.getIndices()), -1)};
}

/// The greatest power of two that is less than the number of ranks, 0 for one
/// rank, and the number of rounds.
std::pair<Value, Value> SortMerger::measureNetwork() {
  SmallVector<Value> found =
      loop(number(62), {one, zero}, [&](ValueRange carried) {
        Scalars s = scalars();
        Value less = s.compare("lt", carried[0], ranks);
        Value twice = s.add(carried[0], carried[0]);
        return SmallVector<Value>{
            s.select(less, twice, carried[0]),
            s.select(less, s.add(carried[1], one), carried[1])};
      });
  Value steps = found[1];
  Value rounds = half(scalars().mul(steps, scalars().add(steps, one)));
  return {half(found[0]), rounds};
}

/// What the partner has.
Value SortMerger::pass(Value local, Value partner) {
  return passShard(builder, loc, local, {layout.getMesh(), axis, partner}, dim,
                   capacity);
}

/// Ranks i and i + d with (i & p) == r are a pair. Who has no partner takes
/// nothing of what it passes to itself.
Sorted SortMerger::exchange(const Sorted &own, Value p, Value r, Value d) {
  Scalars s = scalars();
  Value above = s.add(rank, d), below = s.sub(rank, d);
  Value isFirst = bitAnd(s.compare("eq", bitAnd(rank, p), r),
                         s.compare("lt", above, ranks));
  Value isSecond = bitAnd(s.compare("ge", below, zero),
                          s.compare("eq", bitAnd(below, p), r));
  Value partner = s.select(isFirst, above, s.select(isSecond, below, rank));
  Value begin = s.select(isSecond, capacity, zero);
  Value count = s.select(isFirst, capacity, begin);
  auto merged = MergeOp::create(
      builder, loc, own.values, own.positions, pass(own.values, partner),
      pass(own.positions, partner), begin, count, dim, op.getDescending());
  return {merged.getResult(), merged.getResultPositions()};
}

/// Without the padding, of the local type of `global`.
Value SortMerger::ownPart(Value tensor, Value global) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, tensor);
  sizes[dim] = context.getLocalSize(global, dim);
  SmallVector<OpFoldResult> offsets(sizes.size(), builder.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(sizes.size(), builder.getIndexAttr(1));
  Value part = tensor::ExtractSliceOp::create(builder, loc, tensor, offsets,
                                              sizes, strides);
  return castTensor(builder, loc, part, context.getLocalType(global));
}

void SortMerger::run(Value input, SmallVectorImpl<Value> &results) {
  Sorted own = sortOwn(input);
  auto [top, rounds] = measureNetwork();
  SmallVector<Value> network = {own.values, own.positions, top, top, zero, top};
  SmallVector<Value> merged =
      loop(rounds, network, [&, top = top](ValueRange carried) {
        Value p = carried[2], q = carried[3], r = carried[4], d = carried[5];
        Sorted now = exchange({carried[0], carried[1]}, p, r, d);
        Scalars s = scalars();
        Value isLast = s.compare("eq", q, p);
        return SmallVector<Value>{now.values,
                                  now.positions,
                                  s.select(isLast, half(p), p),
                                  s.select(isLast, top, half(q)),
                                  s.select(isLast, zero, p),
                                  s.select(isLast, half(p), s.sub(q, p))};
      });
  results.push_back(ownPart(merged[0], op.getValues()));
  results.push_back(ownPart(merged[1], op.getIndices()));
}

bool SortOp::communicates() {
  LayoutAttr layout = dtensor::getLayout(getInput());
  return getMerges() && layout && !layout.getLayout().axesOf(getDim()).empty();
}

LogicalResult SortOp::partition(OpBuilder &builder, ValueRange operands,
                                PartitionContext &context,
                                SmallVectorImpl<Value> &results) {
  if (!communicates()) {
    auto sorted =
        SortOp::create(builder, getLoc(), context.getLocalType(getValues()),
                       context.getLocalType(getIndices()), operands[0],
                       getDim(), getDescending());
    llvm::append_range(results, sorted->getResults());
    return success();
  }
  LayoutAttr layout = dtensor::getLayout(getInput());
  SmallVector<unsigned> axes = layout.getLayout().axesOf(getDim());
  if (axes.size() != 1)
    return emitOpError(
               "merges along one mesh axis, but its operand has layout ")
           << layout;
  SortMerger(*this, builder, context, axes.front()).run(operands[0], results);
  return success();
}
