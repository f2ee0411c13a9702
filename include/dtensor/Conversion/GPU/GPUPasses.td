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
    precision around it are taken in. `attention` and its gradients become calls
    of prebuilt kernels, whose permutations are taken in; of doubles they become
    products.

    Before:
    ```mlir
    #mk = affine_map<(m, n, k) -> (m, k)>
    #kn = affine_map<(m, n, k) -> (k, n)>
    #mn = affine_map<(m, n, k) -> (m, n)>
    func.func @f(%a: tensor<?x64xf32>, %b: tensor<64x?xf32>, %e: tensor<?x?xf32>, %ctx: !llvm.ptr {dtensor.context}) -> tensor<?x?xf32> {
      %zero = arith.constant 0.0 : f32
      %i = linalg.fill ins(%zero : f32) outs(%e : tensor<?x?xf32>) -> tensor<?x?xf32>
      %c = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %b : tensor<?x64xf32>, tensor<64x?xf32>) outs(%i : tensor<?x?xf32>) {
      ^bb0(%x: f32, %y: f32, %s: f32):
        %p = arith.mulf %x, %y : f32
        %q = arith.addf %s, %p : f32
        linalg.yield %q : f32
      } -> tensor<?x?xf32>
      return %c : tensor<?x?xf32>
    }
    ```
    After:
    ```mlir
    func.func @f(%a: ..., %b: ..., %e: ..., %ctx: ...
      %c = dtensor_gpu.matmul %ctx : !llvm.ptr, %a [[0], [1]] * %b [[0], [1]] : tensor<?x64xf32>, tensor<64x?xf32> outs(%o [[0], [1]] : tensor<?x?xf32>) ...
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

    Before:
    ```mlir
    #id = affine_map<(d0) -> (d0)>
    func.func @f(%x: tensor<?xf32>, %n: index, %ctx: !llvm.ptr {dtensor.context}) -> tensor<?xf32> {
      %e = tensor.empty(%n) : tensor<?xf32>
      %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) {
      ^bb0(%a: f32, %o: f32):
        %t = math.exp %a : f32
        linalg.yield %t : f32
      } -> tensor<?xf32>
      return %y : tensor<?xf32>
    }
    ```
    After:
    ```mlir
    func.func @f(%x: ..., %n: index, %ctx: ...
      %o = tensor.empty(%n) : tensor<?xf32>
      %y = dtensor_gpu.compute %ctx : !llvm.ptr ins(%x : tensor<?xf32>) outs(... : tensor<?xf32>) extents(...) scalars() variants [{... kernel = @kernels::@kernel_wide_0, ...}, {... kernel = @kernels::@kernel_plain_1, ...
    gpu.module @kernels {
      gpu.func @kernel_wide_0(...
        llvm.load ... -> vector<4xf32>
        math.exp ...
      gpu.func @kernel_plain_1(...
        llvm.load ... -> f32
        math.exp ...
    ```
  }];
  let options = [
    Option<"clusters", "clusters", "bool", /*default=*/"true",
           "long rows may use clusters of blocks (sm_90 and newer)">
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

    Before:
    ```mlir
    func.func @f(%a: memref<?x4xf32>, %b: memref<?x4xf32>, %ctx: !llvm.ptr {dtensor.context}) {
      dtensor_gpu.copy %ctx : !llvm.ptr, %a, %b : memref<?x4xf32>, memref<?x4xf32>
      dtensor_gpu.copy %ctx : !llvm.ptr, %b, %a : memref<?x4xf32>, memref<?x4xf32>
      return
    }
    ```
    After:
    ```mlir
    call @work(%ctx, %a, %b) : ...
    call @work(%ctx, %b, %a) : ...
    func.func private @work(%c: !llvm.ptr {dtensor.context}, %x: memref<?x4xf32>, %y: memref<?x4xf32>) ...
      dtensor_gpu.copy %c : !llvm.ptr, %x, %y : memref<?x4xf32>, memref<?x4xf32>
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

    Before:
    ```mlir
    gpu.module @kernels {
      gpu.func @fill(%n: i64, %y: !llvm.ptr<1>) kernel { gpu.return }
    }
    func.func @f(%x: memref<?xf32>, %y: memref<?xf32>, %n: index, %ctx: !llvm.ptr {dtensor.context}) {
      memref.copy %x, %y : memref<?xf32> to memref<?xf32>
      dtensor_gpu.compute %ctx : !llvm.ptr ins() outs(%y : memref<?xf32>) extents(%n) scalars() variants [{conditions = array<i64>, kernel = @kernels::@fill, params = array<i64: 3, 1, 0, 0, 0, 0>, shape = array<i64: 0, 0, 1, 1, 256>} ]
      return
    }
    ```
    After:
    ```mlir
    func.func @f(%x: ..., %y: ..., %n: index, %ctx: ...
      dtensor_gpu.copy %ctx : !llvm.ptr, %x, %y : memref<?xf32>, memref<?xf32>
      dtensor_gpu.launch %ctx : !llvm.ptr, @kernels::@fill grid ...
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

    Before:
    ```mlir
    gpu.module @kernels {
      gpu.func @first(%p: !llvm.ptr) kernel { gpu.return }
      gpu.func @second(%p: !llvm.ptr) kernel { gpu.return }
    }
    func.func @f(%ctx: !llvm.ptr, %g: i64, %b: i64, %p: !llvm.ptr) {
      dtensor_gpu.launch %ctx : !llvm.ptr, @kernels::@first grid %g block %b (%p) : !llvm.ptr
      dtensor_gpu.launch %ctx : !llvm.ptr, @kernels::@second grid %g block %b (%p) : !llvm.ptr
      return
    }
    ```
    After:
    ```mlir
    gpu.func @first(%p: !llvm.ptr) kernel {
    func.func @f(%ctx: ..., %g: i64, %b: i64, %q: ...
      dtensor_gpu.launch %ctx : !llvm.ptr, @kernels::@first grid %g block %b(%q) : !llvm.ptr {index = 0 : i32}
      dtensor_gpu.launch %ctx : !llvm.ptr, @kernels::@first grid %g block %b(%q) : !llvm.ptr {index = 0 : i32}
    ```
  }];
  let dependentDialects = ["::mlir::gpu::GPUDialect", "::mlir::arith::ArithDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect"];
}

#endif // DTENSOR_CONVERSION_GPU_GPUPASSES_TD
