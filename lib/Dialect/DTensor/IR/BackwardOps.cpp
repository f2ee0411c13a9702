//===- BackwardOps.cpp - gradients of softmax and extrema -----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BackwardMethods.h"
#include "NNBuilder.h"
#include "PointwiseBodies.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace dtensor;

LogicalResult dtensor::verifyFloats(Operation *op, ArrayRef<unsigned> others,
                                    ArrayRef<unsigned> otherResults) {
  Type type = scalarType(op->getResult(0));
  if (!isa<FloatType>(type))
    return op->emitOpError("is not defined on element type ") << type;
  auto expect = [&](unsigned i, ArrayRef<unsigned> wide) {
    return llvm::is_contained(wide, i) ? accumulatorType(type) : type;
  };
  for (auto [i, result] : llvm::enumerate(op->getResults()))
    if (scalarType(result) != expect(i, otherResults))
      return op->emitOpError("has results of element types ")
             << type << " and " << scalarType(result);
  for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
    Type expected = expect(i, others);
    if (!operand.getType().isIndex() && scalarType(operand) != expected)
      return op->emitOpError("operand ")
             << i << " has element type " << scalarType(operand)
             << ", expected " << expected;
  }
  return success();
}

LogicalResult dtensor::checkOperand(Operation *op, unsigned number,
                                    ArrayRef<Expr> extents,
                                    ArrayRef<Expr> expected,
                                    const Facts &facts) {
  if (extents.size() != expected.size())
    return op->emitOpError("operand ")
           << number << " has rank " << extents.size() << ", expected "
           << expected.size();
  for (auto [dim, extent] : llvm::enumerate(extents))
    if (failed(checkExtent(
            op, "operand " + Twine(number) + " dimension " + Twine(dim), extent,
            expected[dim], facts)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

LogicalResult
dtensor::inferSoftmaxBackward(Operation *op, ArrayRef<ExtentList> operands,
                              const Facts &facts,
                              SmallVectorImpl<ExtentList> &results) {
  int64_t dim = op->getAttrOfType<IntegerAttr>("dim").getInt();
  if (failed(checkDim(op, "dim", dim, operands[0].size())) ||
      failed(checkOperand(op, 1, operands[1], operands[0], facts)))
    return failure();
  results.push_back(operands[0]);
  return success();
}

LogicalResult
dtensor::decomposeSoftmaxBackward(Operation *op, OpBuilder &builder,
                                  ValueRange operands, TypeRange resultTypes,
                                  SmallVectorImpl<Value> &results) {
  unsigned dim = op->getAttrOfType<IntegerAttr>("dim").getInt();
  bool isLog = isa<LogSoftmaxBackwardOp>(op);
  Value grad = operands[0], output = operands[1];
  NNBuilder nn(op, builder, grad,
               [&](unsigned candidate) { return candidate == dim; });
  Type wide = nn.accumulator;
  SmallVector<Value> summed = {grad};
  if (!isLog)
    summed.push_back(output);
  SmallVector<IteratorList> dims(summed.size(), nn.all);
  Value sum = nn.reduce("sum", summed, dims, ReduceKind::Sum,
                        [&](OpBuilder &b, Location loc, ValueRange args) {
                          Scalars s{b, loc};
                          Value g = s.cast(args[0], wide);
                          return isLog ? g : s.mul(g, s.cast(args[1], wide));
                        });
  results.push_back(nn.map(
      op->getName().stripDialect(), {grad, output, sum},
      {nn.all, nn.all, nn.kept}, resultTypes[0],
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        Value g = s.cast(args[0], wide), y = s.cast(args[1], wide);
        Value result;
        if (isLog)
          result = s.sub(g, s.mul(math::ExpOp::create(b, loc, y), args[2]));
        else
          result = s.mul(y, s.sub(g, args[2]));
        return s.cast(result, getElementTypeOrSelf(resultTypes[0]));
      }));
  return success();
}

LogicalResult dtensor::verifySoftmaxBackward(Operation *op) {
  return failed(verifyFloats(op)) ? failure() : verifyComposite(op);
}

//===----------------------------------------------------------------------===//
// Extrema
//===----------------------------------------------------------------------===//

static SmallVector<int64_t> getDims(Operation *op) {
  return intList(op->getAttrOfType<ArrayAttr>("dims"));
}

LogicalResult
dtensor::inferExtremumBackward(Operation *op, ArrayRef<ExtentList> operands,
                               const Facts &facts,
                               SmallVectorImpl<ExtentList> &results) {
  ArrayRef<Expr> input = operands[1];
  auto mask = dimMask(op, getDims(op), input.size());
  if (failed(mask))
    return failure();
  ExtentList reduced;
  for (auto [dim, extent] : llvm::enumerate(input)) {
    if (!(*mask)[dim])
      reduced.push_back(extent);
    else if (op->hasAttr("keepdim"))
      reduced.push_back(Expr::constant(getExprContext(op->getContext()), 1));
  }
  if (failed(checkOperand(op, 0, operands[0], reduced, facts)) ||
      failed(checkOperand(op, 2, operands[2], reduced, facts)))
    return failure();
  results.push_back(operands[1]);
  return success();
}

LogicalResult
dtensor::decomposeExtremumBackward(Operation *op, OpBuilder &builder,
                                   ValueRange operands, TypeRange resultTypes,
                                   SmallVectorImpl<Value> &results) {
  Value grad = operands[0], input = operands[1], output = operands[2];
  SmallVector<int64_t> dims = getDims(op);
  NNBuilder nn(op, builder, input,
               [&](unsigned dim) { return llvm::is_contained(dims, dim); });
  IteratorList row = nn.kept;
  if (op->hasAttr("keepdim")) {
    row = nn.all;
    for (int64_t dim : dims)
      row[dim] = kBroadcast;
  }
  Type wide = nn.accumulator;
  Value count =
      nn.reduce("count", {input, output}, {nn.all, row}, ReduceKind::Sum,
                [&](OpBuilder &b, Location loc, ValueRange args) {
                  Scalars s{b, loc};
                  return s.cast(s.compare("eq", args[0], args[1]), wide);
                });
  // A row of NaN equals nothing: 0 / 0, as everywhere in it.
  results.push_back(nn.map(
      op->getName().stripDialect(), {grad, input, output, count},
      {row, nn.all, row, nn.kept}, resultTypes[0],
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        Value same = s.compare("eq", args[1], args[2]);
        Value g = s.select(same, s.cast(args[0], wide), s.constant(wide, 0));
        return s.cast(s.div(g, args[3]), getElementTypeOrSelf(resultTypes[0]));
      }));
  return success();
}

LogicalResult dtensor::verifyExtremumBackward(Operation *op) {
  return failed(verifyFloats(op)) ? failure() : verifyComposite(op);
}

void DTensorDialect::registerBackwardOps() {
  addOperations<
#define GET_OP_LIST
#include "dtensor/Dialect/DTensor/IR/BackwardOps.cpp.inc"
      >();
}

#define GET_OP_CLASSES
#include "dtensor/Dialect/DTensor/IR/BackwardOps.cpp.inc"
