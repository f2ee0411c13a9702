//===- RedistributeSteps.cpp - plans as local ops -------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RedistributeSteps.h"
#include "dtensor/Dialect/DTensor/IR/Reductions.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace dtensor;

Value dtensor::castTo(OpBuilder &builder, Location loc, Value value,
                      Type type) {
  if (value.getType() == type)
    return value;
  return tensor::CastOp::create(builder, loc, type, value);
}

namespace {

class StepEmitter {
public:
  StepEmitter(OpBuilder &builder, RedistributeOp op, LocalFunction &function)
      : builder(builder), loc(op.getLoc()), function(function),
        mesh(function.getMeshAttr()),
        element(
            cast<RankedTensorType>(op.getInput().getType()).getElementType()) {}

  Value emit(Value input, LayoutAttr before, const Step &step) {
    after = LayoutAttr::get(mesh, step.result);
    this->before = before;
    switch (step.kind) {
    case StepKind::AllGather:
      return emitAllGather(input, step);
    case StepKind::AllReduce:
      return AllReduceOp::create(
          builder, loc, input.getType(),
          ReduceKindAttr::get(builder.getContext(), step.reduce), input, mesh,
          axes(step));
    case StepKind::ReduceScatter:
      return emitReduceScatter(input, step);
    case StepKind::AllToAll:
      return emitAllToAll(input, step);
    case StepKind::ShardSlice:
      return emitSlice(input, step.dim, before, after);
    case StepKind::InitPartial:
      return emitInitPartial(input, step);
    case StepKind::Regroup:
      return emitRegroup(input, step);
    }
    llvm_unreachable("unknown step");
  }

private:
  DenseI64ArrayAttr axes(const Step &step) {
    return builder.getDenseI64ArrayAttr(
        SmallVector<int64_t>(step.axes.begin(), step.axes.end()));
  }
  Value value(Expr expr) { return function.materialize(expr); }
  RankedTensorType typeOf(LayoutAttr layout) {
    return function.getLocalType(element, layout);
  }
  const LocalDim &dimBefore(unsigned dim) {
    return function.getLocalDim(before, dim);
  }
  const LocalDim &dimAfter(unsigned dim) {
    return function.getLocalDim(after, dim);
  }

  /// The unit of the cuts of `dim`; null where it is 1.
  Value unit(unsigned dim, LayoutAttr layout) {
    Expr unit = layout.getLayout().unitOf(dim);
    return !unit || unit == Expr::constant(context(), 1) ? Value()
                                                         : value(unit);
  }

  Value gather(Value input, unsigned dim, LayoutAttr from, LayoutAttr to,
               DenseI64ArrayAttr group) {
    Value extent = value(function.getLocalDim(to, dim).size);
    Value capacity = value(function.getLocalDim(from, dim).capacity);
    return AllGatherOp::create(builder, loc, typeOf(to), input, extent,
                               capacity, unit(dim, from), mesh, group, dim);
  }

  Value emitAllGather(Value input, const Step &step) {
    return gather(input, step.dim, before, after, axes(step));
  }

  /// Where the new piece begins within the old one.
  Value relativeOffset(unsigned dim, LayoutAttr from, LayoutAttr to) {
    return value(function.getLocalDim(to, dim).offset -
                 function.getLocalDim(from, dim).offset);
  }

  Value emitSlice(Value input, unsigned dim, LayoutAttr from, LayoutAttr to) {
    return ShardSliceOp::create(builder, loc, typeOf(to), input,
                                relativeOffset(dim, from, to),
                                value(function.getLocalDim(to, dim).size), dim);
  }

  Value emitReduceScatter(Value input, const Step &step) {
    return ReduceScatterOp::create(
        builder, loc, typeOf(after), step.reduce, input,
        relativeOffset(step.dim, before, after), value(dimAfter(step.dim).size),
        value(dimAfter(step.dim).capacity), unit(step.dim, after), mesh,
        axes(step).asArrayRef(), step.dim);
  }

  Value emitAllToAll(Value input, const Step &step) {
    return AllToAllOp::create(
        builder, loc, typeOf(after), input, value(dimAfter(step.fromDim).size),
        value(dimBefore(step.fromDim).capacity), unit(step.fromDim, before),
        relativeOffset(step.dim, before, after), value(dimAfter(step.dim).size),
        value(dimAfter(step.dim).capacity), unit(step.dim, after), mesh,
        axes(step), step.fromDim, step.dim);
  }

  /// Coordinate 0 on every axis of the group keeps the value. Every rank keeps
  /// it for an average, which divides by their number.
  Value emitInitPartial(Value input, const Step &step) {
    if (step.reduce == ReduceKind::Avg)
      return input;
    Value zero = value(Expr::constant(context(), 0));
    Value first;
    for (unsigned axis : step.axes) {
      Value here = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                         function.getAxisIndex(axis), zero);
      first = first ? arith::AndIOp::create(builder, loc, first, here) : here;
    }
    auto type = cast<RankedTensorType>(input.getType());
    AffineMap identity = builder.getMultiDimIdentityMap(type.getRank());
    SmallVector<utils::IteratorType> parallel(type.getRank(),
                                              utils::IteratorType::parallel);
    Value empty = tensor::EmptyOp::create(
        builder, loc, tensor::getMixedSizes(builder, loc, input), element);
    auto generic = linalg::GenericOp::create(
        builder, loc, TypeRange{type}, ValueRange{input}, ValueRange{empty},
        ArrayRef<AffineMap>{identity, identity}, parallel,
        [&](OpBuilder &body, Location loc, ValueRange arguments) {
          Value neutral = arith::ConstantOp::create(
              body, loc, getNeutralElement(step.reduce, element));
          Value kept =
              arith::SelectOp::create(body, loc, first, arguments[0], neutral);
          linalg::YieldOp::create(body, loc, kept);
        });
    return generic.getResult(0);
  }

  /// Gathered and cut again, but not where both cuts give the same pieces. The
  /// condition is over global extents and the mesh: equal on all ranks.
  Value emitRegroup(Value input, const Step &step) {
    Value agree = piecesAgree(step);
    auto type = typeOf(after);
    auto branch = scf::IfOp::create(builder, loc, TypeRange{type}, agree,
                                    /*addThenBlock=*/true,
                                    /*addElseBlock=*/true);
    OpBuilder same = branch.getThenBodyBuilder();
    scf::YieldOp::create(same, loc, castVia(same, input, type));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.elseBlock());
    SmallVector<Placement> placements(before.getPlacements());
    for (unsigned axis : step.axes)
      placements[axis] = Placement::replicate();
    Layout whole = before.getLayout();
    whole.placements.assign(placements.begin(), placements.end());
    whole.canonicalizeOrder();
    LayoutAttr gathered = LayoutAttr::get(mesh, whole);
    SmallVector<int64_t> group;
    for (unsigned axis : before.getLayout().axesOf(step.dim))
      if (llvm::is_contained(step.axes, axis))
        group.push_back(axis);
    Value full = gather(input, step.dim, before, gathered,
                        builder.getDenseI64ArrayAttr(group));
    scf::YieldOp::create(builder, loc,
                         emitSlice(full, step.dim, gathered, after));
    return branch.getResult(0);
  }

  /// Through the type without static sizes where the two are not comparable.
  Value castVia(OpBuilder &at, Value input, RankedTensorType type) {
    if (tensor::CastOp::areCastCompatible(input.getType(), type))
      return castTo(at, loc, input, type);
    auto loose = RankedTensorType::get(
        SmallVector<int64_t>(type.getRank(), ShapedType::kDynamic), element);
    return castTo(at, loc, castTo(at, loc, input, loose), type);
  }

  /// One axis: equal chunks. Nested axes: both cuts are even, so that every
  /// piece is N / n whatever the unit; another nesting order never agrees.
  Value piecesAgree(const Step &step) {
    const Layout &from = before.getLayout(), &to = after.getLayout();
    SmallVector<unsigned> axesFrom = from.axesOf(step.dim);
    Expr extent = from.extents[step.dim];
    const Mesh &axes = mesh.getMesh();
    if (axesFrom != to.axesOf(step.dim))
      return arith::ConstantIntOp::create(builder, loc, 0, 1);
    if (axesFrom.size() == 1) {
      Expr size = axes.sizeExpr(context(), axesFrom.front());
      return equal(chunkSize(extent, from.unitOf(step.dim), size),
                   chunkSize(extent, to.unitOf(step.dim), size));
    }
    Expr size = axes.groupSizeExpr(context(), axesFrom);
    auto even = [&](Expr unit) {
      Expr piece = unit ? max(unit, 1) * size : size;
      return equal(mod(extent, piece), Expr::constant(context(), 0));
    };
    return arith::AndIOp::create(builder, loc, even(from.unitOf(step.dim)),
                                 even(to.unitOf(step.dim)));
  }

  Value equal(Expr lhs, Expr rhs) {
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                 value(lhs), value(rhs));
  }

  ExprContext &context() { return getExprContext(builder.getContext()); }

  OpBuilder &builder;
  Location loc;
  LocalFunction &function;
  MeshAttr mesh;
  Type element;
  LayoutAttr before, after;
};

} // namespace

Value dtensor::emitRedistribution(OpBuilder &builder, RedistributeOp op,
                                  Value input, LocalFunction &function) {
  StepEmitter emitter(builder, op, function);
  LayoutAttr layout = getLayout(op.getInput());
  Value current = input;
  for (const Step &step : op.getPlan()->getSteps()) {
    current = emitter.emit(current, layout, step);
    // What is said of the movement is said of its collectives.
    if (step.isCollective() && step.kind != StepKind::Regroup)
      current.getDefiningOp()->setDiscardableAttrs(
          op->getDiscardableAttrDictionary());
    layout = LayoutAttr::get(layout.getMesh(), step.result);
  }
  return castTo(builder, op.getLoc(), current,
                function.getLocalType(op.getResult()));
}
