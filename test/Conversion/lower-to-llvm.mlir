// RUN: dtensor-opt %s -dtensor-lower-to-llvm | FileCheck %s

// CHECK: llvm.mlir.global internal constant @message.0("no\00")
// CHECK-LABEL: llvm.func @local.a_collective_takes_descriptors(
// CHECK-SAME: %[[CTX:[^:]*]]: !llvm.ptr,
// CHECK-COUNT-2: llvm.alloca
// CHECK: %[[RANK:.*]] = llvm.mlir.constant(2 : i64)
// CHECK: llvm.call @dtensor_rt_all_gather(%[[CTX]], %[[RANK]], %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}})
func.func @a_collective_takes_descriptors(%ctx: !llvm.ptr, %x: memref<?x4xf32>, %y: memref<?x4xf32>, %dim: i64, %unit: i64, %axes: i64, %type: i32) {
  dtensor_rt.collective @dtensor_rt_all_gather %ctx : !llvm.ptr ins(%x : memref<?x4xf32>) outs(%y : memref<?x4xf32>) scalars(%dim, %unit, %axes, %type : i64, i64, i64, i32)
  return
}

// CHECK-LABEL: llvm.func @local.a_failure_names_its_message(
// CHECK: %[[TEXT:.*]] = llvm.mlir.addressof @message.0
// CHECK: llvm.call @dtensor_rt_fail(%{{.*}}, %[[TEXT]], %{{.*}}, %{{.*}})
func.func @a_failure_names_its_message(%ctx: !llvm.ptr, %a: index, %b: index) {
  dtensor_rt.fail %ctx : !llvm.ptr, "no" (%a, %b)
  return
}

// CHECK-LABEL: llvm.func @local.memory_comes_from_the_runtime(
// CHECK: llvm.call @_mlir_memref_to_llvm_aligned_alloc
// CHECK: llvm.call @_mlir_memref_to_llvm_free
func.func @memory_comes_from_the_runtime(%n: index) {
  %m = memref.alloc(%n) {alignment = 64 : i64} : memref<?xf32>
  memref.dealloc %m : memref<?xf32>
  return
}

// CHECK-LABEL: llvm.func @local.bf16_is_widened_by_shifting(
// CHECK-NOT: llvm.fpext
// CHECK: llvm.shl
// CHECK-NOT: llvm.fpext
// CHECK: llvm.return
func.func @bf16_is_widened_by_shifting(%x: bf16) -> f32 {
  %0 = arith.extf %x : bf16 to f32
  return %0 : f32
}

// A function of the program may have any name.
// CHECK-LABEL: llvm.func @local.expm1(
// CHECK: llvm.call @expm1(%{{.*}}) : (f64) -> f64
func.func @expm1(%x: f64) -> f64 {
  %0 = math.expm1 %x : f64
  return %0 : f64
}

// CHECK-LABEL: llvm.func @local.a_bf16_constant_is_its_bits(
// CHECK: llvm.mlir.constant(16256 : i16) : i16
// CHECK-NOT: bf16
// CHECK: llvm.return
func.func @a_bf16_constant_is_its_bits(%c: i1, %x: bf16) -> bf16 {
  %one = arith.constant 1.0 : bf16
  %0 = arith.select %c, %one, %x : bf16
  return %0 : bf16
}

// CHECK-LABEL: llvm.func @local.a_kernel_stays_a_function(
// CHECK-SAME: !llvm.ptr {llvm.noalias}
// CHECK-SAME: no_inline
func.func private @a_kernel_stays_a_function(%x: memref<4xf32>, %y: memref<4xf32> {dtensor.noalias}) attributes {dtensor.kernel} {
  memref.copy %x, %y : memref<4xf32> to memref<4xf32>
  return
}

// CHECK-LABEL: llvm.func @local.bf16_widens_to_f64_through_f32(
// CHECK: llvm.shl
// CHECK: llvm.fpext %{{.*}} : f32 to f64
func.func @bf16_widens_to_f64_through_f32(%x: bf16) -> f64 {
  %0 = arith.extf %x : bf16 to f64
  return %0 : f64
}

// CHECK-LABEL: llvm.func @local.the_gradient_of_a_static_query_is_one_call(
// CHECK-SAME: %[[CTX:[^:]*]]: !llvm.ptr,
// CHECK-COUNT-7: llvm.alloca
// CHECK: llvm.call @dtensor_rt_attention_query_grad(%[[CTX]], %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) :
func.func @the_gradient_of_a_static_query_is_one_call(%ctx: !llvm.ptr, %q: memref<5x8x64xbf16>, %k: memref<2x7x64xbf16>, %l: memref<8x5xf32>, %dq: memref<5x8x64xbf16>, %lse: memref<8x5xf32>, %s: f64, %d: index) {
  dtensor_gpu.attention_query_grad %ctx : !llvm.ptr ins(%q [1, 0, 2], %q [1, 0, 2], %k [0, 1, 2], %k [0, 1, 2], %l : memref<5x8x64xbf16>, memref<5x8x64xbf16>, memref<2x7x64xbf16>, memref<2x7x64xbf16>, memref<8x5xf32>) scale(%s) diagonal(%d) outs(%dq [1, 0, 2], %lse : memref<5x8x64xbf16>, memref<8x5xf32>) {causal = true}
  return
}

// CHECK-LABEL: llvm.func @local.gradients_of_dynamic_keys_are_one_call(
// CHECK-SAME: %[[CTX:[^:]*]]: !llvm.ptr,
// CHECK-COUNT-8: llvm.alloca
// CHECK: llvm.call @dtensor_rt_attention_key_value_grad(%[[CTX]], %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) :
func.func @gradients_of_dynamic_keys_are_one_call(%ctx: !llvm.ptr, %q: memref<?x8x64xf32>, %k: memref<2x?x64xf32>, %l: memref<8x?xf32>, %s: f64, %d: index) {
  dtensor_gpu.attention_key_value_grad %ctx : !llvm.ptr ins(%q [1, 0, 2], %q [1, 0, 2], %k [0, 1, 2], %k [0, 1, 2], %l, %l : memref<?x8x64xf32>, memref<?x8x64xf32>, memref<2x?x64xf32>, memref<2x?x64xf32>, memref<8x?xf32>, memref<8x?xf32>) scale(%s) diagonal(%d) outs(%k [0, 1, 2], %k [0, 1, 2] : memref<2x?x64xf32>, memref<2x?x64xf32>) {causal = false}
  return
}
