//===- LowerToLLVM.cpp - Scalars, buffers, runtime calls to LLVM ----------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExpandScalars.h"
#include "dtensor/Conversion/GPU/GPUDialect.h"
#include "dtensor/Conversion/Passes.h"
#include "dtensor/Conversion/RuntimeDialect.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace dtensor {
#define GEN_PASS_DEF_LOWERTOLLVM
#include "dtensor/Conversion/Passes.h.inc"
} // namespace dtensor

using namespace mlir;
using namespace dtensor;

//===----------------------------------------------------------------------===//
// The runtime's functions
//===----------------------------------------------------------------------===//

namespace {
enum AbiType { Void, Ptr, I32, I64, F64 };

struct AbiFunction {
  StringRef name;
  AbiType result;
  SmallVector<AbiType> parameters;
};
} // namespace

static ArrayRef<AbiFunction> getAbiFunctions() {
  static const AbiFunction functions[] = {
#define DTENSOR_RT_FUNCTION(NAME, RESULT, ...) {#NAME, RESULT, {__VA_ARGS__}},
#include "dtensor-rt/ABI.def"
  };
  return functions;
}

static Type convertAbiType(MLIRContext *context, AbiType type) {
  switch (type) {
  case Void:
    return LLVM::LLVMVoidType::get(context);
  case Ptr:
    return LLVM::LLVMPointerType::get(context);
  case I32:
    return IntegerType::get(context, 32);
  case I64:
    return IntegerType::get(context, 64);
  case F64:
    return Float64Type::get(context);
  }
  llvm_unreachable("all types of ABI.def are handled");
}

// All are declared beforehand, so that no pattern changes the symbol table;
// those without a use are dropped at the end.
static void declareRuntime(ModuleOp module) {
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  MLIRContext *context = module.getContext();
  for (const AbiFunction &function : getAbiFunctions()) {
    SmallVector<Type> parameters;
    for (AbiType type : function.parameters)
      parameters.push_back(convertAbiType(context, type));
    auto type = LLVM::LLVMFunctionType::get(
        convertAbiType(context, function.result), parameters);
    LLVM::LLVMFuncOp::create(builder, module.getLoc(), function.name, type);
  }
}

static void dropUnusedRuntime(ModuleOp module) {
  llvm::StringSet<llvm::MallocAllocator> used;
  module.walk([&](LLVM::CallOp call) {
    if (std::optional<StringRef> callee = call.getCallee())
      used.insert(*callee);
  });
  for (const AbiFunction &function : getAbiFunctions())
    if (!used.contains(function.name))
      if (Operation *op = module.lookupSymbol(function.name))
        op->erase();
}

//===----------------------------------------------------------------------===//
// Runtime calls
//===----------------------------------------------------------------------===//

// Stack space at the function's entry: inside a loop it would grow.
static Value spillDescriptor(ConversionPatternRewriter &rewriter, Location loc,
                             Value descriptor) {
  OpBuilder::InsertionGuard guard(rewriter);
  auto *parent = rewriter.getInsertionBlock()->getParentOp();
  while (!isa<FunctionOpInterface>(parent))
    parent = parent->getParentOp();
  OpBuilder::InsertPoint here = rewriter.saveInsertionPoint();
  rewriter.setInsertionPointToStart(
      &cast<FunctionOpInterface>(parent).getFunctionBody().front());
  Value one = LLVM::ConstantOp::create(rewriter, loc, rewriter.getI64Type(),
                                       rewriter.getI64IntegerAttr(1));
  Value slot = LLVM::AllocaOp::create(
      rewriter, loc, LLVM::LLVMPointerType::get(rewriter.getContext()),
      descriptor.getType(), one);
  rewriter.restoreInsertionPoint(here);
  LLVM::StoreOp::create(rewriter, loc, descriptor, slot);
  return slot;
}

namespace {
struct LowerCollective : ConvertOpToLLVMPattern<runtime::CollectiveOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult
  matchAndRewrite(runtime::CollectiveOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto type = dyn_cast<MemRefType>(op.getSource().getType());
    if (!type)
      return rewriter.notifyMatchFailure(op, "not on buffers");
    Location loc = op.getLoc();
    Value rank =
        LLVM::ConstantOp::create(rewriter, loc, rewriter.getI64Type(),
                                 rewriter.getI64IntegerAttr(type.getRank()));
    SmallVector<Value> operands = {
        adaptor.getContext(), rank,
        spillDescriptor(rewriter, loc, adaptor.getSource()),
        spillDescriptor(rewriter, loc, adaptor.getDest())};
    llvm::append_range(operands, adaptor.getScalars());
    rewriter.replaceOpWithNewOp<LLVM::CallOp>(op, TypeRange(),
                                              op.getCalleeAttr(), operands);
    return success();
  }
};

struct LowerFail : ConvertOpToLLVMPattern<runtime::FailOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult
  matchAndRewrite(runtime::FailOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto text = op->getAttrOfType<FlatSymbolRefAttr>("text");
    Value message = LLVM::AddressOfOp::create(
        rewriter, loc, LLVM::LLVMPointerType::get(getContext()),
        text.getValue());
    rewriter.replaceOpWithNewOp<LLVM::CallOp>(
        op, TypeRange(), "dtensor_rt_fail",
        ValueRange{adaptor.getContext(), message, adaptor.getLhs(),
                   adaptor.getRhs()});
    return success();
  }
};
} // namespace

namespace {
/// A bf16 constant as its bits.
struct LowerBF16Constant : ConvertOpToLLVMPattern<arith::ConstantOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult
  matchAndRewrite(arith::ConstantOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Type type = getTypeConverter()->convertType(op.getType());
    Type bits = rewriter.getI16Type();
    Attribute value;
    if (auto scalar = dyn_cast<FloatAttr>(op.getValue());
        scalar && op.getType().isBF16())
      value = IntegerAttr::get(bits, scalar.getValue().bitcastToAPInt());
    else if (auto dense = dyn_cast<DenseFPElementsAttr>(op.getValue());
             dense && dense.getElementType().isBF16())
      value = dense.bitcast(bits);
    if (!value)
      return rewriter.notifyMatchFailure(op, "not of bf16");
    rewriter.replaceOpWithNewOp<LLVM::ConstantOp>(op, type, value);
    return success();
  }
};
} // namespace

// One global per message; the op remembers its name in `text`.
static void createMessages(ModuleOp module) {
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  llvm::MapVector<StringAttr, FlatSymbolRefAttr> names;
  module.walk([&](runtime::FailOp op) {
    FlatSymbolRefAttr &name = names[op.getMessageAttr()];
    if (!name) {
      std::string symbol = "message." + std::to_string(names.size() - 1);
      std::string bytes = op.getMessage().str();
      bytes.push_back('\0');
      auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), bytes.size());
      LLVM::GlobalOp::create(builder, op.getLoc(), type, /*isConstant=*/true,
                             LLVM::Linkage::Internal, symbol,
                             builder.getStringAttr(bytes));
      name = FlatSymbolRefAttr::get(builder.getContext(), symbol);
    }
    op->setAttr("text", name);
  });
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

static void renameFunctions(ModuleOp module) {
  auto rename = [&](StringRef name) {
    return StringAttr::get(module.getContext(), (kLocalPrefix + name).str());
  };
  for (auto function : module.getOps<func::FuncOp>())
    function.setSymNameAttr(rename(function.getSymName()));
  module.walk([&](func::CallOp call) {
    call.setCalleeAttr(FlatSymbolRefAttr::get(rename(call.getCallee())));
  });
}

// Ours mean nothing to LLVM; what they said is used up.
static void dropAttributes(ModuleOp module) {
  auto isOurs = [](NamedAttribute attribute) {
    StringRef name = attribute.getName();
    return name.starts_with("dtensor.") || name.starts_with("bufferization.");
  };
  auto filter = [&](DictionaryAttr dictionary) {
    SmallVector<NamedAttribute> kept;
    for (NamedAttribute attribute : dictionary)
      if (!isOurs(attribute))
        kept.push_back(attribute);
    return DictionaryAttr::get(module.getContext(), kept);
  };
  for (auto function : module.getOps<func::FuncOp>()) {
    function->setDiscardableAttrs(
        filter(function->getDiscardableAttrDictionary()));
    for (unsigned i = 0; i < function.getNumArguments(); ++i)
      if (DictionaryAttr attributes = function.getArgAttrDict(i))
        function.setArgAttrs(i, filter(attributes));
    for (unsigned i = 0; i < function.getNumResults(); ++i)
      if (DictionaryAttr attributes = function.getResultAttrDict(i))
        function.setResultAttrs(i, filter(attributes));
  }
  module->setDiscardableAttrs(filter(module->getDiscardableAttrDictionary()));
}

namespace {
struct Kernel {
  /// Positions of pointers that nothing else overlaps.
  SmallVector<unsigned> pointers;
  bool mayOverlap = false;
};
} // namespace

using Kernels = llvm::StringMap<Kernel, llvm::MallocAllocator>;

// A memref of rank r is passed as two pointers, the offset, sizes and strides.
static Kernels findKernels(ModuleOp module) {
  Kernels kernels;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!function->hasAttr(kKernelAttr))
      continue;
    Kernel &kernel = kernels[function.getSymName()];
    kernel.mayOverlap = function->hasAttr(kMayOverlapAttr);
    unsigned position = 0;
    for (BlockArgument argument : function.getArguments()) {
      if (function.getArgAttr(argument.getArgNumber(), kNoAliasAttr))
        kernel.pointers.push_back(position + 1);
      auto type = dyn_cast<MemRefType>(argument.getType());
      position += type ? 3 + 2 * type.getRank() : 1;
    }
  }
  return kernels;
}

// Calls of a kernel stay calls: inlining would undo the sharing. LLVM makes no
// checks for overlap at run time when it optimizes for size.
static void markKernels(ModuleOp module, const Kernels &kernels) {
  Builder builder(module.getContext());
  for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
    auto kernel = kernels.find(function.getSymName());
    if (kernel == kernels.end())
      continue;
    function.setNoInline(true);
    if (kernel->second.mayOverlap)
      function.setPassthroughAttr(builder.getStrArrayAttr({"optsize"}));
    for (unsigned position : kernel->second.pointers)
      function.setArgAttr(position, LLVM::LLVMDialect::getNoAliasAttrName(),
                          builder.getUnitAttr());
  }
}

namespace {
struct LowerToLLVM : dtensor::impl::LowerToLLVMBase<LowerToLLVM> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    renameFunctions(module);
    Kernels kernels = findKernels(module);
    dropAttributes(module);
    createMessages(module);
    if (failed(expand(module)))
      return signalPassFailure();
    declareRuntime(module);
    if (failed(convert(module)))
      return signalPassFailure();
    dropUnusedRuntime(module);
    markKernels(module, kernels);
  }

  // Ops that have no direct counterpart in LLVM, in terms of ones that have.
  LogicalResult expand(ModuleOp module) {
    RewritePatternSet patterns(&getContext());
    memref::populateExpandStridedMetadataPatterns(patterns);
    memref::populateExpandOpsPatterns(patterns);
    populateAffineToStdConversionPatterns(patterns);
    populateExpandScalarPatterns(patterns);
    return applyPatternsGreedily(module, std::move(patterns));
  }

  LogicalResult convert(ModuleOp module) {
    LowerToLLVMOptions options(&getContext());
    options.useGenericFunctions = true;
    options.allocLowering = LowerToLLVMOptions::AllocLowering::AlignedAlloc;
    LLVMTypeConverter converter(&getContext(), options);
    // Only moved after `expand`, and LLVM rounds constants of bf16 at run time.
    converter.addConversion([](BFloat16Type type) -> Type {
      return IntegerType::get(type.getContext(), 16);
    });
    RewritePatternSet patterns(&getContext());
    arith::populateArithToLLVMConversionPatterns(converter, patterns);
    cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
    populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns);
    populateFuncToLLVMConversionPatterns(converter, patterns);
    // Intrinsics before calls: LLVM has vector forms for them.
    populateMathToLLVMConversionPatterns(
        converter, patterns, /*approximateLog1p=*/false, /*benefit=*/2);
    populateMathToLibmConversionPatterns(patterns);
    populateVectorToLLVMConversionPatterns(converter, patterns);
    ub::populateUBToLLVMConversionPatterns(converter, patterns);
    patterns.add<LowerCollective, LowerFail>(converter);
    patterns.add<LowerBF16Constant>(converter, /*benefit=*/2);
    populateDeviceToLLVMPatterns(converter, patterns);
    LLVMConversionTarget target(getContext());
    target.addLegalOp<ModuleOp>();
    return applyFullConversion(module, target, std::move(patterns));
  }
};
} // namespace
