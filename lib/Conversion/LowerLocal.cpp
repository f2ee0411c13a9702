//===- LowerLocal.cpp - Local ops to linalg, tensor and runtime calls -----===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Conversion/Passes.h"
#include "dtensor/Conversion/RuntimeDialect.h"

#include "dtensor-rt/CompiledABI.h"
#include "dtensor/Dialect/DTensor/IR/DTensor.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/TypeSwitch.h"

namespace dtensor {
#define GEN_PASS_DEF_LOWERLOCAL
#include "dtensor/Conversion/Passes.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;

namespace {
/// A scalar that a runtime function takes after source and destination.
using Scalar = Value;

class LocalLowering {
public:
  LocalLowering(func::FuncOp function, RewriterBase &rewriter)
      : function(function), rewriter(rewriter) {}

  LogicalResult lower(Operation *op) {
    rewriter.setInsertionPoint(op);
    loc = op->getLoc();
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case<AllGatherOp, AllReduceOp, ReduceScatterOp, AllToAllOp,
              CollectivePermuteOp>(
            [&](auto collective) { return lowerCollective(collective); })
        .Case<ShardSliceOp>([&](auto slice) { return lowerSlice(slice); })
        .Case<AxisSizeOp>([&](AxisSizeOp size) {
          return replaceByArgument(size, "dtensor.axis_size",
                                   size.getMesh().getMesh());
        })
        .Case<AxisIndexOp>([&](AxisIndexOp index) {
          return replaceByArgument(index, "dtensor.axis_index",
                                   index.getMesh().getMesh());
        })
        .Case<AttentionOp, AttentionQueryGradOp, AttentionKeyValueGradOp>(
            [&](auto attention) {
              rewriter.replaceOp(attention,
                                 lowerAttentionToLinalg(rewriter, attention));
              return success();
            })
        .Case<ScatterOp, ScanOp, SortOp, MergeOp>([&](Operation *ordered) {
          rewriter.replaceOp(ordered, lowerOrderedToLoops(rewriter, ordered));
          return success();
        })
        .Case<CheckOp>([&](CheckOp check) { return lowerCheck(check); })
        .Default([&](Operation *other) -> LogicalResult {
          return other->emitOpError(
              "has no lowering to the local program of one rank");
        });
  }

private:
  //===--------------------------------------------------------------------===//
  // Arguments of the function
  //===--------------------------------------------------------------------===//

  Value findArgument(StringRef attribute, StringRef axis) {
    for (BlockArgument argument : function.getArguments()) {
      auto name = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                        attribute);
      if (name && name.getValue() == axis)
        return argument;
    }
    return {};
  }

  template <class OpTy>
  LogicalResult replaceByArgument(OpTy op, StringRef attribute,
                                  const Mesh &mesh) {
    Value argument = findArgument(attribute, op.getAxis());
    if (!argument)
      return op.emitOpError("needs an argument of the function with ")
             << attribute << " = \"" << op.getAxis() << "\"";
    rewriter.replaceOp(op, argument);
    return success();
  }

  FailureOr<Value> buildGroupSize(Operation *op, const Mesh &mesh,
                                  ArrayRef<int64_t> axes) {
    Value size = arith::ConstantIndexOp::create(rewriter, loc, 1);
    for (int64_t axis : axes) {
      Value factor;
      if (std::optional<int64_t> known = mesh.knownSize(axis))
        factor = arith::ConstantIndexOp::create(rewriter, loc, *known);
      else
        factor = findArgument("dtensor.axis_size", mesh.getName(axis));
      if (!factor)
        return op->emitOpError("needs an argument of the function with "
                               "dtensor.axis_size = \"")
               << mesh.getName(axis) << "\"";
      size = arith::MulIOp::create(rewriter, loc, size, factor);
    }
    return size;
  }

  //===--------------------------------------------------------------------===//
  // Collectives
  //===--------------------------------------------------------------------===//

  Value i64(int64_t value) {
    return arith::ConstantIntOp::create(rewriter, loc, value, 64);
  }
  Value i32(int64_t value) {
    return arith::ConstantIntOp::create(rewriter, loc, value, 32);
  }
  Value i64(Value index) {
    return arith::IndexCastOp::create(rewriter, loc, rewriter.getI64Type(),
                                      index);
  }

  Value packAxes(ArrayRef<int64_t> axes) {
    rt::PackedAxes packed = 0;
    for (auto [count, axis] : llvm::enumerate(axes))
      packed = rt::packAxis(packed, count, axis);
    return i64(packed);
  }

  // The unit in which a group cuts a dimension.
  Value unitOf(Value unit) { return unit ? i64(unit) : i64(1); }

  // An average is a sum first.
  Value reduceCode(ReduceKind kind) {
    switch (kind) {
    case ReduceKind::Sum:
    case ReduceKind::Avg:
      return i32(static_cast<int32_t>(rt::Reduce::Sum));
    case ReduceKind::Max:
      return i32(static_cast<int32_t>(rt::Reduce::Max));
    case ReduceKind::Min:
      return i32(static_cast<int32_t>(rt::Reduce::Min));
    case ReduceKind::Product:
      return i32(static_cast<int32_t>(rt::Reduce::Product));
    }
    llvm_unreachable("all kinds are handled");
  }

  Value sizeOf(Value tensor, unsigned dim) {
    return getValueOrCreateConstantIndexOp(
        rewriter, loc, tensor::getMixedSize(rewriter, loc, tensor, dim));
  }

  SmallVector<Value> sizesOf(Value tensor) {
    SmallVector<Value> sizes;
    unsigned rank = cast<RankedTensorType>(tensor.getType()).getRank();
    for (unsigned dim = 0; dim < rank; ++dim)
      sizes.push_back(sizeOf(tensor, dim));
    return sizes;
  }

  SmallVector<Value> resultSizes(AllGatherOp op) {
    SmallVector<Value> sizes = sizesOf(op.getInput());
    sizes[op.getDim()] = op.getExtent();
    return sizes;
  }
  SmallVector<Value> resultSizes(AllReduceOp op) {
    return sizesOf(op.getInput());
  }
  SmallVector<Value> resultSizes(ReduceScatterOp op) {
    SmallVector<Value> sizes = sizesOf(op.getInput());
    sizes[op.getDim()] = op.getSize();
    return sizes;
  }
  SmallVector<Value> resultSizes(AllToAllOp op) {
    SmallVector<Value> sizes = sizesOf(op.getInput());
    sizes[op.getGatherDim()] = op.getExtent();
    sizes[op.getSplitDim()] = op.getSize();
    return sizes;
  }
  SmallVector<Value> resultSizes(CollectivePermuteOp op) {
    SmallVector<Value> sizes;
    unsigned dynamic = 0;
    for (int64_t size : op.getType().getShape())
      sizes.push_back(
          ShapedType::isDynamic(size)
              ? Value(op.getSizes()[dynamic++])
              : Value(arith::ConstantIndexOp::create(rewriter, loc, size)));
    return sizes;
  }

  SmallVector<Scalar> buildScalars(AllGatherOp op) {
    return {i64(op.getDim()), unitOf(op.getUnit()), packAxes(op.getAxes())};
  }
  SmallVector<Scalar> buildScalars(AllReduceOp op) {
    return {packAxes(op.getAxes()), reduceCode(kindOf(op))};
  }
  SmallVector<Scalar> buildScalars(ReduceScatterOp op) {
    return {i64(op.getDim()), i64(op.getOffset()), unitOf(op.getUnit()),
            packAxes(op.getAxes()), reduceCode(kindOf(op))};
  }
  SmallVector<Scalar> buildScalars(AllToAllOp op) {
    return {i64(op.getGatherDim()), unitOf(op.getGatherUnit()),
            i64(op.getSplitDim()),  i64(op.getOffset()),
            unitOf(op.getUnit()),   packAxes(op.getAxes())};
  }
  SmallVector<Scalar> buildScalars(CollectivePermuteOp op) {
    return {i64(op.getSource()), packAxes(op.getAxes())};
  }

  template <class OpTy>
  static ReduceKind kindOf(OpTy op) {
    if constexpr (std::is_same_v<OpTy, AllReduceOp> ||
                  std::is_same_v<OpTy, ReduceScatterOp>)
      return static_cast<ReduceKind>(op.getKind());
    return ReduceKind::Sum;
  }

  template <class OpTy>
  LogicalResult lowerCollective(OpTy op) {
    RankedTensorType type = op.getType();
    std::optional<int32_t> dtype = getTensorDType(type.getElementType());
    if (!dtype)
      return op.emitOpError("moves elements of type ")
             << type.getElementType() << ", which the runtime does not know";
    SmallVector<Value> dynamic;
    for (auto [size, value] : llvm::zip(type.getShape(), resultSizes(op)))
      if (ShapedType::isDynamic(size))
        dynamic.push_back(value);
    Value dest = tensor::EmptyOp::create(rewriter, loc, type.getShape(),
                                         type.getElementType(), dynamic);
    SmallVector<Scalar> scalars = buildScalars(op);
    scalars.push_back(i32(*dtype));
    std::string callee = ("dtensor_rt_" + op->getName().stripDialect()).str();
    auto call = runtime::CollectiveOp::create(rewriter, loc, type, callee,
                                              getContextArgument(function),
                                              op.getInput(), dest, scalars);
    call->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    Value result = call.getResult();
    if (kindOf(op) == ReduceKind::Avg) {
      FailureOr<Value> count =
          buildGroupSize(op, op.getMesh().getMesh(), op.getAxes());
      if (failed(count))
        return failure();
      result = divide(result, *count);
    }
    rewriter.replaceOp(op, result);
    return success();
  }

  // Half precision divides in f32, so that the sum is rounded once more only.
  Value divide(Value tensor, Value count) {
    auto type = cast<RankedTensorType>(tensor.getType());
    Type element = type.getElementType();
    Type wide = element;
    if (isa<FloatType>(element) && element.getIntOrFloatBitWidth() < 32)
      wide = rewriter.getF32Type();
    Value divisor = i64(count);
    if (isa<FloatType>(wide))
      divisor = arith::SIToFPOp::create(rewriter, loc, wide, divisor);
    else
      divisor = convertInteger(divisor, wide);
    AffineMap map = rewriter.getMultiDimIdentityMap(type.getRank());
    SmallVector<utils::IteratorType> kinds(type.getRank(),
                                           utils::IteratorType::parallel);
    return linalg::GenericOp::create(
               rewriter, loc, type, tensor, tensor, ArrayRef{map, map}, kinds,
               [&](OpBuilder &builder, Location loc, ValueRange args) {
                 linalg::YieldOp::create(
                     builder, loc, divideScalar(builder, args[0], divisor));
               })
        .getResult(0);
  }

  Value divideScalar(OpBuilder &builder, Value value, Value divisor) {
    Type element = value.getType(), wide = divisor.getType();
    if (!isa<FloatType>(element))
      return arith::DivSIOp::create(builder, loc, value, divisor);
    if (element != wide)
      value = arith::ExtFOp::create(builder, loc, wide, value);
    value = arith::DivFOp::create(builder, loc, value, divisor);
    if (element != wide)
      value = arith::TruncFOp::create(builder, loc, element, value);
    return value;
  }

  Value convertInteger(Value value, Type type) {
    if (value.getType() == type)
      return value;
    return arith::TruncIOp::create(rewriter, loc, type, value);
  }

  //===--------------------------------------------------------------------===//
  // Others
  //===--------------------------------------------------------------------===//

  LogicalResult lowerSlice(ShardSliceOp op) {
    auto type = cast<RankedTensorType>(op.getType());
    unsigned rank = type.getRank();
    SmallVector<OpFoldResult> offsets(rank, rewriter.getIndexAttr(0)),
        sizes = tensor::getMixedSizes(rewriter, loc, op.getInput()),
        strides(rank, rewriter.getIndexAttr(1));
    unsigned dim = op.getDim();
    offsets[dim] = op.getOffset();
    sizes[dim] = op.getSize();
    if (!type.isDynamicDim(dim))
      sizes[dim] = rewriter.getIndexAttr(type.getDimSize(dim));
    Value slice = tensor::ExtractSliceOp::create(rewriter, loc, op.getInput(),
                                                 offsets, sizes, strides);
    if (slice.getType() != type)
      slice = tensor::CastOp::create(rewriter, loc, type, slice);
    rewriter.replaceOp(op, slice);
    return success();
  }

  LogicalResult lowerCheck(CheckOp op) {
    Value one = arith::ConstantIntOp::create(rewriter, loc, 1, 1);
    Value broken = arith::XOrIOp::create(rewriter, loc, op.getCondition(), one);
    scf::IfOp::create(
        rewriter, loc, broken, [&](OpBuilder &builder, Location loc) {
          runtime::FailOp::create(builder, loc, getContextArgument(function),
                                  op.getMessageAttr(), op.getLhs(),
                                  op.getRhs());
          scf::YieldOp::create(builder, loc);
        });
    rewriter.eraseOp(op);
    return success();
  }

  func::FuncOp function;
  RewriterBase &rewriter;
  Location loc = function.getLoc();
};

struct LowerLocal : dtensor::impl::LowerLocalBase<LowerLocal> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      SmallVector<Operation *> ops;
      function.walk([&](Operation *op) {
        if (op != function && isa_and_nonnull<DTensorDialect>(op->getDialect()))
          ops.push_back(op);
      });
      if (!ops.empty() && !getContextArgument(function)) {
        function.emitOpError("has no context argument");
        return signalPassFailure();
      }
      LocalLowering lowering(function, rewriter);
      for (Operation *op : ops)
        if (failed(lowering.lower(op)))
          return signalPassFailure();
    }
  }
};
} // namespace
