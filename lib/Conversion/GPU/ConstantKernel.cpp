//===- ConstantKernel.cpp - Literal tensors in device memory --------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A literal is part of the device code; a kernel copies it to where the program
// wants it.
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace dtensor;

static constexpr unsigned kGlobalSpace = 1;

// One dimension of elements as they lie in memory.
static DenseElementsAttr flatten(DenseElementsAttr value) {
  Type element = value.getElementType();
  Type memory = getMemoryType(element);
  auto type = RankedTensorType::get({value.getNumElements()}, memory);
  if (memory == element)
    return value.reshape(type);
  SmallVector<APInt> values;
  unsigned bits = memory.getIntOrFloatBitWidth();
  for (const APInt &one : value.getValues<APInt>())
    values.push_back(element.isIndex() ? one.sextOrTrunc(bits)
                                       : one.zextOrTrunc(bits));
  return DenseElementsAttr::get(type, values);
}

static LLVM::GlobalOp createGlobal(gpu::GPUModuleOp module, StringRef name,
                                   Location loc, DenseElementsAttr value) {
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  DenseElementsAttr flat = flatten(value);
  auto type =
      LLVM::LLVMArrayType::get(flat.getElementType(), flat.getNumElements());
  return LLVM::GlobalOp::create(builder, loc, type, /*isConstant=*/true,
                                LLVM::Linkage::Internal, (name + "_data").str(),
                                flat,
                                /*alignment=*/16, kGlobalSpace);
}

Variant dtensor::buildConstantKernel(gpu::GPUModuleOp module, StringRef name,
                                     DenseElementsAttr value, Value dest) {
  Location loc = dest.getLoc();
  LLVM::GlobalOp global = createGlobal(module, name, loc, value);
  OpBuilder builder(module.getContext());
  builder.setInsertionPointToEnd(module.getBody());
  auto kernel = gpu::GPUFuncOp::create(builder, loc, name,
                                       builder.getFunctionType({}, {}));
  kernel->setAttr(gpu::GPUDialect::getKernelFuncAttrName(),
                  builder.getUnitAttr());
  builder.setInsertionPointToStart(&kernel.getBody().front());
  auto end = gpu::ReturnOp::create(builder, loc);
  builder.setInsertionPoint(end);

  KernelIO io;
  io.operands.push_back(dest);
  Variant variant;
  variant.kernel = SymbolRefAttr::get(
      module.getSymNameAttr(), FlatSymbolRefAttr::get(kernel.getNameAttr()));
  ArrayRef<int64_t> shape = value.getType().getShape();
  variant.rows = (int64_t(1) << shape.size()) - 1;
  KernelMemory memory(builder, kernel, io, variant, /*lanes=*/1);

  Value block = gpu::BlockIdOp::create(builder, loc, gpu::Dimension::x);
  Value size = gpu::BlockDimOp::create(builder, loc, gpu::Dimension::x);
  Value thread = gpu::ThreadIdOp::create(builder, loc, gpu::Dimension::x);
  Value number = memory.add(memory.mul(block, size), thread);
  Value active =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, number,
                            memory.index(value.getNumElements()));
  auto branch =
      scf::IfOp::create(builder, loc, active, /*withElseRegion=*/false);
  builder.setInsertionPointToStart(branch.thenBlock());
  SmallVector<Lanes> positions(shape.size());
  Value rest = number;
  for (unsigned dim = shape.size(); dim-- > 0;) {
    Value extent = memory.index(shape[dim]);
    positions[dim] = Lanes(arith::RemUIOp::create(builder, loc, rest, extent));
    rest = arith::DivUIOp::create(builder, loc, rest, extent);
  }
  Value base = LLVM::AddressOfOp::create(builder, loc, global);
  Value linear =
      arith::IndexCastOp::create(builder, loc, builder.getI64Type(), number);
  Type type = getMemoryType(value.getElementType());
  Value address = LLVM::GEPOp::create(builder, loc, base.getType(), type, base,
                                      ValueRange{linear});
  Value element = LLVM::LoadOp::create(builder, loc, type, address);
  memory.storeRaw(0, positions, element);
  return variant;
}
