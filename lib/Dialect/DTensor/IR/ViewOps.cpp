//===- ViewOps.cpp - the same elements under another shape ----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/ViewOps.h"

#include "CompositeUtils.h"
#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dtensor;

//===----------------------------------------------------------------------===//
// Extents
//===----------------------------------------------------------------------===//

static FailureOr<ExtentList> inferSqueeze(SqueezeOp op, ArrayRef<Expr> input,
                                          const Facts &facts) {
  auto mask = dimMask(op, intList(op.getDims()), input.size());
  if (failed(mask))
    return failure();
  Expr one = Expr::constant(getExprContext(op.getContext()), 1);
  ExtentList extents;
  for (auto [dim, extent] : llvm::enumerate(input)) {
    if (!(*mask)[dim])
      extents.push_back(extent);
    else if (failed(checkExtent(op, "operand dimension " + Twine(dim), extent,
                                one, facts)))
      return failure();
  }
  return extents;
}

static FailureOr<ExtentList> inferUnsqueeze(UnsqueezeOp op,
                                            ArrayRef<Expr> input) {
  SmallVector<int64_t> dims = intList(op.getDims());
  auto mask = dimMask(op, dims, input.size() + dims.size());
  if (failed(mask))
    return failure();
  Expr one = Expr::constant(getExprContext(op.getContext()), 1);
  ExtentList extents;
  for (bool isNew : *mask) {
    extents.push_back(isNew ? one : input.front());
    if (!isNew)
      input = input.drop_front();
  }
  return extents;
}

static FailureOr<ExtentList> inferFlatten(FlattenOp op, ArrayRef<Expr> input) {
  int64_t start = op.getStart(), end = op.getEnd();
  if (failed(checkDim(op, "start", start, input.size())) ||
      failed(checkDim(op, "end", end, input.size())))
    return failure();
  if (start > end)
    return op.emitOpError("start ") << start << " is above end " << end;
  ExtentList extents(input.take_front(start));
  extents.push_back(product(getExprContext(op.getContext()),
                            input.slice(start, end - start + 1)));
  extents.append(input.begin() + end + 1, input.end());
  return extents;
}

/// The extents that dimension `dim` becomes, from `sizes` or the result type.
static FailureOr<ExtentList> getSplit(UnflattenOp op, unsigned rank) {
  auto extents = resultSizes(op, op.getSizesAttr());
  if (failed(extents) || op.getSizesAttr())
    return extents;
  unsigned behind = rank - op.getDim() - 1;
  if (extents->size() + 1 < rank)
    return op.emitOpError("result has rank ")
           << extents->size() << ", expected at least " << rank - 1;
  ArrayRef<Expr> split = *extents;
  return ExtentList(split.drop_front(op.getDim()).drop_back(behind));
}

static FailureOr<ExtentList>
inferUnflatten(UnflattenOp op, ArrayRef<Expr> input, const Facts &facts) {
  int64_t dim = op.getDim();
  if (failed(checkDim(op, "dim", dim, input.size())))
    return failure();
  auto split = getSplit(op, input.size());
  if (failed(split) ||
      failed(checkExtent(op, "the product of `sizes`",
                         product(getExprContext(op.getContext()), *split),
                         input[dim], facts)))
    return failure();
  ExtentList extents(input.take_front(dim));
  extents.append(split->begin(), split->end());
  extents.append(input.begin() + dim + 1, input.end());
  return extents;
}

static FailureOr<ExtentList> inferPermute(PermuteOp op, ArrayRef<Expr> input) {
  SmallVector<int64_t> permutation = intList(op.getPermutation());
  if (permutation.size() != input.size())
    return op.emitOpError("permutation has ")
           << permutation.size() << " entries for rank " << input.size();
  if (failed(dimMask(op, permutation, input.size())))
    return failure();
  ExtentList extents;
  for (int64_t dim : permutation)
    extents.push_back(input[dim]);
  return extents;
}

static FailureOr<ExtentList> inferExpand(ExpandOp op, ArrayRef<Expr> input,
                                         const Facts &facts) {
  auto extents = resultSizes(op, op.getSizesAttr());
  if (failed(extents))
    return failure();
  if (extents->size() < input.size())
    return op.emitOpError("result has rank ")
           << extents->size() << ", expected at least " << input.size();
  size_t skipped = extents->size() - input.size();
  for (auto [dim, extent] : llvm::enumerate(input))
    if (!extent.isConstant(1) &&
        failed(checkExtent(op, "result dimension " + Twine(skipped + dim),
                           (*extents)[skipped + dim], extent, facts)))
      return failure();
  return extents;
}

static FailureOr<ExtentList> inferIota(IotaOp op) {
  auto extents = resultSizes(op, op.getSizesAttr());
  if (failed(extents) ||
      failed(checkDim(op, "dim", op.getDim(), extents->size())))
    return failure();
  return extents;
}

static LogicalResult inferView(Operation *op, ArrayRef<ExtentList> operands,
                               const Facts &facts,
                               SmallVectorImpl<ExtentList> &results) {
  using Result = FailureOr<ExtentList>;
  ArrayRef<Expr> input;
  if (!operands.empty())
    input = operands[0];
  Result extents =
      llvm::TypeSwitch<Operation *, Result>(op)
          .Case([&](SqueezeOp op) { return inferSqueeze(op, input, facts); })
          .Case([&](UnsqueezeOp op) { return inferUnsqueeze(op, input); })
          .Case([&](FlattenOp op) { return inferFlatten(op, input); })
          .Case(
              [&](UnflattenOp op) { return inferUnflatten(op, input, facts); })
          .Case([&](PermuteOp op) { return inferPermute(op, input); })
          .Case([&](ExpandOp op) { return inferExpand(op, input, facts); })
          .Case([&](IotaOp op) { return inferIota(op); })
          .Case([&](FullOp op) { return resultSizes(op, op.getSizesAttr()); });
  if (failed(extents))
    return failure();
  results.push_back(std::move(*extents));
  return success();
}

//===----------------------------------------------------------------------===//
// Decomposition
//===----------------------------------------------------------------------===//

/// A generic that copies one scalar: `dims` are the operand's iterators.
static Value buildCopy(Operation *op, OpBuilder &builder, Value input,
                       const IteratorList &dims, Type resultType) {
  unsigned rank = cast<RankedTensorType>(resultType).getRank();
  return buildGeneric(
      builder, op->getLoc(), op->getName().stripDialect(), input, {dims},
      identityDims(rank), rank, ReduceKind::Sum, resultType,
      [&](OpBuilder &, Location, ValueRange args) { return args[0]; });
}

static Value buildPermute(PermuteOp op, OpBuilder &builder, Value input,
                          Type resultType) {
  SmallVector<int64_t> permutation = intList(op.getPermutation());
  IteratorList dims(permutation.size());
  for (auto [result, operand] : llvm::enumerate(permutation))
    dims[operand] = result;
  return buildCopy(op, builder, input, dims, resultType);
}

static Value buildExpand(ExpandOp op, OpBuilder &builder, Value input,
                         Type resultType) {
  ExtentList from = getExtents(input), to = getExtents(resultType);
  IteratorList dims;
  unsigned skipped = to.size() - from.size();
  for (auto [dim, extent] : llvm::enumerate(from)) {
    bool stretched = extent.isConstant(1) && !to[skipped + dim].isConstant(1);
    dims.push_back(stretched ? kBroadcast : skipped + dim);
  }
  return buildCopy(op, builder, input, dims, resultType);
}

/// A generic without inputs.
static Value buildFill(Operation *op, OpBuilder &builder, Type resultType,
                       ScalarBody body) {
  unsigned rank = cast<RankedTensorType>(resultType).getRank();
  return buildGeneric(builder, op->getLoc(), op->getName().stripDialect(), {},
                      {}, identityDims(rank), rank, ReduceKind::Sum, resultType,
                      body);
}

static Value buildIota(IotaOp op, OpBuilder &builder, Type resultType) {
  return buildFill(
      op, builder, resultType,
      [&](OpBuilder &b, Location loc, ValueRange) -> Value {
        Value index = IndexOp::create(b, loc, b.getIndexType(),
                                      b.getI64IntegerAttr(op.getDim()));
        return Scalars{b, loc}.cast(index, getElementTypeOrSelf(resultType));
      });
}

static LogicalResult decomposeView(Operation *op, OpBuilder &builder,
                                   ValueRange operands, TypeRange resultTypes,
                                   SmallVectorImpl<Value> &results) {
  Type type = resultTypes[0];
  results.push_back(
      llvm::TypeSwitch<Operation *, Value>(op)
          .Case([&](PermuteOp op) {
            return buildPermute(op, builder, operands[0], type);
          })
          .Case([&](ExpandOp op) {
            return buildExpand(op, builder, operands[0], type);
          })
          .Case([&](IotaOp op) { return buildIota(op, builder, type); })
          .Case([&](FullOp op) {
            return buildFill(
                op, builder, type,
                [&](OpBuilder &, Location, ValueRange) { return operands[0]; });
          })
          .Default([&](Operation *op) {
            return ReshapeOp::create(builder, op->getLoc(), type, operands[0])
                .getResult();
          }));
  return success();
}

static LogicalResult verifyView(Operation *op) {
  Type result = scalarType(op->getResult(0));
  if (op->getNumOperands() == 1 && scalarType(op->getOperand(0)) != result)
    return op->emitOpError("operand has element type ")
           << scalarType(op->getOperand(0)) << " and result " << result;
  if (isa<IotaOp>(op) &&
      (isBool(result) || !isa<FloatType, IntegerType, IndexType>(result)))
    return op->emitOpError("is not defined on element type ") << result;
  return verifyComposite(op);
}

void DTensorDialect::registerViewOps() {
  addOperations<
#define GET_OP_LIST
#include "dtensor/Dialect/DTensor/IR/ViewOps.cpp.inc"
      >();
}

#define GET_OP_CLASSES
#include "dtensor/Dialect/DTensor/IR/ViewOps.cpp.inc"
