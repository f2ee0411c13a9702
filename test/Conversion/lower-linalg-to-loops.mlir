// RUN: dtensor-opt %s -dtensor-lower-linalg-to-loops -canonicalize | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#column = affine_map<(d0, d1) -> (d1)>

// CHECK-LABEL: func.func @a_sum_along_rows_is_carried(
// CHECK: scf.for %[[I:[^ ]*]] =
// CHECK: scf.for %[[J:[^ ]*]] = {{.*}} iter_args(
// CHECK: memref.load %{{.*}}[%[[I]], %[[J]]]
// CHECK: memref.store %{{.*}}[%[[I]]]
func.func @a_sum_along_rows_is_carried(%x: memref<?x?xf32>, %y: memref<?xf32>) {
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%x : memref<?x?xf32>) outs(%y : memref<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %o : f32
    linalg.yield %s : f32
  }
  return
}

// CHECK-LABEL: func.func @a_sum_along_columns_runs_row_by_row(
// CHECK: scf.for %[[I:[^ ]*]] = {{.*}} step %c1 {
// CHECK: scf.for %[[J:[^ ]*]] = {{.*}} step %c1 {
// CHECK: memref.load %{{.*}}[%[[I]], %[[J]]]
// CHECK: memref.store %{{.*}}[%[[J]]]
func.func @a_sum_along_columns_runs_row_by_row(%x: memref<8x16xf32>, %y: memref<16xf32>) {
  linalg.generic {indexing_maps = [#id, #column], iterator_types = ["reduction", "parallel"]} ins(%x : memref<8x16xf32>) outs(%y : memref<16xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %o : f32
    linalg.yield %s : f32
  }
  return
}

// CHECK-LABEL: func.func @a_transpose_writes_contiguously(
// CHECK: scf.for %[[I:[^ ]*]] =
// CHECK: scf.for %[[J:[^ ]*]] =
// CHECK: memref.load %{{.*}}[%[[J]], %[[I]]]
// CHECK: memref.store %{{.*}}[%[[I]], %[[J]]]
func.func @a_transpose_writes_contiguously(%x: memref<?x?xf32>, %y: memref<?x?xf32>) {
  linalg.generic {indexing_maps = [#id, affine_map<(d0, d1) -> (d1, d0)>], iterator_types = ["parallel", "parallel"]} ins(%x : memref<?x?xf32>) outs(%y : memref<?x?xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  }
  return
}

// CHECK-LABEL: func.func @a_scalar_op_has_no_loop(
// CHECK-NOT: scf.for
// CHECK: memref.store %{{.*}}, %{{.*}}[] : memref<f32>
func.func @a_scalar_op_has_no_loop(%v: f32, %y: memref<f32>) {
  linalg.fill ins(%v : f32) outs(%y : memref<f32>)
  return
}
