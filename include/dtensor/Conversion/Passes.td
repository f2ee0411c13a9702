//===- Passes.td - from the local view to LLVM ----------------*- tablegen -*-//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_CONVERSION_PASSES_TD
#define DTENSOR_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def AddContext : Pass<"dtensor-add-context", "::mlir::ModuleOp"> {
  let summary = "gives every function the context of the calling rank";
  let description = [{
    Appends an argument of type `!llvm.ptr`, marked `dtensor.context`, to every
    function and forwards it in calls.

    Before:
    ```mlir
    func.func @f(%x: tensor<?xf32>) -> tensor<?xf32> {
      return %x : tensor<?xf32>
    }
    ```
    After:
    ```mlir
    func.func @f(%x: tensor<?xf32>, %ctx: !llvm.ptr {dtensor.context}) -> tensor<?xf32> {
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def LowerLocal : Pass<"dtensor-lower-local", "::mlir::ModuleOp"> {
  let summary = "replaces local ops by linalg, tensor and runtime calls";
  let description = [{
    `attention` and its gradients become linalg, `shard_slice` a `tensor.extract_slice`,
    `axis_index` and `axis_size` the function's arguments, a check an `scf.if`
    around `dtensor_rt.fail`, and a collective a `dtensor_rt.collective` into a
    `tensor.empty`. An average is a sum and then one multiplication with
    1 / ranks.

    Before:
    ```mlir
    func.func @f(%x: tensor<?x4xf32>, %o: index, %s: index, %ctx: !llvm.ptr {dtensor.context}) -> tensor<?x4xf32> {
      %y = dtensor.shard_slice %x dim 0 offset %o size %s : tensor<?x4xf32> -> tensor<?x4xf32>
      %z = dtensor.all_reduce sum %y on #mesh axes [0] : tensor<?x4xf32>
      return %z : tensor<?x4xf32>
    }
    ```
    After:
    ```mlir
    func.func @f(%x: ..., %o: index, %s: index, %ctx: ...
      %y = tensor.extract_slice %x[%o, 0] [%s, 4] [1, 1] : tensor<?x4xf32> to tensor<?x4xf32>
      %e = tensor.empty(...) : tensor<?x4xf32>
      %z = dtensor_rt.collective @dtensor_rt_all_reduce %ctx : !llvm.ptr ins(%y : tensor<?x4xf32>) outs(%e : tensor<?x4xf32>) ...
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect",
    "::dtensor::runtime::RuntimeDialect"];
}

def FuseElementwise : Pass<"dtensor-fuse-elementwise"> {
  let summary = "fuses a producer into its only user when nothing dear is recomputed";
  let description = [{
    Fuses `linalg.generic` ops on tensors. A producer of p loops goes into a
    user of u loops only if u = p, so that no value is computed twice, or if it
    is only a cast or a constant; never into a contraction, whose loads must
    stay plain. A few comparisons, choices and sums of operands that all have
    fewer elements than the result go into every user. What is left of transpositions that move dimensions of extent 1
    alone is a view: `collapse_shape` and `expand_shape`.

    Before:
    ```mlir
    #id = affine_map<(d0) -> (d0)>
    func.func @f(%x: tensor<?xf32>, %e: tensor<?xf32>) -> tensor<?xf32> {
      %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) {
      ^bb0(%a: f32, %o: f32):
        %t = math.exp %a : f32
        linalg.yield %t : f32
      } -> tensor<?xf32>
      %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%0 : tensor<?xf32>) outs(%e : tensor<?xf32>) {
      ^bb0(%a: f32, %o: f32):
        %t = arith.negf %a : f32
        linalg.yield %t : f32
      } -> tensor<?xf32>
      return %1 : tensor<?xf32>
    }
    ```
    After:
    ```mlir
    %1 = linalg.generic ... ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) {
    ^bb0(%a: f32, %o: f32):
      %t = math.exp %a : f32
      %u = arith.negf %t : f32
      linalg.yield %u : f32
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
    "::mlir::affine::AffineDialect"];
}

def ResultsToOutParams : Pass<"dtensor-results-to-out-params", "::mlir::ModuleOp"> {
  let summary = "public functions write their results into given buffers";
  let description = [{
    Every result of a public function becomes a trailing memref argument marked
    `dtensor.result`; a scalar one has rank 0. A public function that others call gets a private
    twin for them, so that its interface can change alone. A result with
    `dtensor.updates` is written to that argument, last, and where it is a change
    of it nothing is copied.

    Before:
    ```mlir
    func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
      return %x : tensor<4xf32>
    }
    ```
    After:
    ```mlir
    func.func @f(%x: tensor<4xf32> {bufferization.writable = false}, %out: memref<4xf32> {dtensor.result = 0 : i64}) {
      bufferization.materialize_in_destination %x in restrict writable %out : ...
      return
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::bufferization::BufferizationDialect", "::mlir::memref::MemRefDialect"];
}

def EliminateEmptyTensors : Pass<"dtensor-eliminate-empty-tensors", "::mlir::ModuleOp"> {
  let summary = "computes results where they are wanted";
  let description = [{
    A `tensor.empty` whose contents end up in a known destination becomes that
    destination, if its sizes are the destination's whenever it is executed.

    Before:
    ```mlir
    func.func @f(%out: memref<?xf32>, %n: index, %c: f32) {
      %e = tensor.empty(%n) : tensor<?xf32>
      %y = linalg.fill ins(%c : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
      bufferization.materialize_in_destination %y in restrict writable %out : (tensor<?xf32>, memref<?xf32>) -> ()
      return
    }
    ```
    After:
    ```mlir
    func.func @f(%out: memref<?xf32>, %n: index, %c: f32) {
      %e = bufferization.to_tensor %out restrict writable : ...
      %y = linalg.fill ins(%c : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
      bufferization.materialize_in_destination %y in writable %out : ...
    ```
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
    "::mlir::memref::MemRefDialect", "::mlir::tensor::TensorDialect"];
}

def DropUnitDims : Pass<"dtensor-drop-unit-dims"> {
  let summary = "views drop the dimensions that slices dropped";
  let description = [{
    A `memref.subview` that was a slice of a tensor drops the dimensions of size 1
    that the slice dropped, of several the last ones. By itself it drops those
    whose strides its type does not have, of several with dynamic strides the
    first ones.

    Before:
    ```mlir
    func.func @f(%x: memref<1x?x?x?xf32>, %n: index, %k: index) -> memref<1x?x?xf32, strided<[?, ?, 1], offset: ?>> {
      %y = memref.subview %x[0, 0, 1, 0] [1, %n, 1, %k] [1, 1, 1, 1] : memref<1x?x?x?xf32> to memref<1x?x?xf32, strided<[?, ?, 1], offset: ?>>
      return %y : memref<1x?x?xf32, strided<[?, ?, 1], offset: ?>>
    }
    ```
    After:
    ```mlir
    %z = memref.subview %x[0, 0, 1, 0] [1, %n, 1, %k] [1, 1, 1, 1] : memref<1x?x?x?xf32> to memref<1x?x1x?xf32, ...>
    %y = memref.collapse_shape %z [[0], [1, 2], [3]] : memref<1x?x1x?xf32, ...> into memref<1x?x?xf32, ...>
    ```
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def BeginBuffers : Pass<"dtensor-begin-buffers", "::mlir::func::FuncOp"> {
  let summary = "allocates buffers at their first use";
  let description = [{
    A buffer that never leaves the block which allocates it is allocated right
    before its first use there. It is marked as one that upstream's deallocation
    leaves alone, until `dtensor-end-buffers` frees it.

    Before:
    ```mlir
    func.func private @other()
    func.func private @fill(memref<4xf32>)
    func.func @f() {
      %b = memref.alloc() : memref<4xf32>
      call @other() : () -> ()
      call @fill(%b) : (memref<4xf32>) -> ()
      return
    }
    ```
    After:
    ```mlir
    call @other() : () -> ()
    %b = memref.alloc() {bufferization.manual_deallocation} : memref<4xf32>
    call @fill(%b) : (memref<4xf32>) -> ()
    ```
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
    "::mlir::memref::MemRefDialect"];
}

def EndBuffers : Pass<"dtensor-end-buffers", "::mlir::func::FuncOp"> {
  let summary = "frees buffers after their last use";
  let description = [{
    Those that `dtensor-begin-buffers` marked.

    Before:
    ```mlir
    func.func private @other()
    func.func private @fill(memref<4xf32>)
    func.func @f() {
      %b = memref.alloc() {bufferization.manual_deallocation} : memref<4xf32>
      call @fill(%b) : (memref<4xf32>) -> ()
      call @other() : () -> ()
      return
    }
    ```
    After:
    ```mlir
    %b = memref.alloc() : memref<4xf32>
    call @fill(%b) : (memref<4xf32>) -> ()
    memref.dealloc %b : memref<4xf32>
    call @other() : () -> ()
    ```
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
    "::mlir::memref::MemRefDialect"];
}

def OutlineKernels : Pass<"dtensor-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "moves every linalg op on buffers into a function of its own";
  let description = [{
    Equal ops share one private function, marked `dtensor.kernel`; constants
    move into it. An output that provably overlaps no other operand is marked
    `dtensor.noalias`; without proof the kernel is marked `dtensor.may_overlap`.
    Copies between buffers that are not contiguous become
    kernels too.

    Before:
    ```mlir
    func.func @f(%m: memref<?xf32>) {
      %zero = arith.constant 0.0 : f32
      linalg.fill ins(%zero : f32) outs(%m : memref<?xf32>)
      return
    }
    ```
    After:
    ```mlir
    func.func @f(%m: memref<?xf32>) {
      call @kernel(%m) : (memref<?xf32>) -> ()
    func.func private @kernel(%k: memref<?xf32> {dtensor.noalias}) attributes {dtensor.kernel} {
      %zero = arith.constant 0.000000e+00 : f32
      linalg.fill ins(%zero : f32) outs(%k : memref<?xf32>)
    ```
  }];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::linalg::LinalgDialect"];
}

def LowerLinalgToLoops : Pass<"dtensor-lower-linalg-to-loops"> {
  let summary = "writes each linalg op on buffers as a loop nest";
  let description = [{
    The innermost loop is the one along which most operands are contiguous. If
    it is a reduction the value is carried in registers; contractions are
    blocked for cache and registers.

    Before:
    ```mlir
    func.func @f(%m: memref<?xf32>, %c: f32) {
      linalg.fill ins(%c : f32) outs(%m : memref<?xf32>)
      return
    }
    ```
    After:
    ```mlir
    func.func @f(%m: memref<?xf32>, %c: f32) {
      scf.for %i = ...
        memref.store %c, %m[%i] : memref<?xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::affine::AffineDialect", "::mlir::math::MathDialect",
    "::mlir::vector::VectorDialect"];
}

def LowerToLLVM : Pass<"dtensor-lower-to-llvm", "::mlir::ModuleOp"> {
  let summary = "scalar ops, buffers and runtime calls to the LLVM dialect";
  let description = [{
    One conversion for everything that is left after loops and buffers. Calls of
    the runtime are declared as ABI.def has them; bf16 conversions become
    integer ops, and mathematical functions LLVM intrinsics or libm calls.

    Before:
    ```mlir
    func.func @f(%ctx: !llvm.ptr, %a: index, %b: index) {
      dtensor_rt.fail %ctx : !llvm.ptr, "no" (%a, %b)
      return
    }
    ```
    After:
    ```mlir
    llvm.mlir.global internal constant @message.0("no\00") ...
    llvm.func @local.f(%ctx: !llvm.ptr, %a: i64, %b: i64) ...
      %text = llvm.mlir.addressof @message.0 : !llvm.ptr
      llvm.call @dtensor_rt_fail(%ctx, %text, %a, %b) : (!llvm.ptr, !llvm.ptr, i64, i64) -> ()
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
    "::mlir::cf::ControlFlowDialect", "::mlir::math::MathDialect",
    "::mlir::vector::VectorDialect"];
}

#endif // DTENSOR_CONVERSION_PASSES_TD
