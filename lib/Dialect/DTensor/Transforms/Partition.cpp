//===- Partition.cpp - the global program as one rank runs it -------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One walk over each function. Ops rewrite themselves (PartitionOpInterface);
// this pass knows only what moves layouts about: redistribute, refine, call,
// and structured control flow.
//
//===----------------------------------------------------------------------===//

#include "CalleesFirst.h"
#include "RedistributeSteps.h"
#include "dtensor/Analysis/Uniformity.h"
#include "dtensor/Dialect/DTensor/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

#define DEBUG_TYPE "dtensor-partition"

namespace dtensor {
#define GEN_PASS_DEF_PARTITION
#include "dtensor/Dialect/DTensor/Transforms/Passes.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;

namespace {

class FunctionPartitioner {
public:
  FunctionPartitioner(func::FuncOp global, MeshAttr mesh,
                      const DenseMap<StringAttr, func::FuncOp> &globals)
      : function(global, mesh), globals(globals),
        mapping(function.getMapping()) {}

  LogicalResult run() {
    func::FuncOp global = function.getGlobal();
    if (global.isExternal())
      return success();
    Block &from = global.getBody().front();
    Block &to = function.getFunction().getBody().front();
    for (auto [i, argument] : llvm::enumerate(from.getArguments()))
      mapping.map(argument, to.getArgument(i));
    OpBuilder builder = OpBuilder::atBlockEnd(&to);
    if (failed(partitionBlock(from, builder)))
      return failure();
    function.finish();
    return success();
  }

  func::FuncOp getFunction() { return function.getFunction(); }

private:
  LogicalResult partitionBlock(Block &block, OpBuilder &builder) {
    for (Operation &op : block)
      if (failed(partitionOp(&op, builder)))
        return failure();
    return success();
  }

  LogicalResult partitionOp(Operation *op, OpBuilder &builder);
  LogicalResult partitionMove(RedistributeOp op, OpBuilder &builder);
  LogicalResult verifyUniform(Operation *op);
  LogicalResult partitionRefine(RefineOp op, OpBuilder &builder);
  LogicalResult partitionCall(CallOp op, OpBuilder &builder);
  LogicalResult partitionByInterface(PartitionOpInterface op,
                                     OpBuilder &builder);
  LogicalResult partitionReturn(func::ReturnOp op, OpBuilder &builder);
  LogicalResult partitionAxis(Operation *op);
  LogicalResult cloneWithRegions(Operation *op, OpBuilder &builder);
  bool touchesLayouts(Operation *op) const;

  LocalFunction function;
  const DenseMap<StringAttr, func::FuncOp> &globals;
  IRMapping &mapping;
  Uniformity uniformity;
};

bool FunctionPartitioner::touchesLayouts(Operation *op) const {
  return llvm::any_of(llvm::concat<Value>(op->getOperands(), op->getResults()),
                      [](Value value) { return bool(getLayout(value)); });
}

LogicalResult FunctionPartitioner::partitionOp(Operation *op,
                                               OpBuilder &builder) {
  if (auto move = dyn_cast<RedistributeOp>(op))
    return partitionMove(move, builder);
  if (auto refine = dyn_cast<RefineOp>(op))
    return partitionRefine(refine, builder);
  if (auto call = dyn_cast<CallOp>(op))
    return partitionCall(call, builder);
  if (auto ret = dyn_cast<func::ReturnOp>(op))
    return partitionReturn(ret, builder);
  if (isa<AxisIndexOp, AxisSizeOp>(op))
    return partitionAxis(op);
  if (auto extent = dyn_cast<ExtentOp>(op)) {
    mapping.map(extent.getResult(),
                function.materialize(extent.getExpr().getExpr()));
    return success();
  }
  auto partitioned = dyn_cast<PartitionOpInterface>(op);
  if (partitioned && touchesLayouts(op))
    return partitionByInterface(partitioned, builder);
  if (op->getNumRegions() > 0 || op->hasTrait<OpTrait::IsTerminator>())
    return cloneWithRegions(op, builder);
  if (touchesLayouts(op))
    return op->emitOpError("cannot be partitioned: it does not say what it "
                           "does on the shards of one rank");
  builder.clone(*op, mapping);
  return success();
}

/// Every rank has to reach a collective.
LogicalResult FunctionPartitioner::verifyUniform(Operation *op) {
  Value divergent = uniformity.findDivergence(op);
  if (!divergent)
    return success();
  InFlightDiagnostic error = op->emitOpError(
      "is a collective under a non-uniform condition: it must be the same on "
      "every rank");
  error.attachNote(divergent.getLoc()) << "the condition is computed here";
  return error;
}

LogicalResult FunctionPartitioner::partitionMove(RedistributeOp op,
                                                 OpBuilder &builder) {
  if (!op.getPlan())
    return op.emitOpError("has no plan; run dtensor-plan first");
  bool communicates =
      llvm::any_of(op.getPlan()->getSteps(),
                   [](const Step &step) { return step.isCollective(); });
  if (communicates && failed(verifyUniform(op)))
    return failure();
  mapping.map(
      op.getResult(),
      emitRedistribution(builder, op, mapping.lookup(op.getInput()), function));
  return success();
}

/// Extents that are not proved equal are compared at entry, before anything
/// runs.
LogicalResult FunctionPartitioner::partitionRefine(RefineOp op,
                                                   OpBuilder &builder) {
  OpBuilder &entry = function.getEntryBuilder();
  if (LayoutAttr to = getLayout(op.getResult())) {
    LayoutAttr from = getLayout(op.getInput());
    for (auto [dim, extents] :
         llvm::enumerate(llvm::zip_equal(from.getExtents(), to.getExtents()))) {
      auto [lhs, rhs] = extents;
      if (function.getFacts().proveEqual(lhs, rhs))
        continue;
      Value left = function.materialize(lhs), right = function.materialize(rhs);
      Value equal = arith::CmpIOp::create(
          entry, op.getLoc(), arith::CmpIPredicate::eq, left, right);
      std::string message = llvm::formatv(
          "dimension {0} has extent {1} = {{0}, but it must equal {2} = {{1}",
          dim, lhs.str(), rhs.str());
      CheckOp::create(entry, op.getLoc(), equal, message, left, right);
    }
  }
  mapping.map(op.getResult(),
              castTo(builder, op.getLoc(), mapping.lookup(op.getInput()),
                     function.getLocalType(op.getResult())));
  return success();
}

LogicalResult FunctionPartitioner::partitionCall(CallOp op,
                                                 OpBuilder &builder) {
  auto known = globals.find(op.getCalleeAttr().getAttr());
  if (known == globals.end())
    return op.emitOpError("calls '")
           << op.getCallee() << "', which is not a function of this module";
  func::FuncOp callee = known->second;
  auto local = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      function.getFunction(), op.getCalleeAttr());
  SmallVector<Value> operands;
  for (auto [operand, type] :
       llvm::zip(op.getOperands(), local.getArgumentTypes()))
    operands.push_back(
        castTo(builder, op.getLoc(), mapping.lookup(operand), type));
  for (const std::string &symbol : LocalFunction::symbolsOf(callee)) {
    auto bound = op.getSymbols().getAs<ExprAttr>(symbol);
    if (!bound)
      return op.emitOpError("does not say what symbol '")
             << symbol << "' of '" << op.getCallee() << "' is";
    operands.push_back(function.materialize(bound.getExpr()));
  }
  unsigned axes = function.getMeshAttr().getMesh().getNumAxes();
  for (unsigned axis = 0; axis < axes; ++axis)
    operands.push_back(function.getAxisSize(axis));
  for (unsigned axis = 0; axis < axes; ++axis)
    operands.push_back(function.getAxisIndex(axis));
  auto call = func::CallOp::create(builder, op.getLoc(), local, operands);
  for (auto [from, to] : llvm::zip_equal(op.getResults(), call.getResults()))
    mapping.map(from, castTo(builder, op.getLoc(), to,
                             function.getLocalType(from.getType())));
  return success();
}

LogicalResult FunctionPartitioner::partitionByInterface(PartitionOpInterface op,
                                                        OpBuilder &builder) {
  if (op.communicates() && failed(verifyUniform(op)))
    return failure();
  SmallVector<Value> operands, results;
  for (Value operand : op->getOperands())
    operands.push_back(mapping.lookup(operand));
  if (failed(op.partition(builder, operands, function, results)))
    return failure();
  if (results.size() != op->getNumResults())
    return op->emitOpError("gave ") << results.size() << " local values for "
                                    << op->getNumResults() << " results";
  for (auto [from, to] : llvm::zip_equal(op->getResults(), results))
    mapping.map(from, castTo(builder, op->getLoc(), to,
                             function.getLocalType(from.getType())));
  return success();
}

LogicalResult FunctionPartitioner::partitionReturn(func::ReturnOp op,
                                                   OpBuilder &builder) {
  SmallVector<Value> operands;
  for (auto [operand, type] : llvm::zip_equal(
           op.getOperands(), function.getFunction().getResultTypes()))
    operands.push_back(
        castTo(builder, op.getLoc(), mapping.lookup(operand), type));
  func::ReturnOp::create(builder, op.getLoc(), operands);
  return success();
}

LogicalResult FunctionPartitioner::partitionAxis(Operation *op) {
  StringRef name = op->getAttrOfType<StringAttr>("axis");
  std::optional<unsigned> axis = function.getMeshAttr().getMesh().lookup(name);
  if (!axis)
    return op->emitOpError("names axis \"")
           << name << "\", which the mesh of the function does not have";
  mapping.map(op->getResult(0), isa<AxisIndexOp>(op)
                                    ? function.getAxisIndex(*axis)
                                    : function.getAxisSize(*axis));
  return success();
}

/// Control flow, and any other op without layouts of its own: the same op on
/// local types.
LogicalResult FunctionPartitioner::cloneWithRegions(Operation *op,
                                                    OpBuilder &builder) {
  OperationState state(op->getLoc(), op->getName());
  for (Value operand : op->getOperands())
    state.operands.push_back(mapping.lookupOrDefault(operand));
  for (Type type : op->getResultTypes())
    state.types.push_back(function.getLocalType(type));
  state.addAttributes(op->getAttrs());
  for (unsigned i = 0, e = op->getNumRegions(); i != e; ++i)
    state.addRegion();
  Operation *clone = builder.create(state);
  for (auto [from, to] : llvm::zip_equal(op->getResults(), clone->getResults()))
    mapping.map(from, to);
  for (auto [from, to] : llvm::zip_equal(op->getRegions(), clone->getRegions()))
    for (Block &block : from) {
      Block &copy = to.emplaceBlock();
      for (BlockArgument argument : block.getArguments())
        mapping.map(argument,
                    copy.addArgument(function.getLocalType(argument.getType()),
                                     argument.getLoc()));
      OpBuilder inner = OpBuilder::atBlockEnd(&copy);
      if (failed(partitionBlock(block, inner)))
        return failure();
    }
  return success();
}

struct PartitionPass : public dtensor::impl::PartitionBase<PartitionPass> {
  void runOnOperation() override {
    SmallVector<func::FuncOp> order;
    if (failed(calleesFirst(getOperation(), order)))
      return signalPassFailure();
    // A function and its local form have one name, so the global ones wait
    // outside the symbol table until all callers have been rewritten.
    DenseMap<StringAttr, func::FuncOp> globals;
    for (func::FuncOp func : order) {
      MeshAttr mesh = getMesh(func);
      if (!mesh)
        continue;
      if (failed(partition(func, mesh, globals))) {
        signalPassFailure();
        break;
      }
    }
    for (auto &[name, func] : globals)
      func->destroy();
  }

  LogicalResult partition(func::FuncOp func, MeshAttr mesh,
                          DenseMap<StringAttr, func::FuncOp> &globals) {
    ScopedDiagnosticHandler handler(&getContext(), [&](Diagnostic &diagnostic) {
      failedOnce |= diagnostic.getSeverity() == DiagnosticSeverity::Error;
      return failure(); // Others report it.
    });
    FunctionPartitioner partitioner(func, mesh, globals);
    if (failed(partitioner.run()) || failedOnce) {
      partitioner.getFunction().erase();
      return failure();
    }
    func->remove();
    globals[func.getSymNameAttr()] = func;
    return success();
  }

  bool failedOnce = false;
};

} // namespace
