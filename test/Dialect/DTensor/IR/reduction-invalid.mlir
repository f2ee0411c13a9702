// RUN: dtensor-opt %s -split-input-file -verify-diagnostics

func.func @dims_are_below_the_rank(%x: tensor<?x4xf32>) {
  // expected-error @+1 {{dim 2 is out of range for rank 2}}
  %0 = dtensor.sum %x {dims = [2]} : (tensor<?x4xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @dims_are_not_negative(%x: tensor<?x4xf32>) {
  // expected-error @+1 {{dim -1 is out of range for rank 2}}
  %0 = dtensor.sum %x {dims = [-1]} : (tensor<?x4xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @dims_are_unique(%x: tensor<?x4xf32>) {
  // expected-error @+1 {{dim 1 is given twice}}
  %0 = dtensor.sum %x {dims = [1, 1]} : (tensor<?x4xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @keepdim_keeps_the_rank(%x: tensor<?x4xf32>) {
  // expected-error @+1 {{result has rank 1, expected 2}}
  %0 = dtensor.amax %x {dims = [1], keepdim} : (tensor<?x4xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @the_rest_of_the_extents_stays(%x: tensor<3x4xf32>) {
  // expected-error @+1 {{result dimension 0 has extent 4, expected 3}}
  %0 = dtensor.amax %x {dims = [1]} : (tensor<3x4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @a_mean_needs_floats(%x: tensor<?xi32>) {
  // expected-error @+1 {{needs floats, operand has 'i32', result 'i32'}}
  %0 = dtensor.mean %x {dims = [0]} : (tensor<?xi32>) -> tensor<i32>
  return
}

// -----

func.func @an_extremum_keeps_its_type(%x: tensor<?xi32>) {
  // expected-error @+1 {{needs one element type, operand has 'i32', result 'i64'}}
  %0 = dtensor.amax %x {dims = [0]} : (tensor<?xi32>) -> tensor<i64>
  return
}

// -----

func.func @a_sum_is_not_narrowed(%x: tensor<?xf32>) {
  // expected-error @+1 {{cannot accumulate in the result's element type, operand has 'f32', result 'bf16'}}
  %0 = dtensor.sum %x {dims = [0]} : (tensor<?xf32>) -> tensor<bf16>
  return
}

// -----

func.func @truth_values_have_no_sum(%x: tensor<?xi1>) {
  // expected-error @+1 {{is not defined on i1}}
  %0 = dtensor.sum %x {dims = [0]} : (tensor<?xi1>) -> tensor<i1>
  return
}
