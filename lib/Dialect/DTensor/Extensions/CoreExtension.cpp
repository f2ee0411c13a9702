//===- CoreExtension.cpp - generic, and ops on layouts and extents --------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The ops that know nothing of normalization themselves: `generic`, and the ops
// that speak about layouts and extents.
//
//===----------------------------------------------------------------------===//

#include "OpModel.h"
#include "dtensor/Dialect/DTensor/Extensions/Extensions.h"
#include "mlir/IR/DialectRegistry.h"

using namespace mlir;
using namespace dtensor;

namespace {

/// The same op with new operands and result types, without its regions.
Operation *rebuild(Operation *op, NormalizeContext &context,
                   TypeRange resultTypes) {
  OperationState state(op->getLoc(), op->getName());
  for (Value operand : op->getOperands())
    state.operands.push_back(context.lookup(operand));
  state.addTypes(resultTypes);
  state.addAttributes(op->getAttrs());
  for (Region &region : op->getRegions()) {
    (void)region;
    state.addRegion();
  }
  Operation *now = context.getBuilder().create(state);
  for (auto [old, value] : llvm::zip_equal(op->getResults(), now->getResults()))
    context.map(old, value);
  return now;
}

LogicalResult rebuildWithExtents(Operation *op, NormalizeContext &context,
                                 ArrayRef<Expr> extents) {
  FailureOr<RankedTensorType> type =
      context.getResultType(op, op->getResult(0), extents);
  if (failed(type))
    return failure();
  rebuild(op, context, TypeRange(*type));
  return success();
}

struct GenericModel : OpModel<GenericModel, GenericOp> {
  LogicalResult rewrite(GenericOp op, NormalizeContext &context) const {
    SmallVector<Expr> extents(op.getNumIterators());
    auto collect = [&](AffineMap map, ArrayRef<Expr> sizes) {
      for (auto [dim, expr] : llvm::enumerate(map.getResults()))
        if (auto iterator = dyn_cast<AffineDimExpr>(expr))
          if (!extents[iterator.getPosition()])
            extents[iterator.getPosition()] = sizes[dim];
    };
    for (auto [index, input] : llvm::enumerate(op.getInputs()))
      collect(op.getInputMap(index), context.getExtents(input));
    // Iterators that no input has take the extents that the result states.
    for (auto [index, result] : llvm::enumerate(op->getResults()))
      collect(op.getResultMap(index), getExtents(result));
    SmallVector<Type> types;
    for (auto [index, result] : llvm::enumerate(op->getResults())) {
      SmallVector<Expr> sizes;
      for (AffineExpr expr : op.getResultMap(index).getResults()) {
        auto iterator = dyn_cast<AffineDimExpr>(expr);
        Expr extent = iterator ? extents[iterator.getPosition()]
                               : Expr::constant(context.getExprContext(), 1);
        if (!extent)
          return op.emitOpError() << "has no operand that tells the extent of "
                                     "dimension "
                                  << sizes.size() << " of result " << index;
        sizes.push_back(extent);
      }
      FailureOr<RankedTensorType> type =
          context.getResultType(op, result, sizes);
      if (failed(type))
        return failure();
      types.push_back(*type);
    }
    return cloneRegion(op, cast<GenericOp>(rebuild(op, context, types)),
                       context);
  }

  static LogicalResult cloneRegion(GenericOp op, GenericOp now,
                                   NormalizeContext &context) {
    IRMapping mapping;
    Region &body = op.getBody();
    body.walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        if (!body.isAncestor(operand.getParentRegion()) &&
            !isa<TensorType>(operand.getType()))
          mapping.map(operand, context.lookup(operand));
    });
    body.cloneInto(&now.getBody(), mapping);
    ArrayRef<BlockArgument> args = now.getBody().getArguments();
    for (auto [arg, capture] :
         llvm::zip(args.drop_front(now.getInputs().size()), now.getCaptures()))
      const_cast<BlockArgument &>(arg).setType(
          withoutLayout(capture.getType()));
    return success();
  }
};

LogicalResult unifyExtents(Operation *op, NormalizeContext &context,
                           ArrayRef<Expr> lhs, ArrayRef<Expr> rhs) {
  if (lhs.size() != rhs.size())
    return op->emitOpError()
           << "joins ranks " << lhs.size() << " and " << rhs.size();
  for (auto [dim, extent] : llvm::enumerate(lhs))
    if (failed(context.unify(op, extent, rhs[dim],
                             "dimension " + Twine(dim) + " of the operand")))
      return failure();
  return success();
}

struct RedistributeModel : OpModel<RedistributeModel, RedistributeOp> {
  LogicalResult rewrite(RedistributeOp op, NormalizeContext &context) const {
    if (!getLayout(op.getResult()))
      return op.emitOpError() << "has a result type without a layout";
    return rebuildWithExtents(op, context, context.getExtents(op.getInput()));
  }
};

struct ConstraintModel : OpModel<ConstraintModel, ConstraintOp> {
  LogicalResult rewrite(ConstraintOp op, NormalizeContext &context) const {
    Value input = context.lookup(op.getInput());
    LayoutAttr layout = getLayout(input);
    if (op.getLayout().getMesh() != layout.getMesh())
      return op.emitOpError()
             << "names mesh " << op.getLayout().getMesh()
             << ", but the function is on " << layout.getMesh();
    if (failed(unifyExtents(op, context, context.getExtents(op.getInput()),
                            op.getLayout().getExtents())))
      return failure();
    auto now = ConstraintOp::create(
        context.getBuilder(), op.getLoc(), input.getType(), input,
        op.getLayout().withExtents(layout.getExtents()), op.getPriority());
    context.map(op.getResult(), now.getResult());
    return success();
  }
};

struct AgreeModel : OpModel<AgreeModel, AgreeOp> {
  LogicalResult rewrite(AgreeOp op, NormalizeContext &context) const {
    SmallVector<Value> inputs;
    for (Value input : op.getInputs()) {
      inputs.push_back(context.lookup(input));
      if (failed(unifyExtents(op, context,
                              context.getExtents(op.getInputs().front()),
                              context.getExtents(input))))
        return failure();
    }
    SmallVector<Type> types;
    for (auto [input, result] : llvm::zip_equal(inputs, op.getResults())) {
      auto type = context.getResultType(op, result, getExtents(input));
      if (failed(type))
        return failure();
      types.push_back(*type);
    }
    auto now =
        AgreeOp::create(context.getBuilder(), op.getLoc(), types, inputs);
    for (auto [old, result] :
         llvm::zip_equal(op.getResults(), now.getResults()))
      context.map(old, result);
    return success();
  }
};

/// A statement about extents; `convert` drops what unification settles.
struct RefineModel : OpModel<RefineModel, RefineOp> {
  LogicalResult rewrite(RefineOp op, NormalizeContext &context) const {
    Value input = context.lookup(op.getInput());
    SmallVector<Expr> extents = getExtents(input);
    for (auto [dim, stated] : llvm::enumerate(getExtents(op.getResult())))
      if (stated)
        extents[dim] = stated;
    auto type =
        context.getOpenType(cast<RankedTensorType>(input.getType()), extents);
    type = withLayout(type, getLayout(input).withExtents(extents));
    FailureOr<Value> value = context.convert(op, input, type, "the result");
    if (failed(value))
      return failure();
    context.map(op.getResult(), *value);
    return success();
  }
};

struct ExtentModel : OpModel<ExtentModel, ExtentOp> {
  LogicalResult rewrite(ExtentOp op, NormalizeContext &context) const {
    context.setExpr(op.getResult(), op.getExpr().getExpr());
    return success();
  }
};

} // namespace

void dtensor::registerCoreExtension(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, DTensorDialect *) {
    GenericOp::attachInterface<GenericModel>(*context);
    RedistributeOp::attachInterface<RedistributeModel>(*context);
    ConstraintOp::attachInterface<ConstraintModel>(*context);
    AgreeOp::attachInterface<AgreeModel>(*context);
    RefineOp::attachInterface<RefineModel>(*context);
    ExtentOp::attachInterface<ExtentModel>(*context);
  });
}
