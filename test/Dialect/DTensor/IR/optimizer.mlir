// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s
// Steps of optimizers on symbolic and static shapes.

// CHECK-LABEL: @adam_step_of_dynamic_shape
func.func @adam_step_of_dynamic_shape(%lr: f32, %t: tensor<f32>, %p0: tensor<?x4xf32>, %g0: tensor<?x4xf32>, %m0: tensor<?x4xf32>, %v0: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) {
  // CHECK: dtensor.adam_step lr(%arg0) step(%arg1) params(%arg2) grads(%arg3) means(%arg4) squares(%arg5){{.*}} : (f32, tensor<f32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>)
  %p, %m, %v = dtensor.adam_step lr(%lr) step(%t) params(%p0) grads(%g0) means(%m0) squares(%v0) {weight_decay = 0.01} : (f32, tensor<f32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>)
  return %p, %m, %v : tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
}

// CHECK-LABEL: @adamw_step_of_dynamic_shape
func.func @adamw_step_of_dynamic_shape(%lr: f32, %t: tensor<f32>, %p0: tensor<?x4xf32>, %g0: tensor<?x4xf32>, %m0: tensor<?x4xf32>, %v0: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) {
  // CHECK: dtensor.adamw_step lr(%arg0) step(%arg1) params(%arg2) grads(%arg3) means(%arg4) squares(%arg5){{.*}} : (f32, tensor<f32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>)
  %p, %m, %v = dtensor.adamw_step lr(%lr) step(%t) params(%p0) grads(%g0) means(%m0) squares(%v0) {weight_decay = 0.01} : (f32, tensor<f32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>)
  return %p, %m, %v : tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
}

// CHECK-LABEL: @sgd_step_of_dynamic_shape
func.func @sgd_step_of_dynamic_shape(%lr: f32, %p0: tensor<?x4xf32>, %g0: tensor<?x4xf32>, %m0: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  // CHECK: dtensor.sgd_step lr(%arg0) params(%arg1) grads(%arg2) momenta(%arg3){{.*}} : (f32, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>)
  %p, %m = dtensor.sgd_step lr(%lr) params(%p0) grads(%g0) momenta(%m0) {momentum = 0.9} : (f32, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>)
  return %p, %m : tensor<?x4xf32>, tensor<?x4xf32>
}

// CHECK-LABEL: @adam_step_of_static_shape
func.func @adam_step_of_static_shape(%lr: f32, %t: tensor<f32>, %p0: tensor<3x4xf32>, %g0: tensor<3x4xf32>, %m0: tensor<3x4xf32>, %v0: tensor<3x4xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>) {
  // CHECK: dtensor.adam_step lr(%arg0) step(%arg1) params(%arg2) grads(%arg3) means(%arg4) squares(%arg5){{.*}} : (f32, tensor<f32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>)
  %p, %m, %v = dtensor.adam_step lr(%lr) step(%t) params(%p0) grads(%g0) means(%m0) squares(%v0) {weight_decay = 0.01} : (f32, tensor<f32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>)
  return %p, %m, %v : tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>
}

// CHECK-LABEL: @adamw_step_of_static_shape
func.func @adamw_step_of_static_shape(%lr: f32, %t: tensor<f32>, %p0: tensor<3x4xf32>, %g0: tensor<3x4xf32>, %m0: tensor<3x4xf32>, %v0: tensor<3x4xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>) {
  // CHECK: dtensor.adamw_step lr(%arg0) step(%arg1) params(%arg2) grads(%arg3) means(%arg4) squares(%arg5){{.*}} : (f32, tensor<f32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>)
  %p, %m, %v = dtensor.adamw_step lr(%lr) step(%t) params(%p0) grads(%g0) means(%m0) squares(%v0) {weight_decay = 0.01} : (f32, tensor<f32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>)
  return %p, %m, %v : tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>
}

// CHECK-LABEL: @sgd_step_of_static_shape
func.func @sgd_step_of_static_shape(%lr: f32, %p0: tensor<3x4xf32>, %g0: tensor<3x4xf32>, %m0: tensor<3x4xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>) {
  // CHECK: dtensor.sgd_step lr(%arg0) params(%arg1) grads(%arg2) momenta(%arg3){{.*}} : (f32, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>)
  %p, %m = dtensor.sgd_step lr(%lr) params(%p0) grads(%g0) momenta(%m0) {momentum = 0.9} : (f32, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>)
  return %p, %m : tensor<3x4xf32>, tensor<3x4xf32>
}
