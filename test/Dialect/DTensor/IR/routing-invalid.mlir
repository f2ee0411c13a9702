// RUN: dtensor-opt %s --verify-diagnostics --split-input-file

func.func @a_choice_is_an_integer(%e: tensor<3x2xf32>) {
  // expected-error @+1 {{experts have element type 'f32', expected integers}}
  %0 = dtensor.route_slots %e {count = 4, capacity = 3} : (tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @there_is_an_expert(%e: tensor<3x2xi64>) {
  // expected-error @+1 {{count is 0, expected at least 1}}
  %0 = dtensor.route_slots %e {count = 0, capacity = 3} : (tensor<3x2xi64>) -> tensor<3x2xi64>
  return
}

// -----

func.func @a_capacity_is_no_less_than_nothing(%e: tensor<3x2xi64>) {
  // expected-error @+1 {{capacity -3 is negative}}
  %0 = dtensor.route_slots %e {count = 4, capacity = -3} : (tensor<3x2xi64>) -> tensor<3x2xi64>
  return
}

// -----

func.func @a_token_has_a_list_of_choices(%e: tensor<3xi64>) {
  // expected-error @+1 {{experts has rank 1, expected at least 2}}
  %0 = dtensor.route_slots %e {count = 4, capacity = 3} : (tensor<3xi64>) -> tensor<3xi64>
  return
}

// -----

func.func @a_slot_is_for_a_token(%x: tensor<3x8xf32>, %s: tensor<4x2xi64>) {
  // expected-error @+1 {{slots dimension 0 has extent 4, expected 3}}
  %0 = dtensor.dispatch %x, %s {count = 4, capacity = 3} : (tensor<3x8xf32>, tensor<4x2xi64>) -> tensor<4x3x8xf32>
  return
}

// -----

func.func @a_slot_is_an_integer(%x: tensor<3x8xf32>, %s: tensor<3x2xf32>) {
  // expected-error @+1 {{slots have element type 'f32', expected integers}}
  %0 = dtensor.dispatch %x, %s {count = 4, capacity = 3} : (tensor<3x8xf32>, tensor<3x2xf32>) -> tensor<4x3x8xf32>
  return
}

// -----

func.func @tokens_keep_their_type(%x: tensor<3x8xf32>, %s: tensor<3x2xi64>) {
  // expected-error @+1 {{operand has element type 'f32' and result 'f64'}}
  %0 = dtensor.dispatch %x, %s {count = 4, capacity = 3} : (tensor<3x8xf32>, tensor<3x2xi64>) -> tensor<4x3x8xf64>
  return
}

// -----

func.func @a_weight_is_for_a_slot(%b: tensor<4x3x8xf32>, %s: tensor<3x2xi64>, %w: tensor<3x1xf32>) {
  // expected-error @+1 {{weights dimension 1 has extent 1, expected 2}}
  %0 = dtensor.combine %b, %s, %w : (tensor<4x3x8xf32>, tensor<3x2xi64>, tensor<3x1xf32>) -> tensor<3x8xf32>
  return
}

// -----

func.func @integers_have_no_weights(%b: tensor<4x3x8xi32>, %s: tensor<3x2xi64>, %w: tensor<3x2xi32>) {
  // expected-error @+1 {{is not defined on element type 'i32'}}
  %0 = dtensor.combine %b, %s, %w : (tensor<4x3x8xi32>, tensor<3x2xi64>, tensor<3x2xi32>) -> tensor<3x8xi32>
  return
}

// -----

func.func @each_expert_has_a_matrix(%b: tensor<4x3x8xf32>, %w: tensor<5x8x2xf32>) {
  // expected-error @+1 {{rhs dimension 0 has extent 5, expected 4}}
  %0 = dtensor.grouped_matmul %b, %w : (tensor<4x3x8xf32>, tensor<5x8x2xf32>) -> tensor<4x3x2xf32>
  return
}

// -----

func.func @matrices_are_three_dimensional(%b: tensor<4x3x8xf32>, %w: tensor<8x2xf32>) {
  // expected-error @+1 {{rhs has rank 2, expected 3}}
  %0 = dtensor.grouped_matmul %b, %w : (tensor<4x3x8xf32>, tensor<8x2xf32>) -> tensor<4x3x2xf32>
  return
}
