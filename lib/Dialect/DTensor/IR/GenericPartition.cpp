//===- GenericPartition.cpp - a generic on the shards of one rank ---------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The loops run over the shard: iterator i of the local op is i + offset of the
// global one. A reduction begins at its neutral element on every rank, so that
// the local results, reduced over the ranks, are the global result:
//
//   result = (+)_r ( e (+) x_r0 (+) x_r1 ... )
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "dtensor/Dialect/DTensor/IR/Reductions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace dtensor;

/// An uninitialized local tensor for `result`.
static Value createEmpty(OpBuilder &builder, Location loc, Value result,
                         PartitionContext &context) {
  RankedTensorType type = context.getLocalType(result);
  SmallVector<Value> sizes;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (type.isDynamicDim(dim))
      sizes.push_back(context.getLocalSize(result, dim));
  return tensor::EmptyOp::create(builder, loc, type, sizes);
}

/// Where the loops of `op` start from.
static SmallVector<Value> createInits(GenericOp op, OpBuilder &builder,
                                      PartitionContext &context) {
  SmallVector<Value> inits;
  for (auto [i, result] : llvm::enumerate(op.getResults())) {
    Value init = createEmpty(builder, op.getLoc(), result, context);
    if (op.hasReduction()) {
      TypedAttr neutral = getNeutralElement(
          op.getReduction(i), getElementTypeOrSelf(result.getType()));
      Value fill = arith::ConstantOp::create(builder, op.getLoc(), neutral);
      init =
          linalg::FillOp::create(builder, op.getLoc(), fill, init).getResult(0);
    }
    inits.push_back(init);
  }
  return inits;
}

/// Where this rank's part of each iterator begins; null for 0. Only iterators
/// whose position the body asks for have one.
static SmallVector<Value> createOffsets(GenericOp op,
                                        PartitionContext &context) {
  SmallVector<Value> offsets(op.getNumIterators());
  op.getBody().walk([&](IndexOp index) {
    unsigned iterator = index.getIterator();
    auto [tensor, dim] = op.getDimOf(iterator);
    if (!offsets[iterator] && !context.isWhole(tensor, dim))
      offsets[iterator] = context.getOffset(tensor, dim);
  });
  return offsets;
}

static Value createPosition(OpBuilder &builder, IndexOp index,
                            ArrayRef<Value> offsets) {
  uint64_t iterator = index.getIterator();
  Value position = linalg::IndexOp::create(builder, index.getLoc(), iterator);
  if (Value offset = offsets[iterator])
    position = arith::AddIOp::create(builder, index.getLoc(), position, offset);
  return position;
}

/// Clones the body; `scalars` are the arguments of the new block: one per
/// input, then the running value of each result.
static void cloneBody(GenericOp op, OpBuilder &builder, IRMapping &mapping,
                      ArrayRef<Value> offsets, ValueRange scalars) {
  Block &body = op.getBody().front();
  unsigned inputs = op.getInputs().size();
  for (unsigned i = 0; i < inputs; ++i)
    mapping.map(body.getArgument(i), scalars[i]);
  for (Operation &inner : body.without_terminator()) {
    if (auto index = dyn_cast<IndexOp>(inner))
      mapping.map(index.getResult(), createPosition(builder, index, offsets));
    else
      builder.clone(inner, mapping);
  }
  SmallVector<Value> values;
  for (auto [i, value] : llvm::enumerate(op.getYield().getValues())) {
    Value local = mapping.lookup(value);
    if (op.hasReduction())
      local = createCombiner(builder, op.getLoc(), op.getReduction(i),
                             scalars[inputs + i], local);
    values.push_back(local);
  }
  linalg::YieldOp::create(builder, op.getLoc(), values);
}

/// A capture is whole, so only what is static may differ from the body's view.
static Value castCapture(OpBuilder &builder, Value local, Type type) {
  if (local.getType() == type)
    return local;
  return tensor::CastOp::create(builder, local.getLoc(), type, local);
}

LogicalResult GenericOp::partition(OpBuilder &builder, ValueRange operands,
                                   PartitionContext &context,
                                   SmallVectorImpl<Value> &results) {
  unsigned inputs = getInputs().size();
  IRMapping mapping;
  llvm::SetVector<Value> outside;
  getUsedValuesDefinedAbove(getBody(), outside);
  for (Value value : outside)
    mapping.map(value, context.getLocal(value));
  for (unsigned i = 0; i < getCaptures().size(); ++i)
    mapping.map(getBody().getArgument(inputs + i),
                castCapture(builder, operands[inputs + i],
                            getBody().getArgument(inputs + i).getType()));
  SmallVector<Value> offsets = createOffsets(*this, context);
  SmallVector<Value> inits = createInits(*this, builder, context);
  SmallVector<utils::IteratorType> iterators;
  for (unsigned i = 0; i < getNumIterators(); ++i)
    iterators.push_back(isReduction(i) ? utils::IteratorType::reduction
                                       : utils::IteratorType::parallel);
  auto maps =
      llvm::to_vector(getIndexingMaps().getAsValueRange<AffineMapAttr>());
  auto local = linalg::GenericOp::create(
      builder, getLoc(), ValueRange(inits).getTypes(),
      operands.take_front(inputs), inits, maps, iterators,
      [&](OpBuilder &nested, Location, ValueRange scalars) {
        cloneBody(*this, nested, mapping, offsets, scalars);
      });
  if (getLabelAttr())
    local->setAttr(DTensorDialect::kLabelAttr, getLabelAttr());
  llvm::append_range(results, local.getResults());
  return success();
}
