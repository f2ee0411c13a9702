// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s
// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s --check-prefix=NORMAL
// Contractions by name, and sums with products, on symbolic and static shapes.

#mesh = #dtensor.mesh<"tp" = ?>
#mk = #dtensor.layout<#mesh, [shard(1)], (M, 8)>

// CHECK-LABEL: @named_contractions_of_dynamic_shape
func.func @named_contractions_of_dynamic_shape(%a: tensor<?x8xf32> {dtensor.layout = #mk}, %k: tensor<8xf32>) -> (tensor<?xf32>, tensor<f32>, tensor<?x?xf32>) {
  // CHECK: dtensor.mv %arg0, %arg1 : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?xf32>
  %0 = dtensor.mv %a, %k : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?xf32>
  // CHECK: dtensor.dot {{.*}} : (tensor<?xf32>, tensor<?xf32>) -> tensor<f32>
  %1 = dtensor.dot %0, %0 : (tensor<?xf32>, tensor<?xf32>) -> tensor<f32>
  // CHECK: dtensor.outer {{.*}} -> tensor<?x?xf32>
  %2 = dtensor.outer %0, %0 : (tensor<?xf32>, tensor<?xf32>) -> tensor<?x?xf32>
  return %0, %1, %2 : tensor<?xf32>, tensor<f32>, tensor<?x?xf32>
}

// A dimension is summed as soon as no later operand has it.
// CHECK-LABEL: @a_chain_of_static_shape
// NORMAL-LABEL: @a_chain_of_static_shape
func.func @a_chain_of_static_shape(%a: tensor<4x8xf32>, %b: tensor<8x3xf32>, %c: tensor<3x2xbf16>) -> (tensor<4x3xf32>, tensor<4x3xf32>) attributes {dtensor.mesh = #mesh} {
  // CHECK: dtensor.einsum {{.*}} {equation = "ij,jk,lk->il"}
  // NORMAL: dtensor.generic "einsum" {{.*}}iterators = [parallel, parallel, reduction]
  // NORMAL: dtensor.generic "einsum" {{.*}}iterators = [parallel, parallel, reduction]
  %0 = dtensor.einsum %a, %b, %b {equation = "ij,jk,lk->il"} : (tensor<4x8xf32>, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<4x8xf32>
  // CHECK: dtensor.addmm {{.*}} {alpha = 5.000000e-01 : f64} : (tensor<4x3xf32>, tensor<4x8xf32>, tensor<8x3xf32>) -> tensor<4x3xf32>
  %1 = dtensor.einsum %a, %b {equation = "ij,jk->ik"} : (tensor<4x8xf32>, tensor<8x3xf32>) -> tensor<4x3xf32>
  %2 = dtensor.addmm %1, %0, %b {alpha = 0.5} : (tensor<4x3xf32>, tensor<4x8xf32>, tensor<8x3xf32>) -> tensor<4x3xf32>
  return %1, %2 : tensor<4x3xf32>, tensor<4x3xf32>
}

// CHECK-LABEL: @sums_with_products_of_dynamic_shape
func.func @sums_with_products_of_dynamic_shape(%c: tensor<?xf32>, %a: tensor<?x8xf32>, %b: tensor<8x?xf32>, %d: tensor<?x1x?xf32>, %e: tensor<?x?x8xf32>, %f: tensor<?x8x?xf32>) -> (tensor<?x?xf32>, tensor<?x?x?xf32>) attributes {dtensor.mesh = #mesh} {
  // CHECK: dtensor.addmm %arg0, %arg1, %arg2
  %0 = dtensor.addmm %c, %a, %b {alpha = 0.5} : (tensor<?xf32>, tensor<?x8xf32>, tensor<8x?xf32>) -> tensor<?x?xf32>
  // CHECK: dtensor.baddbmm {{.*}} {beta = 2.000000e+00 : f64}
  %1 = dtensor.baddbmm %d, %e, %f {beta = 2.0} : (tensor<?x1x?xf32>, tensor<?x?x8xf32>, tensor<?x8x?xf32>) -> tensor<?x?x?xf32>
  // CHECK: dtensor.einsum {{.*}} {equation = "bij,bjk->bik"}
  %2 = dtensor.einsum %e, %f {equation = "bij,bjk->bik"} : (tensor<?x?x8xf32>, tensor<?x8x?xf32>) -> tensor<?x?x?xf32>
  return %0, %2 : tensor<?x?xf32>, tensor<?x?x?xf32>
}
