// RUN: dtensor-opt %s --verify-diagnostics --split-input-file

func.func @channels_are_the_second_dimension(%x: tensor<6xf32>) {
  // expected-error @+1 {{input has rank 1, expected at least 2}}
  %0 = dtensor.group_norm %x {groups = 2} : (tensor<6xf32>) -> tensor<6xf32>
  return
}

// -----

func.func @there_is_a_group(%x: tensor<3x6x5xf32>) {
  // expected-error @+1 {{groups is 0, expected at least 1}}
  %0 = dtensor.group_norm %x {groups = 0} : (tensor<3x6x5xf32>) -> tensor<3x6x5xf32>
  return
}

// -----

func.func @groups_are_equal(%x: tensor<3x6x5xf32>) {
  // expected-error @+1 {{input has 6 channels, not a multiple of 4}}
  %0 = dtensor.group_norm %x {groups = 4} : (tensor<3x6x5xf32>) -> tensor<3x6x5xf32>
  return
}

// -----

func.func @a_weight_is_for_a_channel(%x: tensor<3x6x5xf32>, %w: tensor<5xf32>) {
  // expected-error @+1 {{operand 1 dimension 0 has extent 5, expected 6}}
  %0 = dtensor.group_norm %x, %w {groups = 2} : (tensor<3x6x5xf32>, tensor<5xf32>) -> tensor<3x6x5xf32>
  return
}

// -----

func.func @nothing_is_added_twice(%x: tensor<3x6x5xf32>, %w: tensor<6xf32>) {
  // expected-error @+1 {{has 4 operands, expected 1 to 3}}
  %0 = dtensor.group_norm %x, %w, %w, %w {groups = 2} : (tensor<3x6x5xf32>, tensor<6xf32>, tensor<6xf32>, tensor<6xf32>) -> tensor<3x6x5xf32>
  return
}

// -----

func.func @integers_have_no_norm(%x: tensor<3x6xi32>) {
  // expected-error @+1 {{is not defined on element type 'i32'}}
  %0 = dtensor.group_norm %x {groups = 2} : (tensor<3x6xi32>) -> tensor<3x6xi32>
  return
}

// -----

func.func @running_statistics_are_two(%x: tensor<3x6xf32>, %m: tensor<6xf32>) {
  // expected-error @+1 {{has 2 operands, expected 3 to 5}}
  %0, %1, %2, %3, %4 = dtensor.native_batch_norm %x, %m {momentum = 0.1} : (tensor<3x6xf32>, tensor<6xf32>) -> (tensor<3x6xf32>, tensor<6xf32>, tensor<6xf32>, tensor<6xf32>, tensor<6xf32>)
  return
}

// -----

func.func @running_statistics_come_back(%x: tensor<3x6xf32>, %m: tensor<6xf32>) {
  // expected-error @+1 {{has 3 results, expected 5}}
  %0, %1, %2 = dtensor.native_batch_norm %x, %m, %m {momentum = 0.1} : (tensor<3x6xf32>, tensor<6xf32>, tensor<6xf32>) -> (tensor<3x6xf32>, tensor<6xf32>, tensor<6xf32>)
  return
}

// -----

func.func @statistics_are_exact(%x: tensor<3x6xbf16>, %m: tensor<6xbf16>) {
  // expected-error @+1 {{a statistic has element type 'bf16', expected 'f32'}}
  %0 = dtensor.batch_norm %x, %m, %m : (tensor<3x6xbf16>, tensor<6xbf16>, tensor<6xbf16>) -> tensor<3x6xbf16>
  return
}

// -----

func.func @weights_have_the_type_of_the_input(%x: tensor<3x6xf32>, %w: tensor<6xf64>) {
  // expected-error @+1 {{operand has element type 'f64' and result 'f32'}}
  %0, %1, %2 = dtensor.native_batch_norm %x, %w : (tensor<3x6xf32>, tensor<6xf64>) -> (tensor<3x6xf32>, tensor<6xf32>, tensor<6xf32>)
  return
}

// -----

func.func @a_gradient_has_the_shape_of_the_input(%x: tensor<3x6xf32>, %g: tensor<3x5xf32>, %m: tensor<6xf32>) {
  // expected-error @+1 {{operand 0 dimension 1 has extent 5, expected 6}}
  %0 = dtensor.batch_norm_backward %g, %x, %m, %m : (tensor<3x5xf32>, tensor<3x6xf32>, tensor<6xf32>, tensor<6xf32>) -> tensor<3x6xf32>
  return
}
