//===- ScfExtension.cpp - conditionals and loops --------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What meets at a join has one type. Placements of a join are open, so that
// propagation decides them; extents on all its sides are unified:
//
//   if     then-value = else-value
//   for    init = yielded
//   while  init = yielded,   condition's operands are the results
//
//===----------------------------------------------------------------------===//

#include "OpModel.h"
#include "dtensor/Dialect/DTensor/Extensions/Extensions.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/DialectRegistry.h"

using namespace mlir;
using namespace dtensor;

namespace {

/// The type of the join that `value` enters, `old` being what it was before.
Type getJoinType(NormalizeContext &context, Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type)
    return value.getType();
  return context.getOpenType(type, getExtents(type));
}

/// `value` as it enters a join of this type.
FailureOr<Value> enter(NormalizeContext &context, Operation *op, Value value,
                       Type type, const Twine &what) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    return context.convert(op, value, tensor, what);
  return value;
}

LogicalResult enterAll(NormalizeContext &context, Operation *op,
                       ValueRange values, TypeRange types, StringRef what,
                       SmallVectorImpl<Value> &entered) {
  for (auto [index, value] : llvm::enumerate(values)) {
    FailureOr<Value> now = enter(context, op, value, types[index],
                                 what + " value " + Twine(index));
    if (failed(now))
      return failure();
    entered.push_back(*now);
  }
  return success();
}

SmallVector<Value> lookupAll(NormalizeContext &context, ValueRange old) {
  SmallVector<Value> values;
  for (Value value : old)
    values.push_back(context.lookup(value));
  return values;
}

/// The op under construction has `regions` of its own, built before it.
Operation *createLike(Operation *old, NormalizeContext &context,
                      ValueRange operands, TypeRange results,
                      ArrayRef<Region *> regions) {
  OperationState state(old->getLoc(), old->getName());
  state.addOperands(operands);
  state.addTypes(results);
  state.addAttributes(old->getAttrs());
  for (Region *region : regions)
    state.addRegion()->takeBody(*region);
  Operation *now = context.getBuilder().create(state);
  for (auto [from, to] : llvm::zip_equal(old->getResults(), now->getResults()))
    context.map(from, to);
  return now;
}

/// Rebuilds `old` in `region`; the arguments get `types`.
LogicalResult buildBlock(NormalizeContext &context, Block &old, Region &region,
                         TypeRange types) {
  Block &block = region.emplaceBlock();
  for (auto [arg, type] : llvm::zip_equal(old.getArguments(), types))
    context.map(arg, block.addArgument(type, arg.getLoc()));
  context.getBuilder().setInsertionPointToEnd(&block);
  return context.normalizeBlock(old);
}

void terminate(NormalizeContext &context, Block &old, ValueRange operands) {
  Operation *terminator = old.getTerminator();
  OperationState state(terminator->getLoc(), terminator->getName());
  state.addOperands(operands);
  state.addAttributes(terminator->getAttrs());
  context.getBuilder().create(state);
}

struct IfModel : OpModel<IfModel, scf::IfOp> {
  LogicalResult rewrite(scf::IfOp op, NormalizeContext &context) const {
    Value condition = context.lookup(op.getCondition());
    OpBuilder::InsertPoint after = context.getBuilder().saveInsertionPoint();
    Region thenRegion, elseRegion;
    SmallVector<Type> types;
    if (failed(buildBranch(op, op.getThenRegion(), thenRegion, types, context)))
      return failure();
    if (!op.getElseRegion().empty() &&
        failed(buildBranch(op, op.getElseRegion(), elseRegion, types, context)))
      return failure();
    context.getBuilder().restoreInsertionPoint(after);
    createLike(op, context, condition, types, {&thenRegion, &elseRegion});
    return success();
  }

  /// The first branch to come decides the types.
  static LogicalResult buildBranch(scf::IfOp op, Region &old, Region &region,
                                   SmallVectorImpl<Type> &types,
                                   NormalizeContext &context) {
    if (failed(buildBlock(context, old.front(), region, {})))
      return failure();
    Operation *yield = old.front().getTerminator();
    SmallVector<Value> values = lookupAll(context, yield->getOperands());
    if (types.empty())
      for (Value value : values)
        types.push_back(getJoinType(context, value));
    SmallVector<Value> yielded;
    if (failed(enterAll(context, yield, values, types, "yielded", yielded)))
      return failure();
    terminate(context, old.front(), yielded);
    return success();
  }
};

struct ForModel : OpModel<ForModel, scf::ForOp> {
  LogicalResult rewrite(scf::ForOp op, NormalizeContext &context) const {
    SmallVector<Value> operands = lookupAll(
        context, {op.getLowerBound(), op.getUpperBound(), op.getStep()});
    SmallVector<Value> inits = lookupAll(context, op.getInitArgs());
    SmallVector<Type> types;
    for (Value init : inits)
      types.push_back(getJoinType(context, init));
    if (failed(enterAll(context, op, inits, types, "initial", operands)))
      return failure();
    OpBuilder::InsertPoint after = context.getBuilder().saveInsertionPoint();
    SmallVector<Type> argTypes = {op.getInductionVar().getType()};
    argTypes.append(types);
    Region region;
    Block &body = *op.getBody();
    if (failed(buildBlock(context, body, region, argTypes)))
      return failure();
    Operation *yield = body.getTerminator();
    SmallVector<Value> yielded;
    if (failed(enterAll(context, yield,
                        lookupAll(context, yield->getOperands()), types,
                        "yielded", yielded)))
      return failure();
    terminate(context, body, yielded);
    context.getBuilder().restoreInsertionPoint(after);
    createLike(op, context, operands, types, {&region});
    return success();
  }
};

struct WhileModel : OpModel<WhileModel, scf::WhileOp> {
  LogicalResult rewrite(scf::WhileOp op, NormalizeContext &context) const {
    SmallVector<Value> inits = lookupAll(context, op.getInits()), operands;
    SmallVector<Type> beforeTypes, resultTypes;
    for (Value init : inits)
      beforeTypes.push_back(getJoinType(context, init));
    if (failed(enterAll(context, op, inits, beforeTypes, "initial", operands)))
      return failure();
    OpBuilder::InsertPoint after = context.getBuilder().saveInsertionPoint();
    Region before, body;
    if (failed(buildBefore(op, before, beforeTypes, resultTypes, context)) ||
        failed(buildBody(op, body, beforeTypes, resultTypes, context)))
      return failure();
    context.getBuilder().restoreInsertionPoint(after);
    createLike(op, context, operands, resultTypes, {&before, &body});
    return success();
  }

  static LogicalResult buildBefore(scf::WhileOp op, Region &region,
                                   TypeRange types,
                                   SmallVectorImpl<Type> &resultTypes,
                                   NormalizeContext &context) {
    Block &old = *op.getBeforeBody();
    if (failed(buildBlock(context, old, region, types)))
      return failure();
    scf::ConditionOp condition = op.getConditionOp();
    SmallVector<Value> values = lookupAll(context, condition.getArgs());
    for (Value value : values)
      resultTypes.push_back(getJoinType(context, value));
    SmallVector<Value> operands = {context.lookup(condition.getCondition())};
    if (failed(enterAll(context, condition, values, resultTypes, "forwarded",
                        operands)))
      return failure();
    terminate(context, old, operands);
    return success();
  }

  static LogicalResult buildBody(scf::WhileOp op, Region &region,
                                 TypeRange beforeTypes, TypeRange types,
                                 NormalizeContext &context) {
    Block &old = *op.getAfterBody();
    if (failed(buildBlock(context, old, region, types)))
      return failure();
    Operation *yield = old.getTerminator();
    SmallVector<Value> yielded;
    if (failed(enterAll(context, yield,
                        lookupAll(context, yield->getOperands()), beforeTypes,
                        "yielded", yielded)))
      return failure();
    terminate(context, old, yielded);
    return success();
  }
};

} // namespace

void dtensor::registerScfExtension(DialectRegistry &registry) {
  registry.addExtension(
      +[](MLIRContext *context, scf::SCFDialect *, DTensorDialect *) {
        scf::IfOp::attachInterface<IfModel>(*context);
        scf::ForOp::attachInterface<ForModel>(*context);
        scf::WhileOp::attachInterface<WhileModel>(*context);
      });
}
