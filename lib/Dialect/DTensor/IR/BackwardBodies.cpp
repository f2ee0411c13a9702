//===- BackwardBodies.cpp - scalar functions of gradients -----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each is a product with g, or 0: a gradient may hold a pending sum.
//
//===----------------------------------------------------------------------===//

#include "PointwiseBodies.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;

namespace dtensor {

namespace {
/// The gradient of one function being built; `g` is that of its result.
struct Gradient {
  Scalars &s;
  Operation *op;
  Value g, x;

  Gradient(Scalars &s, Operation *op, ValueRange args)
      : s(s), op(op), g(args[0]), x(args[1]) {}

  Value number(double value) { return s.constant(x.getType(), value); }
  double attribute(StringRef name) {
    return op->getAttrOfType<FloatAttr>(name).getValueAsDouble();
  }
  template <class Op>
  Value call(Value operand) {
    return Op::create(s.builder, s.loc, operand);
  }
  Value exp(Value value) { return call<math::ExpOp>(value); }
  Value oneMinus(Value value) { return s.sub(number(1), value); }
  Value sigmoid(Value value) {
    return s.div(number(1), s.add(number(1), exp(s.neg(value))));
  }
  /// g * `factor`.
  Value times(Value factor) { return s.mul(g, factor); }
  Value zeroWhere(Value condition, Value otherwise) {
    return s.select(condition, number(0), otherwise);
  }
  Value either(Value a, Value b) {
    return arith::OrIOp::create(s.builder, s.loc, a, b);
  }
};
} // namespace

static Value buildTanh(Scalars &s, Operation *op, ValueRange args) {
  Gradient a(s, op, args);
  return a.times(a.oneMinus(s.mul(a.x, a.x)));
}

static Value buildSigmoid(Scalars &s, Operation *op, ValueRange args) {
  Gradient a(s, op, args);
  return a.times(s.mul(a.x, a.oneMinus(a.x)));
}

static Value buildThreshold(Scalars &s, Operation *op, ValueRange args) {
  Gradient a(s, op, args);
  Value bound = a.number(a.attribute("threshold"));
  return a.zeroWhere(s.compare("le", a.x, bound), a.g);
}

static Value buildSilu(Scalars &s, Operation *op, ValueRange args) {
  Gradient a(s, op, args);
  Value y = a.sigmoid(a.x);
  Value inner = s.add(a.number(1), s.mul(a.x, a.oneMinus(y)));
  return a.times(s.mul(y, inner));
}

/// Phi(x) + x phi(x).
static Value buildExactGelu(Gradient &a) {
  Scalars &s = a.s;
  Value erf = a.call<math::ErfOp>(s.mul(a.x, a.number(0.70710678118654752440)));
  Value left = s.mul(a.number(0.5), s.add(a.number(1), erf));
  Value exp = a.exp(s.mul(a.number(-0.5), s.mul(a.x, a.x)));
  Value density = s.mul(a.number(0.39894228040143267794), exp);
  return a.times(s.add(left, s.mul(a.x, density)));
}

static Value buildGelu(Scalars &s, Operation *op, ValueRange args) {
  Gradient a(s, op, args);
  if (op->getAttrOfType<StringAttr>("approximate").getValue() == "none")
    return buildExactGelu(a);
  Value root = a.number(0.79788456080286535588);
  Value square = s.mul(a.x, a.x);
  Value cubic = s.mul(a.number(0.044715), square);
  Value inner = s.mul(root, s.mul(a.x, s.add(a.number(1), cubic)));
  Value tanh = a.call<math::TanhOp>(inner);
  Value slope =
      s.mul(root, s.add(a.number(1), s.mul(a.number(3 * 0.044715), square)));
  Value right = s.mul(a.x, s.mul(a.oneMinus(s.mul(tanh, tanh)), slope));
  Value both = s.add(s.add(a.number(1), tanh), right);
  return a.times(s.mul(a.number(0.5), both));
}

static Value buildMish(Scalars &s, Operation *op, ValueRange args) {
  Gradient a(s, op, args);
  Value log = a.call<math::Log1pOp>(a.exp(s.neg(a.call<math::AbsFOp>(a.x))));
  Value softplus = s.add(s.maximum(a.x, a.number(0)), log);
  Value tanh = a.call<math::TanhOp>(softplus);
  Value right =
      s.mul(s.mul(a.x, a.sigmoid(a.x)), a.oneMinus(s.mul(tanh, tanh)));
  return a.times(s.add(tanh, right));
}

static Value buildElu(Scalars &s, Operation *op, ValueRange args) {
  Gradient a(s, op, args);
  double scale = a.attribute("scale"), inner = a.attribute("input_scale");
  double low = a.attribute("alpha") * scale;
  Value below;
  if (op->hasAttr("is_result"))
    below = s.mul(a.number(inner), s.add(a.x, a.number(low)));
  else
    below = s.mul(a.number(inner * low), a.exp(s.mul(a.x, a.number(inner))));
  Value isLow = s.compare("le", a.x, a.number(0));
  return a.times(s.select(isLow, below, a.number(scale)));
}

static Value buildLeakyRelu(Scalars &s, Operation *op, ValueRange args) {
  Gradient a(s, op, args);
  Value slope = a.number(a.attribute("slope"));
  return s.select(s.compare("gt", a.x, a.number(0)), a.g, a.times(slope));
}

static Value buildHardtanh(Scalars &s, Operation *op, ValueRange args) {
  Gradient a(s, op, args);
  Value low = s.compare("le", a.x, a.number(a.attribute("low")));
  Value high = s.compare("ge", a.x, a.number(a.attribute("high")));
  return a.zeroWhere(a.either(low, high), a.g);
}

static Value buildHardsigmoid(Scalars &s, Operation *op, ValueRange args) {
  Gradient a(s, op, args);
  Value low = s.compare("le", a.x, a.number(-3));
  Value high = s.compare("ge", a.x, a.number(3));
  return a.zeroWhere(a.either(low, high), a.times(a.number(1.0 / 6)));
}

static Value buildHardswish(Scalars &s, Operation *op, ValueRange args) {
  Gradient a(s, op, args);
  Value slope = s.add(s.div(a.x, a.number(3)), a.number(0.5));
  Value above =
      s.select(s.compare("lt", a.x, a.number(3)), a.times(slope), a.g);
  return a.zeroWhere(s.compare("le", a.x, a.number(-3)), above);
}

static Value buildSoftplus(Scalars &s, Operation *op, ValueRange args) {
  Gradient a(s, op, args);
  Value scaled = s.mul(a.x, a.number(a.attribute("beta")));
  Value large = s.compare("gt", scaled, a.number(a.attribute("threshold")));
  return s.select(large, a.g, a.times(a.sigmoid(scaled)));
}

static Value buildLogSigmoid(Scalars &s, Operation *op, ValueRange args) {
  Gradient a(s, op, args);
  return a.times(a.sigmoid(s.neg(a.x)));
}

static Value buildShrink(Scalars &s, Operation *op, ValueRange args) {
  Gradient a(s, op, args);
  Value bound = a.number(a.attribute("lambda"));
  return a.zeroWhere(s.compare("le", a.call<math::AbsFOp>(a.x), bound), a.g);
}

static Value buildLogit(Scalars &s, Operation *op, ValueRange args) {
  Gradient a(s, op, args);
  auto eps = op->getAttrOfType<FloatAttr>("eps");
  double low = eps ? eps.getValueAsDouble() : 0;
  Value below = s.compare("lt", a.x, a.number(low));
  Value above = s.compare("gt", a.x, a.number(1 - low));
  Value inside = s.div(a.g, s.mul(a.x, a.oneMinus(a.x)));
  double outside = eps ? 0 : std::numeric_limits<double>::quiet_NaN();
  return s.select(a.either(below, above), a.number(outside), inside);
}

/// The second operand is i1, so this one widens by itself.
static Value buildDropout(Scalars &s, Operation *op, ValueRange args) {
  Type type = args[0].getType(), wide = accumulatorType(type);
  double scale = op->getAttrOfType<FloatAttr>("scale").getValueAsDouble();
  Value scaled = s.mul(s.cast(args[0], wide), s.constant(wide, scale));
  return s.cast(s.select(args[1], scaled, s.constant(wide, 0)), type);
}

static const PointwiseEntry kEntries[] = {
    {"tanh_backward", kFloat, true, buildTanh},
    {"sigmoid_backward", kFloat, true, buildSigmoid},
    {"threshold_backward", kFloat, true, buildThreshold},
    {"silu_backward", kFloat, true, buildSilu},
    {"gelu_backward", kFloat, true, buildGelu},
    {"mish_backward", kFloat, true, buildMish},
    {"elu_backward", kFloat, true, buildElu},
    {"leaky_relu_backward", kFloat, true, buildLeakyRelu},
    {"hardtanh_backward", kFloat, true, buildHardtanh},
    {"hardsigmoid_backward", kFloat, true, buildHardsigmoid},
    {"hardswish_backward", kFloat, true, buildHardswish},
    {"softplus_backward", kFloat, true, buildSoftplus},
    {"log_sigmoid_backward", kFloat, true, buildLogSigmoid},
    {"hardshrink_backward", kFloat, true, buildShrink},
    {"softshrink_backward", kFloat, true, buildShrink},
    {"logit_backward", kFloat, true, buildLogit},
    {"dropout_backward", kFloat, false, buildDropout, false, 1},
};

ArrayRef<PointwiseEntry> backwardEntries() { return kEntries; }

} // namespace dtensor
