//===- AttentionRing.cpp - keys and values go round -----------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rank r of n has the queries and the keys of one piece of the sequence. In
// step i it sees the keys of piece (r + i) mod n and hands what it has to its
// neighbour: every rank sends n - 1 pieces, as many bytes as a gather takes,
// and holds one at a time. The sums go on from piece to piece
// (AttentionLowering).
//
//===----------------------------------------------------------------------===//

#include "AttentionRing.h"
#include "AttentionLowering.h"
#include "ShardGather.h"
#include "dtensor/Dialect/DTensor/IR/Bytes.h"
#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "dtensor/Dialect/DTensor/IR/LocalOps.h"
#include "dtensor/Sharding/LocalShape.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace dtensor;

//===----------------------------------------------------------------------===//
// Gather or ring
//===----------------------------------------------------------------------===//

static unsigned sequenceDim(Value value) {
  return cast<RankedTensorType>(value.getType()).getRank() - 2;
}

namespace {
/// What both ways take on one rank, at the hints.
class RingCost {
public:
  RingCost(AttentionOp op, unsigned axis)
      : facts(factsAround(op)),
        mesh(getLayout(op.getQuery()).getMesh().getMesh()),
        ranks(mesh.hint(axis)) {}

  double gather(RedistributeOp gather) const {
    double whole = getHintedBytes(gather.getType(), facts);
    return model.stepTime(StepKind::AllGather, whole, ranks,
                          sequenceDim(gather.getResult())) +
           whole / model.heldMemory;
  }
  double pass(RedistributeOp gather) const {
    double piece =
        getHintedBytes(gather.getType(), facts) / static_cast<double>(ranks);
    return static_cast<double>(ranks - 1) * model.passTime(piece);
  }
  /// Reading and writing the sums once more for every further piece.
  double merge(Value result) const {
    return static_cast<double>(ranks - 1) * 2 *
           getHintedBytes(result.getType(), facts, 4) / model.memoryBandwidth;
  }

private:
  Facts facts;
  const Mesh &mesh;
  int64_t ranks;
  CostModel model;
};
} // namespace

LogicalResult AttentionOp::expand(OpBuilder &builder,
                                  SmallVectorImpl<Value> &results) {
  if (getRing() || hasDeviceDiagonal())
    return success();
  auto axis = soleAxis(getLayout(getQuery()), sequenceDim(getQuery()));
  if (!axis)
    return success();
  RedistributeOp keys = gatherOf(getKey(), sequenceDim(getKey()), *axis),
                 values = gatherOf(getValue(), sequenceDim(getValue()), *axis);
  if (!keys || !values)
    return success();
  RingCost cost(*this, *axis);
  if (cost.gather(keys) + cost.gather(values) <=
      cost.pass(keys) + cost.pass(values) + cost.merge(getResult()))
    return success();
  results.push_back(AttentionOp::create(
      builder, getLoc(), getType(), getQuery(), keys.getInput(),
      values.getInput(), getDiagonal(), getCausalAttr(), builder.getUnitAttr(),
      getScaleAttr()));
  return success();
}

//===----------------------------------------------------------------------===//
// The local program
//===----------------------------------------------------------------------===//

RingPieces::RingPieces(Operation *op, Value keys, unsigned axis,
                       OpBuilder &builder, PartitionContext &context)
    : builder(builder), loc(op->getLoc()), context(context),
      layout(getLayout(keys)), axis(axis), dim(sequenceDim(keys)) {
  const Mesh &mesh = layout.getMesh().getMesh();
  ExprContext &exprs = getExprContext(op->getContext());
  Facts facts = factsAround(op);
  this->keys = value(layout.getExtents()[dim]);
  capacity =
      value(localDim(mesh, layout.getLayout(), dim, exprs, &facts).capacity);
  ranks = value(mesh.sizeExpr(exprs, axis));
  rank = value(mesh.indexExpr(exprs, axis));
  zero = value(Expr::constant(exprs, 0));
  one = value(Expr::constant(exprs, 1));
  next =
      value(mod(mesh.indexExpr(exprs, axis) + 1, mesh.sizeExpr(exprs, axis)));
}

Value RingPieces::value(Expr expr) {
  if (auto number = expr.getConstant())
    return arith::ConstantIndexOp::create(builder, loc, *number);
  return context.materialize(expr);
}

RingPieces::Piece RingPieces::at(Value step) {
  Scalars s{builder, loc};
  Value piece = arith::RemUIOp::create(builder, loc, s.add(rank, step), ranks);
  Value begin =
      arith::MinSIOp::create(builder, loc, keys, s.mul(piece, capacity));
  Value size =
      arith::MinSIOp::create(builder, loc, capacity, s.sub(keys, begin));
  return {begin, size};
}

Value RingPieces::open(Value local) {
  auto type = cast<RankedTensorType>(local.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[dim] = ShapedType::kDynamic;
  return castTensor(builder, loc, local,
                    RankedTensorType::get(shape, type.getElementType()));
}

Value RingPieces::pass(Value local, Value size) {
  return passShard(builder, loc, local, {layout.getMesh(), axis, next}, dim,
                   size);
}

Value RingPieces::diagonal(Value query, Value diagonal) {
  if (!diagonal)
    diagonal = value(layout.getExtents()[dim] - getExtents(query)[dim]);
  return Scalars{builder, loc}.add(diagonal, context.getOffset(query, dim));
}

Value RingPieces::diagonalAt(Value diagonal, Value begin) {
  return diagonal ? Scalars{builder, loc}.sub(diagonal, begin) : Value();
}

namespace {
class RingBuilder {
public:
  RingBuilder(AttentionOp op, OpBuilder &builder, PartitionContext &context,
              unsigned axis)
      : op(op), builder(builder), loc(op.getLoc()), context(context),
        pieces(op, op.getKey(), axis, builder, context) {}

  Value run(ValueRange operands);

private:
  void buildStep(AttentionLowering &lowering, Value index, ValueRange carried);

  AttentionOp op;
  OpBuilder &builder;
  Location loc;
  PartitionContext &context;
  RingPieces pieces;
  /// Of this rank's queries and all keys; null if all are seen.
  Value diagonal;
};
} // namespace

/// One further piece.
void RingBuilder::buildStep(AttentionLowering &lowering, Value index,
                            ValueRange carried) {
  auto [begin, size] = pieces.at(index);
  Value key = pieces.pass(carried[0], size);
  Value value = pieces.pass(carried[1], size);
  AttentionState state =
      lowering.step({carried[2], carried[3], carried[4]}, key, value,
                    pieces.diagonalAt(diagonal, begin), /*isFirst=*/false);
  scf::YieldOp::create(
      builder, loc,
      ValueRange{key, value, state.maximum, state.sum, state.product});
}

Value RingBuilder::run(ValueRange operands) {
  if (op.getCausal())
    diagonal = pieces.diagonal(op.getQuery(),
                               op.getDiagonal() ? operands[3] : Value());
  Value key = pieces.open(operands[1]), value = pieces.open(operands[2]);
  AttentionLowering lowering(builder, loc, operands[0], key, op.getScaleAttr());
  Value begin = pieces.at(pieces.zero).begin;
  AttentionState state =
      lowering.step(lowering.start(value), key, value,
                    pieces.diagonalAt(diagonal, begin), /*isFirst=*/true);
  auto loop = scf::ForOp::create(
      builder, loc, pieces.one, pieces.ranks, pieces.one,
      ValueRange{key, value, state.maximum, state.sum, state.product});
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    buildStep(lowering, loop.getInductionVar(), loop.getRegionIterArgs());
  }
  return lowering.finish(
      {loop.getResult(2), loop.getResult(3), loop.getResult(4)},
      context.getLocalType(op.getResult()));
}

FailureOr<Value> dtensor::buildRing(AttentionOp op, OpBuilder &builder,
                                    ValueRange operands,
                                    PartitionContext &context) {
  auto axis = soleAxis(getLayout(op.getKey()), sequenceDim(op.getKey()));
  if (!axis)
    return op.emitOpError("goes round one mesh axis, but its keys have layout ")
           << getLayout(op.getKey());
  return RingBuilder(op, builder, context, *axis).run(operands);
}
