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
  if (getRing())
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

namespace {
class RingBuilder {
public:
  RingBuilder(AttentionOp op, OpBuilder &builder, PartitionContext &context,
              unsigned axis)
      : op(op), builder(builder), loc(op.getLoc()), context(context),
        exprs(getExprContext(op.getContext())), layout(getLayout(op.getKey())),
        mesh(layout.getMesh().getMesh()), axis(axis),
        dim(sequenceDim(op.getKey())) {
    Facts facts = factsAround(op);
    Expr size = localDim(mesh, layout.getLayout(), dim, exprs, &facts).capacity;
    keys = value(layout.getExtents()[dim]);
    capacity = value(size);
    ranks = value(mesh.sizeExpr(exprs, axis));
    rank = value(mesh.indexExpr(exprs, axis));
    zero = value(Expr::constant(exprs, 0));
    one = value(Expr::constant(exprs, 1));
    next =
        value(mod(mesh.indexExpr(exprs, axis) + 1, mesh.sizeExpr(exprs, axis)));
  }

  Value run(ValueRange operands);

private:
  Value value(Expr expr) {
    if (auto number = expr.getConstant())
      return arith::ConstantIndexOp::create(builder, loc, *number);
    return context.materialize(expr);
  }
  Scalars scalars() { return {builder, loc}; }
  /// Where piece `piece` begins.
  Value offsetOf(Value piece) {
    return arith::MinSIOp::create(builder, loc, keys,
                                  scalars().mul(piece, capacity));
  }
  /// The diagonal of this rank's queries and the keys from `begin` on.
  Value diagonalAt(Value begin) {
    return diagonal ? scalars().sub(diagonal, begin) : Value();
  }
  void measureDiagonal(ValueRange operands);
  RankedTensorType openType(Value local);
  Value pass(Value local, Value size);
  void buildStep(AttentionLowering &lowering, Value index, ValueRange carried);

  AttentionOp op;
  OpBuilder &builder;
  Location loc;
  PartitionContext &context;
  ExprContext &exprs;
  LayoutAttr layout;
  const Mesh &mesh;
  unsigned axis, dim;
  Value keys, capacity, ranks, rank, zero, one, next;
  /// Of this rank's queries and all keys; null if all are seen.
  Value diagonal;
};
} // namespace

void RingBuilder::measureDiagonal(ValueRange operands) {
  if (!op.getCausal())
    return;
  Value whole = op.getDiagonal() ? operands[3]
                                 : value(getExtents(op.getKey())[dim] -
                                         getExtents(op.getQuery())[dim]);
  diagonal = scalars().add(whole, context.getOffset(op.getQuery(), dim));
}

/// Pieces have different sizes.
RankedTensorType RingBuilder::openType(Value local) {
  auto type = cast<RankedTensorType>(local.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[dim] = ShapedType::kDynamic;
  return RankedTensorType::get(shape, type.getElementType());
}

/// The piece of `size` rows that the neighbour has.
Value RingBuilder::pass(Value local, Value size) {
  auto type = cast<RankedTensorType>(local.getType());
  SmallVector<Value> sizes;
  for (int64_t i = 0; i < type.getRank(); ++i)
    if (type.isDynamicDim(i))
      sizes.push_back(i == int64_t(dim) ? size
                                        : Value(tensor::DimOp::create(
                                              builder, loc, local, i)));
  return CollectivePermuteOp::create(
      builder, loc, type, local, next, sizes, layout.getMesh(),
      builder.getDenseI64ArrayAttr({static_cast<int64_t>(axis)}));
}

/// One further piece.
void RingBuilder::buildStep(AttentionLowering &lowering, Value index,
                            ValueRange carried) {
  Value piece =
      arith::RemUIOp::create(builder, loc, scalars().add(rank, index), ranks);
  Value begin = offsetOf(piece);
  Value size = arith::MinSIOp::create(builder, loc, capacity,
                                      scalars().sub(keys, begin));
  Value key = pass(carried[0], size), value = pass(carried[1], size);
  AttentionState state =
      lowering.step({carried[2], carried[3], carried[4]}, key, value,
                    diagonalAt(begin), /*isFirst=*/false);
  scf::YieldOp::create(
      builder, loc,
      ValueRange{key, value, state.maximum, state.sum, state.product});
}

Value RingBuilder::run(ValueRange operands) {
  measureDiagonal(operands);
  Value key = castTensor(builder, loc, operands[1], openType(operands[1]));
  Value value = castTensor(builder, loc, operands[2], openType(operands[2]));
  AttentionLowering lowering(builder, loc, operands[0], key, op.getScaleAttr());
  AttentionState state =
      lowering.step(lowering.start(value), key, value,
                    diagonalAt(offsetOf(rank)), /*isFirst=*/true);
  auto loop = scf::ForOp::create(
      builder, loc, one, ranks, one,
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
