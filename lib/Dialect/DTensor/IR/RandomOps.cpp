//===- RandomOps.cpp - numbers that no mesh changes -----------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The body of the loop nest knows its global position, and a number depends on
// nothing else.
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/RandomOps.h"

#include "Philox.h"
#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace dtensor;

static LogicalResult inferRandom(Operation *op, ArrayRef<ExtentList> operands,
                                 const Facts &,
                                 SmallVectorImpl<ExtentList> &results) {
  if (!isa<RandOp, RandnOp>(op)) {
    results.assign(op->getNumResults(), operands[0]);
    return success();
  }
  auto extents = resultSizes(op, op->getAttrOfType<ArrayAttr>("sizes"));
  if (failed(extents))
    return failure();
  results.push_back(*extents);
  return success();
}

//===----------------------------------------------------------------------===//
// Decomposition
//===----------------------------------------------------------------------===//

namespace {
/// One op being decomposed. Seed and offset are the last two operands.
struct Draws {
  Operation *op;
  OpBuilder &builder;
  ValueRange operands;
  unsigned rank;
  /// The extents of the result.
  SmallVector<Value> sizes;

  Draws(Operation *op, OpBuilder &builder, ValueRange operands, Type type)
      : op(op), builder(builder), operands(operands),
        rank(cast<RankedTensorType>(type).getRank()) {
    Scalars s{builder, op->getLoc()};
    for (Expr extent : getExtents(type))
      sizes.push_back(s.cast(buildExtent(builder, op->getLoc(), extent),
                             builder.getI64Type()));
  }

  /// The row-major position of an element in the global tensor.
  Value position(Scalars &s) {
    Value result = s.constant(builder.getI64Type(), 0);
    for (unsigned dim = 0; dim < rank; ++dim) {
      Value index =
          dtensor::IndexOp::create(s.builder, s.loc, builder.getIndexType(),
                                   builder.getI64IntegerAttr(dim));
      if (dim)
        result = s.mul(result, sizes[dim]);
      result = s.add(result, s.cast(index, builder.getI64Type()));
    }
    return result;
  }

  /// `body` gets the words of an element and, if there is an operand before
  /// the seed, its scalar.
  SmallVector<Value>
  build(TypeRange types,
        llvm::function_ref<SmallVector<Value>(Scalars &, const RandomWords &,
                                              Value)>
            body);
};
} // namespace

SmallVector<Value>
Draws::build(TypeRange types,
             llvm::function_ref<SmallVector<Value>(Scalars &,
                                                   const RandomWords &, Value)>
                 body) {
  SmallVector<Value> inputs;
  SmallVector<IteratorList> dims;
  for (auto [i, operand] : llvm::enumerate(operands)) {
    if (!isa<RankedTensorType>(operand.getType()))
      continue;
    inputs.push_back(operand);
    bool isScalar = i + 2 >= operands.size();
    dims.push_back(isScalar ? IteratorList() : identityDims(rank));
  }
  auto loopBody = [&](OpBuilder &b, Location loc, ValueRange args) {
    Scalars s{b, loc};
    SmallVector<Value> scalars;
    unsigned next = 0;
    for (Value operand : operands)
      scalars.push_back(isa<RankedTensorType>(operand.getType()) ? args[next++]
                                                                 : operand);
    Value offset = scalars.pop_back_val(), seed = scalars.pop_back_val();
    RandomWords words = buildPhilox(s, seed, position(s), offset);
    return body(s, words, scalars.empty() ? Value() : scalars.front());
  };
  return buildPointwise(builder, op->getLoc(), op->getName().stripDialect(),
                        inputs, dims, types, loopBody);
}

static SmallVector<Value> buildDropout(Scalars &s, const RandomWords &words,
                                       Value x, double p) {
  Type type = x.getType(), wide = accumulatorType(type);
  FloatType f32 = s.builder.getF32Type();
  Value uniform = buildUniform(s, words, f32);
  Value kept = s.compare("ge", uniform, s.constant(f32, p));
  Value scale = s.constant(wide, p < 1 ? 1 / (1 - p) : 0);
  Value scaled = s.mul(s.cast(x, wide), scale);
  return {s.cast(s.select(kept, scaled, s.constant(wide, 0)), type), kept};
}

static SmallVector<Value> buildBernoulli(Scalars &s, const RandomWords &words,
                                         Value p, Type type) {
  auto wide = cast<FloatType>(accumulatorType(p.getType()));
  Value uniform = buildUniform(s, words, wide);
  return {s.cast(s.compare("lt", uniform, s.cast(p, wide)), type)};
}

static LogicalResult decomposeRandom(Operation *op, OpBuilder &builder,
                                     ValueRange operands, TypeRange resultTypes,
                                     SmallVectorImpl<Value> &results) {
  Type element = getElementTypeOrSelf(resultTypes[0]);
  Draws draws(op, builder, operands, resultTypes[0]);
  auto body = [&](Scalars &s, const RandomWords &words,
                  Value x) -> SmallVector<Value> {
    if (auto dropout = dyn_cast<DropoutOp>(op))
      return buildDropout(s, words, x, dropout.getP().convertToDouble());
    if (isa<BernoulliOp>(op))
      return buildBernoulli(s, words, x, element);
    auto type = cast<FloatType>(element);
    Value drawn = isa<RandOp>(op) ? buildUniform(s, words, type)
                                  : buildNormal(s, words, type);
    return {s.cast(drawn, type)};
  };
  llvm::append_range(results, draws.build(resultTypes, body));
  return success();
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

static LogicalResult checkInteger(Operation *op, StringRef name, Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (scalarType(value).isInteger(64) && (!type || type.getRank() == 0))
    return success();
  return op->emitOpError(name)
         << " has type " << value.getType() << ", expected i64 or tensor<i64>";
}

static LogicalResult verifyRandom(Operation *op) {
  unsigned last = op->getNumOperands() - 1;
  Type drawn =
      scalarType(isa<BernoulliOp>(op) ? op->getOperand(0) : op->getResult(0));
  if (failed(checkInteger(op, "seed", op->getOperand(last - 1))) ||
      failed(checkInteger(op, "offset", op->getOperand(last))))
    return failure();
  if (!isa<FloatType>(drawn))
    return op->emitOpError("is not defined on element type ") << drawn;
  if (auto dropout = dyn_cast<DropoutOp>(op)) {
    double p = dropout.getP().convertToDouble();
    if (!(p >= 0 && p <= 1))
      return op->emitOpError("p is ") << p << ", expected 0 to 1";
    if (scalarType(dropout.getInput()) != drawn)
      return op->emitOpError("operand has element type ")
             << scalarType(dropout.getInput()) << " and result " << drawn;
    if (!isBool(scalarType(dropout.getKept())))
      return op->emitOpError("the second result has element type ")
             << scalarType(dropout.getKept()) << ", expected i1";
  }
  return verifyComposite(op);
}

void DTensorDialect::registerRandomOps() {
  addOperations<
#define GET_OP_LIST
#include "dtensor/Dialect/DTensor/IR/RandomOps.cpp.inc"
      >();
}

#define GET_OP_CLASSES
#include "dtensor/Dialect/DTensor/IR/RandomOps.cpp.inc"
