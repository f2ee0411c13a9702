// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s
// Norms with their statistics on symbolic and static shapes.

// CHECK-LABEL: @native_layer_norm_of_dynamic_shape
func.func @native_layer_norm_of_dynamic_shape(%x: tensor<?x?xf32>, %w: tensor<?xf32>) -> (tensor<?x?xf32>, tensor<?x1xf32>, tensor<?x1xf32>) {
  // CHECK: dtensor.native_layer_norm %arg0, %arg1{{.*}} : (tensor<?x?xf32>, tensor<?xf32>) -> (tensor<?x?xf32>, tensor<?x1xf32>, tensor<?x1xf32>)
  %y, %m, %r = dtensor.native_layer_norm %x, %w {trailing = 1 : i64} : (tensor<?x?xf32>, tensor<?xf32>) -> (tensor<?x?xf32>, tensor<?x1xf32>, tensor<?x1xf32>)
  return %y, %m, %r : tensor<?x?xf32>, tensor<?x1xf32>, tensor<?x1xf32>
}

// CHECK-LABEL: @native_rms_norm_of_dynamic_shape
func.func @native_rms_norm_of_dynamic_shape(%x: tensor<?x?xf32>, %w: tensor<?xf32>) -> (tensor<?x?xf32>, tensor<?x1xf32>) {
  // CHECK: dtensor.native_rms_norm %arg0, %arg1{{.*}} : (tensor<?x?xf32>, tensor<?xf32>) -> (tensor<?x?xf32>, tensor<?x1xf32>)
  %y, %r = dtensor.native_rms_norm %x, %w {trailing = 1 : i64} : (tensor<?x?xf32>, tensor<?xf32>) -> (tensor<?x?xf32>, tensor<?x1xf32>)
  return %y, %r : tensor<?x?xf32>, tensor<?x1xf32>
}

// CHECK-LABEL: @native_layer_norm_of_static_shape
func.func @native_layer_norm_of_static_shape(%x: tensor<3x3xf32>, %w: tensor<3xf32>) -> (tensor<3x3xf32>, tensor<3x1xf32>, tensor<3x1xf32>) {
  // CHECK: dtensor.native_layer_norm %arg0, %arg1{{.*}} : (tensor<3x3xf32>, tensor<3xf32>) -> (tensor<3x3xf32>, tensor<3x1xf32>, tensor<3x1xf32>)
  %y, %m, %r = dtensor.native_layer_norm %x, %w {trailing = 1 : i64} : (tensor<3x3xf32>, tensor<3xf32>) -> (tensor<3x3xf32>, tensor<3x1xf32>, tensor<3x1xf32>)
  return %y, %m, %r : tensor<3x3xf32>, tensor<3x1xf32>, tensor<3x1xf32>
}

// CHECK-LABEL: @native_rms_norm_of_static_shape
func.func @native_rms_norm_of_static_shape(%x: tensor<3x3xf32>, %w: tensor<3xf32>) -> (tensor<3x3xf32>, tensor<3x1xf32>) {
  // CHECK: dtensor.native_rms_norm %arg0, %arg1{{.*}} : (tensor<3x3xf32>, tensor<3xf32>) -> (tensor<3x3xf32>, tensor<3x1xf32>)
  %y, %r = dtensor.native_rms_norm %x, %w {trailing = 1 : i64} : (tensor<3x3xf32>, tensor<3xf32>) -> (tensor<3x3xf32>, tensor<3x1xf32>)
  return %y, %r : tensor<3x3xf32>, tensor<3x1xf32>
}
