//===- ExprMaterializer.cpp - expressions as index values -----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/Utils/ExprMaterializer.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace dtensor;

namespace dtensor {
/// The IR regime of an expression; Expr::evaluate is the other one.
class MaterializingFolder : public Folder<Value> {
public:
  explicit MaterializingFolder(ExprMaterializer &owner)
      : owner(owner), builder(owner.builder), loc(owner.loc) {}

  Value constant(int64_t value) override {
    Value &known = owner.constants[value];
    if (!known)
      known = arith::ConstantIndexOp::create(builder, loc, value);
    return known;
  }

  Value symbol(StringRef name, SymbolKind kind) override {
    if (Value bound = owner.lookup(name, kind))
      return bound;
    owner.unbound = name.str();
    return constant(1);
  }

  Value add(Value lhs, Value rhs) override {
    return arith::AddIOp::create(builder, loc, lhs, rhs);
  }

  Value mul(Value lhs, Value rhs) override {
    return arith::MulIOp::create(builder, loc, lhs, rhs);
  }

  Value binary(BinaryKind kind, Value lhs, Value rhs) override {
    switch (kind) {
    case BinaryKind::FloorDiv:
      return arith::FloorDivSIOp::create(builder, loc, lhs, rhs);
    case BinaryKind::CeilDiv:
      return arith::CeilDivSIOp::create(builder, loc, lhs, rhs);
    case BinaryKind::Min:
      return arith::MinSIOp::create(builder, loc, lhs, rhs);
    case BinaryKind::Max:
      return arith::MaxSIOp::create(builder, loc, lhs, rhs);
    case BinaryKind::Mod:
      break;
    }
    // a mod b = a - b * (a floordiv b), in [0, b) also for negative a.
    Value quotient = arith::FloorDivSIOp::create(builder, loc, lhs, rhs);
    return arith::SubIOp::create(builder, loc, lhs, mul(rhs, quotient));
  }

private:
  ExprMaterializer &owner;
  OpBuilder &builder;
  Location loc;
};
} // namespace dtensor

Value ExprMaterializer::materialize(Expr expr) {
  assert(expr && !expr.isOverflow() && "expression has no value");
  MaterializingFolder folder(*this);
  Value value = foldExpr(expr, folder, memo);
  return unbound.empty() ? value : Value();
}
