//===- CoreExtension.cpp - our core ops on tensors without a layout -------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A core op stays what it is; its results get the extents that follow from its
// operands. What the op says about extents of operands is said by its rule, and
// the pass unifies it.
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
    return cloneRegion(op, cast<GenericOp>(rebuild(op, context, types)), context);
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
    for (auto [arg, capture] : llvm::zip(
             args.drop_front(now.getInputs().size()), now.getCaptures()))
      const_cast<BlockArgument &>(arg).setType(capture.getType());
    return success();
  }
};

struct ReshapeModel : OpModel<ReshapeModel, ReshapeOp> {
  LogicalResult rewrite(ReshapeOp op, NormalizeContext &context) const {
    SmallVector<Expr> source = context.getExtents(op.getInput());
    SmallVector<Expr> sizes = getExtents(op.getResult());
    Expr lhs = Expr::constant(context.getExprContext(), 1), rhs = lhs;
    for (Expr extent : source)
      lhs = lhs * extent;
    // One extent that nobody states is what the others leave.
    Expr *missing = nullptr;
    for (Expr &extent : sizes) {
      if (extent) {
        rhs = rhs * extent;
      } else if (missing) {
        return op.emitOpError() << "has more than one result extent that "
                                   "nothing states";
      } else {
        missing = &extent;
      }
    }
    if (missing) {
      if (!context.getFacts().provePositive(rhs))
        return op.emitOpError() << "has a result extent that nothing states";
      *missing = floordiv(lhs, rhs);
      rhs = rhs * *missing;
    }
    if (failed(context.unify(op, lhs, rhs, "the operand's number of elements")))
      return failure();
    return rebuildWithExtents(op, context, sizes);
  }
};

struct SliceModel : OpModel<SliceModel, SliceOp> {
  LogicalResult rewrite(SliceOp op, NormalizeContext &context) const {
    SmallVector<Expr> sizes;
    for (unsigned dim = 0; dim < op.getSizes().size(); ++dim)
      sizes.push_back(op.getSize(dim));
    return rebuildWithExtents(op, context, sizes);
  }
};

struct ConcatModel : OpModel<ConcatModel, ConcatOp> {
  LogicalResult rewrite(ConcatOp op, NormalizeContext &context) const {
    SmallVector<Expr> extents = context.getExtents(op.getInputs().front());
    for (Value input : op.getInputs().drop_front())
      extents[op.getDim()] =
          extents[op.getDim()] + context.getExtents(input)[op.getDim()];
    return rebuildWithExtents(op, context, extents);
  }
};

struct EmbeddingModel : OpModel<EmbeddingModel, EmbeddingOp> {
  LogicalResult rewrite(EmbeddingOp op, NormalizeContext &context) const {
    SmallVector<Expr> extents = context.getExtents(op.getIndices());
    SmallVector<Expr> table = context.getExtents(op.getTable());
    extents.append(table.begin() + 1, table.end());
    return rebuildWithExtents(op, context, extents);
  }
};

struct GatherModel : OpModel<GatherModel, GatherOp> {
  LogicalResult rewrite(GatherOp op, NormalizeContext &context) const {
    return rebuildWithExtents(op, context, context.getExtents(op.getIndices()));
  }
};

struct AttentionModel : OpModel<AttentionModel, AttentionOp> {
  LogicalResult rewrite(AttentionOp op, NormalizeContext &context) const {
    SmallVector<Expr> extents = context.getExtents(op.getQuery());
    extents.back() = context.getExtents(op.getValue()).back();
    return rebuildWithExtents(op, context, extents);
  }
};

struct ConstantModel : OpModel<ConstantModel, ConstantOp> {
  LogicalResult rewrite(ConstantOp op, NormalizeContext &context) const {
    SmallVector<Expr> extents;
    for (int64_t size : cast<ShapedType>(op.getValue().getType()).getShape())
      extents.push_back(Expr::constant(context.getExprContext(), size));
    return rebuildWithExtents(op, context, extents);
  }
};

LogicalResult unifyExtents(Operation *op, NormalizeContext &context,
                           ArrayRef<Expr> lhs, ArrayRef<Expr> rhs) {
  if (lhs.size() != rhs.size())
    return op->emitOpError() << "joins ranks " << lhs.size() << " and "
                             << rhs.size();
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
      return op.emitOpError() << "names mesh " << op.getLayout().getMesh()
                              << ", but the function is on "
                              << layout.getMesh();
    if (failed(unifyExtents(op, context, context.getExtents(op.getInput()),
                            op.getLayout().getExtents())))
      return failure();
    auto now = ConstraintOp::create(
        context.getBuilder(), op.getLoc(), input.getType(), input,
        op.getLayout().withExtents(layout.getExtents()));
    context.map(op.getResult(), now.getResult());
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
    auto type = context.getOpenType(cast<RankedTensorType>(input.getType()),
                                    extents);
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
    ReshapeOp::attachInterface<ReshapeModel>(*context);
    SliceOp::attachInterface<SliceModel>(*context);
    ConcatOp::attachInterface<ConcatModel>(*context);
    EmbeddingOp::attachInterface<EmbeddingModel>(*context);
    GatherOp::attachInterface<GatherModel>(*context);
    AttentionOp::attachInterface<AttentionModel>(*context);
    ConstantOp::attachInterface<ConstantModel>(*context);
    RedistributeOp::attachInterface<RedistributeModel>(*context);
    ConstraintOp::attachInterface<ConstraintModel>(*context);
    RefineOp::attachInterface<RefineModel>(*context);
    ExtentOp::attachInterface<ExtentModel>(*context);
  });
}
