//===- Pack.cpp - the reductions of a bucket in one buffer ----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/DTensor.h"
#include "dtensor/Dialect/DTensor/IR/LocalOps.h"
#include "dtensor/Dialect/DTensor/Transforms/Passes.h"
#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#define DEBUG_TYPE "dtensor-pack"

namespace dtensor {
#define GEN_PASS_DEF_PACK
#include "dtensor/Dialect/DTensor/Transforms/Passes.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;

namespace {

/// One member's part of the buffer.
struct Part {
  AllReduceOp op;
  OpFoldResult offset, count;
};

/// Packs before the last of some all-reduces and unpacks behind it.
class Packer {
public:
  explicit Packer(ArrayRef<AllReduceOp> members)
      : builder(AllReduceOp(members.back())),
        loc(AllReduceOp(members.back()).getLoc()) {
    for (AllReduceOp op : members)
      parts.push_back({op, {}, {}});
  }

  void run();

private:
  OpFoldResult add(OpFoldResult lhs, OpFoldResult rhs);
  OpFoldResult countOf(Value value);
  void measure();
  Value flatten(Value value);
  Value unflatten(Value flat, Value like);

  OpBuilder builder;
  Location loc;
  SmallVector<Part> parts;
  OpFoldResult total;
};

} // namespace

OpFoldResult Packer::add(OpFoldResult lhs, OpFoldResult rhs) {
  auto x = getConstantIntValue(lhs), y = getConstantIntValue(rhs);
  if (x && y)
    return builder.getIndexAttr(*x + *y);
  if (x == 0)
    return rhs;
  return arith::AddIOp::create(
             builder, loc, getValueOrCreateConstantIndexOp(builder, loc, lhs),
             getValueOrCreateConstantIndexOp(builder, loc, rhs))
      .getResult();
}

OpFoldResult Packer::countOf(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.hasStaticShape())
    return builder.getIndexAttr(type.getNumElements());
  Value count;
  for (OpFoldResult size : tensor::getMixedSizes(builder, loc, value)) {
    Value factor = getValueOrCreateConstantIndexOp(builder, loc, size);
    count = count ? arith::MulIOp::create(builder, loc, count, factor) : factor;
  }
  return count;
}

void Packer::measure() {
  total = builder.getIndexAttr(0);
  for (Part &part : parts) {
    part.offset = total;
    part.count = countOf(part.op.getInput());
    total = add(total, part.count);
  }
}

Value Packer::flatten(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getRank() == 1)
    return value;
  if (type.getRank() == 0)
    return tensor::ExpandShapeOp::create(
        builder, loc, RankedTensorType::get({1}, type.getElementType()), value,
        ArrayRef<ReassociationIndices>());
  ReassociationIndices all =
      llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
  return tensor::CollapseShapeOp::create(builder, loc, value, all);
}

Value Packer::unflatten(Value flat, Value like) {
  auto type = cast<RankedTensorType>(like.getType());
  if (type.getRank() == 1)
    return flat;
  if (type.getRank() == 0)
    return tensor::CollapseShapeOp::create(builder, loc, type, flat,
                                           ArrayRef<ReassociationIndices>());
  if (type.hasStaticShape()) {
    ReassociationIndices all =
        llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
    return tensor::ExpandShapeOp::create(builder, loc, type, flat, all);
  }
  SmallVector<Value> sizes = getValueOrCreateConstantIndexOp(
      builder, loc, tensor::getMixedSizes(builder, loc, like));
  Value shape = tensor::FromElementsOp::create(
      builder, loc, RankedTensorType::get(sizes.size(), builder.getIndexType()),
      sizes);
  return tensor::ReshapeOp::create(builder, loc, type, flat, shape);
}

void Packer::run() {
  measure();
  AllReduceOp last = parts.back().op;
  OpFoldResult one = builder.getIndexAttr(1);
  Type element = last.getType().getElementType();
  Value buffer = tensor::EmptyOp::create(builder, loc, {total}, element);
  for (Part &part : parts)
    buffer = tensor::InsertSliceOp::create(
        builder, part.op.getLoc(), flatten(part.op.getInput()), buffer,
        ArrayRef{part.offset}, ArrayRef{part.count}, ArrayRef{one});
  Value reduced =
      AllReduceOp::create(builder, loc, buffer.getType(), last.getKindAttr(),
                          buffer, last.getMesh(), last.getAxesAttr());
  for (Part &part : parts) {
    Value flat = tensor::ExtractSliceOp::create(
        builder, part.op.getLoc(), reduced, ArrayRef{part.offset},
        ArrayRef{part.count}, ArrayRef{one});
    part.op.replaceAllUsesWith(unflatten(flat, part.op.getInput()));
  }
  for (Part &part : parts)
    part.op.erase();
}

namespace {
struct PackPass : public dtensor::impl::PackBase<PackPass> {
  void runOnOperation() override {
    llvm::MapVector<std::pair<Block *, int64_t>, SmallVector<AllReduceOp>>
        buckets;
    getOperation().walk([&](AllReduceOp op) {
      if (auto number =
              op->getAttrOfType<IntegerAttr>(DTensorDialect::kBucketAttr))
        buckets[{op->getBlock(), number.getInt()}].push_back(op);
    });
    for (auto &[key, members] : buckets) {
      if (members.size() < 2)
        continue;
      Packer(members).run();
      // Users that stood between the members come behind them.
      if (!sortTopologically(key.first))
        return signalPassFailure();
    }
  }
};
} // namespace
