//===- MatrixOps.cpp - matrix products ------------------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Iterators of a product: the leading dimensions, n, k; matmul has m as its
// last leading dimension. With K(a) the contracted dimension of a
//
//   matmul   (..., m, k) (..., k, n) -> (..., m, n)
//   linear   (..., k) (n, k) -> (..., n)
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/MatrixOps.h"

#include "MatrixMethods.h"

using namespace mlir;
using namespace dtensor;

Value dtensor::buildProduct(OpBuilder &builder, Location loc, StringRef label,
                            ValueRange inputs, ArrayRef<IteratorList> dims,
                            const IteratorList &resultDims,
                            unsigned numIterators,
                            RankedTensorType resultType) {
  Type element = resultType.getElementType();
  return buildGeneric(builder, loc, label, inputs, dims, resultDims,
                      numIterators, ReduceKind::Sum, resultType,
                      [&](OpBuilder &b, Location loc, ValueRange args) {
                        Scalars s{b, loc};
                        Value product = s.cast(args[0], element);
                        for (Value arg : args.drop_front())
                          product = s.mul(product, s.cast(arg, element));
                        return product;
                      });
}

RankedTensorType dtensor::productType(RankedTensorType resultType) {
  Type element = resultType.getElementType();
  Type accumulator = accumulatorType(element);
  if (element == accumulator)
    return resultType;
  return openType(resultType, accumulator, getExtents(resultType));
}

LogicalResult dtensor::checkProductElements(Operation *op) {
  Type type = scalarType(op->getOperand(0)), to = scalarType(op->getResult(0));
  for (Value operand : op->getOperands())
    if (scalarType(operand) != type)
      return op->emitOpError("operands have element types ")
             << type << " and " << scalarType(operand);
  if (isBool(type) || type.isIndex() || to.isIndex() ||
      isa<FloatType>(type) != isa<FloatType>(to) ||
      type.getIntOrFloatBitWidth() > to.getIntOrFloatBitWidth() ||
      (type != to &&
       type.getIntOrFloatBitWidth() == to.getIntOrFloatBitWidth()))
    return op->emitOpError("cannot accumulate products of ")
           << type << " in " << to;
  return success();
}

static LogicalResult checkRank(Operation *op, StringRef name, int64_t rank,
                               int64_t least, int64_t most) {
  if (rank >= least && rank <= most)
    return success();
  auto error = op->emitOpError()
               << name << " has rank " << rank << ", expected ";
  if (least == most)
    return error << least;
  return error << "at least " << least;
}

//===----------------------------------------------------------------------===//
// Matmul
//===----------------------------------------------------------------------===//

static LogicalResult inferMatmul(Operation *op, ArrayRef<ExtentList> operands,
                                 const Facts &facts,
                                 SmallVectorImpl<ExtentList> &results) {
  auto matmul = cast<MatmulOp>(op);
  ArrayRef<Expr> lhs = operands[0], rhs = operands[1];
  if (failed(checkRank(op, "lhs", lhs.size(), 2, INT64_MAX)) ||
      failed(checkRank(op, "rhs", rhs.size(), 2, INT64_MAX)))
    return failure();
  if (rhs.size() != 2 && rhs.size() != lhs.size())
    return op->emitOpError("lhs has rank ")
           << lhs.size() << " and rhs " << rhs.size()
           << ", expected equal ranks or an rhs of rank 2";
  ExtentList extents(lhs.drop_back(2));
  if (rhs.size() > 2)
    for (auto [dim, extent] : llvm::enumerate(rhs.drop_back(2)))
      if (failed(checkExtent(op, "rhs dimension " + Twine(dim), extent,
                             extents[dim], facts)))
        return failure();
  bool ta = matmul.getTransposeA(), tb = matmul.getTransposeB();
  ArrayRef<Expr> a = lhs.take_back(2), b = rhs.take_back(2);
  unsigned contracted = rhs.size() - (tb ? 1 : 2);
  if (failed(checkExtent(op, "rhs dimension " + Twine(contracted), b[tb],
                         a[!ta], facts)))
    return failure();
  extents.push_back(a[ta]);
  extents.push_back(b[!tb]);
  results.push_back(std::move(extents));
  return success();
}

static LogicalResult decomposeMatmul(Operation *op, OpBuilder &builder,
                                     ValueRange operands, TypeRange resultTypes,
                                     SmallVectorImpl<Value> &results) {
  auto matmul = cast<MatmulOp>(op);
  auto resultType = cast<RankedTensorType>(resultTypes[0]);
  int64_t rank = resultType.getRank(), m = rank - 2, n = rank - 1, k = rank;
  bool batched = cast<RankedTensorType>(operands[1].getType()).getRank() > 2;
  IteratorList lhs = identityDims(rank - 2), rhs;
  if (batched)
    rhs = lhs;
  lhs.append(matmul.getTransposeA() ? IteratorList{k, m} : IteratorList{m, k});
  rhs.append(matmul.getTransposeB() ? IteratorList{n, k} : IteratorList{k, n});
  Value value = buildProduct(
      builder, op->getLoc(), "matmul", {operands[0], operands[1]}, {lhs, rhs},
      identityDims(rank), rank + 1, productType(resultType));
  results.push_back(buildCast(builder, op->getLoc(), value, resultType));
  return success();
}

static LogicalResult verifyMatmul(Operation *op) {
  if (failed(checkProductElements(op)))
    return failure();
  return verifyComposite(op);
}

//===----------------------------------------------------------------------===//
// Linear
//===----------------------------------------------------------------------===//

static LogicalResult inferLinear(Operation *op, ArrayRef<ExtentList> operands,
                                 const Facts &facts,
                                 SmallVectorImpl<ExtentList> &results) {
  ArrayRef<Expr> input = operands[0], weight = operands[1];
  if (failed(checkRank(op, "input", input.size(), 1, INT64_MAX)) ||
      failed(checkRank(op, "weight", weight.size(), 2, 2)) ||
      failed(checkExtent(op, "weight dimension 1", weight[1], input.back(),
                         facts)))
    return failure();
  if (operands.size() > 2) {
    if (failed(checkRank(op, "bias", operands[2].size(), 1, 1)) ||
        failed(checkExtent(op, "bias dimension 0", operands[2][0], weight[0],
                           facts)))
      return failure();
  }
  ExtentList extents(input.drop_back());
  extents.push_back(weight[0]);
  results.push_back(std::move(extents));
  return success();
}

static Value buildBias(OpBuilder &builder, Location loc, Value product,
                       Value bias, RankedTensorType resultType) {
  int64_t rank = resultType.getRank();
  return buildGeneric(
      builder, loc, "bias", {product, bias}, {identityDims(rank), {rank - 1}},
      identityDims(rank), rank, ReduceKind::Sum, resultType,
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        Value rhs = s.cast(args[1], args[0].getType());
        return s.cast(s.add(args[0], rhs), resultType.getElementType());
      });
}

static LogicalResult decomposeLinear(Operation *op, OpBuilder &builder,
                                     ValueRange operands, TypeRange resultTypes,
                                     SmallVectorImpl<Value> &results) {
  auto resultType = cast<RankedTensorType>(resultTypes[0]);
  int64_t rank = resultType.getRank(), n = rank - 1, k = rank;
  IteratorList input = identityDims(rank - 1);
  input.push_back(k);
  bool hasBias = operands.size() > 2;
  RankedTensorType type = productType(resultType);
  if (hasBias)
    type = openType(type, type.getElementType(), getExtents(type));
  Value value =
      buildProduct(builder, op->getLoc(), "linear", {operands[0], operands[1]},
                   {input, {n, k}}, identityDims(rank), rank + 1, type);
  if (hasBias)
    value = buildBias(builder, op->getLoc(), value, operands[2], resultType);
  else
    value = buildCast(builder, op->getLoc(), value, resultType);
  results.push_back(value);
  return success();
}

static LogicalResult verifyLinear(Operation *op) {
  if (failed(checkProductElements(op)))
    return failure();
  return verifyComposite(op);
}

void DTensorDialect::registerMatrixOps() {
  addOperations<
#define GET_OP_LIST
#include "dtensor/Dialect/DTensor/IR/MatrixOps.cpp.inc"
      >();
}

#define GET_OP_CLASSES
#include "dtensor/Dialect/DTensor/IR/MatrixOps.cpp.inc"
