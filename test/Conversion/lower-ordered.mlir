// RUN: dtensor-opt %s --dtensor-add-context --dtensor-lower-local --split-input-file | FileCheck %s

// Updates go by one after the other; those of other ranks are passed over.
// CHECK-LABEL: @a_scatter_writes_what_is_here
func.func @a_scatter_writes_what_is_here(%x: tensor<?x4xf32>, %i: tensor<?xi64>, %u: tensor<?x4xf32>, %o: index) -> tensor<?x4xf32> {
  // CHECK: scf.for {{.*}} iter_args(%[[X:.*]] = %arg{{[01]}})
  // CHECK: scf.for
  // CHECK: %[[LOCAL:.*]] = arith.subi
  // CHECK: arith.cmpi sge, %[[LOCAL]]
  // CHECK: arith.cmpi slt, %[[LOCAL]]
  // CHECK: scf.if
  // CHECK: tensor.insert {{.*}}[%[[LOCAL]], %{{.*}}]
  // CHECK-NOT: dtensor.scatter
  %0 = dtensor.scatter %x, %i, %u, %o {dim = 0, rows} : (tensor<?x4xf32>, tensor<?xi64>, tensor<?x4xf32>, index) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

// CHECK-LABEL: @a_scan_carries_its_sum
func.func @a_scan_carries_its_sum(%x: tensor<3x5xf32>) -> tensor<3x5xf32> {
  // CHECK: %[[ZERO:.*]] = arith.constant -0.000000e+00 : f32
  // CHECK: scf.for
  // CHECK: scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}, %[[SUM:.*]] = %[[ZERO]])
  // CHECK: arith.addf %[[SUM]]
  // CHECK-NOT: dtensor.scan
  %0 = dtensor.scan %x {dim = 1, kind = "sum"} : (tensor<3x5xf32>) -> tensor<3x5xf32>
  return %0 : tensor<3x5xf32>
}

// -----

// CHECK-LABEL: @a_sort_merges_runs
func.func @a_sort_merges_runs(%x: tensor<?xf32>) -> (tensor<?xf32>, tensor<?xi64>) {
  // CHECK: scf.while
  // CHECK: scf.for
  // CHECK: scf.for
  // CHECK: arith.cmpf olt
  // CHECK-NOT: dtensor.sort
  %0, %1 = dtensor.sort %x {dim = 0} : (tensor<?xf32>) -> (tensor<?xf32>, tensor<?xi64>)
  return %0, %1 : tensor<?xf32>, tensor<?xi64>
}
