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
