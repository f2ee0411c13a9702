//===- TopkOp.cpp - the largest elements along a dimension ----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An element of at most 32 bits and its position p < 2^32 - 1 are one number
//
//   P = key(x) * 2^32 + (2^32 - 1 - p)
//
// with key a monotone map to 32 bits that makes NaN the largest. All P differ,
// and of equal elements the first has the larger P, so that the next one is the
// maximum of all P below the last one: a reduction, wherever the elements are.
//
//===----------------------------------------------------------------------===//

#include "CoreBuilders.h"
#include "NNBuilder.h"
#include "OrderedMethods.h"
#include "dtensor/Dialect/DTensor/IR/CoreOps.h"
#include "dtensor/Dialect/DTensor/IR/IndexingOps.h"

using namespace mlir;
using namespace dtensor;

/// Above this many passes sorting is cheaper.
constexpr int64_t kMaxPasses = 16;
constexpr int64_t kPositions = int64_t(1) << 32;

LogicalResult dtensor::inferTopk(Operation *op, ArrayRef<ExtentList> operands,
                                 const Facts &facts,
                                 SmallVectorImpl<ExtentList> &results) {
  auto topk = cast<TopkOp>(op);
  int64_t dim = topk.getDim(), k = topk.getK();
  if (failed(checkDim(op, "dim", dim, operands[0].size())))
    return failure();
  if (k < 1)
    return op->emitOpError("k is ") << k << ", expected at least 1";
  ExtentList extents = operands[0];
  Expr count = Expr::constant(getExprContext(op->getContext()), k);
  if (facts.proveLT(extents[dim], count))
    return op->emitOpError("k is ") << k << ", but dimension " << dim
                                    << " has extent " << extents[dim].str();
  extents[dim] = count;
  results.append(2, extents);
  return success();
}

LogicalResult dtensor::verifyTopk(Operation *op) {
  Type type = scalarType(op->getOperand(0));
  if (!isa<FloatType, IntegerType, IndexType>(type))
    return op->emitOpError("is not defined on element type ") << type;
  if (scalarType(op->getResult(0)) != type)
    return op->emitOpError("operand has element type ")
           << type << " and result " << scalarType(op->getResult(0));
  Type index = scalarType(op->getResult(1));
  if (!index.isIntOrIndex() || isBool(index))
    return op->emitOpError("indices have element type ")
           << index << ", expected integers";
  return verifyComposite(op);
}

/// 64-bit signed, in [-2^31, 2^31).
static Value buildKey(Scalars s, Value x, bool smallest) {
  Type i64 = s.builder.getI64Type(), i32 = s.builder.getI32Type();
  Value key;
  if (isa<FloatType>(x.getType())) {
    Value wide = s.cast(x, s.builder.getF32Type());
    Value bits = arith::BitcastOp::create(s.builder, s.loc, i32, wide);
    // Negative floats grow with their bits: flip all but the sign.
    Value sign =
        arith::ShRSIOp::create(s.builder, s.loc, bits, s.constant(i32, 31));
    Value flip = arith::AndIOp::create(s.builder, s.loc, sign,
                                       s.constant(i32, 0x7fffffff));
    Value ordered = arith::XOrIOp::create(s.builder, s.loc, bits, flip);
    Value zero = s.constant(i32, 0);
    Value isZero = s.compare("eq", wide, s.constant(wide.getType(), 0));
    ordered = s.select(isZero, zero, ordered);
    key = s.select(s.compare("ne", wide, wide), s.constant(i32, 0x7fffffff),
                   ordered);
  } else {
    key = x;
  }
  key = s.cast(key, i64);
  return smallest ? s.sub(s.constant(i64, -1), key) : key;
}

static Value buildLowest(Scalars s) {
  return arith::ConstantOp::create(
      s.builder, s.loc,
      s.builder.getI64IntegerAttr(std::numeric_limits<int64_t>::min()));
}

/// The largest P below `last`, null in the first pass.
static Value buildPass(TopkOp op, NNBuilder &nn, Value last) {
  SmallVector<Value> inputs = {nn.input};
  SmallVector<IteratorList> dims = {nn.all};
  if (last) {
    inputs.push_back(last);
    dims.push_back(nn.kept);
  }
  Type i64 = nn.builder.getI64Type();
  return nn.reduce(
      "topk", inputs, dims, ReduceKind::Max,
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        Value position = IndexOp::create(b, loc, b.getIndexType(),
                                         b.getI64IntegerAttr(op.getDim()));
        Value rest =
            s.sub(s.constant(i64, kPositions - 1), s.cast(position, i64));
        Value key = buildKey(s, args[0], op.getSmallest());
        Value packed = s.add(s.mul(key, s.constant(i64, kPositions)), rest);
        if (!last)
          return packed;
        Value left = s.compare("lt", packed, args[1]);
        return s.select(left, packed, buildLowest(s));
      },
      i64);
}

/// The positions in `packed`; -1 where there was no element any more.
static Value buildPositions(OpBuilder &builder, Location loc, Value packed,
                            Type type) {
  unsigned rank = cast<RankedTensorType>(type).getRank();
  return buildGeneric(
      builder, loc, "topk", packed, {identityDims(rank)}, identityDims(rank),
      rank, ReduceKind::Sum, type,
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalars s{b, loc};
        Value mask = s.constant(b.getI64Type(), kPositions - 1);
        Value rest = arith::AndIOp::create(b, loc, args[0], mask);
        Value missing = s.compare("eq", args[0], buildLowest(s));
        Value position = s.select(missing, s.constant(b.getI64Type(), -1),
                                  s.sub(mask, rest));
        return s.cast(position, cast<RankedTensorType>(type).getElementType());
      });
}

static void decomposeByPasses(TopkOp op, CoreBuilder core, Value input,
                              TypeRange types,
                              SmallVectorImpl<Value> &results) {
  unsigned dim = op.getDim();
  NNBuilder nn(op, core.builder, input,
               [&](unsigned candidate) { return candidate == dim; });
  ExtentList single = getExtents(input);
  single[dim] = core.number(1);
  SmallVector<Value> parts;
  Value last;
  for (int64_t pass = 0; pass < int64_t(op.getK()); ++pass) {
    last = buildPass(op, nn, last);
    parts.push_back(core.reshape(last, single));
  }
  Value packed = parts.size() > 1 ? core.concat(parts, dim) : parts.front();
  Value indices = buildPositions(core.builder, core.loc, packed, types[1]);
  results.push_back(
      GatherOp::create(core.builder, core.loc, types[0], input, indices, dim));
  results.push_back(indices);
}

static void decomposeBySorting(TopkOp op, CoreBuilder core, Value input,
                               TypeRange types,
                               SmallVectorImpl<Value> &results) {
  ExtentList extents = getExtents(input);
  Type indexType =
      openType(input.getType(), scalarType(op.getIndices()), extents);
  auto sorted =
      SortOp::create(core.builder, core.loc,
                     openType(input.getType(), scalarType(input), extents),
                     indexType, input, op.getDim(), !op.getSmallest());
  for (auto [value, type] : llvm::zip_equal(sorted->getResults(), types))
    results.push_back(core.part(value, op.getDim(), core.number(0),
                                core.number(op.getK()), type));
}

LogicalResult dtensor::decomposeTopk(Operation *op, OpBuilder &builder,
                                     ValueRange operands, TypeRange resultTypes,
                                     SmallVectorImpl<Value> &results) {
  auto topk = cast<TopkOp>(op);
  CoreBuilder core{builder, op->getLoc()};
  core.check("the k of topk", core.number(topk.getK()),
             getExtents(operands[0])[topk.getDim()]);
  Type element = scalarType(operands[0]);
  bool isShort = !element.isIndex() && element.getIntOrFloatBitWidth() <= 32;
  if (isShort && int64_t(topk.getK()) <= kMaxPasses)
    decomposeByPasses(topk, core, operands[0], resultTypes, results);
  else
    decomposeBySorting(topk, core, operands[0], resultTypes, results);
  return success();
}
