//===- GPUPasses.td - from the local view to kernels ----------*- tablegen -*-//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_CONVERSION_GPU_GPUPASSES_TD
#define DTENSOR_CONVERSION_GPU_GPUPASSES_TD

include "mlir/Pass/PassBase.td"

def GPULibraryCalls : Pass<"dtensor-gpu-library-calls", "::mlir::func::FuncOp"> {
  let summary = "products of matrices and attention become library calls";
  let description = [{
    A `linalg.generic` that sums products over loops of both inputs becomes
    `dtensor_gpu.matmul`, whatever the order of its dimensions; casts of half
    precision around it are taken in.

    ```mlir
    %c = linalg.generic {...} ins(%a, %b : tensor<?x64xf32>, tensor<?x64xf32>) { mulf, addf }
    // becomes
    %c = dtensor_gpu.matmul %ctx : !llvm.ptr, %a [[0], [1]] * %b [[1], [0]] : ...
    ```
  }];
  let dependentDialects = ["::dtensor::device::DeviceDialect",
    "::mlir::arith::ArithDialect", "::mlir::bufferization::BufferizationDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::tensor::TensorDialect"];
}

def GPUFormKernels : Pass<"dtensor-gpu-form-kernels", "::mlir::ModuleOp"> {
  let summary = "groups linalg ops and writes one kernel for each group";
  let description = [{
    Ops that walk over the same rows share a kernel; what only they use never
    reaches memory. Kernels go into the module's `gpu.module @kernels`, equal
    ones once.

    ```mlir
    %y = linalg.generic {...} ins(%x : tensor<?xf32>) { math.exp }
    // becomes
    %y = dtensor_gpu.compute %ctx : !llvm.ptr ins(%x : tensor<?xf32>) ... variants ... -> tensor<?xf32>
    ```
  }];
  let options = [
    Option<"clusters", "clusters", "bool", /*default=*/"true",
           "Long rows may use clusters of blocks (sm_90 and newer)">
  ];
  let dependentDialects = ["::dtensor::device::DeviceDialect",
    "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
    "::mlir::affine::AffineDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect", "::mlir::memref::MemRefDialect"];
}

def GPUOutlineWork : Pass<"dtensor-gpu-outline-work", "::mlir::ModuleOp"> {
  let summary = "equal work of the device is one host function";
  let description = [{
    What the host does for a kernel or a library call, choosing and describing
    operands, is many times longer than the call of a function. The layers of a
    model repeat it: each different form is written once.

    ```mlir
    dtensor_gpu.matmul %ctx : !llvm.ptr, %a [[0], [1]] * %b [[0], [1]] : ... outs(%c [[0], [1]] : ...)
    // becomes
    call @work(%ctx, %a, %b, %c)
    ```
  }];
  let dependentDialects = ["::dtensor::device::DeviceDialect",
    "::mlir::func::FuncDialect"];
}

def GPULowerLaunches : Pass<"dtensor-gpu-lower-launches", "::mlir::ModuleOp"> {
  let summary = "chooses variants and grids of kernels from sizes";
  let description = [{
    Every `compute` becomes a choice among its variants, each a `launch` with a
    grid computed from the extents. Copies become calls of the runtime. Whatever
    would touch the device's memory from the host is an error.

    ```mlir
    // RUN: dtensor-opt %s -dtensor-gpu-lower-launches
    ```
  }];
  let dependentDialects = ["::dtensor::device::DeviceDialect",
    "::mlir::gpu::GPUDialect",
    "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
    "::mlir::memref::MemRefDialect", "::mlir::LLVM::LLVMDialect"];
}

def GPUFinishKernels : Pass<"dtensor-gpu-finish-kernels", "::mlir::ModuleOp"> {
  let summary = "simplifies kernels, merges equal ones, numbers them";
  let description = [{
    Kernels compute half precision in f32; two conversions that undo each other
    are dropped. A kernel that stores nothing but halves divides and raises to
    powers with the device's single instructions. Kernels with the same text are
    one. Every launch gets the
    number of its kernel.

    ```mlir
    // RUN: dtensor-opt %s -dtensor-gpu-finish-kernels
    ```
  }];
  let dependentDialects = ["::mlir::gpu::GPUDialect", "::mlir::arith::ArithDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect"];
}

#endif // DTENSOR_CONVERSION_GPU_GPUPASSES_TD
