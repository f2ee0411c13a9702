//===- ArithExtension.cpp - arithmetic on extents, constants --------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Ops on tensors never come here: they are elementwise. An op on scalars whose
// operands are known expressions becomes an expression, and its value is made
// only where something needs one:
//
//   divui, divsi, floordivsi = floordiv   and   remui, remsi = mod   if a >= 0
//   ceildivui, ceildivsi     = ceildiv                               if a >= 0
//
// Everything else is cloned as it is.
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/Extensions/Build.h"
#include "dtensor/Dialect/DTensor/Extensions/Extensions.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/DialectRegistry.h"

using namespace mlir;
using namespace dtensor;

namespace {

/// 64 bits hold every extent.
bool holdsExtent(Type type) { return type.isIndex() || type.isInteger(64); }

void cloneScalar(Operation *op, NormalizeContext &context) {
  IRMapping mapping;
  for (Value operand : op->getOperands())
    mapping.map(operand, context.lookup(operand));
  Operation *clone = context.getBuilder().clone(*op, mapping);
  for (auto [old, now] : llvm::zip_equal(op->getResults(), clone->getResults()))
    context.map(old, now);
}

Expr fold(NormalizeContext &context, Operation *op, Expr lhs, Expr rhs) {
  if (isa<arith::AddIOp>(op))
    return lhs + rhs;
  if (isa<arith::SubIOp>(op))
    return lhs - rhs;
  if (isa<arith::MulIOp>(op))
    return lhs * rhs;
  const Facts &facts = context.getFacts();
  bool natural = facts.proveNonNegative(lhs) && facts.proveNonNegative(rhs);
  // Signed forms need no sign; they agree with ours as they are.
  if (isa<arith::MinSIOp>(op) || (natural && isa<arith::MinUIOp>(op)))
    return min(lhs, rhs);
  if (isa<arith::MaxSIOp>(op) || (natural && isa<arith::MaxUIOp>(op)))
    return max(lhs, rhs);
  if (!natural || rhs.isConstant(0))
    return {};
  if (isa<arith::DivUIOp, arith::DivSIOp, arith::FloorDivSIOp>(op))
    return floordiv(lhs, rhs);
  if (isa<arith::CeilDivUIOp, arith::CeilDivSIOp>(op))
    return ceildiv(lhs, rhs);
  if (isa<arith::RemUIOp, arith::RemSIOp>(op))
    return mod(lhs, rhs);
  return {};
}

template <typename OpTy>
struct ExprModel : NormalizeOpInterface::ExternalModel<ExprModel<OpTy>, OpTy> {
  LogicalResult normalize(Operation *op, NormalizeContext &context) const {
    Value lhs = op->getOperand(0), rhs = op->getOperand(1);
    Expr expr;
    if (holdsExtent(op->getResult(0).getType()) && context.hasExpr(lhs) &&
        context.hasExpr(rhs))
      expr = fold(context, op, context.getExpr(lhs), context.getExpr(rhs));
    if (expr && !expr.isOverflow())
      context.setExpr(op->getResult(0), expr);
    else
      cloneScalar(op, context);
    return success();
  }
};

template <typename OpTy>
struct CastModel : NormalizeOpInterface::ExternalModel<CastModel<OpTy>, OpTy> {
  LogicalResult normalize(Operation *op, NormalizeContext &context) const {
    Value operand = op->getOperand(0);
    if (holdsExtent(operand.getType()) &&
        holdsExtent(op->getResult(0).getType()) && context.hasExpr(operand))
      context.setExpr(op->getResult(0), context.getExpr(operand));
    else
      cloneScalar(op, context);
    return success();
  }
};

struct ConstantModel
    : NormalizeOpInterface::ExternalModel<ConstantModel, arith::ConstantOp> {
  LogicalResult normalize(Operation *op, NormalizeContext &context) const {
    auto constant = cast<arith::ConstantOp>(op);
    Value result = constant.getResult();
    if (auto type = dyn_cast<RankedTensorType>(result.getType()))
      return normalizeTensor(constant, type, context);
    if (holdsExtent(result.getType()))
      context.setExpr(
          result,
          Expr::constant(context.getExprContext(),
                         cast<IntegerAttr>(constant.getValue()).getInt()));
    // As a value, the literal itself serves matchers better than an extent.
    cloneScalar(op, context);
    return success();
  }

  static LogicalResult normalizeTensor(arith::ConstantOp constant,
                                       RankedTensorType type,
                                       NormalizeContext &context) {
    SmallVector<Expr> extents;
    for (int64_t size : type.getShape())
      extents.push_back(Expr::constant(context.getExprContext(), size));
    FailureOr<RankedTensorType> resultType =
        context.getResultType(constant, constant.getResult(), extents);
    if (failed(resultType))
      return failure();
    OpBuilder &builder = context.getBuilder();
    Location loc = constant.getLoc();
    auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
    if (elements && elements.isSplat()) {
      Value scalar = arith::ConstantOp::create(
          builder, loc, elements.getSplatValue<TypedAttr>());
      context.map(constant.getResult(),
                  buildFull(builder, loc, *resultType, scalar));
      return success();
    }
    auto value = dyn_cast<ElementsAttr>(constant.getValue());
    if (elements)
      value = elements.reshape(
          RankedTensorType::get(type.getShape(), type.getElementType()));
    context.map(constant.getResult(),
                ConstantOp::create(builder, loc, *resultType, value));
    return success();
  }
};

template <template <typename> class Model, typename... Ops>
void attach(MLIRContext *context) {
  (Ops::template attachInterface<Model<Ops>>(*context), ...);
}

} // namespace

void dtensor::registerArithExtension(DialectRegistry &registry) {
  registry.addExtension(
      +[](MLIRContext *context, arith::ArithDialect *, DTensorDialect *) {
        attach<ExprModel, arith::AddIOp, arith::SubIOp, arith::MulIOp,
               arith::MinSIOp, arith::MinUIOp, arith::MaxSIOp, arith::MaxUIOp,
               arith::DivUIOp, arith::DivSIOp, arith::FloorDivSIOp,
               arith::CeilDivUIOp, arith::CeilDivSIOp, arith::RemUIOp,
               arith::RemSIOp>(context);
        attach<CastModel, arith::IndexCastOp, arith::IndexCastUIOp>(context);
        arith::ConstantOp::attachInterface<ConstantModel>(*context);
      });
}
