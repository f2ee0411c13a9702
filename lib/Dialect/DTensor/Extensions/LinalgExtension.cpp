//===- LinalgExtension.cpp - structured ops as generics -------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A structured op computes   out = init (+) fold over reductions of f(ins).
// `generic` has no init operand, so each init is one of:
//
//   read beside reductions    the body yields  f (+) o: the fold takes f alone
//                             and  init (+) fold  follows, unless init is the
//                             neutral element or has no value (tensor.empty)
//   read without reductions   an ordinary input
//   not read                  gives extents only
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/Extensions/Build.h"
#include "dtensor/Dialect/DTensor/Extensions/Extensions.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace dtensor;

namespace {

/// How one result is folded over the reductions.
struct Combiner {
  Operation *op = nullptr;
  ReduceKind kind = ReduceKind::Sum;
  /// What the body contributes.
  Value contribution;
};

std::optional<ReduceKind> getKind(Operation *op) {
  bool boolean = getElementTypeOrSelf(op->getResult(0)).isInteger(1);
  if (isa<arith::AddFOp>(op) || (isa<arith::AddIOp>(op) && !boolean))
    return ReduceKind::Sum;
  if (isa<arith::MulFOp, arith::MulIOp>(op))
    return ReduceKind::Product;
  if (isa<arith::MaximumFOp, arith::MaxNumFOp>(op) ||
      (isa<arith::MaxSIOp>(op) && !boolean))
    return ReduceKind::Max;
  if (isa<arith::MinimumFOp, arith::MinNumFOp>(op) ||
      (isa<arith::MinSIOp>(op) && !boolean))
    return ReduceKind::Min;
  // On i1 the extrema are `or` and `and`.
  if (boolean && isa<arith::OrIOp, arith::MaxUIOp>(op))
    return ReduceKind::Max;
  if (boolean && isa<arith::AndIOp, arith::MinUIOp>(op))
    return ReduceKind::Min;
  return std::nullopt;
}

/// The combiner of `yielded`, if it is  x (+) accumulator. The accumulator has
/// no other use, so x does not depend on it.
std::optional<Combiner> matchCombiner(Value yielded,
                                      BlockArgument accumulator) {
  Operation *op = yielded.getDefiningOp();
  if (!op || op->getNumOperands() != 2 || !accumulator.hasOneUse() ||
      op->getNumResults() != 1 || *accumulator.user_begin() != op ||
      !op->getResult(0).hasOneUse())
    return std::nullopt;
  std::optional<ReduceKind> kind = getKind(op);
  if (!kind)
    return std::nullopt;
  Value other = op->getOperand(op->getOperand(0) == accumulator ? 1 : 0);
  return Combiner{op, *kind, other};
}

bool isNeutral(TypedAttr value, ReduceKind kind) {
  if (auto number = dyn_cast_or_null<FloatAttr>(value)) {
    APFloat f = number.getValue();
    switch (kind) {
    case ReduceKind::Sum:
    case ReduceKind::Avg:
      return f.isZero();
    case ReduceKind::Product:
      return f.isExactlyValue(1.0);
    case ReduceKind::Max:
      return f.isInfinity() && f.isNegative();
    case ReduceKind::Min:
      return f.isInfinity() && !f.isNegative();
    }
  }
  auto number = dyn_cast_or_null<IntegerAttr>(value);
  if (!number)
    return false;
  APInt i = number.getValue();
  bool boolean = i.getBitWidth() == 1;
  switch (kind) {
  case ReduceKind::Sum:
  case ReduceKind::Avg:
    return i.isZero();
  case ReduceKind::Product:
    return i.isOne();
  case ReduceKind::Max:
    return boolean ? i.isZero() : i.isMinSignedValue();
  case ReduceKind::Min:
    return boolean ? i.isOne() : i.isMaxSignedValue();
  }
  return false;
}

/// One structured op on its way.
class StructuredOp {
public:
  StructuredOp(linalg::LinalgOp op, NormalizeContext &context)
      : op(op), context(context), body(op->getRegion(0).front()) {}

  LogicalResult normalize();

private:
  LogicalResult classifyInits();
  LogicalResult checkMaps();
  LogicalResult collectExtents();
  LogicalResult buildResultTypes();
  void addInput(OpOperand &operand);
  GenericOp build();
  Value combineInit(unsigned result, Value folded);

  linalg::LinalgOp op;
  NormalizeContext &context;
  Block &body;
  IRMapping mapping;
  GenericSpec spec;
  SmallVector<Value> captures;
  /// The old block argument of each input of the generic.
  SmallVector<Value> inputArgs;
  /// One per result; no op where nothing is folded.
  SmallVector<Combiner> combiners;
  SmallVector<Expr> extents;
};

void StructuredOp::addInput(OpOperand &operand) {
  BlockArgument arg = op.getMatchingBlockArgument(&operand);
  if (!isa<RankedTensorType>(operand.get().getType())) {
    mapping.map(arg, context.lookup(operand.get()));
    return;
  }
  spec.inputs.push_back(context.lookup(operand.get()));
  spec.maps.push_back(op.getMatchingIndexingMap(&operand));
  inputArgs.push_back(arg);
}

LogicalResult StructuredOp::classifyInits() {
  bool folds = op.getNumReductionLoops() > 0;
  for (OpOperand &operand : op.getDpsInitsMutable()) {
    unsigned index = op.getTiedOpResult(&operand).getResultNumber();
    Value yielded = body.getTerminator()->getOperand(index);
    // linalg.map may come without a block argument for its init.
    Value accumulator;
    if (operand.getOperandNumber() < body.getNumArguments())
      accumulator = op.getMatchingBlockArgument(&operand);
    Combiner combiner;
    combiner.contribution = yielded;
    if (folds) {
      auto arg = dyn_cast_or_null<BlockArgument>(accumulator);
      std::optional<Combiner> match;
      if (arg)
        match = matchCombiner(yielded, arg);
      if (!match)
        return op->emitOpError()
               << "combines result " << index
               << " over its reduction loops by something other than a sum, "
                  "product, maximum or minimum of the accumulator and a value";
      combiner = *match;
    } else if (accumulator && !accumulator.use_empty()) {
      addInput(operand);
    }
    combiners.push_back(combiner);
  }
  return success();
}

LogicalResult StructuredOp::checkMaps() {
  for (OpOperand &operand : op.getDpsInitsMutable()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (!map.isProjectedPermutation())
      return op->emitOpError()
             << "writes its result through " << AffineMapAttr::get(map)
             << ", which is not a projected permutation";
    spec.maps.push_back(map);
    for (AffineExpr expr : map.getResults())
      if (spec.reductionIterators[cast<AffineDimExpr>(expr).getPosition()])
        return op->emitOpError()
               << "writes its result through a reduction loop";
  }
  return success();
}

/// Extents of all loops; two operands that state one extent are unified.
LogicalResult StructuredOp::collectExtents() {
  extents.assign(op.getNumLoops(), Expr());
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<RankedTensorType>(operand.get().getType()))
      continue;
    SmallVector<Expr> sizes = context.getExtents(operand.get());
    AffineMap map = op.getMatchingIndexingMap(&operand);
    for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
      auto loop = dyn_cast<AffineDimExpr>(expr);
      if (!loop)
        continue;
      Expr &extent = extents[loop.getPosition()];
      if (!extent)
        extent = sizes[dim];
      else if (failed(context.unify(op, sizes[dim], extent,
                                    "dimension " + Twine(dim) + " of operand " +
                                        Twine(operand.getOperandNumber()))))
        return failure();
    }
  }
  for (auto [loop, extent] : llvm::enumerate(extents))
    if (!extent)
      return op->emitOpError()
             << "has no operand that tells the extent of loop " << loop;
  return success();
}

LogicalResult StructuredOp::buildResultTypes() {
  for (OpOperand &operand : op.getDpsInitsMutable()) {
    SmallVector<Expr> sizes;
    for (AffineExpr expr : op.getMatchingIndexingMap(&operand).getResults())
      sizes.push_back(extents[cast<AffineDimExpr>(expr).getPosition()]);
    FailureOr<RankedTensorType> type =
        context.getResultType(op, op.getTiedOpResult(&operand), sizes);
    if (failed(type))
      return failure();
    spec.resultTypes.push_back(*type);
  }
  return success();
}

GenericOp StructuredOp::build() {
  auto buildBody = [&](OpBuilder &builder, ValueRange args) {
    for (auto [old, now] : llvm::zip(inputArgs, args))
      mapping.map(old, now);
    for (auto [old, now] :
         llvm::zip_equal(captures, args.drop_front(inputArgs.size())))
      mapping.map(old, now);
    // The accumulator is gone with the combiner: nothing else reads it.
    SmallVector<Value> yielded;
    for (Operation &inner : body.without_terminator())
      if (llvm::none_of(combiners, [&](Combiner &c) { return c.op == &inner; }))
        builder.clone(inner, mapping);
    for (Combiner &combiner : combiners)
      yielded.push_back(mapping.lookupOrDefault(combiner.contribution));
    return yielded;
  };
  auto generic =
      buildGeneric(context.getBuilder(), op->getLoc(), spec, buildBody);
  SmallVector<linalg::IndexOp> indices;
  generic.getBody().walk(
      [&](linalg::IndexOp index) { indices.push_back(index); });
  OpBuilder builder(generic.getContext());
  for (linalg::IndexOp index : indices) {
    builder.setInsertionPoint(
        generic.getBody().front().findAncestorOpInBlock(*index));
    auto now = IndexOp::create(builder, index.getLoc(), builder.getIndexType(),
                               builder.getI64IntegerAttr(index.getDim()));
    index.replaceAllUsesWith(now.getResult());
    index.erase();
  }
  return generic;
}

Value StructuredOp::combineInit(unsigned result, Value folded) {
  Operation *combiner = combiners[result].op;
  Value oldInit = op.getDpsInitOperand(result)->get();
  if (!combiner || oldInit.getDefiningOp<tensor::EmptyOp>())
    return folded;
  Value init = context.lookup(oldInit);
  if (isNeutral(getUniformValue(init), combiners[result].kind))
    return folded;
  auto type = cast<RankedTensorType>(folded.getType());
  GenericSpec combine = parallelSpec(type, combiner->getName().stripDialect());
  combine.inputs = {init, folded};
  combine.maps.assign(3, AffineMap(combine.maps.front()));
  Value accumulator =
      body.getArgument(op.getDpsInitOperand(result)->getOperandNumber());
  return buildGeneric(context.getBuilder(), op->getLoc(), combine,
                      [&](OpBuilder &builder, ValueRange args) {
                        IRMapping scalars;
                        scalars.map(accumulator, args[0]);
                        scalars.map(combiners[result].contribution, args[1]);
                        Operation *now = builder.clone(*combiner, scalars);
                        return SmallVector<Value>(now->getResults());
                      })
      .getResult(0);
}

LogicalResult StructuredOp::normalize() {
  for (utils::IteratorType iterator : op.getIteratorTypesArray())
    spec.reductionIterators.push_back(iterator ==
                                      utils::IteratorType::reduction);
  for (OpOperand *operand : op.getDpsInputOperands())
    addInput(*operand);
  if (failed(classifyInits()) || failed(checkMaps()) ||
      failed(collectExtents()) || failed(buildResultTypes()))
    return failure();
  if (failed(collectCaptures(op, body, context, mapping, captures)))
    return failure();
  for (Value capture : captures)
    spec.captures.push_back(context.lookup(capture));
  if (op.getNumReductionLoops() > 0)
    for (Combiner &combiner : combiners)
      spec.reductions.push_back(combiner.kind);
  if (!isa<linalg::GenericOp>(op.getOperation()))
    spec.label = op->getName().stripDialect();
  GenericOp generic = build();
  for (auto [index, result] : llvm::enumerate(op->getResults()))
    context.map(result, combineInit(index, generic.getResult(index)));
  return success();
}

template <typename OpTy>
struct StructuredModel
    : NormalizeOpInterface::ExternalModel<StructuredModel<OpTy>, OpTy> {
  LogicalResult normalize(Operation *op, NormalizeContext &context) const {
    auto structured = cast<linalg::LinalgOp>(op);
    if (!structured.hasPureTensorSemantics())
      return op->emitOpError() << "works on buffers, expected tensors";
    return StructuredOp(structured, context).normalize();
  }
};

struct SoftmaxModel
    : NormalizeOpInterface::ExternalModel<SoftmaxModel, linalg::SoftmaxOp> {
  LogicalResult normalize(Operation *op, NormalizeContext &context) const {
    auto softmax = cast<linalg::SoftmaxOp>(op);
    Value result = op->getResult(0);
    FailureOr<RankedTensorType> type = context.getResultType(
        op, result, context.getExtents(softmax.getInput()));
    if (failed(type))
      return failure();
    SmallVector<Expr> output = context.getExtents(softmax.getOutput());
    for (auto [dim, extent] : llvm::enumerate(getExtents(*type)))
      if (failed(context.unify(op, output[dim], extent,
                               "dimension " + Twine(dim) + " of the output")))
        return failure();
    // The named op is only a recipe: it never enters the program.
    OpBuilder recipes(op->getContext());
    OwningOpRef<dtensor::SoftmaxOp> recipe = dtensor::SoftmaxOp::create(
        recipes, op->getLoc(), *type, context.lookup(softmax.getInput()),
        recipes.getI64IntegerAttr(softmax.getDimension()));
    SmallVector<Value> values;
    auto composite = cast<CompositeOpInterface>(recipe->getOperation());
    if (failed(composite.decompose(context.getBuilder(),
                                   recipe->getOperation()->getOperands(),
                                   TypeRange(*type), values)))
      return failure();
    context.map(result, values.front());
    return success();
  }
};

template <typename... Ops>
void attachAll(MLIRContext *context) {
  (Ops::template attachInterface<StructuredModel<Ops>>(*context), ...);
}

} // namespace

void dtensor::registerLinalgExtension(DialectRegistry &registry) {
  registry.addExtension(
      +[](MLIRContext *context, linalg::LinalgDialect *, DTensorDialect *) {
        attachAll<
#define GET_OP_LIST
#include "mlir/Dialect/Linalg/IR/LinalgStructuredOps.cpp.inc"
            >(context);
        linalg::SoftmaxOp::attachInterface<SoftmaxModel>(*context);
      });
}
