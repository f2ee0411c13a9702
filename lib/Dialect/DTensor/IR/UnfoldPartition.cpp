//===- UnfoldPartition.cpp - windows of the shards of one rank ------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rank r of n has the rows [r*c, r*c + c) of a dimension and wants the windows
// [r*d, r*d + d), with c and d the capacities of the shards of the operand and
// the result. With stride s, divisor q and the window's ends k0 and k1 those
// need the rows from floor((r*d*s + k0) / q) on, up to
// floor(((r*d + d - 1) * s + k1) / q). So it lacks at most
//
//   before = floor((q*r*c - (r*d*s + k0) + q - 1) / q)
//   behind = floor(((r*d + d - 1) * s + k1 - q*(r + 1)*c) / q) + 1
//
// rows, both largest at r = 0 or r = n - 1. If neither is above c, those are
// rows of the two neighbours, and are exchanged; numbers and condition are the
// same on all ranks. A rank has rows up to the end of the tensor only; what is
// beyond is never read.
//
//===----------------------------------------------------------------------===//

#include "CompositeUtils.h"
#include "dtensor/Dialect/DTensor/IR/LocalOps.h"
#include "dtensor/Dialect/DTensor/IR/RuleUtils.h"
#include "dtensor/Dialect/DTensor/IR/WindowOps.h"
#include "dtensor/Sharding/LocalShape.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace dtensor;

namespace {
/// Rows of the operand that this rank has in hand.
struct Slab {
  Value rows;
  /// The global position of the first one, per dimension; null for 0.
  SmallVector<Value> begin;
};

/// The exchange of one sharded dimension.
class Exchange {
public:
  Exchange(UnfoldOp op, unsigned dim, OpBuilder &builder,
           PartitionContext &context)
      : op(op), dim(dim), builder(builder), loc(op.getLoc()), context(context),
        exprs(getExprContext(op.getContext())),
        layout(getLayout(op.getInput())), mesh(layout.getMesh().getMesh()),
        axes(layout.getLayout().axesOf(dim)), facts(factsAround(op)) {
    capacity = capacityOf(op.getInput());
    measure(*op.findDim(dim));
  }

  Slab run(Slab slab);

private:
  Expr capacityOf(Value value) {
    return localDim(mesh, getLayout(value).getLayout(), dim, exprs, &facts)
        .capacity;
  }
  void measure(unsigned i);
  std::pair<Value, Value> exchange(OpBuilder &b, Value rows);
  std::pair<Value, Value> gather(OpBuilder &b, Value rows);
  Value edge(OpBuilder &b, Value rows, Expr first, Expr count);
  Value permute(OpBuilder &b, Value edge, Value like, Expr count,
                Expr distance);
  Value join(OpBuilder &b, Value before, Value own, Value behind);

  RankedTensorType openType(Value like) {
    auto type = cast<RankedTensorType>(like.getType());
    SmallVector<int64_t> shape(type.getShape());
    shape[dim] = ShapedType::kDynamic;
    return RankedTensorType::get(shape, type.getElementType());
  }
  Value value(Expr expr) {
    if (auto number = expr.getConstant())
      return arith::ConstantIndexOp::create(builder, loc, *number);
    return context.materialize(expr);
  }
  DenseI64ArrayAttr group() {
    return builder.getDenseI64ArrayAttr(
        SmallVector<int64_t>(axes.begin(), axes.end()));
  }

  UnfoldOp op;
  unsigned dim;
  OpBuilder &builder;
  Location loc;
  PartitionContext &context;
  ExprContext &exprs;
  LayoutAttr layout;
  const Mesh &mesh;
  SmallVector<unsigned> axes;
  Facts facts;
  Expr capacity, before, behind;
};
} // namespace

void Exchange::measure(unsigned i) {
  if (axes.size() > 1)
    return;
  Expr zero = Expr::constant(exprs, 0);
  Expr kernel = exprList(op, op.getKernel())->operator[](i);
  int64_t stride = op.getStrideOf(i), divisor = op.getDivisorOf(i);
  Expr reach = (kernel - 1) * op.getDilationOf(i);
  Expr from = min(reach, zero) + op.getOffsetOf(i);
  Expr to = max(reach, zero) + op.getOffsetOf(i);
  Expr windows = capacityOf(op.getResult());
  Expr last = mesh.sizeExpr(exprs, axes[0]) - 1;
  auto beforeAt = [&](Expr r) {
    Expr first = r * windows * stride + from;
    return floordiv(divisor * r * capacity - first + (divisor - 1), divisor);
  };
  auto behindAt = [&](Expr r) {
    Expr end = (r * windows + windows - 1) * stride + to;
    return floordiv(end - divisor * (r + 1) * capacity, divisor) + 1;
  };
  before = facts.simplify(max(max(beforeAt(zero), beforeAt(last)), zero));
  behind = facts.simplify(max(max(behindAt(zero), behindAt(last)), zero));
}

/// `count` rows of this rank's shard from `first` on; zeros for those that it
/// does not have.
Value Exchange::edge(OpBuilder &b, Value rows, Expr first, Expr count) {
  Value begin = value(first), size = tensor::DimOp::create(b, loc, rows, dim);
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, rows);
  sizes[dim] = getAsOpFoldResult(value(count));
  Type element = scalarType(rows);
  Value empty = tensor::EmptyOp::create(b, loc, sizes, element);
  unsigned rank = sizes.size();
  SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      b, loc, TypeRange{empty.getType()}, ValueRange(), ValueRange{empty},
      ArrayRef<AffineMap>{b.getMultiDimIdentityMap(rank)}, loops,
      [&](OpBuilder &b, Location loc, ValueRange) {
        Scalars s{b, loc};
        SmallVector<Value> at;
        for (unsigned i = 0; i < rank; ++i)
          at.push_back(linalg::IndexOp::create(b, loc, i));
        at[dim] = s.add(at[dim], begin);
        auto choice = scf::IfOp::create(
            b, loc, s.compare("lt", at[dim], size),
            [&](OpBuilder &b, Location loc) {
              Value read = tensor::ExtractOp::create(b, loc, rows, at);
              scf::YieldOp::create(b, loc, read);
            },
            [&](OpBuilder &b, Location loc) {
              Value none =
                  arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
              scf::YieldOp::create(b, loc, none);
            });
        linalg::YieldOp::create(b, loc, choice.getResults());
      });
  return generic.getResult(0);
}

/// `edge` of the rank that is `distance` further on, around the end.
Value Exchange::permute(OpBuilder &b, Value edge, Value like, Expr count,
                        Expr distance) {
  Expr size = mesh.sizeExpr(exprs, axes[0]);
  Expr source = mod(mesh.indexExpr(exprs, axes[0]) + distance, size);
  RankedTensorType type = openType(like);
  SmallVector<Value> sizes;
  for (int64_t i = 0; i < type.getRank(); ++i) {
    if (!type.isDynamicDim(i))
      continue;
    sizes.push_back(i == int64_t(dim)
                        ? value(count)
                        : Value(tensor::DimOp::create(b, loc, like, i)));
  }
  return CollectivePermuteOp::create(
      b, loc, type, castTensor(b, loc, edge, type), value(source), sizes,
      layout.getMesh(), group());
}

Value Exchange::join(OpBuilder &b, Value before, Value own, Value behind) {
  if (!before && !behind)
    return castTensor(b, loc, own, openType(own));
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, own);
  unsigned rank = sizes.size();
  Value extent = tensor::DimOp::create(b, loc, own, dim);
  sizes[dim] = getAsOpFoldResult(
      arith::AddIOp::create(b, loc, extent, value(this->before + this->behind))
          .getResult());
  Value all = tensor::EmptyOp::create(b, loc, sizes, scalarType(own));
  SmallVector<OpFoldResult> begin(rank, b.getIndexAttr(0));
  SmallVector<OpFoldResult> steps(rank, b.getIndexAttr(1));
  Value position = value(Expr::constant(exprs, 0));
  for (Value part : {before, own, behind}) {
    if (!part)
      continue;
    begin[dim] = position;
    sizes[dim] = tensor::getMixedSize(b, loc, part, dim);
    all = tensor::InsertSliceOp::create(b, loc, part, all, begin, sizes, steps);
    Value size = getValueOrCreateConstantIndexOp(b, loc, sizes[dim]);
    position = arith::AddIOp::create(b, loc, position, size);
  }
  return castTensor(b, loc, all, openType(own));
}

std::pair<Value, Value> Exchange::exchange(OpBuilder &b, Value rows) {
  Value left, right;
  Expr one = Expr::constant(exprs, 1), size = mesh.sizeExpr(exprs, axes[0]);
  if (!before.isConstant(0))
    left = permute(b, edge(b, rows, capacity - before, before), rows, before,
                   size - 1);
  if (!behind.isConstant(0))
    right = permute(b, edge(b, rows, Expr::constant(exprs, 0), behind), rows,
                    behind, one);
  Expr begin = mesh.indexExpr(exprs, axes[0]) * capacity - before;
  return {join(b, left, rows, right), value(begin)};
}

std::pair<Value, Value> Exchange::gather(OpBuilder &b, Value rows) {
  Expr unit = layout.getLayout().unitOf(dim);
  bool hasUnit = unit && !unit.isConstant(1);
  Value whole = AllGatherOp::create(
      b, loc, openType(rows), rows, value(layout.getExtents()[dim]),
      value(capacity), hasUnit ? value(unit) : Value(), layout.getMesh(),
      group(), dim);
  return {whole, value(Expr::constant(exprs, 0))};
}

Slab Exchange::run(Slab slab) {
  auto finish = [&](std::pair<Value, Value> result) {
    slab.rows = result.first;
    slab.begin[dim] = result.second;
    return slab;
  };
  if (axes.size() > 1 || facts.proveLT(capacity, before) ||
      facts.proveLT(capacity, behind))
    return finish(gather(builder, slab.rows));
  Expr most = max(before, behind);
  if (facts.proveLE(most, capacity))
    return finish(exchange(builder, slab.rows));
  // The operands of the condition are needed in front of it.
  Value fits = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sle,
                                     value(most), value(capacity));
  auto branch = scf::IfOp::create(
      builder, loc, fits,
      [&](OpBuilder &b, Location loc) {
        auto [rows, begin] = exchange(b, slab.rows);
        scf::YieldOp::create(b, loc, ValueRange{rows, begin});
      },
      [&](OpBuilder &b, Location loc) {
        auto [rows, begin] = gather(b, slab.rows);
        scf::YieldOp::create(b, loc, ValueRange{rows, begin});
      });
  return finish({branch.getResult(0), branch.getResult(1)});
}

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

namespace {
struct WindowBuilder {
  UnfoldOp op;
  PartitionContext &context;
  const Slab &slab;
  SmallVector<Value> extents, offsets;

  Value build(OpBuilder &builder);

private:
  Value position(Scalars s, unsigned dim, unsigned i, Value &inside);
};
} // namespace

/// Where dimension `dim` is read, in the slab; clears `inside` if outside of
/// the tensor.
Value WindowBuilder::position(Scalars s, unsigned dim, unsigned i,
                              Value &inside) {
  OpBuilder &b = s.builder;
  Type index = b.getIndexType();
  unsigned rank = cast<RankedTensorType>(op.getInput().getType()).getRank();
  Value window = linalg::IndexOp::create(b, s.loc, dim);
  Value element = linalg::IndexOp::create(b, s.loc, rank + i);
  if (offsets[dim])
    window = s.add(window, offsets[dim]);
  auto times = [&](Value value, int64_t factor) {
    return factor == 1 ? value : s.mul(value, s.constant(index, factor));
  };
  Value at = s.add(times(window, op.getStrideOf(i)),
                   times(element, op.getDilationOf(i)));
  if (int64_t offset = op.getOffsetOf(i))
    at = s.add(at, s.constant(index, offset));
  auto demand = [&](Value condition) {
    inside = inside ? Value(arith::AndIOp::create(b, s.loc, inside, condition))
                    : condition;
  };
  demand(s.compare("ge", at, s.constant(index, 0)));
  if (int64_t divisor = op.getDivisorOf(i); divisor != 1) {
    Value by = s.constant(index, divisor);
    Value rest = arith::RemSIOp::create(b, s.loc, at, by);
    demand(s.compare("eq", rest, s.constant(index, 0)));
    at = arith::DivSIOp::create(b, s.loc, at, by);
  }
  demand(s.compare("lt", at, extents[dim]));
  return slab.begin[dim] ? s.sub(at, slab.begin[dim]) : at;
}

Value WindowBuilder::build(OpBuilder &builder) {
  Location loc = op.getLoc();
  unsigned inputRank =
      cast<RankedTensorType>(op.getInput().getType()).getRank();
  Value empty = emptyLocal(builder, loc, context, op.getResult());
  unsigned rank = cast<RankedTensorType>(empty.getType()).getRank();
  SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      builder, loc, TypeRange{empty.getType()}, ValueRange(), ValueRange{empty},
      ArrayRef<AffineMap>{builder.getMultiDimIdentityMap(rank)}, loops,
      [&](OpBuilder &b, Location loc, ValueRange) {
        SmallVector<Value> at;
        Value inside;
        for (unsigned dim = 0; dim < inputRank; ++dim) {
          if (auto i = op.findDim(dim))
            at.push_back(position({b, loc}, dim, *i, inside));
          else
            at.push_back(linalg::IndexOp::create(b, loc, dim));
        }
        if (!inside)
          inside = Scalars{b, loc}.constant(b.getI1Type(), 1);
        auto choice = scf::IfOp::create(
            b, loc, inside,
            [&](OpBuilder &b, Location loc) {
              Value read = tensor::ExtractOp::create(b, loc, slab.rows, at);
              scf::YieldOp::create(b, loc, read);
            },
            [&](OpBuilder &b, Location loc) {
              Value none = arith::ConstantOp::create(b, loc, op.getValue());
              scf::YieldOp::create(b, loc, none);
            });
        linalg::YieldOp::create(b, loc, choice.getResults());
      });
  return generic.getResult(0);
}

LogicalResult UnfoldOp::partition(OpBuilder &builder, ValueRange operands,
                                  PartitionContext &context,
                                  SmallVectorImpl<Value> &results) {
  ExtentList extents = getExtents(getInput());
  Slab slab{operands[0], SmallVector<Value>(extents.size())};
  WindowBuilder windows{*this, context, slab,
                        SmallVector<Value>(extents.size()),
                        SmallVector<Value>(extents.size())};
  for (int64_t dim : intList(getDims())) {
    if (!context.isWhole(getInput(), dim))
      slab = Exchange(*this, dim, builder, context).run(slab);
    windows.extents[dim] = context.materialize(extents[dim]);
    if (!context.isWhole(getResult(), dim))
      windows.offsets[dim] = context.getOffset(getResult(), dim);
  }
  results.push_back(castTensor(builder, getLoc(), windows.build(builder),
                               context.getLocalType(getResult())));
  return success();
}
