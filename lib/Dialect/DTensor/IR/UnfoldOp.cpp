//===- UnfoldOp.cpp - windows of some dimensions --------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompositeUtils.h"
#include "dtensor/Dialect/DTensor/IR/RuleUtils.h"
#include "dtensor/Dialect/DTensor/IR/WindowOps.h"

using namespace mlir;
using namespace dtensor;

static int64_t numberAt(ArrayAttr list, unsigned i) {
  return cast<IntegerAttr>(list[i]).getInt();
}

std::optional<unsigned> UnfoldOp::findDim(unsigned dim) {
  for (unsigned i = 0, e = getDims().size(); i < e; ++i)
    if (numberAt(getDims(), i) == int64_t(dim))
      return i;
  return std::nullopt;
}

int64_t UnfoldOp::getStrideOf(unsigned i) { return numberAt(getStride(), i); }
int64_t UnfoldOp::getDilationOf(unsigned i) {
  return numberAt(getDilation(), i);
}
int64_t UnfoldOp::getOffsetOf(unsigned i) { return numberAt(getOffset(), i); }
int64_t UnfoldOp::getDivisorOf(unsigned i) { return numberAt(getDivisor(), i); }

/// Above this, positions could overflow.
constexpr int64_t kLargest = int64_t(1) << 31;

static LogicalResult verifyLists(UnfoldOp op, int64_t rank) {
  if (failed(dimMask(op, intList(op.getDims()), rank)))
    return failure();
  size_t count = op.getDims().size();
  std::pair<StringRef, ArrayAttr> lists[] = {
      {"sizes", op.getSizes()},   {"kernel", op.getKernel()},
      {"stride", op.getStride()}, {"dilation", op.getDilation()},
      {"offset", op.getOffset()}, {"divisor", op.getDivisor()}};
  for (auto [name, list] : lists)
    if (list.size() != count)
      return op.emitOpError(name)
             << " has " << list.size() << " entries, expected " << count;
  for (auto [name, list] : ArrayRef(lists).drop_front(2))
    for (int64_t number : intList(list)) {
      bool positive = name == "stride" || name == "divisor";
      if (number < (positive ? 1 : -kLargest) || number > kLargest)
        return op.emitOpError(name) << " " << number << " is out of range";
    }
  return success();
}

static FailureOr<ExtentList> inferUnfold(UnfoldOp op, ArrayRef<Expr> input) {
  if (failed(verifyLists(op, input.size())))
    return failure();
  auto sizes = exprList(op, op.getSizes());
  auto kernel = exprList(op, op.getKernel());
  if (failed(sizes) || failed(kernel))
    return failure();
  Expr zero = Expr::constant(getExprContext(op.getContext()), 0);
  for (Expr extent : llvm::concat<Expr>(*sizes, *kernel))
    if (Facts().proveLT(extent, zero))
      return op.emitOpError("extent ") << extent.str() << " is negative";
  ExtentList extents(input);
  for (auto [i, dim] : llvm::enumerate(intList(op.getDims())))
    extents[dim] = (*sizes)[i];
  llvm::append_range(extents, *kernel);
  return extents;
}

LogicalResult UnfoldOp::verify() {
  Type element = scalarType(getInput());
  if (scalarType(getResult()) != element)
    return emitOpError("operand has element type ")
           << element << " and result " << scalarType(getResult());
  if (getValue().getType() != element)
    return emitOpError("value has type ")
           << getValue().getType() << ", expected " << element;
  auto extents = inferUnfold(*this, knownExtents(getInput(), 0));
  if (failed(extents) || failed(verifyOneMesh(*this)))
    return failure();
  return verifyResultExtents(*this, *extents);
}

/// A dimension and its windows are one factor: shards of the one are where
/// most of what the shards of the other need is.
FailureOr<ShardingRule> UnfoldOp::getShardingRule() {
  RuleBuilder builder;
  TensorMap operand, result;
  ExtentList from = getExtents(getInput()), to = getExtents(getResult());
  for (auto [dim, extent] : llvm::enumerate(from)) {
    if (findDim(dim) && (extent.isConstant(1) || to[dim].isConstant(1))) {
      operand.push_back(builder.whole(extent));
      result.push_back(builder.whole(to[dim]));
      continue;
    }
    operand.push_back(builder.parallel(extent));
    result.push_back(operand.back());
    if (findDim(dim))
      builder.rule.factors[operand.back().front()].windowed = true;
  }
  for (Expr extent : ArrayRef(to).drop_front(from.size()))
    result.push_back(builder.whole(extent));
  builder.rule.operands = {operand};
  builder.rule.results = {result};
  if (isa<FloatType>(getValue().getType())
          ? cast<FloatAttr>(getValue()).getValue().isZero()
          : cast<IntegerAttr>(getValue()).getValue().isZero())
    builder.addPartials(linearReduceKinds(), 1, {0});
  return std::move(builder.rule);
}

LogicalResult UnfoldOp::normalize(NormalizeContext &context) {
  auto extents = inferUnfold(*this, context.getExtents(getInput()));
  if (failed(extents))
    return failure();
  return normalizeCore(*this, context, *extents);
}

bool UnfoldOp::communicates() {
  LayoutAttr layout = getLayout(getInput());
  return layout && llvm::any_of(intList(getDims()), [&](int64_t dim) {
           return !layout.getLayout().axesOf(dim).empty();
         });
}
