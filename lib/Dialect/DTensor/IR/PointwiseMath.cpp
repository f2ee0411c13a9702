//===- PointwiseMath.cpp - scalar functions of arithmetic -----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PointwiseBodies.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"
#include <limits>

using namespace mlir;

namespace dtensor {

constexpr double kPi = 3.14159265358979323846;
constexpr double kLog2E = 1.44269504088896340736;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

static bool isFloat(Value value) { return isa<FloatType>(value.getType()); }

static Value buildAbs(Scalars &s, Value x) {
  return math::AbsFOp::create(s.builder, s.loc, x);
}

static Value buildAnd(Scalars &s, Value lhs, Value rhs) {
  return arith::AndIOp::create(s.builder, s.loc, lhs, rhs);
}

static Value buildFrac(Scalars &s, Operation *, ValueRange args) {
  return s.sub(args[0], math::TruncOp::create(s.builder, s.loc, args[0]));
}

static Value buildDeg2Rad(Scalars &s, Operation *, ValueRange args) {
  return s.mul(args[0], s.constant(args[0].getType(), kPi / 180));
}

static Value buildRad2Deg(Scalars &s, Operation *, ValueRange args) {
  return s.mul(args[0], s.constant(args[0].getType(), 180 / kPi));
}

static Value buildSquare(Scalars &s, Operation *, ValueRange args) {
  return s.mul(args[0], args[0]);
}

static Value buildBitwiseNot(Scalars &s, Operation *, ValueRange args) {
  Value ones =
      s.constant(args[0].getType(), isBool(args[0].getType()) ? 1 : -1);
  return arith::XOrIOp::create(s.builder, s.loc, args[0], ones);
}

//===----------------------------------------------------------------------===//
// Questions about one number
//===----------------------------------------------------------------------===//

static Value buildIsNan(Scalars &s, Operation *, ValueRange args) {
  return s.compare("ne", args[0], args[0]);
}

static Value buildIsInf(Scalars &s, Operation *, ValueRange args) {
  return s.compare("eq", buildAbs(s, args[0]),
                   s.constant(args[0].getType(), kInfinity));
}

static Value buildIsFinite(Scalars &s, Operation *, ValueRange args) {
  return s.compare("lt", buildAbs(s, args[0]),
                   s.constant(args[0].getType(), kInfinity));
}

static Value buildSignbit(Scalars &s, Operation *, ValueRange args) {
  Type type = args[0].getType();
  Value sign =
      math::CopySignOp::create(s.builder, s.loc, s.constant(type, 1), args[0]);
  return s.compare("lt", sign, s.constant(type, 0));
}

static Value buildNanToNum(Scalars &s, Operation *op, ValueRange args) {
  Value x = args[0];
  Type type = x.getType();
  auto element =
      cast<FloatType>(getElementTypeOrSelf(op->getResult(0).getType()));
  double largest =
      APFloat::getLargest(element.getFloatSemantics()).convertToDouble();
  auto number = [&](StringRef name, double otherwise) {
    auto attr = op->getAttrOfType<FloatAttr>(name);
    return s.constant(type, attr ? attr.getValueAsDouble() : otherwise);
  };
  Value above = s.compare("eq", x, s.constant(type, kInfinity));
  Value below = s.compare("eq", x, s.constant(type, -kInfinity));
  Value result = s.select(above, number("posinf", largest), x);
  result = s.select(below, number("neginf", -largest), result);
  return s.select(s.compare("ne", x, x), number("nan", 0), result);
}

//===----------------------------------------------------------------------===//
// Two numbers
//===----------------------------------------------------------------------===//

/// a - b * trunc(a / b); an integer modulo 0 is 0.
static Value buildFmod(Scalars &s, Operation *, ValueRange args) {
  Value lhs = args[0], rhs = args[1];
  if (isFloat(lhs))
    return arith::RemFOp::create(s.builder, s.loc, lhs, rhs);
  Value zero = s.constant(lhs.getType(), 0);
  Value rest = s.sub(lhs, s.mul(rhs, s.div(lhs, rhs)));
  return s.select(s.compare("eq", rhs, zero), zero, rest);
}

/// `rest`, the remainder of a division, is not 0 and has not the sign of `rhs`.
static Value buildRoundsUp(Scalars &s, Value rest, Value rhs) {
  Value zero = s.constant(rhs.getType(), 0);
  Value signs =
      arith::XOrIOp::create(s.builder, s.loc, s.compare("lt", rest, zero),
                            s.compare("lt", rhs, zero));
  return buildAnd(s, signs, s.compare("ne", rest, zero));
}

/// (a - fmod(a, b)) / b is a whole number up to rounding errors, so it is
/// rounded to the nearest one; the naive floor(a / b) may be one too large.
static Value buildFloorDivide(Scalars &s, Operation *, ValueRange args) {
  Value lhs = args[0], rhs = args[1];
  Type type = lhs.getType();
  Value zero = s.constant(type, 0), one = s.constant(type, 1);
  if (!isFloat(lhs)) {
    Value quotient = s.div(lhs, rhs);
    Value rest = s.sub(lhs, s.mul(rhs, quotient));
    Value lower =
        s.select(buildRoundsUp(s, rest, rhs), s.sub(quotient, one), quotient);
    return s.select(s.compare("eq", rhs, zero), zero, lower);
  }
  Value rest = arith::RemFOp::create(s.builder, s.loc, lhs, rhs);
  Value quotient = s.div(s.sub(lhs, rest), rhs);
  quotient =
      s.select(buildRoundsUp(s, rest, rhs), s.sub(quotient, one), quotient);
  Value floor = math::FloorOp::create(s.builder, s.loc, quotient);
  Value half = s.constant(type, 0.5);
  floor = s.select(s.compare("gt", s.sub(quotient, floor), half),
                   s.add(floor, one), floor);
  Value signedZero =
      math::CopySignOp::create(s.builder, s.loc, zero, s.div(lhs, rhs));
  Value result = s.select(s.compare("eq", quotient, zero), signedZero, floor);
  return s.select(s.compare("eq", rhs, zero), s.div(lhs, rhs), result);
}

template <class Op>
static Value binaryOp(Scalars &s, Operation *, ValueRange args) {
  return Op::create(s.builder, s.loc, args[0], args[1]);
}

/// max * sqrt(1 + (min / max)^2) of the magnitudes.
static Value buildHypot(Scalars &s, Operation *, ValueRange args) {
  Type type = args[0].getType();
  Value x = buildAbs(s, args[0]), y = buildAbs(s, args[1]);
  Value one = s.constant(type, 1), zero = s.constant(type, 0);
  Value infinity = s.constant(type, kInfinity);
  Value large = s.maximum(x, y);
  Value ratio = s.div(s.minimum(x, y), large);
  Value sum = s.add(one, s.mul(ratio, ratio));
  Value root = math::SqrtOp::create(s.builder, s.loc, sum);
  Value result =
      s.select(s.compare("eq", large, zero), zero, s.mul(large, root));
  Value infinite =
      arith::OrIOp::create(s.builder, s.loc, s.compare("eq", x, infinity),
                           s.compare("eq", y, infinity));
  return s.select(infinite, infinity, result);
}

/// max + log(1 + exp(min - max)), and the infinity if both are the same one.
static Value buildLogAddExp(Scalars &s, Operation *, ValueRange args) {
  Value difference = s.neg(buildAbs(s, s.sub(args[0], args[1])));
  Value exp = math::ExpOp::create(s.builder, s.loc, difference);
  Value log = math::Log1pOp::create(s.builder, s.loc, exp);
  Value sum = s.add(s.maximum(args[0], args[1]), log);
  return s.select(s.compare("eq", args[0], args[1]),
                  s.add(args[0], s.constant(args[0].getType(), 1 / kLog2E)),
                  sum);
}

static Value buildLogAddExp2(Scalars &s, Operation *, ValueRange args) {
  Type type = args[0].getType();
  Value difference = s.neg(buildAbs(s, s.sub(args[0], args[1])));
  Value exp = math::Exp2Op::create(s.builder, s.loc, difference);
  Value log = s.mul(math::Log1pOp::create(s.builder, s.loc, exp),
                    s.constant(type, kLog2E));
  Value sum = s.add(s.maximum(args[0], args[1]), log);
  return s.select(s.compare("eq", args[0], args[1]),
                  s.add(args[0], s.constant(type, 1)), sum);
}

static Value buildXlogy(Scalars &s, Operation *, ValueRange args) {
  Value zero = s.constant(args[0].getType(), 0);
  Value log = math::LogOp::create(s.builder, s.loc, args[1]);
  Value result =
      s.select(s.compare("eq", args[0], zero), zero, s.mul(args[0], log));
  return s.select(s.compare("ne", args[1], args[1]), args[1], result);
}

static Value buildHeaviside(Scalars &s, Operation *, ValueRange args) {
  Type type = args[0].getType();
  Value zero = s.constant(type, 0);
  Value above =
      s.select(s.compare("gt", args[0], zero), s.constant(type, 1), zero);
  return s.select(s.compare("eq", args[0], zero), args[1], above);
}

/// 0 <= args[1] < width: any other shift is undefined in the machine.
static Value buildShiftInRange(Scalars &s, ValueRange args) {
  Type type = args[1].getType();
  double width = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  return buildAnd(s, s.compare("ge", args[1], s.constant(type, 0)),
                  s.compare("lt", args[1], s.constant(type, width)));
}

static Value buildShiftLeft(Scalars &s, Operation *, ValueRange args) {
  Value good = buildShiftInRange(s, args);
  Value zero = s.constant(args[0].getType(), 0);
  Value shift = s.select(good, args[1], zero);
  return s.select(good, arith::ShLIOp::create(s.builder, s.loc, args[0], shift),
                  zero);
}

static Value buildShiftRight(Scalars &s, Operation *, ValueRange args) {
  Type type = args[0].getType();
  double width = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  Value shift = s.select(buildShiftInRange(s, args), args[1],
                         s.constant(type, width - 1));
  return arith::ShRSIOp::create(s.builder, s.loc, args[0], shift);
}

//===----------------------------------------------------------------------===//
// Three numbers
//===----------------------------------------------------------------------===//

static Value buildClamp(Scalars &s, Operation *, ValueRange args) {
  return s.minimum(s.maximum(args[0], args[1]), args[2]);
}

/// The end that is nearer is the exact one.
static Value buildLerp(Scalars &s, Operation *, ValueRange args) {
  Type type = args[0].getType();
  Value difference = s.sub(args[1], args[0]);
  Value rest = s.sub(s.constant(type, 1), args[2]);
  Value low = s.add(args[0], s.mul(args[2], difference));
  Value high = s.sub(args[1], s.mul(difference, rest));
  Value near = s.compare("lt", args[2], s.constant(type, 0.5));
  return s.select(near, low, high);
}

static Value buildScaled(Scalars &s, Operation *op, Value x) {
  double value = op->getAttrOfType<FloatAttr>("value").getValueAsDouble();
  return value == 1 ? x : s.mul(s.constant(x.getType(), value), x);
}

static Value buildAddcmul(Scalars &s, Operation *op, ValueRange args) {
  return s.add(args[0], s.mul(buildScaled(s, op, args[1]), args[2]));
}

static Value buildAddcdiv(Scalars &s, Operation *op, ValueRange args) {
  return s.add(args[0], s.div(buildScaled(s, op, args[1]), args[2]));
}

static Value buildMaskedFill(Scalars &s, Operation *, ValueRange args) {
  return s.select(args[1], args[2], args[0]);
}

template <class Op>
static Value unary(Scalars &s, Operation *, ValueRange args) {
  return Op::create(s.builder, s.loc, args[0]);
}

static const PointwiseEntry kEntries[] = {
    {"exp2", kFloat, true, unary<math::Exp2Op>},
    {"log2", kFloat, true, unary<math::Log2Op>},
    {"log10", kFloat, true, unary<math::Log10Op>},
    {"tan", kFloat, true, unary<math::TanOp>},
    {"asin", kFloat, true, unary<math::AsinOp>},
    {"acos", kFloat, true, unary<math::AcosOp>},
    {"atan", kFloat, true, unary<math::AtanOp>},
    {"sinh", kFloat, true, unary<math::SinhOp>},
    {"cosh", kFloat, true, unary<math::CoshOp>},
    {"asinh", kFloat, true, unary<math::AsinhOp>},
    {"acosh", kFloat, true, unary<math::AcoshOp>},
    {"atanh", kFloat, true, unary<math::AtanhOp>},
    {"erfc", kFloat, true, unary<math::ErfcOp>},
    {"trunc", kFloat, true, unary<math::TruncOp>},
    {"frac", kFloat, true, buildFrac},
    {"deg2rad", kFloat, true, buildDeg2Rad},
    {"rad2deg", kFloat, true, buildRad2Deg},
    {"square", kFloat | kInteger, true, buildSquare},
    {"bitwise_not", kInteger | kBool, false, buildBitwiseNot},
    {"isnan", kFloat, true, buildIsNan, true},
    {"isinf", kFloat, true, buildIsInf, true},
    {"isfinite", kFloat, true, buildIsFinite, true},
    {"signbit", kFloat, true, buildSignbit, true},
    {"nan_to_num", kFloat, true, buildNanToNum},
    {"fmod", kFloat | kInteger, true, buildFmod},
    {"floor_divide", kFloat | kInteger, true, buildFloorDivide},
    {"fmax", kFloat, true, binaryOp<arith::MaxNumFOp>},
    {"fmin", kFloat, true, binaryOp<arith::MinNumFOp>},
    {"copysign", kFloat, true, binaryOp<math::CopySignOp>},
    {"hypot", kFloat, true, buildHypot},
    {"logaddexp", kFloat, true, buildLogAddExp},
    {"logaddexp2", kFloat, true, buildLogAddExp2},
    {"xlogy", kFloat, true, buildXlogy},
    {"heaviside", kFloat | kInteger, true, buildHeaviside},
    {"bitwise_and", kInteger | kBool, false, binaryOp<arith::AndIOp>},
    {"bitwise_or", kInteger | kBool, false, binaryOp<arith::OrIOp>},
    {"bitwise_xor", kInteger | kBool, false, binaryOp<arith::XOrIOp>},
    {"shift_left", kInteger, false, buildShiftLeft},
    {"shift_right", kInteger, false, buildShiftRight},
    {"clamp", kFloat | kInteger, true, buildClamp},
    {"lerp", kFloat, true, buildLerp},
    {"addcmul", kFloat | kInteger, true, buildAddcmul},
    {"addcdiv", kFloat, true, buildAddcdiv},
    {"masked_fill", kAny, false, buildMaskedFill, false, 1},
};

ArrayRef<PointwiseEntry> mathEntries() { return kEntries; }

} // namespace dtensor
