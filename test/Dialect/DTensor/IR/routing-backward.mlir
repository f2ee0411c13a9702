// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s
// Gradients of mixtures of experts on symbolic and static shapes.

// CHECK-LABEL: @gradients_of_dynamic_shape
func.func @gradients_of_dynamic_shape(%g: tensor<?x8x?x16xf32>, %s: tensor<?x?x2xi64>, %w: tensor<?x?x2xf32>, %u: tensor<8x16x?xf32>) -> (tensor<?x8x?x16xf32>, tensor<8x16x?xf32>) {
  // CHECK: dtensor.dispatch_backward %arg0, %arg1 : (tensor<?x8x?x16xf32>, tensor<?x?x2xi64>) -> tensor<?x?x16xf32>
  %dx = dtensor.dispatch_backward %g, %s : (tensor<?x8x?x16xf32>, tensor<?x?x2xi64>) -> tensor<?x?x16xf32>
  // CHECK: dtensor.combine_backward {{.*}} -> (tensor<?x8x?x16xf32>, tensor<?x?x2xf32>)
  %db, %dw = dtensor.combine_backward %dx, %g, %s, %w : (tensor<?x?x16xf32>, tensor<?x8x?x16xf32>, tensor<?x?x2xi64>, tensor<?x?x2xf32>) -> (tensor<?x8x?x16xf32>, tensor<?x?x2xf32>)
  %h = dtensor.grouped_matmul %db, %u : (tensor<?x8x?x16xf32>, tensor<8x16x?xf32>) -> tensor<?x8x?x?xf32>
  // CHECK: dtensor.grouped_matmul_backward {{.*}} -> (tensor<?x8x?x16xf32>, tensor<8x16x?xf32>)
  %dl, %dr = dtensor.grouped_matmul_backward %h, %db, %u : (tensor<?x8x?x?xf32>, tensor<?x8x?x16xf32>, tensor<8x16x?xf32>) -> (tensor<?x8x?x16xf32>, tensor<8x16x?xf32>)
  return %dl, %dr : tensor<?x8x?x16xf32>, tensor<8x16x?xf32>
}

// CHECK-LABEL: @gradients_of_static_shape
func.func @gradients_of_static_shape(%g: tensor<4x3x16xbf16>, %s: tensor<6x2xi32>) -> tensor<6x16xbf16> {
  // CHECK: dtensor.dispatch_backward {{.*}} -> tensor<6x16xbf16>
  %dx = dtensor.dispatch_backward %g, %s : (tensor<4x3x16xbf16>, tensor<6x2xi32>) -> tensor<6x16xbf16>
  return %dx : tensor<6x16xbf16>
}
