//===- OptimizerOps.cpp - steps of optimizers -----------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Operands are lists, one after another, of which each has one tensor per
// parameter; so are the results.
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/OptimizerOps.h"

#include "CompositeUtils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

#include <cmath>

using namespace mlir;
using namespace dtensor;

/// Numbers before the lists: `lr`, and `step` of Adam.
static unsigned numScalars(Operation *op) { return isa<SgdStepOp>(op) ? 1 : 2; }

static unsigned numParams(Operation *op) {
  if (auto sgd = dyn_cast<SgdStepOp>(op))
    return sgd.getParams().size();
  if (auto adam = dyn_cast<AdamStepOp>(op))
    return adam.getParams().size();
  return cast<AdamWStepOp>(op).getParams().size();
}

/// Lists of operands; the gradients are the only one without a result.
static unsigned numLists(Operation *op) {
  return (op->getNumOperands() - numScalars(op)) / numParams(op);
}

//===----------------------------------------------------------------------===//
// Extents and types
//===----------------------------------------------------------------------===//

static LogicalResult inferOptimizer(Operation *op,
                                    ArrayRef<ExtentList> operands,
                                    const Facts &facts,
                                    SmallVectorImpl<ExtentList> &results) {
  unsigned params = numParams(op);
  ArrayRef<ExtentList> tensors = operands.drop_front(numScalars(op));
  for (auto [i, extents] : llvm::enumerate(tensors)) {
    ArrayRef<Expr> expected = tensors[i % params];
    if (extents.size() != expected.size())
      return op->emitOpError("parameter ")
             << i % params << " has rank " << expected.size()
             << ", but a tensor of it has " << extents.size();
    for (auto [dim, extent] : llvm::enumerate(extents))
      if (failed(checkExtent(op,
                             "a tensor of parameter " + Twine(i % params) +
                                 ", dimension " + Twine(dim) + ",",
                             extent, expected[dim], facts)))
        return failure();
  }
  for (unsigned i = 0; i < op->getNumResults(); ++i)
    results.push_back(tensors[i % params]);
  return success();
}

/// The lengths of the lists that follow the scalars.
static SmallVector<size_t> listSizes(Operation *op) {
  if (auto sgd = dyn_cast<SgdStepOp>(op))
    return {sgd.getParams().size(), sgd.getGrads().size(),
            sgd.getMomenta().size()};
  auto sizes = [](auto adam) -> SmallVector<size_t> {
    return {adam.getParams().size(), adam.getGrads().size(),
            adam.getMeans().size(), adam.getSquares().size(),
            adam.getMaxima().size()};
  };
  if (auto adam = dyn_cast<AdamStepOp>(op))
    return sizes(adam);
  return sizes(cast<AdamWStepOp>(op));
}

static LogicalResult checkLists(Operation *op) {
  SmallVector<size_t> sizes = listSizes(op);
  size_t params = sizes.front();
  if (!params)
    return op->emitOpError("has no parameters");
  for (auto [i, size] : llvm::enumerate(sizes))
    if (size != params && (size || i + 1 < sizes.size()))
      return op->emitOpError("has ")
             << params << " parameters and a list of " << size << " tensors";
  unsigned results = (numLists(op) - 1) * params;
  if (op->getNumResults() != results)
    return op->emitOpError("has ")
           << op->getNumResults() << " results, expected " << results;
  return success();
}

static LogicalResult checkScalar(Operation *op, StringRef name, Value value,
                                 bool mayBeInteger) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  Type element = scalarType(value);
  bool fits = isa<FloatType>(element) ||
              (mayBeInteger && element.isSignlessInteger() && !isBool(element));
  if (fits && (!type || type.getRank() == 0))
    return success();
  return op->emitOpError(name)
         << " has type " << value.getType() << ", expected one number";
}

static LogicalResult verifyOptimizer(Operation *op) {
  if (failed(checkLists(op)) ||
      failed(checkScalar(op, "lr", op->getOperand(0), false)) ||
      (numScalars(op) > 1 &&
       failed(checkScalar(op, "step", op->getOperand(1), true))))
    return failure();
  unsigned params = numParams(op), scalars = numScalars(op);
  for (unsigned i = 0; i < params; ++i) {
    Type type = scalarType(op->getOperand(scalars + i));
    if (!isa<FloatType>(type))
      return op->emitOpError("is not defined on element type ") << type;
    if (scalarType(op->getResult(i)) != type)
      return op->emitOpError("parameter ")
             << i << " has element type " << type << " and its result "
             << scalarType(op->getResult(i));
  }
  for (unsigned i = params; i < op->getNumResults(); ++i) {
    Type state = scalarType(op->getOperand(scalars + params + i));
    if (!isa<FloatType>(state) || scalarType(op->getResult(i)) != state)
      return op->emitOpError("a state has element type ")
             << state << " and its result " << scalarType(op->getResult(i));
  }
  return verifyComposite(op);
}

//===----------------------------------------------------------------------===//
// One element
//===----------------------------------------------------------------------===//

namespace {
/// One element of one parameter being updated, all in the type `wide`.
struct Update {
  Scalars &s;
  Operation *op;
  Type wide;

  double attribute(StringRef name) {
    return op->getAttrOfType<FloatAttr>(name).getValueAsDouble();
  }
  Value scaled(double factor, Value value) {
    return factor == 1 ? value : s.mul(s.constant(wide, factor), value);
  }
  Value gradient(Value p, Value g, bool decays) {
    if (op->hasAttr("maximize"))
      g = s.neg(g);
    double decay = attribute("weight_decay");
    return decay && decays ? s.add(g, scaled(decay, p)) : g;
  }

  SmallVector<Value> sgd(ValueRange numbers, ValueRange tensors);
  SmallVector<Value> adam(ValueRange numbers, ValueRange tensors);
};
} // namespace

/// `tensors` are p, g and, if there is one, m.
SmallVector<Value> Update::sgd(ValueRange numbers, ValueRange tensors) {
  Value p = tensors[0], g = gradient(p, tensors[1], true), m;
  if (tensors.size() > 2) {
    double momentum = attribute("momentum");
    m = g;
    if (!op->hasAttr("first"))
      m = s.add(scaled(momentum, tensors[2]),
                scaled(1 - attribute("dampening"), g));
    g = op->hasAttr("nesterov") ? s.add(g, scaled(momentum, m)) : m;
  }
  SmallVector<Value> results = {s.sub(p, s.mul(numbers[0], g))};
  if (m)
    results.push_back(m);
  return results;
}

/// `numbers` are lr, lr / (1 - beta1^step) and sqrt(1 - beta2^step); `tensors`
/// are p, g, m, v and, if there is one, the maximum.
SmallVector<Value> Update::adam(ValueRange numbers, ValueRange tensors) {
  bool decouples = isa<AdamWStepOp>(op);
  Value p = tensors[0], m = tensors[2], v = tensors[3];
  Value g = gradient(p, tensors[1], !decouples);
  double decay = attribute("weight_decay");
  if (decay && decouples)
    p = s.mul(p, s.sub(s.constant(wide, 1), scaled(decay, numbers[0])));
  m = s.add(m, scaled(1 - attribute("beta1"), s.sub(g, m)));
  double beta2 = attribute("beta2");
  v = s.add(scaled(beta2, v), scaled(1 - beta2, s.mul(g, g)));
  Value largest = v;
  if (tensors.size() > 4)
    largest = s.maximum(tensors[4], v);
  Value root = math::SqrtOp::create(s.builder, s.loc, largest);
  Value divisor =
      s.add(s.div(root, numbers[2]), s.constant(wide, attribute("eps")));
  p = s.sub(p, s.mul(numbers[1], s.div(m, divisor)));
  SmallVector<Value> results = {p, m, v};
  if (tensors.size() > 4)
    results.push_back(largest);
  return results;
}

//===----------------------------------------------------------------------===//
// Decomposition
//===----------------------------------------------------------------------===//

/// 1 - beta^step = -expm1(step log(beta)), exact for a beta near 1.
static Value buildCorrection(Scalars &s, Value step, double beta) {
  Value log = s.constant(step.getType(), std::log(beta));
  Value power = math::ExpM1Op::create(s.builder, s.loc, s.mul(step, log));
  return s.neg(power);
}

/// What the loop nests read beside tensors, as tensors of rank 0 and of type
/// `wide`: computed once, and not per element.
static SmallVector<Value> buildNumbers(Operation *op, OpBuilder &builder,
                                       ValueRange operands, Type wide,
                                       Type like) {
  unsigned count = numScalars(op);
  SmallVector<Value> inputs;
  for (Value operand : operands.take_front(count))
    if (isa<RankedTensorType>(operand.getType()))
      inputs.push_back(operand);
  SmallVector<IteratorList> dims(inputs.size());
  SmallVector<Type> types(count == 1 ? 1 : 3, openType(like, wide, {}));
  auto body = [&](OpBuilder &b, Location loc, ValueRange args) {
    Scalars s{b, loc};
    SmallVector<Value> numbers;
    unsigned next = 0;
    for (Value operand : operands.take_front(count)) {
      bool isTensor = isa<RankedTensorType>(operand.getType());
      numbers.push_back(s.cast(isTensor ? args[next++] : operand, wide));
    }
    if (count == 1)
      return numbers;
    auto beta = [&](StringRef name) {
      return op->getAttrOfType<FloatAttr>(name).getValueAsDouble();
    };
    Value first = buildCorrection(s, numbers[1], beta("beta1"));
    Value second = buildCorrection(s, numbers[1], beta("beta2"));
    Value root = math::SqrtOp::create(b, loc, second);
    return SmallVector<Value>{numbers[0], s.div(numbers[0], first), root};
  };
  return buildPointwise(builder, op->getLoc(), "optimizer", inputs, dims, types,
                        body);
}

static LogicalResult decomposeOptimizer(Operation *op, OpBuilder &builder,
                                        ValueRange operands,
                                        TypeRange resultTypes,
                                        SmallVectorImpl<Value> &results) {
  unsigned params = numParams(op), lists = numLists(op);
  ValueRange tensors = operands.drop_front(numScalars(op));
  DenseMap<Type, SmallVector<Value>> numbersOf;
  results.resize(resultTypes.size());
  for (unsigned i = 0; i < params; ++i) {
    SmallVector<Value> inputs;
    SmallVector<Type> types;
    for (unsigned list = 0; list < lists; ++list)
      inputs.push_back(tensors[list * params + i]);
    for (unsigned list = 0; list + 1 < lists; ++list)
      types.push_back(resultTypes[list * params + i]);
    unsigned rank = cast<RankedTensorType>(types[0]).getRank();
    SmallVector<IteratorList> dims(lists, identityDims(rank));

    Type wide = accumulatorType(getElementTypeOrSelf(types[0]));
    SmallVector<Value> &numbers = numbersOf[wide];
    if (numbers.empty())
      numbers = buildNumbers(op, builder, operands, wide, types[0]);
    llvm::append_range(inputs, numbers);
    dims.append(numbers.size(), IteratorList());
    SmallVector<Value> updated = buildPointwise(
        builder, op->getLoc(), op->getName().stripDialect(), inputs, dims,
        types, [&](OpBuilder &b, Location loc, ValueRange args) {
          Scalars s{b, loc};
          SmallVector<Value> scalars;
          for (Value arg : args)
            scalars.push_back(s.cast(arg, wide));
          Update update{s, op, wide};
          ValueRange own = ValueRange(scalars).take_front(lists);
          ValueRange shared = ValueRange(scalars).drop_front(lists);
          SmallVector<Value> values = isa<SgdStepOp>(op)
                                          ? update.sgd(shared, own)
                                          : update.adam(shared, own);
          for (auto [value, type] : llvm::zip_equal(values, types))
            value = s.cast(value, getElementTypeOrSelf(type));
          return values;
        });
    for (auto [list, value] : llvm::enumerate(updated))
      results[list * params + i] = value;
  }
  return success();
}

void DTensorDialect::registerOptimizerOps() {
  addOperations<
#define GET_OP_LIST
#include "dtensor/Dialect/DTensor/IR/OptimizerOps.cpp.inc"
      >();
}

#define GET_OP_CLASSES
#include "dtensor/Dialect/DTensor/IR/OptimizerOps.cpp.inc"
