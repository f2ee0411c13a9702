//===- LookupOps.cpp - embedding, gather and index_select -----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// They read one position i of a dimension of extent V that may be sharded. With
// o and n this rank's offset and size there
//
//   0 <= i - o < n       the element itself, with its bits
//   0 <= i < V, else     -0.0 for floats, 0 for integers: neutral in a sum
//   i < 0 or V <= i      +0.0, 0: every rank says so, and their sum is +0.0
//
// Nothing is read unless this rank has it, so an empty shard is never touched.
//
//===----------------------------------------------------------------------===//

#include "CompositeUtils.h"
#include "dtensor/Dialect/DTensor/IR/IndexingOps.h"
#include "dtensor/Dialect/DTensor/IR/RuleUtils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace dtensor;

static LogicalResult verifyLookup(Operation *op, Value table, Value indices) {
  Type index = scalarType(indices), element = scalarType(table);
  if (!index.isIntOrIndex() || isBool(index))
    return op->emitOpError("indices have element type ")
           << index << ", expected integers";
  if (element != scalarType(op->getResult(0)))
    return op->emitOpError("table has element type ")
           << element << " and result " << scalarType(op->getResult(0));
  if (!isa<FloatType, IntegerType, IndexType>(element))
    return op->emitOpError("is not defined on element type ") << element;
  return verifyOneMesh(op);
}

namespace {
/// The looked-up dimension, in values.
struct Lookup {
  Value table;
  Value offset, size, extent;
  /// False if this rank holds the whole dimension.
  bool isSharded;
};
} // namespace

static Value buildZero(OpBuilder &builder, Location loc, Type type,
                       bool negative) {
  TypedAttr attr = builder.getZeroAttr(type);
  if (auto floatType = dyn_cast<FloatType>(type))
    attr = builder.getFloatAttr(
        type, APFloat::getZero(floatType.getFloatSemantics(), negative));
  return arith::ConstantOp::create(builder, loc, attr);
}

/// low <= value < high.
static Value buildInRange(OpBuilder &builder, Location loc, Value value,
                          Value low, Value high) {
  Scalars s{builder, loc};
  return arith::AndIOp::create(builder, loc, s.compare("ge", value, low),
                               s.compare("lt", value, high));
}

/// What stands for an element that this rank does not have.
static Value buildMissing(OpBuilder &builder, Location loc,
                          const Lookup &lookup, Value index, Type type) {
  Value zero = buildZero(builder, loc, type, false);
  if (!lookup.isSharded || !isa<FloatType>(type))
    return zero;
  Value low = arith::ConstantIndexOp::create(builder, loc, 0);
  Value exists = buildInRange(builder, loc, index, low, lookup.extent);
  return Scalars{builder, loc}.select(
      exists, buildZero(builder, loc, type, true), zero);
}

/// The element at `index` of the looked-up dimension; `positions` is the local
/// position in the table with null there.
static Value buildRead(OpBuilder &builder, Location loc, const Lookup &lookup,
                       Value index, SmallVector<Value> positions) {
  Type type = scalarType(lookup.table);
  Value local = arith::SubIOp::create(builder, loc, index, lookup.offset);
  Value low = arith::ConstantIndexOp::create(builder, loc, 0);
  Value present = buildInRange(builder, loc, local, low, lookup.size);
  auto choice = scf::IfOp::create(builder, loc, TypeRange(type), present,
                                  /*addThenBlock=*/true, /*addElseBlock=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(choice.thenBlock());
  for (Value &position : positions)
    position = position ? position : local;
  Value read = tensor::ExtractOp::create(builder, loc, lookup.table, positions);
  scf::YieldOp::create(builder, loc, read);
  builder.setInsertionPointToStart(choice.elseBlock());
  scf::YieldOp::create(builder, loc,
                       buildMissing(builder, loc, lookup, index, type));
  return choice.getResult(0);
}

/// A loop over the local result. `indexDims` are the loops of `indices`;
/// `tableDims` those of the table, kBroadcast for the looked-up dimension.
static Value buildLookup(Operation *op, OpBuilder &builder,
                         PartitionContext &context, const Lookup &lookup,
                         Value indices, const IteratorList &indexDims,
                         const IteratorList &tableDims) {
  Location loc = op->getLoc();
  Value result = op->getResult(0);
  Value empty = emptyLocal(builder, loc, context, result);
  unsigned rank = cast<RankedTensorType>(empty.getType()).getRank();
  SmallVector<AffineExpr> exprs;
  for (int64_t dim : indexDims)
    exprs.push_back(builder.getAffineDimExpr(dim));
  AffineMap maps[] = {AffineMap::get(rank, 0, exprs, builder.getContext()),
                      builder.getMultiDimIdentityMap(rank)};
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      builder, loc, empty.getType(), indices, empty, maps, iterators,
      [&](OpBuilder &builder, Location loc, ValueRange args) {
        Value index =
            Scalars{builder, loc}.cast(args[0], builder.getIndexType());
        SmallVector<Value> positions;
        for (int64_t dim : tableDims)
          positions.push_back(
              dim == kBroadcast
                  ? Value()
                  : linalg::IndexOp::create(builder, loc, dim).getResult());
        linalg::YieldOp::create(
            builder, loc, buildRead(builder, loc, lookup, index, positions));
      });
  return castTensor(builder, loc, generic.getResult(0),
                    context.getLocalType(result));
}

static Lookup getLookup(OpBuilder &builder, PartitionContext &context,
                        Value table, Value local, unsigned dim) {
  Lookup lookup;
  lookup.table = local;
  lookup.offset = context.getOffset(table, dim);
  lookup.size = context.getLocalSize(table, dim);
  lookup.extent = context.materialize(getExtents(table)[dim]);
  lookup.isSharded = !context.isWhole(table, dim);
  return lookup;
}

//===----------------------------------------------------------------------===//
// Embedding
//===----------------------------------------------------------------------===//

static FailureOr<ExtentList> inferEmbedding(EmbeddingOp op,
                                            ArrayRef<ExtentList> operands) {
  if (operands[1].empty())
    return op.emitOpError("table has rank 0, expected at least 1");
  ExtentList extents = operands[0];
  extents.append(operands[1].begin() + 1, operands[1].end());
  return extents;
}

LogicalResult EmbeddingOp::verify() {
  if (failed(verifyLookup(*this, getTable(), getIndices())))
    return failure();
  auto extents = inferEmbedding(*this, operandExtents(*this));
  if (failed(extents))
    return failure();
  return verifyResultExtents(*this, *extents);
}

FailureOr<ShardingRule> EmbeddingOp::getShardingRule() {
  RuleBuilder builder;
  ExtentList table = getExtents(getTable());
  TensorMap indexMap, tableMap, resultMap;
  for (Expr extent : getExtents(getIndices())) {
    indexMap.push_back(builder.parallel(extent));
    resultMap.push_back(indexMap.back());
  }
  tableMap.push_back({builder.add(FactorKind::Reduction, table[0])});
  for (Expr extent : ArrayRef(table).drop_front()) {
    tableMap.push_back(builder.parallel(extent));
    resultMap.push_back(tableMap.back());
  }
  builder.rule.operands = {indexMap, tableMap};
  builder.rule.results = {resultMap};
  builder.rule.lookedUp = {1};
  builder.addPartials(linearReduceKinds(), 2, {1});
  return std::move(builder.rule);
}

LogicalResult EmbeddingOp::normalize(NormalizeContext &context) {
  auto extents = inferEmbedding(*this, normalizedExtents(*this, context));
  return normalizeCore(*this, context, *extents);
}

LogicalResult EmbeddingOp::partition(OpBuilder &builder, ValueRange operands,
                                     PartitionContext &context,
                                     SmallVectorImpl<Value> &results) {
  unsigned rank = cast<RankedTensorType>(getResult().getType()).getRank();
  unsigned indexRank = cast<RankedTensorType>(getIndices().getType()).getRank();
  IteratorList tableDims = {kBroadcast};
  for (unsigned dim = indexRank; dim < rank; ++dim)
    tableDims.push_back(dim);
  results.push_back(
      buildLookup(*this, builder, context,
                  getLookup(builder, context, getTable(), operands[1], 0),
                  operands[0], identityDims(indexRank), tableDims));
  return success();
}

//===----------------------------------------------------------------------===//
// Gather
//===----------------------------------------------------------------------===//

static LogicalResult checkGather(GatherOp op, ArrayRef<ExtentList> operands,
                                 const Facts &facts) {
  ArrayRef<Expr> input = operands[0], indices = operands[1];
  if (failed(checkDim(op, "dim", op.getDim(), input.size())))
    return failure();
  if (indices.size() != input.size())
    return op.emitOpError("indices have rank ")
           << indices.size() << ", expected " << input.size();
  for (auto [dim, extent] : llvm::enumerate(indices))
    if (dim != op.getDim() &&
        failed(checkExtent(op, "indices dimension " + Twine(dim), extent,
                           input[dim], facts)))
      return failure();
  return success();
}

LogicalResult GatherOp::verify() {
  SmallVector<ExtentList> operands = operandExtents(*this);
  if (failed(verifyLookup(*this, getInput(), getIndices())) ||
      failed(checkGather(*this, operands, Facts())))
    return failure();
  return verifyResultExtents(*this, operands[1]);
}

FailureOr<ShardingRule> GatherOp::getShardingRule() {
  RuleBuilder builder;
  TensorMap inputMap, indexMap;
  for (auto [dim, extent] : llvm::enumerate(getExtents(getIndices()))) {
    indexMap.push_back(builder.parallel(extent));
    inputMap.push_back(indexMap.back());
    if (dim == getDim())
      inputMap.back() = {
          builder.add(FactorKind::Reduction, getExtents(getInput())[dim])};
  }
  builder.rule.operands = {inputMap, indexMap};
  builder.rule.results = {indexMap};
  builder.rule.lookedUp = {0};
  builder.addPartials(linearReduceKinds(), 2, {0});
  return std::move(builder.rule);
}

LogicalResult GatherOp::normalize(NormalizeContext &context) {
  auto operands = normalizedExtents(*this, context);
  if (failed(checkGather(*this, operands, context.getFacts())))
    return failure();
  for (auto [dim, extent] : llvm::enumerate(operands[1]))
    if (dim != getDim() && failed(context.unify(*this, extent, operands[0][dim],
                                                "dimension " + Twine(dim))))
      return failure();
  return normalizeCore(*this, context, operands[1]);
}

LogicalResult GatherOp::partition(OpBuilder &builder, ValueRange operands,
                                  PartitionContext &context,
                                  SmallVectorImpl<Value> &results) {
  unsigned rank = cast<RankedTensorType>(getResult().getType()).getRank();
  IteratorList tableDims = identityDims(rank);
  tableDims[getDim()] = kBroadcast;
  results.push_back(buildLookup(
      *this, builder, context,
      getLookup(builder, context, getInput(), operands[0], getDim()),
      operands[1], identityDims(rank), tableDims));
  return success();
}

//===----------------------------------------------------------------------===//
// Index select
//===----------------------------------------------------------------------===//

static FailureOr<ExtentList> inferIndexSelect(IndexSelectOp op,
                                              ArrayRef<ExtentList> operands) {
  ArrayRef<Expr> input = operands[0];
  if (failed(checkDim(op, "dim", op.getDim(), input.size())))
    return failure();
  ExtentList extents(input.take_front(op.getDim()));
  llvm::append_range(extents, operands[1]);
  llvm::append_range(extents, input.drop_front(op.getDim() + 1));
  return extents;
}

LogicalResult IndexSelectOp::verify() {
  if (failed(verifyLookup(*this, getInput(), getIndices())))
    return failure();
  auto extents = inferIndexSelect(*this, operandExtents(*this));
  if (failed(extents))
    return failure();
  return verifyResultExtents(*this, *extents);
}

FailureOr<ShardingRule> IndexSelectOp::getShardingRule() {
  RuleBuilder builder;
  TensorMap inputMap, indexMap, resultMap;
  for (Expr extent : getExtents(getIndices()))
    indexMap.push_back(builder.parallel(extent));
  for (auto [dim, extent] : llvm::enumerate(getExtents(getInput()))) {
    if (dim == getDim()) {
      inputMap.push_back({builder.add(FactorKind::Reduction, extent)});
      llvm::append_range(resultMap, indexMap);
      continue;
    }
    inputMap.push_back(builder.parallel(extent));
    resultMap.push_back(inputMap.back());
  }
  builder.rule.operands = {inputMap, indexMap};
  builder.rule.results = {resultMap};
  builder.rule.lookedUp = {0};
  builder.addPartials(linearReduceKinds(), 2, {0});
  return std::move(builder.rule);
}

LogicalResult IndexSelectOp::normalize(NormalizeContext &context) {
  auto extents = inferIndexSelect(*this, normalizedExtents(*this, context));
  if (failed(extents))
    return failure();
  return normalizeCore(*this, context, *extents);
}

LogicalResult IndexSelectOp::partition(OpBuilder &builder, ValueRange operands,
                                       PartitionContext &context,
                                       SmallVectorImpl<Value> &results) {
  unsigned rank = cast<RankedTensorType>(getInput().getType()).getRank();
  unsigned indexRank = cast<RankedTensorType>(getIndices().getType()).getRank();
  unsigned dim = getDim();
  IteratorList indexDims, tableDims;
  for (unsigned i = 0; i < indexRank; ++i)
    indexDims.push_back(dim + i);
  for (unsigned i = 0; i < rank; ++i)
    tableDims.push_back(i < dim    ? i
                        : i == dim ? kBroadcast
                                   : i + indexRank - 1);
  results.push_back(
      buildLookup(*this, builder, context,
                  getLookup(builder, context, getInput(), operands[0], dim),
                  operands[1], indexDims, tableDims));
  return success();
}
