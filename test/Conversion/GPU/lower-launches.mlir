// RUN: dtensor-opt %s -split-input-file -pass-pipeline='builtin.module(dtensor-gpu-lower-launches,canonicalize,dtensor-gpu-finish-kernels)' | FileCheck %s

// A running sum has to go in order along a row, but rows are independent.
// CHECK-LABEL: func.func @independent_rows_get_a_thread_each(
// CHECK-NOT: memref.load
// CHECK: dtensor_gpu.launch %arg2 : !llvm.ptr, @kernels::@loops_0 grid
// CHECK: gpu.func @loops_0
// CHECK: gpu.thread_id
// CHECK-COUNT-1: scf.for
// CHECK-NOT: scf.for
func.func @independent_rows_get_a_thread_each(%x: memref<?x?xf32>, %y: memref<?x?xf32>, %ctx: !llvm.ptr {dtensor.context}, %m: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %i = %c0 to %m step %c1 {
    %0 = scf.for %j = %c0 to %n step %c1 iter_args(%sum = %zero) -> f32 {
      %a = memref.load %x[%i, %j] : memref<?x?xf32>
      %b = arith.addf %sum, %a : f32
      memref.store %b, %y[%i, %j] : memref<?x?xf32>
      scf.yield %b : f32
    }
  }
  return
}

// -----

// CHECK-LABEL: func.func @rows_that_meet_stay_in_order(
// CHECK: dtensor_gpu.launch
// CHECK: gpu.func @loops_0
// CHECK-COUNT-1: scf.for
func.func @rows_that_meet_stay_in_order(%x: memref<?xi64>, %y: memref<?xi64>, %ctx: !llvm.ptr {dtensor.context}, %m: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %m step %c1 {
    %a = memref.load %x[%i] : memref<?xi64>
    %j = arith.index_cast %a : i64 to index
    memref.store %a, %y[%j] : memref<?xi64>
  }
  return
}

// -----

// CHECK-LABEL: func.func @copies_and_scalars_are_calls(
// CHECK: dtensor_gpu.copy %arg2 : !llvm.ptr, %arg0, %arg1
// CHECK: dtensor_gpu.fill %arg2 : !llvm.ptr, %arg3, %arg4
func.func @copies_and_scalars_are_calls(%x: memref<?xf32>, %y: memref<?xf32>, %ctx: !llvm.ptr {dtensor.context}, %v: f32, %s: memref<f32>) {
  memref.copy %x, %y : memref<?xf32> to memref<?xf32>
  memref.store %v, %s[] : memref<f32>
  return
}

// -----

// As many blocks as it takes to hold 16384 of a row each, of no more warps than
// that needs. Up to 10240 they are small ones of 8192; 7 are as good as 8.
// CHECK-LABEL: func.func @a_cluster_is_as_large_as_its_row(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<?x?xf32>, %{{.*}}: !llvm.ptr {dtensor.context}, %[[M:[a-z0-9]+]]: index, %[[N:[a-z0-9]+]]: index
// CHECK-DAG: %[[CAP:.*]] = arith.constant 16383 : index
// CHECK-DAG: %[[ONE:.*]] = arith.constant 16384 : index
// CHECK: %[[UP:.*]] = arith.addi %[[N]], %[[CAP]]
// CHECK: %[[FEW:.*]] = arith.divui %[[UP]], %[[ONE]]
// CHECK: arith.cmpi ule, %{{.*}}, %c10240
// CHECK: %[[SOME:.*]] = arith.select %{{.*}}, %{{.*}}, %[[FEW]]
// CHECK: %[[B:.*]] = arith.select %{{.*}}, %c8{{.*}}, %[[SOME]]
// CHECK: %[[GRID:.*]] = arith.muli %{{.*}}, %[[B]]
// CHECK: dtensor_gpu.launch {{.*}}, @kernels::@walk grid %{{.*}} block %{{.*}} cluster %{{.*}}(
func.func @a_cluster_is_as_large_as_its_row(%x: memref<?x?xf32>, %ctx: !llvm.ptr {dtensor.context}, %m: index, %n: index) {
  dtensor_gpu.compute %ctx : !llvm.ptr ins() outs(%x : memref<?x?xf32>) extents(%m, %n) scalars() variants [{conditions = array<i64>, kernel = @kernels::@walk, params = array<i64: 3, 2, 0, 0, 0, 0>, shape = array<i64: 3, 1, 2, 32, 512>}]
  return
}
gpu.module @kernels {
  gpu.func @walk(%n: i64, %p: !llvm.ptr<1>) kernel {
    gpu.return
  }
}
