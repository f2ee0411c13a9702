// RUN: dtensor-opt %s -split-input-file -verify-diagnostics

func.func @a_step_has_parameters(%lr: f32) {
  // expected-error @+1 {{has no parameters}}
  "dtensor.sgd_step"(%lr) {operandSegmentSizes = array<i32: 1, 0, 0, 0>} : (f32) -> ()
  return
}

// -----

func.func @each_parameter_has_a_gradient(%lr: f32, %p: tensor<3xf32>) {
  // expected-error @+1 {{has 2 parameters and a list of 1 tensors}}
  %0:2 = dtensor.sgd_step lr(%lr) params(%p, %p) grads(%p) : (f32, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>)
  return
}

// -----

func.func @each_parameter_has_a_momentum(%lr: f32, %p: tensor<3xf32>) {
  // expected-error @+1 {{has 2 parameters and a list of 1 tensors}}
  %0:3 = dtensor.sgd_step lr(%lr) params(%p, %p) grads(%p, %p) momenta(%p) : (f32, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>)
  return
}

// -----

func.func @each_state_has_a_result(%lr: f32, %p: tensor<3xf32>) {
  // expected-error @+1 {{has 1 results, expected 2}}
  %0 = dtensor.sgd_step lr(%lr) params(%p) grads(%p) momenta(%p) : (f32, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @a_rate_is_one_number(%lr: tensor<1xf32>, %p: tensor<3xf32>) {
  // expected-error @+1 {{lr has type 'tensor<1xf32>', expected one number}}
  %0 = dtensor.sgd_step lr(%lr) params(%p) grads(%p) : (tensor<1xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @a_step_is_one_number(%lr: f32, %t: i1, %p: tensor<3xf32>) {
  // expected-error @+1 {{step has type 'i1', expected one number}}
  %0:3 = dtensor.adam_step lr(%lr) step(%t) params(%p) grads(%p) means(%p) squares(%p) : (f32, i1, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>)
  return
}

// -----

func.func @a_gradient_has_the_shape_of_its_parameter(%lr: f32, %p: tensor<3xf32>, %g: tensor<4xf32>) {
  // expected-error @+1 {{a tensor of parameter 0, dimension 0, has extent 4, expected 3}}
  %0 = dtensor.sgd_step lr(%lr) params(%p) grads(%g) : (f32, tensor<3xf32>, tensor<4xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @a_state_has_the_rank_of_its_parameter(%lr: f32, %p: tensor<3xf32>, %m: tensor<3x3xf32>) {
  // expected-error @+1 {{parameter 0 has rank 1, but a tensor of it has 2}}
  %0:3 = dtensor.adamw_step lr(%lr) step(%lr) params(%p) grads(%p) means(%m) squares(%p) : (f32, f32, tensor<3xf32>, tensor<3xf32>, tensor<3x3xf32>, tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>)
  return
}

// -----

func.func @a_parameter_is_a_float(%lr: f32, %p: tensor<3xi32>) {
  // expected-error @+1 {{is not defined on element type 'i32'}}
  %0 = dtensor.sgd_step lr(%lr) params(%p) grads(%p) : (f32, tensor<3xi32>, tensor<3xi32>) -> tensor<3xi32>
  return
}

// -----

func.func @a_parameter_keeps_its_type(%lr: f32, %p: tensor<3xf32>) {
  // expected-error @+1 {{parameter 0 has element type 'f32' and its result 'f64'}}
  %0 = dtensor.sgd_step lr(%lr) params(%p) grads(%p) : (f32, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf64>
  return
}

// -----

func.func @a_state_keeps_its_type(%lr: f32, %p: tensor<3xf32>) {
  // expected-error @+1 {{a state has element type 'f32' and its result 'f64'}}
  %0:2 = dtensor.sgd_step lr(%lr) params(%p) grads(%p) momenta(%p) : (f32, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf64>)
  return
}
