//===- FormKernels.cpp - linalg ops on tensors to kernels -----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every cluster becomes one `compute` op with at most four kernels:
//
//   nothing reduced    wide chunks, else plain chunks
//   reduced            wide rows in registers; longer ones in clusters of
//   blocks
//                      that walk over rows, unless one walk over the row is all
//                      it takes; else a loop over the row (wide, then plain)
//   along the rows     columns
//
//===----------------------------------------------------------------------===//

#include "Extents.h"
#include "KernelBuilder.h"
#include "KernelSources.h"
#include "NarrowReads.h"
#include "ShareKernels.h"
#include "dtensor/Conversion/GPU/GPUDialect.h"
#include "dtensor/Conversion/GPU/GPUPasses.h"
#include "dtensor/Conversion/RuntimeDialect.h"

#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace dtensor {
#define GEN_PASS_DEF_GPUFORMKERNELS
#include "dtensor/Conversion/GPU/GPUPasses.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;
using linalg::GenericOp;

// Accesses that a thread has under way at once, of a row that it keeps and of
// work without rows.
static constexpr unsigned kRowChunks = 4;
static constexpr unsigned kPlainChunks = 8;
static constexpr unsigned kStreamChunks = 2;
// Of a cluster that walks over rows: accesses of a row at most, and registers
// for this row and the next.
static constexpr unsigned kWalkChunks = 8;
static constexpr unsigned kWalkRegisters = 96;

//===----------------------------------------------------------------------===//
// One cluster
//===----------------------------------------------------------------------===//

static bool isSlice(Value tensor) {
  Operation *producer = tensor.getDefiningOp();
  while (isa_and_nonnull<tensor::CastOp, tensor::CollapseShapeOp,
                         tensor::ExpandShapeOp>(producer))
    producer = producer->getOperand(0).getDefiningOp();
  return isa_and_nonnull<tensor::ExtractSliceOp>(producer);
}

static bool becomesSlice(OpResult result) {
  return llvm::any_of(result.getUsers(), llvm::IsaPred<tensor::InsertSliceOp>);
}

namespace {
class ClusterLowering {
public:
  ClusterLowering(const Cluster &cluster, gpu::GPUModuleOp module,
                  Value context, RewriterBase &rewriter, unsigned &counter,
                  bool clusters)
      : cluster(cluster), module(module), context(context), rewriter(rewriter),
        counter(counter), clusters(clusters) {}

  LogicalResult lower() {
    collect();
    if (io.outputs.empty())
      return success();
    GenericOp last = cluster.getLast();
    rewriter.setInsertionPointAfter(last);
    loc = last.getLoc();
    SmallVector<Type> types;
    for (OpResult output : io.outputs) {
      types.push_back(output.getType());
      io.operands.push_back(createDest(output));
    }
    SmallVector<Value> extents;
    for (unsigned dim = 0; dim < cluster.numDims; ++dim)
      extents.push_back(getExtent(dim));
    if (failed(check()))
      return failure();
    SmallVector<Attribute> variants;
    for (const Variant &variant : buildVariants())
      variants.push_back(variant.toAttr());
    auto inputs = ArrayRef(io.operands).take_front(io.numInputs);
    auto outputs = ArrayRef(io.operands).drop_front(io.numInputs);
    auto compute = device::ComputeOp::create(
        rewriter, loc, types, context, inputs, outputs, extents, io.scalars,
        rewriter.getArrayAttr(variants));
    for (auto [from, to] : llvm::zip(io.outputs, compute.getResults()))
      rewriter.replaceUsesWithIf(from, to, [&](OpOperand &use) {
        return !cluster.contains(use.getOwner());
      });
    return success();
  }

  void erase() {
    for (GenericOp op : llvm::reverse(cluster.ops))
      if (op->use_empty())
        rewriter.eraseOp(op);
  }

private:
  //===--------------------------------------------------------------------===//
  // What goes in and out
  //===--------------------------------------------------------------------===//

  void collect() {
    for (GenericOp op : cluster.ops) {
      for (OpOperand &operand : op->getOpOperands())
        if (!op.getMatchingBlockArgument(&operand).use_empty())
          addSource(operand.get());
      op.getBlock()->walk([&](Operation *inner) {
        for (Value operand : inner->getOperands())
          if (!op->isAncestor(operand.getParentRegion()->getParentOp()))
            addSource(operand);
      });
    }
    io.numInputs = io.operands.size();
    for (GenericOp op : cluster.ops)
      for (OpResult result : op->getResults())
        if (llvm::any_of(result.getUsers(), [&](Operation *user) {
              return !cluster.contains(user);
            }))
          io.outputs.push_back(result);
  }

  void addSource(Value value) {
    Operation *producer = value.getDefiningOp();
    if (!isa<TensorType>(value.getType())) {
      bool isConstant = producer && producer->hasTrait<OpTrait::ConstantLike>();
      if (!isConstant && !llvm::is_contained(io.scalars, value))
        io.scalars.push_back(value);
      return;
    }
    if (producer && cluster.contains(producer))
      return;
    if (auto fill = dyn_cast_or_null<linalg::FillOp>(producer))
      return addSource(fill.getInputs().front());
    if (isa_and_nonnull<tensor::EmptyOp>(producer))
      return;
    if (auto constant = dyn_cast_or_null<arith::ConstantOp>(producer))
      if (isa<SplatElementsAttr>(constant.getValue()))
        return;
    if (!llvm::is_contained(io.operands, value))
      io.operands.push_back(value);
  }

  //===--------------------------------------------------------------------===//
  // Sizes
  //===--------------------------------------------------------------------===//

  OpFoldResult getSize(Value tensor, unsigned dim) {
    while (auto op = tensor.getDefiningOp<linalg::LinalgOp>()) {
      if (!isa<linalg::FillOp>(op) && !cluster.contains(op))
        break;
      tensor =
          op.getDpsInitOperand(cast<OpResult>(tensor).getResultNumber())->get();
    }
    if (auto empty = tensor.getDefiningOp<tensor::EmptyOp>())
      return empty.getMixedSizes()[dim];
    return tensor::getMixedSize(rewriter, loc, tensor, dim);
  }

  Value createDest(OpResult output) {
    auto type = cast<RankedTensorType>(output.getType());
    SmallVector<OpFoldResult> sizes;
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      sizes.push_back(
          type.isDynamicDim(dim)
              ? getSize(output, dim)
              : OpFoldResult(rewriter.getIndexAttr(type.getDimSize(dim))));
    Value empty =
        tensor::EmptyOp::create(rewriter, loc, sizes, type.getElementType());
    if (empty.getType() != type)
      empty = tensor::CastOp::create(rewriter, loc, type, empty);
    return empty;
  }

  Value getExtent(unsigned wanted) {
    for (GenericOp op : cluster.ops)
      for (OpOperand &operand : op->getOpOperands()) {
        if (!isa<TensorType>(operand.get().getType()))
          continue;
        AffineMap map = cluster.getMap(operand);
        for (auto [dim, expr] : llvm::enumerate(map.getResults()))
          if (auto position = dyn_cast<AffineDimExpr>(expr))
            if (position.getPosition() == wanted)
              return getValueOrCreateConstantIndexOp(
                  rewriter, loc, getSize(operand.get(), dim));
      }
    llvm_unreachable("every loop of a linalg op is a dimension of an operand");
  }

  LogicalResult check() {
    for (Value operand : io.operands) {
      Type element = getElementTypeOrSelf(operand);
      if (!element.isIntOrIndexOrFloat())
        return emitError(loc)
               << "a kernel cannot hold elements of type " << element;
    }
    return success();
  }

  //===--------------------------------------------------------------------===//
  // Kernels
  //===--------------------------------------------------------------------===//

  std::string nextName(StringRef kind) {
    std::string label = "kernel";
    if (auto attr =
            cluster.getLast()->getAttrOfType<StringAttr>("dtensor.label"))
      label = attr.str();
    for (char &c : label)
      if (!llvm::isAlnum(c))
        c = '_';
    return (label + "_" + kind + "_" + Twine(counter++)).str();
  }

  Variant build(const Space &space, Schedule schedule, StringRef kind) {
    return buildKernel(module, nextName(kind), cluster, io, space, schedule);
  }

  std::vector<Variant> buildVariants() {
    if (!canCluster(cluster.getFirst()))
      return {buildSerialKernel(module, nextName("serial"), cluster, io)};
    Space plain = makePlainSpace(cluster, io);
    std::vector<Space> wide = makeWideSpaces();
    std::vector<Variant> variants;
    if (!cluster.hasReductions()) {
      for (const Space &space : wide)
        variants.push_back(
            build(space, {Geometry::Chunks, true, kStreamChunks}, "wide"));
      variants.push_back(build(plain, {Geometry::Chunks, true, 1}, "plain"));
      return variants;
    }
    if (prefersColumns(cluster, io))
      return {build(plain, {Geometry::Columns, false, 1}, "columns")};
    for (const Space &space : wide)
      addRowVariants(space, variants);
    variants.push_back(
        build(plain, {Geometry::Rows, false, kPlainChunks}, "plain"));
    return variants;
  }

  // Of slices only single rows may lie side by side.
  std::vector<Space> makeWideSpaces() {
    std::vector<Space> spaces;
    std::optional<Space> joined = makeWideSpace(cluster, io, /*joined=*/true);
    if (!joined)
      return spaces;
    spaces.push_back(*joined);
    bool isJoined = llvm::any_of(joined->conditions, [](const Condition &c) {
      return c.kind == ConditionKind::Collapsible;
    });
    if (isJoined && (llvm::any_of(io.operands, isSlice) ||
                     llvm::any_of(io.outputs, becomesSlice)))
      if (auto single = makeWideSpace(cluster, io, /*joined=*/false))
        spaces.push_back(*single);
    return spaces;
  }

  void addRowVariants(const Space &wide, std::vector<Variant> &variants) {
    int64_t mask = wide.innerMask();
    bool walks = clusters && !cluster.walksOnce();
    int64_t limit = kRowThreads * kRowChunks * wide.lanes;
    // A block of half as many threads leaves room for another.
    if (walks)
      limit /= 2;
    Variant rows = build(wide, {Geometry::Rows, true, kRowChunks}, "rows");
    rows.conditions.push_back({ConditionKind::ExtentAtMost, mask, limit});
    // An empty row has nothing that could be read in place of the missing.
    rows.conditions.push_back({ConditionKind::ExtentAbove, mask, 0});
    variants.push_back(rows);
    if (walks)
      addClusters(wide, limit, variants);
    variants.push_back(
        build(wide, {Geometry::Rows, false, kRowChunks}, "loop"));
  }

  // What a thread keeps of its row in f32 and what it has under way of the next
  // one, as it lies in memory, share its registers.
  unsigned getWalkChunks(const Space &wide) {
    unsigned words = wide.lanes;
    DenseSet<Value> seen;
    for (GenericOp op : cluster.ops)
      for (OpOperand &operand : op->getOpOperands())
        if (io.findInput(operand.get()) && isRowShaped(operand) &&
            seen.insert(operand.get()).second)
          words += getMemoryType(getElementTypeOrSelf(operand.get()))
                       .getIntOrFloatBitWidth() *
                   wide.lanes / 32;
    return std::clamp(kWalkRegisters / words, 2u, kWalkChunks);
  }

  // Different in every row, as a weight is not.
  bool isRowShaped(OpOperand &operand) {
    AffineMap map = cluster.getMap(operand);
    return map.getNumResults() > cluster.reduced.count() &&
           llvm::any_of(cluster.reduced.set_bits(),
                        [&](unsigned dim) { return map.isFunctionOfDim(dim); });
  }

  // For rows of more than `above` elements. Places that a row does not have
  // cost as much as others, so a row of half the length has a kernel of its
  // own.
  void addClusters(const Space &wide, int64_t above,
                   std::vector<Variant> &variants) {
    int64_t mask = wide.innerMask();
    unsigned most = getWalkChunks(wide);
    for (unsigned chunks : {most / 2, most}) {
      int64_t limit = kClusterThreads * chunks * wide.lanes * kClusterBlocks;
      if (limit <= above)
        continue;
      Variant variant =
          build(wide, {Geometry::Cluster, true, chunks}, "cluster");
      variant.conditions.push_back({ConditionKind::ExtentAtMost, mask, limit});
      variant.conditions.push_back({ConditionKind::ExtentAbove, mask, above});
      variants.push_back(variant);
    }
  }

  const Cluster &cluster;
  gpu::GPUModuleOp module;
  Value context;
  RewriterBase &rewriter;
  unsigned &counter;
  bool clusters;
  Location loc = cluster.getLast().getLoc();
  KernelIO io;
};

struct GPUFormKernels : dtensor::impl::GPUFormKernelsBase<GPUFormKernels> {
  using GPUFormKernelsBase::GPUFormKernelsBase;

  void runOnOperation() override {
    OpBuilder builder(&getContext());
    builder.setInsertionPointToEnd(getOperation().getBody());
    auto kernels = gpu::GPUModuleOp::create(builder, getOperation().getLoc(),
                                            kKernelModule);
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (failed(lower(function, kernels)))
        return signalPassFailure();
    if (kernels.getBody()->empty())
      return kernels.erase();
    shareKernels(getOperation(), kernels);
  }

  LogicalResult lower(func::FuncOp function, gpu::GPUModuleOp kernels) {
    IRRewriter rewriter(&getContext());
    SmallVector<linalg::LinalgOp> named;
    function.walk([&](linalg::LinalgOp op) {
      if (!isa<GenericOp, linalg::FillOp>(op))
        named.push_back(op);
    });
    for (linalg::LinalgOp op : named) {
      rewriter.setInsertionPoint(op);
      if (failed(linalg::generalizeNamedOp(rewriter, op)))
        return op->emitOpError("has no kernel");
    }
    SmallVector<Block *> blocks;
    function.walk([&](Block *block) {
      if (!isa<linalg::LinalgOp>(block->getParentOp()))
        blocks.push_back(block);
    });
    for (Block *block : blocks)
      prepareSources(rewriter, *block);
    for (Block *block : blocks)
      lowerConstants(rewriter, *block, kernels, getContextArgument(function));
    ExtentClasses extents(function);
    for (Block *block : blocks)
      if (failed(lowerBlock(*block, extents, kernels, rewriter,
                            getContextArgument(function))))
        return failure();
    return success();
  }

  // Literals that are not the same number everywhere. Lists of sizes stay with
  // the host.
  void lowerConstants(RewriterBase &rewriter, Block &block,
                      gpu::GPUModuleOp kernels, Value context) {
    for (auto op :
         llvm::make_early_inc_range(block.getOps<arith::ConstantOp>())) {
      auto value = dyn_cast<DenseElementsAttr>(op.getValue());
      bool isSize = llvm::all_of(op->getUsers(), [](Operation *user) {
        return isa<tensor::ReshapeOp>(user);
      });
      if (!value || isa<VectorType>(op.getType()) || isSize ||
          value.getNumElements() == 0)
        continue;
      if (value.isSplat() && llvm::all_of(op->getUsers(), [](Operation *user) {
            return isa<GenericOp>(user);
          }))
        continue;
      lowerConstant(rewriter, op, value, kernels, context);
    }
  }

  void lowerConstant(RewriterBase &rewriter, arith::ConstantOp op,
                     DenseElementsAttr value, gpu::GPUModuleOp kernels,
                     Value context) {
    rewriter.setInsertionPoint(op);
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getType());
    Value dest = tensor::EmptyOp::create(rewriter, loc, type.getShape(),
                                         type.getElementType());
    SmallVector<Value> extents;
    for (int64_t size : type.getShape())
      extents.push_back(arith::ConstantIndexOp::create(rewriter, loc, size));
    Variant variant = buildConstantKernel(
        kernels, ("constant_" + Twine(counter++)).str(), value, dest);
    rewriter.replaceOpWithNewOp<device::ComputeOp>(
        op, TypeRange{type}, context, ValueRange(), dest, extents, ValueRange(),
        rewriter.getArrayAttr({variant.toAttr()}));
  }

  LogicalResult lowerBlock(Block &block, ExtentClasses &extents,
                           gpu::GPUModuleOp kernels, RewriterBase &rewriter,
                           Value context) {
    std::vector<Cluster> groups = formClusters(block, extents);
    if (groups.empty())
      return success();
    llvm::for_each(groups, readNarrow);
    std::vector<ClusterLowering> lowerings;
    for (const Cluster &cluster : groups)
      if (failed(lowerings
                     .emplace_back(cluster, kernels, context, rewriter, counter,
                                   clusters.getValue())
                     .lower()))
        return failure();
    for (ClusterLowering &lowering : llvm::reverse(lowerings))
      lowering.erase();
    // A cluster stands where its last op stood; users of its first ones may
    // stand before.
    sortTopologically(&block);
    return success();
  }

  unsigned counter = 0;
};
} // namespace
