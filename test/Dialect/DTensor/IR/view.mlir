// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s

// CHECK-LABEL: @views_of_dynamic_shape
func.func @views_of_dynamic_shape(%x: tensor<?x4xf32>, %y: tensor<?x1x4xf32>, %one: tensor<1x4xf32>, %c: f32) {
  // CHECK: dtensor.reshape %arg0 : (tensor<?x4xf32>) -> tensor<?x2xf32>
  %r0 = dtensor.reshape %x : (tensor<?x4xf32>) -> tensor<?x2xf32>
  // CHECK: dtensor.squeeze %arg1 {dims = [1]} : (tensor<?x1x4xf32>) -> tensor<?x4xf32>
  %r1 = dtensor.squeeze %y {dims = [1]} : (tensor<?x1x4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.unsqueeze %arg0 {dims = [1]} : (tensor<?x4xf32>) -> tensor<?x1x4xf32>
  %r2 = dtensor.unsqueeze %x {dims = [1]} : (tensor<?x4xf32>) -> tensor<?x1x4xf32>
  // CHECK: dtensor.flatten %arg1 {end = 1 : i64, start = 0 : i64} : (tensor<?x1x4xf32>) -> tensor<?x4xf32>
  %r3 = dtensor.flatten %y {end = 1 : i64, start = 0 : i64} : (tensor<?x1x4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.unflatten %arg0 {dim = 1 : i64, sizes = [2, 2]} : (tensor<?x4xf32>) -> tensor<?x2x2xf32>
  %r4 = dtensor.unflatten %x {dim = 1 : i64, sizes = [2, 2]} : (tensor<?x4xf32>) -> tensor<?x2x2xf32>
  // CHECK: dtensor.permute %arg0 {permutation = [1, 0]} : (tensor<?x4xf32>) -> tensor<4x?xf32>
  %r5 = dtensor.permute %x {permutation = [1, 0]} : (tensor<?x4xf32>) -> tensor<4x?xf32>
  // CHECK: dtensor.expand %arg2 {sizes = [#dtensor.expr<B>, 3, 4]} : (tensor<1x4xf32>) -> tensor<?x3x4xf32>
  %r6 = dtensor.expand %one {sizes = [#dtensor.expr<B>, 3, 4]} : (tensor<1x4xf32>) -> tensor<?x3x4xf32>
  // CHECK: dtensor.full %arg3 {sizes = [#dtensor.expr<B>, 4]} : (f32) -> tensor<?x4xf32>
  %r7 = dtensor.full %c {sizes = [#dtensor.expr<B>, 4]} : (f32) -> tensor<?x4xf32>
  // CHECK: dtensor.iota {dim = 0 : i64, sizes = [#dtensor.expr<B>]} : () -> tensor<?xi64>
  %r8 = dtensor.iota {dim = 0 : i64, sizes = [#dtensor.expr<B>]} : () -> tensor<?xi64>
  return
}

// CHECK-LABEL: @views_of_static_shape
func.func @views_of_static_shape(%x: tensor<6x4xf32>, %y: tensor<6x1x4xf32>, %one: tensor<1x4xf32>, %c: f32) {
  // CHECK: dtensor.reshape %arg0 : (tensor<6x4xf32>) -> tensor<12x2xf32>
  %r0 = dtensor.reshape %x : (tensor<6x4xf32>) -> tensor<12x2xf32>
  // CHECK: dtensor.squeeze %arg1 {dims = [1]} : (tensor<6x1x4xf32>) -> tensor<6x4xf32>
  %r1 = dtensor.squeeze %y {dims = [1]} : (tensor<6x1x4xf32>) -> tensor<6x4xf32>
  // CHECK: dtensor.unsqueeze %arg0 {dims = [1]} : (tensor<6x4xf32>) -> tensor<6x1x4xf32>
  %r2 = dtensor.unsqueeze %x {dims = [1]} : (tensor<6x4xf32>) -> tensor<6x1x4xf32>
  // CHECK: dtensor.flatten %arg1 {end = 1 : i64, start = 0 : i64} : (tensor<6x1x4xf32>) -> tensor<6x4xf32>
  %r3 = dtensor.flatten %y {end = 1 : i64, start = 0 : i64} : (tensor<6x1x4xf32>) -> tensor<6x4xf32>
  // CHECK: dtensor.unflatten %arg0 {dim = 1 : i64, sizes = [2, 2]} : (tensor<6x4xf32>) -> tensor<6x2x2xf32>
  %r4 = dtensor.unflatten %x {dim = 1 : i64, sizes = [2, 2]} : (tensor<6x4xf32>) -> tensor<6x2x2xf32>
  // CHECK: dtensor.permute %arg0 {permutation = [1, 0]} : (tensor<6x4xf32>) -> tensor<4x6xf32>
  %r5 = dtensor.permute %x {permutation = [1, 0]} : (tensor<6x4xf32>) -> tensor<4x6xf32>
  // CHECK: dtensor.expand %arg2 {sizes = [6, 3, 4]} : (tensor<1x4xf32>) -> tensor<6x3x4xf32>
  %r6 = dtensor.expand %one {sizes = [6, 3, 4]} : (tensor<1x4xf32>) -> tensor<6x3x4xf32>
  // CHECK: dtensor.full %arg3 {sizes = [6, 4]} : (f32) -> tensor<6x4xf32>
  %r7 = dtensor.full %c {sizes = [6, 4]} : (f32) -> tensor<6x4xf32>
  // CHECK: dtensor.iota {dim = 0 : i64, sizes = [6]} : () -> tensor<6xi64>
  %r8 = dtensor.iota {dim = 0 : i64, sizes = [6]} : () -> tensor<6xi64>
  return
}
