// RUN: dtensor-opt %s -split-input-file -verify-diagnostics

func.func @a_reduction_is_one_of_three(%x: tensor<?xf32>) {
  // expected-error @+1 {{reduction is "max", expected one of none, mean, sum}}
  %0 = dtensor.mse_loss %x, %x {reduction = "max"} : (tensor<?xf32>, tensor<?xf32>) -> tensor<f32>
  return
}

// -----

func.func @a_loss_is_a_float(%x: tensor<?xi32>) {
  // expected-error @+1 {{is not defined on element type 'i32'}}
  %0 = dtensor.l1_loss %x, %x : (tensor<?xi32>, tensor<?xi32>) -> tensor<i32>
  return
}

// -----

func.func @a_mean_is_one_number(%x: tensor<?xf32>) {
  // expected-error @+1 {{result has rank 1, expected 0}}
  %0 = dtensor.mse_loss %x, %x : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @targets_have_one_dimension_less(%x: tensor<?x?xf32>, %t: tensor<?x?xi64>) {
  // expected-error @+1 {{input has rank 2 and target 2, expected one more}}
  %0 = dtensor.cross_entropy %x, %t : (tensor<?x?xf32>, tensor<?x?xi64>) -> tensor<f32>
  return
}

// -----

func.func @there_is_one_target_per_row(%x: tensor<3x8xf32>, %t: tensor<4xi64>) {
  // expected-error @+1 {{target dimension 0 has extent 4, expected 3}}
  %0 = dtensor.nll_loss %x, %t : (tensor<3x8xf32>, tensor<4xi64>) -> tensor<f32>
  return
}

// -----

func.func @there_is_one_weight_per_class(%x: tensor<3x8xf32>, %t: tensor<3xi64>, %w: tensor<3xf32>) {
  // expected-error @+1 {{weight dimension 0 has extent 3, expected 8}}
  %0 = dtensor.nll_loss %x, %t, %w : (tensor<3x8xf32>, tensor<3xi64>, tensor<3xf32>) -> tensor<f32>
  return
}

// -----

func.func @weights_are_one_list(%x: tensor<?x?xf32>, %t: tensor<?xi64>) {
  // expected-error @+1 {{weight has rank 2, expected 1}}
  %0 = dtensor.nll_loss %x, %t, %x : (tensor<?x?xf32>, tensor<?xi64>, tensor<?x?xf32>) -> tensor<f32>
  return
}

// -----

func.func @a_target_is_an_index(%x: tensor<?x?xf32>, %t: tensor<?xf32>) {
  // expected-error @+1 {{target has element type 'f32', expected integers}}
  %0 = dtensor.cross_entropy %x, %t : (tensor<?x?xf32>, tensor<?xf32>) -> tensor<f32>
  return
}
