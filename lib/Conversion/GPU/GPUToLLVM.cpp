//===- GPUToLLVM.cpp - Device work to calls of the runtime ----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every call passes descriptors by address; they live in stack slots at the
// function's entry, so that a loop does not grow the stack.
//
//===----------------------------------------------------------------------===//

#include "dtensor/Conversion/GPU/GPUDialect.h"
#include "dtensor/Conversion/RuntimeDialect.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace dtensor;
using namespace dtensor::device;

namespace {
/// Values of LLVM's types next to an op that becomes a call.
class CallBuilder {
public:
  CallBuilder(ConversionPatternRewriter &rewriter, Location loc)
      : rewriter(rewriter), loc(loc) {}

  Value i64(int64_t value) { return constant(rewriter.getI64Type(), value); }
  Value i32(int64_t value) { return constant(rewriter.getI32Type(), value); }
  Value null() { return LLVM::ZeroOp::create(rewriter, loc, pointer()); }
  Type pointer() { return LLVM::LLVMPointerType::get(rewriter.getContext()); }

  /// Stack space for a value of `type` at the function's entry.
  Value slot(Type type) {
    OpBuilder::InsertionGuard guard(rewriter);
    Operation *parent = rewriter.getInsertionBlock()->getParentOp();
    while (!isa<FunctionOpInterface>(parent))
      parent = parent->getParentOp();
    rewriter.setInsertionPointToStart(
        &cast<FunctionOpInterface>(parent).getFunctionBody().front());
    return LLVM::AllocaOp::create(rewriter, loc, pointer(), type, i64(1));
  }

  Value spill(Value value) {
    Value address = slot(value.getType());
    LLVM::StoreOp::create(rewriter, loc, value, address);
    return address;
  }

  Value widen(Value flag) {
    return LLVM::ZExtOp::create(rewriter, loc, rewriter.getI32Type(), flag);
  }

  void store(Value value, Value array, unsigned index) {
    Value address = LLVM::GEPOp::create(
        rewriter, loc, pointer(), pointer(), array,
        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(index)});
    LLVM::StoreOp::create(rewriter, loc, value, address);
  }

  void call(Operation *op, StringRef callee, ValueRange operands) {
    rewriter.replaceOpWithNewOp<LLVM::CallOp>(op, TypeRange(), callee,
                                              operands);
  }

  /// The descriptor of a buffer with groups of its dimensions as dimensions.
  Value regroup(const LLVMTypeConverter &converter, Value descriptor,
                MemRefType type, ArrayRef<SmallVector<int64_t>> groups);
  /// The descriptor with dimension `dims[i]` of `buffer` as dimension i.
  Value permute(const LLVMTypeConverter &converter, Value buffer,
                Value descriptor, ArrayRef<int64_t> dims);

private:
  Value constant(Type type, int64_t value) {
    return LLVM::ConstantOp::create(rewriter, loc, type,
                                    rewriter.getIntegerAttr(type, value));
  }

  ConversionPatternRewriter &rewriter;
  Location loc;
};
} // namespace

// Size: the product of the sizes; stride: that of the last dimension. An extent
// of 1 has the stride of a whole row.
Value CallBuilder::regroup(const LLVMTypeConverter &converter, Value descriptor,
                           MemRefType type,
                           ArrayRef<SmallVector<int64_t>> groups) {
  SmallVector<int64_t> dynamic(groups.size(), ShapedType::kDynamic);
  auto layout =
      StridedLayoutAttr::get(type.getContext(), ShapedType::kDynamic, dynamic);
  auto regrouped = MemRefType::get(dynamic, type.getElementType(), layout);
  MemRefDescriptor from(descriptor);
  auto to =
      MemRefDescriptor::poison(rewriter, loc, converter.convertType(regrouped));
  to.setAllocatedPtr(rewriter, loc, from.allocatedPtr(rewriter, loc));
  to.setAlignedPtr(rewriter, loc, from.alignedPtr(rewriter, loc));
  to.setOffset(rewriter, loc, from.offset(rewriter, loc));
  Value row = i64(1);
  for (unsigned i = groups.size(); i-- > 0;) {
    Value size = i64(1);
    for (int64_t dim : groups[i])
      size = LLVM::MulOp::create(rewriter, loc, size,
                                 from.size(rewriter, loc, dim));
    if (i + 1 == groups.size())
      row = LLVM::UMaxOp::create(rewriter, loc, row, size);
    to.setSize(rewriter, loc, i, size);
    to.setStride(
        rewriter, loc, i,
        groups[i].empty() ? row : from.stride(rewriter, loc, groups[i].back()));
  }
  return to;
}

Value CallBuilder::permute(const LLVMTypeConverter &converter, Value buffer,
                           Value descriptor, ArrayRef<int64_t> dims) {
  SmallVector<SmallVector<int64_t>> groups;
  for (int64_t dim : dims)
    groups.push_back({dim});
  return regroup(converter, descriptor, cast<MemRefType>(buffer.getType()),
                 groups);
}

static SmallVector<SmallVector<int64_t>> readGroups(ArrayAttr attr) {
  SmallVector<SmallVector<int64_t>> groups;
  for (Attribute group : attr)
    groups.emplace_back(
        llvm::map_range(cast<ArrayAttr>(group), [](Attribute dim) {
          return cast<IntegerAttr>(dim).getInt();
        }));
  return groups;
}

static Value runtimeType(CallBuilder &builder, Value buffer) {
  Type element = cast<MemRefType>(buffer.getType()).getElementType();
  return builder.i32(*getRuntimeDType(element));
}

static Value rankOf(CallBuilder &builder, Value buffer) {
  return builder.i64(cast<MemRefType>(buffer.getType()).getRank());
}

namespace {
struct LowerMatmul : ConvertOpToLLVMPattern<MatmulOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult
  matchAndRewrite(MatmulOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto dest = dyn_cast<MemRefType>(op.getDest().getType());
    if (!dest)
      return rewriter.notifyMatchFailure(op, "not on buffers");
    CallBuilder builder(rewriter, op.getLoc());
    auto [lhs, transLhs] =
        operand(builder, op.getLhs(), adaptor.getLhs(), op.getLhsDims());
    auto [rhs, transRhs] =
        operand(builder, op.getRhs(), adaptor.getRhs(), op.getRhsDims());
    Value result =
        builder.spill(builder.regroup(*getTypeConverter(), adaptor.getDest(),
                                      dest, readGroups(op.getDestDims())));
    Value bias =
        op.getBias() ? builder.spill(adaptor.getBias()) : builder.null();
    auto [addend, adds] = addendOf(builder, op, adaptor);
    builder.call(
        op, "dtensor_rt_matmul",
        {adaptor.getRankContext(), builder.i64(op.getDestDims().size()), lhs,
         rhs, result, builder.i32(transLhs), builder.i32(transRhs),
         runtimeType(builder, op.getLhs()), runtimeType(builder, op.getDest()),
         builder.i32(op.getEpilogue()), bias, addend, adds});
    return success();
  }

  // Its dimensions are those of the result.
  std::pair<Value, Value> addendOf(CallBuilder &builder, MatmulOp op,
                                   OpAdaptor adaptor) const {
    if (!op.getAddend())
      return {builder.null(), builder.i32(0)};
    Value addend = builder.spill(
        builder.regroup(*getTypeConverter(), adaptor.getAddend(),
                        cast<MemRefType>(op.getAddend().getType()),
                        readGroups(op.getDestDims())));
    Value adds =
        op.getAdds() ? builder.widen(adaptor.getAdds()) : builder.i32(1);
    return {addend, adds};
  }

  // The descriptor with its memory's last dimension last, and whether that
  // swaps rows and columns.
  std::pair<Value, bool> operand(CallBuilder &builder, Value buffer,
                                 Value descriptor, ArrayAttr dims) const {
    auto type = cast<MemRefType>(buffer.getType());
    SmallVector<SmallVector<int64_t>> groups = readGroups(dims);
    unsigned rank = groups.size();
    bool transposed = llvm::is_contained(groups[rank - 2], type.getRank() - 1);
    if (transposed)
      std::swap(groups[rank - 2], groups[rank - 1]);
    Value regrouped =
        builder.regroup(*getTypeConverter(), descriptor, type, groups);
    return {builder.spill(regrouped), transposed};
  }
};

struct LowerAttention : ConvertOpToLLVMPattern<AttentionOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  // The address of the number, or null.
  Value shiftOf(AttentionOp op, OpAdaptor adaptor,
                ConversionPatternRewriter &rewriter) const {
    if (!op.getShift())
      return LLVM::ZeroOp::create(
          rewriter, op.getLoc(),
          LLVM::LLVMPointerType::get(rewriter.getContext()));
    return MemRefDescriptor(adaptor.getShift())
        .bufferPtr(rewriter, op.getLoc(), *getTypeConverter(),
                   cast<MemRefType>(op.getShift().getType()));
  }

  LogicalResult
  matchAndRewrite(AttentionOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!isa<MemRefType>(op.getKey().getType()))
      return rewriter.notifyMatchFailure(op, "not on buffers");
    CallBuilder builder(rewriter, op.getLoc());
    Location loc = op.getLoc();
    auto operand = [&](Value buffer, Value descriptor, ArrayRef<int64_t> dims) {
      return builder.permute(*getTypeConverter(), buffer, descriptor, dims);
    };
    Value key = operand(op.getKey(), adaptor.getKey(), op.getKeyDims());
    // j <= i + diagonal, told as j <= offset + i + keys - total.
    Value total =
        MemRefDescriptor(key).size(rewriter, loc, op.getKeyDims().size() - 2);
    builder.call(op, "dtensor_rt_attention",
                 {adaptor.getRankContext(),
                  builder.spill(operand(op.getQuery(), adaptor.getQuery(),
                                        op.getQueryDims())),
                  builder.spill(key),
                  builder.spill(operand(op.getValue(), adaptor.getValue(),
                                        op.getValueDims())),
                  builder.spill(operand(op.getDest(), adaptor.getDest(),
                                        op.getDestDims())),
                  rankOf(builder, op.getQuery()),
                  runtimeType(builder, op.getQuery()), adaptor.getScale(),
                  builder.i32(op.getCausal()), adaptor.getDiagonal(), total,
                  shiftOf(op, adaptor, rewriter)});
    return success();
  }
};

template <class OpTy>
struct LowerAttentionGrad : ConvertOpToLLVMPattern<OpTy> {
  using ConvertOpToLLVMPattern<OpTy>::ConvertOpToLLVMPattern;
  using OpAdaptor = typename OpTy::Adaptor;

  LogicalResult
  matchAndRewrite(OpTy op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!isa<MemRefType>(op.getKey().getType()))
      return rewriter.notifyMatchFailure(op, "not on buffers");
    CallBuilder builder(rewriter, op.getLoc());
    auto spill = [&](Value buffer, Value descriptor, ArrayRef<int64_t> dims) {
      return builder.spill(
          builder.permute(*this->getTypeConverter(), buffer, descriptor, dims));
    };
    SmallVector<Value> operands = {
        adaptor.getRankContext(),
        spill(op.getGrad(), adaptor.getGrad(), op.getGradDims()),
        spill(op.getQuery(), adaptor.getQuery(), op.getQueryDims()),
        spill(op.getKey(), adaptor.getKey(), op.getKeyDims()),
        spill(op.getValue(), adaptor.getValue(), op.getValueDims())};
    std::string callee = "dtensor_rt_";
    callee += op->getName().stripDialect();
    if constexpr (std::is_same_v<OpTy, AttentionQueryGradOp>)
      operands.append({builder.spill(adaptor.getDelta()),
                       spill(op.getGradQuery(), adaptor.getGradQuery(),
                             op.getGradQueryDims()),
                       builder.spill(adaptor.getLogsumexp())});
    else
      operands.append(
          {builder.spill(adaptor.getLogsumexp()),
           builder.spill(adaptor.getDelta()),
           spill(op.getGradKey(), adaptor.getGradKey(), op.getGradKeyDims()),
           spill(op.getGradValue(), adaptor.getGradValue(),
                 op.getGradValueDims())});
    operands.append({rankOf(builder, op.getQuery()),
                     runtimeType(builder, op.getQuery()), adaptor.getScale(),
                     builder.i32(op.getCausal()), adaptor.getDiagonal()});
    builder.call(op, callee, operands);
    return success();
  }
};

struct LowerCopy : ConvertOpToLLVMPattern<device::CopyOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult
  matchAndRewrite(device::CopyOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    CallBuilder builder(rewriter, op.getLoc());
    builder.call(op, "dtensor_rt_copy",
                 {adaptor.getRankContext(), rankOf(builder, op.getSource()),
                  builder.spill(adaptor.getSource()),
                  builder.spill(adaptor.getDest()),
                  runtimeType(builder, op.getSource())});
    return success();
  }
};

struct LowerFill : ConvertOpToLLVMPattern<device::FillOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult
  matchAndRewrite(device::FillOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    CallBuilder builder(rewriter, op.getLoc());
    builder.call(op, "dtensor_rt_fill",
                 {adaptor.getRankContext(), rankOf(builder, op.getDest()),
                  builder.spill(adaptor.getDest()),
                  runtimeType(builder, op.getDest()),
                  bits(rewriter, op.getLoc(), adaptor.getValue())});
    return success();
  }

  Value bits(ConversionPatternRewriter &rewriter, Location loc,
             Value value) const {
    Type type = value.getType();
    if (isa<FloatType>(type)) {
      type = rewriter.getIntegerType(type.getIntOrFloatBitWidth());
      value = LLVM::BitcastOp::create(rewriter, loc, type, value);
    }
    if (type.getIntOrFloatBitWidth() == 64)
      return value;
    return LLVM::ZExtOp::create(rewriter, loc, rewriter.getI64Type(), value);
  }
};

struct LowerLaunch : ConvertOpToLLVMPattern<LaunchOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult
  matchAndRewrite(LaunchOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!op.getIndex())
      return rewriter.notifyMatchFailure(op, "kernel has no number");
    CallBuilder builder(rewriter, op.getLoc());
    unsigned count = op.getParams().size();
    Value params = builder.slot(
        LLVM::LLVMArrayType::get(builder.pointer(), std::max(count, 1u)));
    for (auto [i, param] : llvm::enumerate(adaptor.getParams()))
      builder.store(builder.spill(param), params, i);
    Value cluster =
        op.getCluster() ? adaptor.getCluster() : builder.i64(/*none*/ 0);
    builder.call(op, "dtensor_rt_launch_kernel",
                 {adaptor.getRankContext(), builder.i32(*op.getIndex()),
                  adaptor.getGrid(), adaptor.getBlock(), cluster,
                  builder.i64(/*shared memory*/ 0), params,
                  builder.i64(count)});
    return success();
  }
};
} // namespace

void dtensor::populateDeviceToLLVMPatterns(const LLVMTypeConverter &converter,
                                           RewritePatternSet &patterns) {
  patterns.add<LowerMatmul, LowerAttention,
               LowerAttentionGrad<AttentionQueryGradOp>,
               LowerAttentionGrad<AttentionKeyValueGradOp>, LowerCopy,
               LowerFill, LowerLaunch>(converter);
}
