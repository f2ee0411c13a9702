//===- PointwiseBodies.cpp - the scalar function of each op ---------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PointwiseBodies.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;

namespace dtensor {

static bool isFloat(Value value) { return isa<FloatType>(value.getType()); }

/// A math op on floats.
template <class Op>
static Value unary(Scalars &s, Operation *, ValueRange args) {
  return Op::create(s.builder, s.loc, args[0]);
}

template <Value (Scalars::*method)(Value, Value)>
static Value binary(Scalars &s, Operation *, ValueRange args) {
  return (s.*method)(args[0], args[1]);
}

static Value buildNeg(Scalars &s, Operation *, ValueRange args) {
  return s.neg(args[0]);
}

static Value buildPow(Scalars &s, Operation *, ValueRange args) {
  if (isFloat(args[0]))
    return math::PowFOp::create(s.builder, s.loc, args[0], args[1]);
  return math::IPowIOp::create(s.builder, s.loc, args[0], args[1]);
}

static Value buildAtan2(Scalars &s, Operation *, ValueRange args) {
  return math::Atan2Op::create(s.builder, s.loc, args[0], args[1]);
}

/// r = a - b * trunc(a / b) has the sign of a; where that is not b's sign and r
/// is not 0, b is added.
static Value buildRemainder(Scalars &s, Operation *, ValueRange args) {
  Value lhs = args[0], rhs = args[1];
  Value rest = isFloat(lhs) ? arith::RemFOp::create(s.builder, s.loc, lhs, rhs)
                            : s.sub(lhs, s.mul(rhs, s.div(lhs, rhs)));
  Value zero = s.constant(lhs.getType(), 0);
  Value signs =
      arith::XOrIOp::create(s.builder, s.loc, s.compare("lt", rest, zero),
                            s.compare("lt", rhs, zero));
  Value wrong = arith::AndIOp::create(s.builder, s.loc, signs,
                                      s.compare("ne", rest, zero));
  Value fixed = s.select(wrong, s.add(rest, rhs), rest);
  if (isFloat(lhs))
    return fixed;
  return s.select(s.compare("eq", rhs, zero), zero, fixed);
}

static Value buildAbs(Scalars &s, Operation *, ValueRange args) {
  if (isFloat(args[0]))
    return math::AbsFOp::create(s.builder, s.loc, args[0]);
  return math::AbsIOp::create(s.builder, s.loc, args[0]);
}

static Value buildSign(Scalars &s, Operation *, ValueRange args) {
  Type type = args[0].getType();
  Value zero = s.constant(type, 0);
  Value negative =
      s.select(s.compare("lt", args[0], zero), s.constant(type, -1), zero);
  return s.select(s.compare("gt", args[0], zero), s.constant(type, 1),
                  negative);
}

static Value buildRelu(Scalars &s, Operation *, ValueRange args) {
  return s.maximum(args[0], s.constant(args[0].getType(), 0));
}

static Value buildReciprocal(Scalars &s, Operation *, ValueRange args) {
  return s.div(s.constant(args[0].getType(), 1), args[0]);
}

static Value buildSigmoid(Scalars &s, Operation *, ValueRange args) {
  Value one = s.constant(args[0].getType(), 1);
  Value exp = math::ExpOp::create(s.builder, s.loc, s.neg(args[0]));
  return s.div(one, s.add(one, exp));
}

static Value buildSilu(Scalars &s, Operation *, ValueRange args) {
  Value one = s.constant(args[0].getType(), 1);
  Value exp = math::ExpOp::create(s.builder, s.loc, s.neg(args[0]));
  return s.div(args[0], s.add(one, exp));
}

static Value buildGelu(Scalars &s, Operation *op, ValueRange args) {
  Value x = args[0];
  Type type = x.getType();
  Value half = s.mul(s.constant(type, 0.5), x);
  Value one = s.constant(type, 1);
  if (op->getAttrOfType<StringAttr>("approximate").getValue() == "none") {
    Value scaled = s.mul(x, s.constant(type, 0.70710678118654752440));
    Value erf = math::ErfOp::create(s.builder, s.loc, scaled);
    return s.mul(half, s.add(one, erf));
  }
  Value cube = s.mul(s.mul(x, x), x);
  Value inner = s.add(x, s.mul(s.constant(type, 0.044715), cube));
  Value scaled = s.mul(s.constant(type, 0.79788456080286535588), inner);
  Value tanh = math::TanhOp::create(s.builder, s.loc, scaled);
  return s.mul(half, s.add(one, tanh));
}

template <class Op>
static Value logical(Scalars &s, Operation *, ValueRange args) {
  return Op::create(s.builder, s.loc, args[0], args[1]);
}

static Value buildNot(Scalars &s, Operation *, ValueRange args) {
  Value one = s.constant(args[0].getType(), 1);
  return arith::XOrIOp::create(s.builder, s.loc, args[0], one);
}

static Value buildCompare(Scalars &s, Operation *op, ValueRange args) {
  auto predicate = op->getAttrOfType<StringAttr>("predicate");
  return s.compare(predicate, args[0], args[1]);
}

static Value buildWhere(Scalars &s, Operation *, ValueRange args) {
  return s.select(args[0], args[1], args[2]);
}

static Value buildCastBody(Scalars &s, Operation *op, ValueRange args) {
  return s.cast(args[0], getElementTypeOrSelf(op->getResult(0).getType()));
}

static const PointwiseEntry kEntries[] = {
    {"add", kFloat | kInteger, false, binary<&Scalars::add>},
    {"sub", kFloat | kInteger, false, binary<&Scalars::sub>},
    {"mul", kFloat | kInteger, false, binary<&Scalars::mul>},
    {"div", kFloat | kInteger, false, binary<&Scalars::div>},
    {"pow", kFloat | kInteger, true, buildPow},
    {"maximum", kAny, false, binary<&Scalars::maximum>},
    {"minimum", kAny, false, binary<&Scalars::minimum>},
    {"atan2", kFloat, true, buildAtan2},
    {"remainder", kFloat | kInteger, true, buildRemainder},
    {"neg", kFloat | kInteger, false, buildNeg},
    {"abs", kFloat | kInteger, false, buildAbs},
    {"sign", kFloat | kInteger, false, buildSign},
    {"relu", kFloat | kInteger, false, buildRelu},
    {"exp", kFloat, true, unary<math::ExpOp>},
    {"log", kFloat, true, unary<math::LogOp>},
    {"log1p", kFloat, true, unary<math::Log1pOp>},
    {"expm1", kFloat, true, unary<math::ExpM1Op>},
    {"sqrt", kFloat, true, unary<math::SqrtOp>},
    {"rsqrt", kFloat, true, unary<math::RsqrtOp>},
    {"reciprocal", kFloat, true, buildReciprocal},
    {"sin", kFloat, true, unary<math::SinOp>},
    {"cos", kFloat, true, unary<math::CosOp>},
    {"tanh", kFloat, true, unary<math::TanhOp>},
    {"erf", kFloat, true, unary<math::ErfOp>},
    {"sigmoid", kFloat, true, buildSigmoid},
    {"silu", kFloat, true, buildSilu},
    {"gelu", kFloat, true, buildGelu},
    {"floor", kFloat, true, unary<math::FloorOp>},
    {"ceil", kFloat, true, unary<math::CeilOp>},
    {"round", kFloat, true, unary<math::RoundEvenOp>},
    {"logical_and", kBool, false, logical<arith::AndIOp>},
    {"logical_or", kBool, false, logical<arith::OrIOp>},
    {"logical_xor", kBool, false, logical<arith::XOrIOp>},
    {"logical_not", kBool, false, buildNot},
    {"compare", kAny, false, buildCompare, true},
    {"where", kAny, false, buildWhere, false, 0},
    {"cast", kAny, false, buildCastBody},
};

const PointwiseEntry &getPointwiseEntry(StringRef name) {
  for (ArrayRef<PointwiseEntry> entries :
       {ArrayRef(kEntries), mathEntries(), activationEntries(),
        backwardEntries()})
    for (const PointwiseEntry &entry : entries)
      if (entry.name == name)
        return entry;
  llvm_unreachable("pointwise op without a scalar function");
}

} // namespace dtensor
