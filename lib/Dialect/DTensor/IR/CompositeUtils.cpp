//===- CompositeUtils.cpp - building composite ops of generics ------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompositeUtils.h"

#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace dtensor {

//===----------------------------------------------------------------------===//
// Extents
//===----------------------------------------------------------------------===//

ExtentList knownExtents(Value value, unsigned number) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type)
    return {};
  ExprContext &context = getExprContext(type.getContext());
  ExtentList extents = getExtents(type);
  for (auto [dim, extent] : llvm::enumerate(extents))
    if (!extent)
      extent =
          Expr::symbol(context, ("?" + Twine(number) + "." + Twine(dim)).str());
  return extents;
}

Type scalarType(Value value) { return getElementTypeOrSelf(value.getType()); }

SmallVector<int64_t> intList(ArrayAttr attr) {
  SmallVector<int64_t> values;
  for (auto element : attr.getAsRange<IntegerAttr>())
    values.push_back(element.getInt());
  return values;
}

FailureOr<ExtentList> exprList(Operation *op, ArrayAttr attr) {
  ExtentList result;
  for (Attribute element : attr) {
    if (auto expr = dyn_cast<ExprAttr>(element))
      result.push_back(expr.getExpr());
    else if (auto number = dyn_cast<IntegerAttr>(element);
             number && number.getValue().isSignedIntN(64))
      result.push_back(Expr::constant(getExprContext(op->getContext()),
                                      number.getValue().getSExtValue()));
    else
      return op->emitOpError("expected integers and #dtensor.expr, found ")
             << element;
    if (result.back().isOverflow())
      return op->emitOpError("an expression overflows: ") << element;
  }
  return result;
}

FailureOr<ExtentList> resultSizes(Operation *op, ArrayAttr sizes) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (sizes) {
    auto listed = exprList(op, sizes);
    if (failed(listed))
      return failure();
    for (Expr size : *listed)
      if (size.getConstant() && *size.getConstant() < 0)
        return op->emitOpError("size ") << size.str() << " is negative";
    return listed;
  }
  ExtentList extents = getExtents(type);
  if (!llvm::is_contained(extents, Expr()))
    return extents;
  return op->emitOpError("needs `sizes`: result type ")
         << type << " has dynamic dimensions and no layout";
}

LogicalResult checkDim(Operation *op, StringRef name, int64_t dim,
                       int64_t rank) {
  if (dim >= 0 && dim < rank)
    return success();
  return op->emitOpError() << name << " " << dim << " is out of range for rank "
                           << rank;
}

FailureOr<SmallVector<bool>> dimMask(Operation *op, ArrayRef<int64_t> dims,
                                     int64_t rank) {
  SmallVector<bool> mask(rank, false);
  for (int64_t dim : dims) {
    if (failed(checkDim(op, "dim", dim, rank)))
      return failure();
    if (mask[dim])
      return op->emitOpError("dim ") << dim << " is given twice";
    mask[dim] = true;
  }
  return mask;
}

LogicalResult checkExtent(Operation *op, const Twine &what, Expr extent,
                          Expr expected, const Facts &facts) {
  if (!extent || !expected || !facts.proveDifferent(extent, expected))
    return success();
  return op->emitOpError() << what << " has extent " << extent.str()
                           << ", expected " << expected.str();
}

LogicalResult checkOverflow(Operation *op, ArrayRef<Expr> extents) {
  for (auto [dim, extent] : llvm::enumerate(extents))
    if (extent.isOverflow())
      return op->emitOpError("the extent of result dimension ")
             << dim << " overflows 64 bits";
  return success();
}

Expr product(ExprContext &context, ArrayRef<Expr> factors) {
  Expr result = Expr::constant(context, 1);
  for (Expr factor : factors)
    result = result * factor;
  return result;
}

LogicalResult verifyOneMesh(Operation *op) {
  LayoutAttr first;
  auto check = [&](Type type) -> LogicalResult {
    LayoutAttr layout = getLayout(type);
    if (!layout)
      return success();
    if (first && first.getMesh() != layout.getMesh())
      return op->emitOpError("has tensors on two meshes, ")
             << first.getMesh() << " and " << layout.getMesh();
    first = layout;
    return success();
  };
  for (Type type : op->getOperandTypes())
    if (failed(check(type)))
      return failure();
  for (Type type : op->getResultTypes())
    if (failed(check(type)))
      return failure();
  return success();
}

LogicalResult verifyResultExtents(Operation *op, ArrayRef<Expr> expected,
                                  unsigned result) {
  std::string name = "result";
  if (op->getNumResults() > 1)
    name += " " + std::to_string(result);
  auto type = cast<RankedTensorType>(op->getResult(result).getType());
  if (type.getRank() != static_cast<int64_t>(expected.size()))
    return op->emitOpError(name) << " has rank " << type.getRank()
                                 << ", expected " << expected.size();
  for (auto [dim, extent] : llvm::enumerate(getExtents(type)))
    if (failed(checkExtent(op, name + " dimension " + Twine(dim), extent,
                           expected[dim])))
      return failure();
  return success();
}

LogicalResult verifyComposite(Operation *op) {
  if (failed(verifyOneMesh(op)))
    return failure();
  SmallVector<ExtentList> operands, results;
  for (auto [number, operand] : llvm::enumerate(op->getOperands()))
    operands.push_back(knownExtents(operand, number));
  if (failed(cast<CompositeOpInterface>(op).inferExtents(operands, Facts(),
                                                         results)))
    return failure();
  for (auto [number, extents] : llvm::enumerate(results))
    if (failed(verifyResultExtents(op, extents, number)))
      return failure();
  return success();
}

RankedTensorType openType(Type like, Type element, ArrayRef<Expr> extents) {
  SmallVector<int64_t> shape;
  for (Expr extent : extents)
    shape.push_back(extent.getConstant().value_or(ShapedType::kDynamic));
  MeshAttr mesh = getLayout(like).getMesh();
  SmallVector<Placement> placements(mesh.getMesh().getNumAxes());
  auto layout = LayoutAttr::get(mesh, Layout(placements, extents));
  return RankedTensorType::get(shape, element, layout);
}

Facts factsAround(Operation *op) {
  if (auto function = op->getParentOfType<FunctionOpInterface>())
    return getFacts(function);
  return Facts();
}

Value buildExtent(OpBuilder &builder, Location loc, Expr expr) {
  if (auto value = expr.getConstant())
    return arith::ConstantIndexOp::create(builder, loc, *value);
  return ExtentOp::create(builder, loc, builder.getIndexType(),
                          ExprAttr::get(builder.getContext(), expr));
}

//===----------------------------------------------------------------------===//
// Loop nests
//===----------------------------------------------------------------------===//

IteratorList identityDims(unsigned count) {
  return llvm::to_vector(llvm::seq<int64_t>(0, count));
}

static AffineMap dimsToMap(MLIRContext *context, const IteratorList &dims,
                           unsigned numIterators) {
  SmallVector<AffineExpr> exprs;
  for (int64_t dim : dims)
    exprs.push_back(dim == kBroadcast ? getAffineConstantExpr(0, context)
                                      : getAffineDimExpr(dim, context));
  return AffineMap::get(numIterators, 0, exprs, context);
}

Value buildGeneric(OpBuilder &builder, Location loc, StringRef label,
                   ValueRange inputs, ArrayRef<IteratorList> dims,
                   const IteratorList &resultDims, unsigned numIterators,
                   ReduceKind reduce, Type resultType, ScalarBody body) {
  MLIRContext *context = builder.getContext();
  SmallVector<AffineMap> maps;
  for (const IteratorList &list : dims)
    maps.push_back(dimsToMap(context, list, numIterators));
  maps.push_back(dimsToMap(context, resultDims, numIterators));

  SmallVector<bool> reduced(numIterators, true);
  for (int64_t dim : resultDims)
    reduced[dim] = false;
  SmallVector<ReduceKind> reductions;
  if (llvm::is_contained(reduced, true))
    reductions.push_back(reduce);
  auto op = GenericOp::create(builder, loc, TypeRange(resultType), inputs,
                              ValueRange(), maps, reduced, reductions, label,
                              [&](OpBuilder &b, Location loc, ValueRange args) {
                                YieldOp::create(b, loc, body(b, loc, args));
                              });
  return op->getResult(0);
}

SmallVector<Value> buildPointwise(OpBuilder &builder, Location loc,
                                  StringRef label, ValueRange inputs,
                                  ArrayRef<IteratorList> dims,
                                  TypeRange resultTypes, ScalarsBody body) {
  unsigned rank = cast<RankedTensorType>(resultTypes[0]).getRank();
  SmallVector<AffineMap> maps;
  for (const IteratorList &list : dims)
    maps.push_back(dimsToMap(builder.getContext(), list, rank));
  maps.append(resultTypes.size(), builder.getMultiDimIdentityMap(rank));
  SmallVector<bool> reduced(rank, false);
  auto op = GenericOp::create(builder, loc, resultTypes, inputs, ValueRange(),
                              maps, reduced, {}, label,
                              [&](OpBuilder &b, Location loc, ValueRange args) {
                                YieldOp::create(b, loc, body(b, loc, args));
                              });
  return llvm::to_vector_of<Value>(op.getResults());
}

Value buildCast(OpBuilder &builder, Location loc, Value input,
                Type resultType) {
  if (input.getType() == resultType)
    return input;
  unsigned rank = cast<RankedTensorType>(resultType).getRank();
  Type element = getElementTypeOrSelf(resultType);
  return buildGeneric(builder, loc, "cast", input, {identityDims(rank)},
                      identityDims(rank), rank, ReduceKind::Sum, resultType,
                      [&](OpBuilder &b, Location loc, ValueRange args) {
                        return Scalars{b, loc}.cast(args[0], element);
                      });
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

Type accumulatorType(Type element) {
  auto type = dyn_cast<FloatType>(element);
  return type && type.getWidth() < 32 ? Float32Type::get(type.getContext())
                                      : element;
}

bool isBool(Type type) { return type.isInteger(1); }

static bool isFloat(Value value) { return isa<FloatType>(value.getType()); }

Value Scalars::constant(Type type, double value) {
  TypedAttr attr;
  if (isa<FloatType>(type))
    attr = builder.getFloatAttr(type, value);
  else
    attr = builder.getIntegerAttr(type, static_cast<int64_t>(value));
  return arith::ConstantOp::create(builder, loc, attr);
}

Value Scalars::add(Value lhs, Value rhs) {
  if (isFloat(lhs))
    return arith::AddFOp::create(builder, loc, lhs, rhs);
  return arith::AddIOp::create(builder, loc, lhs, rhs);
}

Value Scalars::sub(Value lhs, Value rhs) {
  if (isFloat(lhs))
    return arith::SubFOp::create(builder, loc, lhs, rhs);
  return arith::SubIOp::create(builder, loc, lhs, rhs);
}

Value Scalars::mul(Value lhs, Value rhs) {
  if (isFloat(lhs))
    return arith::MulFOp::create(builder, loc, lhs, rhs);
  return arith::MulIOp::create(builder, loc, lhs, rhs);
}

Value Scalars::div(Value lhs, Value rhs) {
  if (isFloat(lhs))
    return arith::DivFOp::create(builder, loc, lhs, rhs);
  // The machine traps on x / 0 and on lowest / -1.
  Value zero = constant(lhs.getType(), 0), one = constant(lhs.getType(), 1);
  Value isZero = compare("eq", rhs, zero);
  Value isMinusOne = compare("eq", rhs, constant(lhs.getType(), -1));
  Value trap = arith::OrIOp::create(builder, loc, isZero, isMinusOne);
  Value quotient =
      arith::DivSIOp::create(builder, loc, lhs, select(trap, one, rhs));
  quotient = select(isMinusOne, sub(zero, lhs), quotient);
  return select(isZero, zero, quotient);
}

Value Scalars::neg(Value operand) {
  if (isFloat(operand))
    return arith::NegFOp::create(builder, loc, operand);
  return sub(constant(operand.getType(), 0), operand);
}

Value Scalars::maximum(Value lhs, Value rhs) {
  if (isFloat(lhs))
    return arith::MaximumFOp::create(builder, loc, lhs, rhs);
  if (isBool(lhs.getType()))
    return arith::OrIOp::create(builder, loc, lhs, rhs);
  return arith::MaxSIOp::create(builder, loc, lhs, rhs);
}

Value Scalars::minimum(Value lhs, Value rhs) {
  if (isFloat(lhs))
    return arith::MinimumFOp::create(builder, loc, lhs, rhs);
  if (isBool(lhs.getType()))
    return arith::AndIOp::create(builder, loc, lhs, rhs);
  return arith::MinSIOp::create(builder, loc, lhs, rhs);
}

Value Scalars::select(Value condition, Value lhs, Value rhs) {
  return arith::SelectOp::create(builder, loc, condition, lhs, rhs);
}

Value Scalars::compare(StringRef predicate, Value lhs, Value rhs) {
  if (isFloat(lhs)) {
    using P = arith::CmpFPredicate;
    auto kind = llvm::StringSwitch<P>(predicate)
                    .Case("eq", P::OEQ)
                    .Case("ne", P::UNE)
                    .Case("lt", P::OLT)
                    .Case("le", P::OLE)
                    .Case("gt", P::OGT)
                    .Default(P::OGE);
    return arith::CmpFOp::create(builder, loc, kind, lhs, rhs);
  }
  // i1 is 0 and 1, not 0 and -1.
  using P = arith::CmpIPredicate;
  bool isSigned = !isBool(lhs.getType());
  auto kind = llvm::StringSwitch<P>(predicate)
                  .Case("eq", P::eq)
                  .Case("ne", P::ne)
                  .Case("lt", isSigned ? P::slt : P::ult)
                  .Case("le", isSigned ? P::sle : P::ule)
                  .Case("gt", isSigned ? P::sgt : P::ugt)
                  .Default(isSigned ? P::sge : P::uge);
  return arith::CmpIOp::create(builder, loc, kind, lhs, rhs);
}

static Value castFloat(OpBuilder &builder, Location loc, Value operand,
                       Type type) {
  auto from = cast<FloatType>(operand.getType());
  if (auto to = dyn_cast<FloatType>(type)) {
    if (from.getWidth() < to.getWidth())
      return arith::ExtFOp::create(builder, loc, to, operand);
    if (from.getWidth() > to.getWidth())
      return arith::TruncFOp::create(builder, loc, to, operand);
    // f16 and bf16: by way of f32, which holds both.
    Value wide =
        arith::ExtFOp::create(builder, loc, builder.getF32Type(), operand);
    return arith::TruncFOp::create(builder, loc, to, wide);
  }
  return arith::FPToSIOp::create(builder, loc, type, operand);
}

static Value castInteger(OpBuilder &builder, Location loc, Value operand,
                         Type type) {
  if (isa<FloatType>(type)) {
    if (isBool(operand.getType()))
      return arith::UIToFPOp::create(builder, loc, type, operand);
    return arith::SIToFPOp::create(builder, loc, type, operand);
  }
  if (operand.getType().getIntOrFloatBitWidth() > type.getIntOrFloatBitWidth())
    return arith::TruncIOp::create(builder, loc, type, operand);
  if (isBool(operand.getType()))
    return arith::ExtUIOp::create(builder, loc, type, operand);
  return arith::ExtSIOp::create(builder, loc, type, operand);
}

Value Scalars::cast(Value operand, Type type) {
  Type i64 = builder.getI64Type();
  if (operand.getType() == type)
    return operand;
  if (isBool(type))
    return compare("ne", operand, constant(operand.getType(), 0));
  if (operand.getType().isIndex())
    return cast(arith::IndexCastOp::create(builder, loc, i64, operand), type);
  if (type.isIndex())
    return arith::IndexCastOp::create(builder, loc, type, cast(operand, i64));
  if (isFloat(operand))
    return castFloat(builder, loc, operand, type);
  return castInteger(builder, loc, operand, type);
}

} // namespace dtensor
