//===- ActivationBodies.cpp - scalar functions of activations -------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PointwiseBodies.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace dtensor {

namespace {
/// The scalar function of one activation being built; `x` is its argument.
struct Activation {
  Scalars &s;
  Operation *op;
  Value x;

  Activation(Scalars &s, Operation *op, ValueRange args)
      : s(s), op(op), x(args[0]) {}

  Value number(double value) { return s.constant(x.getType(), value); }
  double attribute(StringRef name) {
    return op->getAttrOfType<FloatAttr>(name).getValueAsDouble();
  }
  template <class Op>
  Value call(Value operand) {
    return Op::create(s.builder, s.loc, operand);
  }
  Value clamp(Value value, double low, double high) {
    return s.minimum(s.maximum(value, number(low)), number(high));
  }
  /// x above 0, else `below`.
  Value positiveOr(Value below) {
    return s.select(s.compare("gt", x, number(0)), x, below);
  }
};
} // namespace

static Value buildElu(Scalars &s, Operation *op, ValueRange args) {
  Activation a(s, op, args);
  Value below = a.call<math::ExpM1Op>(a.x);
  return a.positiveOr(s.mul(a.number(a.attribute("alpha")), below));
}

static Value buildCelu(Scalars &s, Operation *op, ValueRange args) {
  Activation a(s, op, args);
  Value alpha = a.number(a.attribute("alpha"));
  Value below = a.call<math::ExpM1Op>(s.div(a.x, alpha));
  return a.positiveOr(s.mul(alpha, below));
}

static Value buildSelu(Scalars &s, Operation *op, ValueRange args) {
  Activation a(s, op, args);
  Value below = s.mul(a.number(1.6732632423543772848170429916717),
                      a.call<math::ExpM1Op>(a.x));
  return s.mul(a.number(1.0507009873554804934193349852946),
               a.positiveOr(below));
}

static Value buildLeakyRelu(Scalars &s, Operation *op, ValueRange args) {
  Activation a(s, op, args);
  return a.positiveOr(s.mul(a.number(a.attribute("slope")), a.x));
}

static Value buildRelu6(Scalars &s, Operation *op, ValueRange args) {
  Activation a(s, op, args);
  return a.clamp(a.x, 0, 6);
}

static Value buildHardtanh(Scalars &s, Operation *op, ValueRange args) {
  Activation a(s, op, args);
  return a.clamp(a.x, a.attribute("low"), a.attribute("high"));
}

static Value buildHardsigmoid(Scalars &s, Operation *op, ValueRange args) {
  Activation a(s, op, args);
  return s.div(a.clamp(s.add(a.x, a.number(3)), 0, 6), a.number(6));
}

static Value buildHardswish(Scalars &s, Operation *op, ValueRange args) {
  Activation a(s, op, args);
  Value gate = a.clamp(s.add(a.x, a.number(3)), 0, 6);
  return s.div(s.mul(a.x, gate), a.number(6));
}

static Value buildSoftplus(Scalars &s, Operation *op, ValueRange args) {
  Activation a(s, op, args);
  Value beta = a.number(a.attribute("beta"));
  Value scaled = s.mul(a.x, beta);
  Value log = a.call<math::Log1pOp>(a.call<math::ExpOp>(scaled));
  Value large = s.compare("gt", scaled, a.number(a.attribute("threshold")));
  return s.select(large, a.x, s.div(log, beta));
}

/// max(x, 0) + log(1 + exp(-|x|)): log(1 + exp(x)) without overflow.
static Value buildSmoothRelu(Activation &a) {
  Value exp = a.call<math::ExpOp>(a.s.neg(a.call<math::AbsFOp>(a.x)));
  return a.s.add(a.s.maximum(a.x, a.number(0)), a.call<math::Log1pOp>(exp));
}

static Value buildMish(Scalars &s, Operation *op, ValueRange args) {
  Activation a(s, op, args);
  return s.mul(a.x, a.call<math::TanhOp>(buildSmoothRelu(a)));
}

static Value buildLogSigmoid(Scalars &s, Operation *op, ValueRange args) {
  Activation a(s, op, args);
  Value exp = a.call<math::ExpOp>(s.neg(a.call<math::AbsFOp>(a.x)));
  return s.sub(s.minimum(a.x, a.number(0)), a.call<math::Log1pOp>(exp));
}

static Value buildSoftsign(Scalars &s, Operation *op, ValueRange args) {
  Activation a(s, op, args);
  return s.div(a.x, s.add(a.number(1), a.call<math::AbsFOp>(a.x)));
}

static Value buildTanhshrink(Scalars &s, Operation *op, ValueRange args) {
  Activation a(s, op, args);
  return s.sub(a.x, a.call<math::TanhOp>(a.x));
}

static Value buildHardshrink(Scalars &s, Operation *op, ValueRange args) {
  Activation a(s, op, args);
  Value bound = a.number(a.attribute("lambda"));
  Value small = s.compare("le", a.call<math::AbsFOp>(a.x), bound);
  return s.select(small, a.number(0), a.x);
}

static Value buildSoftshrink(Scalars &s, Operation *op, ValueRange args) {
  Activation a(s, op, args);
  double bound = a.attribute("lambda");
  Value high = a.number(bound), low = a.number(-bound);
  Value inside = s.select(s.compare("ne", a.x, a.x), a.x, a.number(0));
  Value below = s.select(s.compare("lt", a.x, low), s.add(a.x, high), inside);
  return s.select(s.compare("gt", a.x, high), s.sub(a.x, high), below);
}

static Value buildThreshold(Scalars &s, Operation *op, ValueRange args) {
  Activation a(s, op, args);
  Value low = s.compare("le", a.x, a.number(a.attribute("threshold")));
  return s.select(low, a.number(a.attribute("value")), a.x);
}

static Value buildLogit(Scalars &s, Operation *op, ValueRange args) {
  Activation a(s, op, args);
  Value x = a.x;
  if (auto eps = op->getAttrOfType<FloatAttr>("eps"))
    x = a.clamp(x, eps.getValueAsDouble(), 1 - eps.getValueAsDouble());
  return a.call<math::LogOp>(s.div(x, s.sub(a.number(1), x)));
}

static Value buildPrelu(Scalars &s, Operation *op, ValueRange args) {
  Activation a(s, op, args);
  return a.positiveOr(s.mul(args[0], args[1]));
}

static const PointwiseEntry kEntries[] = {
    {"elu", kFloat, true, buildElu},
    {"celu", kFloat, true, buildCelu},
    {"selu", kFloat, true, buildSelu},
    {"leaky_relu", kFloat, true, buildLeakyRelu},
    {"relu6", kFloat, true, buildRelu6},
    {"hardtanh", kFloat, true, buildHardtanh},
    {"hardsigmoid", kFloat, true, buildHardsigmoid},
    {"hardswish", kFloat, true, buildHardswish},
    {"softplus", kFloat, true, buildSoftplus},
    {"mish", kFloat, true, buildMish},
    {"log_sigmoid", kFloat, true, buildLogSigmoid},
    {"softsign", kFloat, true, buildSoftsign},
    {"tanhshrink", kFloat, true, buildTanhshrink},
    {"hardshrink", kFloat, true, buildHardshrink},
    {"softshrink", kFloat, true, buildSoftshrink},
    {"threshold", kFloat, true, buildThreshold},
    {"logit", kFloat, true, buildLogit},
    {"prelu", kFloat, true, buildPrelu},
};

ArrayRef<PointwiseEntry> activationEntries() { return kEntries; }

} // namespace dtensor
