//===- Build.cpp - core ops from scalar code ------------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/Extensions/Build.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace dtensor;

GenericOp dtensor::buildGeneric(
    OpBuilder &builder, Location loc, const GenericSpec &spec,
    llvm::function_ref<SmallVector<Value>(OpBuilder &, ValueRange)> body) {
  SmallVector<StringRef> iterators;
  for (bool reduction : spec.reductionIterators)
    iterators.push_back(reduction ? "reduction" : "parallel");
  SmallVector<Attribute> reductions;
  for (ReduceKind kind : spec.reductions)
    reductions.push_back(ReduceKindAttr::get(builder.getContext(), kind));
  auto op = GenericOp::create(
      builder, loc, spec.resultTypes, spec.inputs, spec.captures,
      builder.getAffineMapArrayAttr(spec.maps),
      builder.getStrArrayAttr(iterators), builder.getArrayAttr(reductions),
      spec.label.empty() ? StringAttr() : builder.getStringAttr(spec.label));
  auto *block = new Block();
  op.getBody().push_back(block);
  for (Value input : spec.inputs)
    block->addArgument(getElementTypeOrSelf(input.getType()), loc);
  for (Value capture : spec.captures)
    block->addArgument(withoutLayout(capture.getType()), loc);
  OpBuilder inner = OpBuilder::atBlockEnd(block);
  SmallVector<Value> scalars = body(inner, block->getArguments());
  YieldOp::create(inner, loc, scalars);
  return op;
}

GenericSpec dtensor::parallelSpec(RankedTensorType type, StringRef label) {
  GenericSpec spec;
  spec.resultTypes.push_back(type);
  spec.maps.push_back(
      AffineMap::getMultiDimIdentityMap(type.getRank(), type.getContext()));
  spec.reductionIterators.assign(type.getRank(), false);
  spec.label = label;
  return spec;
}

Value dtensor::buildFull(OpBuilder &builder, Location loc,
                         RankedTensorType type, Value scalar) {
  // A literal belongs into the body: then the whole value is known to be it.
  Operation *literal = scalar.getDefiningOp<arith::ConstantOp>();
  return buildGeneric(builder, loc, parallelSpec(type, "full"),
                      [&](OpBuilder &inner, ValueRange) -> SmallVector<Value> {
                        if (literal)
                          return {inner.clone(*literal)->getResult(0)};
                        return {scalar};
                      })
      .getResult(0);
}

TypedAttr dtensor::getUniformValue(Value tensor) {
  auto generic = tensor.getDefiningOp<GenericOp>();
  if (!generic || !generic.getInputs().empty() || generic.getNumResults() != 1)
    return {};
  Attribute value;
  Value yielded = generic.getBody().front().getTerminator()->getOperand(0);
  if (!matchPattern(yielded, m_Constant(&value)))
    return {};
  return dyn_cast<TypedAttr>(value);
}

Value dtensor::buildReshape(NormalizeContext &context, Location loc,
                            Value input, RankedTensorType type) {
  bool open = llvm::all_of(getLayout(type).getPlacements(),
                           [](const Placement &p) { return p.isOpen(); });
  if (open && getExtents(input) == getExtents(type))
    return input;
  return ReshapeOp::create(context.getBuilder(), loc, type, input).getResult();
}

static ArrayAttr getExprArray(MLIRContext *context, ArrayRef<Expr> exprs) {
  SmallVector<Attribute> attrs;
  for (Expr expr : exprs)
    attrs.push_back(ExprAttr::get(context, expr));
  return ArrayAttr::get(context, attrs);
}

Value dtensor::buildSlice(NormalizeContext &context, Location loc, Value input,
                          ArrayRef<Expr> starts, ArrayRef<Expr> sizes,
                          ArrayRef<Expr> steps) {
  bool whole = ArrayRef<Expr>(getExtents(input)) == sizes;
  for (auto [start, step] : llvm::zip_equal(starts, steps))
    whole &= start.isConstant(0) && step.isConstant(1);
  if (whole)
    return input;
  auto type =
      context.getOpenType(cast<RankedTensorType>(input.getType()), sizes);
  MLIRContext *mlir = input.getContext();
  return SliceOp::create(context.getBuilder(), loc, type, input,
                         getExprArray(mlir, starts), getExprArray(mlir, sizes),
                         getExprArray(mlir, steps))
      .getResult();
}

LogicalResult dtensor::unifyBounds(Operation *op, NormalizeContext &context,
                                   ArrayRef<Expr> extents,
                                   ArrayRef<Expr> starts, ArrayRef<Expr> sizes,
                                   ArrayRef<Expr> steps) {
  const Facts &facts = context.getFacts();
  Expr zero = Expr::constant(context.getExprContext(), 0);
  for (unsigned dim = 0; dim < extents.size(); ++dim) {
    auto require = [&](Expr low, Expr high, const Twine &what) {
      if (facts.proveLE(low, high))
        return success();
      return context.unify(op, max(low, high), high,
                           what + " in dimension " + Twine(dim));
    };
    Expr end = starts[dim] + (sizes[dim] - 1) * steps[dim] + 1;
    if (failed(require(zero, starts[dim],
                       "the larger of 0 and the slice's start")) ||
        failed(require(zero, sizes[dim],
                       "the larger of 0 and the slice's size")) ||
        failed(require(end, extents[dim],
                       "the larger of the extent and the slice's end")))
      return failure();
  }
  return success();
}

Value dtensor::buildConcat(NormalizeContext &context, Location loc,
                           ArrayRef<Value> inputs, unsigned dim) {
  SmallVector<Value> present;
  for (Value input : inputs)
    if (input)
      present.push_back(input);
  if (present.size() == 1)
    return present.front();
  SmallVector<Expr> extents = getExtents(present.front());
  for (Value other : ArrayRef<Value>(present).drop_front())
    extents[dim] = extents[dim] + getExtents(other)[dim];
  auto type = context.getOpenType(
      cast<RankedTensorType>(present.front().getType()), extents);
  OpBuilder &builder = context.getBuilder();
  return ConcatOp::create(builder, loc, type, present,
                          builder.getI64IntegerAttr(dim))
      .getResult();
}

LogicalResult dtensor::collectCaptures(Operation *op, Block &body,
                                       NormalizeContext &context,
                                       IRMapping &mapping,
                                       SmallVectorImpl<Value> &captures) {
  llvm::SmallSetVector<Value, 4> tensors;
  Region *region = body.getParent();
  WalkResult result = body.walk([&](Operation *inner) {
    for (Value operand : inner->getOperands()) {
      if (region->isAncestor(operand.getParentRegion()) ||
          mapping.contains(operand))
        continue;
      if (!isa<TensorType>(operand.getType())) {
        mapping.map(operand, context.lookup(operand));
      } else if (isa<tensor::ExtractOp, tensor::DimOp>(inner)) {
        tensors.insert(operand);
      } else {
        op->emitOpError() << "reads a whole tensor in its body through '"
                          << inner->getName() << "'; only elements may be read";
        return WalkResult::interrupt();
      }
    }
    return WalkResult::advance();
  });
  captures.assign(tensors.begin(), tensors.end());
  return failure(result.wasInterrupted());
}

SmallVector<Value> dtensor::cloneBody(OpBuilder &builder, Block &body,
                                      IRMapping &mapping) {
  for (Operation &op : body.without_terminator())
    builder.clone(op, mapping);
  SmallVector<Value> yielded;
  for (Value operand : body.getTerminator()->getOperands())
    yielded.push_back(mapping.lookupOrDefault(operand));
  return yielded;
}

LogicalResult dtensor::normalizeElementwise(Operation *op,
                                            NormalizeContext &context) {
  GenericSpec spec;
  SmallVector<Expr> extents;
  for (Value operand : op->getOperands()) {
    if (!isa<RankedTensorType>(operand.getType()))
      continue;
    spec.inputs.push_back(context.lookup(operand));
    if (extents.empty())
      extents = context.getExtents(operand);
  }
  for (Value result : op->getResults()) {
    FailureOr<RankedTensorType> type =
        context.getResultType(op, result, extents);
    if (failed(type))
      return failure();
    spec.resultTypes.push_back(*type);
  }
  spec.maps.assign(
      spec.inputs.size() + spec.resultTypes.size(),
      AffineMap::getMultiDimIdentityMap(extents.size(), op->getContext()));
  spec.reductionIterators.assign(extents.size(), false);
  spec.label = op->getName().stripDialect();
  SmallVector<Value> scalars;
  for (Value operand : op->getOperands())
    scalars.push_back(isa<RankedTensorType>(operand.getType())
                          ? Value()
                          : context.lookup(operand));
  auto body = [&](OpBuilder &builder, ValueRange args) -> SmallVector<Value> {
    OperationState state(op->getLoc(), op->getName());
    for (Value scalar : scalars) {
      if (!scalar) {
        scalar = args.front();
        args = args.drop_front();
      }
      state.operands.push_back(scalar);
    }
    for (Type type : op->getResultTypes())
      state.types.push_back(getElementTypeOrSelf(type));
    state.attributes = op->getAttrDictionary();
    return builder.create(state)->getResults();
  };
  auto generic = buildGeneric(context.getBuilder(), op->getLoc(), spec, body);
  for (auto [old, now] :
       llvm::zip_equal(op->getResults(), generic.getResults()))
    context.map(old, now);
  return success();
}

SmallVector<Expr> dtensor::getMixedExprs(NormalizeContext &context,
                                         ArrayRef<OpFoldResult> mixed) {
  SmallVector<Expr> exprs;
  for (OpFoldResult entry : mixed) {
    if (auto attr = dyn_cast<Attribute>(entry))
      exprs.push_back(Expr::constant(context.getExprContext(),
                                     cast<IntegerAttr>(attr).getInt()));
    else
      exprs.push_back(context.getExpr(cast<Value>(entry)));
  }
  return exprs;
}
