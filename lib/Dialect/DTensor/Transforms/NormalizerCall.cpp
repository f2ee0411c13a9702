//===- NormalizerCall.cpp - calls in the global view ----------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A callee's symbols are its own. A call binds each of them to an expression of
// the caller: the first argument extent that names the symbol bare gives it,
// then every argument extent must agree under the binding b:
//
//   b(callee extent) = operand extent
//
//===----------------------------------------------------------------------===//

#include "Normalizer.h"

using namespace mlir;
using namespace dtensor;

Expr Normalizer::Callee::substitute(Expr expr) const {
  return expr.substitute([&](StringRef name, SymbolKind kind) -> Expr {
    return kind == SymbolKind::Extent ? symbols.lookup(name) : Expr();
  });
}

Type Normalizer::Callee::substitute(Type type) const {
  LayoutAttr layout = getLayout(type);
  if (!layout)
    return type;
  return typeWithLayout(
      cast<RankedTensorType>(type).getElementType(),
      layout.mapExprs([&](Expr expr) { return substitute(expr); }));
}

LogicalResult Normalizer::bindCallee(CallOpInterface op, Callee &callee) {
  auto bind = [&](StringRef name, Expr expr) {
    callee.symbols.try_emplace(name, expr);
  };
  if (auto given = op->getAttrOfType<DictionaryAttr>("symbols"))
    for (NamedAttribute symbol : given)
      if (auto attr = dyn_cast<ExprAttr>(symbol.getValue()))
        bind(symbol.getName(), attr.getExpr());
  for (auto [index, operand] : llvm::enumerate(op.getArgOperands())) {
    if (auto name = callee.func.getArgAttrOfType<StringAttr>(
            index, DTensorDialect::kSymbolAttr)) {
      bind(name, getExpr(operand));
      continue;
    }
    LayoutAttr layout = getLayout(callee.func.getArgumentTypes()[index]);
    if (!layout)
      continue;
    if (layout.getMesh() != mesh) {
      InFlightDiagnostic diag = op->emitOpError()
                                << "calls '@" << callee.func.getName()
                                << "' on mesh " << layout.getMesh()
                                << " from a function on " << mesh;
      diag.attachNote(callee.func.getLoc()) << "callee is here";
      return diag;
    }
    SmallVector<Expr> extents = getExtents(operand);
    for (auto [dim, extent] : llvm::enumerate(layout.getExtents()))
      if (std::optional<StringRef> name = extent.getSymbolName())
        bind(*name, extents[dim]);
  }
  return success();
}

FailureOr<SmallVector<Value>> Normalizer::convertOperands(CallOpInterface op,
                                                          Callee &callee) {
  SmallVector<Value> operands;
  declaredAt = callee.func.getLoc();
  for (auto [index, operand] : llvm::enumerate(op.getArgOperands())) {
    Value value = lookup(operand);
    Type type = callee.substitute(callee.func.getArgumentTypes()[index]);
    if (auto tensor = dyn_cast<RankedTensorType>(type)) {
      FailureOr<Value> converted =
          convert(op, value, tensor, "operand " + Twine(index));
      if (failed(converted))
        return failure();
      value = *converted;
    } else if (Expr bound =
                   callee.func.getArgAttr(index, DTensorDialect::kSymbolAttr)
                       ? getExpr(operand)
                       : Expr()) {
      // The symbol may have been bound by an earlier argument.
      auto name = callee.func.getArgAttrOfType<StringAttr>(
          index, DTensorDialect::kSymbolAttr);
      if (failed(unify(op, bound, callee.symbols.lookup(name),
                       "operand " + Twine(index))))
        return failure();
    }
    operands.push_back(value);
  }
  declaredAt.reset();
  return operands;
}

LogicalResult Normalizer::require(Operation *op, Expr lhs, Expr rhs,
                                  const Twine &what) {
  lhs = unification.resolve(lhs);
  rhs = unification.resolve(rhs);
  if (facts.proveEqual(lhs, rhs))
    return success();
  if (facts.proveDifferent(lhs, rhs))
    return reportDifferent(op, lhs, rhs, what);
  checks.push_back({op, lhs, rhs, what.str()});
  return success();
}

/// The callee was compiled under the facts it declares: each is an equation.
LogicalResult Normalizer::checkCalleeFacts(CallOpInterface op, Callee &callee) {
  auto symbols =
      callee.func->getAttrOfType<DictionaryAttr>(DTensorDialect::kSymbolsAttr);
  Facts declared = dtensor::getFacts(mesh, symbols);
  declaredAt = callee.func.getLoc();
  for (NamedAttribute symbol : symbols) {
    StringRef name = symbol.getName();
    Expr value = callee.symbols.lookup(name);
    const SymbolFacts *known = declared.lookupSymbol(name);
    if (!value || !known)
      continue;
    Expr zero = Expr::constant(exprs, 0);
    std::string what =
        ("symbol \"" + name + "\" of '@" + callee.func.getName() + "'").str();
    if (known->min > 0 &&
        failed(require(op, value, max(value, known->min), what)))
      return failure();
    if (known->max && failed(require(op, value, min(value, *known->max), what)))
      return failure();
    if (known->multipleOf > 1 &&
        failed(require(op, mod(value, known->multipleOf), zero,
                       what + " modulo " + Twine(known->multipleOf))))
      return failure();
    if (known->multipleOfAxis.empty())
      continue;
    Expr size =
        Expr::symbol(exprs, known->multipleOfAxis, SymbolKind::AxisSize);
    if (failed(require(op, mod(value, size), zero,
                       what + " modulo the size of axis \"" +
                           known->multipleOfAxis + "\"")))
      return failure();
  }
  declaredAt.reset();
  return success();
}

LogicalResult Normalizer::normalizeCall(CallOpInterface op) {
  auto symbol =
      llvm::dyn_cast_if_present<SymbolRefAttr>(op.getCallableForCallee());
  auto found = symbol ? callees.find(symbol.getLeafReference()) : callees.end();
  if (found == callees.end()) {
    bool tensors =
        llvm::any_of(op->getOperandTypes(), llvm::IsaPred<TensorType>) ||
        llvm::any_of(op->getResultTypes(), llvm::IsaPred<TensorType>);
    if (tensors)
      return op->emitError() << "no sharding rule for '" << op->getName()
                             << "' of " << symbol << ", which has no body here";
    return normalizeScalar(op);
  }
  Callee callee{*found->second, {}};
  if (failed(bindCallee(op, callee)))
    return failure();
  FailureOr<SmallVector<Value>> operands = convertOperands(op, callee);
  if (failed(operands) || failed(checkCalleeFacts(op, callee)))
    return failure();
  SmallVector<Type> types;
  for (Type type : callee.func.getResultTypes())
    types.push_back(callee.substitute(type));
  SmallVector<NamedAttribute> symbols;
  for (NamedAttribute name :
       callee.func->getAttrOfType<DictionaryAttr>(DTensorDialect::kSymbolsAttr))
    symbols.push_back(builder.getNamedAttr(
        name.getName(), ExprAttr::get(builder.getContext(),
                                      callee.symbols.lookup(name.getName()))));
  auto call = CallOp::create(
      builder, op.getLoc(), types, symbol.getLeafReference().getValue(),
      *operands, builder.getDictionaryAttr(symbols), ArrayAttr(), ArrayAttr());
  for (auto [old, now] : llvm::zip_equal(op->getResults(), call.getResults()))
    map(old, now);
  return success();
}
