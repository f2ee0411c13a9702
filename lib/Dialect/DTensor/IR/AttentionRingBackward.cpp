//===- AttentionRingBackward.cpp - keys and their gradients go round ------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// As in AttentionRing.cpp rank r has piece (r + i) mod n in step i. The
// gradient of a piece is begun by the rank that has it in step 1 and handed on
// behind it; after the last step it comes home, where what was done in step 0
// is added. So it travels n - 1 times, as the piece itself does: as many bytes
// as a gather of keys and values and a scatter of their gradients.
//
//===----------------------------------------------------------------------===//

#include "AttentionLowering.h"
#include "AttentionRing.h"
#include "BackwardMethods.h"
#include "ShardGather.h"
#include "dtensor/Dialect/DTensor/IR/RuleUtils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace dtensor;

//===----------------------------------------------------------------------===//
// Extents and rule
//===----------------------------------------------------------------------===//

LogicalResult RingAttentionBackwardOp::verify() {
  SmallVector<ExtentList> results;
  if (failed(verifyFloats(*this, {5})) || failed(verifyOneMesh(*this)) ||
      failed(inferAttentionBackward(*this, operandExtents(*this), Facts(),
                                    results)))
    return failure();
  for (auto [i, extents] : llvm::enumerate(results))
    if (failed(verifyResultExtents(*this, extents, i)))
      return failure();
  return success();
}

FailureOr<ShardingRule> RingAttentionBackwardOp::getShardingRule() {
  RuleBuilder builder;
  ExtentList q = getExtents(getQuery()), k = getExtents(getKey());
  unsigned heads = q.size() - 3;
  TensorMap batch;
  for (unsigned dim = 0; dim < heads; ++dim)
    batch.push_back(builder.parallel(q[dim]));
  auto kvHeads = builder.parallel(k[heads]);
  auto allHeads = kvHeads;
  // Queries of one group share a gradient.
  allHeads.append(builder.whole(floordiv(
      q[heads], max(k[heads], Expr::constant(q[heads].getContext(), 1)))));
  auto sequence = builder.parallel(q[heads + 1]);
  if (!sequence.empty())
    builder.rule.factors[sequence.front()].windowed = true;
  auto width = builder.whole(q.back());
  auto outWidth = builder.whole(getExtents(getValue()).back());
  auto map = [&](const auto &headFactors, ArrayRef<unsigned> last,
                 bool isRow = false) {
    TensorMap map = batch;
    map.emplace_back(headFactors.begin(), headFactors.end());
    map.emplace_back(sequence.begin(), sequence.end());
    if (!isRow)
      map.emplace_back(last.begin(), last.end());
    return map;
  };
  TensorMap query = map(allHeads, width), output = map(allHeads, outWidth);
  TensorMap key = map(kvHeads, width), value = map(kvHeads, outWidth);
  builder.rule.operands = {output, query, key, value, output};
  if (getLogsumexp())
    builder.rule.operands.push_back(map(allHeads, {}, /*isRow=*/true));
  builder.rule.results = {query, key, value};
  return std::move(builder.rule);
}

LogicalResult RingAttentionBackwardOp::normalize(NormalizeContext &context) {
  SmallVector<ExtentList> results;
  if (failed(inferAttentionBackward(*this, normalizedExtents(*this, context),
                                    context.getFacts(), results)))
    return failure();
  return normalizeResults(*this, context, results);
}

//===----------------------------------------------------------------------===//
// The local program
//===----------------------------------------------------------------------===//

namespace {
class BackwardRing {
public:
  BackwardRing(RingAttentionBackwardOp op, ValueRange operands,
               OpBuilder &builder, PartitionContext &context, unsigned axis)
      : op(op), operands(operands), builder(builder), loc(op.getLoc()),
        context(context), pieces(op, op.getKey(), axis, builder, context),
        key(pieces.open(operands[2])), value(pieces.open(operands[3])),
        lowering(builder, loc, operands[1], key, op.getScaleAttr()) {
    if (op.getCausal())
      diagonal = pieces.diagonal(op.getQuery(), Value());
  }

  void run(SmallVectorImpl<Value> &results);

private:
  using Body =
      llvm::function_ref<SmallVector<Value>(Value step, ValueRange carried)>;

  /// Steps 1 to n - 1.
  SmallVector<Value> loop(ValueRange carried, Body body);
  Value diagonalAt(Value begin) { return pieces.diagonalAt(diagonal, begin); }
  Value buildLogSumExp();
  /// Zeros of the shape that `like` has with `size` rows of keys.
  Value zeros(Value like, Value size);
  SmallVector<Value> step(const AttentionRows &rows, Value index,
                          ValueRange carried);
  Value addOwn(Value travelled, Value own, Value result);

  RingAttentionBackwardOp op;
  ValueRange operands;
  OpBuilder &builder;
  Location loc;
  PartitionContext &context;
  RingPieces pieces;
  Value key, value;
  AttentionLowering lowering;
  Value diagonal;
};
} // namespace

SmallVector<Value> BackwardRing::loop(ValueRange carried, Body body) {
  auto loop = scf::ForOp::create(builder, loc, pieces.one, pieces.ranks,
                                 pieces.one, carried);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  scf::YieldOp::create(builder, loc,
                       body(loop.getInductionVar(), loop.getRegionIterArgs()));
  return llvm::to_vector_of<Value>(loop.getResults());
}

/// A ring of the keys alone, which stand for the values, too.
Value BackwardRing::buildLogSumExp() {
  AttentionState state = lowering.step(lowering.start(key), key, key,
                                       diagonalAt(pieces.at(pieces.zero).begin),
                                       /*isFirst=*/true);
  SmallVector<Value> found = loop(
      {key, state.maximum, state.sum}, [&](Value index, ValueRange carried) {
        auto [begin, size] = pieces.at(index);
        Value next = pieces.pass(carried[0], size);
        AttentionState state =
            lowering.step({carried[1], carried[2], lowering.start(key).product},
                          next, next, diagonalAt(begin), /*isFirst=*/false);
        return SmallVector<Value>{next, state.maximum, state.sum};
      });
  return lowering.logSumExp({found[1], found[2], Value()});
}

Value BackwardRing::zeros(Value like, Value size) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, like);
  sizes[sizes.size() - 2] = size;
  Type element = scalarType(like);
  Value empty = tensor::EmptyOp::create(builder, loc, sizes, element);
  Value zero = Scalars{builder, loc}.constant(element, 0);
  return linalg::FillOp::create(builder, loc, zero, empty).getResult(0);
}

/// One further piece: key, value, gradient of the queries, those of the piece.
SmallVector<Value> BackwardRing::step(const AttentionRows &rows, Value index,
                                      ValueRange carried) {
  auto [begin, size] = pieces.at(index);
  Value nextKey = pieces.pass(carried[0], size);
  Value nextValue = pieces.pass(carried[1], size);
  AttentionGrads sums =
      lowering.gradientStep(rows, {carried[2], carried[3], carried[4]}, nextKey,
                            nextValue, diagonalAt(begin));
  Value after = pieces.at(Scalars{builder, loc}.add(index, pieces.one)).size;
  return {nextKey, nextValue, sums.query, pieces.pass(sums.key, after),
          pieces.pass(sums.value, after)};
}

/// In the local type of `result`.
Value BackwardRing::addOwn(Value travelled, Value own, Value result) {
  Value sum = linalg::AddOp::create(builder, loc, ValueRange{travelled, own},
                                    ValueRange{own})
                  .getResult(0);
  RankedTensorType type = context.getLocalType(result);
  return castTensor(builder, loc,
                    lowering.finishSum(sum, type.getElementType()), type);
}

void BackwardRing::run(SmallVectorImpl<Value> &results) {
  Value lse =
      op.getLogsumexp() ? lowering.splitRows(operands[5]) : buildLogSumExp();
  AttentionRows rows = lowering.gradientRows(operands[0], operands[4], lse);
  AttentionGrads own =
      lowering.gradientStep(rows, lowering.startGradients(key, value), key,
                            value, diagonalAt(pieces.at(pieces.zero).begin));
  Value size = pieces.at(pieces.one).size;
  SmallVector<Value> first = {key, value, own.query, zeros(own.key, size),
                              zeros(own.value, size)};
  SmallVector<Value> last = loop(first, [&](Value index, ValueRange carried) {
    return step(rows, index, carried);
  });
  results.push_back(
      lowering.finishQuery(last[2], context.getLocalType(op.getGradQuery())));
  results.push_back(addOwn(last[3], own.key, op.getGradKey()));
  results.push_back(addOwn(last[4], own.value, op.getGradValue()));
}

bool RingAttentionBackwardOp::communicates() {
  LayoutAttr layout = getLayout(getKey());
  return layout &&
         !layout.getLayout().axesOf(layout.getExtents().size() - 2).empty();
}

LogicalResult
RingAttentionBackwardOp::partition(OpBuilder &builder, ValueRange operands,
                                   PartitionContext &context,
                                   SmallVectorImpl<Value> &results) {
  LayoutAttr layout = getLayout(getKey());
  unsigned dim = layout.getExtents().size() - 2;
  std::optional<unsigned> axis = soleAxis(layout, dim);
  if (!axis)
    return emitOpError("goes round one mesh axis, but its keys have layout ")
           << layout;
  BackwardRing(*this, operands, builder, context, *axis).run(results);
  return success();
}
