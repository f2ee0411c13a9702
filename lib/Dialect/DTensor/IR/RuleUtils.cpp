//===- RuleUtils.cpp - rules and local forms of movement ops --------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/RuleUtils.h"
#include "CompositeUtils.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace dtensor {

unsigned RuleBuilder::add(FactorKind kind, Expr size, ReduceKind reduce) {
  rule.factors.push_back({kind, size, reduce});
  return rule.factors.size() - 1;
}

SmallVector<unsigned, 1> RuleBuilder::parallel(Expr size) {
  if (size.isConstant(1))
    return {};
  return {add(FactorKind::Parallel, size)};
}

SmallVector<unsigned, 1> RuleBuilder::whole(Expr size) {
  if (size.isConstant(1))
    return {};
  return {add(FactorKind::NeedReplication, size)};
}

SmallVector<unsigned, 1> RuleBuilder::summed(Expr size) {
  if (size.isConstant(1))
    return {};
  return {add(FactorKind::Reduction, size)};
}

void RuleBuilder::addPartials(ArrayRef<ReduceKind> kinds, unsigned numOperands,
                              ArrayRef<unsigned> partial,
                              ArrayRef<bool> results) {
  for (ReduceKind kind : kinds) {
    PartialSignature signature;
    signature.operands.resize(numOperands);
    for (unsigned operand : partial)
      signature.operands[operand] = kind;
    for (bool isPartial : results)
      signature.results.push_back(isPartial ? std::optional(kind)
                                            : std::nullopt);
    rule.partials.push_back(std::move(signature));
  }
}

ArrayRef<ReduceKind> allReduceKinds() {
  static constexpr ReduceKind kinds[] = {ReduceKind::Sum, ReduceKind::Avg,
                                         ReduceKind::Max, ReduceKind::Min,
                                         ReduceKind::Product};
  return kinds;
}

ArrayRef<ReduceKind> linearReduceKinds() {
  return allReduceKinds().take_front(2);
}

SmallVector<OpFoldResult> localSizes(OpBuilder &builder,
                                     PartitionContext &context, Value global) {
  RankedTensorType type = context.getLocalType(global);
  SmallVector<OpFoldResult> sizes;
  for (auto [dim, size] : llvm::enumerate(type.getShape())) {
    if (ShapedType::isDynamic(size))
      sizes.push_back(context.getLocalSize(global, dim));
    else
      sizes.push_back(builder.getIndexAttr(size));
  }
  return sizes;
}

Value emptyLocal(OpBuilder &builder, Location loc, PartitionContext &context,
                 Value global) {
  return tensor::EmptyOp::create(
      builder, loc, localSizes(builder, context, global), scalarType(global));
}

Value castTensor(OpBuilder &builder, Location loc, Value value,
                 RankedTensorType type) {
  if (value.getType() == type)
    return value;
  return tensor::CastOp::create(builder, loc, type, value);
}

Value reshapeByShape(OpBuilder &builder, Location loc, Value input,
                     RankedTensorType type, ArrayRef<OpFoldResult> sizes) {
  SmallVector<Value> values =
      getValueOrCreateConstantIndexOp(builder, loc, sizes);
  auto shapeType = RankedTensorType::get(values.size(), builder.getIndexType());
  Value shape = tensor::FromElementsOp::create(builder, loc, shapeType, values);
  return tensor::ReshapeOp::create(builder, loc, type, input, shape);
}

OpFoldResult materialize(OpBuilder &builder, PartitionContext &context,
                         Expr expr) {
  if (auto value = expr.getConstant())
    return builder.getIndexAttr(*value);
  return context.materialize(expr);
}

SmallVector<ExtentList> normalizedExtents(Operation *op,
                                          NormalizeContext &context) {
  SmallVector<ExtentList> extents;
  for (Value operand : op->getOperands())
    extents.push_back(isa<RankedTensorType>(operand.getType())
                          ? context.getExtents(operand)
                          : ExtentList());
  return extents;
}

SmallVector<ExtentList> operandExtents(Operation *op) {
  SmallVector<ExtentList> extents;
  for (auto [number, operand] : llvm::enumerate(op->getOperands()))
    extents.push_back(knownExtents(operand, number));
  return extents;
}

LogicalResult normalizeCore(Operation *op, NormalizeContext &context,
                            ArrayRef<Expr> extents) {
  return normalizeResults(op, context, ExtentList(extents));
}

LogicalResult normalizeResults(Operation *op, NormalizeContext &context,
                               ArrayRef<ExtentList> extents) {
  SmallVector<Type> types;
  for (auto [result, known] : llvm::zip_equal(op->getResults(), extents)) {
    FailureOr<RankedTensorType> type = context.getResultType(op, result, known);
    if (failed(type))
      return failure();
    types.push_back(*type);
  }
  IRMapping mapping;
  for (Value operand : op->getOperands())
    mapping.map(operand, context.lookup(operand));
  Operation *clone = context.getBuilder().clone(*op, mapping);
  for (auto [old, now, type] :
       llvm::zip_equal(op->getResults(), clone->getResults(), types)) {
    now.setType(type);
    context.map(old, now);
  }
  return success();
}

} // namespace dtensor
