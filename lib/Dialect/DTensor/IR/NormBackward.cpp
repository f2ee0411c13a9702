//===- NormBackward.cpp - gradients of norms ------------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With z = (x - mean) rstd, h = g w and n the number of elements in a row,
//
//   dx = rstd (h - sum(h) / n - z sum(h z) / n)     dw = sum(g z)   db = sum(g)
//
// where rms_norm has no mean and no sum(h). Groups of channels are rows of
// [N, groups, K, rest...].
//
//===----------------------------------------------------------------------===//

#include "ChannelMethods.h"
#include "CoreBuilders.h"
#include "Factorization.h"
#include "NNBuilder.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace dtensor;

/// rms_norm has none.
static bool hasMean(Operation *op) { return !isa<RMSNormBackwardOp>(op); }

/// Gradient, input, mean if there is one, rstd.
static unsigned numLeading(Operation *op) { return hasMean(op) ? 4 : 3; }

//===----------------------------------------------------------------------===//
// Decomposition
//===----------------------------------------------------------------------===//

namespace {
/// One op being decomposed; `operands` as those of the op.
struct NormBackward {
  Operation *op;
  OpBuilder &builder;
  Location loc;
  NNBuilder nn;
  /// Loops of the statistics and of the weight.
  IteratorList statDims, weightDims;
  SmallVector<Value> inputs;
  SmallVector<IteratorList> dims;
  Type wide;
  bool hasMean, hasWeight;

  NormBackward(Operation *op, OpBuilder &builder, ValueRange operands,
               llvm::function_ref<bool(unsigned)> isReduced, IteratorList stats,
               IteratorList weights)
      : op(op), builder(builder), loc(op->getLoc()),
        nn(op, builder, operands[1], isReduced), statDims(std::move(stats)),
        weightDims(std::move(weights)), inputs(operands), wide(nn.accumulator),
        hasMean(::hasMean(op)), hasWeight(operands.size() > numLeading(op)) {
    dims = {nn.all, nn.all};
    dims.append(numLeading(op) - 2, statDims);
    if (hasWeight)
      dims.push_back(weightDims);
  }

  /// g, z, h and rstd of one element.
  struct Terms {
    Value g, z, h, rstd;
  };
  Terms terms(Scalars s, ValueRange args) {
    Terms t;
    t.g = t.h = s.cast(args[0], wide);
    t.z = s.cast(args[1], wide);
    t.rstd = args[hasMean ? 3 : 2];
    if (hasMean)
      t.z = s.sub(t.z, args[2]);
    t.z = s.mul(t.z, t.rstd);
    if (hasWeight)
      t.h = s.mul(t.g, s.cast(args[numLeading(op)], wide));
    return t;
  }

  using TermBody = llvm::function_ref<Value(Scalars &, Terms)>;
  Value rowSum(StringRef label, TermBody body);
  Value inputGradient(Type type);
  Value frozenGradient(Type type);
  Value weightGradient(StringRef label, Type type, TermBody body);
};
} // namespace

Value NormBackward::rowSum(StringRef label, TermBody body) {
  return nn.reduce(label, inputs, dims, ReduceKind::Sum,
                   [&](OpBuilder &b, Location loc, ValueRange args) {
                     Scalars s{b, loc};
                     return body(s, terms(s, args));
                   });
}

Value NormBackward::inputGradient(Type type) {
  SmallVector<Value> all = inputs;
  SmallVector<IteratorList> allDims = dims;
  all.push_back(
      rowSum("sum_hz", [](Scalars &s, Terms t) { return s.mul(t.h, t.z); }));
  if (hasMean)
    all.push_back(rowSum("sum_h", [](Scalars &, Terms t) { return t.h; }));
  allDims.append(hasMean ? 2 : 1, nn.kept);
  Value count = nn.count();
  unsigned sums = inputs.size();
  return nn.map(op->getName().stripDialect(), all, allDims, type,
                [&](OpBuilder &b, Location loc, ValueRange args) {
                  Scalars s{b, loc};
                  Terms t = terms(s, args);
                  Value shift = s.mul(t.z, s.div(args[sums], count));
                  if (hasMean)
                    shift = s.add(shift, s.div(args[sums + 1], count));
                  Value result = s.mul(t.rstd, s.sub(t.h, shift));
                  return s.cast(result, getElementTypeOrSelf(type));
                });
}

/// Where statistics do not depend on the input.
Value NormBackward::frozenGradient(Type type) {
  return nn.map(op->getName().stripDialect(), inputs, dims, type,
                [&](OpBuilder &b, Location loc, ValueRange args) {
                  Scalars s{b, loc};
                  Terms t = terms(s, args);
                  return s.cast(s.mul(t.h, t.rstd), getElementTypeOrSelf(type));
                });
}

/// The sum over all loops that the weight does not have.
Value NormBackward::weightGradient(StringRef label, Type type, TermBody body) {
  // Loops of a result come first.
  ExtentList extents, full = getExtents(nn.input);
  for (int64_t dim : weightDims)
    extents.push_back(full[dim]);
  Value sum =
      buildGeneric(builder, loc, label, inputs, dims, weightDims, nn.all.size(),
                   ReduceKind::Sum, openType(type, wide, extents),
                   [&](OpBuilder &b, Location loc, ValueRange args) {
                     Scalars s{b, loc};
                     return body(s, terms(s, args));
                   });
  unsigned rank = cast<RankedTensorType>(type).getRank();
  if (extents.size() != rank)
    sum = CoreBuilder{builder, loc}.reshape(sum, getExtents(type));
  return buildCast(builder, loc, sum, type);
}

static void buildWeightGradients(NormBackward &norm, TypeRange types,
                                 SmallVectorImpl<Value> &results) {
  using Terms = NormBackward::Terms;
  if (types.size() > 1)
    results.push_back(
        norm.weightGradient("grad_weight", types[1], [](Scalars &s, Terms t) {
          return s.mul(t.g, t.z);
        }));
  if (types.size() > 2)
    results.push_back(norm.weightGradient(
        "grad_bias", types[2], [](Scalars &, Terms t) { return t.g; }));
}

static LogicalResult checkCounts(Operation *op) {
  unsigned parameters = op->getNumOperands() - numLeading(op);
  if (parameters > 1)
    return op->emitOpError("has ")
           << parameters << " parameters, expected at most 1";
  unsigned results = op->getNumResults(), most = hasMean(op) ? 3 : 2;
  if (results < 1 || results > most)
    return op->emitOpError("has ")
           << results << " results, expected 1 to " << most;
  return success();
}

static LogicalResult verifyNormLike(Operation *op) {
  SmallVector<unsigned> statistics = {2};
  if (hasMean(op))
    statistics.push_back(3);
  if (failed(checkCounts(op)) || failed(verifyFloats(op, statistics)))
    return failure();
  return verifyComposite(op);
}

//===----------------------------------------------------------------------===//
// Layer and RMS
//===----------------------------------------------------------------------===//

LogicalResult dtensor::inferNormBackward(Operation *op,
                                         ArrayRef<ExtentList> operands,
                                         const Facts &facts,
                                         SmallVectorImpl<ExtentList> &results) {
  int64_t trailing = op->getAttrOfType<IntegerAttr>("trailing").getInt();
  int64_t rank = operands[1].size();
  if (trailing < 1 || trailing > rank)
    return op->emitOpError("trailing ")
           << trailing << " is out of range for rank " << rank;
  ArrayRef<Expr> input = operands[1], normalized = input.take_back(trailing);
  ExtentList statistic(input.drop_back(trailing));
  statistic.append(trailing,
                   Expr::constant(getExprContext(op->getContext()), 1));
  for (auto [i, extents] : llvm::enumerate(operands)) {
    ArrayRef<Expr> expected = i < 2                ? input
                              : i < numLeading(op) ? ArrayRef(statistic)
                                                   : normalized;
    if (failed(checkOperand(op, i, extents, expected, facts)))
      return failure();
  }
  results.push_back(operands[1]);
  results.append(op->getNumResults() - 1, ExtentList(normalized));
  return success();
}

LogicalResult dtensor::decomposeNormBackward(Operation *op, OpBuilder &builder,
                                             ValueRange operands,
                                             TypeRange resultTypes,
                                             SmallVectorImpl<Value> &results) {
  unsigned rank = cast<RankedTensorType>(operands[1].getType()).getRank();
  unsigned first = rank - op->getAttrOfType<IntegerAttr>("trailing").getInt();
  IteratorList stats = identityDims(first), weights;
  stats.resize(rank, kBroadcast);
  for (unsigned dim = first; dim < rank; ++dim)
    weights.push_back(dim);
  NormBackward norm(
      op, builder, operands, [&](unsigned dim) { return dim >= first; }, stats,
      weights);
  results.push_back(norm.inputGradient(resultTypes[0]));
  buildWeightGradients(norm, resultTypes, results);
  return success();
}

LogicalResult dtensor::verifyNormBackward(Operation *op) {
  return verifyNormLike(op);
}

//===----------------------------------------------------------------------===//
// Groups
//===----------------------------------------------------------------------===//

LogicalResult
dtensor::inferGroupNormBackward(Operation *op, ArrayRef<ExtentList> operands,
                                const Facts &facts,
                                SmallVectorImpl<ExtentList> &results) {
  int64_t groups = cast<GroupNormBackwardOp>(op).getGroups();
  ArrayRef<Expr> input = operands[1];
  if (failed(checkChannels(op, input)) ||
      failed(checkGroups(op, input, groups, facts)))
    return failure();
  Expr number = Expr::constant(getExprContext(op->getContext()), groups);
  ExtentList statistic = {input[0], number}, channels = {input[1]};
  for (auto [i, extents] : llvm::enumerate(operands)) {
    ArrayRef<Expr> expected = i < 2   ? input
                              : i < 4 ? ArrayRef(statistic)
                                      : ArrayRef(channels);
    if (failed(checkOperand(op, i, extents, expected, facts)))
      return failure();
  }
  results.push_back(operands[1]);
  results.append(op->getNumResults() - 1, channels);
  return success();
}

LogicalResult
dtensor::decomposeGroupNormBackward(Operation *op, OpBuilder &builder,
                                    ValueRange operands, TypeRange resultTypes,
                                    SmallVectorImpl<Value> &results) {
  CoreBuilder core{builder, op->getLoc()};
  Expr groups = core.number(cast<GroupNormBackwardOp>(op).getGroups());
  ExtentList split = getExtents(operands[1]);
  Expr width = groupWidth(split[1], groups);
  split[1] = width;
  split.insert(split.begin() + 1, groups);

  SmallVector<Value> values(operands);
  for (unsigned i : {0, 1})
    values[i] = core.reshape(operands[i], split);
  if (values.size() > 4)
    values[4] = core.reshape(operands[4], {groups, width});
  NormBackward norm(op, builder, values, [](unsigned dim) { return dim >= 2; },
                    {0, 1}, {1, 2});
  Value gradient = norm.inputGradient(
      openType(resultTypes[0], getElementTypeOrSelf(resultTypes[0]), split));
  results.push_back(core.reshapeTo(gradient, resultTypes[0]));
  buildWeightGradients(norm, resultTypes, results);
  return success();
}

LogicalResult dtensor::verifyGroupNormBackward(Operation *op) {
  return verifyNormLike(op);
}

//===----------------------------------------------------------------------===//
// Batches
//===----------------------------------------------------------------------===//

LogicalResult
dtensor::inferBatchNormBackward(Operation *op, ArrayRef<ExtentList> operands,
                                const Facts &facts,
                                SmallVectorImpl<ExtentList> &results) {
  ArrayRef<Expr> input = operands[1];
  if (failed(checkChannels(op, input)))
    return failure();
  for (auto [i, extents] : llvm::enumerate(operands))
    if (failed(checkOperand(op, i, extents, i < 2 ? input : input.slice(1, 1),
                            facts)))
      return failure();
  results.push_back(operands[1]);
  results.append(op->getNumResults() - 1, ExtentList{input[1]});
  return success();
}

LogicalResult
dtensor::decomposeBatchNormBackward(Operation *op, OpBuilder &builder,
                                    ValueRange operands, TypeRange resultTypes,
                                    SmallVectorImpl<Value> &results) {
  NormBackward norm(op, builder, operands,
                    [](unsigned dim) { return dim != 1; }, {1}, {1});
  results.push_back(op->hasAttr("frozen") ? norm.frozenGradient(resultTypes[0])
                                          : norm.inputGradient(resultTypes[0]));
  buildWeightGradients(norm, resultTypes, results);
  return success();
}

LogicalResult dtensor::verifyBatchNormBackward(Operation *op) {
  return verifyNormLike(op);
}
