//===- SerialKernel.cpp - One thread per element --------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For bodies that cannot be reordered or split into lanes: a thread owns an
// element of the output and runs the reduction loops in their order.
//
//===----------------------------------------------------------------------===//

#include "BodyEmitter.h"
#include "KernelBuilder.h"

#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace dtensor;
using linalg::GenericOp;

namespace {
class SerialKernelBuilder {
public:
  SerialKernelBuilder(gpu::GPUModuleOp module, StringRef name,
                      const Cluster &cluster, const KernelIO &io)
      : op(cluster.ops.front()), io(io), builder(module.getContext()),
        loc(op.getLoc()), kernel(create(module, name)),
        memory(builder, kernel, io, variant, 1), positions(op.getNumLoops()) {
    variant.kernel = SymbolRefAttr::get(
        module.getSymNameAttr(), FlatSymbolRefAttr::get(kernel.getNameAttr()));
    for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray())) {
      bool reduces = kind == utils::IteratorType::reduction;
      (reduces ? reductions : parallels).push_back(loop);
    }
    // A row has one element: all threads of a block take rows.
    for (unsigned loop : parallels)
      variant.rows |= int64_t(1) << loop;
  }

  Variant build() {
    auto end = gpu::ReturnOp::create(builder, loc);
    builder.setInsertionPoint(end);
    Value active = locate();
    auto branch = scf::IfOp::create(builder, loc, active,
                                    /*withElseRegion=*/false);
    builder.setInsertionPointToStart(branch.thenBlock());
    SmallVector<Value> values;
    for (OpOperand &init : op.getDpsInitsMutable())
      values.push_back(read(init));
    values = emitLoops(0, values);
    for (auto [i, output] : llvm::enumerate(io.outputs))
      memory.store(io.numInputs + i, indices(*op.getTiedOpOperand(output)),
                   Lanes(values[output.getResultNumber()]), Value());
    return variant;
  }

private:
  gpu::GPUFuncOp create(gpu::GPUModuleOp module, StringRef name) {
    builder.setInsertionPointToEnd(module.getBody());
    auto function = gpu::GPUFuncOp::create(builder, loc, name,
                                           builder.getFunctionType({}, {}));
    function->setAttr(gpu::GPUDialect::getKernelFuncAttrName(),
                      builder.getUnitAttr());
    builder.setInsertionPointToStart(&function.getBody().front());
    return function;
  }

  Value locate() {
    Value block = gpu::BlockIdOp::create(builder, loc, gpu::Dimension::x);
    Value size = gpu::BlockDimOp::create(builder, loc, gpu::Dimension::x);
    Value thread = gpu::ThreadIdOp::create(builder, loc, gpu::Dimension::x);
    Value number = memory.add(memory.mul(block, size), thread);
    Value count = parallels.empty()
                      ? memory.index(1)
                      : memory.getParam({ParamKind::Extent, variant.rows});
    Value rest = number;
    for (unsigned i = parallels.size(); i-- > 0;) {
      unsigned loop = parallels[i];
      positions[loop] = rest;
      if (i == 0)
        continue;
      Value extent = memory.getParam({ParamKind::Extent, int64_t(1) << loop});
      positions[loop] = arith::RemUIOp::create(builder, loc, rest, extent);
      rest = arith::DivUIOp::create(builder, loc, rest, extent);
    }
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult,
                                 number, count);
  }

  SmallVector<Lanes> indices(OpOperand &operand) {
    SmallVector<Lanes> result;
    for (AffineExpr expr : op.getMatchingIndexingMap(&operand).getResults())
      result.push_back(
          Lanes(affine::expandAffineExpr(builder, loc, expr, positions, {})));
    return result;
  }

  Value read(OpOperand &operand) {
    Value tensor = operand.get();
    if (!isa<TensorType>(tensor.getType()))
      return memory.getScalar(tensor);
    if (auto fill = tensor.getDefiningOp<linalg::FillOp>())
      return memory.getScalar(fill.getInputs().front());
    if (auto number = io.findInput(tensor))
      return memory.load(*number, indices(operand)).get(0);
    Type element = getElementTypeOrSelf(tensor.getType());
    TypedAttr value = builder.getZeroAttr(element);
    if (auto constant = tensor.getDefiningOp<arith::ConstantOp>())
      if (auto splat = dyn_cast<SplatElementsAttr>(constant.getValue()))
        value = splat.getSplatValue<TypedAttr>();
    return arith::ConstantOp::create(builder, loc, value);
  }

  SmallVector<Value> emitLoops(unsigned depth, ArrayRef<Value> carried) {
    if (depth == reductions.size())
      return emitBody(carried);
    unsigned loop = reductions[depth];
    Value extent = memory.getParam({ParamKind::Extent, int64_t(1) << loop});
    auto nest = scf::ForOp::create(builder, loc, memory.index(0), extent,
                                   memory.index(1), carried);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(nest.getBody());
    positions[loop] = nest.getInductionVar();
    SmallVector<Value> inner(nest.getRegionIterArgs());
    scf::YieldOp::create(builder, loc, emitLoops(depth + 1, inner));
    return SmallVector<Value>(nest.getResults());
  }

  SmallVector<Value> emitBody(ArrayRef<Value> carried) {
    SmallVector<Lanes> all;
    for (Value position : positions)
      all.push_back(Lanes(position));
    BodyEmitter body(memory, all);
    for (OpOperand *operand : op.getDpsInputOperands())
      if (!op.getMatchingBlockArgument(operand).use_empty())
        body.map(op.getMatchingBlockArgument(operand), Lanes(read(*operand)));
    for (auto [i, value] : llvm::enumerate(carried))
      body.map(op.getMatchingBlockArgument(op.getDpsInitOperand(i)),
               Lanes(value));
    body.emit(*op.getBlock());
    SmallVector<Value> result;
    for (Value value : op.getBlock()->getTerminator()->getOperands())
      result.push_back(body.lookup(value).get(0));
    return result;
  }

  GenericOp op;
  const KernelIO &io;
  OpBuilder builder;
  Location loc;
  Variant variant;
  gpu::GPUFuncOp kernel;
  KernelMemory memory;
  SmallVector<Value> positions;
  SmallVector<unsigned> parallels, reductions;
};
} // namespace

Variant dtensor::buildSerialKernel(gpu::GPUModuleOp module, StringRef name,
                                   const Cluster &cluster, const KernelIO &io) {
  return SerialKernelBuilder(module, name, cluster, io).build();
}
