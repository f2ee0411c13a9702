//===- TensorExtension.cpp - tensors, views and lookups -------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpModel.h"
#include "dtensor/Dialect/DTensor/Extensions/Extensions.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace dtensor;

namespace {

Value getZero(NormalizeContext &context, Location loc, Type type) {
  OpBuilder &builder = context.getBuilder();
  return arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
}

/// Without a value of its own: where one is read, it is zero.
struct EmptyModel : OpModel<EmptyModel, tensor::EmptyOp> {
  LogicalResult rewrite(tensor::EmptyOp op, NormalizeContext &context) const {
    FailureOr<RankedTensorType> type = context.getResultType(
        op, op.getResult(), getMixedExprs(context, op.getMixedSizes()));
    if (failed(type))
      return failure();
    Value zero = getZero(context, op.getLoc(), op.getType().getElementType());
    context.map(op.getResult(),
                buildFull(context.getBuilder(), op.getLoc(), *type, zero));
    return success();
  }
};

struct SplatModel : OpModel<SplatModel, tensor::SplatOp> {
  LogicalResult rewrite(tensor::SplatOp op, NormalizeContext &context) const {
    SmallVector<Expr> extents;
    unsigned dynamic = 0;
    for (int64_t size : op.getType().getShape())
      extents.push_back(ShapedType::isDynamic(size)
                            ? context.getExpr(op.getDynamicSizes()[dynamic++])
                            : Expr::constant(context.getExprContext(), size));
    FailureOr<RankedTensorType> type =
        context.getResultType(op, op.getResult(), extents);
    if (failed(type))
      return failure();
    context.map(op.getResult(),
                buildFull(context.getBuilder(), op.getLoc(), *type,
                          context.lookup(op.getInput())));
    return success();
  }
};

struct DimModel : OpModel<DimModel, tensor::DimOp> {
  LogicalResult rewrite(tensor::DimOp op, NormalizeContext &context) const {
    SmallVector<Expr> extents = context.getExtents(op.getSource());
    Expr index;
    if (context.hasExpr(op.getIndex()))
      index = context.getExpr(op.getIndex());
    std::optional<int64_t> dim = index ? index.getConstant() : std::nullopt;
    if (!dim)
      return op.emitOpError() << "has a dimension number that is not constant";
    if (*dim < 0 || *dim >= int64_t(extents.size()))
      return op.emitOpError() << "asks for dimension " << *dim
                              << " of a tensor of rank " << extents.size();
    context.setExpr(op.getResult(), extents[*dim]);
    return success();
  }
};

struct RankModel : OpModel<RankModel, tensor::RankOp> {
  LogicalResult rewrite(tensor::RankOp op, NormalizeContext &context) const {
    int64_t rank = context.getExtents(op.getTensor()).size();
    context.setExpr(op.getResult(),
                    Expr::constant(context.getExprContext(), rank));
    return success();
  }
};

/// States extents; moves nothing.
struct CastModel : OpModel<CastModel, tensor::CastOp> {
  LogicalResult rewrite(tensor::CastOp op, NormalizeContext &context) const {
    FailureOr<RankedTensorType> type = context.getResultType(
        op, op.getResult(), context.getExtents(op.getSource()));
    if (failed(type))
      return failure();
    return mapConverted(op, context.lookup(op.getSource()), *type, context);
  }

  /// An open result type says nothing about placements: they stay.
  static LogicalResult mapConverted(tensor::CastOp op, Value source,
                                    RankedTensorType type,
                                    NormalizeContext &context) {
    LayoutAttr to = getLayout(type), from = getLayout(source);
    if (!getLayout(op.getType()))
      type = withLayout(type, from.withExtents(to.getExtents()));
    FailureOr<Value> value = context.convert(op, source, type, "the result");
    if (succeeded(value))
      context.map(op.getResult(), *value);
    return success(succeeded(value));
  }
};

/// The product of the extents on both sides is one; the rest is a view.
LogicalResult rewriteView(Operation *op, Value source,
                          ArrayRef<Expr> resultExtents,
                          NormalizeContext &context) {
  FailureOr<RankedTensorType> type =
      context.getResultType(op, op->getResult(0), resultExtents);
  if (failed(type))
    return failure();
  context.map(op->getResult(0), buildReshape(context, op->getLoc(),
                                             context.lookup(source), *type));
  return success();
}

/// Upstream's verifier lets some lists pass that name no dimensions. The groups
/// must be the numbers 0 ... parts - 1 in order, cut into one group per whole.
LogicalResult verifyReassociation(Operation *op,
                                  ArrayRef<ReassociationIndices> groups,
                                  size_t wholes, size_t parts) {
  if (groups.size() != wholes)
    return op->emitOpError("has ")
           << groups.size() << " groups for " << wholes << " dimensions";
  size_t next = 0;
  for (ArrayRef<int64_t> group : groups)
    for (int64_t part : group) {
      if (part != static_cast<int64_t>(next))
        return op->emitOpError("groups dimension ")
               << part << " where dimension " << next << " is next";
      ++next;
    }
  if (next != parts)
    return op->emitOpError("groups ") << next << " dimensions of " << parts;
  return success();
}

struct ExpandModel : OpModel<ExpandModel, tensor::ExpandShapeOp> {
  LogicalResult rewrite(tensor::ExpandShapeOp op,
                        NormalizeContext &context) const {
    SmallVector<Expr> sizes = getMixedExprs(context, op.getMixedOutputShape());
    SmallVector<Expr> source = context.getExtents(op.getSrc());
    if (failed(verifyReassociation(op, op.getReassociationIndices(),
                                   source.size(), sizes.size())))
      return failure();
    for (auto [dim, group] : llvm::enumerate(op.getReassociationIndices())) {
      Expr product = Expr::constant(context.getExprContext(), 1);
      for (int64_t part : group)
        product = product * sizes[part];
      if (failed(context.unify(op, source[dim], product,
                               "dimension " + Twine(dim) + " of the operand")))
        return failure();
    }
    return rewriteView(op, op.getSrc(), sizes, context);
  }
};

struct CollapseModel : OpModel<CollapseModel, tensor::CollapseShapeOp> {
  LogicalResult rewrite(tensor::CollapseShapeOp op,
                        NormalizeContext &context) const {
    SmallVector<Expr> source = context.getExtents(op.getSrc());
    if (failed(verifyReassociation(op, op.getReassociationIndices(),
                                   op.getResultType().getRank(),
                                   source.size())))
      return failure();
    SmallVector<Expr> sizes;
    for (ArrayRef<int64_t> group : op.getReassociationIndices()) {
      Expr product = Expr::constant(context.getExprContext(), 1);
      for (int64_t part : group)
        product = product * source[part];
      sizes.push_back(product);
    }
    return rewriteView(op, op.getSrc(), sizes, context);
  }
};

struct ReshapeModel : OpModel<ReshapeModel, tensor::ReshapeOp> {
  LogicalResult rewrite(tensor::ReshapeOp op, NormalizeContext &context) const {
    SmallVector<Expr> sizes;
    DenseIntElementsAttr literal;
    if (auto list = op.getShape().getDefiningOp<tensor::FromElementsOp>()) {
      for (Value element : list.getElements())
        if (context.hasExpr(element))
          sizes.push_back(context.getExpr(element));
    } else if (matchPattern(op.getShape(), m_Constant(&literal))) {
      for (APInt size : literal)
        sizes.push_back(
            Expr::constant(context.getExprContext(), size.getSExtValue()));
    }
    auto type = dyn_cast<RankedTensorType>(op.getType());
    if (!type || int64_t(sizes.size()) != type.getRank())
      return op.emitOpError()
             << "has a shape operand that is not a list of extents";
    SmallVector<Expr> source = context.getExtents(op.getSource());
    Expr lhs = Expr::constant(context.getExprContext(), 1), rhs = lhs;
    for (Expr extent : source)
      lhs = lhs * extent;
    for (Expr extent : sizes)
      rhs = rhs * extent;
    if (failed(context.unify(op, lhs, rhs, "the operand's number of elements")))
      return failure();
    return rewriteView(op, op.getSource(), sizes, context);
  }
};

/// `gather_dims([0])` of one index is a lookup of rows.
struct GatherModel : OpModel<GatherModel, tensor::GatherOp> {
  LogicalResult rewrite(tensor::GatherOp op, NormalizeContext &context) const {
    SmallVector<Expr> indices = context.getExtents(op.getIndices());
    SmallVector<Expr> table = context.getExtents(op.getSource());
    if (op.getGatherDims() != ArrayRef<int64_t>{0} || indices.empty() ||
        !indices.back().isConstant(1))
      return op.emitOpError()
             << "gathers other dimensions than the first; only "
                "gather_dims([0]) with one index per row has a sharding rule";
    Location loc = op.getLoc();
    indices.pop_back();
    Value ids = context.lookup(op.getIndices());
    ids = buildReshape(
        context, loc, ids,
        context.getOpenType(cast<RankedTensorType>(ids.getType()), indices));
    bool dropped =
        op.getType().getRank() < int64_t(indices.size() + table.size());
    SmallVector<Expr> rows(indices);
    rows.append(table.begin() + 1, table.end());
    SmallVector<Expr> sizes(rows);
    if (!dropped)
      sizes.insert(sizes.begin() + indices.size(),
                   Expr::constant(context.getExprContext(), 1));
    FailureOr<RankedTensorType> type =
        context.getResultType(op, op.getResult(), sizes);
    if (failed(type))
      return failure();
    RankedTensorType rowsType =
        dropped ? *type : context.getOpenType(op.getType(), rows);
    Value result = EmbeddingOp::create(context.getBuilder(), loc, rowsType, ids,
                                       context.lookup(op.getSource()));
    context.map(op.getResult(), buildReshape(context, loc, result, *type));
    return success();
  }
};

struct GenerateModel : OpModel<GenerateModel, tensor::GenerateOp> {
  LogicalResult rewrite(tensor::GenerateOp op,
                        NormalizeContext &context) const {
    SmallVector<Expr> sizes;
    unsigned dynamic = 0;
    for (int64_t size : cast<RankedTensorType>(op.getType()).getShape())
      sizes.push_back(ShapedType::isDynamic(size)
                          ? context.getExpr(op.getDynamicExtents()[dynamic++])
                          : Expr::constant(context.getExprContext(), size));
    FailureOr<RankedTensorType> type =
        context.getResultType(op, op.getResult(), sizes);
    if (failed(type))
      return failure();
    GenericSpec spec = parallelSpec(*type, "generate");
    Block &body = op.getBody().front();
    IRMapping mapping;
    SmallVector<Value> captures;
    if (failed(collectCaptures(op, body, context, mapping, captures)))
      return failure();
    for (Value capture : captures)
      spec.captures.push_back(context.lookup(capture));
    auto buildBody = [&](OpBuilder &builder, ValueRange args) {
      for (auto [old, now] : llvm::zip_equal(captures, args))
        mapping.map(old, now);
      for (BlockArgument index : body.getArguments()) {
        auto now =
            IndexOp::create(builder, op.getLoc(), builder.getIndexType(),
                            builder.getI64IntegerAttr(index.getArgNumber()));
        mapping.map(index, now.getResult());
      }
      return cloneBody(builder, body, mapping);
    };
    context.map(op.getResult(),
                buildGeneric(context.getBuilder(), op.getLoc(), spec, buildBody)
                    .getResult(0));
    return success();
  }
};

/// Element (i0, i1, ...) is the scalar number  sum_k i_k * stride_k : a chain
/// of selects on that number.
struct FromElementsModel : OpModel<FromElementsModel, tensor::FromElementsOp> {
  LogicalResult rewrite(tensor::FromElementsOp op,
                        NormalizeContext &context) const {
    auto resultType = cast<RankedTensorType>(op.getType());
    SmallVector<Expr> sizes;
    for (int64_t size : resultType.getShape())
      sizes.push_back(Expr::constant(context.getExprContext(), size));
    FailureOr<RankedTensorType> type =
        context.getResultType(op, op.getResult(), sizes);
    if (failed(type))
      return failure();
    if (op.getElements().empty()) {
      Value zero = getZero(context, op.getLoc(), resultType.getElementType());
      context.map(op.getResult(),
                  buildFull(context.getBuilder(), op.getLoc(), *type, zero));
      return success();
    }
    SmallVector<Value> elements;
    for (Value element : op.getElements())
      elements.push_back(context.lookup(element));
    Location loc = op.getLoc();
    auto buildBody = [&](OpBuilder &builder, ValueRange) -> SmallVector<Value> {
      Value position = arith::ConstantIndexOp::create(builder, loc, 0);
      for (auto [dim, size] : llvm::enumerate(resultType.getShape())) {
        Value extent = arith::ConstantIndexOp::create(builder, loc, size);
        Value index = IndexOp::create(builder, loc, builder.getIndexType(),
                                      builder.getI64IntegerAttr(dim));
        position = arith::MulIOp::create(builder, loc, position, extent);
        position = arith::AddIOp::create(builder, loc, position, index);
      }
      Value chosen = elements.back();
      for (size_t i = 0; i + 1 < elements.size(); ++i) {
        Value number = arith::ConstantIndexOp::create(builder, loc, i);
        Value here = arith::CmpIOp::create(
            builder, loc, arith::CmpIPredicate::eq, position, number);
        chosen =
            arith::SelectOp::create(builder, loc, here, elements[i], chosen);
      }
      return {chosen};
    };
    context.map(op.getResult(),
                buildGeneric(context.getBuilder(), loc,
                             parallelSpec(*type, "from_elements"), buildBody)
                    .getResult(0));
    return success();
  }
};

} // namespace

void dtensor::registerTensorExtension(DialectRegistry &registry) {
  registry.addExtension(
      +[](MLIRContext *context, tensor::TensorDialect *, DTensorDialect *) {
        tensor::EmptyOp::attachInterface<EmptyModel>(*context);
        tensor::SplatOp::attachInterface<SplatModel>(*context);
        tensor::DimOp::attachInterface<DimModel>(*context);
        tensor::RankOp::attachInterface<RankModel>(*context);
        tensor::CastOp::attachInterface<CastModel>(*context);
        tensor::ExpandShapeOp::attachInterface<ExpandModel>(*context);
        tensor::CollapseShapeOp::attachInterface<CollapseModel>(*context);
        tensor::ReshapeOp::attachInterface<ReshapeModel>(*context);
        tensor::GatherOp::attachInterface<GatherModel>(*context);
        tensor::GenerateOp::attachInterface<GenerateModel>(*context);
        tensor::FromElementsOp::attachInterface<FromElementsModel>(*context);
        attachTensorSliceModels(context);
      });
}
