//===- ScatterOps.cpp - writes at indices, and work in an order -----------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A rank that has the positions [o, o + n) of the dimension that is indexed
// takes the updates with o <= i < o + n, so the dimension is a parallel factor.
// Updates may be sharded along the indices only where nothing but their sum
// matters: the sum over the ranks of what each one adds up.
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/ScatterOps.h"

#include "CompositeUtils.h"
#include "CoreBuilders.h"
#include "OrderedLowering.h"
#include "OrderedMethods.h"
#include "dtensor/Dialect/DTensor/IR/Reductions.h"
#include "dtensor/Dialect/DTensor/IR/RuleUtils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace dtensor;

static LogicalResult checkElement(Operation *op, StringRef what, Value value,
                                  Type expected) {
  if (scalarType(value) == expected)
    return success();
  return op->emitOpError(what) << " has element type " << scalarType(value)
                               << ", expected " << expected;
}

static LogicalResult checkIntegers(Operation *op, Value indices) {
  Type type = scalarType(indices);
  if (type.isIntOrIndex() && !isBool(type))
    return success();
  return op->emitOpError("indices have element type ")
         << type << ", expected integers";
}

//===----------------------------------------------------------------------===//
// Shapes of a scatter
//===----------------------------------------------------------------------===//

/// The updates' extents from those of the target and the indices.
static ExtentList updateExtents(ArrayRef<Expr> target, ArrayRef<Expr> indices,
                                unsigned dim, bool rows) {
  if (!rows)
    return ExtentList(indices);
  ExtentList extents(target.take_front(dim));
  llvm::append_range(extents, indices);
  llvm::append_range(extents, target.drop_front(dim + 1));
  return extents;
}

LogicalResult dtensor::checkScatter(Operation *op, ArrayRef<Expr> target,
                                    ArrayRef<Expr> indices,
                                    ArrayRef<Expr> updates, int64_t dim,
                                    bool rows, const Facts &facts) {
  if (failed(checkDim(op, "dim", dim, target.size())))
    return failure();
  if (!rows && indices.size() != target.size())
    return op->emitOpError("indices have rank ")
           << indices.size() << ", expected " << target.size();
  ExtentList expected = updateExtents(target, indices, dim, rows);
  if (updates.size() != expected.size())
    return op->emitOpError("updates have rank ")
           << updates.size() << ", expected " << expected.size();
  for (auto [i, extent] : llvm::enumerate(updates))
    if (failed(checkExtent(op, "updates dimension " + Twine(i), extent,
                           expected[i], facts)))
      return failure();
  if (!rows)
    for (auto [i, extent] : llvm::enumerate(indices))
      if (int64_t(i) != dim &&
          failed(checkExtent(op, "indices dimension " + Twine(i), extent,
                             target[i], facts)))
        return failure();
  return success();
}

/// What the updates of a scatter_sum say about the target.
static FailureOr<ExtentList> sumTarget(ScatterSumOp op,
                                       ArrayRef<ExtentList> operands) {
  auto size = exprOf(op, op.getSize());
  if (failed(size))
    return failure();
  ArrayRef<Expr> indices = operands[0], updates = operands[1];
  if (Facts().proveLT(*size,
                      Expr::constant(getExprContext(op.getContext()), 0)))
    return op.emitOpError("size ") << size->str() << " is negative";
  int64_t replaced = op.getRows() ? indices.size() : 1;
  int64_t dim = op.getDim(), rank = updates.size();
  if (dim < 0 || dim > rank || replaced > rank - dim)
    return op.emitOpError("updates have rank ")
           << rank << ", too low for dim " << dim << " and " << replaced
           << " dimensions of indices";
  ExtentList extents(updates.take_front(op.getDim()));
  extents.push_back(*size);
  llvm::append_range(extents, updates.drop_front(op.getDim() + replaced));
  return extents;
}

//===----------------------------------------------------------------------===//
// Rules of a scatter
//===----------------------------------------------------------------------===//

namespace {
struct ScatterMaps {
  TensorMap target, indices, updates;
};
} // namespace

/// Loops along the indices are of kind `kind`; all others are shared.
static ScatterMaps buildMaps(RuleBuilder &builder, ArrayRef<Expr> target,
                             ArrayRef<Expr> indices, ArrayRef<Expr> updates,
                             unsigned dim, bool rows, FactorKind kind) {
  ScatterLoops loops = scatterLoops(target.size(), indices.size(), dim, rows);
  ScatterMaps maps;
  maps.updates.resize(updates.size());
  for (int64_t loop : loops.targetDims) {
    if (loop == kBroadcast) {
      maps.target.push_back(builder.parallel(target[dim]));
      continue;
    }
    maps.updates[loop] = builder.parallel(updates[loop]);
    maps.target.push_back(maps.updates[loop]);
  }
  for (int64_t loop : loops.indexDims) {
    if (!llvm::is_contained(loops.targetDims, loop) &&
        !updates[loop].isConstant(1))
      maps.updates[loop] = {builder.add(kind, updates[loop])};
    maps.indices.push_back(maps.updates[loop]);
  }
  return maps;
}

//===----------------------------------------------------------------------===//
// Scatter
//===----------------------------------------------------------------------===//

LogicalResult ScatterOp::verify() {
  Type element = scalarType(getResult());
  if (failed(checkIntegers(*this, getIndices())) ||
      failed(checkElement(*this, "input", getInput(), element)) ||
      failed(checkElement(*this, "updates", getUpdates(), element)) ||
      failed(verifyOneMesh(*this)))
    return failure();
  if (getAdd() && isBool(element))
    return emitOpError("cannot add elements of type ") << element;
  auto operands = operandExtents(*this);
  if (failed(checkScatter(*this, operands[0], operands[1], operands[2],
                          getDim(), getRows(), Facts())))
    return failure();
  return verifyResultExtents(*this, operands[0]);
}

FailureOr<ShardingRule> ScatterOp::getShardingRule() {
  RuleBuilder builder;
  ScatterMaps maps =
      buildMaps(builder, getExtents(getInput()), getExtents(getIndices()),
                getExtents(getUpdates()), getDim(), getRows(),
                FactorKind::NeedReplication);
  builder.rule.operands = {maps.target, maps.indices, maps.updates};
  if (getOffset())
    builder.rule.operands.emplace_back();
  builder.rule.results = {maps.target};
  builder.addPartials(getAdd() ? linearReduceKinds() : allReduceKinds(),
                      getNumOperands(), {0, 2});
  return std::move(builder.rule);
}

static LogicalResult unifyScatter(Operation *op, NormalizeContext &context,
                                  ArrayRef<Expr> target, ArrayRef<Expr> indices,
                                  ArrayRef<Expr> updates, unsigned dim,
                                  bool rows) {
  if (failed(checkScatter(op, target, indices, updates, dim, rows,
                          context.getFacts())))
    return failure();
  ExtentList expected = updateExtents(target, indices, dim, rows);
  for (auto [i, extent] : llvm::enumerate(updates))
    if (failed(context.unify(op, extent, expected[i],
                             "updates dimension " + Twine(i))))
      return failure();
  if (rows)
    return success();
  for (auto [i, extent] : llvm::enumerate(indices))
    if (i != dim && failed(context.unify(op, extent, target[i],
                                         "indices dimension " + Twine(i))))
      return failure();
  return success();
}

LogicalResult ScatterOp::normalize(NormalizeContext &context) {
  auto operands = normalizedExtents(*this, context);
  if (failed(unifyScatter(*this, context, operands[0], operands[1], operands[2],
                          getDim(), getRows())))
    return failure();
  return normalizeCore(*this, context, operands[0]);
}

/// Where this rank's part of dimension `dim` of `result` begins; null for 0.
static Value getOffset(PartitionContext &context, Value result, unsigned dim) {
  if (context.isWhole(result, dim))
    return {};
  return context.getOffset(result, dim);
}

LogicalResult ScatterOp::partition(OpBuilder &builder, ValueRange operands,
                                   PartitionContext &context,
                                   SmallVectorImpl<Value> &results) {
  results.push_back(ScatterOp::create(
      builder, getLoc(), context.getLocalType(getResult()), operands[0],
      operands[1], operands[2], ::getOffset(context, getResult(), getDim()),
      getDimAttr(), getRowsAttr(), getAddAttr()));
  return success();
}

//===----------------------------------------------------------------------===//
// Scatter sum
//===----------------------------------------------------------------------===//

LogicalResult ScatterSumOp::verify() {
  Type element = scalarType(getResult());
  if (failed(checkIntegers(*this, getIndices())) ||
      failed(checkElement(*this, "updates", getUpdates(), element)) ||
      failed(verifyOneMesh(*this)))
    return failure();
  if (!canReduce(ReduceKind::Sum, element))
    return emitOpError("cannot add elements of type ") << element;
  auto operands = operandExtents(*this);
  auto target = sumTarget(*this, operands);
  if (failed(target) ||
      failed(checkScatter(*this, *target, operands[0], operands[1], getDim(),
                          getRows(), Facts())))
    return failure();
  return verifyResultExtents(*this, *target);
}

FailureOr<ShardingRule> ScatterSumOp::getShardingRule() {
  RuleBuilder builder;
  ScatterMaps maps = buildMaps(
      builder, getExtents(getResult()), getExtents(getIndices()),
      getExtents(getUpdates()), getDim(), getRows(), FactorKind::Reduction);
  builder.rule.operands = {maps.indices, maps.updates};
  builder.rule.results = {maps.target};
  builder.addPartials(linearReduceKinds(), 2, {1});
  return std::move(builder.rule);
}

LogicalResult ScatterSumOp::normalize(NormalizeContext &context) {
  auto operands = normalizedExtents(*this, context);
  auto target = sumTarget(*this, operands);
  if (failed(target) ||
      failed(unifyScatter(*this, context, *target, operands[0], operands[1],
                          getDim(), getRows())))
    return failure();
  return normalizeCore(*this, context, *target);
}

LogicalResult ScatterSumOp::partition(OpBuilder &builder, ValueRange operands,
                                      PartitionContext &context,
                                      SmallVectorImpl<Value> &results) {
  Location loc = getLoc();
  RankedTensorType type = context.getLocalType(getResult());
  Value zero = arith::ConstantOp::create(
      builder, loc, getNeutralElement(ReduceKind::Sum, type.getElementType()));
  Value empty = emptyLocal(builder, loc, context, getResult());
  Value zeros = linalg::FillOp::create(builder, loc, zero, empty).getResult(0);
  results.push_back(ScatterOp::create(
      builder, loc, type, castTensor(builder, loc, zeros, type), operands[0],
      operands[1], ::getOffset(context, getResult(), getDim()), getDimAttr(),
      getRowsAttr(), builder.getUnitAttr()));
  return success();
}

//===----------------------------------------------------------------------===//
// Scan and sort
//===----------------------------------------------------------------------===//

std::optional<ReduceKind> dtensor::parseScanKind(StringRef kind) {
  return llvm::StringSwitch<std::optional<ReduceKind>>(kind)
      .Case("sum", ReduceKind::Sum)
      .Case("product", ReduceKind::Product)
      .Case("max", ReduceKind::Max)
      .Case("min", ReduceKind::Min)
      .Default(std::nullopt);
}

/// All dimensions parallel, `dim` only if it may be `cut`.
static TensorMap rowMap(RuleBuilder &builder, Value value, unsigned dim,
                        bool cut = false) {
  TensorMap map;
  for (auto [i, extent] : llvm::enumerate(getExtents(value)))
    map.push_back(i == dim && !cut ? builder.whole(extent)
                                   : builder.parallel(extent));
  return map;
}

LogicalResult ScanOp::verify() {
  auto kind = parseScanKind(getKind());
  if (!kind)
    return emitOpError("kind is \"")
           << getKind() << "\", expected one of sum, product, max, min";
  Type element = scalarType(getResult());
  auto extents = knownExtents(getInput(), 0);
  if (failed(checkElement(*this, "input", getInput(), element)) ||
      failed(checkDim(*this, "dim", getDim(), extents.size())) ||
      failed(verifyOneMesh(*this)))
    return failure();
  if (!canReduce(*kind, element))
    return emitOpError("is not defined on element type ") << element;
  return verifyResultExtents(*this, extents);
}

FailureOr<ShardingRule> ScanOp::getShardingRule() {
  RuleBuilder builder;
  TensorMap map = rowMap(builder, getInput(), getDim(), /*cut=*/true);
  builder.rule.operands = {map};
  builder.rule.results = {map};
  if (getKind() == "sum")
    builder.addPartials(linearReduceKinds(), 1, {0});
  return std::move(builder.rule);
}

LogicalResult ScanOp::normalize(NormalizeContext &context) {
  return normalizeCore(*this, context, context.getExtents(getInput()));
}

LogicalResult ScanOp::partition(OpBuilder &builder, ValueRange operands,
                                PartitionContext &context,
                                SmallVectorImpl<Value> &results) {
  results.push_back(ScanOp::create(builder, getLoc(),
                                   context.getLocalType(getResult()),
                                   operands[0], getDim(), getKind()));
  return success();
}

LogicalResult SortOp::verify() {
  auto extents = knownExtents(getInput(), 0);
  Type element = scalarType(getInput());
  if (!isa<FloatType, IntegerType, IndexType>(element))
    return emitOpError("is not defined on element type ") << element;
  if (failed(checkElement(*this, "result", getValues(), element)) ||
      failed(checkIntegers(*this, getIndices())) ||
      failed(checkDim(*this, "dim", getDim(), extents.size())) ||
      failed(verifyOneMesh(*this)) ||
      failed(verifyResultExtents(*this, extents, 0)))
    return failure();
  return verifyResultExtents(*this, extents, 1);
}

FailureOr<ShardingRule> SortOp::getShardingRule() {
  RuleBuilder builder;
  TensorMap map = rowMap(builder, getInput(), getDim(), getMerges());
  if (getMerges() && !map[getDim()].empty())
    builder.rule.factors[map[getDim()].front()].windowed = true;
  builder.rule.operands = {map};
  builder.rule.results = {map, map};
  return std::move(builder.rule);
}

LogicalResult SortOp::normalize(NormalizeContext &context) {
  SmallVector<Expr> extents = context.getExtents(getInput());
  auto values = context.getResultType(*this, getValues(), extents);
  auto indices = context.getResultType(*this, getIndices(), extents);
  if (failed(values) || failed(indices))
    return failure();
  auto sorted = SortOp::create(context.getBuilder(), getLoc(), *values,
                               *indices, context.lookup(getInput()), getDim(),
                               getDescending(), getMerges());
  context.map(getValues(), sorted.getValues());
  context.map(getIndices(), sorted.getIndices());
  return success();
}

void DTensorDialect::registerScatterOps() {
  addOperations<
#define GET_OP_LIST
#include "dtensor/Dialect/DTensor/IR/ScatterOps.cpp.inc"
      >();
}

#define GET_OP_CLASSES
#include "dtensor/Dialect/DTensor/IR/ScatterOps.cpp.inc"
