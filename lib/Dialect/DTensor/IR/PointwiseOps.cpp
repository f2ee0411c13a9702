//===- PointwiseOps.cpp - one scalar at a time, with broadcasting ---------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/PointwiseOps.h"

#include "PointwiseBodies.h"

using namespace mlir;
using namespace dtensor;

static const PointwiseEntry &getEntry(Operation *op) {
  return getPointwiseEntry(op->getName().stripDialect());
}

//===----------------------------------------------------------------------===//
// Extents
//===----------------------------------------------------------------------===//

/// Joins the extent of one operand into the result's. Only the literal 1 is
/// stretched, so `1` joins with anything and two others must be equal.
static LogicalResult joinExtent(Operation *op, unsigned operand, unsigned dim,
                                Expr extent, Expr &joined, const Facts &facts) {
  if (!joined || joined.isConstant(1)) {
    joined = extent;
    return success();
  }
  if (extent.isConstant(1))
    return success();
  if (failed(checkExtent(
          op, "operand " + Twine(operand) + " dimension " + Twine(dim), extent,
          joined, facts)))
    return failure();
  if (extent.getConstant())
    joined = extent;
  return success();
}

LogicalResult dtensor::inferPointwise(Operation *op,
                                      ArrayRef<ExtentList> operands,
                                      const Facts &facts,
                                      SmallVectorImpl<ExtentList> &results) {
  size_t rank = 0;
  for (const ExtentList &extents : operands)
    rank = std::max(rank, extents.size());
  ExtentList joined(rank);
  for (auto [number, extents] : llvm::enumerate(operands))
    for (auto [dim, extent] : llvm::enumerate(extents))
      if (failed(joinExtent(op, number, dim, extent,
                            joined[rank - extents.size() + dim], facts)))
        return failure();
  results.push_back(std::move(joined));
  return success();
}

//===----------------------------------------------------------------------===//
// Decomposition
//===----------------------------------------------------------------------===//

IteratorList dtensor::alignDims(ArrayRef<Expr> operand, ArrayRef<Expr> result) {
  IteratorList dims;
  unsigned skipped = result.size() - operand.size();
  for (auto [dim, extent] : llvm::enumerate(operand)) {
    bool stretched =
        extent.isConstant(1) && !result[skipped + dim].isConstant(1);
    dims.push_back(stretched ? kBroadcast : skipped + dim);
  }
  return dims;
}

/// The op on scalars, in f32 where its entry asks for it.
static Value buildScalar(Operation *op, OpBuilder &builder, Location loc,
                         ArrayRef<Value> args) {
  const PointwiseEntry &entry = getEntry(op);
  Scalars scalars{builder, loc};
  Type type = args.front().getType();
  if (!entry.widen || accumulatorType(type) == type)
    return entry.build(scalars, op, args);
  SmallVector<Value> wide;
  for (Value arg : args)
    wide.push_back(scalars.cast(arg, accumulatorType(type)));
  Value result = entry.build(scalars, op, wide);
  return entry.asks ? result : scalars.cast(result, type);
}

LogicalResult dtensor::decomposePointwise(Operation *op, OpBuilder &builder,
                                          ValueRange operands,
                                          TypeRange resultTypes,
                                          SmallVectorImpl<Value> &results) {
  ExtentList extents = getExtents(resultTypes[0]);
  SmallVector<Value> tensors;
  SmallVector<IteratorList> dims;
  for (Value operand : operands)
    if (isa<RankedTensorType>(operand.getType())) {
      tensors.push_back(operand);
      dims.push_back(alignDims(getExtents(operand), extents));
    }
  auto body = [&](OpBuilder &builder, Location loc, ValueRange args) {
    SmallVector<Value> scalars;
    unsigned next = 0;
    for (Value operand : operands)
      scalars.push_back(isa<RankedTensorType>(operand.getType()) ? args[next++]
                                                                 : operand);
    return buildScalar(op, builder, loc, scalars);
  };
  results.push_back(buildGeneric(builder, op->getLoc(),
                                 op->getName().stripDialect(), tensors, dims,
                                 identityDims(extents.size()), extents.size(),
                                 ReduceKind::Sum, resultTypes[0], body));
  return success();
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

static LogicalResult checkType(Operation *op, const Twine &what, Type type,
                               Type expected) {
  if (type == expected)
    return success();
  return op->emitOpError() << what << " has element type " << type
                           << ", expected " << expected;
}

static LogicalResult checkKind(Operation *op, Type type) {
  unsigned kinds = getEntry(op).kinds;
  if (isBool(type) ? kinds & kBool
                   : (isa<FloatType>(type) && (kinds & kFloat)) ||
                         (type.isIntOrIndex() && (kinds & kInteger)))
    return success();
  return op->emitOpError("is not defined on element type ") << type;
}

static LogicalResult checkChoice(Operation *op, StringRef name,
                                 ArrayRef<StringRef> choices) {
  auto attr = op->getAttrOfType<StringAttr>(name);
  if (!attr || llvm::is_contained(choices, attr.getValue()))
    return success();
  auto error = op->emitOpError()
               << name << " is \"" << attr.getValue() << "\", expected one of ";
  llvm::interleaveComma(choices, error);
  return error;
}

static LogicalResult verifyTypes(Operation *op) {
  Type result = scalarType(op->getResult(0));
  if (isa<CastOp>(op)) {
    Type from = scalarType(op->getOperand(0));
    if (failed(checkKind(op, from)))
      return failure();
    return checkKind(op, result);
  }
  const PointwiseEntry &entry = getEntry(op);
  Type i1 = IntegerType::get(op->getContext(), 1);
  Type type = scalarType(op->getOperand(entry.mask == 0 ? 1 : 0));
  if (failed(checkKind(op, type)))
    return failure();
  for (auto [i, operand] : llvm::enumerate(op->getOperands()))
    if (failed(checkType(op, "operand " + Twine(i), scalarType(operand),
                         int(i) == entry.mask ? i1 : type)))
      return failure();
  return checkType(op, "result", result, entry.asks ? i1 : type);
}

LogicalResult dtensor::verifyPointwise(Operation *op) {
  if (llvm::none_of(op->getOperandTypes(), llvm::IsaPred<RankedTensorType>))
    return op->emitOpError("has no tensor operand");
  if (failed(verifyTypes(op)) ||
      failed(
          checkChoice(op, "predicate", {"eq", "ne", "lt", "le", "gt", "ge"})) ||
      failed(checkChoice(op, "approximate", {"none", "tanh"})))
    return failure();
  return verifyComposite(op);
}

void DTensorDialect::registerPointwiseOps() {
  addOperations<
#define GET_OP_LIST
#include "dtensor/Dialect/DTensor/IR/PointwiseOps.cpp.inc"
      >();
}

#define GET_OP_CLASSES
#include "dtensor/Dialect/DTensor/IR/PointwiseOps.cpp.inc"
