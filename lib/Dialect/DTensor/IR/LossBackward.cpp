//===- LossBackward.cpp - gradients of losses -----------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With p = softmax(x), w the weight of the target t and e the smoothing, the
// gradient of cross-entropy in x_c is
//
//   (1 - e) w_t (p_c - [c = t]) + e / C * (sum_k w_k * p_c - w_c)
//
// where the sums over classes are reductions and [c = t] needs no lookup.
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/LossBackwardOps.h"

#include "ClassLoss.h"
#include "PointwiseBodies.h"
#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dtensor;

/// The gradient is one number, or `extents` like the loss.
static LogicalResult checkGradient(Operation *op, ArrayRef<Expr> grad,
                                   ArrayRef<Expr> extents, const Facts &facts) {
  if (getReduction(op) != "none")
    extents = {};
  if (grad.size() != extents.size())
    return op->emitOpError("gradient has rank ")
           << grad.size() << ", expected " << extents.size();
  for (auto [dim, extent] : llvm::enumerate(grad))
    if (failed(checkExtent(op, "gradient dimension " + Twine(dim), extent,
                           extents[dim], facts)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Losses of single elements
//===----------------------------------------------------------------------===//

static LogicalResult
inferElementLossBackward(Operation *op, ArrayRef<ExtentList> operands,
                         const Facts &facts,
                         SmallVectorImpl<ExtentList> &results) {
  ArrayRef<Expr> input = operands[1];
  SmallVector<ExtentList> joined;
  if (failed(inferPointwise(op, operands.drop_front(), facts, joined)))
    return failure();
  ArrayRef<Expr> others[] = {operands[2], joined.front()};
  for (ArrayRef<Expr> other : others) {
    if (other.size() != input.size())
      return op->emitOpError("operands have ranks ")
             << input.size() << " and " << other.size();
    for (auto [dim, extent] : llvm::enumerate(other))
      if (failed(checkExtent(op, "an operand's dimension " + Twine(dim), extent,
                             input[dim], facts)))
        return failure();
  }
  results.push_back(operands[1]);
  return checkGradient(op, operands[0], input, facts);
}

namespace {
/// The slope of the loss of one element: x the prediction, t the target, w the
/// weight, null for 1.
struct ElementSlope {
  Scalars s;
  Operation *op;
  Value x, t, w;

  Value number(double value) { return s.constant(x.getType(), value); }
  Value weighted(Value slope) { return w ? s.mul(slope, w) : slope; }
  Value sign(Value d) {
    Value negative =
        s.select(s.compare("lt", d, number(0)), number(-1), number(0));
    return s.select(s.compare("gt", d, number(0)), number(1), negative);
  }
  /// `factor` * d near 0, `slope` times the sign elsewhere. NaN is not far from
  /// anything; its sign is 0, as that of 0 is.
  Value bent(double bound, double factor, double slope) {
    Value d = s.sub(x, t);
    Value line = s.mul(number(slope), sign(d));
    if (bound == 0)
      return weighted(line);
    Value size = math::AbsFOp::create(s.builder, s.loc, d);
    Value far = s.compare("ge", size, number(bound));
    return weighted(s.select(far, line, s.mul(number(factor), d)));
  }
  Value bce() {
    Value spread = s.mul(x, s.sub(number(1), x));
    return weighted(s.div(s.sub(x, t), s.maximum(spread, number(1e-12))));
  }
  /// sigmoid(-x) = 1 / (1 + exp(x)).
  Value bceWithLogits() {
    Value exp = math::ExpOp::create(s.builder, s.loc, x);
    Value rest = s.div(number(1), s.add(number(1), exp));
    if (w)
      rest = s.mul(s.add(number(1), s.mul(s.sub(w, number(1)), t)), rest);
    return s.sub(s.sub(number(1), t), rest);
  }
  Value klDiv() {
    Value size = t;
    if (op->hasAttr("log_target"))
      size = math::ExpOp::create(s.builder, s.loc, t);
    return weighted(s.neg(size));
  }
};
} // namespace

static Value buildSlope(ElementSlope slope) {
  Scalars &s = slope.s;
  return llvm::TypeSwitch<Operation *, Value>(slope.op)
      .Case<MseLossBackwardOp>([&](auto) {
        return slope.weighted(s.mul(slope.number(2), s.sub(slope.x, slope.t)));
      })
      .Case<L1LossBackwardOp>([&](auto) {
        return slope.weighted(slope.sign(s.sub(slope.x, slope.t)));
      })
      .Case<SmoothL1LossBackwardOp>([&](auto op) {
        double beta = getNumber(op, "beta");
        return slope.bent(beta, 1 / beta, 1);
      })
      .Case<HuberLossBackwardOp>([&](auto op) {
        double delta = getNumber(op, "delta");
        return slope.bent(delta, 1, delta);
      })
      .Case<BceLossBackwardOp>([&](auto) { return slope.bce(); })
      .Case<BceWithLogitsLossBackwardOp>(
          [&](auto) { return slope.bceWithLogits(); })
      .Case<KlDivLossBackwardOp>([&](auto) { return slope.klDiv(); });
}

static LogicalResult
decomposeElementLossBackward(Operation *op, OpBuilder &builder,
                             ValueRange operands, TypeRange resultTypes,
                             SmallVectorImpl<Value> &results) {
  Location loc = op->getLoc();
  ExtentList extents = getExtents(resultTypes[0]);
  unsigned rank = extents.size();
  SmallVector<IteratorList> dims;
  for (Value operand : operands)
    dims.push_back(alignDims(getExtents(operand), extents));
  Type type = getElementTypeOrSelf(resultTypes[0]);
  Type wide = accumulatorType(type);
  Value count;
  if (getReduction(op) == "mean")
    count = Scalars{builder, loc}.cast(
        buildExtent(builder, loc,
                    product(getExprContext(op->getContext()), extents)),
        wide);
  results.push_back(buildGeneric(
      builder, loc, op->getName().stripDialect(), operands, dims,
      identityDims(rank), rank, ReduceKind::Sum, resultTypes[0],
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        SmallVector<Value> scalars;
        for (Value arg : args)
          scalars.push_back(s.cast(arg, wide));
        scalars.resize(4);
        Value grad = scalars[0];
        if (count)
          grad = s.div(grad, count);
        Value slope = buildSlope({s, op, scalars[1], scalars[2], scalars[3]});
        return s.cast(s.mul(grad, slope), type);
      }));
  return success();
}

static LogicalResult verifyElementLossBackward(Operation *op) {
  if (failed(checkReduction(op)))
    return failure();
  for (Value operand : op->getOperands())
    if (failed(checkFloat(op, operand, "an operand")))
      return failure();
  return verifyComposite(op);
}

//===----------------------------------------------------------------------===//
// Losses of classes
//===----------------------------------------------------------------------===//

static LogicalResult
inferClassLossBackward(Operation *op, ArrayRef<ExtentList> operands,
                       const Facts &facts,
                       SmallVectorImpl<ExtentList> &results) {
  if (failed(checkClasses(op, operands.drop_front(), facts)) ||
      failed(checkGradient(op, operands[0], operands[2], facts)))
    return failure();
  results.push_back(operands[1]);
  return success();
}

namespace {
/// One gradient being decomposed: what one loop nest over the input reads.
struct ClassGradient {
  ClassLoss loss;
  Type wide;
  double smoothing = 0;
  SmallVector<Value> inputs;
  SmallVector<IteratorList> dims;
  /// Where in `inputs` they are; -1 for none.
  int count = -1, input = -1, picked = -1, total = -1, weight = -1;
  /// The number of classes.
  Value classes;

  ClassGradient(Operation *op, OpBuilder &builder, ValueRange operands);

  int read(Value value, const IteratorList &list) {
    inputs.push_back(value);
    dims.push_back(list);
    return inputs.size() - 1;
  }
  Value totalWeight();
  Value crossEntropy(Scalars &s, ValueRange args, Value isTarget);
  Value element(Scalars &s, ValueRange args);
};
} // namespace

ClassGradient::ClassGradient(Operation *op, OpBuilder &builder,
                             ValueRange operands)
    : loss(op, builder, operands.drop_front()), wide(loss.wide) {
  const IteratorList &all = loss.nn.all, &kept = loss.nn.kept;
  bool whole = getReduction(op) == "none";
  read(operands[0], whole ? kept : IteratorList());
  read(loss.target, kept);
  Value picked;
  bool isEntropy = isa<CrossEntropyBackwardOp>(op);
  bool isMean = getReduction(op) == "mean";
  if (loss.weight && (isEntropy || isMean))
    picked = loss.pickWeight();
  if (isMean)
    count = read(loss.denominator(picked), {});
  if (loss.weight)
    weight = read(loss.weight, {static_cast<int64_t>(loss.classDim)});
  if (!isEntropy)
    return;
  MaxAndSum softmax = loss.maxAndSum();
  input = read(loss.input, all);
  read(softmax.maximum, kept);
  read(softmax.sum, kept);
  if (picked)
    this->picked = read(picked, kept);
  smoothing = getNumber(op, "smoothing");
  if (smoothing)
    classes = loss.nn.count();
  if (smoothing && loss.weight)
    total = read(totalWeight(), {});
}

/// The sum of the weights of all classes.
Value ClassGradient::totalWeight() {
  return buildGeneric(loss.builder, loss.loc, "sum", loss.weight, {{0}}, {}, 1,
                      ReduceKind::Sum,
                      openType(loss.weight.getType(), wide, {}),
                      [&](OpBuilder &b, Location loc, ValueRange args) {
                        return Scalars{b, loc}.cast(args[0], wide);
                      });
}

Value ClassGradient::crossEntropy(Scalars &s, ValueRange args, Value isTarget) {
  Value x = s.cast(args[input], wide);
  // Of the logarithm of the sum a large maximum would leave nothing.
  Value share =
      math::ExpOp::create(s.builder, s.loc, s.sub(x, args[input + 1]));
  Value p = s.div(share, args[input + 2]);
  Value one = s.constant(wide, 1), zero = s.constant(wide, 0);
  Value result = s.sub(p, s.select(isTarget, one, zero));
  if (picked >= 0)
    result = s.mul(result, s.cast(args[picked], wide));
  if (!smoothing)
    return result;
  Value sum = total >= 0 ? args[total] : classes;
  Value own = weight >= 0 ? s.cast(args[weight], wide) : one;
  Value spread = s.sub(s.mul(sum, p), own);
  Value each = s.div(s.constant(wide, smoothing), classes);
  return s.add(s.mul(s.constant(wide, 1 - smoothing), result),
               s.mul(each, spread));
}

Value ClassGradient::element(Scalars &s, ValueRange args) {
  OpBuilder &b = s.builder;
  Value grad = s.cast(args[0], wide);
  if (count >= 0)
    grad = s.div(grad, s.cast(args[count], wide));
  Value position = dtensor::IndexOp::create(b, s.loc, b.getIndexType(),
                                            b.getI64IntegerAttr(loss.classDim));
  Type i64 = b.getI64Type();
  Value isTarget = s.compare("eq", s.cast(position, i64), s.cast(args[1], i64));
  Value isCounted = loss.isCounted(b, s.loc, args[1]);
  Value zero = s.constant(wide, 0);
  if (input >= 0)
    return s.select(isCounted, s.mul(grad, crossEntropy(s, args, isTarget)),
                    zero);
  Value slope =
      weight >= 0 ? s.neg(s.cast(args[weight], wide)) : s.constant(wide, -1);
  Value here = arith::AndIOp::create(b, s.loc, isTarget, isCounted);
  return s.select(here, s.mul(grad, slope), zero);
}

static LogicalResult
decomposeClassLossBackward(Operation *op, OpBuilder &builder,
                           ValueRange operands, TypeRange resultTypes,
                           SmallVectorImpl<Value> &results) {
  ClassGradient gradient(op, builder, operands);
  Type type = resultTypes[0];
  results.push_back(gradient.loss.nn.map(
      op->getName().stripDialect(), gradient.inputs, gradient.dims, type,
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        return s.cast(gradient.element(s, args), getElementTypeOrSelf(type));
      }));
  return success();
}

static LogicalResult verifyClassLossBackward(Operation *op) {
  if (failed(checkFloat(op, op->getOperand(0), "gradient")))
    return failure();
  return verifyClasses(op, op->getOperands().drop_front());
}

void DTensorDialect::registerLossBackwardOps() {
  addOperations<
#define GET_OP_LIST
#include "dtensor/Dialect/DTensor/IR/LossBackwardOps.cpp.inc"
      >();
}

#define GET_OP_CLASSES
#include "dtensor/Dialect/DTensor/IR/LossBackwardOps.cpp.inc"
