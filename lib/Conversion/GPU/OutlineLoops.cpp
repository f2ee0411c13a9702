//===- OutlineLoops.cpp - Element-wise host code to kernels ---------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sorting, scanning and scattering are loops over single elements. Iterations
// of an outer loop are independent, and get a thread each, if
//
//   every buffer stored to has the loop's variable as the same index d in every
//   access
//
// for then each iteration has slices of its own. What an iteration allocates
// becomes a slice of one buffer for all.
//
//===----------------------------------------------------------------------===//

#include "OutlineLoops.h"

#include "Variant.h"
#include "dtensor/Conversion/GPU/GPUDialect.h"
#include "dtensor/Conversion/RuntimeDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace dtensor;

//===----------------------------------------------------------------------===//
// What can be outlined
//===----------------------------------------------------------------------===//

static bool isAccess(Operation *op) {
  return isa<memref::LoadOp, memref::StoreOp>(op);
}

// Scalar code, accesses, and buffers that live for one iteration.
static bool canRunOnDevice(Operation *op) {
  auto result = op->walk([](Operation *inner) {
    bool fine = isAccess(inner) ||
                isa<memref::AllocOp, memref::DeallocOp, memref::DimOp,
                    memref::CastOp, memref::SubViewOp>(inner) ||
                isa<scf::SCFDialect>(inner->getDialect()) || isPure(inner);
    return fine ? WalkResult::advance() : WalkResult::interrupt();
  });
  return !result.wasInterrupted();
}

namespace {
class LoopOutliner {
public:
  LoopOutliner(ArrayRef<Operation *> ops, Value context,
               gpu::GPUModuleOp kernels, RewriterBase &rewriter, StringRef name)
      : ops(ops), context(context), kernels(kernels), rewriter(rewriter),
        name(name), loc(ops.front()->getLoc()) {}

  bool outline() {
    if (ops.size() == 1)
      findParallelLoops();
    if (!hoistAllocations())
      return false;
    collectCaptures();
    buildKernel();
    launch();
    for (Operation *op : llvm::reverse(ops))
      rewriter.eraseOp(op);
    return true;
  }

private:
  //===--------------------------------------------------------------------===//
  // Independence
  //===--------------------------------------------------------------------===//

  // Perfectly nested loops from the outside in, as long as they are
  // independent.
  void findParallelLoops() {
    auto loop = dyn_cast<scf::ForOp>(ops.front());
    while (loop && loop.getInitArgs().empty() &&
           isDefinedOutside(loop.getLowerBound()) &&
           isDefinedOutside(loop.getUpperBound()) &&
           isDefinedOutside(loop.getStep()) && isIndependent(loop)) {
      parallel.push_back(loop);
      scf::ForOp next;
      for (Operation &inner : loop.getBody()->without_terminator()) {
        if (isPure(&inner))
          continue;
        next = next ? scf::ForOp() : dyn_cast<scf::ForOp>(inner);
        if (!next)
          break;
      }
      // Anything beside the loop would run once per inner iteration.
      if (next && &loop.getBody()->front() != next)
        next = scf::ForOp();
      loop = next;
    }
  }

  bool isDefinedOutside(Value value) {
    return !ops.front()->isAncestor(value.getParentRegion()->getParentOp());
  }

  bool isIndependent(scf::ForOp loop) {
    DenseMap<Value, std::optional<unsigned>> ownDims;
    DenseSet<Value> stored;
    bool fine = true;
    loop.walk([&](Operation *op) {
      if (!isAccess(op))
        return;
      Value buffer = isa<memref::LoadOp>(op)
                         ? cast<memref::LoadOp>(op).getMemRef()
                         : cast<memref::StoreOp>(op).getMemRef();
      if (!buffer.getDefiningOp<memref::AllocOp>() &&
          !isa<BlockArgument>(buffer) && !isDefinedOutside(buffer))
        fine = false;
      if (!isOutsideOf(loop, buffer))
        return;
      if (isa<memref::StoreOp>(op))
        stored.insert(buffer);
      OperandRange indices = isa<memref::LoadOp>(op)
                                 ? cast<memref::LoadOp>(op).getIndices()
                                 : cast<memref::StoreOp>(op).getIndices();
      auto at = llvm::find(indices, loop.getInductionVar());
      std::optional<unsigned> dim;
      if (at != indices.end())
        dim = at - indices.begin();
      auto [it, isNew] = ownDims.try_emplace(buffer, dim);
      if (!isNew && it->second != dim)
        it->second = std::nullopt;
    });
    for (Value buffer : stored)
      fine &= ownDims[buffer].has_value();
    return fine;
  }

  static bool isOutsideOf(scf::ForOp loop, Value value) {
    return !loop->isAncestor(value.getParentRegion()->getParentOp());
  }

  //===--------------------------------------------------------------------===//
  // Buffers of an iteration
  //===--------------------------------------------------------------------===//

  Value tripCount(scf::ForOp loop) {
    Value span = arith::SubIOp::create(rewriter, loc, loop.getUpperBound(),
                                       loop.getLowerBound());
    Value zero = arith::ConstantIndexOp::create(rewriter, loc, 0);
    span = arith::MaxSIOp::create(rewriter, loc, span, zero);
    return arith::CeilDivUIOp::create(rewriter, loc, span, loop.getStep());
  }

  bool hoistAllocations() {
    rewriter.setInsertionPoint(ops.front());
    for (scf::ForOp loop : parallel)
      trips.push_back(tripCount(loop));
    SmallVector<memref::AllocOp> allocs;
    for (Operation *op : ops)
      op->walk([&](memref::AllocOp alloc) { allocs.push_back(alloc); });
    for (memref::AllocOp alloc : allocs) {
      for (Value size : alloc.getDynamicSizes())
        if (!isDefinedOutside(size))
          return false;
      // Within a loop that stays serial one buffer serves all iterations: it
      // is written before it is read.
      hoist(alloc);
    }
    return true;
  }

  void hoist(memref::AllocOp alloc) {
    MemRefType type = alloc.getType();
    SmallVector<int64_t> shape(trips.size(), ShapedType::kDynamic);
    llvm::append_range(shape, type.getShape());
    SmallVector<Value> sizes(trips);
    llvm::append_range(sizes, alloc.getDynamicSizes());
    rewriter.setInsertionPoint(ops.front());
    Value all = memref::AllocOp::create(
        rewriter, loc, MemRefType::get(shape, type.getElementType()), sizes,
        rewriter.getI64IntegerAttr(64));
    rewriter.setInsertionPointAfter(ops.back());
    memref::DeallocOp::create(rewriter, loc, all);
    for (Operation *user : llvm::make_early_inc_range(alloc->getUsers())) {
      if (isa<memref::DeallocOp>(user)) {
        rewriter.eraseOp(user);
        continue;
      }
      rewriter.modifyOpInPlace(user, [&] { prependLoops(user, all); });
    }
    rewriter.eraseOp(alloc);
  }

  // The positions of the parallel loops select an iteration's own slice.
  void prependLoops(Operation *access, Value buffer) {
    SmallVector<Value> indices;
    for (scf::ForOp loop : parallel)
      indices.push_back(loop.getInductionVar());
    if (auto load = dyn_cast<memref::LoadOp>(access)) {
      llvm::append_range(indices, load.getIndices());
      load.getMemrefMutable().assign(buffer);
      load.getIndicesMutable().assign(indices);
    } else if (auto store = dyn_cast<memref::StoreOp>(access)) {
      llvm::append_range(indices, store.getIndices());
      store.getMemrefMutable().assign(buffer);
      store.getIndicesMutable().assign(indices);
    }
  }

  //===--------------------------------------------------------------------===//
  // The kernel
  //===--------------------------------------------------------------------===//

  void collectCaptures() {
    auto add = [&](Value value) {
      Operation *producer = value.getDefiningOp();
      if (producer && llvm::any_of(ops, [&](Operation *op) {
            return op->isAncestor(producer);
          }))
        return;
      if (auto argument = dyn_cast<BlockArgument>(value))
        if (llvm::any_of(ops, [&](Operation *op) {
              return op->isAncestor(argument.getOwner()->getParentOp());
            }))
          return;
      bool isConstant = producer && producer->hasTrait<OpTrait::ConstantLike>();
      (isConstant ? constants : captures).insert(value);
    };
    for (Value trip : trips)
      add(trip);
    for (scf::ForOp loop : parallel)
      for (Value bound : {loop.getLowerBound(), loop.getStep()})
        add(bound);
    for (Operation *op : ops)
      op->walk([&](Operation *inner) {
        for (Value operand : inner->getOperands())
          add(operand);
      });
  }

  void buildKernel() {
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPointToEnd(kernels.getBody());
    SmallVector<Type> types;
    for (Value value : captures)
      types.push_back(value.getType());
    kernel = gpu::GPUFuncOp::create(rewriter, loc, name,
                                    rewriter.getFunctionType(types, {}));
    kernel->setAttr(gpu::GPUDialect::getKernelFuncAttrName(),
                    rewriter.getUnitAttr());
    rewriter.setInsertionPointToStart(&kernel.getBody().front());
    auto end = gpu::ReturnOp::create(rewriter, loc);
    rewriter.setInsertionPoint(end);
    IRMapping mapping;
    for (auto [value, argument] : llvm::zip(captures, kernel.getArguments()))
      mapping.map(value, argument);
    for (Value value : constants)
      mapping.map(value, rewriter.clone(*value.getDefiningOp())->getResult(0));
    enterThread(mapping);
    if (parallel.empty()) {
      for (Operation *op : ops)
        rewriter.clone(*op, mapping);
      return;
    }
    for (Operation &op : parallel.back().getBody()->without_terminator())
      rewriter.clone(op, mapping);
  }

  // Continues in the code of one iteration.
  void enterThread(IRMapping &mapping) {
    Value block = gpu::BlockIdOp::create(rewriter, loc, gpu::Dimension::x);
    Value size = gpu::BlockDimOp::create(rewriter, loc, gpu::Dimension::x);
    Value thread = gpu::ThreadIdOp::create(rewriter, loc, gpu::Dimension::x);
    Value number = arith::MulIOp::create(rewriter, loc, block, size);
    number = arith::AddIOp::create(rewriter, loc, number, thread);
    Value count = arith::ConstantIndexOp::create(rewriter, loc, 1);
    for (Value trip : trips)
      count = arith::MulIOp::create(rewriter, loc, count,
                                    mapping.lookupOrDefault(trip));
    Value inside = arith::CmpIOp::create(
        rewriter, loc, arith::CmpIPredicate::ult, number, count);
    auto branch = scf::IfOp::create(rewriter, loc, inside,
                                    /*withElseRegion=*/false);
    rewriter.setInsertionPointToStart(branch.thenBlock());
    for (unsigned i = parallel.size(); i-- > 0;) {
      Value trip = mapping.lookupOrDefault(trips[i]);
      Value position = arith::RemUIOp::create(rewriter, loc, number, trip);
      number = arith::DivUIOp::create(rewriter, loc, number, trip);
      position =
          arith::MulIOp::create(rewriter, loc, position,
                                mapping.lookupOrDefault(parallel[i].getStep()));
      position = arith::AddIOp::create(
          rewriter, loc, position,
          mapping.lookupOrDefault(parallel[i].getLowerBound()));
      mapping.map(parallel[i].getInductionVar(), position);
    }
  }

  //===--------------------------------------------------------------------===//
  // The launch
  //===--------------------------------------------------------------------===//

  Value i64(Value index) {
    return arith::IndexCastOp::create(rewriter, loc, rewriter.getI64Type(),
                                      index);
  }

  void addParams(Value value, SmallVectorImpl<Value> &params) {
    if (value.getType().isIndex())
      value = i64(value);
    if (!isa<MemRefType>(value.getType())) {
      params.push_back(value);
      return;
    }
    // A buffer's parameters are those of its descriptor.
    auto metadata =
        memref::ExtractStridedMetadataOp::create(rewriter, loc, value);
    Value address =
        memref::ExtractAlignedPointerAsIndexOp::create(rewriter, loc, value);
    Value pointer = LLVM::IntToPtrOp::create(
        rewriter, loc, LLVM::LLVMPointerType::get(rewriter.getContext()),
        i64(address));
    params.append({pointer, pointer, i64(metadata.getOffset())});
    for (Value size : metadata.getSizes())
      params.push_back(i64(size));
    for (Value stride : metadata.getStrides())
      params.push_back(i64(stride));
  }

  void launch() {
    rewriter.setInsertionPoint(ops.front());
    SmallVector<Value> params;
    for (Value value : captures)
      addParams(value, params);
    Value count = arith::ConstantIndexOp::create(rewriter, loc, 1);
    for (Value trip : trips)
      count = arith::MulIOp::create(rewriter, loc, count, trip);
    // Few long threads: small blocks spread over the device.
    Value block = arith::ConstantIndexOp::create(rewriter, loc, 32);
    Value grid = arith::CeilDivUIOp::create(rewriter, loc, count, block);
    device::LaunchOp::create(
        rewriter, loc, context,
        SymbolRefAttr::get(kernels.getSymNameAttr(),
                           FlatSymbolRefAttr::get(kernel.getNameAttr())),
        i64(grid), i64(block), /*cluster=*/Value(), params, IntegerAttr());
  }

  SmallVector<Operation *> ops;
  Value context;
  gpu::GPUModuleOp kernels;
  RewriterBase &rewriter;
  StringRef name;
  Location loc;
  SmallVector<scf::ForOp> parallel;
  SmallVector<Value> trips;
  llvm::SetVector<Value> captures, constants;
  gpu::GPUFuncOp kernel;
};

class FunctionOutliner {
public:
  FunctionOutliner(func::FuncOp function, Value context, RewriterBase &rewriter,
                   const DenseSet<Operation *> &hostAccesses)
      : function(function), context(context), rewriter(rewriter),
        hostAccesses(hostAccesses) {}

  void run() {
    bool changed = true;
    while (changed) {
      changed = false;
      Operation *first = nullptr;
      function.walk([&](Operation *op) {
        if (!isAccess(op) || hostAccesses.contains(op) || failed.contains(op))
          return WalkResult::advance();
        if (isa<memref::StoreOp>(op) && isLoneStore(op))
          return WalkResult::advance();
        first = op;
        return WalkResult::interrupt();
      });
      if (first) {
        changed = true;
        if (!outlineAround(first))
          failed.insert(first);
      }
    }
  }

private:
  // A scalar of the host that goes into a buffer is a fill.
  bool isLoneStore(Operation *op) {
    return op->getParentOp() == function ||
           !isa<scf::ForOp, scf::WhileOp>(op->getParentOp());
  }

  // The outermost op around an access that can move as a whole, or the run of
  // ops beside it in its block.
  bool outlineAround(Operation *access) {
    Operation *outer = nullptr;
    for (Operation *op = access; op != function; op = op->getParentOp())
      if (op->getNumRegions() && op->getNumResults() == 0 && canRunOnDevice(op))
        outer = op;
    SmallVector<Operation *> ops;
    if (outer)
      ops.push_back(outer);
    else if (!findRun(access, ops))
      return false;
    std::string name = "loops_" + std::to_string(counter++);
    return LoopOutliner(ops, context, getKernels(), rewriter, getFreeName(name))
        .outline();
  }

  // From `access` to the last store that what is read reaches.
  bool findRun(Operation *access, SmallVectorImpl<Operation *> &ops) {
    SmallVector<Operation *> run;
    for (Operation *op = access; op; op = op->getNextNode()) {
      if (hostAccesses.contains(op) || op->hasTrait<OpTrait::IsTerminator>() ||
          isa<memref::AllocOp, memref::DeallocOp>(op) || !canRunOnDevice(op))
        break;
      run.push_back(op);
      if (isa<memref::StoreOp>(op) || op->getNumRegions())
        ops = run;
    }
    for (Operation *op : ops)
      for (Operation *user : op->getUsers())
        if (llvm::none_of(
                ops, [&](Operation *own) { return own->isAncestor(user); }))
          return false;
    return !ops.empty();
  }

  gpu::GPUModuleOp getKernels() {
    auto module = function->getParentOfType<ModuleOp>();
    if (auto kernels = module.lookupSymbol<gpu::GPUModuleOp>(kKernelModule))
      return kernels;
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    return gpu::GPUModuleOp::create(builder, module.getLoc(), kKernelModule);
  }

  StringRef getFreeName(std::string &name) {
    gpu::GPUModuleOp kernels = getKernels();
    while (SymbolTable::lookupSymbolIn(kernels, name))
      name = "loops_" + std::to_string(counter++);
    return name;
  }

  func::FuncOp function;
  Value context;
  RewriterBase &rewriter;
  const DenseSet<Operation *> &hostAccesses;
  DenseSet<Operation *> failed;
  unsigned counter = 0;
};
} // namespace

void dtensor::outlineLoops(func::FuncOp function, Value context,
                           RewriterBase &rewriter,
                           const DenseSet<Operation *> &hostAccesses) {
  FunctionOutliner(function, context, rewriter, hostAccesses).run();
}
