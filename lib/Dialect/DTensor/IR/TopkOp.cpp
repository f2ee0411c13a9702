//===- TopkOp.cpp - the largest elements along a dimension ----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompositeUtils.h"
#include "OrderedMethods.h"
#include "dtensor/Dialect/DTensor/IR/RuleUtils.h"

using namespace mlir;
using namespace dtensor;

static FailureOr<ExtentList> inferTopk(TopkOp op, ArrayRef<Expr> operand,
                                       const Facts &facts) {
  int64_t dim = op.getDim(), k = op.getK();
  if (failed(checkDim(op, "dim", dim, operand.size())))
    return failure();
  if (k < 1)
    return op->emitOpError("k is ") << k << ", expected at least 1";
  ExtentList extents(operand);
  Expr count = Expr::constant(getExprContext(op->getContext()), k);
  if (facts.proveLT(extents[dim], count))
    return op->emitOpError("k is ") << k << ", but dimension " << dim
                                    << " has extent " << extents[dim].str();
  extents[dim] = count;
  return extents;
}

LogicalResult TopkOp::verify() {
  Type type = scalarType(getInput());
  if (!isa<FloatType, IntegerType, IndexType>(type))
    return emitOpError("is not defined on element type ") << type;
  if (scalarType(getValues()) != type)
    return emitOpError("operand has element type ")
           << type << " and result " << scalarType(getValues());
  Type index = scalarType(getIndices());
  if (!index.isIntOrIndex() || isBool(index))
    return emitOpError("indices have element type ")
           << index << ", expected integers";
  auto extents = inferTopk(*this, knownExtents(getInput(), 0), Facts());
  if (failed(extents) || failed(verifyOneMesh(*this)) ||
      failed(verifyResultExtents(*this, *extents, 0)))
    return failure();
  return verifyResultExtents(*this, *extents, 1);
}

/// `dim` may be sharded: what comes out is whole, for `expand` gathers the
/// candidates.
FailureOr<ShardingRule> TopkOp::getShardingRule() {
  RuleBuilder builder;
  TensorMap operand, result;
  for (auto [i, extent] : llvm::enumerate(getExtents(getInput()))) {
    operand.push_back(builder.parallel(extent));
    result.push_back(operand.back());
    if (i == getDim())
      result.back().clear();
  }
  builder.rule.operands = {operand};
  builder.rule.results = {result, result};
  return std::move(builder.rule);
}

LogicalResult TopkOp::normalize(NormalizeContext &context) {
  auto extents =
      inferTopk(*this, context.getExtents(getInput()), context.getFacts());
  if (failed(extents))
    return failure();
  auto values = context.getResultType(*this, getValues(), *extents);
  auto indices = context.getResultType(*this, getIndices(), *extents);
  if (failed(values) || failed(indices))
    return failure();
  auto topk = TopkOp::create(context.getBuilder(), getLoc(), *values, *indices,
                             context.lookup(getInput()), getDim(), getK(),
                             getSmallest());
  context.map(getValues(), topk.getValues());
  context.map(getIndices(), topk.getIndices());
  return success();
}
