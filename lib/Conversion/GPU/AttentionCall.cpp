//===- AttentionCall.cpp - The library calls of attention ----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The kernels take any strides but that of the depth, which is 1: a permutation
// in front of one or behind it that leaves the depth last costs no copy.
//
//===----------------------------------------------------------------------===//

#include "AttentionCall.h"

#include "dtensor/Conversion/GPU/GPUDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

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

/// Where the kernel writes a result, and the permutation of it that it does,
/// too; null for none.
struct Dest {
  Operand operand;
  linalg::GenericOp permutation;
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

static Value getScale(OpBuilder &builder, Location loc,
                      const std::optional<APFloat> &scale, Value query) {
  Type f64 = builder.getF64Type();
  if (scale)
    return arith::ConstantOp::create(
        builder, loc, builder.getF64FloatAttr(scale->convertToDouble()));
  Value depth = sizeOf(builder, loc, query, 1);
  depth = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), depth);
  depth = arith::SIToFPOp::create(builder, loc, f64, depth);
  Value one =
      arith::ConstantOp::create(builder, loc, builder.getF64FloatAttr(1.0));
  Value root = math::SqrtOp::create(builder, loc, depth);
  return arith::DivFOp::create(builder, loc, one, root);
}

// S - T if `diagonal` is null.
static Value getDiagonal(OpBuilder &builder, Location loc, Value diagonal,
                         Value query, Value key) {
  if (diagonal)
    return diagonal;
  Value keys = sizeOf(builder, loc, key, 2);
  Value queries = sizeOf(builder, loc, query, 2);
  return arith::SubIOp::create(builder, loc, keys, queries);
}

// An empty tensor of the result's sizes in the order of its dimensions behind
// the permutation.
static Dest createDest(OpBuilder &builder, Value result,
                       ArrayRef<OpFoldResult> sizes) {
  linalg::GenericOp permutation = findPermutation(result);
  int64_t rank = sizes.size();
  DimList order = permutation ? *matchPermutation(permutation)
                              : llvm::to_vector(llvm::seq<int64_t>(rank));
  SmallVector<OpFoldResult> ordered;
  DimList dims(rank);
  for (auto [position, dim] : llvm::enumerate(order)) {
    ordered.push_back(sizes[dim]);
    dims[dim] = position;
  }
  Value empty = tensor::EmptyOp::create(builder, result.getLoc(), ordered,
                                        getElementTypeOrSelf(result.getType()));
  return {{empty, dims}, permutation};
}

// `written` takes the place of `result`, or of what `dest` permutes it to.
static void replaceResult(RewriterBase &rewriter, Value result,
                          const Dest &dest, Value written) {
  linalg::GenericOp permutation = dest.permutation;
  Value last = permutation ? permutation.getResult(0) : result;
  if (written.getType() != last.getType())
    written = tensor::CastOp::create(rewriter, result.getLoc(), last.getType(),
                                     written);
  rewriter.replaceAllUsesWith(last, written);
  if (permutation)
    rewriter.eraseOp(permutation);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

static void callAttention(AttentionOp op, Value context,
                          RewriterBase &rewriter) {
  Location loc = op.getLoc();
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(rewriter, loc, op.getQuery());
  sizes.back() =
      tensor::getMixedSize(rewriter, loc, op.getValue(), sizes.size() - 1);
  Dest dest = createDest(rewriter, op.getResult(), sizes);
  Value diagonal = op.getDiagonal(), shift;
  if (op.hasDeviceDiagonal()) {
    shift = diagonal;
    diagonal = arith::ConstantIndexOp::create(rewriter, loc, 0);
  }
  diagonal = getDiagonal(rewriter, loc, diagonal, op.getQuery(), op.getKey());
  Operand query = skipPermutations(op.getQuery());
  Operand key = skipPermutations(op.getKey());
  Operand value = skipPermutations(op.getValue());
  auto call = device::AttentionOp::create(
      rewriter, loc, TypeRange{dest.operand.tensor.getType()}, context,
      query.tensor, key.tensor, value.tensor,
      getScale(rewriter, loc, op.getScale(), op.getQuery()), diagonal, shift,
      dest.operand.tensor, query.dims, key.dims, value.dims, dest.operand.dims,
      op.getCausal());
  replaceResult(rewriter, op.getResult(), dest, call.getResult());
}

//===----------------------------------------------------------------------===//
// Gradients
//===----------------------------------------------------------------------===//

namespace {
/// What both calls read.
struct GradInputs {
  Operand grad, query, key, value;
  Value scale, diagonal;

  template <class OpTy>
  GradInputs(OpTy op, OpBuilder &builder)
      : grad(skipPermutations(op.getGrad())),
        query(skipPermutations(op.getQuery())),
        key(skipPermutations(op.getKey())),
        value(skipPermutations(op.getValue())),
        scale(getScale(builder, op.getLoc(), op.getScale(), op.getQuery())),
        diagonal(getDiagonal(builder, op.getLoc(), op.getDiagonal(),
                             op.getQuery(), op.getKey())) {}
};
} // namespace

static void callAttention(AttentionQueryGradOp op, Value context,
                          RewriterBase &rewriter) {
  Location loc = op.getLoc();
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(rewriter, loc, op.getQuery());
  auto [query, permutation] = createDest(rewriter, op.getGradQuery(), sizes);
  sizes.pop_back();
  Value rows = tensor::EmptyOp::create(
      rewriter, loc, sizes, getElementTypeOrSelf(op.getLogsumexp().getType()));
  GradInputs in(op, rewriter);
  auto call = device::AttentionQueryGradOp::create(
      rewriter, loc, TypeRange{query.tensor.getType(), rows.getType()}, context,
      in.grad.tensor, in.query.tensor, in.key.tensor, in.value.tensor,
      op.getDelta(), in.scale, in.diagonal, query.tensor, rows, in.grad.dims,
      in.query.dims, in.key.dims, in.value.dims, query.dims, op.getCausal());
  replaceResult(rewriter, op.getGradQuery(), {query, permutation},
                call.getResult(0));
  replaceResult(rewriter, op.getLogsumexp(), {}, call.getResult(1));
}

static void callAttention(AttentionKeyValueGradOp op, Value context,
                          RewriterBase &rewriter) {
  Location loc = op.getLoc();
  Dest key = createDest(rewriter, op.getGradKey(),
                        tensor::getMixedSizes(rewriter, loc, op.getKey()));
  Dest value = createDest(rewriter, op.getGradValue(),
                          tensor::getMixedSizes(rewriter, loc, op.getValue()));
  Value keyTensor = key.operand.tensor, valueTensor = value.operand.tensor;
  GradInputs in(op, rewriter);
  auto call = device::AttentionKeyValueGradOp::create(
      rewriter, loc, TypeRange{keyTensor.getType(), valueTensor.getType()},
      context, in.grad.tensor, in.query.tensor, in.key.tensor, in.value.tensor,
      op.getLogsumexp(), op.getDelta(), in.scale, in.diagonal, keyTensor,
      valueTensor, in.grad.dims, in.query.dims, in.key.dims, in.value.dims,
      key.operand.dims, value.operand.dims, op.getCausal());
  replaceResult(rewriter, op.getGradKey(), key, call.getResult(0));
  replaceResult(rewriter, op.getGradValue(), value, call.getResult(1));
}

void dtensor::callAttentions(Operation *root, Value context,
                             RewriterBase &rewriter) {
  SmallVector<Operation *> ops;
  root->walk([&](Operation *op) {
    if (isa<AttentionOp, AttentionQueryGradOp, AttentionKeyValueGradOp>(op))
      ops.push_back(op);
  });
  auto lower = [&](auto op) {
    if (!getElementTypeOrSelf(op->getResult(0).getType()).isF64()) {
      callAttention(op, context, rewriter);
      return rewriter.eraseOp(op);
    }
    rewriter.replaceOp(op, lowerAttentionToLinalg(rewriter, op));
  };
  for (Operation *op : ops) {
    rewriter.setInsertionPoint(op);
    llvm::TypeSwitch<Operation *>(op)
        .Case<AttentionOp, AttentionQueryGradOp, AttentionKeyValueGradOp>(
            lower);
  }
}
