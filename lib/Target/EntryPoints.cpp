//===- EntryPoints.cpp - Exported functions of a bundle -------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EntryEmitter.h"

#include "dtensor/Conversion/Passes.h"
#include "dtensor/Sharding/LocalShape.h"

#include "llvm/IR/Module.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace dtensor;
using namespace llvm;

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

llvm::Value *ExprEmitter::load(llvm::Value *array, unsigned index) {
  return builder.CreateLoad(builder.getInt64Ty(), at(array, index));
}

llvm::Value *ExprEmitter::at(llvm::Value *array, unsigned index) {
  return builder.CreateConstInBoundsGEP1_64(builder.getInt64Ty(), array, index);
}

llvm::Value *ExprEmitter::constant(int64_t value) {
  return builder.getInt64(value);
}

llvm::Value *ExprEmitter::symbol(StringRef name, SymbolKind kind) {
  if (kind == SymbolKind::Extent)
    return load(symbols,
                llvm::find(entry.symbols, name) - entry.symbols.begin());
  unsigned axis = *entry.mesh.lookup(name);
  return load(kind == SymbolKind::AxisSize ? axisSizes : coords, axis);
}

llvm::Value *ExprEmitter::add(llvm::Value *lhs, llvm::Value *rhs) {
  return builder.CreateAdd(lhs, rhs);
}

llvm::Value *ExprEmitter::mul(llvm::Value *lhs, llvm::Value *rhs) {
  return builder.CreateMul(lhs, rhs);
}

// A division by a value <= 0 has no value; dividing by 1 instead keeps the
// processor from trapping, and a check elsewhere reports the extent.
llvm::Value *ExprEmitter::floorDivide(llvm::Value *lhs, llvm::Value *rhs,
                                      bool remainder) {
  llvm::Value *divisor =
      builder.CreateBinaryIntrinsic(Intrinsic::smax, rhs, constant(1));
  llvm::Value *quotient = builder.CreateSDiv(lhs, divisor);
  llvm::Value *rest = builder.CreateSRem(lhs, divisor);
  llvm::Value *negative = builder.CreateICmpSLT(rest, constant(0));
  if (remainder)
    return builder.CreateSelect(negative, builder.CreateAdd(rest, divisor),
                                rest);
  return builder.CreateAdd(quotient,
                           builder.CreateSExt(negative, builder.getInt64Ty()));
}

llvm::Value *ExprEmitter::binary(BinaryKind kind, llvm::Value *lhs,
                                 llvm::Value *rhs) {
  switch (kind) {
  case BinaryKind::FloorDiv:
    return floorDivide(lhs, rhs, /*remainder=*/false);
  case BinaryKind::CeilDiv:
    return builder.CreateNeg(
        floorDivide(builder.CreateNeg(lhs), rhs, /*remainder=*/false));
  case BinaryKind::Mod:
    return floorDivide(lhs, rhs, /*remainder=*/true);
  case BinaryKind::Min:
    return builder.CreateBinaryIntrinsic(Intrinsic::smin, lhs, rhs);
  case BinaryKind::Max:
    return builder.CreateBinaryIntrinsic(Intrinsic::smax, lhs, rhs);
  }
  llvm_unreachable("all kinds are handled");
}

//===----------------------------------------------------------------------===//
// layout
//===----------------------------------------------------------------------===//

static Function *createExported(Module &module, const Twine &name,
                                llvm::Type *result,
                                ArrayRef<llvm::Type *> parameters) {
  auto *function = Function::Create(
      FunctionType::get(result, parameters, /*isVarArg=*/false),
      GlobalValue::ExternalLinkage, name, module);
  function->setDoesNotThrow();
  return function;
}

Function *dtensor::createEntryFunction(Module &module, const Twine &name,
                                       llvm::Type *result,
                                       ArrayRef<llvm::Type *> parameters) {
  return createExported(module, name, result, parameters);
}

static void emitLayoutOf(ExprEmitter &emitter, const Entry &entry,
                         const Layout &layout, llvm::Value *extents,
                         llvm::Value *offsets) {
  ExprMemo<llvm::Value *> memo;
  for (unsigned dim = 0; dim < layout.getRank(); ++dim) {
    LocalDim local = localDim(entry.mesh, layout, dim, *entry.context);
    llvm::Value *size = foldExpr<llvm::Value *>(local.size, emitter, memo);
    llvm::Value *offset = foldExpr<llvm::Value *>(local.offset, emitter, memo);
    emitter.builder.CreateStore(size, emitter.at(extents, dim));
    emitter.builder.CreateStore(offset, emitter.at(offsets, dim));
  }
}

// void layout(ordinal, symbols, axisSizes, coords, extents, offsets)
static void emitLayout(Module &module, const Entry &entry) {
  LLVMContext &context = module.getContext();
  llvm::Type *pointer = PointerType::get(context, 0);
  Function *function = createExported(module, entry.getLayoutName(),
                                      llvm::Type::getVoidTy(context),
                                      {llvm::Type::getInt32Ty(context), pointer,
                                       pointer, pointer, pointer, pointer});
  IRBuilder<> builder(BasicBlock::Create(context, "entry", function));
  auto *end = BasicBlock::Create(context, "end", function);
  SwitchInst *choice = builder.CreateSwitch(function->getArg(0), end);
  ExprEmitter emitter(builder, entry);
  emitter.symbols = function->getArg(1);
  emitter.axisSizes = function->getArg(2);
  emitter.coords = function->getArg(3);
  // The layers of a model have weights of few layouts.
  std::vector<std::pair<Layout, BasicBlock *>> known;
  auto getBlock = [&](const Layout &layout) {
    auto it = llvm::find_if(
        known, [&](const auto &entry) { return entry.first == layout; });
    if (it != known.end())
      return it->second;
    auto *block = BasicBlock::Create(context, "tensor", function);
    builder.SetInsertPoint(block);
    emitLayoutOf(emitter, entry, layout, function->getArg(4),
                 function->getArg(5));
    builder.CreateBr(end);
    known.emplace_back(layout, block);
    return block;
  };
  unsigned ordinal = 0;
  for (ArrayRef<EntryValue> values :
       {ArrayRef(entry.arguments), ArrayRef(entry.results)})
    for (const EntryValue &value : values)
      choice->addCase(builder.getInt32(ordinal++),
                      value.isScalar ? end : getBlock(value.layout));
  builder.SetInsertPoint(end);
  builder.CreateRetVoid();
}

//===----------------------------------------------------------------------===//
// run
//===----------------------------------------------------------------------===//

namespace {
/// void run(ctx, args, symbols, axisSizes, coords)
class RunEmitter {
public:
  RunEmitter(Module &module, const Entry &entry, Function *callee)
      : entry(entry), callee(callee), builder(module.getContext()) {
    llvm::Type *pointer = builder.getPtrTy();
    function = createExported(module, entry.getRunName(), builder.getVoidTy(),
                              {pointer, pointer, pointer, pointer, pointer});
    builder.SetInsertPoint(
        BasicBlock::Create(module.getContext(), "entry", function));
  }

  void emit() {
    unsigned ordinal = 0;
    for (const EntryValue &value : entry.arguments)
      pass(value, ordinal++);
    for (EntryParameter parameter : entry.parameters)
      operands.push_back(read(builder.getInt64Ty(), getArray(parameter.kind),
                              parameter.index));
    operands.push_back(function->getArg(0));
    for (const EntryValue &value : entry.results)
      pass(value, ordinal++);
    assert(operands.size() == callee->arg_size() && "signatures differ");
    CallInst *call = builder.CreateCall(callee, operands);
    builder.CreateRetVoid();
    inlineCallee(*call);
  }

private:
  llvm::Value *getArray(EntryParameter::Kind kind) {
    switch (kind) {
    case EntryParameter::Symbol:
      return function->getArg(2);
    case EntryParameter::AxisSize:
      return function->getArg(3);
    case EntryParameter::AxisIndex:
      return function->getArg(4);
    }
    llvm_unreachable("all kinds are handled");
  }

  // Pointers, offset, sizes and strides lie in 8 bytes each.
  void pass(const EntryValue &value, unsigned ordinal) {
    llvm::Value *words = read(builder.getPtrTy(), function->getArg(1), ordinal);
    unsigned count = value.isScalar ? 1 : 3 + 2 * value.layout.getRank();
    for (unsigned i = 0; i < count; ++i)
      operands.push_back(
          readWord(callee->getArg(operands.size())->getType(), words, i));
  }

  // An i1 takes a whole byte outside.
  llvm::Value *readWord(llvm::Type *type, llvm::Value *words, unsigned index) {
    if (!type->isIntegerTy(1))
      return read(type, words, index);
    return builder.CreateICmpNE(read(builder.getInt8Ty(), words, index),
                                builder.getInt8(0));
  }

  // A call that passes every word of every descriptor would have thousands of
  // operands.
  void inlineCallee(CallInst &call) {
    InlineFunctionInfo info;
    if (InlineFunction(call, info, /*MergeAttributes=*/false,
                       /*CalleeAAR=*/nullptr, /*InsertLifetime=*/false)
            .isSuccess())
      callee->eraseFromParent();
  }

  // Neither arguments' descriptors nor sizes change during a run.
  llvm::Value *read(llvm::Type *type, llvm::Value *array, unsigned index) {
    LoadInst *load = builder.CreateLoad(
        type,
        builder.CreateConstInBoundsGEP1_64(builder.getInt64Ty(), array, index));
    load->setMetadata(LLVMContext::MD_invariant_load,
                      MDNode::get(builder.getContext(), {}));
    return load;
  }

  const Entry &entry;
  Function *callee;
  Function *function;
  IRBuilder<> builder;
  SmallVector<llvm::Value *> operands;
};
} // namespace

//===----------------------------------------------------------------------===//
// What LLVM may assume
//===----------------------------------------------------------------------===//

// Buffers of results are the caller's and distinct from everything else.
static void markResults(const Entry &entry, Function *callee) {
  unsigned position = callee->arg_size();
  for (const EntryValue &value : llvm::reverse(entry.results)) {
    position -= 3 + 2 * value.layout.getRank();
    callee->addParamAttr(position + 1, Attribute::NoAlias);
    callee->addParamAttr(position + 1, Attribute::getWithAlignment(
                                           callee->getContext(), Align(64)));
  }
}

static void markRuntime(Module &module) {
  for (Function &function : module) {
    StringRef name = function.getName();
    if (!function.isDeclaration() || function.isIntrinsic())
      continue;
    function.setDoesNotThrow();
    if (name.starts_with("_mlir_memref_to_llvm_a"))
      function.addRetAttr(Attribute::NoAlias);
    if (name == "dtensor_rt_fail") {
      function.setDoesNotReturn();
      function.addFnAttr(Attribute::Cold);
    }
  }
}

void dtensor::emitEntryPoints(Module &module, MutableArrayRef<Entry> entries) {
  for (Function &function : module)
    if (!function.isDeclaration())
      function.setLinkage(GlobalValue::InternalLinkage);
  markRuntime(module);
  for (Entry &entry : entries) {
    Function *callee = module.getFunction((kLocalPrefix + entry.name).str());
    assert(callee && "lowering keeps every public function");
    markResults(entry, callee);
    RunEmitter(module, entry, callee).emit();
    emitLayout(module, entry);
    emitBind(module, entry);
  }
}
