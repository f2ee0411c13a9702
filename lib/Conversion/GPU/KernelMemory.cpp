//===- KernelMemory.cpp - Parameters and memory of a kernel ---------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelMemory.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace dtensor;

// Device memory that a kernel may reach.
static constexpr unsigned kGlobalSpace = 1;

Type dtensor::getMemoryType(Type element) {
  if (element.isInteger(1))
    return IntegerType::get(element.getContext(), 8);
  if (element.isIndex())
    return IntegerType::get(element.getContext(), 64);
  return element;
}

std::optional<unsigned> KernelIO::findInput(Value tensor) const {
  auto inputs = ArrayRef(operands).take_front(numInputs);
  auto it = llvm::find(inputs, tensor);
  if (it == inputs.end())
    return std::nullopt;
  return it - inputs.begin();
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

static unsigned bytesOf(Type memory) {
  return memory.getIntOrFloatBitWidth() / 8;
}

Value KernelMemory::getParam(Param param) {
  auto it = llvm::find(variant.params, param);
  if (it != variant.params.end())
    return paramValues[it - variant.params.begin()];
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&kernel.getBody().front());
  Type type = builder.getI64Type();
  NamedAttrList attributes;
  if (param.kind == ParamKind::Pointer) {
    type = LLVM::LLVMPointerType::get(builder.getContext(), kGlobalSpace);
    attributes.set("llvm.noalias", builder.getUnitAttr());
    if (param.a < io.numInputs)
      attributes.set("llvm.readonly", builder.getUnitAttr());
  } else if (param.kind == ParamKind::Scalar) {
    type = getMemoryType(io.scalars[param.a].getType());
  } else if (param.kind == ParamKind::LogThreads) {
    type = builder.getI32Type();
  }
  unsigned position = variant.params.size();
  (void)kernel.insertArgument(position, type,
                              attributes.getDictionary(builder.getContext()),
                              kernel.getLoc());
  Value value = kernel.getArgument(position);
  if (param.kind == ParamKind::Scalar)
    value = fromMemory(value, io.scalars[param.a].getType());
  else if (type.isInteger(64))
    value = arith::IndexCastOp::create(builder, getLoc(),
                                       builder.getIndexType(), value);
  variant.params.push_back(param);
  paramValues.push_back(value);
  return value;
}

Value KernelMemory::getScalar(Value value) {
  auto it = llvm::find(io.scalars, value);
  if (it != io.scalars.end())
    return getParam({ParamKind::Scalar, it - io.scalars.begin()});
  Operation *constant = value.getDefiningOp();
  assert(constant && constant->hasTrait<OpTrait::ConstantLike>() &&
         "other scalars are parameters");
  Value &known = constants[value];
  if (!known) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&kernel.getBody().front());
    known = builder.clone(*constant)->getResult(0);
  }
  return known;
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

Value KernelMemory::index(int64_t value) {
  return arith::ConstantIndexOp::create(builder, getLoc(), value);
}
Value KernelMemory::add(Value lhs, Value rhs) {
  return builder.createOrFold<arith::AddIOp>(getLoc(), lhs, rhs);
}
Value KernelMemory::mul(Value lhs, Value rhs) {
  return builder.createOrFold<arith::MulIOp>(getLoc(), lhs, rhs);
}
Value KernelMemory::both(Value lhs, Value rhs) {
  if (!lhs || !rhs)
    return lhs ? lhs : rhs;
  return builder.createOrFold<arith::AndIOp>(getLoc(), lhs, rhs);
}

Value KernelMemory::toMemory(Value value) {
  Type type = value.getType();
  Type memory = getMemoryType(type);
  if (type == memory)
    return value;
  if (type.isIndex())
    return arith::IndexCastOp::create(builder, getLoc(), memory, value);
  return arith::ExtUIOp::create(builder, getLoc(), memory, value);
}

Value KernelMemory::fromMemory(Value value, Type element) {
  if (value.getType() == element)
    return value;
  if (element.isIndex())
    return arith::IndexCastOp::create(builder, getLoc(), element, value);
  Value zero = arith::ConstantOp::create(
      builder, getLoc(), builder.getIntegerAttr(value.getType(), 0));
  return arith::CmpIOp::create(builder, getLoc(), arith::CmpIPredicate::ne,
                               value, zero);
}

//===----------------------------------------------------------------------===//
// Addresses
//===----------------------------------------------------------------------===//

Value KernelMemory::stride(unsigned operand, unsigned dim) {
  return getParam({ParamKind::Stride, operand, dim});
}

KernelMemory::Address KernelMemory::locate(unsigned operand,
                                           ArrayRef<Lanes> indices) {
  Address result;
  Value offset = index(0);
  for (auto [dim, position] : llvm::enumerate(indices)) {
    bool isLast = dim + 1 == indices.size();
    bool contiguous = position.iota && isLast && lanes > 1;
    if (position.iota && lanes > 1)
      result.step = contiguous ? index(1) : stride(operand, dim);
    result.wide |= contiguous;
    Value first = position.get(0);
    if (matchPattern(first, m_Zero()))
      continue;
    offset = add(offset, contiguous ? first : mul(first, stride(operand, dim)));
  }
  Type memory = getMemoryType(getElementTypeOrSelf(io.operands[operand]));
  Value base = getParam({ParamKind::Pointer, operand});
  Value linear = arith::IndexCastOp::create(builder, getLoc(),
                                            builder.getI64Type(), offset);
  result.pointer = LLVM::GEPOp::create(builder, getLoc(), base.getType(),
                                       memory, base, ValueRange{linear});
  return result;
}

Value KernelMemory::advance(const Address &address, Type memory,
                            unsigned lane) {
  if (lane == 0)
    return address.pointer;
  Value offset = arith::IndexCastOp::create(
      builder, getLoc(), builder.getI64Type(), mul(address.step, index(lane)));
  return LLVM::GEPOp::create(builder, getLoc(), address.pointer.getType(),
                             memory, address.pointer, ValueRange{offset});
}

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

static unsigned getAlignment(unsigned bytes) { return std::min(bytes, 16u); }

bool KernelMemory::isOneAccess(ArrayRef<Lanes> indices) const {
  // Neighbours of the last dimension are neighbours in memory.
  return llvm::none_of(indices.drop_back(indices.empty() ? 0 : 1),
                       [](const Lanes &position) { return position.iota; });
}

Value KernelMemory::loadRaw(unsigned operand, ArrayRef<Lanes> indices) {
  Type memory = getMemoryType(getElementTypeOrSelf(io.operands[operand]));
  Address address = locate(operand, indices);
  unsigned count = address.wide ? lanes : 1;
  Type type = address.wide ? Type(VectorType::get(lanes, memory)) : memory;
  return LLVM::LoadOp::create(builder, getLoc(), type, address.pointer,
                              getAlignment(count * bytesOf(memory)));
}

Lanes KernelMemory::unpack(Value raw, Type element) {
  if (!isa<VectorType>(raw.getType()))
    return Lanes(fromMemory(raw, element));
  Lanes result;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    Value position = arith::ConstantIntOp::create(builder, getLoc(), lane, 32);
    Value one =
        LLVM::ExtractElementOp::create(builder, getLoc(), raw, position);
    result.values.push_back(fromMemory(one, element));
  }
  return result;
}

Lanes KernelMemory::load(unsigned operand, ArrayRef<Lanes> indices) {
  Type element = getElementTypeOrSelf(io.operands[operand]);
  if (isOneAccess(indices))
    return unpack(loadRaw(operand, indices), element);
  Type memory = getMemoryType(element);
  Address address = locate(operand, indices);
  Lanes result;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    Value one =
        LLVM::LoadOp::create(builder, getLoc(), memory,
                             advance(address, memory, lane), bytesOf(memory));
    result.values.push_back(fromMemory(one, element));
  }
  return result;
}

void KernelMemory::store(unsigned operand, ArrayRef<Lanes> indices,
                         const Lanes &value, Value predicate) {
  OpBuilder::InsertionGuard insertion(builder);
  if (predicate) {
    auto branch = scf::IfOp::create(builder, getLoc(), predicate,
                                    /*withElseRegion=*/false);
    builder.setInsertionPointToStart(branch.thenBlock());
  }
  Address address = locate(operand, indices);
  Type memory = getMemoryType(getElementTypeOrSelf(io.operands[operand]));
  if (!address.wide) {
    unsigned count = address.step ? lanes : 1;
    for (unsigned lane = 0; lane < count; ++lane)
      LLVM::StoreOp::create(builder, getLoc(), toMemory(value.get(lane)),
                            advance(address, memory, lane), bytesOf(memory));
    return;
  }
  Value all =
      LLVM::PoisonOp::create(builder, getLoc(), VectorType::get(lanes, memory));
  for (unsigned lane = 0; lane < lanes; ++lane) {
    Value position = arith::ConstantIntOp::create(builder, getLoc(), lane, 32);
    all = LLVM::InsertElementOp::create(builder, getLoc(), all,
                                        toMemory(value.get(lane)), position);
  }
  LLVM::StoreOp::create(builder, getLoc(), all, address.pointer,
                        getAlignment(lanes * bytesOf(memory)));
}

void KernelMemory::storeRaw(unsigned operand, ArrayRef<Lanes> indices,
                            Value value) {
  LLVM::StoreOp::create(builder, getLoc(), value,
                        locate(operand, indices).pointer,
                        bytesOf(value.getType()));
}
