// RUN: dtensor-opt %s -dtensor-lower-linalg-to-loops -canonicalize | FileCheck %s

#mk = affine_map<(d0, d1, d2) -> (d0, d2)>
#kn = affine_map<(d0, d1, d2) -> (d2, d1)>
#nk = affine_map<(d0, d1, d2) -> (d1, d2)>
#mn = affine_map<(d0, d1, d2) -> (d0, d1)>

// CHECK-LABEL: func.func @a_product_keeps_six_rows_of_sums_in_registers(
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<256x16xf32>
// CHECK: scf.for %{{.*}} step %c256
// CHECK: scf.for %{{.*}} step %c16
// CHECK: vector.maskedload {{.*}} : memref<?x?xf32>, vector<16xi1>, vector<16xf32> into vector<16xf32>
// CHECK: scf.for %{{.*}} step %c6
// CHECK-COUNT-6: vector.maskedload
// CHECK: scf.for
// CHECK-COUNT-6: arith.mulf %{{.*}} fastmath<contract> : vector<16xf32>
// CHECK-COUNT-6: vector.maskedstore
func.func @a_product_keeps_six_rows_of_sums_in_registers(%a: memref<?x?xf32>, %b: memref<?x?xf32>, %c: memref<?x?xf32>) {
  linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %b : memref<?x?xf32>, memref<?x?xf32>) outs(%c : memref<?x?xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  }
  return
}

// CHECK-LABEL: func.func @a_transposed_factor_of_bf16_is_packed_and_widened(
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<256x16xf32>
// CHECK: memref.load {{.*}} : memref<8x64xbf16>
// CHECK: arith.extf {{.*}} : bf16 to f32
// CHECK: memref.store {{.*}} : memref<256x16xf32>
func.func @a_transposed_factor_of_bf16_is_packed_and_widened(%a: memref<4x64xbf16>, %b: memref<8x64xbf16>, %c: memref<4x8xf32>) {
  linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %b : memref<4x64xbf16>, memref<8x64xbf16>) outs(%c : memref<4x8xf32>) {
  ^bb0(%x: bf16, %y: bf16, %o: f32):
    %u = arith.extf %x : bf16 to f32
    %v = arith.extf %y : bf16 to f32
    %p = arith.mulf %u, %v : f32
    %s = arith.addf %p, %o : f32
    linalg.yield %s : f32
  }
  return
}

// CHECK-LABEL: func.func @a_matrix_times_a_vector_is_plain_loops(
// CHECK-NOT: vector.
// CHECK: return
func.func @a_matrix_times_a_vector_is_plain_loops(%a: memref<?x?xf32>, %b: memref<?xf32>, %c: memref<?xf32>) {
  linalg.matvec ins(%a, %b : memref<?x?xf32>, memref<?xf32>) outs(%c : memref<?xf32>)
  return
}
