// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s

// CHECK-LABEL: @reductions_of_dynamic_shape
func.func @reductions_of_dynamic_shape(%x: tensor<?x?xf32>) -> tensor<f32> {
  // CHECK: dtensor.sum %arg0 {dims = [1], keepdim} : (tensor<?x?xf32>) -> tensor<?x1xf32>
  %0 = dtensor.sum %x {dims = [1], keepdim} : (tensor<?x?xf32>) -> tensor<?x1xf32>
  // CHECK: dtensor.mean %arg0 {dims = [1], keepdim} : (tensor<?x?xf32>) -> tensor<?x1xf32>
  %1 = dtensor.mean %x {dims = [1], keepdim} : (tensor<?x?xf32>) -> tensor<?x1xf32>
  // CHECK: dtensor.amax %arg0 {dims = [1], keepdim} : (tensor<?x?xf32>) -> tensor<?x1xf32>
  %2 = dtensor.amax %x {dims = [1], keepdim} : (tensor<?x?xf32>) -> tensor<?x1xf32>
  // CHECK: dtensor.amin %arg0 {dims = [1], keepdim} : (tensor<?x?xf32>) -> tensor<?x1xf32>
  %3 = dtensor.amin %x {dims = [1], keepdim} : (tensor<?x?xf32>) -> tensor<?x1xf32>
  // CHECK: dtensor.prod %arg0 {dims = [1], keepdim} : (tensor<?x?xf32>) -> tensor<?x1xf32>
  %4 = dtensor.prod %x {dims = [1], keepdim} : (tensor<?x?xf32>) -> tensor<?x1xf32>
  // CHECK: dtensor.sum %arg0 {dims = [0, 1]} : (tensor<?x?xf32>) -> tensor<f32>
  %a = dtensor.sum %x {dims = [0, 1]} : (tensor<?x?xf32>) -> tensor<f32>
  return %a : tensor<f32>
}

// CHECK-LABEL: @reductions_of_static_shape
func.func @reductions_of_static_shape(%x: tensor<3x5xf32>) -> tensor<f32> {
  // CHECK: dtensor.sum %arg0 {dims = [1], keepdim} : (tensor<3x5xf32>) -> tensor<3x1xf32>
  %0 = dtensor.sum %x {dims = [1], keepdim} : (tensor<3x5xf32>) -> tensor<3x1xf32>
  // CHECK: dtensor.mean %arg0 {dims = [1], keepdim} : (tensor<3x5xf32>) -> tensor<3x1xf32>
  %1 = dtensor.mean %x {dims = [1], keepdim} : (tensor<3x5xf32>) -> tensor<3x1xf32>
  // CHECK: dtensor.amax %arg0 {dims = [1], keepdim} : (tensor<3x5xf32>) -> tensor<3x1xf32>
  %2 = dtensor.amax %x {dims = [1], keepdim} : (tensor<3x5xf32>) -> tensor<3x1xf32>
  // CHECK: dtensor.amin %arg0 {dims = [1], keepdim} : (tensor<3x5xf32>) -> tensor<3x1xf32>
  %3 = dtensor.amin %x {dims = [1], keepdim} : (tensor<3x5xf32>) -> tensor<3x1xf32>
  // CHECK: dtensor.prod %arg0 {dims = [1], keepdim} : (tensor<3x5xf32>) -> tensor<3x1xf32>
  %4 = dtensor.prod %x {dims = [1], keepdim} : (tensor<3x5xf32>) -> tensor<3x1xf32>
  // CHECK: dtensor.sum %arg0 {dims = [0, 1]} : (tensor<3x5xf32>) -> tensor<f32>
  %a = dtensor.sum %x {dims = [0, 1]} : (tensor<3x5xf32>) -> tensor<f32>
  return %a : tensor<f32>
}

// CHECK-LABEL: @integers_are_summed_in_a_wider_type
func.func @integers_are_summed_in_a_wider_type(%x: tensor<?xi8>, %m: tensor<?xi1>) -> tensor<i64> {
  // CHECK: dtensor.sum %arg0 {dims = [0]} : (tensor<?xi8>) -> tensor<i32>
  %0 = dtensor.sum %x {dims = [0]} : (tensor<?xi8>) -> tensor<i32>
  // CHECK: dtensor.sum %arg1 {dims = [0]} : (tensor<?xi1>) -> tensor<i64>
  %1 = dtensor.sum %m {dims = [0]} : (tensor<?xi1>) -> tensor<i64>
  return %1 : tensor<i64>
}
