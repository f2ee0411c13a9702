//===- ExprVisit.cpp - Evaluation, substitution, walks ----------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExprStorage.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/Support/MathExtras.h"

using namespace dtensor;
using namespace dtensor::detail;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Evaluation and substitution
//===----------------------------------------------------------------------===//

namespace {

struct Value {
  int64_t number = 0;
  bool defined = false;
};

struct Evaluator final : Folder<Value> {
  Expr::Lookup lookup;
  explicit Evaluator(Expr::Lookup lookup) : lookup(lookup) {}

  Value constant(int64_t value) override { return {value, true}; }
  Value symbol(StringRef name, SymbolKind kind) override {
    std::optional<int64_t> value = lookup(name, kind);
    return {value.value_or(0), value.has_value()};
  }
  Value add(Value lhs, Value rhs) override {
    Value sum;
    sum.defined = !llvm::AddOverflow(lhs.number, rhs.number, sum.number) &&
                  lhs.defined && rhs.defined;
    return sum;
  }
  Value mul(Value lhs, Value rhs) override {
    Value product;
    product.defined =
        !llvm::MulOverflow(lhs.number, rhs.number, product.number) &&
        lhs.defined && rhs.defined;
    return product;
  }
  Value binary(BinaryKind kind, Value lhs, Value rhs) override {
    bool divides = kind != BinaryKind::Min && kind != BinaryKind::Max;
    if (!lhs.defined || !rhs.defined || (divides && rhs.number <= 0))
      return {};
    switch (kind) {
    case BinaryKind::FloorDiv:
      return {llvm::divideFloorSigned(lhs.number, rhs.number), true};
    case BinaryKind::CeilDiv:
      return {llvm::divideCeilSigned(lhs.number, rhs.number), true};
    case BinaryKind::Mod:
      return {llvm::mod(lhs.number, rhs.number), true};
    case BinaryKind::Min:
      return {std::min(lhs.number, rhs.number), true};
    case BinaryKind::Max:
      return {std::max(lhs.number, rhs.number), true};
    }
    llvm_unreachable("all kinds are handled");
  }
};

struct Substituter final : Folder<Expr> {
  ExprContext &context;
  llvm::function_ref<Expr(StringRef, SymbolKind)> replace;
  Substituter(ExprContext &context,
              llvm::function_ref<Expr(StringRef, SymbolKind)> replace)
      : context(context), replace(replace) {}

  Expr constant(int64_t value) override {
    return Expr::constant(context, value);
  }
  Expr symbol(StringRef name, SymbolKind kind) override {
    Expr replacement = replace(name, kind);
    return replacement ? replacement : Expr::symbol(context, name, kind);
  }
  Expr add(Expr lhs, Expr rhs) override { return lhs + rhs; }
  Expr mul(Expr lhs, Expr rhs) override { return lhs * rhs; }
  Expr binary(BinaryKind kind, Expr lhs, Expr rhs) override {
    return dtensor::binary(kind, lhs, rhs);
  }
};

} // namespace

std::optional<int64_t> Expr::evaluate(Lookup lookup) const {
  if (isOverflow())
    return std::nullopt;
  Evaluator evaluator(lookup);
  Value value = foldExpr(*this, evaluator);
  if (!value.defined)
    return std::nullopt;
  return value.number;
}

Expr Expr::substitute(
    llvm::function_ref<Expr(StringRef, SymbolKind)> replace) const {
  if (isOverflow())
    return *this;
  Substituter substituter(getContext(), replace);
  return foldExpr(*this, substituter);
}

static Expr replaceAtomsOnce(Expr expr,
                             llvm::function_ref<Expr(ExprAtom)> replace,
                             ExprMemo<Expr> &memo);

static Expr replaceOperands(ExprAtom atom,
                            llvm::function_ref<Expr(ExprAtom)> replace,
                            ExprMemo<Expr> &memo) {
  Expr result;
  for (Expr operand : atom.getOperands()) {
    Expr rebuilt = replaceAtomsOnce(operand, replace, memo);
    result = result ? binary(atom.getKind(), result, rebuilt) : rebuilt;
  }
  return result ? result : atom.getExpr();
}

static Expr replaceAtomsOnce(Expr expr,
                             llvm::function_ref<Expr(ExprAtom)> replace,
                             ExprMemo<Expr> &memo) {
  auto known = memo.find(expr.getAsOpaquePointer());
  if (known != memo.end())
    return known->second;
  ExprContext &context = expr.getContext();
  Expr sum = Expr::constant(context, 0);
  for (const ExprTerm &term : expr.getTerms()) {
    Expr product = Expr::constant(context, term.coefficient);
    for (ExprAtom atom : term.factors) {
      Expr factor = replace(atom);
      product =
          product * (factor ? factor : replaceOperands(atom, replace, memo));
    }
    sum = sum + product;
  }
  memo.try_emplace(expr.getAsOpaquePointer(), sum);
  return sum;
}

Expr detail::replaceAtoms(Expr expr,
                          llvm::function_ref<Expr(ExprAtom)> replace) {
  ExprMemo<Expr> memo;
  return expr.isOverflow() ? expr : replaceAtomsOnce(expr, replace, memo);
}

static void walkOnce(Expr expr, llvm::DenseSet<const void *> &seen,
                     llvm::function_ref<void(ExprAtom)> visit) {
  if (!seen.insert(expr.getAsOpaquePointer()).second)
    return;
  for (const ExprTerm &term : expr.getTerms())
    for (ExprAtom atom : term.factors) {
      if (!seen.insert(atom.getAsOpaquePointer()).second)
        continue;
      if (atom.isSymbol())
        visit(atom);
      for (Expr operand : atom.getOperands())
        walkOnce(operand, seen, visit);
    }
}

void Expr::walkSymbols(
    llvm::function_ref<void(StringRef, SymbolKind)> visit) const {
  if (isOverflow())
    return;
  llvm::DenseSet<const void *> seen;
  walkOnce(*this, seen,
           [&](ExprAtom atom) { visit(atom.getName(), atom.getSymbolKind()); });
}

bool Expr::hasSymbols() const {
  // Every atom holds a symbol somewhere: atoms of constants are folded.
  return !isOverflow() && !getConstant();
}
