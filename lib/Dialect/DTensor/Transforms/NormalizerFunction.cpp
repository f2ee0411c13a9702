//===- NormalizerFunction.cpp - signature and the last steps --------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Normalizer.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/Iterators.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include <set>

using namespace mlir;
using namespace dtensor;

//===----------------------------------------------------------------------===//
// Symbols in types and attributes
//===----------------------------------------------------------------------===//

static void visitExtents(Expr expr, llvm::function_ref<void(StringRef)> visit) {
  if (expr)
    expr.walkSymbols([&](StringRef name, SymbolKind kind) {
      if (kind == SymbolKind::Extent)
        visit(name);
    });
}

void dtensor::walkSymbols(Operation *op,
                          llvm::function_ref<void(StringRef)> visit) {
  AttrTypeWalker walker;
  walker.addWalk([&](LayoutAttr layout) {
    for (Expr extent : layout.getExtents())
      visitExtents(extent, visit);
    for (const Placement &placement : layout.getPlacements())
      visitExtents(placement.unit, visit);
  });
  walker.addWalk([&](ExprAttr attr) { visitExtents(attr.getExpr(), visit); });
  walker.walk(op->getAttrDictionary());
  for (Type type : op->getResultTypes())
    walker.walk(type);
  for (Region &region : op->getRegions())
    for (Block &block : region)
      for (BlockArgument arg : block.getArguments())
        walker.walk(arg.getType());
}

//===----------------------------------------------------------------------===//
// Signature
//===----------------------------------------------------------------------===//

/// The layout of an argument or result, from its type or its attribute.
static LayoutAttr getDeclaredLayout(Type type, DictionaryAttr attrs) {
  if (LayoutAttr layout = getLayout(type))
    return layout;
  return attrs ? attrs.getAs<LayoutAttr>(DTensorDialect::kLayoutAttr)
               : LayoutAttr();
}

void Normalizer::collectNames() {
  oldFunc.walk([&](Operation *op) {
    walkSymbols(op, [&](StringRef name) { usedNames.insert(name); });
  });
  for (unsigned index = 0; index < oldFunc.getNumArguments(); ++index) {
    if (LayoutAttr layout = getDeclaredLayout(oldFunc.getArgumentTypes()[index],
                                              oldFunc.getArgAttrDict(index)))
      for (Expr extent : layout.getExtents())
        visitExtents(extent, [&](StringRef name) {
          unification.declare(name, Unification::Named);
        });
  }
  if (auto symbols =
          oldFunc->getAttrOfType<DictionaryAttr>(DTensorDialect::kSymbolsAttr))
    for (NamedAttribute symbol : symbols) {
      usedNames.insert(symbol.getName());
      unification.declare(symbol.getName(), Unification::Declared);
    }
  // Last, for pinned is stronger than declared.
  argumentSymbols.assign(oldFunc.getNumArguments(), Expr());
  for (unsigned index = 0; index < oldFunc.getNumArguments(); ++index) {
    auto name = oldFunc.getArgAttrOfType<StringAttr>(
        index, DTensorDialect::kSymbolAttr);
    if (!name)
      continue;
    usedNames.insert(name);
    unification.declare(name, Unification::Pinned);
    argumentSymbols[index] = Expr::symbol(exprs, name);
    known[oldFunc.getArgument(index)] = argumentSymbols[index];
  }
}

FailureOr<Type> Normalizer::importArgument(unsigned index) {
  Type type = oldFunc.getArgumentTypes()[index];
  if (isa<UnrankedTensorType>(type))
    return oldFunc.emitError()
           << "argument " << index << " is a tensor of unknown rank";
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return type;
  std::string what = "argument " + std::to_string(index);
  if (LayoutAttr layout =
          getDeclaredLayout(type, oldFunc.getArgAttrDict(index))) {
    FailureOr<RankedTensorType> imported =
        importType(oldFunc, tensor, layout, what);
    if (failed(imported))
      return failure();
    return Type(*imported);
  }
  if (tensor.getEncoding())
    return oldFunc.emitError()
           << what
           << " has an encoding that is no layout: " << tensor.getEncoding();
  SmallVector<Expr> extents;
  for (int64_t size : tensor.getShape())
    extents.push_back(ShapedType::isDynamic(size)
                          ? freshSymbol("d", Unification::Unnamed)
                          : Expr::constant(exprs, size));
  return Type(getOpenType(tensor, extents));
}

LogicalResult Normalizer::buildArguments() {
  SmallVector<Type> types;
  for (unsigned index = 0; index < oldFunc.getNumArguments(); ++index) {
    FailureOr<Type> type = importArgument(index);
    if (failed(type))
      return failure();
    types.push_back(*type);
  }
  newFunc = func::FuncOp::create(
      oldFunc.getLoc(), oldFunc.getName(),
      FunctionType::get(oldFunc.getContext(), types,
                        oldFunc.getFunctionType().getResults()));
  for (NamedAttribute attr : oldFunc->getAttrs())
    if (attr.getName() != oldFunc.getFunctionTypeAttrName())
      (*newFunc)->setAttr(attr.getName(), attr.getValue());
  Block *entry = newFunc->addEntryBlock();
  for (auto [old, now] :
       llvm::zip_equal(oldFunc.getArguments(), entry->getArguments())) {
    now.setLoc(old.getLoc());
    map(old, now);
  }
  builder.setInsertionPointToEnd(entry);
  return success();
}

LogicalResult Normalizer::buildResults() {
  Operation *terminator = oldFunc.getBody().front().getTerminator();
  SmallVector<Value> returned;
  for (OpOperand &operand : terminator->getOpOperands()) {
    unsigned index = operand.getOperandNumber();
    Value value = lookup(operand.get());
    if (auto type = dyn_cast<RankedTensorType>(value.getType())) {
      auto old = cast<RankedTensorType>(operand.get().getType());
      std::string what = "result " + std::to_string(index);
      RankedTensorType target = getOpenType(type, dtensor::getExtents(value));
      declaredAt = oldFunc.getLoc();
      if (LayoutAttr layout =
              getDeclaredLayout(old, oldFunc.getResultAttrDict(index))) {
        FailureOr<RankedTensorType> declared =
            importType(oldFunc, old, layout, what);
        if (failed(declared))
          return failure();
        target = *declared;
      }
      FailureOr<Value> converted = convert(terminator, value, target, what);
      declaredAt.reset();
      if (failed(converted))
        return failure();
      value = *converted;
    }
    returned.push_back(value);
  }
  func::ReturnOp::create(builder, terminator->getLoc(), returned);
  return success();
}

void Normalizer::setSignature() {
  Block &entry = newFunc->getBody().front();
  newFunc->setFunctionType(
      FunctionType::get(newFunc->getContext(), entry.getArgumentTypes(),
                        entry.getTerminator()->getOperandTypes()));
  for (unsigned index = 0; index < newFunc->getNumArguments(); ++index) {
    newFunc->removeArgAttr(index, DTensorDialect::kLayoutAttr);
    if (Expr symbol = argumentSymbols[index])
      newFunc->setArgAttr(index, DTensorDialect::kSymbolAttr,
                          builder.getStringAttr(*symbol.getSymbolName()));
  }
  for (unsigned index = 0; index < newFunc->getNumResults(); ++index)
    newFunc->removeResultAttr(
        index, builder.getStringAttr(DTensorDialect::kLayoutAttr));
}

//===----------------------------------------------------------------------===//
// The last steps
//===----------------------------------------------------------------------===//

void Normalizer::substitute() {
  auto resolve = [&](Expr expr) { return unification.resolve(expr); };
  AttrTypeReplacer replacer;
  replacer.addReplacement(
      [&](LayoutAttr layout) -> std::pair<Attribute, WalkResult> {
        return {layout.mapExprs(resolve), WalkResult::skip()};
      });
  replacer.addReplacement(
      [&](ExprAttr attr) -> std::pair<Attribute, WalkResult> {
        return {ExprAttr::get(attr.getContext(), resolve(attr.getExpr())),
                WalkResult::skip()};
      });
  replacer.addReplacement(
      [&](RankedTensorType type) -> std::optional<std::pair<Type, WalkResult>> {
        LayoutAttr layout = getLayout(type);
        if (!layout)
          return std::nullopt;
        return std::make_pair(Type(typeWithLayout(type.getElementType(),
                                                  layout.mapExprs(resolve))),
                              WalkResult::skip());
      });
  replacer.recursivelyReplaceElementsIn(newFunc->getOperation(),
                                        /*replaceAttrs=*/true,
                                        /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);
  // A body sees captures without a layout; a size may have become a number.
  newFunc->walk([](GenericOp generic) {
    unsigned inputs = generic.getInputs().size();
    for (auto [index, capture] : llvm::enumerate(generic.getCaptures()))
      generic.getBody()
          .getArgument(inputs + index)
          .setType(withoutLayout(capture.getType()));
  });
  // What unification made equal needs no statement any more.
  newFunc->walk([](RefineOp refine) {
    if (refine.getInput().getType() != refine.getResult().getType())
      return;
    refine.getResult().replaceAllUsesWith(refine.getInput());
    refine.erase();
  });
}

void Normalizer::removeDead() {
  newFunc->walk<WalkOrder::PostOrder, ReverseIterator>([](Operation *op) {
    if (isOpTriviallyDead(op))
      op->erase();
  });
}

LogicalResult Normalizer::buildChecks() {
  std::set<std::pair<const void *, const void *>> built;
  builder.setListener(nullptr);
  for (Check &check : llvm::reverse(checks)) {
    Expr lhs = unification.resolve(check.lhs);
    Expr rhs = unification.resolve(check.rhs);
    if (facts.proveEqual(lhs, rhs))
      continue;
    if (facts.proveDifferent(lhs, rhs))
      return reportDifferent(check.op, lhs, rhs, check.what);
    if (!built.insert({lhs.getAsOpaquePointer(), rhs.getAsOpaquePointer()})
             .second)
      continue;
    builder.setInsertionPointToStart(&newFunc->getBody().front());
    Location loc = check.op->getLoc();
    auto extent = [&](Expr expr) -> Value {
      return ExtentOp::create(builder, loc, builder.getIndexType(),
                              ExprAttr::get(builder.getContext(), expr));
    };
    Value left = extent(lhs), right = extent(rhs);
    Value equal = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                        left, right);
    CheckOp::create(builder, loc, equal,
                    builder.getStringAttr(check.what + " is " + lhs.str() +
                                          " = {0}, expected " + rhs.str() +
                                          " = {1}"),
                    left, right);
  }
  return success();
}

LogicalResult Normalizer::checkBound() {
  llvm::StringSet<> bound;
  for (Expr symbol : argumentSymbols)
    if (symbol)
      bound.insert(*symbol.getSymbolName());
  for (Type type : newFunc->getArgumentTypes())
    if (LayoutAttr layout = getLayout(type))
      for (Expr extent : layout.getExtents())
        if (std::optional<StringRef> name = extent.getSymbolName())
          bound.insert(*name);
  std::string missing;
  Operation *user = nullptr;
  newFunc->walk([&](Operation *op) {
    walkSymbols(op, [&](StringRef name) {
      // The inner use says more than the signature.
      if (!bound.contains(name) && (missing.empty() || user == *newFunc)) {
        missing = name.str();
        user = op;
      }
    });
    return missing.empty() || user == *newFunc ? WalkResult::advance()
                                               : WalkResult::interrupt();
  });
  if (missing.empty())
    return success();
  if (Value value = unbound.lookup(missing)) {
    InFlightDiagnostic diag =
        emitError(value.getLoc())
        << "an extent depends on this value, which the program computes";
    diag.attachNote(user->getLoc()) << "used here";
    return diag;
  }
  InFlightDiagnostic diag = oldFunc.emitError() << "symbol \"" << missing
                                                << "\" is bound by no argument";
  diag.attachNote(user->getLoc()) << "used here";
  return diag;
}

static NamedAttribute getNumber(Builder &builder, StringRef name,
                                int64_t value) {
  return builder.getNamedAttr(name, builder.getI64IntegerAttr(value));
}

static DictionaryAttr getSymbolAttr(Builder &builder,
                                    const SymbolFacts *symbol) {
  SmallVector<NamedAttribute> facts;
  if (symbol) {
    SymbolFacts none;
    if (symbol->min != none.min)
      facts.push_back(getNumber(builder, "min", symbol->min));
    if (symbol->max)
      facts.push_back(getNumber(builder, "max", *symbol->max));
    if (symbol->multipleOf != none.multipleOf)
      facts.push_back(getNumber(builder, "multiple_of", symbol->multipleOf));
    else if (!symbol->multipleOfAxis.empty())
      facts.push_back(builder.getNamedAttr(
          "multiple_of", builder.getStringAttr(symbol->multipleOfAxis)));
    if (symbol->hint != none.hint)
      facts.push_back(getNumber(builder, "hint", symbol->hint));
  }
  return builder.getDictionaryAttr(facts);
}

void Normalizer::declareSymbols() {
  std::set<std::string> names;
  newFunc->walk([&](Operation *op) {
    walkSymbols(op, [&](StringRef name) { names.insert(name.str()); });
  });
  for (Expr symbol : argumentSymbols)
    if (symbol)
      names.insert(symbol.getSymbolName()->str());
  SmallVector<NamedAttribute> symbols;
  for (const std::string &name : names)
    symbols.push_back(builder.getNamedAttr(
        name, getSymbolAttr(builder, facts.lookupSymbol(name))));
  newFunc->getOperation()->setAttr(DTensorDialect::kSymbolsAttr,
                                   builder.getDictionaryAttr(symbols));
}

OwningOpRef<func::FuncOp> Normalizer::run() {
  if (!oldFunc.getBody().hasOneBlock()) {
    oldFunc.emitError() << "has " << oldFunc.getBody().getBlocks().size()
                        << " blocks; control flow must be structured (scf)";
    return {};
  }
  collectNames();
  if (failed(buildArguments()) ||
      failed(normalizeBlock(oldFunc.getBody().front())) ||
      failed(buildResults()))
    return {};
  setSignature();
  substitute();
  removeDead();
  if (failed(buildChecks()))
    return {};
  // Checks may have been the last to need a mesh on a function without tensors.
  (*newFunc)->setAttr(DTensorDialect::kMeshAttr, mesh);
  if (failed(checkBound()))
    return {};
  declareSymbols();
  return std::move(newFunc);
}
