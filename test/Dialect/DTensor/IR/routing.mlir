// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s
// Mixtures of experts on symbolic and static shapes.

// CHECK-LABEL: @routing_of_dynamic_shape
func.func @routing_of_dynamic_shape(%x: tensor<?x?x16xf32>, %e: tensor<?x?x2xi64>, %w: tensor<?x?x2xf32>, %u: tensor<8x16x?xf32>, %d: tensor<?x8x?x16xf32>) -> (tensor<?x?x16xf32>, tensor<?x8x?x?xf32>) {
  // CHECK: dtensor.route_slots %arg1 {capacity = #dtensor.expr<C>, count = 8 : i64} : (tensor<?x?x2xi64>) -> tensor<?x?x2xi64>
  %s = dtensor.route_slots %e {count = 8, capacity = #dtensor.expr<C>} : (tensor<?x?x2xi64>) -> tensor<?x?x2xi64>
  // CHECK: dtensor.dispatch %arg0, %{{.*}} {capacity = #dtensor.expr<C>, count = 8 : i64} : (tensor<?x?x16xf32>, tensor<?x?x2xi64>) -> tensor<?x8x?x16xf32>
  %b = dtensor.dispatch %x, %s {count = 8, capacity = #dtensor.expr<C>} : (tensor<?x?x16xf32>, tensor<?x?x2xi64>) -> tensor<?x8x?x16xf32>
  // CHECK: dtensor.grouped_matmul %{{.*}}, %arg3 : (tensor<?x8x?x16xf32>, tensor<8x16x?xf32>) -> tensor<?x8x?x?xf32>
  %h = dtensor.grouped_matmul %b, %u : (tensor<?x8x?x16xf32>, tensor<8x16x?xf32>) -> tensor<?x8x?x?xf32>
  // CHECK: dtensor.combine %arg4, %{{.*}}, %arg2 : (tensor<?x8x?x16xf32>, tensor<?x?x2xi64>, tensor<?x?x2xf32>) -> tensor<?x?x16xf32>
  %y = dtensor.combine %d, %s, %w : (tensor<?x8x?x16xf32>, tensor<?x?x2xi64>, tensor<?x?x2xf32>) -> tensor<?x?x16xf32>
  return %y, %h : tensor<?x?x16xf32>, tensor<?x8x?x?xf32>
}

// CHECK-LABEL: @routing_of_static_shape
func.func @routing_of_static_shape(%x: tensor<6x16xbf16>, %e: tensor<6x2xi32>, %w: tensor<6x2xbf16>, %u: tensor<4x16x16xbf16>) -> tensor<6x16xbf16> {
  // CHECK: dtensor.route_slots %arg1 {capacity = 3 : i64, count = 4 : i64}
  %s = dtensor.route_slots %e {count = 4, capacity = 3} : (tensor<6x2xi32>) -> tensor<6x2xi32>
  // CHECK: dtensor.dispatch {{.*}} -> tensor<4x3x16xbf16>
  %b = dtensor.dispatch %x, %s {count = 4, capacity = 3} : (tensor<6x16xbf16>, tensor<6x2xi32>) -> tensor<4x3x16xbf16>
  // CHECK: dtensor.grouped_matmul
  %h = dtensor.grouped_matmul %b, %u : (tensor<4x3x16xbf16>, tensor<4x16x16xbf16>) -> tensor<4x3x16xbf16>
  // CHECK: dtensor.combine
  %y = dtensor.combine %h, %s, %w : (tensor<4x3x16xbf16>, tensor<6x2xi32>, tensor<6x2xbf16>) -> tensor<6x16xbf16>
  return %y : tensor<6x16xbf16>
}
