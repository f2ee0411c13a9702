// RUN: dtensor-opt %s -dtensor-outline-kernels | FileCheck %s

#id = affine_map<(d0) -> (d0)>

// CHECK-LABEL: func.func @equal_ops_share_a_kernel(
// CHECK-SAME: %[[X:[^:]*]]: memref<?xf32>, %[[Y:[^:]*]]: memref<?xf32>
// CHECK-NEXT: arith.constant
// CHECK-NEXT: call @[[FILL:kernel.*]](%[[X]])
// CHECK-NEXT: call @[[FILL]](%[[Y]])
// CHECK-NEXT: return
func.func @equal_ops_share_a_kernel(%x: memref<?xf32>, %y: memref<?xf32>) {
  %one = arith.constant 1.0 : f32
  linalg.fill ins(%one : f32) outs(%x : memref<?xf32>)
  linalg.fill ins(%one : f32) outs(%y : memref<?xf32>)
  return
}

// CHECK-LABEL: func.func @other_constants_or_sizes_are_other_kernels(
// CHECK-NOT: call @[[FILL]](
// CHECK: return
func.func @other_constants_or_sizes_are_other_kernels(%x: memref<?xf32>, %y: memref<4xf32>) {
  %one = arith.constant 1.0 : f32
  %two = arith.constant 2.0 : f32
  linalg.fill ins(%two : f32) outs(%x : memref<?xf32>)
  linalg.fill ins(%one : f32) outs(%y : memref<4xf32>)
  return
}

// CHECK-LABEL: func.func @a_strided_copy_is_a_kernel_and_a_contiguous_one_stays(
// CHECK: call @kernel
// CHECK-NEXT: memref.copy
func.func @a_strided_copy_is_a_kernel_and_a_contiguous_one_stays(%x: memref<?x4xf32, strided<[?, 1]>>, %y: memref<?x4xf32>, %z: memref<?x4xf32>) {
  memref.copy %x, %y : memref<?x4xf32, strided<[?, 1]>> to memref<?x4xf32>
  memref.copy %y, %z : memref<?x4xf32> to memref<?x4xf32>
  return
}

// CHECK-LABEL: func.func @values_that_the_body_reads_are_passed(
// CHECK-SAME: %[[X:[^:]*]]: memref<?xf32>, %[[T:[^:]*]]: memref<?xf32>, %[[N:[^:]*]]: f32
// CHECK: call @[[GATHER:kernel.*]](%[[X]], %[[T]], %[[N]])
func.func @values_that_the_body_reads_are_passed(%x: memref<?xf32>, %table: memref<?xf32>, %n: f32) {
  linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%x : memref<?xf32>) {
  ^bb0(%o: f32):
    %i = linalg.index 0 : index
    %v = memref.load %table[%i] : memref<?xf32>
    %w = arith.mulf %v, %n : f32
    linalg.yield %w : f32
  }
  return
}

// CHECK-LABEL: func.func @a_buffer_that_may_overlap_is_not_marked(
// CHECK: call @[[MAYBE:kernel.*]](%{{.*}}, %{{.*}})
// CHECK: call @[[NEVER:kernel.*]](%{{.*}}, %{{.*}})
func.func @a_buffer_that_may_overlap_is_not_marked(%x: memref<4xf32>, %y: memref<4xf32>) {
  %m = memref.alloc() : memref<4xf32>
  linalg.exp ins(%x : memref<4xf32>) outs(%y : memref<4xf32>)
  linalg.exp ins(%x : memref<4xf32>) outs(%m : memref<4xf32>)
  return
}

// A buffer is not memory that was there before it was allocated.
// CHECK-LABEL: func.func @a_fresh_buffer_in_a_loop_is_marked(
// CHECK: call @[[LOOP:kernel.*]](%{{.*}}, %{{.*}})
func.func @a_fresh_buffer_in_a_loop_is_marked(%x: memref<?xf32>, %n: index, %out: memref<?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %0 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> memref<?xf32> {
    %m = memref.alloc(%n) : memref<?xf32>
    linalg.exp ins(%a : memref<?xf32>) outs(%m : memref<?xf32>)
    scf.yield %m : memref<?xf32>
  }
  memref.copy %0, %out : memref<?xf32> to memref<?xf32>
  return
}
// CHECK: func.func private @[[MAYBE]](%{{[^:]*}}: memref<4xf32>, %{{[^:]*}}: memref<4xf32>) attributes {dtensor.kernel, dtensor.may_overlap}
// CHECK: func.func private @[[NEVER]](%{{[^:]*}}: memref<4xf32>, %{{[^:]*}}: memref<4xf32> {dtensor.noalias}) attributes {dtensor.kernel}
// CHECK: func.func private @[[LOOP]](%{{[^:]*}}: memref<?xf32>, %{{[^:]*}}: memref<?xf32> {dtensor.noalias})
