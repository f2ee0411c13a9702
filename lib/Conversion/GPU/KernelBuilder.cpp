//===- KernelBuilder.cpp - One kernel for a cluster -----------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"

#include "BodyEmitter.h"
#include "KeptReads.h"
#include "RowFetch.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace dtensor;
using linalg::GenericOp;

namespace {
class KernelBuilder {
public:
  KernelBuilder(gpu::GPUModuleOp module, StringRef name, const Cluster &cluster,
                const KernelIO &io, const Space &space,
                const Schedule &schedule)
      : cluster(cluster), io(io), space(space), schedule(schedule),
        builder(module.getContext()), loc(cluster.getLast().getLoc()),
        kernel(create(module, name)),
        memory(builder, kernel, io, variant, space.lanes),
        layout(memory, space, this->schedule), kept(memory, layout, kernel) {
    variant.kernel = SymbolRefAttr::get(
        module.getSymNameAttr(), FlatSymbolRefAttr::get(kernel.getNameAttr()));
    variant.geometry = schedule.geometry;
    variant.rows = space.rowMask();
    variant.inner = space.innerMask();
    variant.perThread = schedule.chunks * space.lanes;
    variant.maxThreads = schedule.getMaxThreads();
    variant.conditions = space.conditions;
  }

  Variant build() {
    auto end = gpu::ReturnOp::create(builder, loc);
    builder.setInsertionPoint(end);
    layout.locateThread();
    rows.emplace(memory, kernel, schedule.geometry, layout.getThreads());
    assignLevels();
    if (schedule.geometry == Geometry::Cluster) {
      walkRows();
      return variant;
    }
    layout.locateRow(cluster.numDims);
    if (schedule.resident) {
      places = layout.createPlaces();
      readAhead();
    }
    emitPasses();
    return variant;
  }

private:
  gpu::GPUFuncOp create(gpu::GPUModuleOp module, StringRef name) {
    builder.setInsertionPointToEnd(module.getBody());
    auto function = gpu::GPUFuncOp::create(builder, loc, name,
                                           builder.getFunctionType({}, {}));
    function->setAttr(gpu::GPUDialect::getKernelFuncAttrName(),
                      builder.getUnitAttr());
    function->setAttr("nvvm.maxntid",
                      builder.getDenseI32ArrayAttr(
                          {static_cast<int32_t>(schedule.getMaxThreads())}));
    builder.setInsertionPointToStart(&function.getBody().front());
    return function;
  }

  //===--------------------------------------------------------------------===//
  // Reading ahead
  //===--------------------------------------------------------------------===//

  // What the first pass reads. What later passes read would only take up
  // registers in advance.
  SmallVector<Access> getFirstReads() {
    SmallVector<Access> reads;
    for (GenericOp op : cluster.ops)
      for (OpOperand &operand : op->getOpOperands())
        if (levels[op] == 0 && io.findInput(operand.get()) &&
            !op.getMatchingBlockArgument(&operand).use_empty())
          reads.push_back({operand.get(), cluster.getMap(operand)});
    return reads;
  }

  // What `op` reads, and the wide ops in front of it.
  void collectReads(GenericOp op, DenseSet<Operation *> &seen,
                    SmallVectorImpl<Access> &reads) {
    if (!seen.insert(op).second)
      return;
    for (OpOperand &operand : op->getOpOperands()) {
      if (op.getMatchingBlockArgument(&operand).use_empty())
        continue;
      auto producer = operand.get().getDefiningOp<GenericOp>();
      if (producer && cluster.contains(producer)) {
        if (isWide(producer) && !reduces(producer))
          collectReads(producer, seen, reads);
      } else if (io.findInput(operand.get())) {
        reads.push_back({operand.get(), cluster.getMap(operand)});
      }
    }
  }

  // All reads of the first pass come before any use, so that they overlap.
  void readAhead() {
    for (const Access &access : getFirstReads())
      for (Place &place : places)
        readInput(access, place);
    emitFence();
  }

  // Keeps the reads here: moved next to their uses, which stand behind
  // branches, each would wait for the one before.
  void emitFence() {
    auto none = LLVM::LLVMVoidType::get(builder.getContext());
    LLVM::InlineAsmOp::create(
        builder, loc, none, ValueRange(), /*asm_string=*/"",
        /*constraints=*/"~{memory}", /*has_side_effects=*/true,
        /*is_align_stack=*/false, LLVM::TailCallKind::None,
        LLVM::AsmDialectAttr(), ArrayAttr());
  }

  //===--------------------------------------------------------------------===//
  // Rows of a cluster
  //===--------------------------------------------------------------------===//

  void enterRow(Value row) {
    layout.enterRow(row, cluster.numDims);
    places = layout.createPlaces();
  }

  // The same places, found again.
  void findPlaces() {
    layout.forgetThread();
    std::vector<Place> found = layout.createPlaces();
    for (auto [place, known] : llvm::zip(found, places)) {
      place.values = std::move(known.values);
      place.loads = std::move(known.loads);
    }
    places = std::move(found);
  }

  void walkRows() {
    ClusterMessages &messages = rows->getMessages();
    messages.start();
    SmallVector<Value, 3> range = layout.getRows();
    enterRow(range[0]);
    keepReads();
    RowFetch fetch(memory, layout);
    for (const Access &access : getFirstReads())
      if (!kept.has(access))
        fetch.add(access, *io.findInput(access.tensor), places.front());
    SmallVector<Value> carried = fetch.start(places);
    messages.finishStart();
    carried.push_back(arith::ConstantIntOp::create(builder, loc, 0, 32));
    auto loop =
        scf::ForOp::create(builder, loc, range[0], range[1], range[2], carried);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    layout.forgetThread();
    ValueRange known = loop.getRegionIterArgs();
    Value row = loop.getInductionVar(), turn = known.back();
    messages.setTurn(turn);
    SmallVector<Value> next = startNext(fetch, memory.add(row, range[2]),
                                        range[1], known.drop_back());
    enterRow(row);
    fetch.give(known.drop_back(), places);
    readAhead();
    emitPasses();
    Value one = arith::ConstantIntOp::create(builder, loc, 1, 32);
    next.push_back(arith::AddIOp::create(builder, loc, turn, one));
    scf::YieldOp::create(builder, loc, next);
  }

  void keepReads() {
    for (GenericOp op : cluster.ops)
      for (OpOperand &operand : op->getOpOperands())
        if (std::optional<unsigned> input = io.findInput(operand.get());
            input && !op.getMatchingBlockArgument(&operand).use_empty())
          kept.keep({operand.get(), cluster.getMap(operand)}, *input, places);
  }

  // What belongs to row number `next`, something else if there is none.
  SmallVector<Value> startNext(RowFetch &fetch, Value next, Value count,
                               ValueRange known) {
    Value isRow = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt,
                                        next, count);
    auto branch = scf::IfOp::create(
        builder, loc, isRow,
        [&](OpBuilder &, Location) {
          ThreadLayout::Saved saved(layout);
          layout.forgetThread();
          enterRow(next);
          SmallVector<Value> raws = fetch.start(places);
          scf::YieldOp::create(builder, loc, raws);
        },
        [&](OpBuilder &, Location) {
          scf::YieldOp::create(builder, loc, known);
        });
    return SmallVector<Value>(branch.getResults());
  }

  //===--------------------------------------------------------------------===//
  // Levels
  //===--------------------------------------------------------------------===//

  bool isWide(GenericOp op) {
    for (const DimGroup &group : space.inner)
      for (unsigned dim : group)
        if (llvm::is_contained(cluster.loops.find(op)->second, dim))
          return true;
    return false;
  }
  static bool reduces(GenericOp op) { return op.getNumReductionLoops() != 0; }

  void assignLevels() {
    for (GenericOp op : cluster.ops) {
      unsigned level = 0;
      for (Value operand : op->getOperands())
        if (auto producer = operand.getDefiningOp<GenericOp>())
          if (cluster.contains(producer))
            level = std::max(level, levels[producer] + reduces(producer));
      levels[op] = level;
      lastLevel = std::max(lastLevel, level + reduces(op));
    }
  }

  //===--------------------------------------------------------------------===//
  // Passes
  //===--------------------------------------------------------------------===//

  void emitPasses() {
    for (unsigned pass = 0; pass <= lastLevel; ++pass)
      emitPass(pass);
  }

  void emitPass(unsigned pass) {
    SmallVector<GenericOp> reductions, stored;
    for (GenericOp op : cluster.ops) {
      if (levels[op] != pass)
        continue;
      if (reduces(op)) {
        reductions.push_back(op);
      } else if (!isWide(op)) {
        emitElementwise(op, rowPlace);
        storeOutputs(op, rowPlace);
      } else if (isStored(op)) {
        stored.push_back(op);
      }
    }
    if (reductions.empty() && stored.empty())
      return;
    if (schedule.geometry == Geometry::Cluster)
      findPlaces();
    SmallVector<Value> totals = startReductions(reductions);
    if (schedule.resident) {
      for (Place &place : places)
        totals = emitPlace(place, reductions, stored, totals);
    } else {
      totals = emitLoop(reductions, stored, totals);
    }
    finishReductions(reductions, totals);
  }

  bool isStored(GenericOp op) {
    return llvm::any_of(op.getResults(), [&](OpResult result) {
      return llvm::is_contained(io.outputs, result);
    });
  }

  SmallVector<Value> startReductions(ArrayRef<GenericOp> reductions) {
    SmallVector<Value> totals;
    for (GenericOp op : reductions)
      for (OpResult result : op.getResults())
        totals.push_back(
            rows->neutral(getCombiner(op, result.getResultNumber()),
                          getElementTypeOrSelf(result.getType())));
    return totals;
  }

  SmallVector<Value> emitLoop(ArrayRef<GenericOp> reductions,
                              ArrayRef<GenericOp> stored,
                              ArrayRef<Value> totals) {
    SmallVector<Access> reads;
    DenseSet<Operation *> seen;
    for (GenericOp op : llvm::concat<const GenericOp>(reductions, stored))
      collectReads(op, seen, reads);
    // Once for the row, in front of the loop.
    for (const Access &access : reads)
      if (layout.isOfRow(access.map))
        readInput(access, rowPlace);
    auto loop = scf::ForOp::create(builder, loc, layout.getStart(),
                                   layout.getEnd(), layout.getStep(), totals);
    OpBuilder::InsertionGuard guard(builder);
    if (totals.empty())
      builder.setInsertionPoint(loop.getBody()->getTerminator());
    else
      builder.setInsertionPointToStart(loop.getBody());
    std::vector<Place> step = layout.createPlaces(loop.getInductionVar());
    for (const Access &access : reads)
      for (Place &place : step)
        readInput(access, place);
    emitFence();
    SmallVector<Value> inner(loop.getRegionIterArgs());
    for (Place &place : step)
      inner = emitPlace(place, reductions, stored, inner);
    if (!totals.empty())
      scf::YieldOp::create(builder, loc, inner);
    return SmallVector<Value>(loop.getResults());
  }

  SmallVector<Value> emitPlace(Place &place, ArrayRef<GenericOp> reductions,
                               ArrayRef<GenericOp> stored,
                               ArrayRef<Value> totals) {
    for (GenericOp op : stored)
      storeOutputs(op, place);
    SmallVector<Value> result;
    for (GenericOp op : reductions) {
      ArrayRef<Value> own = totals.slice(result.size(), op->getNumResults());
      llvm::append_range(result, accumulate(op, place, own));
    }
    return result;
  }

  //===--------------------------------------------------------------------===//
  // Values
  //===--------------------------------------------------------------------===//

  // The value of a tensor at `place`, as `operand` reads it.
  Lanes read(OpOperand &operand, Place &place) {
    Value tensor = operand.get();
    if (!isa<TensorType>(tensor.getType()))
      return Lanes(memory.getScalar(tensor));
    Operation *producer = tensor.getDefiningOp();
    if (auto generic = dyn_cast_or_null<GenericOp>(producer))
      if (cluster.contains(generic))
        return readResult(cast<OpResult>(tensor), place);
    if (auto fill = dyn_cast_or_null<linalg::FillOp>(producer))
      return Lanes(memory.getScalar(fill.getInputs().front()));
    if (isa_and_nonnull<tensor::EmptyOp>(producer))
      return Lanes(zero(getElementTypeOrSelf(tensor.getType())));
    if (auto constant = dyn_cast_or_null<arith::ConstantOp>(producer))
      if (auto splat = dyn_cast<SplatElementsAttr>(constant.getValue()))
        return Lanes(arith::ConstantOp::create(
            builder, loc, splat.getSplatValue<TypedAttr>()));
    return readInput({tensor, cluster.getMap(operand)}, place);
  }

  Value zero(Type type) {
    return arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  }

  Lanes readResult(OpResult result, Place &place) {
    auto op = cast<GenericOp>(result.getOwner());
    if (reduces(op) || !isWide(op))
      return rowPlace.values[result];
    auto it = place.values.find(result);
    if (it != place.values.end())
      return it->second;
    emitElementwise(op, place);
    return place.values[result];
  }

  // One load per place and access, one of the row alone.
  Lanes readInput(const Access &access, Place &place) {
    Place &owner = layout.isOfRow(access.map) ? rowPlace : place;
    for (auto &[known, lanes] : owner.loads)
      if (known == access)
        return lanes;
    std::optional<Lanes> lanes;
    if (kept.has(access))
      lanes = kept.load(access, &place - places.data());
    if (!lanes)
      lanes = memory.load(*io.findInput(access.tensor),
                          layout.getIndices(access.map, place));
    owner.loads.push_back({access, *lanes});
    return *lanes;
  }

  BodyEmitter enter(GenericOp op, Place &place) {
    SmallVector<Lanes> positions;
    for (unsigned dim : cluster.loops.find(op)->second)
      positions.push_back(place.positions[dim]);
    return BodyEmitter(memory, positions);
  }

  void emitElementwise(GenericOp op, Place &place) {
    BodyEmitter body = enter(op, place);
    for (OpOperand &operand : op->getOpOperands()) {
      BlockArgument argument = op.getMatchingBlockArgument(&operand);
      if (!argument.use_empty())
        body.map(argument, read(operand, place));
    }
    body.emit(*op.getBlock());
    for (auto [result, value] : llvm::zip(
             op.getResults(), op.getBlock()->getTerminator()->getOperands()))
      place.values[result] = body.lookup(value);
  }

  //===--------------------------------------------------------------------===//
  // Reductions
  //===--------------------------------------------------------------------===//

  SmallVector<Value> accumulate(GenericOp op, Place &place,
                                ArrayRef<Value> totals) {
    BodyEmitter body = enter(op, place);
    for (OpOperand *operand : op.getDpsInputOperands())
      if (!op.getMatchingBlockArgument(operand).use_empty())
        body.map(op.getMatchingBlockArgument(operand), read(*operand, place));
    SmallVector<Operation *> combiners;
    for (unsigned i = 0; i < totals.size(); ++i)
      combiners.push_back(getCombiner(op, i));
    body.emit(*op.getBlock(), combiners);
    SmallVector<Value> result;
    for (auto [i, total] : llvm::enumerate(totals)) {
      Value carried = op.getMatchingBlockArgument(op.getDpsInitOperand(i));
      bool isLeft = combiners[i]->getOperand(0) == carried;
      Lanes term = body.lookup(combiners[i]->getOperand(isLeft ? 1 : 0));
      Value sum = total;
      for (unsigned lane = 0; lane < space.lanes; ++lane)
        sum = rows->combine(combiners[i], sum, term.get(lane));
      if (place.predicate)
        sum =
            arith::SelectOp::create(builder, loc, place.predicate, sum, total);
      result.push_back(sum);
    }
    return result;
  }

  void finishReductions(ArrayRef<GenericOp> reductions,
                        ArrayRef<Value> totals) {
    for (GenericOp op : reductions) {
      for (OpResult result : op.getResults()) {
        unsigned number = result.getResultNumber();
        Operation *combiner = getCombiner(op, number);
        Value total = rows->reduce(combiner, totals.front());
        totals = totals.drop_front();
        Value init = read(*op.getDpsInitOperand(number), rowPlace).get(0);
        rowPlace.values[result] = Lanes(rows->combine(combiner, init, total));
      }
      storeOutputs(op, rowPlace);
    }
  }

  //===--------------------------------------------------------------------===//
  // Outputs
  //===--------------------------------------------------------------------===//

  void storeOutputs(GenericOp op, Place &place) {
    for (auto [i, output] : llvm::enumerate(io.outputs)) {
      if (output.getOwner() != op)
        continue;
      AffineMap map = cluster.getMap(*op.getTiedOpOperand(output));
      Value predicate = memory.both(layout.hasRow(), place.predicate);
      predicate = memory.both(predicate, isFirstOwner(map));
      memory.store(io.numInputs + i, layout.getIndices(map, place),
                   readResult(output, place), predicate);
    }
  }

  Value isZero(Value value) {
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, value,
                                 memory.index(0));
  }

  // Where several rows or threads have the same element, the first stores it.
  Value isFirstOwner(AffineMap map) {
    Value condition;
    for (const DimGroup &group : space.rows)
      if (!map.isFunctionOfDim(group.back()))
        condition = memory.both(
            condition, isZero(rowPlace.positions[group.back()].get(0)));
    for (const DimGroup &group : space.inner)
      if (map.isFunctionOfDim(group.back()))
        return condition;
    return memory.both(condition, layout.isFirstOfRow());
  }

  const Cluster &cluster;
  const KernelIO &io;
  const Space &space;
  Schedule schedule;
  OpBuilder builder;
  Location loc;
  Variant variant;
  gpu::GPUFuncOp kernel;
  KernelMemory memory;
  std::optional<RowReduction> rows;
  DenseMap<Operation *, unsigned> levels;
  unsigned lastLevel = 0;
  ThreadLayout layout;
  KeptReads kept;
  Place &rowPlace = layout.rowPlace;
  std::vector<Place> places;
};
} // namespace

Variant dtensor::buildKernel(gpu::GPUModuleOp module, StringRef name,
                             const Cluster &cluster, const KernelIO &io,
                             const Space &space, const Schedule &schedule) {
  return KernelBuilder(module, name, cluster, io, space, schedule).build();
}
