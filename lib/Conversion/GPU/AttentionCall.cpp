//===- AttentionCall.cpp - The library call of an attention --------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The kernel takes any strides but that of the depth, which is 1: a permutation
// in front of it or behind it that leaves the depth last costs no copy.
//
//===----------------------------------------------------------------------===//

#include "AttentionCall.h"

#include "dtensor/Conversion/GPU/GPUDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace dtensor;

using DimList = SmallVector<int64_t>;

namespace {
/// An operand of the kernel: its dimension i is dimension `dims[i]` of
/// `tensor`.
struct Operand {
  Value tensor;
  DimList dims;
};
} // namespace

// The dimension of the input that each one of the result is, where `op` does
// nothing else than permute them and the last one stays the last.
static std::optional<DimList> matchPermutation(linalg::GenericOp op) {
  if (op.getNumDpsInputs() != 1 || op.getNumDpsInits() != 1 ||
      op.getNumParallelLoops() != op.getNumLoops() ||
      op.getBlock()->getTerminator()->getOperand(0) !=
          op.getBlock()->getArgument(0))
    return std::nullopt;
  AffineMap from = op.getMatchingIndexingMap(op.getDpsInputOperand(0));
  AffineMap to = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (!from.isPermutation() || !to.isPermutation())
    return std::nullopt;
  DimList dims;
  for (AffineExpr loop : to.getResults())
    dims.push_back(*from.getResultPosition(loop));
  if (dims.empty() || dims.back() != static_cast<int64_t>(dims.size()) - 1)
    return std::nullopt;
  return dims;
}

// The value in front of the permutations that made it.
static Operand skipPermutations(Value tensor) {
  int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
  Operand operand{tensor, llvm::to_vector(llvm::seq<int64_t>(rank))};
  while (auto op = operand.tensor.getDefiningOp<linalg::GenericOp>()) {
    std::optional<DimList> dims = matchPermutation(op);
    if (!dims)
      break;
    for (int64_t &dim : operand.dims)
      dim = (*dims)[dim];
    operand.tensor = op.getDpsInputs().front();
  }
  return operand;
}

// The permutation that is the only use of a result.
static linalg::GenericOp findPermutation(Value result) {
  if (!result.hasOneUse())
    return nullptr;
  auto user = dyn_cast<linalg::GenericOp>(*result.getUsers().begin());
  if (!user || user->getBlock() != result.getParentBlock() ||
      !user.isDpsInput(&*result.use_begin()) || !matchPermutation(user))
    return nullptr;
  return user;
}

static Value sizeOf(OpBuilder &builder, Location loc, Value tensor,
                    int64_t fromEnd) {
  auto type = cast<RankedTensorType>(tensor.getType());
  return getValueOrCreateConstantIndexOp(
      builder, loc,
      tensor::getMixedSize(builder, loc, tensor, type.getRank() - fromEnd));
}

static Value getScale(OpBuilder &builder, AttentionOp op) {
  Location loc = op.getLoc();
  Type f64 = builder.getF64Type();
  if (op.getScale())
    return arith::ConstantOp::create(
        builder, loc,
        builder.getF64FloatAttr(op.getScale()->convertToDouble()));
  Value depth = sizeOf(builder, loc, op.getQuery(), 1);
  depth = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), depth);
  depth = arith::SIToFPOp::create(builder, loc, f64, depth);
  Value one =
      arith::ConstantOp::create(builder, loc, builder.getF64FloatAttr(1.0));
  Value root = math::SqrtOp::create(builder, loc, depth);
  return arith::DivFOp::create(builder, loc, one, root);
}

// An empty tensor of the result's sizes in the order of its dimensions behind
// `permutation`, which may be null.
static Operand createDest(OpBuilder &builder, AttentionOp op,
                          linalg::GenericOp permutation) {
  Location loc = op.getLoc();
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(builder, loc, op.getQuery());
  int64_t rank = sizes.size();
  sizes.back() = tensor::getMixedSize(builder, loc, op.getValue(), rank - 1);
  DimList order = permutation ? *matchPermutation(permutation)
                              : llvm::to_vector(llvm::seq<int64_t>(rank));
  SmallVector<OpFoldResult> ordered;
  DimList dims(rank);
  for (auto [position, dim] : llvm::enumerate(order)) {
    ordered.push_back(sizes[dim]);
    dims[dim] = position;
  }
  Type element = getElementTypeOrSelf(op.getResult().getType());
  return {tensor::EmptyOp::create(builder, loc, ordered, element), dims};
}

void dtensor::callAttention(AttentionOp op, Value context,
                            RewriterBase &rewriter) {
  if (getElementTypeOrSelf(op.getResult().getType()).isF64())
    return;
  rewriter.setInsertionPoint(op);
  Location loc = op.getLoc();
  linalg::GenericOp permutation = findPermutation(op.getResult());
  Operation *last = permutation ? permutation.getOperation() : op;
  Operand dest = createDest(rewriter, op, permutation);
  Value diagonal = op.getDiagonal(), shift;
  if (op.hasDeviceDiagonal()) {
    shift = diagonal;
    diagonal = arith::ConstantIndexOp::create(rewriter, loc, 0);
  }
  if (!diagonal)
    diagonal = arith::SubIOp::create(rewriter, loc,
                                     sizeOf(rewriter, loc, op.getKey(), 2),
                                     sizeOf(rewriter, loc, op.getQuery(), 2));
  Operand query = skipPermutations(op.getQuery());
  Operand key = skipPermutations(op.getKey());
  Operand value = skipPermutations(op.getValue());
  Value result =
      device::AttentionOp::create(
          rewriter, loc, TypeRange{dest.tensor.getType()}, context,
          query.tensor, key.tensor, value.tensor, getScale(rewriter, op),
          diagonal, shift, dest.tensor, query.dims, key.dims, value.dims,
          dest.dims, op.getCausal())
          .getResult();
  auto type = cast<RankedTensorType>(last->getResult(0).getType());
  if (result.getType() != type)
    result = tensor::CastOp::create(rewriter, loc, type, result);
  rewriter.replaceOp(last, result);
  if (last != op)
    rewriter.eraseOp(op);
}
