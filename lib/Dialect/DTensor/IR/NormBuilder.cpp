//===- NormBuilder.cpp - mean and variance --------------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NormBuilder.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace dtensor;

NormBuilder::NormBuilder(Operation *op, OpBuilder &builder, Value input,
                         llvm::function_ref<bool(unsigned)> isReduced)
    : nn(op, builder, input, isReduced),
      eps(op->getAttrOfType<FloatAttr>("eps").getValueAsDouble()) {}

/// The mean over a reduction, given its sum.
Value NormBuilder::divide(Value sum, Value count) {
  return nn.finish("mean", sum, sum.getType(),
                   [&](OpBuilder &b, Location loc, ValueRange args) {
                     return Scalars{b, loc}.div(args[0], count);
                   });
}

/// The sum of (x - mean)^2; of x^2 without a mean.
Value NormBuilder::sumSquares() {
  SmallVector<Value> inputs = {nn.input};
  SmallVector<IteratorList> dims = {nn.all};
  if (mean) {
    inputs.push_back(mean);
    dims.push_back(nn.kept);
  }
  return nn.reduce("sum_squares", inputs, dims, ReduceKind::Sum,
                   [&](OpBuilder &b, Location loc, ValueRange args) {
                     Scalars s{b, loc};
                     Value x = s.cast(args[0], nn.accumulator);
                     if (mean)
                       x = s.sub(x, args[1]);
                     return s.mul(x, x);
                   });
}

void NormBuilder::measure(bool subtractsMean) {
  Value count = nn.count();
  if (subtractsMean) {
    Value sum =
        nn.reduce("sum", nn.input, {nn.all}, ReduceKind::Sum,
                  [&](OpBuilder &b, Location loc, ValueRange args) {
                    return Scalars{b, loc}.cast(args[0], nn.accumulator);
                  });
    mean = divide(sum, count);
  }
  variance = divide(sumSquares(), count);
}

Value NormBuilder::normalize(StringRef label, ValueRange parameters,
                             const IteratorList &parameterDims,
                             Type resultType) {
  SmallVector<Value> inputs = {nn.input, variance};
  SmallVector<IteratorList> dims = {nn.all, nn.kept};
  llvm::append_range(inputs, parameters);
  dims.append(parameters.size(), parameterDims);
  if (mean) {
    inputs.push_back(mean);
    dims.push_back(nn.kept);
  }
  Type type = nn.accumulator;
  return nn.map(label, inputs, dims, resultType,
                [&](OpBuilder &b, Location loc, ValueRange args) {
                  Scalars s{b, loc};
                  Value x = s.cast(args[0], type);
                  if (mean)
                    x = s.sub(x, args.back());
                  Value shifted = s.add(args[1], s.constant(type, eps));
                  x = s.mul(x, math::RsqrtOp::create(b, loc, shifted));
                  if (parameters.size() > 0)
                    x = s.mul(x, s.cast(args[2], type));
                  if (parameters.size() > 1)
                    x = s.add(x, s.cast(args[3], type));
                  return s.cast(x, getElementTypeOrSelf(resultType));
                });
}

void NormBuilder::addStatistics(TypeRange types,
                                SmallVectorImpl<Value> &results) {
  if (types.empty())
    return;
  if (mean)
    results.push_back(nn.finish(
        "mean", mean, types.front(),
        [](OpBuilder &, Location, ValueRange args) { return args[0]; }));
  results.push_back(nn.finish(
      "rstd", variance, types.back(),
      [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
        Scalars s{b, loc};
        Value shifted = s.add(args[0], s.constant(nn.accumulator, eps));
        return math::RsqrtOp::create(b, loc, shifted);
      }));
}

LogicalResult dtensor::checkOneFloat(Operation *op, ValueRange operands) {
  Type result = scalarType(op->getResult(0));
  if (!isa<FloatType>(result))
    return op->emitOpError("is not defined on element type ") << result;
  for (Value operand : operands)
    if (scalarType(operand) != result)
      return op->emitOpError("operand has element type ")
             << scalarType(operand) << " and result " << result;
  return success();
}

LogicalResult dtensor::checkStatistics(Operation *op, ValueRange statistics) {
  Type accumulator = accumulatorType(scalarType(op->getResult(0)));
  for (Value statistic : statistics)
    if (scalarType(statistic) != accumulator)
      return op->emitOpError("a statistic has element type ")
             << scalarType(statistic) << ", expected " << accumulator;
  return success();
}
