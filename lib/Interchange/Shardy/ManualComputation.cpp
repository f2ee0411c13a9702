//===- ManualComputation.cpp - local computations become global -----------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The body of a manual computation sees what one rank has along the manual
// axes. What it computes element by element is, on all ranks together, the same
// computation of the whole tensors; that is what is put in its place. Other ops
// would see other neighbours, and are refused where there are manual axes.
//
//===----------------------------------------------------------------------===//

#include "ShardingImport.h"
#include "StableHLO.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace dtensor;

namespace {

/// By dimension the manual axes that cut a value, major to minor, as a text.
using Cut = SmallVector<std::string>;

class Inliner {
public:
  Inliner(sdy::ManualComputationOp op, ShardingImport &shardings)
      : op(op), shardings(shardings), builder(op) {}

  LogicalResult run() {
    for (sdy::ShardingPerValueAttr list :
         {op.getInShardings(), op.getOutShardings()})
      for (sdy::ShardingAttr sharding : list.getShardings())
        if (llvm::any_of(sharding.getSharding().unreduced,
                         [&](const SdyAxis &axis) { return isManual(axis); }))
          return op.emitOpError("has terms of a pending reduction inside: ")
                 << sharding.getSharding().str();
    for (StringAttr axis : op.getManualAxes().getAxes())
      if (!shardings.getSdyMesh().lookup(axis))
        return op.emitOpError("has a manual axis ")
               << axis << ", which mesh " << shardings.getSdyMesh().str()
               << " has not";
    return failure(failed(mapArguments()) || failed(inlineBody()));
  }

private:
  Block &body() { return op.getBody().front(); }

  bool isManual(const SdyAxis &axis) {
    return llvm::any_of(op.getManualAxes().getAxes(), [&](StringAttr name) {
      return name.getValue() == axis.name;
    });
  }

  /// The manual axes of each dimension, and into how many pieces they cut it.
  Cut cutOf(const SdySharding &sharding, SmallVectorImpl<int64_t> &pieces) {
    Cut result;
    for (const SdyDimension &dim : sharding.dims) {
      std::string &text = result.emplace_back();
      int64_t &count = pieces.emplace_back(1);
      for (const SdyAxis &axis : dim.axes) {
        if (!isManual(axis))
          continue;
        text += axis.str() + " ";
        count *= axis.isPart() ? axis.size
                               : shardings.getSdyMesh().lookup(axis.name)->size;
      }
    }
    return result;
  }

  /// `local` and `global` are one value, cut as the sharding says.
  LogicalResult verifyShapes(Type local, Type global, ArrayRef<int64_t> pieces,
                             const Twine &what) {
    auto inside = dyn_cast<RankedTensorType>(local);
    auto outside = dyn_cast<RankedTensorType>(global);
    bool agrees = inside && outside && inside.getRank() == outside.getRank() &&
                  outside.getRank() == static_cast<int64_t>(pieces.size());
    for (unsigned dim = 0; agrees && dim < pieces.size(); ++dim) {
      int64_t size = inside.getDimSize(dim), whole = outside.getDimSize(dim);
      agrees = ShapedType::isDynamic(whole) ? ShapedType::isDynamic(size)
                                            : size * pieces[dim] == whole;
    }
    if (agrees)
      return success();
    return op.emitOpError() << what << " is " << local << " inside and "
                            << global << " outside, which its manual axes do "
                            << "not cut into equal pieces";
  }

  LogicalResult mapArguments() {
    for (auto [index, sharding] :
         llvm::enumerate(op.getInShardings().getShardings())) {
      Value input = op->getOperand(index);
      BlockArgument argument = body().getArgument(index);
      SmallVector<int64_t> pieces;
      Cut cut = cutOf(sharding.getSharding(), pieces);
      std::string what = "operand " + std::to_string(index);
      if (failed(
              verifyShapes(argument.getType(), input.getType(), pieces, what)))
        return failure();
      Value pinned = shardings.constrain(builder, input, sharding, op, what);
      if (!pinned)
        return failure();
      mapping.map(argument, pinned);
      cuts[argument] = {cut, pieces};
    }
    return success();
  }

  /// What cuts the results of an op of the body: what cuts its operands.
  LogicalResult cutResults(Operation *inner) {
    auto refuse = [&](StringRef why) {
      InFlightDiagnostic error = inner->emitOpError(why);
      error.attachNote(op.getLoc()) << "in this manual computation";
      return error;
    };
    if (inner->hasAttr(sdy::kShardingAttr))
      return refuse("has a sharding of its own, along other axes than the "
                    "manual ones");
    if (!isPointwise(inner) || inner->getNumRegions())
      return refuse("is not pointwise: it would see the elements of other "
                    "ranks, too");
    std::optional<Pieces> pieces;
    for (Value operand : inner->getOperands()) {
      auto known = cuts.find(operand);
      if (known == cuts.end())
        continue;
      if (pieces && known->second.cut != pieces->cut)
        return refuse("has operands that manual axes cut differently");
      pieces = known->second;
    }
    if (!pieces)
      return refuse("computes with constants alone");
    for (Value operand : inner->getOperands())
      if (DenseElementsAttr value = splatOf(operand.getDefiningOp()))
        mapping.map(operand,
                    arith::ConstantOp::create(
                        builder, inner->getLoc(),
                        cast<TypedAttr>(value.resizeSplat(cast<ShapedType>(
                            wholeOf(operand.getType(), pieces->pieces))))));
    for (Value result : inner->getResults())
      cuts[result] = *pieces;
    return success();
  }

  /// One number in every element is so however it is cut: such a constant is
  /// made for each use.
  static DenseElementsAttr splatOf(Operation *op) {
    if (!op || op->getNumOperands() || op->getNumResults() != 1)
      return {};
    auto value = dyn_cast_or_null<DenseElementsAttr>(op->getAttr("value"));
    return value && value.isSplat() &&
                   value.getType() == op->getResult(0).getType()
               ? value
               : DenseElementsAttr();
  }

  /// The type of the whole of which `type` is a piece.
  Type wholeOf(Type type, ArrayRef<int64_t> pieces) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || pieces.empty())
      return type;
    SmallVector<int64_t> shape(tensor.getShape());
    for (auto [size, count] : llvm::zip_equal(shape, pieces))
      if (!ShapedType::isDynamic(size))
        size *= count;
    return tensor.clone(shape);
  }

  LogicalResult inlineBody() {
    bool isManual = !op.getManualAxes().getAxes().empty();
    for (Operation &inner : body().without_terminator()) {
      if (isManual && splatOf(&inner))
        continue;
      if (isManual && failed(cutResults(&inner)))
        return failure();
      Operation *copy = builder.clone(inner, mapping);
      for (auto [result, local] :
           llvm::zip_equal(copy->getResults(), inner.getResults()))
        result.setType(wholeOf(local.getType(), cuts.lookup(local).pieces));
    }
    Operation *end = body().getTerminator();
    for (auto [index, sharding] :
         llvm::enumerate(op.getOutShardings().getShardings())) {
      Value local = end->getOperand(index), result = op->getResult(index);
      SmallVector<int64_t> pieces;
      Cut cut = cutOf(sharding.getSharding(), pieces);
      std::string what = "result " + std::to_string(index);
      if (failed(verifyShapes(local.getType(), result.getType(), pieces, what)))
        return failure();
      if (isManual && (!mapping.contains(local) || cuts[local].cut != cut))
        return op.emitOpError()
               << what << " is cut by other manual axes inside than "
               << sharding.getSharding().str() << " says";
      Value pinned = shardings.constrain(builder, mapping.lookup(local),
                                         sharding, op, what);
      if (!pinned)
        return failure();
      result.replaceAllUsesWith(pinned);
    }
    op.erase();
    return success();
  }

  struct Pieces {
    Cut cut;
    SmallVector<int64_t> pieces;
  };

  sdy::ManualComputationOp op;
  ShardingImport &shardings;
  OpBuilder builder;
  IRMapping mapping;
  DenseMap<Value, Pieces> cuts;
};

} // namespace

LogicalResult dtensor::inlineManualComputations(Operation *root,
                                                ShardingImport &shardings) {
  SmallVector<sdy::ManualComputationOp> ops;
  root->walk([&](sdy::ManualComputationOp op) { ops.push_back(op); });
  for (sdy::ManualComputationOp op : ops)
    if (failed(Inliner(op, shardings).run()))
      return failure();
  return success();
}
