// RUN: dtensor-opt %s -split-input-file -verify-diagnostics

func.func @a_reduction_is_one_of_three(%g: tensor<f32>, %x: tensor<?xf32>) {
  // expected-error @+1 {{reduction is "max", expected one of none, mean, sum}}
  %0 = dtensor.mse_loss_backward %g, %x, %x {reduction = "max"} : (tensor<f32>, tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @one_loss_has_one_gradient(%x: tensor<?xf32>) {
  // expected-error @+1 {{gradient has rank 1, expected 0}}
  %0 = dtensor.l1_loss_backward %x, %x, %x : (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @each_loss_has_its_gradient(%g: tensor<4xf32>, %x: tensor<3xf32>) {
  // expected-error @+1 {{gradient dimension 0 has extent 4, expected 3}}
  %0 = dtensor.huber_loss_backward %g, %x, %x {reduction = "none"} : (tensor<4xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @predictions_and_targets_have_one_shape(%g: tensor<f32>, %x: tensor<3xf32>, %t: tensor<3x3xf32>) {
  // expected-error @+1 {{operands have ranks 1 and 2}}
  %0 = dtensor.bce_loss_backward %g, %x, %t : (tensor<f32>, tensor<3xf32>, tensor<3x3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @a_target_is_not_stretched(%g: tensor<f32>, %x: tensor<3xf32>, %t: tensor<1xf32>) {
  // expected-error @+1 {{an operand's dimension 0 has extent 1, expected 3}}
  %0 = dtensor.kl_div_loss_backward %g, %x, %t : (tensor<f32>, tensor<3xf32>, tensor<1xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @a_loss_is_a_float(%g: tensor<i32>, %x: tensor<?xi32>) {
  // expected-error @+1 {{is not defined on element type 'i32'}}
  %0 = dtensor.smooth_l1_loss_backward %g, %x, %x : (tensor<i32>, tensor<?xi32>, tensor<?xi32>) -> tensor<?xi32>
  return
}

// -----

func.func @a_gradient_has_the_type_of_its_loss(%g: tensor<f64>, %x: tensor<?x?xf32>, %t: tensor<?xi64>) {
  // expected-error @+1 {{gradient has element type 'f64' and result 'f32'}}
  %0 = dtensor.nll_loss_backward %g, %x, %t : (tensor<f64>, tensor<?x?xf32>, tensor<?xi64>) -> tensor<?x?xf32>
  return
}

// -----

func.func @targets_have_one_dimension_less(%g: tensor<f32>, %x: tensor<?x?xf32>, %t: tensor<?x?xi64>) {
  // expected-error @+1 {{input has rank 2 and target 2, expected one more}}
  %0 = dtensor.cross_entropy_backward %g, %x, %t : (tensor<f32>, tensor<?x?xf32>, tensor<?x?xi64>) -> tensor<?x?xf32>
  return
}

// -----

func.func @a_target_is_an_index(%g: tensor<f32>, %x: tensor<?x?xf32>, %t: tensor<?xf32>) {
  // expected-error @+1 {{target has element type 'f32', expected integers}}
  %0 = dtensor.nll_loss_backward %g, %x, %t : (tensor<f32>, tensor<?x?xf32>, tensor<?xf32>) -> tensor<?x?xf32>
  return
}
