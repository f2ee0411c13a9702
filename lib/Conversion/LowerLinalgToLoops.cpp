//===- LowerLinalgToLoops.cpp - Loop nests for linalg on buffers ----------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Order of the loops, outer to inner, with `inner` the loop of least cost:
//
//   inner parallel    parallel loops, reductions, inner     (values in memory)
//   inner reduction   parallel loops, reductions, inner     (values carried)
//
//   cost(loop) = number of operands accessed with a stride along it, an output
//                counting twice
//
//===----------------------------------------------------------------------===//

#include "LoopSchedule.h"
#include "dtensor/Conversion/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"

namespace dtensor {
#define GEN_PASS_DEF_LOWERLINALGTOLOOPS
#include "dtensor/Conversion/Passes.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;
using linalg::LinalgOp;

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

static bool isLastDimContiguous(MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset;
  return succeeded(type.getStridesAndOffset(strides, offset)) &&
         !strides.empty() && strides.back() == 1;
}

Access dtensor::classifyAccess(LinalgOp op, OpOperand &operand, unsigned loop) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  if (!map.isFunctionOfDim(loop))
    return Access::Invariant;
  for (AffineExpr expr : map.getResults().drop_back())
    if (expr.isFunctionOfDim(loop))
      return Access::Strided;
  auto last = dyn_cast<AffineDimExpr>(map.getResults().back());
  auto type = cast<MemRefType>(operand.get().getType());
  return last && isLastDimContiguous(type) ? Access::Contiguous
                                           : Access::Strided;
}

SmallVector<Value> dtensor::buildIndices(OpBuilder &builder, LinalgOp op,
                                         OpOperand &operand,
                                         ArrayRef<Value> positions) {
  SmallVector<Value> indices;
  for (AffineExpr expr : op.getMatchingIndexingMap(&operand).getResults())
    indices.push_back(affine::expandAffineExpr(builder, op.getLoc(), expr,
                                               positions, ValueRange()));
  return indices;
}

SmallVector<Value> dtensor::buildExtents(OpBuilder &builder, LinalgOp op) {
  SmallVector<Value> extents;
  for (Range &range : op.createLoopRanges(builder, op.getLoc()))
    extents.push_back(
        getValueOrCreateConstantIndexOp(builder, op.getLoc(), range.size));
  return extents;
}

//===----------------------------------------------------------------------===//
// Order of loops
//===----------------------------------------------------------------------===//

static bool isReduction(utils::IteratorType kind) {
  return kind == utils::IteratorType::reduction;
}

// Smaller is better; compared from left to right.
static std::array<int64_t, 4> innerCost(LinalgOp op, unsigned loop,
                                        int64_t extent) {
  int64_t strided = 0;
  for (OpOperand &operand : op->getOpOperands())
    if (isa<MemRefType>(operand.get().getType()) &&
        classifyAccess(op, operand, loop) == Access::Strided)
      strided += op.isDpsInit(&operand) ? 2 : 1;
  bool reduction = isReduction(op.getIteratorTypesArray()[loop]);
  bool isShort = !ShapedType::isDynamic(extent) && extent < 4;
  return {isShort, strided, reduction, -static_cast<int64_t>(loop)};
}

namespace {
struct LoopOrder {
  SmallVector<unsigned> loops;
  /// This many loops at the end are reductions whose values are carried.
  unsigned carried = 0;
};
} // namespace

static LoopOrder chooseOrder(LinalgOp op) {
  SmallVector<int64_t> extents = op.getStaticLoopRanges();
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  LoopOrder order;
  if (kinds.empty())
    return order;
  unsigned inner = 0;
  for (unsigned loop = 1; loop < kinds.size(); ++loop)
    if (innerCost(op, loop, extents[loop]) <
        innerCost(op, inner, extents[inner]))
      inner = loop;
  SmallVector<unsigned> reductions;
  for (unsigned loop = 0; loop < kinds.size(); ++loop) {
    if (loop == inner)
      continue;
    if (isReduction(kinds[loop]))
      reductions.push_back(loop);
    else
      order.loops.push_back(loop);
  }
  order.loops.append(reductions);
  order.loops.push_back(inner);
  if (isReduction(kinds[inner]))
    order.carried = reductions.size() + 1;
  return order;
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

namespace {
class NestBuilder {
public:
  NestBuilder(OpBuilder &builder, LinalgOp op)
      : builder(builder), op(op), loc(op.getLoc()), order(chooseOrder(op)),
        extents(buildExtents(builder, op)), positions(op.getNumLoops()) {}

  void build() {
    zero = arith::ConstantIndexOp::create(builder, loc, 0);
    one = arith::ConstantIndexOp::create(builder, loc, 1);
    buildParallel(0);
  }

private:
  void buildParallel(unsigned depth) {
    if (depth + order.carried == order.loops.size())
      return buildBody(depth);
    unsigned loop = order.loops[depth];
    auto nest = scf::ForOp::create(builder, loc, zero, extents[loop], one);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(nest.getBody());
    positions[loop] = nest.getInductionVar();
    buildParallel(depth + 1);
  }

  void buildBody(unsigned depth) {
    SmallVector<SmallVector<Value>> targets;
    SmallVector<Value> values;
    for (OpOperand &init : op.getDpsInitsMutable()) {
      targets.push_back(buildIndices(builder, op, init, positions));
      bool read = order.carried || op.payloadUsesValueFromOperand(&init);
      values.push_back(read ? load(init, targets.back()) : Value());
    }
    values = buildCarried(depth, values);
    for (auto [value, init, indices] :
         llvm::zip(values, op.getDpsInits(), targets))
      memref::StoreOp::create(builder, loc, value, init, indices);
  }

  SmallVector<Value> buildCarried(unsigned depth, ArrayRef<Value> carried) {
    if (depth == order.loops.size())
      return buildScalar(carried);
    unsigned loop = order.loops[depth];
    auto nest =
        scf::ForOp::create(builder, loc, zero, extents[loop], one, carried);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(nest.getBody());
    positions[loop] = nest.getInductionVar();
    SmallVector<Value> inner(nest.getRegionIterArgs());
    scf::YieldOp::create(builder, loc, buildCarried(depth + 1, inner));
    return SmallVector<Value>(nest.getResults());
  }

  Value load(OpOperand &operand, ValueRange indices) {
    return memref::LoadOp::create(builder, loc, operand.get(), indices);
  }

  SmallVector<Value> buildScalar(ArrayRef<Value> inits) {
    IRMapping mapping;
    for (OpOperand *input : op.getDpsInputOperands()) {
      BlockArgument argument = op.getMatchingBlockArgument(input);
      Value value = input->get();
      if (isa<MemRefType>(value.getType()) && !argument.use_empty())
        value = load(*input, buildIndices(builder, op, *input, positions));
      mapping.map(argument, value);
    }
    for (auto [index, value] : llvm::enumerate(inits))
      if (value)
        mapping.map(op.getMatchingBlockArgument(op.getDpsInitOperand(index)),
                    value);
    for (Operation &inner : op.getBlock()->without_terminator()) {
      if (auto index = dyn_cast<linalg::IndexOp>(inner))
        mapping.map(index.getResult(), positions[index.getDim()]);
      else
        builder.clone(inner, mapping);
    }
    SmallVector<Value> results;
    for (Value value : op.getBlock()->getTerminator()->getOperands())
      results.push_back(mapping.lookupOrDefault(value));
    return results;
  }

  OpBuilder &builder;
  LinalgOp op;
  Location loc;
  LoopOrder order;
  SmallVector<Value> extents, positions;
  Value zero, one;
};
} // namespace

namespace {
struct LowerLinalgToLoops
    : dtensor::impl::LowerLinalgToLoopsBase<LowerLinalgToLoops> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<LinalgOp> ops;
    getOperation()->walk([&](LinalgOp op) { ops.push_back(op); });
    for (LinalgOp op : ops)
      if (failed(lower(rewriter, op)))
        return signalPassFailure();
  }

  LogicalResult lower(RewriterBase &rewriter, LinalgOp op) {
    if (!op.hasPureBufferSemantics())
      return op->emitOpError("still works on tensors, not on buffers");
    rewriter.setInsertionPoint(op);
    if (lowerContraction(rewriter, op))
      return success();
    NestBuilder(rewriter, op).build();
    rewriter.eraseOp(op);
    return success();
  }
};
} // namespace
