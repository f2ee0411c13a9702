//===- LocalOps.cpp - collectives and what surrounds them -----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Dialect/DTensor/IR/LocalOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using namespace dtensor;

void DTensorDialect::registerLocalOps() {
  addOperations<
#define GET_OP_LIST
#include "dtensor/Dialect/DTensor/IR/LocalOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

/// Sizes of `value`, with `size` in place of dimension `dim`.
static SmallVector<OpFoldResult> sizesWith(OpBuilder &builder, Location loc,
                                           Value value, int64_t dim,
                                           OpFoldResult size) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, value);
  sizes[dim] = size;
  return sizes;
}

/// What an op reifies must be static where its result type is.
static OpFoldResult asSize(RankedTensorType type, int64_t dim, Value size) {
  if (type.isDynamicDim(dim))
    return size;
  return IntegerAttr::get(IndexType::get(type.getContext()),
                          type.getDimSize(dim));
}

static SmallVector<OpFoldResult> staticSizesOr(RankedTensorType type,
                                               ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> result(sizes);
  for (auto [dim, size] : llvm::enumerate(type.getShape()))
    if (!ShapedType::isDynamic(size))
      result[dim] = IntegerAttr::get(IndexType::get(type.getContext()), size);
  return result;
}

LogicalResult
AllGatherOp::reifyResultShapes(OpBuilder &builder,
                               ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(
      staticSizesOr(getType(), sizesWith(builder, getLoc(), getInput(),
                                         getDim(), getExtent())));
  return success();
}

LogicalResult
AllReduceOp::reifyResultShapes(OpBuilder &builder,
                               ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(tensor::getMixedSizes(builder, getLoc(), getInput()));
  return success();
}

LogicalResult
ReduceScatterOp::reifyResultShapes(OpBuilder &builder,
                                   ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(
      staticSizesOr(getType(), sizesWith(builder, getLoc(), getInput(),
                                         getDim(), getSize())));
  return success();
}

LogicalResult
AllToAllOp::reifyResultShapes(OpBuilder &builder,
                              ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> sizes =
      sizesWith(builder, getLoc(), getInput(), getGatherDim(), getExtent());
  sizes[getSplitDim()] = getSize();
  shapes.push_back(staticSizesOr(getType(), sizes));
  return success();
}

LogicalResult
CollectivePermuteOp::reifyResultShapes(OpBuilder &builder,
                                       ReifiedRankedShapedTypeDims &shapes) {
  SmallVector<OpFoldResult> sizes;
  auto next = getSizes().begin();
  for (int64_t dim = 0; dim < getType().getRank(); ++dim)
    sizes.push_back(asSize(getType(), dim,
                           getType().isDynamicDim(dim) ? *next++ : Value()));
  shapes.push_back(sizes);
  return success();
}

LogicalResult
ShardSliceOp::reifyResultShapes(OpBuilder &builder,
                                ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(
      staticSizesOr(getType(), sizesWith(builder, getLoc(), getInput(),
                                         getDim(), getSize())));
  return success();
}

//===----------------------------------------------------------------------===//
// Verifiers
//===----------------------------------------------------------------------===//

static LogicalResult verifyDim(Operation *op, StringRef name, int64_t dim,
                               int64_t rank) {
  if (dim < 0 || dim >= rank)
    return op->emitOpError()
           << name << " " << dim << " is out of range for rank " << rank;
  return success();
}

static LogicalResult verifyAxes(Operation *op, MeshAttr mesh,
                                ArrayRef<int64_t> axes) {
  int64_t numAxes = mesh.getMesh().getNumAxes();
  if (axes.empty())
    return op->emitOpError("names no mesh axis");
  llvm::SmallBitVector seen(numAxes);
  for (int64_t axis : axes) {
    if (axis < 0 || axis >= numAxes)
      return op->emitOpError("axis ")
             << axis << " is out of range for a mesh of " << numAxes << " axes";
    if (seen.test(axis))
      return op->emitOpError("axis ") << axis << " appears twice";
    seen.set(axis);
  }
  return success();
}

/// Operand and result of the local view: no layouts, one element type, one
/// rank, and equal static sizes outside of the dimensions `changed`.
static LogicalResult verifyTensors(Operation *op, ArrayRef<int64_t> changed) {
  auto from = cast<RankedTensorType>(op->getOperand(0).getType());
  auto to = cast<RankedTensorType>(op->getResult(0).getType());
  for (RankedTensorType type : {from, to})
    if (type.getEncoding())
      return op->emitOpError("is a local op, but ")
             << type << " has an encoding";
  if (failed(verifySameTensor(op, from, to)))
    return failure();
  for (int64_t dim = 0; dim < from.getRank(); ++dim) {
    int64_t x = from.getDimSize(dim), y = to.getDimSize(dim);
    if (llvm::is_contained(changed, dim) || ShapedType::isDynamic(x) ||
        ShapedType::isDynamic(y) || x == y)
      continue;
    return op->emitOpError("sizes of dimension ")
           << dim << " differ: " << x << " and " << y;
  }
  return success();
}

template <class Op>
static LogicalResult verifyOneDim(Op op) {
  if (failed(
          verifyDim(op, "dim", op.getDim(), op.getInput().getType().getRank())))
    return failure();
  return verifyTensors(op, op.getDim());
}

LogicalResult AllGatherOp::verify() {
  return failure(failed(verifyAxes(*this, getMesh(), getAxes())) ||
                 failed(verifyOneDim(*this)));
}

LogicalResult AllReduceOp::verify() {
  return failure(failed(verifyAxes(*this, getMesh(), getAxes())) ||
                 failed(verifyTensors(*this, {})));
}

LogicalResult ReduceScatterOp::verify() {
  return failure(failed(verifyAxes(*this, getMesh(), getAxes())) ||
                 failed(verifyOneDim(*this)));
}

LogicalResult AllToAllOp::verify() {
  int64_t rank = getInput().getType().getRank();
  if (failed(verifyAxes(*this, getMesh(), getAxes())) ||
      failed(verifyDim(*this, "gather dim", getGatherDim(), rank)) ||
      failed(verifyDim(*this, "split dim", getSplitDim(), rank)))
    return failure();
  if (getGatherDim() == getSplitDim())
    return emitOpError("gathers and splits the same dim ") << getSplitDim();
  return verifyTensors(*this, {static_cast<int64_t>(getGatherDim()),
                               static_cast<int64_t>(getSplitDim())});
}

LogicalResult CollectivePermuteOp::verify() {
  int64_t dynamic = getType().getNumDynamicDims();
  if (dynamic != static_cast<int64_t>(getSizes().size()))
    return emitOpError("has ") << getSizes().size() << " sizes but result has "
                               << dynamic << " dynamic dimensions";
  SmallVector<int64_t> all =
      llvm::to_vector(llvm::seq<int64_t>(0, getType().getRank()));
  return failure(failed(verifyAxes(*this, getMesh(), getAxes())) ||
                 failed(verifyTensors(*this, all)));
}

LogicalResult MergeOp::verify() {
  auto values = cast<RankedTensorType>(getValues().getType());
  auto positions = cast<RankedTensorType>(getPositions().getType());
  if (values.getShape() != positions.getShape())
    return emitOpError("has values ")
           << values << " and positions " << positions << " of another shape";
  if (!positions.getElementType().isSignlessIntOrIndex())
    return emitOpError("has positions of element type ")
           << positions.getElementType();
  if (getDim() < uint64_t(values.getRank()))
    return success();
  return emitOpError("dim is ")
         << getDim() << ", but the rank is " << values.getRank();
}

LogicalResult ShardSliceOp::verify() { return verifyOneDim(*this); }

static LogicalResult verifyAxisName(Operation *op, MeshAttr mesh,
                                    StringRef axis) {
  if (mesh.getMesh().lookup(axis))
    return success();
  return op->emitOpError("\"") << axis << "\" is not an axis of the mesh";
}

LogicalResult AxisIndexOp::verify() {
  return verifyAxisName(*this, getMesh(), getAxis());
}

LogicalResult AxisSizeOp::verify() {
  return verifyAxisName(*this, getMesh(), getAxis());
}

#define GET_OP_CLASSES
#include "dtensor/Dialect/DTensor/IR/LocalOps.cpp.inc"
