//===- Signatures.cpp - What the compiler adds to function types ----------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Conversion/Passes.h"
#include "dtensor/Conversion/RuntimeDialect.h"
#include "dtensor/Dialect/DTensor/IR/DTensorDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Utils/MemRefUtils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

namespace dtensor {
#define GEN_PASS_DEF_ADDCONTEXT
#define GEN_PASS_DEF_RESULTSTOOUTPARAMS
#include "dtensor/Conversion/Passes.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;

//===----------------------------------------------------------------------===//
// dtensor-add-context
//===----------------------------------------------------------------------===//

namespace {
struct AddContext : dtensor::impl::AddContextBase<AddContext> {
  void runOnOperation() override {
    Builder builder(&getContext());
    Type pointer = LLVM::LLVMPointerType::get(&getContext());
    DictionaryAttr mark = builder.getDictionaryAttr(
        builder.getNamedAttr(kContextAttr, builder.getUnitAttr()));
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (hasContext(function))
        continue;
      if (failed(function.insertArgument(function.getNumArguments(), pointer,
                                         mark, function.getLoc())))
        return signalPassFailure();
    }
    getOperation().walk([&](func::CallOp call) {
      Value context = getContextArgument(call->getParentOfType<func::FuncOp>());
      auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
          call, call.getCalleeAttr());
      if (callee && call.getNumOperands() < callee.getNumArguments())
        call.getOperandsMutable().append(context);
    });
  }

  // Also true for a declaration, which has no argument values.
  static bool hasContext(func::FuncOp function) {
    unsigned count = function.getNumArguments();
    return count && function.getArgAttr(count - 1, kContextAttr);
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// dtensor-results-to-out-params
//===----------------------------------------------------------------------===//

namespace {
struct ResultsToOutParams
    : dtensor::impl::ResultsToOutParamsBase<ResultsToOutParams> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    SmallVector<func::FuncOp> entries;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function.isPublic() && !function.isDeclaration())
        entries.push_back(function);
    for (func::FuncOp entry : entries) {
      makePrivateTwin(entry, symbols);
      markWritable(entry);
      if (failed(moveResults(entry)))
        return signalPassFailure();
    }
  }

  // Callers keep a function that returns its results.
  void makePrivateTwin(func::FuncOp entry, SymbolTable &symbols) {
    std::optional<SymbolTable::UseRange> uses =
        SymbolTable::getSymbolUses(entry, getOperation());
    if (!uses || uses->empty())
      return;
    func::FuncOp twin = entry.clone();
    twin.setPrivate();
    StringAttr name = symbols.insert(twin);
    for (SymbolTable::SymbolUse use : *uses)
      if (auto call = dyn_cast<func::CallOp>(use.getUser()))
        call.setCalleeAttr(FlatSymbolRefAttr::get(name));
    twin.walk([&](func::CallOp call) {
      if (call.getCallee() == entry.getSymName())
        call.setCalleeAttr(FlatSymbolRefAttr::get(name));
    });
  }

  // A caller's buffer may be overwritten only if it was donated.
  void markWritable(func::FuncOp entry) {
    Builder builder(&getContext());
    for (BlockArgument argument : entry.getArguments()) {
      if (!isa<TensorType>(argument.getType()))
        continue;
      unsigned index = argument.getArgNumber();
      bool donated = entry.getArgAttr(index, "dtensor.donated") != nullptr;
      entry.setArgAttr(index,
                       bufferization::BufferizationDialect::kWritableAttrName,
                       builder.getBoolAttr(donated));
    }
  }

  LogicalResult moveResults(func::FuncOp entry) {
    auto terminator =
        dyn_cast<func::ReturnOp>(entry.getBody().back().getTerminator());
    if (!entry.getBody().hasOneBlock() || !terminator)
      return entry.emitOpError("has more than one block");
    SmallVector<std::pair<Value, unsigned>> updates;
    int64_t moved = 0;
    for (auto [index, value] : llvm::enumerate(terminator.getOperands()))
      if (auto updated = entry.getResultAttrOfType<IntegerAttr>(
              index, DTensorDialect::kUpdatesAttr))
        updates.push_back({value, updated.getInt()});
      else
        moveResult(entry, terminator, index, moved++, value);
    moveUpdates(entry, terminator, updates);
    BitVector all(entry.getNumResults(), true);
    terminator.getOperandsMutable().clear();
    return entry.eraseResults(all);
  }

  // Arguments that a result is written to become buffers, too. They are written
  // last: all that reads what they were is done.
  void moveUpdates(func::FuncOp entry, Operation *terminator,
                   ArrayRef<std::pair<Value, unsigned>> updates) {
    OpBuilder builder(terminator);
    Location loc = terminator->getLoc();
    SmallVector<Value> values;
    for (auto [value, index] : updates) {
      // What is no change in place may be another one's argument.
      if (getDestination(value) != entry.getArgument(index))
        value = bufferization::AllocTensorOp::create(
            builder, loc, cast<RankedTensorType>(value.getType()),
            /*dynamicSizes=*/ValueRange(), /*copy=*/value);
      values.push_back(value);
    }
    for (auto [value, update] : llvm::zip(values, updates))
      if (Value buffer = makeBuffer(entry, update.second))
        bufferization::MaterializeInDestinationOp::create(
            builder, loc, Type(), value, buffer, /*restrict=*/true,
            /*writable=*/true);
  }

  // The value whose memory `value` is a change of, as far as can be seen.
  static Value getDestination(Value value) {
    while (Operation *op = value.getDefiningOp()) {
      unsigned number = cast<OpResult>(value).getResultNumber();
      if (auto loop = dyn_cast<LoopLikeOpInterface>(op))
        value = loop.getTiedLoopInit(cast<OpResult>(value))
                    ? loop.getTiedLoopInit(cast<OpResult>(value))->get()
                    : Value();
      else if (auto inPlace = dyn_cast<DestinationStyleOpInterface>(op))
        value = inPlace.getDpsInits()[number];
      else if (isa<tensor::CastOp>(op))
        value = op->getOperand(0);
      else
        return value;
      if (!value)
        return value;
    }
    return value;
  }

  Value makeBuffer(func::FuncOp entry, unsigned index) {
    BlockArgument argument = entry.getArgument(index);
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type)
      return argument;
    entry.removeArgAttr(index,
                        bufferization::BufferizationDialect::kWritableAttrName);
    OpBuilder builder(&entry.getBody().front(),
                      entry.getBody().front().begin());
    argument.setType(MemRefType::get(type.getShape(), type.getElementType()));
    auto tensor = bufferization::ToTensorOp::create(
        builder, entry.getLoc(), type, argument, /*restrict=*/true,
        /*writable=*/true);
    argument.replaceAllUsesExcept(tensor, tensor);
    SmallVector<Type> inputs(entry.getArgumentTypes());
    inputs[index] = argument.getType();
    entry.setFunctionType(FunctionType::get(
        entry.getContext(), inputs, entry.getFunctionType().getResults()));
    return argument;
  }

  // A scalar becomes a buffer of rank 0; an index is 64 bits wide outside.
  void moveResult(func::FuncOp entry, Operation *terminator, int64_t index,
                  int64_t number, Value value) {
    OpBuilder builder(terminator);
    Location loc = terminator->getLoc();
    if (auto type = dyn_cast<RankedTensorType>(value.getType())) {
      Value out = appendOutParam(
          entry, MemRefType::get(type.getShape(), type.getElementType()), index,
          number);
      skipExpansion(entry, value, out);
      skipCollapse(value, out);
      bufferization::MaterializeInDestinationOp::create(
          builder, loc, Type(), value, out, /*restrict=*/true,
          /*writable=*/true);
      return;
    }
    if (value.getType().isIndex())
      value =
          arith::IndexCastOp::create(builder, loc, builder.getI64Type(), value);
    Value out = appendOutParam(entry, MemRefType::get({}, value.getType()),
                               index, number);
    memref::StoreOp::create(builder, loc, value, out);
  }

  // What is computed in other dimensions is computed in `out` as well, where
  // that is only another view of it.
  static void skipExpansion(func::FuncOp entry, Value &value, Value &out) {
    auto expansion = value.getDefiningOp<tensor::ExpandShapeOp>();
    if (!expansion)
      return;
    auto type = cast<MemRefType>(out.getType());
    MemRefType collapsed = memref::CollapseShapeOp::computeCollapsedType(
        type, expansion.getReassociationIndices());
    if (collapsed.getShape() != expansion.getSrcType().getShape())
      return;
    OpBuilder builder(&entry.getBody().front(),
                      entry.getBody().front().begin());
    out = memref::CollapseShapeOp::create(builder, expansion.getLoc(), out,
                                          expansion.getReassociationIndices());
    value = expansion.getSrc();
  }

  // The same of what has more dimensions there, whose sizes are known where its
  // memory is asked for.
  static void skipCollapse(Value &value, Value &out) {
    auto collapse = value.getDefiningOp<tensor::CollapseShapeOp>();
    if (!collapse)
      return;
    Value memory = getDestination(collapse.getSrc());
    auto empty = memory.getDefiningOp<tensor::EmptyOp>();
    if (!empty || empty.getType() != collapse.getSrcType())
      return;
    OpBuilder builder(empty);
    Location loc = collapse.getLoc();
    SmallVector<OpFoldResult> sizes = empty.getMixedSizes();
    // `memref.expand_shape` is lowered with one unknown size a group alone.
    out = memref::ReinterpretCastOp::create(
        builder, loc,
        MemRefType::get(empty.getType().getShape(),
                        empty.getType().getElementType()),
        out, /*offset=*/builder.getIndexAttr(0), sizes,
        memref::computeStridesIRBlock(loc, builder, sizes));
    value = collapse.getSrc();
  }

  Value appendOutParam(func::FuncOp entry, MemRefType type, int64_t index,
                       int64_t number) {
    Builder builder(&getContext());
    SmallVector<NamedAttribute> attributes = {
        builder.getNamedAttr(kResultAttr, builder.getI64IntegerAttr(number))};
    if (DictionaryAttr old = entry.getResultAttrDict(index))
      llvm::append_range(attributes, old.getValue());
    unsigned position = entry.getNumArguments();
    (void)entry.insertArgument(
        position, type, builder.getDictionaryAttr(attributes), entry.getLoc());
    return entry.getArgument(position);
  }
};
} // namespace
