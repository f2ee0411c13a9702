//===- LossOps.cpp - how far predictions are off --------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Cross-entropy over C classes, w the weight of the target t, e the smoothing:
//
//   l = m + log(sum_c exp(x_c - m))                      m = max_c x_c
//   loss = (1 - e) w_t (l - x_t) + e / C * sum_c w_c (l - x_c)
//
// Each sum and maximum over c is a reduction, and x_t is a lookup that every
// rank answers for its own classes: nothing of the size of C moves.
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/LossOps.h"

#include "ClassLoss.h"
#include "PointwiseBodies.h"
#include "dtensor/Dialect/DTensor/IR/IndexingOps.h"
#include "dtensor/Dialect/DTensor/IR/ViewOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dtensor;

StringRef dtensor::getReduction(Operation *op) {
  return op->getAttrOfType<StringAttr>("reduction").getValue();
}

double dtensor::getNumber(Operation *op, StringRef name) {
  return op->getAttrOfType<FloatAttr>(name).getValueAsDouble();
}

LogicalResult dtensor::checkReduction(Operation *op) {
  StringRef reduction = getReduction(op);
  if (reduction == "none" || reduction == "mean" || reduction == "sum")
    return success();
  return op->emitOpError("reduction is \"")
         << reduction << "\", expected one of none, mean, sum";
}

LogicalResult dtensor::checkFloat(Operation *op, Value value, StringRef what) {
  Type type = scalarType(op->getResult(0));
  if (!isa<FloatType>(type))
    return op->emitOpError("is not defined on element type ") << type;
  if (scalarType(value) == type)
    return success();
  return op->emitOpError(what)
         << " has element type " << scalarType(value) << " and result " << type;
}

/// The sum of all elements, in their own type.
static Value buildTotal(OpBuilder &builder, Location loc, Value input) {
  unsigned rank = cast<RankedTensorType>(input.getType()).getRank();
  return buildGeneric(
      builder, loc, "sum", input, {identityDims(rank)}, {}, rank,
      ReduceKind::Sum, openType(input.getType(), scalarType(input), {}),
      [](OpBuilder &, Location, ValueRange args) { return args[0]; });
}

//===----------------------------------------------------------------------===//
// Losses of single elements
//===----------------------------------------------------------------------===//

static LogicalResult inferElementLoss(Operation *op,
                                      ArrayRef<ExtentList> operands,
                                      const Facts &facts,
                                      SmallVectorImpl<ExtentList> &results) {
  if (failed(inferPointwise(op, operands, facts, results)))
    return failure();
  if (getReduction(op) != "none")
    results.back().clear();
  return success();
}

namespace {
/// The loss of one element: x the prediction, t the target, w the weight, null
/// for 1.
struct ElementLoss {
  Scalars s;
  Operation *op;
  Value x, t, w;

  Value number(double value) { return s.constant(x.getType(), value); }
  Value one() { return number(1); }
  Value log(Value value) {
    return math::LogOp::create(s.builder, s.loc, value);
  }
  Value log1pExp(Value value) {
    Value exp = math::ExpOp::create(s.builder, s.loc, value);
    return math::Log1pOp::create(s.builder, s.loc, exp);
  }
  Value abs(Value value) {
    return math::AbsFOp::create(s.builder, s.loc, value);
  }
  Value distance() { return abs(s.sub(x, t)); }
  Value weighted(Value loss) { return w ? s.mul(loss, w) : loss; }

  Value mse() {
    Value difference = s.sub(x, t);
    return weighted(s.mul(difference, difference));
  }
  Value smoothL1() {
    double beta = getNumber(op, "beta");
    Value d = distance();
    Value line = s.sub(d, number(beta / 2));
    Value square = s.mul(s.mul(d, d), number(0.5 / beta));
    if (beta == 0)
      return weighted(d);
    Value near = s.compare("lt", d, number(beta));
    return weighted(s.select(near, square, line));
  }
  Value huber() {
    double delta = getNumber(op, "delta");
    Value d = distance();
    Value line = s.mul(number(delta), s.sub(d, number(delta / 2)));
    Value square = s.mul(s.mul(d, d), number(0.5));
    Value near = s.compare("le", d, number(delta));
    return weighted(s.select(near, square, line));
  }
  Value bce() {
    Value bound = number(-100);
    Value rest = math::Log1pOp::create(s.builder, s.loc, s.neg(x));
    Value yes = s.mul(t, s.maximum(log(x), bound));
    Value no = s.mul(s.sub(one(), t), s.maximum(rest, bound));
    return weighted(s.neg(s.add(yes, no)));
  }
  /// log(1 + exp(-x)) = log(1 + exp(-|x|)) + max(-x, 0).
  Value bceWithLogits() {
    Value softplus =
        s.add(log1pExp(s.neg(abs(x))), s.maximum(s.neg(x), number(0)));
    if (w)
      softplus = s.mul(s.add(one(), s.mul(s.sub(w, one()), t)), softplus);
    return s.add(s.mul(s.sub(one(), t), x), softplus);
  }
  Value klDiv() {
    if (op->hasAttr("log_target")) {
      Value exp = math::ExpOp::create(s.builder, s.loc, t);
      return weighted(s.mul(exp, s.sub(t, x)));
    }
    Value loss = s.mul(t, s.sub(log(t), x));
    Value none = s.compare("eq", t, number(0));
    return weighted(s.select(none, number(0), loss));
  }
};
} // namespace

static Value buildElementLoss(ElementLoss loss) {
  return llvm::TypeSwitch<Operation *, Value>(loss.op)
      .Case<MseLossOp>([&](auto) { return loss.mse(); })
      .Case<L1LossOp>([&](auto) { return loss.weighted(loss.distance()); })
      .Case<SmoothL1LossOp>([&](auto) { return loss.smoothL1(); })
      .Case<HuberLossOp>([&](auto) { return loss.huber(); })
      .Case<BceLossOp>([&](auto) { return loss.bce(); })
      .Case<BceWithLogitsLossOp>([&](auto) { return loss.bceWithLogits(); })
      .Case<KlDivLossOp>([&](auto) { return loss.klDiv(); });
}

static LogicalResult decomposeElementLoss(Operation *op, OpBuilder &builder,
                                          ValueRange operands,
                                          TypeRange resultTypes,
                                          SmallVectorImpl<Value> &results) {
  Location loc = op->getLoc();
  SmallVector<ExtentList> lists, joined;
  for (Value operand : operands)
    lists.push_back(getExtents(operand));
  if (failed(inferPointwise(op, lists, Facts(), joined)))
    return failure();
  ExtentList extents = joined.front();
  SmallVector<IteratorList> dims;
  for (const ExtentList &list : lists)
    dims.push_back(alignDims(list, extents));

  bool keeps = getReduction(op) == "none";
  Type type = getElementTypeOrSelf(resultTypes[0]);
  Type wide = accumulatorType(type);
  auto body = [&](OpBuilder &b, Location loc, ValueRange args) {
    Scalars s{b, loc};
    SmallVector<Value> scalars;
    for (Value arg : args)
      scalars.push_back(s.cast(arg, wide));
    scalars.resize(3);
    Value loss = buildElementLoss({s, op, scalars[0], scalars[1], scalars[2]});
    return keeps ? s.cast(loss, type) : loss;
  };
  unsigned rank = extents.size();
  if (keeps) {
    results.push_back(buildGeneric(builder, loc, op->getName().stripDialect(),
                                   operands, dims, identityDims(rank), rank,
                                   ReduceKind::Sum, resultTypes[0], body));
    return success();
  }
  Value sum = buildGeneric(builder, loc, op->getName().stripDialect(), operands,
                           dims, {}, rank, ReduceKind::Sum,
                           openType(operands[0].getType(), wide, {}), body);
  Value count;
  if (getReduction(op) == "mean")
    count = Scalars{builder, loc}.cast(
        buildExtent(builder, loc,
                    product(getExprContext(op->getContext()), extents)),
        wide);
  results.push_back(buildGeneric(
      builder, loc, "mean", sum, {IteratorList()}, {}, 0, ReduceKind::Sum,
      resultTypes[0], [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        return s.cast(count ? s.div(args[0], count) : args[0], type);
      }));
  return success();
}

static LogicalResult verifyElementLoss(Operation *op) {
  if (failed(checkReduction(op)))
    return failure();
  for (auto [number, operand] : llvm::enumerate(op->getOperands()))
    if (failed(checkFloat(op, operand, "an operand")))
      return failure();
  return verifyComposite(op);
}

//===----------------------------------------------------------------------===//
// Losses of classes
//===----------------------------------------------------------------------===//

/// The dimension of the classes.
static unsigned getClassDim(unsigned rank) { return rank == 1 ? 0 : 1; }

LogicalResult dtensor::checkClasses(Operation *op,
                                    ArrayRef<ExtentList> operands,
                                    const Facts &facts) {
  ArrayRef<Expr> input = operands[0], target = operands[1];
  if (input.empty() || input.size() != target.size() + 1)
    return op->emitOpError("input has rank ")
           << input.size() << " and target " << target.size()
           << ", expected one more";
  unsigned classDim = getClassDim(input.size());
  for (auto [dim, extent] : llvm::enumerate(target))
    if (failed(checkExtent(op, "target dimension " + Twine(dim), extent,
                           input[dim < classDim ? dim : dim + 1], facts)))
      return failure();
  if (operands.size() < 3)
    return success();
  if (operands[2].size() != 1)
    return op->emitOpError("weight has rank ")
           << operands[2].size() << ", expected 1";
  return checkExtent(op, "weight dimension 0", operands[2][0], input[classDim],
                     facts);
}

static LogicalResult inferClassLoss(Operation *op,
                                    ArrayRef<ExtentList> operands,
                                    const Facts &facts,
                                    SmallVectorImpl<ExtentList> &results) {
  if (failed(checkClasses(op, operands, facts)))
    return failure();
  results.emplace_back();
  if (getReduction(op) == "none")
    results.back() = operands[1];
  return success();
}

unsigned ClassLoss::getDim(Value input) {
  return getClassDim(cast<RankedTensorType>(input.getType()).getRank());
}

/// input[n, target[n, ...], ...], of the target's shape; zero where the target
/// is no class.
Value ClassLoss::pick() {
  ExtentList extents = getExtents(target);
  extents.insert(extents.begin() + classDim,
                 Expr::constant(getExprContext(op->getContext()), 1));
  Value indices = ReshapeOp::create(
      builder, loc, openType(input.getType(), scalarType(target), extents),
      target);
  Value picked = GatherOp::create(
      builder, loc, openType(input.getType(), scalarType(input), extents),
      input, indices, classDim);
  return ReshapeOp::create(builder, loc, targetType(scalarType(input)), picked);
}

/// The weight of each target's class; null without weights.
Value ClassLoss::pickWeight() {
  if (!weight)
    return {};
  return EmbeddingOp::create(builder, loc, targetType(scalarType(weight)),
                             target, weight);
}

MaxAndSum ClassLoss::maxAndSum() {
  Value maximum = nn.reduce("amax", input, {nn.all}, ReduceKind::Max,
                            [&](OpBuilder &b, Location loc, ValueRange args) {
                              return Scalars{b, loc}.cast(args[0], wide);
                            });
  Value sum =
      nn.reduce("sum_exp", {input, maximum}, {nn.all, nn.kept}, ReduceKind::Sum,
                [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                  Scalars s{b, loc};
                  return math::ExpOp::create(
                      b, loc, s.sub(s.cast(args[0], wide), args[1]));
                });
  return {maximum, sum};
}

/// m and log(s), apart: beside a large maximum a logarithm is nothing. One op
/// gives both on every rank, so that a sum of them and of what is pending may
/// wait.
LogSumExp ClassLoss::logSumExp() {
  auto [maximum, sum] = maxAndSum();
  Type type = targetType(wide);
  SmallVector<IteratorList> dims(2, identityDims(rank()));
  SmallVector<Value> parts = buildPointwise(
      builder, loc, "logsumexp", {maximum, sum}, dims, {type, type},
      [](OpBuilder &b, Location loc, ValueRange args) {
        Value log = math::LogOp::create(b, loc, args[1]);
        return SmallVector<Value>{args[0], log};
      });
  return {parts[0], parts[1]};
}

/// sum_c w_c (l - x_c).
Value ClassLoss::smooth(LogSumExp lse) {
  SmallVector<Value> inputs = {input, lse.maximum, lse.log};
  SmallVector<IteratorList> dims = {nn.all, nn.kept, nn.kept};
  if (weight) {
    inputs.push_back(weight);
    dims.push_back({classDim});
  }
  return nn.reduce("smoothing", inputs, dims, ReduceKind::Sum,
                   [&](OpBuilder &b, Location loc, ValueRange args) {
                     Scalars s{b, loc};
                     Value term = s.sub(args[1], s.cast(args[0], wide));
                     term = s.add(term, args[2]);
                     return weight ? s.mul(s.cast(args[3], wide), term) : term;
                   });
}

Value ClassLoss::isCounted(OpBuilder &b, Location loc, Value targetScalar) {
  auto ignored = op->getAttrOfType<IntegerAttr>("ignore_index");
  Type type = targetScalar.getType();
  Scalars s{b, loc};
  Type i64 = b.getI64Type();
  Value constant = arith::ConstantIntOp::create(b, loc, ignored.getInt(), 64);
  Value number = type.isInteger(64) ? targetScalar : s.cast(targetScalar, i64);
  return s.compare("ne", number, constant);
}

/// The loss of every target, in the element type of `type`.
Value ClassLoss::element(std::optional<LogSumExp> lse, Value weights,
                         Type type) {
  double smoothing = lse ? getNumber(op, "smoothing") : 0;
  SmallVector<Value> inputs = {target, pick()};
  if (lse)
    inputs.append({lse->maximum, lse->log});
  if (weights)
    inputs.push_back(weights);
  Value classes;
  if (smoothing) {
    inputs.push_back(smooth(*lse));
    Scalars s{builder, loc};
    classes = s.div(s.constant(wide, smoothing), nn.count());
  }
  return map(op->getName().stripDialect(), inputs, type,
             [&](OpBuilder &b, Location loc, ValueRange args) {
               Scalars s{b, loc};
               Value loss = s.neg(s.cast(args[1], wide));
               if (lse)
                 loss = s.add(s.add(loss, args[2]), args[3]);
               if (weights)
                 loss = s.mul(loss, s.cast(args[lse ? 4 : 2], wide));
               if (smoothing)
                 loss = s.add(s.mul(s.constant(wide, 1 - smoothing), loss),
                              s.mul(classes, args.back()));
               loss = s.select(isCounted(b, loc, args[0]), loss,
                               s.constant(wide, 0));
               return s.cast(loss, getElementTypeOrSelf(type));
             });
}

/// The sum of the weights of the targets that count; a number of them is
/// exact where a sum of ones in f32 is not.
Value ClassLoss::denominator(Value weights) {
  Type type = weights ? wide : builder.getI64Type();
  SmallVector<Value> inputs = {target};
  if (weights)
    inputs.push_back(weights);
  SmallVector<IteratorList> dims(inputs.size(), identityDims(rank()));
  return buildGeneric(
      builder, loc, "count", inputs, dims, {}, rank(), ReduceKind::Sum,
      openType(input.getType(), type, {}),
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        Value one = weights ? s.cast(args[1], wide) : s.constant(type, 1);
        return s.select(isCounted(b, loc, args[0]), one, s.constant(type, 0));
      });
}

static LogicalResult decomposeClassLoss(Operation *op, OpBuilder &builder,
                                        ValueRange operands,
                                        TypeRange resultTypes,
                                        SmallVectorImpl<Value> &results) {
  ClassLoss loss(op, builder, operands);
  std::optional<LogSumExp> lse;
  if (isa<CrossEntropyOp>(op))
    lse = loss.logSumExp();
  Value weights = loss.pickWeight();
  StringRef reduction = getReduction(op);
  if (reduction == "none") {
    results.push_back(loss.element(lse, weights, resultTypes[0]));
    return success();
  }
  SmallVector<Value> inputs = {
      buildTotal(builder, op->getLoc(),
                 loss.element(lse, weights, loss.targetType(loss.wide)))};
  if (reduction == "mean")
    inputs.push_back(loss.denominator(weights));
  SmallVector<IteratorList> dims(inputs.size());
  results.push_back(buildGeneric(
      builder, op->getLoc(), reduction, inputs, dims, {}, 0, ReduceKind::Sum,
      resultTypes[0], [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        Value total = args[0];
        if (args.size() > 1)
          total = s.div(total, s.cast(args[1], loss.wide));
        return s.cast(total, getElementTypeOrSelf(resultTypes[0]));
      }));
  return success();
}

static LogicalResult checkTarget(Operation *op, Value target) {
  Type type = scalarType(target);
  if (type.isIntOrIndex() && !isBool(type))
    return success();
  return op->emitOpError("target has element type ")
         << type << ", expected integers";
}

LogicalResult dtensor::verifyClasses(Operation *op, ValueRange classes) {
  if (failed(checkReduction(op)) ||
      failed(checkFloat(op, classes[0], "input")) ||
      failed(checkTarget(op, classes[1])))
    return failure();
  if (classes.size() > 2 && failed(checkFloat(op, classes[2], "weight")))
    return failure();
  return verifyComposite(op);
}

static LogicalResult verifyClassLoss(Operation *op) {
  return verifyClasses(op, op->getOperands());
}

void DTensorDialect::registerLossOps() {
  addOperations<
#define GET_OP_LIST
#include "dtensor/Dialect/DTensor/IR/LossOps.cpp.inc"
      >();
}

#define GET_OP_CLASSES
#include "dtensor/Dialect/DTensor/IR/LossOps.cpp.inc"
