// RUN: dtensor-opt %s -split-input-file -verify-diagnostics

func.func @integers_have_no_variance(%x: tensor<?xi32>) {
  // expected-error @+1 {{is not defined on element type 'i32'}}
  %0 = dtensor.var %x {dims = [0]} : (tensor<?xi32>) -> tensor<i32>
  return
}

// -----

func.func @a_norm_has_the_element_type(%x: tensor<?xf32>) {
  // expected-error @+1 {{operand has element type 'f32' and result 'f64'}}
  %0 = dtensor.norm %x {dims = [0]} : (tensor<?xf32>) -> tensor<f64>
  return
}

// -----

func.func @an_order_is_a_number(%x: tensor<?xf32>) {
  // expected-error @+1 {{ord is NaN}}
  %0 = dtensor.norm %x {dims = [0], ord = 0x7FF8000000000000 : f64} : (tensor<?xf32>) -> tensor<f32>
  return
}

// -----

func.func @a_dimension_exists(%x: tensor<?x?xf32>) {
  // expected-error @+1 {{dim 2 is out of range for rank 2}}
  %0 = dtensor.logsumexp %x {dims = [2]} : (tensor<?x?xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @a_dimension_is_reduced_once(%x: tensor<?x?xf32>) {
  // expected-error @+1 {{dim 1 is given twice}}
  %0 = dtensor.std %x {dims = [1, 1]} : (tensor<?x?xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @the_mean_has_the_reduced_shape(%x: tensor<3x4xf32>) {
  // expected-error @+1 {{result 1 dimension 0 has extent 4, expected 3}}
  %0, %1 = dtensor.var_mean %x {dims = [1]} : (tensor<3x4xf32>) -> (tensor<3xf32>, tensor<4xf32>)
  return
}

// -----

func.func @a_position_is_an_integer(%x: tensor<?xf32>) {
  // expected-error @+1 {{result has element type 'f32', expected integers}}
  %0 = dtensor.argmax %x {dim = 0} : (tensor<?xf32>) -> tensor<f32>
  return
}

// -----

func.func @a_position_is_along_a_dimension(%x: tensor<?xf32>) {
  // expected-error @+1 {{dim 1 is out of range for rank 1}}
  %0 = dtensor.argmin %x {dim = 1} : (tensor<?xf32>) -> tensor<i64>
  return
}

// -----

func.func @truth_is_i1(%x: tensor<?xf32>) {
  // expected-error @+1 {{needs a result of i1, operand has 'f32', result 'f32'}}
  %0 = dtensor.any %x {dims = [0]} : (tensor<?xf32>) -> tensor<f32>
  return
}

// -----

func.func @a_count_is_an_integer(%x: tensor<?xf32>) {
  // expected-error @+1 {{needs an integer result, operand has 'f32', result 'i1'}}
  %0 = dtensor.count_nonzero %x {dims = [0]} : (tensor<?xf32>) -> tensor<i1>
  return
}
