// RUN: dtensor-opt %s --verify-diagnostics --split-input-file

func.func @buffers_have_experts(%g: tensor<3x8xf32>, %s: tensor<6x2xi64>) {
  // expected-error @+1 {{grad has rank 2, expected at least 3}}
  %0 = dtensor.dispatch_backward %g, %s : (tensor<3x8xf32>, tensor<6x2xi64>) -> tensor<6x8xf32>
  return
}

// -----

func.func @slots_are_integers(%g: tensor<4x3x8xf32>, %s: tensor<6x2xf32>) {
  // expected-error @+1 {{slots have element type 'f32', expected integers}}
  %0 = dtensor.dispatch_backward %g, %s : (tensor<4x3x8xf32>, tensor<6x2xf32>) -> tensor<6x8xf32>
  return
}

// -----

func.func @slots_have_the_rank_of_tokens(%g: tensor<4x3x8xf32>, %s: tensor<6xi64>) {
  // expected-error @+1 {{slots has rank 1, expected 2}}
  %0 = dtensor.dispatch_backward %g, %s : (tensor<4x3x8xf32>, tensor<6xi64>) -> tensor<6x8xf32>
  return
}

// -----

func.func @integers_have_no_gradient(%g: tensor<4x3x8xi32>, %s: tensor<6x2xi64>) {
  // expected-error @+1 {{is not defined on element type 'i32'}}
  %0 = dtensor.dispatch_backward %g, %s : (tensor<4x3x8xi32>, tensor<6x2xi64>) -> tensor<6x8xi32>
  return
}

// -----

func.func @rows_have_one_length(%g: tensor<4x3x8xf32>, %s: tensor<6x2xi64>, %x: tensor<6x8xf32>, %w: tensor<6x2xf32>, %y: tensor<6x7xf32>) {
  // expected-error @+1 {{buffers dimension 2 has extent 8, expected 7}}
  %0, %1 = dtensor.combine_backward %y, %g, %s, %w : (tensor<6x7xf32>, tensor<4x3x8xf32>, tensor<6x2xi64>, tensor<6x2xf32>) -> (tensor<4x3x8xf32>, tensor<6x2xf32>)
  return
}

// -----

func.func @every_token_has_slots(%g: tensor<4x3x8xf32>, %s: tensor<6x2xi64>, %x: tensor<6x8xf32>, %w: tensor<6x2xf32>, %y: tensor<5x8xf32>) {
  // expected-error @+1 {{slots dimension 0 has extent 6, expected 5}}
  %0, %1 = dtensor.combine_backward %y, %g, %s, %w : (tensor<5x8xf32>, tensor<4x3x8xf32>, tensor<6x2xi64>, tensor<6x2xf32>) -> (tensor<4x3x8xf32>, tensor<6x2xf32>)
  return
}

// -----

func.func @weights_have_the_type_of_rows(%g: tensor<4x3x8xf32>, %s: tensor<6x2xi64>, %x: tensor<6x8xf32>, %w: tensor<6x2xf32>, %v: tensor<6x2xf64>) {
  // expected-error @+1 {{operand has element type 'f64' and result 'f32'}}
  %0, %1 = dtensor.combine_backward %x, %g, %s, %v : (tensor<6x8xf32>, tensor<4x3x8xf32>, tensor<6x2xi64>, tensor<6x2xf64>) -> (tensor<4x3x8xf32>, tensor<6x2xf64>)
  return
}

// -----

func.func @experts_have_one_number(%g: tensor<4x3x2xf32>, %l: tensor<4x3x8xf32>, %r: tensor<5x8x2xf32>) {
  // expected-error @+1 {{rhs dimension 0 has extent 5, expected 4}}
  %0, %1 = dtensor.grouped_matmul_backward %g, %l, %r : (tensor<4x3x2xf32>, tensor<4x3x8xf32>, tensor<5x8x2xf32>) -> (tensor<4x3x8xf32>, tensor<5x8x2xf32>)
  return
}
