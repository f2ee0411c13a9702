//===- ChannelNorms.cpp - norms of batches and of groups of channels ------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ChannelMethods.h"
#include "CoreBuilders.h"
#include "Factorization.h"
#include "NormBuilder.h"
#include "dtensor/Dialect/DTensor/IR/NNOps.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace dtensor;

static bool isGroups(Operation *op) {
  return isa<GroupNormOp, NativeGroupNormOp>(op);
}

static bool hasMomentum(Operation *op) { return op->hasAttr("momentum"); }

/// How many operands behind the input are statistics.
static unsigned numStatistics(Operation *op) {
  return isa<BatchNormOp>(op) || hasMomentum(op) ? 2 : 0;
}

//===----------------------------------------------------------------------===//
// Extents
//===----------------------------------------------------------------------===//

Expr dtensor::groupWidth(Expr channels, Expr groups) {
  Expr width = divideExactly(channels, groups);
  return width ? width : floordiv(channels, groups);
}

LogicalResult dtensor::checkGroups(Operation *op, ArrayRef<Expr> input,
                                   int64_t groups, const Facts &facts) {
  if (groups < 1)
    return op->emitOpError("groups is ") << groups << ", expected at least 1";
  Expr number = Expr::constant(getExprContext(op->getContext()), groups);
  if (facts.proveDifferent(groupWidth(input[1], number) * number, input[1]))
    return op->emitOpError("input has ")
           << input[1].str() << " channels, not a multiple of " << groups;
  return success();
}

LogicalResult dtensor::checkChannels(Operation *op, ArrayRef<Expr> input) {
  if (input.size() >= 2)
    return success();
  return op->emitOpError("input has rank ")
         << input.size() << ", expected at least 2";
}

LogicalResult dtensor::inferChannelNorm(Operation *op,
                                        ArrayRef<ExtentList> operands,
                                        const Facts &facts,
                                        SmallVectorImpl<ExtentList> &results) {
  ArrayRef<Expr> input = operands[0];
  if (failed(checkChannels(op, input)))
    return failure();
  ExtentList statistic = {input[1]};
  if (isGroups(op)) {
    int64_t groups = op->getAttrOfType<IntegerAttr>("groups").getInt();
    if (failed(checkGroups(op, input, groups, facts)))
      return failure();
    ExprContext &context = getExprContext(op->getContext());
    statistic = {input[0], Expr::constant(context, groups)};
  }
  for (auto [number, extents] : llvm::enumerate(operands))
    if (number > 0 &&
        failed(checkOperand(op, number, extents, input[1], facts)))
      return failure();
  results.push_back(operands[0]);
  results.append(op->getNumResults() - 1, statistic);
  return success();
}

//===----------------------------------------------------------------------===//
// Decomposition
//===----------------------------------------------------------------------===//

static void decomposeGroups(Operation *op, OpBuilder &builder,
                            ValueRange operands, TypeRange types,
                            SmallVectorImpl<Value> &results) {
  CoreBuilder core{builder, op->getLoc()};
  Expr groups = core.number(op->getAttrOfType<IntegerAttr>("groups").getInt());
  ExtentList split = getExtents(operands[0]);
  Expr width = groupWidth(split[1], groups);
  split[1] = width;
  split.insert(split.begin() + 1, groups);
  SmallVector<Value> parameters;
  for (Value parameter : operands.drop_front())
    parameters.push_back(core.reshape(parameter, {groups, width}));

  NormBuilder norm(op, builder, core.reshape(operands[0], split),
                   [](unsigned dim) { return dim >= 2; });
  norm.measure(true);
  Value result =
      norm.normalize(op->getName().stripDialect(), parameters, {1, 2},
                     openType(types[0], getElementTypeOrSelf(types[0]), split));
  results.push_back(core.reshapeTo(result, types[0]));
  norm.addStatistics(types.drop_front(), results);
}

/// (1 - momentum) * running + momentum * of the batch, where the variance is
/// without bias.
static void updateRunning(NormBuilder &norm, double momentum,
                          ValueRange running, TypeRange types,
                          SmallVectorImpl<Value> &results) {
  Value count = norm.nn.count();
  Type wide = norm.nn.accumulator;
  for (unsigned i : {0, 1})
    results.push_back(norm.nn.finish(
        i ? "running_variance" : "running_mean",
        {running[i], i ? norm.variance : norm.mean}, types[i],
        [&](OpBuilder &b, Location loc, ValueRange args) {
          Scalars s{b, loc};
          Value batch = args[1];
          if (i)
            batch =
                s.mul(batch, s.div(count, s.sub(count, s.constant(wide, 1))));
          return s.add(s.mul(args[0], s.constant(wide, 1 - momentum)),
                       s.mul(batch, s.constant(wide, momentum)));
        }));
}

static void decomposeBatch(Operation *op, OpBuilder &builder,
                           ValueRange operands, TypeRange types,
                           SmallVectorImpl<Value> &results) {
  NormBuilder norm(op, builder, operands[0],
                   [](unsigned dim) { return dim != 1; });
  ValueRange given = operands.slice(1, numStatistics(op));
  if (isa<BatchNormOp>(op)) {
    norm.mean = given[0];
    norm.variance = given[1];
  } else {
    norm.measure(true);
  }
  results.push_back(norm.normalize(op->getName().stripDialect(),
                                   operands.drop_front(1 + given.size()), {1},
                                   types[0]));
  if (isa<BatchNormOp>(op))
    return;
  norm.addStatistics(types.slice(1, 2), results);
  if (auto momentum = op->getAttrOfType<FloatAttr>("momentum"))
    updateRunning(norm, momentum.getValueAsDouble(), given, types.take_back(2),
                  results);
}

LogicalResult dtensor::decomposeChannelNorm(Operation *op, OpBuilder &builder,
                                            ValueRange operands,
                                            TypeRange resultTypes,
                                            SmallVectorImpl<Value> &results) {
  if (isGroups(op))
    decomposeGroups(op, builder, operands, resultTypes, results);
  else
    decomposeBatch(op, builder, operands, resultTypes, results);
  return success();
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

LogicalResult dtensor::verifyChannelNorm(Operation *op) {
  unsigned statistics = numStatistics(op), operands = op->getNumOperands();
  if (operands < 1 + statistics || operands > 3 + statistics)
    return op->emitOpError("has ")
           << operands << " operands, expected " << 1 + statistics << " to "
           << 3 + statistics;
  unsigned results = hasMomentum(op) ? 5 : 3;
  if (isa<NativeBatchNormOp>(op) && op->getNumResults() != results)
    return op->emitOpError("has ")
           << op->getNumResults() << " results, expected " << results;
  SmallVector<Value> same(op->getOperands());
  same.erase(same.begin() + 1, same.begin() + 1 + statistics);
  if (failed(checkOneFloat(op, same)) ||
      failed(checkStatistics(op, op->getOperands().slice(1, statistics))) ||
      failed(checkStatistics(op, op->getResults().drop_front())))
    return failure();
  return verifyComposite(op);
}
