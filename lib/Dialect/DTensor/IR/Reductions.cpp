//===- Reductions.cpp - neutral elements and combiners --------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/Reductions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace dtensor;

bool dtensor::canReduce(ReduceKind kind, Type elementType) {
  if (elementType.isInteger(1))
    return kind != ReduceKind::Sum && kind != ReduceKind::Avg;
  return elementType.isSignlessIntOrIndexOrFloat();
}

static APFloat neutralFloat(ReduceKind kind, const llvm::fltSemantics &type) {
  auto extreme = [&](bool negative) {
    return APFloat::semanticsHasInf(type) ? APFloat::getInf(type, negative)
                                          : APFloat::getLargest(type, negative);
  };
  switch (kind) {
  case ReduceKind::Sum:
  case ReduceKind::Avg:
    return APFloat::getZero(type, /*Negative=*/true);
  case ReduceKind::Product:
    return APFloat(type, 1);
  case ReduceKind::Max:
    return extreme(/*negative=*/true);
  case ReduceKind::Min:
    return extreme(/*negative=*/false);
  }
  llvm_unreachable("unknown reduction kind");
}

static APInt neutralInteger(ReduceKind kind, unsigned width) {
  // The signed bounds of i1 are swapped: true is -1.
  bool isBool = width == 1;
  switch (kind) {
  case ReduceKind::Sum:
  case ReduceKind::Avg:
    return APInt(width, 0);
  case ReduceKind::Product:
    return APInt(width, 1);
  case ReduceKind::Max:
    return isBool ? APInt(1, 0) : APInt::getSignedMinValue(width);
  case ReduceKind::Min:
    return isBool ? APInt(1, 1) : APInt::getSignedMaxValue(width);
  }
  llvm_unreachable("unknown reduction kind");
}

TypedAttr dtensor::getNeutralElement(ReduceKind kind, Type elementType) {
  assert(canReduce(kind, elementType) && "no such reduction");
  if (auto type = dyn_cast<FloatType>(elementType))
    return FloatAttr::get(type, neutralFloat(kind, type.getFloatSemantics()));
  unsigned width = elementType.isIndex() ? IndexType::kInternalStorageBitWidth
                                         : elementType.getIntOrFloatBitWidth();
  return IntegerAttr::get(elementType, neutralInteger(kind, width));
}

static Value combineFloats(OpBuilder &builder, Location loc, ReduceKind kind,
                           Value lhs, Value rhs) {
  constexpr auto reassociate = arith::FastMathFlags::reassoc;
  switch (kind) {
  case ReduceKind::Sum:
  case ReduceKind::Avg:
    return arith::AddFOp::create(builder, loc, lhs, rhs, reassociate);
  case ReduceKind::Product:
    return arith::MulFOp::create(builder, loc, lhs, rhs, reassociate);
  case ReduceKind::Max:
    return arith::MaximumFOp::create(builder, loc, lhs, rhs);
  case ReduceKind::Min:
    return arith::MinimumFOp::create(builder, loc, lhs, rhs);
  }
  llvm_unreachable("unknown reduction kind");
}

Value dtensor::createCombiner(OpBuilder &builder, Location loc, ReduceKind kind,
                              Value lhs, Value rhs) {
  Type type = lhs.getType();
  assert(canReduce(kind, type) && "no such reduction");
  if (isa<FloatType>(type))
    return combineFloats(builder, loc, kind, lhs, rhs);
  bool isBool = type.isInteger(1);
  switch (kind) {
  case ReduceKind::Sum:
  case ReduceKind::Avg:
    return arith::AddIOp::create(builder, loc, lhs, rhs);
  case ReduceKind::Product:
    return arith::MulIOp::create(builder, loc, lhs, rhs);
  case ReduceKind::Max:
    if (isBool)
      return arith::OrIOp::create(builder, loc, lhs, rhs);
    return arith::MaxSIOp::create(builder, loc, lhs, rhs);
  case ReduceKind::Min:
    if (isBool)
      return arith::AndIOp::create(builder, loc, lhs, rhs);
    return arith::MinSIOp::create(builder, loc, lhs, rhs);
  }
  llvm_unreachable("unknown reduction kind");
}
