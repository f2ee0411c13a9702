//===- Normalizer.cpp - values, extents and ops ---------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Normalizer.h"
#include "dtensor/Dialect/DTensor/Extensions/Build.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace dtensor;

RankedTensorType dtensor::typeWithLayout(Type elementType, LayoutAttr layout) {
  SmallVector<int64_t> shape;
  for (Expr extent : layout.getExtents())
    shape.push_back(extent.getConstant().value_or(ShapedType::kDynamic));
  return RankedTensorType::get(shape, elementType, layout);
}

Normalizer::Normalizer(func::FuncOp oldFunc, MeshAttr mesh,
                       const NewFunctions &callees)
    : oldFunc(oldFunc), mesh(mesh), callees(callees),
      exprs(dtensor::getExprContext(oldFunc.getContext())),
      facts(dtensor::getFacts(mesh, oldFunc->getAttrOfType<DictionaryAttr>(
                                        DTensorDialect::kSymbolsAttr))),
      unification(facts), builder(oldFunc.getContext(), this) {}

//===----------------------------------------------------------------------===//
// Values and their extents
//===----------------------------------------------------------------------===//

Value Normalizer::materialize(Expr expr, Type type, Location loc) {
  Value &value = materialized[{expr, type}];
  if (value)
    return value;
  // Extents depend on symbols alone: at entry they dominate everything.
  OpBuilder::InsertionGuard guard(builder);
  Block &entry = newFunc->getBody().front();
  builder.setInsertionPointToStart(&entry);
  MLIRContext *context = builder.getContext();
  Value extent = ExtentOp::create(builder, loc, builder.getIndexType(),
                                  ExprAttr::get(context, expr));
  if (!type.isIndex())
    extent = arith::IndexCastOp::create(builder, loc, type, extent);
  // Not through the reference: the map may have grown.
  return materialized[{expr, type}] = extent;
}

Value Normalizer::lookup(Value old) {
  if (Value value = values.lookup(old))
    return value;
  Expr expr = known.lookup(old);
  assert(expr && "an operand comes before its user");
  return materialize(expr, old.getType(), old.getLoc());
}

void Normalizer::map(Value old, Value replacement) {
  values[old] = replacement;
}

bool Normalizer::hasExpr(Value index) {
  if (known.contains(index))
    return true;
  auto arg = dyn_cast<BlockArgument>(index);
  return arg && index.getType().isIndex() &&
         arg.getOwner() == &oldFunc.getBody().front();
}

Expr Normalizer::getExpr(Value index) {
  if (Expr expr = known.lookup(index))
    return unification.resolve(expr);
  Expr symbol;
  if (hasExpr(index)) {
    symbol = freshSymbol("n", Unification::Pinned);
    argumentSymbols[cast<BlockArgument>(index).getArgNumber()] = symbol;
  } else {
    symbol = freshSymbol("v", Unification::Pinned);
    unbound[*symbol.getSymbolName()] = index;
  }
  known[index] = symbol;
  return symbol;
}

void Normalizer::setExpr(Value index, Expr expr) { known[index] = expr; }

SmallVector<Expr> Normalizer::getExtents(Value old) {
  SmallVector<Expr> extents;
  for (Expr extent : dtensor::getExtents(lookup(old)))
    extents.push_back(unification.resolve(extent));
  return extents;
}

std::string Normalizer::freshName(StringRef prefix) {
  for (unsigned number = 0;; ++number) {
    std::string name = (prefix + Twine(number)).str();
    if (usedNames.insert(name).second)
      return name;
  }
}

Expr Normalizer::freshSymbol(StringRef prefix, Unification::Weight weight) {
  std::string name = freshName(prefix);
  unification.declare(name, weight);
  return Expr::symbol(exprs, name);
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

RankedTensorType Normalizer::getOpenType(RankedTensorType type,
                                         ArrayRef<Expr> extents) {
  SmallVector<Placement> open(mesh.getMesh().getNumAxes());
  return typeWithLayout(type.getElementType(),
                        LayoutAttr::get(mesh, Layout(open, extents)));
}

FailureOr<RankedTensorType> Normalizer::importType(Operation *op,
                                                   RankedTensorType type,
                                                   LayoutAttr layout,
                                                   const Twine &what) {
  if (layout.getMesh() != mesh)
    return op->emitError() << what << " is on mesh " << layout.getMesh()
                           << ", but the function is on " << mesh;
  if (layout.getLayout().getRank() != unsigned(type.getRank()))
    return op->emitError() << what << " has rank " << type.getRank()
                           << ", but its layout has rank "
                           << layout.getLayout().getRank();
  SmallVector<Expr> extents(layout.getExtents());
  for (auto [dim, size] : llvm::enumerate(type.getShape())) {
    if (ShapedType::isDynamic(size))
      continue;
    Expr number = Expr::constant(exprs, size);
    if (failed(unify(op, extents[dim], number,
                     "dimension " + Twine(dim) + " of " + what)))
      return failure();
    extents[dim] = number;
  }
  return typeWithLayout(type.getElementType(), layout.withExtents(extents));
}

FailureOr<RankedTensorType> Normalizer::getResultType(Operation *op, Value old,
                                                      ArrayRef<Expr> extents) {
  auto type = dyn_cast<RankedTensorType>(old.getType());
  if (!type || size_t(type.getRank()) != extents.size())
    return op->emitOpError() << "has result type " << old.getType()
                             << ", but computes rank " << extents.size();
  SmallVector<Expr> sizes(extents);
  RankedTensorType declared;
  if (LayoutAttr layout = getLayout(type)) {
    FailureOr<RankedTensorType> imported =
        importType(op, type, layout, "the result");
    if (failed(imported))
      return failure();
    declared = *imported;
  }
  for (unsigned dim = 0; dim < sizes.size(); ++dim) {
    Expr stated;
    if (declared)
      stated = getLayout(declared).getExtents()[dim];
    else if (!type.isDynamicDim(dim))
      stated = Expr::constant(exprs, type.getDimSize(dim));
    if (!stated)
      continue;
    if (failed(unify(op, sizes[dim], stated,
                     "dimension " + Twine(dim) + " of the result")))
      return failure();
    sizes[dim] = stated;
  }
  return declared ? declared : getOpenType(type, sizes);
}

InFlightDiagnostic Normalizer::reportDifferent(Operation *op, Expr lhs,
                                               Expr rhs, const Twine &what) {
  InFlightDiagnostic diag = op->emitOpError()
                            << what << " is " << unification.resolve(lhs).str()
                            << ", expected " << unification.resolve(rhs).str();
  if (declaredAt)
    diag.attachNote(*declaredAt) << "declared here";
  return diag;
}

LogicalResult Normalizer::unify(Operation *op, Expr lhs, Expr rhs,
                                const Twine &what) {
  switch (unification.unify(lhs, rhs)) {
  case Unification::Outcome::Equal:
    return success();
  case Unification::Outcome::Different:
    return reportDifferent(op, lhs, rhs, what);
  case Unification::Outcome::Undecided:
    checks.push_back({op, lhs, rhs, what.str()});
    return success();
  }
  llvm_unreachable("covered switch");
}

FailureOr<Value> Normalizer::convert(Operation *op, Value value,
                                     RankedTensorType type, const Twine &what) {
  LayoutAttr from = getLayout(value), to = getLayout(type);
  if (from.getMesh() != to.getMesh())
    return op->emitOpError() << "needs " << what << " on mesh " << to.getMesh()
                             << ", but it is on " << from.getMesh();
  if (from.getExtents().size() != to.getExtents().size())
    return op->emitOpError()
           << "needs " << what << " of rank " << to.getExtents().size()
           << ", but its rank is " << from.getExtents().size();
  bool refined = false;
  for (auto [dim, extent] : llvm::enumerate(from.getExtents())) {
    Expr expected = to.getExtents()[dim];
    Unification::Outcome outcome = unification.unify(extent, expected);
    if (outcome == Unification::Outcome::Different)
      return reportDifferent(op, extent, expected,
                             "dimension " + Twine(dim) + " of " + what);
    refined |= unification.resolve(extent) != unification.resolve(expected);
  }
  if (refined) {
    LayoutAttr layout = from.withExtents(to.getExtents());
    value =
        RefineOp::create(builder, value.getLoc(),
                         typeWithLayout(type.getElementType(), layout), value);
  }
  if (!from.getLayout().samePlacements(to.getLayout()))
    value = RedistributeOp::create(builder, value.getLoc(), type, value,
                                   PlanAttr());
  return value;
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

void Normalizer::notifyOperationInserted(Operation *op,
                                         OpBuilder::InsertPoint) {
  inserted.push_back(op);
}

LogicalResult Normalizer::normalizeBlock(Block &block) {
  for (Operation &op : block.without_terminator())
    if (failed(normalizeOp(&op)))
      return failure();
  return success();
}

static bool hasTensor(Operation *op) {
  auto isTensor = [](Type type) { return isa<TensorType>(type); };
  return llvm::any_of(op->getOperandTypes(), isTensor) ||
         llvm::any_of(op->getResultTypes(), isTensor);
}

LogicalResult Normalizer::normalizeOp(Operation *op) {
  for (Type type : op->getResultTypes())
    if (isa<UnrankedTensorType>(type))
      return op->emitOpError() << "has a result of unknown rank";
  LogicalResult result = success();
  if (auto composite = dyn_cast<CompositeOpInterface>(op)) {
    result = normalizeComposite(composite);
  } else if (auto call = dyn_cast<CallOpInterface>(op)) {
    result = normalizeCall(call);
  } else if (hasTensor(op) && OpTrait::hasElementwiseMappableTraits(op)) {
    result = normalizeElementwise(op, *this);
  } else if (auto foreign = dyn_cast<NormalizeOpInterface>(op)) {
    result = foreign.normalize(*this);
  } else {
    result = normalizeScalar(op);
  }
  if (failed(result))
    return failure();
  SmallVector<Operation *> built;
  built.swap(inserted);
  for (Operation *now : built)
    if (failed(unifyByRules(now, op, built.size() == 1)))
      return failure();
  return success();
}

LogicalResult Normalizer::normalizeScalar(Operation *op) {
  bool tensors = hasTensor(op);
  for (Region &region : op->getRegions())
    region.walk([&](Operation *inner) { tensors |= hasTensor(inner); });
  if (tensors)
    return op->emitError() << "no sharding rule for '" << op->getName()
                           << "'; rewrite it with ops that have one, or give "
                              "it a model of the normalize interface";
  IRMapping mapping;
  auto mapOperands = [&](Operation *inner) {
    for (Value operand : inner->getOperands())
      if (!op->isProperAncestor(operand.getParentBlock()->getParentOp()) &&
          operand.getParentBlock()->getParentOp() != op)
        mapping.map(operand, lookup(operand));
  };
  mapOperands(op);
  for (Region &region : op->getRegions())
    region.walk(mapOperands);
  Operation *clone = builder.clone(*op, mapping);
  for (auto [old, now] : llvm::zip_equal(op->getResults(), clone->getResults()))
    map(old, now);
  return success();
}

LogicalResult Normalizer::normalizeComposite(CompositeOpInterface op) {
  SmallVector<SmallVector<Expr>> operandExtents, resultExtents;
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    operands.push_back(lookup(operand));
    operandExtents.emplace_back();
    if (isa<RankedTensorType>(operand.getType()))
      operandExtents.back() = getExtents(operand);
  }
  if (failed(op.inferExtents(operandExtents, facts, resultExtents)))
    return failure();
  SmallVector<Type> types;
  for (auto [result, extents] :
       llvm::zip_equal(op->getResults(), resultExtents)) {
    FailureOr<RankedTensorType> type = getResultType(op, result, extents);
    if (failed(type))
      return failure();
    types.push_back(*type);
  }
  // The recipe: the same op on the new operands, never in the program.
  OperationState state(op->getLoc(), op->getName());
  state.addOperands(operands);
  state.addTypes(types);
  state.addAttributes(op->getAttrs());
  OwningOpRef<Operation *> recipe = Operation::create(state);
  SmallVector<Value> results;
  if (failed(cast<CompositeOpInterface>(*recipe).decompose(builder, operands,
                                                           types, results)))
    return failure();
  for (auto [old, now] : llvm::zip_equal(op->getResults(), results))
    map(old, now);
  return success();
}

/// What one op says about extents it says by its rule: an extent is the product
/// of its factors. `old` is the op that it was made from, alone or with others.
LogicalResult Normalizer::unifyByRules(Operation *op, Operation *old,
                                       bool alone) {
  auto ruled = dyn_cast<ShardingRuleOpInterface>(op);
  if (!ruled)
    return success();
  FailureOr<ShardingRule> rule = ruled.getShardingRule();
  if (failed(rule))
    return failure();
  std::string of;
  if (!alone)
    of = " of the '" + op->getName().getStringRef().str() + "' in it";
  auto visit = [&](ValueRange tensors, ArrayRef<TensorMap> maps,
                   StringRef side) -> LogicalResult {
    for (auto [index, value] : llvm::enumerate(tensors)) {
      if (!isa<RankedTensorType>(value.getType()))
        continue;
      SmallVector<Expr> extents = dtensor::getExtents(value);
      for (auto [dim, factors] : llvm::enumerate(maps[index])) {
        if (factors.empty() || rule->factors[factors.front()].windowed)
          continue;
        Expr product = Expr::constant(exprs, 1);
        for (unsigned factor : factors)
          product = product * rule->factors[factor].size;
        if (failed(unify(old, extents[dim], product,
                         "dimension " + Twine(dim) + " of " + side +
                             Twine(index) + of)))
          return failure();
      }
    }
    return success();
  };
  if (failed(visit(op->getOperands(), rule->operands, "operand ")))
    return failure();
  return visit(op->getResults(), rule->results, "result ");
}
