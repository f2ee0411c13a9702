//===- IndexingOps.cpp - slices, joins and constants ----------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/IndexingOps.h"

#include "CompositeUtils.h"
#include "dtensor/Dialect/DTensor/IR/RuleUtils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace dtensor;

static LogicalResult checkSameElement(Operation *op, Value operand) {
  Type from = scalarType(operand), to = scalarType(op->getResult(0));
  if (from == to)
    return success();
  return op->emitOpError("operand has element type ")
         << from << " and result " << to;
}

/// `[a, b + 1]`.
static ParseResult parseExprList(OpAsmParser &parser, ArrayAttr &list) {
  SmallVector<Attribute> exprs;
  auto parseOne = [&]() -> ParseResult {
    Expr expr;
    if (parseExpr(parser, expr))
      return failure();
    exprs.push_back(ExprAttr::get(parser.getContext(), expr));
    return success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseOne))
    return failure();
  list = parser.getBuilder().getArrayAttr(exprs);
  return success();
}

static void printExprList(OpAsmPrinter &printer, Operation *, ArrayAttr list) {
  auto printOne = [&](Attribute attr) {
    if (auto expr = dyn_cast<ExprAttr>(attr))
      printer << expr.getExpr().str();
    else if (auto number = dyn_cast<IntegerAttr>(attr))
      printer << number.getValue();
    else
      printer << attr;
  };
  printer << '[';
  llvm::interleaveComma(list, printer, printOne);
  printer << ']';
}

//===----------------------------------------------------------------------===//
// Slice
//===----------------------------------------------------------------------===//

static Expr exprAt(ArrayAttr list, unsigned index) {
  if (auto expr = dyn_cast<ExprAttr>(list[index]))
    return expr.getExpr();
  return Expr::constant(getExprContext(list.getContext()),
                        cast<IntegerAttr>(list[index]).getInt());
}

Expr SliceOp::getStart(unsigned dim) { return exprAt(getStarts(), dim); }
Expr SliceOp::getSize(unsigned dim) { return exprAt(getSizes(), dim); }
Expr SliceOp::getStep(unsigned dim) { return exprAt(getSteps(), dim); }

bool SliceOp::isWhole(unsigned dim) {
  return getStart(dim).isConstant(0) && getStep(dim).isConstant(1) &&
         getSize(dim) == getExtents(getInput())[dim];
}

/// lhs <= rhs fails for every value of the symbols.
static bool neverLE(Expr lhs, Expr rhs) { return Facts().proveLT(rhs, lhs); }

/// One dimension: 0 <= start, step >= 1, and the last element is inside.
static LogicalResult verifySliceDim(SliceOp op, unsigned dim, Expr extent) {
  ExprContext &context = getExprContext(op.getContext());
  Expr zero = Expr::constant(context, 0), one = Expr::constant(context, 1);
  Expr start = op.getStart(dim), size = op.getSize(dim), step = op.getStep(dim);
  auto error = [&](const Twine &text) {
    return op.emitOpError("dimension ") << dim << ": " << text;
  };
  if (neverLE(zero, start))
    return error("start " + start.str() + " is negative");
  if (neverLE(zero, size))
    return error("size " + size.str() + " is negative");
  if (neverLE(one, step))
    return error("step " + step.str() + " is below 1");
  // A size that may be 0 has no last element.
  if (!extent || !Facts().provePositive(size))
    return success();
  Expr last = start + (size - 1) * step;
  if (last.isOverflow())
    return error("the last element overflows 64 bits");
  if (neverLE(last + 1, extent))
    return error("the last element " + last.str() + " is outside of extent " +
                 extent.str());
  return success();
}

LogicalResult SliceOp::verify() {
  auto type = cast<RankedTensorType>(getInput().getType());
  size_t rank = type.getRank();
  for (ArrayAttr list : {getStarts(), getSizes(), getSteps()}) {
    if (failed(exprList(*this, list)))
      return failure();
    if (list.size() != rank)
      return emitOpError("has a list of ")
             << list.size() << " expressions for rank " << rank;
  }
  if (failed(checkSameElement(*this, getInput())) ||
      failed(verifyOneMesh(*this)))
    return failure();
  ExtentList extents = getExtents(type);
  for (unsigned dim = 0; dim < rank; ++dim)
    if (failed(verifySliceDim(*this, dim, extents[dim])))
      return failure();
  return verifyResultExtents(*this, *exprList(*this, getSizes()));
}

FailureOr<ShardingRule> SliceOp::getShardingRule() {
  RuleBuilder builder;
  ExtentList extents = getExtents(getInput());
  TensorMap &from = builder.rule.operands.emplace_back(extents.size());
  TensorMap &to = builder.rule.results.emplace_back(extents.size());
  for (auto [dim, extent] : llvm::enumerate(extents)) {
    if (isWhole(dim)) {
      from[dim] = to[dim] = builder.parallel(extent);
      continue;
    }
    from[dim] = builder.whole(extent);
    to[dim] = builder.whole(getSize(dim));
  }
  builder.addPartials(allReduceKinds(), 1, {0});
  return std::move(builder.rule);
}

LogicalResult SliceOp::normalize(NormalizeContext &context) {
  return normalizeCore(*this, context, *exprList(*this, getSizes()));
}

LogicalResult SliceOp::partition(OpBuilder &builder, ValueRange operands,
                                 PartitionContext &context,
                                 SmallVectorImpl<Value> &results) {
  RankedTensorType type = context.getLocalType(getResult());
  SmallVector<OpFoldResult> offsets, steps;
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    offsets.push_back(materialize(builder, context, getStart(dim)));
    steps.push_back(materialize(builder, context, getStep(dim)));
  }
  results.push_back(tensor::ExtractSliceOp::create(
      builder, getLoc(), type, operands[0], offsets,
      localSizes(builder, context, getResult()), steps));
  return success();
}

//===----------------------------------------------------------------------===//
// Concat
//===----------------------------------------------------------------------===//

/// The extents of a concatenation; errors at `op`.
static FailureOr<ExtentList>
inferConcat(ConcatOp op, ArrayRef<ExtentList> operands, const Facts &facts) {
  if (operands.empty())
    return op.emitOpError("has no operands");
  ExtentList extents = operands.front();
  unsigned concatDim = op.getDim();
  if (failed(checkDim(op, "dim", op.getDim(), extents.size())))
    return failure();
  for (unsigned number = 1; number < operands.size(); ++number) {
    if (operands[number].size() != extents.size())
      return op.emitOpError("operand ")
             << number << " has rank " << operands[number].size()
             << ", expected " << extents.size();
    for (auto [dim, extent] : llvm::enumerate(operands[number])) {
      if (dim == concatDim)
        extents[dim] = extents[dim] + extent;
      else if (failed(checkExtent(
                   op, "operand " + Twine(number) + " dimension " + Twine(dim),
                   extent, extents[dim], facts)))
        return failure();
    }
  }
  if (failed(checkOverflow(op, extents)))
    return failure();
  return extents;
}

LogicalResult ConcatOp::verify() {
  if (failed(verifyOneMesh(*this)))
    return failure();
  for (Value input : getInputs())
    if (failed(checkSameElement(*this, input)))
      return failure();
  auto extents = inferConcat(*this, operandExtents(*this), Facts());
  if (failed(extents))
    return failure();
  return verifyResultExtents(*this, *extents);
}

FailureOr<ShardingRule> ConcatOp::getShardingRule() {
  RuleBuilder builder;
  unsigned concatDim = getDim();
  ExtentList extents = getExtents(getResult());
  TensorMap others(extents.size());
  for (auto [dim, extent] : llvm::enumerate(extents))
    if (dim != concatDim)
      others[dim] = builder.parallel(extent);
  auto makeMap = [&](Value value) {
    TensorMap map = others;
    map[concatDim] = builder.whole(getExtents(value)[concatDim]);
    return map;
  };
  for (Value input : getInputs())
    builder.rule.operands.push_back(makeMap(input));
  builder.rule.results.push_back(makeMap(getResult()));
  unsigned count = getInputs().size();
  builder.addPartials(allReduceKinds(), count,
                      llvm::to_vector(llvm::seq<unsigned>(0, count)));
  return std::move(builder.rule);
}

LogicalResult ConcatOp::normalize(NormalizeContext &context) {
  auto operands = normalizedExtents(*this, context);
  auto extents = inferConcat(*this, operands, context.getFacts());
  if (failed(extents))
    return failure();
  for (const ExtentList &operand : operands)
    for (auto [dim, extent] : llvm::enumerate(operand))
      if (dim != getDim() &&
          failed(context.unify(*this, extent, (*extents)[dim],
                               "dimension " + Twine(dim))))
        return failure();
  return normalizeCore(*this, context, *extents);
}

LogicalResult ConcatOp::partition(OpBuilder &builder, ValueRange operands,
                                  PartitionContext &context,
                                  SmallVectorImpl<Value> &results) {
  Location loc = getLoc();
  Value value = emptyLocal(builder, loc, context, getResult());
  unsigned rank = cast<RankedTensorType>(value.getType()).getRank();
  SmallVector<OpFoldResult> offsets(rank, builder.getIndexAttr(0));
  SmallVector<OpFoldResult> steps(rank, builder.getIndexAttr(1));
  Expr offset = Expr::constant(getExprContext(getContext()), 0);
  for (auto [global, local] : llvm::zip(getInputs(), operands)) {
    offsets[getDim()] = materialize(builder, context, offset);
    value = tensor::InsertSliceOp::create(builder, loc, local, value, offsets,
                                          localSizes(builder, context, global),
                                          steps);
    offset = offset + getExtents(global)[getDim()];
  }
  results.push_back(
      castTensor(builder, loc, value, context.getLocalType(getResult())));
  return success();
}

//===----------------------------------------------------------------------===//
// Constant
//===----------------------------------------------------------------------===//

LogicalResult ConstantOp::verify() {
  ShapedType valueType = getValue().getShapedType();
  auto type = cast<RankedTensorType>(getResult().getType());
  if (valueType.getShape() == type.getShape() &&
      valueType.getElementType() == type.getElementType())
    return success();
  return emitOpError("value has type ") << valueType << ", result " << type;
}

FailureOr<ShardingRule> ConstantOp::getShardingRule() {
  RuleBuilder builder;
  TensorMap map;
  for (Expr extent : getExtents(getResult()))
    map.push_back(builder.parallel(extent));
  builder.rule.results.push_back(std::move(map));
  return std::move(builder.rule);
}

LogicalResult ConstantOp::normalize(NormalizeContext &context) {
  return normalizeCore(*this, context, getExtents(getValue().getType()));
}

LogicalResult ConstantOp::partition(OpBuilder &builder, ValueRange,
                                    PartitionContext &context,
                                    SmallVectorImpl<Value> &results) {
  Value value = arith::ConstantOp::create(builder, getLoc(), getValue());
  RankedTensorType type = context.getLocalType(getResult());
  bool whole = true;
  SmallVector<OpFoldResult> offsets;
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    bool isWhole = context.isWhole(getResult(), dim);
    whole &= isWhole;
    offsets.push_back(isWhole ? OpFoldResult(builder.getIndexAttr(0))
                              : context.getOffset(getResult(), dim));
  }
  if (!whole) {
    SmallVector<OpFoldResult> steps(type.getRank(), builder.getIndexAttr(1));
    value = tensor::ExtractSliceOp::create(
        builder, getLoc(), type, value, offsets,
        localSizes(builder, context, getResult()), steps);
  }
  results.push_back(castTensor(builder, getLoc(), value, type));
  return success();
}

void DTensorDialect::registerIndexingOps() {
  addOperations<
#define GET_OP_LIST
#include "dtensor/Dialect/DTensor/IR/IndexingOps.cpp.inc"
      >();
}

#define GET_OP_CLASSES
#include "dtensor/Dialect/DTensor/IR/IndexingOps.cpp.inc"
