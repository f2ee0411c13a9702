// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s
// Random numbers on symbolic and static shapes.

// CHECK-LABEL: @bernoulli_of_dynamic_shape
func.func @bernoulli_of_dynamic_shape(%p: tensor<?x4xf32>, %seed: i64, %offset: i64) -> tensor<?x4xi1> {
  // CHECK: dtensor.bernoulli %arg0, %arg1, %arg2 : (tensor<?x4xf32>, i64, i64) -> tensor<?x4xi1>
  %y = dtensor.bernoulli %p, %seed, %offset : (tensor<?x4xf32>, i64, i64) -> tensor<?x4xi1>
  return %y : tensor<?x4xi1>
}

// CHECK-LABEL: @dropout_of_dynamic_shape
func.func @dropout_of_dynamic_shape(%x: tensor<?x4xf32>, %seed: i64, %offset: i64) -> (tensor<?x4xf32>, tensor<?x4xi1>) {
  // CHECK: dtensor.dropout %arg0, %arg1, %arg2{{.*}} : (tensor<?x4xf32>, i64, i64) -> (tensor<?x4xf32>, tensor<?x4xi1>)
  %y, %kept = dtensor.dropout %x, %seed, %offset {p = 0.1} : (tensor<?x4xf32>, i64, i64) -> (tensor<?x4xf32>, tensor<?x4xi1>)
  return %y, %kept : tensor<?x4xf32>, tensor<?x4xi1>
}

// CHECK-LABEL: @rand_of_dynamic_shape
func.func @rand_of_dynamic_shape(%seed: i64, %offset: tensor<i64>) -> tensor<?x4xf32> {
  // CHECK: dtensor.rand %arg0, %arg1{{.*}} : (i64, tensor<i64>) -> tensor<?x4xf32>
  %y = dtensor.rand %seed, %offset {sizes = [#dtensor.expr<B>, 4]} : (i64, tensor<i64>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @randn_of_dynamic_shape
func.func @randn_of_dynamic_shape(%seed: i64, %offset: tensor<i64>) -> tensor<?x4xf32> {
  // CHECK: dtensor.randn %arg0, %arg1{{.*}} : (i64, tensor<i64>) -> tensor<?x4xf32>
  %y = dtensor.randn %seed, %offset {sizes = [#dtensor.expr<B>, 4]} : (i64, tensor<i64>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @bernoulli_of_static_shape
func.func @bernoulli_of_static_shape(%p: tensor<3x4xf32>, %seed: i64, %offset: i64) -> tensor<3x4xi1> {
  // CHECK: dtensor.bernoulli %arg0, %arg1, %arg2 : (tensor<3x4xf32>, i64, i64) -> tensor<3x4xi1>
  %y = dtensor.bernoulli %p, %seed, %offset : (tensor<3x4xf32>, i64, i64) -> tensor<3x4xi1>
  return %y : tensor<3x4xi1>
}

// CHECK-LABEL: @dropout_of_static_shape
func.func @dropout_of_static_shape(%x: tensor<3x4xf32>, %seed: i64, %offset: i64) -> (tensor<3x4xf32>, tensor<3x4xi1>) {
  // CHECK: dtensor.dropout %arg0, %arg1, %arg2{{.*}} : (tensor<3x4xf32>, i64, i64) -> (tensor<3x4xf32>, tensor<3x4xi1>)
  %y, %kept = dtensor.dropout %x, %seed, %offset {p = 0.1} : (tensor<3x4xf32>, i64, i64) -> (tensor<3x4xf32>, tensor<3x4xi1>)
  return %y, %kept : tensor<3x4xf32>, tensor<3x4xi1>
}

// CHECK-LABEL: @rand_of_static_shape
func.func @rand_of_static_shape(%seed: i64, %offset: tensor<i64>) -> tensor<3x4xf32> {
  // CHECK: dtensor.rand %arg0, %arg1{{.*}} : (i64, tensor<i64>) -> tensor<3x4xf32>
  %y = dtensor.rand %seed, %offset {sizes = [3, 4]} : (i64, tensor<i64>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @randn_of_static_shape
func.func @randn_of_static_shape(%seed: i64, %offset: tensor<i64>) -> tensor<3x4xf32> {
  // CHECK: dtensor.randn %arg0, %arg1{{.*}} : (i64, tensor<i64>) -> tensor<3x4xf32>
  %y = dtensor.randn %seed, %offset {sizes = [3, 4]} : (i64, tensor<i64>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}
