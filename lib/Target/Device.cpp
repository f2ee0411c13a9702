//===- Device.cpp - Kernels to PTX and machine code -----------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Target/Device.h"

#include "dtensor/Target/Native.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IRReader/IRReader.h"
#include "llvm/Linker/Linker.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace mlir;
using namespace dtensor;

//===----------------------------------------------------------------------===//
// To LLVM IR
//===----------------------------------------------------------------------===//

// One conversion for all that kernels hold once loops are branches.
static LogicalResult convertToNVVM(gpu::GPUModuleOp kernels) {
  MLIRContext *context = kernels.getContext();
  LowerToLLVMOptions options(context);
  options.overrideIndexBitwidth(64);
  LLVMTypeConverter converter(context, options);
  configureGpuToNVVMTypeConverter(converter);
  RewritePatternSet patterns(context);
  // Mathematics of the device before LLVM's generic form.
  populateLibDeviceConversionPatterns(converter, patterns, /*benefit=*/10);
  populateGpuToNVVMConversionPatterns(converter, patterns, /*benefit=*/10);
  arith::populateArithToLLVMConversionPatterns(converter, patterns);
  cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
  populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns);
  populateMathToLLVMConversionPatterns(converter, patterns,
                                       /*approximateLog1p=*/false);
  LLVMConversionTarget target(*context);
  configureGpuToNVVMConversionLegality(target);
  target.addIllegalDialect<arith::ArithDialect, cf::ControlFlowDialect,
                           memref::MemRefDialect, math::MathDialect>();
  return applyPartialConversion(kernels, target, std::move(patterns));
}

static LogicalResult lowerToNVVM(gpu::GPUModuleOp kernels) {
  PassManager manager(kernels.getContext(),
                      gpu::GPUModuleOp::getOperationName());
  manager.enableVerifier(false);
  manager.addPass(createSCFToControlFlowPass());
  if (failed(manager.run(kernels)) || failed(convertToNVVM(kernels)))
    return failure();
  PassManager cleaning(kernels.getContext(),
                       gpu::GPUModuleOp::getOperationName());
  cleaning.enableVerifier(false);
  cleaning.addPass(createReconcileUnrealizedCastsPass());
  return cleaning.run(kernels);
}

static llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createDeviceMachine(const DeviceArch &arch) {
  initializeTargets();
  llvm::Triple triple("nvptx64-nvidia-cuda");
  std::string error;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return llvm::createStringError("no code generator for NVIDIA's GPUs: " +
                                   error);
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Fast;
  const char *features = arch.number >= 100 ? "+ptx88" : "+ptx81";
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, arch.name, features, options, llvm::Reloc::PIC_, std::nullopt,
      llvm::CodeGenOptLevel::Aggressive));
}

// Mathematics: bitcode that NVIDIA's toolkit ships.
static llvm::Error linkLibdevice(llvm::Module &module,
                                 const DeviceTools &tools) {
  std::string needed;
  for (llvm::Function &function : module)
    if (function.isDeclaration() && function.getName().starts_with("__nv_"))
      needed = function.getName().str();
  if (needed.empty())
    return llvm::Error::success();
  if (tools.libdevice.empty())
    return llvm::createStringError(
        "kernels need " + needed +
        " of libdevice.10.bc, which is in none of: CUDA_HOME, CUDA_PATH, "
        "CUDA_ROOT, /usr/local/cuda, NVIDIA's Python packages");
  llvm::SMDiagnostic diagnostic;
  std::unique_ptr<llvm::Module> library =
      llvm::parseIRFile(tools.libdevice, diagnostic, module.getContext());
  if (!library)
    return llvm::createStringError("cannot read " + tools.libdevice + ": " +
                                   diagnostic.getMessage());
  library->setTargetTriple(module.getTargetTriple());
  library->setDataLayout(module.getDataLayout());
  llvm::StringSet<llvm::MallocAllocator> own;
  for (llvm::Function &function : module)
    if (!function.isDeclaration())
      own.insert(function.getName());
  if (llvm::Linker::linkModules(module, std::move(library),
                                llvm::Linker::LinkOnlyNeeded))
    return llvm::createStringError("cannot link " + tools.libdevice);
  for (llvm::Function &function : module)
    if (!function.isDeclaration() && !own.contains(function.getName())) {
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
      function.addFnAttr(llvm::Attribute::AlwaysInline);
      function.removeFnAttr(llvm::Attribute::NoInline);
    }
  return llvm::Error::success();
}

static void optimizeDevice(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graphs;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine, {}, std::nullopt, nullptr,
                            /*FS=*/nullptr); // no file is read
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graphs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graphs, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3)
      .run(module, modules);
}

static llvm::Expected<std::string> emitPTX(llvm::Module &module,
                                           const DeviceArch &arch,
                                           const DeviceTools &tools) {
  auto machine = createDeviceMachine(arch);
  if (!machine)
    return machine.takeError();
  module.setTargetTriple((*machine)->getTargetTriple());
  module.setDataLayout((*machine)->createDataLayout());
  if (llvm::Error error = linkLibdevice(module, tools))
    return error;
  optimizeDevice(module, **machine);
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream os(text);
  llvm::legacy::PassManager manager;
  if ((*machine)->addPassesToEmitFile(manager, os, nullptr,
                                      llvm::CodeGenFileType::AssemblyFile))
    return llvm::createStringError("the code generator writes no PTX");
  manager.run(module);
  return std::string(text);
}

//===----------------------------------------------------------------------===//
// ptxas
//===----------------------------------------------------------------------===//

static llvm::Expected<std::string> readFile(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return llvm::createStringError(buffer.getError(), "cannot read " + path);
  return (*buffer)->getBuffer().str();
}

static llvm::Expected<std::string> assemble(llvm::StringRef ptx,
                                            const DeviceArch &arch,
                                            const DeviceTools &tools) {
  llvm::SmallString<64> input, output, log;
  int descriptor;
  if (std::error_code code = llvm::sys::fs::createTemporaryFile(
          "dtensor", "ptx", descriptor, input))
    return llvm::createStringError(code, "cannot make a temporary file");
  llvm::FileRemover removeInput(input);
  {
    llvm::raw_fd_ostream os(descriptor, /*shouldClose=*/true);
    os << ptx;
  }
  if (llvm::sys::fs::createTemporaryFile("dtensor", "cubin", output) ||
      llvm::sys::fs::createTemporaryFile("dtensor", "log", log))
    return llvm::createStringError("cannot make a temporary file");
  llvm::FileRemover removeOutput(output), removeLog(log);
  std::string archOption = "-arch=" + arch.name;
  std::vector<llvm::StringRef> args = {
      tools.ptxas, archOption, "-O3", "--split-compile=0", "-o", output, input};
  std::optional<llvm::StringRef> redirects[] = {
      llvm::StringRef(""), llvm::StringRef(log), llvm::StringRef(log)};
  std::string message;
  int code = llvm::sys::ExecuteAndWait(tools.ptxas, args, std::nullopt,
                                       redirects, 0, 0, &message);
  if (code == 0)
    return readFile(output);
  auto text = readFile(log);
  if (text)
    message += *text;
  else
    llvm::consumeError(text.takeError());
  return llvm::createStringError(tools.ptxas + " failed for " + arch.name +
                                 ": " + message);
}

//===----------------------------------------------------------------------===//
// All together
//===----------------------------------------------------------------------===//

llvm::Expected<DeviceCode> dtensor::emitDeviceCode(gpu::GPUModuleOp kernels,
                                                   ArrayRef<DeviceArch> archs,
                                                   bool machineCode) {
  DeviceCode result;
  for (auto kernel : kernels.getOps<gpu::GPUFuncOp>())
    result.kernels.push_back(kernel.getName().str());
  if (failed(lowerToNVVM(kernels)))
    return llvm::createStringError("cannot lower the kernels to NVVM");
  registerBuiltinDialectTranslation(*kernels.getContext());
  registerLLVMDialectTranslation(*kernels.getContext());
  registerGPUDialectTranslation(*kernels.getContext());
  registerNVVMDialectTranslation(*kernels.getContext());
  DeviceTools tools = findDeviceTools();
  for (const DeviceArch &arch : archs) {
    llvm::LLVMContext context;
    std::unique_ptr<llvm::Module> module =
        translateModuleToLLVMIR(kernels, context, "kernels");
    if (!module)
      return llvm::createStringError("cannot translate the kernels to LLVM IR");
    llvm::Expected<std::string> ptx = emitPTX(*module, arch, tools);
    if (!ptx)
      return ptx.takeError();
    if (machineCode && !tools.ptxas.empty()) {
      llvm::Expected<std::string> cubin = assemble(*ptx, arch, tools);
      if (!cubin)
        return cubin.takeError();
      result.images.push_back({arch.number, 1, std::move(*cubin)});
    }
    result.images.push_back({arch.number, 0, std::move(*ptx)});
  }
  return result;
}

void dtensor::embedImages(llvm::Module &module,
                          ArrayRef<DeviceCodeImage> images) {
  llvm::LLVMContext &context = module.getContext();
  auto *i32 = llvm::Type::getInt32Ty(context);
  auto *i64 = llvm::Type::getInt64Ty(context);
  auto *pointer = llvm::PointerType::get(context, 0);
  auto *type = llvm::StructType::get(context, {i32, i32, pointer, i64});
  SmallVector<llvm::Constant *> entries;
  for (const DeviceCodeImage &image : images) {
    // PTX ends with a zero.
    auto *data = llvm::ConstantDataArray::getString(context, image.bytes,
                                                    /*AddNull=*/true);
    auto *global = new llvm::GlobalVariable(
        module, data->getType(), /*isConstant=*/true,
        llvm::GlobalValue::InternalLinkage, data, "device.image");
    global->setAlignment(llvm::Align(64));
    entries.push_back(llvm::ConstantStruct::get(
        type, {llvm::ConstantInt::get(i32, image.arch),
               llvm::ConstantInt::get(i32, image.kind), global,
               llvm::ConstantInt::get(i64, image.bytes.size())}));
  }
  auto add = [&](llvm::Constant *value, const char *name) {
    new llvm::GlobalVariable(module, value->getType(), /*isConstant=*/true,
                             llvm::GlobalValue::ExternalLinkage, value, name);
  };
  add(llvm::ConstantArray::get(llvm::ArrayType::get(type, entries.size()),
                               entries),
      "dtensor_images");
  add(llvm::ConstantInt::get(i64, images.size()), "dtensor_image_count");
}
