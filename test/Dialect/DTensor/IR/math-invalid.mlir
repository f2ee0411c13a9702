// RUN: dtensor-opt %s -split-input-file -verify-diagnostics

func.func @a_question_is_answered_in_i1(%x: tensor<?xf32>) {
  // expected-error @+1 {{result has element type 'f32', expected 'i1'}}
  %0 = dtensor.isnan %x : (tensor<?xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @integers_are_never_nan(%x: tensor<?xi32>) {
  // expected-error @+1 {{is not defined on element type 'i32'}}
  %0 = dtensor.isnan %x : (tensor<?xi32>) -> tensor<?xi1>
  return
}

// -----

func.func @floats_have_no_bits(%x: tensor<?xf32>) {
  // expected-error @+1 {{is not defined on element type 'f32'}}
  %0 = dtensor.bitwise_and %x, %x : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @a_truth_value_is_not_shifted(%x: tensor<?xi1>) {
  // expected-error @+1 {{is not defined on element type 'i1'}}
  %0 = dtensor.shift_left %x, %x : (tensor<?xi1>, tensor<?xi1>) -> tensor<?xi1>
  return
}

// -----

func.func @a_mask_is_i1(%x: tensor<?xf32>, %m: tensor<?xi8>, %v: f32) {
  // expected-error @+1 {{operand 1 has element type 'i8', expected 'i1'}}
  %0 = dtensor.masked_fill %x, %m, %v : (tensor<?xf32>, tensor<?xi8>, f32) -> tensor<?xf32>
  return
}

// -----

func.func @an_activation_is_of_floats(%x: tensor<3xi32>) {
  // expected-error @+1 {{is not defined on element type 'i32'}}
  %0 = dtensor.elu %x : (tensor<3xi32>) -> tensor<3xi32>
  return
}

// -----

func.func @bounds_have_the_shape(%x: tensor<3xf32>, %l: tensor<4xf32>) {
  // expected-error @+1 {{operand 1 dimension 0 has extent 4, expected 3}}
  %0 = dtensor.clamp %x, %l, %l : (tensor<3xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<3xf32>
  return
}
