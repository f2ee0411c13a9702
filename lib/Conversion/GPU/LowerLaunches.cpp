//===- LowerLaunches.cpp - Which kernel runs, on how many threads ---------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   T       threads of a row: the power of two at or above inner / perThread,
//           at most the block
//   rows    blocks = ceil(rows * T / block)
//   cluster B about inner / (512 * perThread), blocks = rows * B of
//           T = inner / (B * perThread) threads, rounded up to whole warps
//   chunks  blocks = ceil(rows * T / block) * ceil(inner / (T * perThread))
//
//===----------------------------------------------------------------------===//

#include "OutlineLoops.h"
#include "Variant.h"
#include "dtensor/Conversion/GPU/GPUDialect.h"
#include "dtensor/Conversion/GPU/GPUPasses.h"
#include "dtensor/Conversion/RuntimeDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace dtensor {
#define GEN_PASS_DEF_GPULOWERLAUNCHES
#include "dtensor/Conversion/GPU/GPUPasses.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;

namespace {
class LaunchBuilder {
public:
  LaunchBuilder(device::ComputeOp op, RewriterBase &builder)
      : op(op), builder(builder), loc(op.getLoc()) {
    llvm::append_range(operands, op.getInputs());
    llvm::append_range(operands, op.getOutputs());
    for (Value operand : operands)
      metadata.push_back(
          memref::ExtractStridedMetadataOp::create(builder, loc, operand));
    for (Attribute attr : op.getVariants())
      variants.push_back(Variant::fromAttr(cast<DictionaryAttr>(attr)));
  }

  void build() { buildChoice(0); }

private:
  void buildChoice(unsigned number) {
    const Variant &variant = variants[number];
    Value fits = buildConditions(variant);
    if (number + 1 == variants.size() || matchPattern(fits, m_One()))
      return launch(variant);
    if (matchPattern(fits, m_Zero()))
      return buildChoice(number + 1);
    auto branch =
        scf::IfOp::create(builder, loc, fits, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    launch(variant);
    builder.setInsertionPointToStart(branch.elseBlock());
    buildChoice(number + 1);
  }

  //===--------------------------------------------------------------------===//
  // Small arithmetic
  //===--------------------------------------------------------------------===//

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(builder, loc, value);
  }
  Value mul(Value lhs, Value rhs) {
    return builder.createOrFold<arith::MulIOp>(loc, lhs, rhs);
  }
  Value compare(arith::CmpIPredicate predicate, Value lhs, Value rhs) {
    return builder.createOrFold<arith::CmpIOp>(loc, predicate, lhs, rhs);
  }
  Value ceilDiv(Value value, Value by) {
    Value last = builder.createOrFold<arith::AddIOp>(
        loc, value, builder.createOrFold<arith::SubIOp>(loc, by, index(1)));
    return builder.createOrFold<arith::DivUIOp>(loc, last, by);
  }
  Value isMultiple(Value value, int64_t of) {
    Value rest = builder.createOrFold<arith::RemUIOp>(loc, value, index(of));
    return compare(arith::CmpIPredicate::eq, rest, index(0));
  }

  Value stride(int64_t operand, int64_t dim) {
    auto type = cast<MemRefType>(operands[operand].getType());
    SmallVector<int64_t> strides;
    int64_t offset;
    if (succeeded(type.getStridesAndOffset(strides, offset)) &&
        !ShapedType::isDynamic(strides[dim]))
      return index(strides[dim]);
    return metadata[operand].getStrides()[dim];
  }
  Value size(int64_t operand, int64_t dim) {
    auto type = cast<MemRefType>(operands[operand].getType());
    if (!type.isDynamicDim(dim))
      return index(type.getDimSize(dim));
    return metadata[operand].getSizes()[dim];
  }
  Value extent(int64_t mask) {
    Value product = index(1);
    for (auto [dim, value] : llvm::enumerate(op.getExtents()))
      if (mask >> dim & 1)
        product = mul(product, value);
    return product;
  }

  // Of the first element, in bytes.
  Value address(int64_t operand) {
    Value base = memref::ExtractAlignedPointerAsIndexOp::create(
        builder, loc, operands[operand]);
    Type element =
        cast<MemRefType>(operands[operand].getType()).getElementType();
    int64_t bytes =
        element.isIndex() ? 8 : (element.getIntOrFloatBitWidth() + 7) / 8;
    Value offset = mul(metadata[operand].getOffset(), index(bytes));
    return builder.createOrFold<arith::AddIOp>(loc, base, offset);
  }

  //===--------------------------------------------------------------------===//
  // Conditions
  //===--------------------------------------------------------------------===//

  Value buildCondition(const Condition &c) {
    switch (c.kind) {
    case ConditionKind::UnitStride:
      return compare(arith::CmpIPredicate::eq, stride(c.a, c.b), index(1));
    case ConditionKind::Collapsible:
      return isCollapsible(c.a, c.b);
    case ConditionKind::Aligned:
      return isMultiple(address(c.a), c.b);
    case ConditionKind::StrideMultiple:
      return isMultiple(stride(c.a, c.b), c.c);
    case ConditionKind::ExtentMultiple:
      return isMultiple(extent(c.a), c.b);
    case ConditionKind::ExtentAtMost:
      return compare(arith::CmpIPredicate::ule, extent(c.a), index(c.b));
    case ConditionKind::ExtentAbove:
      return compare(arith::CmpIPredicate::ugt, extent(c.a), index(c.b));
    }
    llvm_unreachable("all kinds are handled");
  }

  Value isCollapsible(int64_t operand, int64_t dim) {
    auto type = cast<MemRefType>(operands[operand].getType());
    if (type.getLayout().isIdentity())
      return arith::ConstantIntOp::create(builder, loc, 1, 1);
    return compare(arith::CmpIPredicate::eq, stride(operand, dim),
                   mul(size(operand, dim + 1), stride(operand, dim + 1)));
  }

  Value buildConditions(const Variant &variant) {
    Value all = arith::ConstantIntOp::create(builder, loc, 1, 1);
    for (const Condition &condition : variant.conditions)
      all = builder.createOrFold<arith::AndIOp>(loc, all,
                                                buildCondition(condition));
    return all;
  }

  //===--------------------------------------------------------------------===//
  // The launch
  //===--------------------------------------------------------------------===//

  // log2 of the power of two at or above `value`, at most `limit`.
  Value logThreads(Value value, int64_t limit) {
    Value log = index(0);
    for (int64_t power = 1; power < limit; power *= 2) {
      Value above = compare(arith::CmpIPredicate::ugt, value, index(power));
      Value one = arith::IndexCastUIOp::create(builder, loc,
                                               builder.getIndexType(), above);
      log = builder.createOrFold<arith::AddIOp>(loc, log, one);
    }
    return log;
  }

  // Of a cluster: as few as hold the row, unless they would be so small that a
  // processor has room for two of half their size. Seven leave as many
  // processors without work as eight.
  Value countBlocks(Value inner, const Variant &variant) {
    int64_t most = variant.perThread * variant.maxThreads;
    Value few = ceilDiv(inner, index(most));
    Value small = compare(arith::CmpIPredicate::ule, ceilDiv(inner, few),
                          index(most * 5 / 8));
    few = arith::SelectOp::create(builder, loc, small,
                                  ceilDiv(inner, index(most / 2)), few);
    Value isSeven = compare(arith::CmpIPredicate::eq, few, index(7));
    return arith::SelectOp::create(builder, loc, isSeven, index(8), few);
  }

  void launch(const Variant &variant) {
    Value rows = extent(variant.rows), inner = extent(variant.inner);
    Value block = index(kBlock), grid;
    Value cluster;
    log = chunks = index(0);
    switch (variant.geometry) {
    case Geometry::Columns:
      grid = ceilDiv(rows, index(kColumnRows));
      break;
    case Geometry::Cluster:
      cluster = countBlocks(inner, variant);
      block = ceilDiv(ceilDiv(inner, cluster), index(variant.perThread));
      block = mul(ceilDiv(block, index(kWarp)), index(kWarp));
      grid = mul(rows, cluster);
      cluster = toInteger(cluster, 64);
      break;
    case Geometry::Rows:
    case Geometry::Chunks: {
      bool isRows = variant.geometry == Geometry::Rows;
      log = logThreads(ceilDiv(inner, index(variant.perThread)),
                       variant.maxThreads);
      Value threads = arith::ShLIOp::create(builder, loc, index(1), log);
      if (isRows)
        block = arith::MaxUIOp::create(builder, loc, block, threads);
      grid = ceilDiv(mul(rows, threads), block);
      if (!isRows) {
        chunks = ceilDiv(inner, mul(threads, index(variant.perThread)));
        grid = mul(grid, chunks);
      }
      break;
    }
    }
    SmallVector<Value> params;
    for (const Param &param : variant.params)
      params.push_back(buildParam(param));
    device::LaunchOp::create(builder, loc, op.getRankContext(), variant.kernel,
                             toInteger(grid, 64), toInteger(block, 64), cluster,
                             params, IntegerAttr());
  }

  Value toInteger(Value value, unsigned bits) {
    return arith::IndexCastOp::create(builder, loc,
                                      builder.getIntegerType(bits), value);
  }

  Value buildParam(const Param &param) {
    switch (param.kind) {
    case ParamKind::Pointer: {
      auto type = LLVM::LLVMPointerType::get(builder.getContext());
      return LLVM::IntToPtrOp::create(builder, loc, type,
                                      toInteger(address(param.a), 64));
    }
    case ParamKind::Stride:
      return toInteger(stride(param.a, param.b), 64);
    case ParamKind::Size:
      return toInteger(size(param.a, param.b), 64);
    case ParamKind::Extent:
      return toInteger(extent(param.a), 64);
    case ParamKind::Scalar:
      return buildScalar(op.getScalars()[param.a]);
    case ParamKind::LogThreads:
      return toInteger(log, 32);
    case ParamKind::Chunks:
      return toInteger(chunks, 64);
    }
    llvm_unreachable("all kinds are handled");
  }

  Value buildScalar(Value value) {
    if (value.getType().isIndex())
      return toInteger(value, 64);
    if (value.getType().isInteger(1))
      return arith::ExtUIOp::create(builder, loc, builder.getI8Type(), value);
    return value;
  }

  device::ComputeOp op;
  RewriterBase &builder;
  Location loc;
  SmallVector<Value> operands;
  SmallVector<memref::ExtractStridedMetadataOp> metadata;
  SmallVector<Variant> variants;
  Value log, chunks;
};

struct GPULowerLaunches
    : dtensor::impl::GPULowerLaunchesBase<GPULowerLaunches> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (failed(lower(function, rewriter)))
        return signalPassFailure();
  }

  // What decides at run time which buffers to free works on lists of addresses
  // and flags. They are the host's: they move to its stack.
  static bool isFreeingHelper(func::FuncOp function) {
    return function.isPrivate() && !function.isExternal() &&
           !getContextArgument(function);
  }

  static bool isHostList(memref::AllocOp alloc) {
    bool isPassed = false;
    SmallVector<Value> work = {alloc.getResult()};
    while (!work.empty()) {
      for (Operation *user : work.pop_back_val().getUsers()) {
        if (auto cast = dyn_cast<memref::CastOp>(user))
          work.push_back(cast.getResult());
        else if (auto call = dyn_cast<func::CallOp>(user))
          isPassed |= isFreeingHelper(
              SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
                  call, call.getCalleeAttr()));
        else if (!isa<memref::StoreOp, memref::LoadOp, memref::DeallocOp>(user))
          return false;
      }
    }
    return isPassed;
  }

  void moveHostLists(func::FuncOp function, RewriterBase &rewriter) {
    SmallVector<memref::AllocOp> lists;
    function.walk([&](memref::AllocOp alloc) {
      if (isHostList(alloc))
        lists.push_back(alloc);
    });
    for (memref::AllocOp alloc : lists) {
      for (Operation *user : llvm::make_early_inc_range(alloc->getUsers())) {
        if (isa<memref::DeallocOp>(user))
          rewriter.eraseOp(user);
        else if (isa<memref::StoreOp, memref::LoadOp>(user))
          hostAccesses.insert(user);
      }
      rewriter.setInsertionPointToStart(&function.getBody().front());
      rewriter.replaceOpWithNewOp<memref::AllocaOp>(alloc, alloc.getType());
    }
  }

  LogicalResult lower(func::FuncOp function, RewriterBase &rewriter) {
    if (function.isExternal() || isFreeingHelper(function))
      return success();
    Value context = getContextArgument(function);
    moveHostLists(function, rewriter);
    SmallVector<memref::ReshapeOp> reshapes;
    function.walk([&](memref::ReshapeOp op) { reshapes.push_back(op); });
    for (memref::ReshapeOp op : reshapes)
      lowerReshape(op, rewriter);
    outlineLoops(function, context, rewriter, hostAccesses);
    bool failed = false;
    SmallVector<Operation *> ops;
    function.walk([&](Operation *op) { ops.push_back(op); });
    for (Operation *op : ops) {
      if (hostAccesses.contains(op))
        continue;
      rewriter.setInsertionPoint(op);
      if (auto compute = dyn_cast<device::ComputeOp>(op)) {
        LaunchBuilder(compute, rewriter).build();
        rewriter.eraseOp(op);
      } else if (auto copy = dyn_cast<memref::CopyOp>(op)) {
        rewriter.replaceOpWithNewOp<device::CopyOp>(
            op, context, copy.getSource(), copy.getTarget());
      } else if (auto store = dyn_cast<memref::StoreOp>(op)) {
        failed |= lowerStore(store, context, rewriter).failed();
      } else if (isa<memref::LoadOp>(op)) {
        op->emitOpError("would read the device's memory on the host: a scalar "
                        "that the host needs cannot come from a tensor");
        failed = true;
      } else if (auto global = dyn_cast<memref::GetGlobalOp>(op)) {
        op->emitOpError("would be in the host's memory");
        failed = true;
      }
    }
    return failure(failed);
  }

  // A buffer of one element gets a scalar of the host.
  LogicalResult lowerStore(memref::StoreOp store, Value context,
                           RewriterBase &rewriter) {
    auto type = store.getMemRefType();
    if (type.getRank() == 0) {
      Value value = store.getValue();
      if (value.getType().isIndex())
        value = arith::IndexCastOp::create(rewriter, store.getLoc(),
                                           rewriter.getI64Type(), value);
      rewriter.replaceOpWithNewOp<device::FillOp>(store, context, value,
                                                  store.getMemRef());
      return success();
    }
    SmallVector<OpFoldResult> offsets, sizes, strides;
    for (Value position : store.getIndices()) {
      offsets.push_back(position);
      sizes.push_back(rewriter.getIndexAttr(1));
      strides.push_back(rewriter.getIndexAttr(1));
    }
    Value place = memref::SubViewOp::create(
        rewriter, store.getLoc(), store.getMemRef(), offsets, sizes, strides);
    Value value = store.getValue();
    if (value.getType().isIndex())
      value = arith::IndexCastOp::create(rewriter, store.getLoc(),
                                         rewriter.getI64Type(), value);
    rewriter.replaceOpWithNewOp<device::FillOp>(store, context, value, place);
    return success();
  }

  void findLiteralSizes(Value shape, MemRefType type, RewriterBase &rewriter,
                        MutableArrayRef<Value> sizes) {
    auto get = shape.getDefiningOp<memref::GetGlobalOp>();
    auto global = get ? SymbolTable::lookupNearestSymbolFrom<memref::GlobalOp>(
                            get, get.getNameAttr())
                      : memref::GlobalOp();
    if (!global || !global.getConstantInitValue())
      return;
    rewriter.setInsertionPointAfter(get);
    for (auto [size, value] :
         llvm::zip(sizes, cast<DenseElementsAttr>(global.getConstantInitValue())
                              .getValues<APInt>()))
      size = arith::ConstantIndexOp::create(rewriter, get.getLoc(),
                                            value.getSExtValue());
  }

  // The new sizes are in a buffer that exists for them alone. They are known
  // values: the buffer goes away.
  void lowerReshape(memref::ReshapeOp op, RewriterBase &rewriter) {
    Value shape = op.getShape();
    auto type = cast<MemRefType>(op.getType());
    SmallVector<Value> sizes(type.getRank());
    findLiteralSizes(shape, type, rewriter, sizes);
    for (Operation *user : shape.getUsers()) {
      auto store = dyn_cast<memref::StoreOp>(user);
      APInt position;
      if (store && store.getMemRef() == shape &&
          matchPattern(store.getIndices().front(), m_ConstantInt(&position)) &&
          position.ult(sizes.size()))
        sizes[position.getZExtValue()] = store.getValue();
    }
    if (llvm::is_contained(sizes, Value()))
      return;
    rewriter.setInsertionPoint(op);
    SmallVector<OpFoldResult> mixed, strides(sizes.size());
    OpFoldResult stride = rewriter.getIndexAttr(1);
    for (auto [dim, size] : llvm::enumerate(sizes))
      mixed.push_back(type.isDynamicDim(dim)
                          ? OpFoldResult(size)
                          : rewriter.getIndexAttr(type.getDimSize(dim)));
    bool isStatic = true;
    for (unsigned dim = sizes.size(); dim-- > 0;) {
      strides[dim] = stride;
      Value factor = sizes[dim];
      Value old =
          isa<Value>(stride)
              ? cast<Value>(stride)
              : Value(arith::ConstantIndexOp::create(
                    rewriter, op.getLoc(), *getConstantIntValue(stride)));
      isStatic &= !type.isDynamicDim(dim);
      if (isStatic)
        stride = rewriter.getIndexAttr(*getConstantIntValue(stride) *
                                       type.getDimSize(dim));
      else
        stride = arith::MulIOp::create(rewriter, op.getLoc(), old, factor)
                     .getResult();
    }
    SmallVector<int64_t> fixed;
    for (OpFoldResult value : strides)
      fixed.push_back(
          getConstantIntValue(value).value_or(ShapedType::kDynamic));
    auto strided = MemRefType::get(
        type.getShape(), type.getElementType(),
        StridedLayoutAttr::get(&getContext(), 0, fixed), type.getMemorySpace());
    Value view = memref::ReinterpretCastOp::create(
        rewriter, op.getLoc(), strided, op.getSource(),
        rewriter.getIndexAttr(0), mixed, strides);
    rewriter.replaceOpWithNewOp<memref::CastOp>(op, type, view);
    dropList(shape, rewriter);
  }

  /// A list of sizes that no reshape reads any more.
  void dropList(Value shape, RewriterBase &rewriter) {
    if (llvm::any_of(shape.getUsers(), llvm::IsaPred<memref::ReshapeOp>))
      return;
    for (Operation *user : llvm::make_early_inc_range(shape.getUsers()))
      if (isa<memref::StoreOp, memref::DeallocOp>(user)) {
        hostAccesses.erase(user);
        rewriter.eraseOp(user);
      }
    if (Operation *alloc = shape.getDefiningOp(); alloc && alloc->use_empty())
      rewriter.eraseOp(alloc);
  }

  DenseSet<Operation *> hostAccesses;
};
} // namespace
