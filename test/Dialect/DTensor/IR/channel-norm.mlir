// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s
// Norms of batches and of groups of channels on symbolic and static shapes.

// CHECK-LABEL: @group_norm_of_dynamic_shape
func.func @group_norm_of_dynamic_shape(%x: tensor<?x6x?xf32>, %w: tensor<6xf32>, %b: tensor<6xf32>) -> (tensor<?x6x?xf32>, tensor<?x2xf32>) {
  // CHECK: dtensor.group_norm %arg0, %arg1, %arg2 {groups = 2 : i64} : (tensor<?x6x?xf32>, tensor<6xf32>, tensor<6xf32>) -> tensor<?x6x?xf32>
  %y = dtensor.group_norm %x, %w, %b {groups = 2} : (tensor<?x6x?xf32>, tensor<6xf32>, tensor<6xf32>) -> tensor<?x6x?xf32>
  // CHECK: dtensor.native_group_norm %arg0 {groups = 2 : i64} : (tensor<?x6x?xf32>) -> (tensor<?x6x?xf32>, tensor<?x2xf32>, tensor<?x2xf32>)
  %z, %m, %r = dtensor.native_group_norm %x {groups = 2} : (tensor<?x6x?xf32>) -> (tensor<?x6x?xf32>, tensor<?x2xf32>, tensor<?x2xf32>)
  return %y, %r : tensor<?x6x?xf32>, tensor<?x2xf32>
}

// CHECK-LABEL: @group_norm_of_static_shape
func.func @group_norm_of_static_shape(%x: tensor<3x6x5xbf16>) -> (tensor<3x6x5xbf16>, tensor<3x3xf32>) {
  // CHECK: dtensor.native_group_norm {{.*}} -> (tensor<3x6x5xbf16>, tensor<3x3xf32>, tensor<3x3xf32>)
  %z, %m, %r = dtensor.native_group_norm %x {groups = 3, eps = 1.0e-6} : (tensor<3x6x5xbf16>) -> (tensor<3x6x5xbf16>, tensor<3x3xf32>, tensor<3x3xf32>)
  return %z, %r : tensor<3x6x5xbf16>, tensor<3x3xf32>
}

// CHECK-LABEL: @batch_norm_of_dynamic_shape
func.func @batch_norm_of_dynamic_shape(%x: tensor<?x4x?xf32>, %m0: tensor<4xf32>, %v0: tensor<4xf32>, %w: tensor<4xf32>) -> (tensor<?x4x?xf32>, tensor<4xf32>) {
  // CHECK: dtensor.batch_norm %arg0, %arg1, %arg2, %arg3
  %y = dtensor.batch_norm %x, %m0, %v0, %w {eps = 1.0e-3} : (tensor<?x4x?xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4x?xf32>
  // CHECK: dtensor.native_batch_norm {{.*}} {momentum = 1.000000e-01 : f64}
  %z, %m, %r, %rm, %rv = dtensor.native_batch_norm %y, %m0, %v0, %w {momentum = 0.1} : (tensor<?x4x?xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<?x4x?xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>)
  // CHECK: dtensor.batch_norm_backward
  %dx, %dw, %db = dtensor.batch_norm_backward %z, %x, %m, %r, %w : (tensor<?x4x?xf32>, tensor<?x4x?xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<?x4x?xf32>, tensor<4xf32>, tensor<4xf32>)
  return %dx, %db : tensor<?x4x?xf32>, tensor<4xf32>
}

// CHECK-LABEL: @batch_norm_of_static_shape
func.func @batch_norm_of_static_shape(%x: tensor<8x4xf32>) -> (tensor<8x4xf32>, tensor<8x4xf32>) {
  // CHECK: dtensor.native_batch_norm %arg0 : (tensor<8x4xf32>) -> (tensor<8x4xf32>, tensor<4xf32>, tensor<4xf32>)
  %z, %m, %r = dtensor.native_batch_norm %x : (tensor<8x4xf32>) -> (tensor<8x4xf32>, tensor<4xf32>, tensor<4xf32>)
  // CHECK: dtensor.batch_norm_backward {{.*}} {frozen}
  %dx = dtensor.batch_norm_backward %z, %x, %m, %r {frozen} : (tensor<8x4xf32>, tensor<8x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<8x4xf32>
  return %z, %dx : tensor<8x4xf32>, tensor<8x4xf32>
}
