// RUN: dtensor-opt %s --split-input-file --verify-diagnostics --allow-unregistered-dialect --dtensor-import-shardy

func.func @an_unknown_op(%x: tensor<8xf32>) -> tensor<8xf32> {
  // expected-error @below {{'stablehlo.fft' op is not among the ops of StableHLO that are known, on elements 'f32'}}
  %0 = "stablehlo.fft"(%x) : (tensor<8xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// -----

// x / 0 is another number there.
func.func @a_division_of_integers(%x: tensor<8xi32>) -> tensor<8xi32> {
  // expected-error @below {{'stablehlo.divide' op is not among the ops of StableHLO that are known, on elements 'i32'}}
  %0 = "stablehlo.divide"(%x, %x) : (tensor<8xi32>, tensor<8xi32>) -> tensor<8xi32>
  return %0 : tensor<8xi32>
}

// -----

func.func @two_results(%x: tensor<8xf32>) {
  // expected-error @below {{'stablehlo.abs' op has 2 results, expected 1}}
  %0:2 = "stablehlo.abs"(%x) : (tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>)
  return
}

// -----

func.func @no_value() {
  // expected-error @below {{'stablehlo.constant' op has no value of its type}}
  %0 = "stablehlo.constant"() <{value = dense<0.0> : tensor<f32>}> : () -> tensor<8xf32>
  return
}

// -----

func.func @no_iota_dimension() {
  // expected-error @below {{'stablehlo.iota' op has no iota_dimension}}
  %0 = "stablehlo.iota"() : () -> tensor<8xi32>
  return
}

// -----

func.func @an_unknown_comparison(%x: tensor<8xf32>) {
  // expected-error @below {{'stablehlo.compare' op has comparison_direction #stablehlo<comparison_direction XX>}}
  %0 = "stablehlo.compare"(%x, %x) <{comparison_direction = #stablehlo<comparison_direction XX>}> : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xi1>
  return
}

// -----

func.func @no_operand() {
  // expected-error @below {{'stablehlo.reshape' op expected 1 operands and a result, ranked tensors all}}
  %0 = "stablehlo.reshape"() : () -> tensor<8xf32>
  return
}

// -----

func.func @no_permutation(%x: tensor<8xf32>) {
  // expected-error @below {{'stablehlo.transpose' op has no permutation}}
  %0 = "stablehlo.transpose"(%x) : (tensor<8xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @dimensions_out_of_order(%x: tensor<4x8xf32>) {
  // expected-error @below {{'stablehlo.broadcast_in_dim' op has broadcast_dimensions that are not in order, or not 2}}
  %0 = "stablehlo.broadcast_in_dim"(%x) <{broadcast_dimensions = array<i64: 1, 0>}> : (tensor<4x8xf32>) -> tensor<8x4xf32>
  return
}

// -----

func.func @a_dimension_beyond_the_rank(%x: tensor<4x8xf32>) {
  // expected-error @below {{'stablehlo.dot_general' op has dimension numbers that do not fit its operands}}
  %0 = "stablehlo.dot_general"(%x, %x) <{dot_dimension_numbers = #stablehlo.dot<lhs_contracting_dimensions = [2], rhs_contracting_dimensions = [1]>}> : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @another_start(%x: tensor<8xf32>) -> tensor<f32> {
  %one = "stablehlo.constant"() <{value = dense<1.0> : tensor<f32>}> : () -> tensor<f32>
  // expected-error @below {{'stablehlo.reduce' op starts result 0 from another value than the neutral element of sum}}
  %0 = "stablehlo.reduce"(%x, %one) <{dimensions = array<i64: 0>}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %1 = "stablehlo.add"(%a, %b) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%1) : (tensor<f32>) -> ()
  }) : (tensor<8xf32>, tensor<f32>) -> tensor<f32>
  return %0 : tensor<f32>
}

// -----

func.func @another_combination(%x: tensor<8xf32>) -> tensor<f32> {
  %zero = "stablehlo.constant"() <{value = dense<0.0> : tensor<f32>}> : () -> tensor<f32>
  // expected-error @below {{'stablehlo.reduce' op combines result 0 by another op than add, multiply, maximum, minimum, and or or}}
  %0 = "stablehlo.reduce"(%x, %zero) <{dimensions = array<i64: 0>}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %1 = "stablehlo.subtract"(%a, %b) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%1) : (tensor<f32>) -> ()
  }) : (tensor<8xf32>, tensor<f32>) -> tensor<f32>
  return %0 : tensor<f32>
}

// -----

func.func @no_region(%x: tensor<8xf32>) -> tensor<f32> {
  // expected-error @below {{'stablehlo.reduce' op has no dimensions, or no region}}
  %0 = "stablehlo.reduce"(%x, %x) : (tensor<8xf32>, tensor<8xf32>) -> tensor<f32>
  return %0 : tensor<f32>
}

// -----

func.func @a_dimension_below_0(%x: tensor<8xf32>) {
  // expected-error @below {{'stablehlo.broadcast_in_dim' op has broadcast_dimensions that are not in order, or not 1}}
  %0 = "stablehlo.broadcast_in_dim"(%x) <{broadcast_dimensions = array<i64: -1>}> : (tensor<8xf32>) -> tensor<8x4xf32>
  return
}

// -----

func.func @one_dimension_twice(%x: tensor<8x8xf32>) {
  // expected-error @below {{'stablehlo.broadcast_in_dim' op has broadcast_dimensions that are not in order, or not 2}}
  %0 = "stablehlo.broadcast_in_dim"(%x) <{broadcast_dimensions = array<i64: 0, 0>}> : (tensor<8x8xf32>) -> tensor<8x4xf32>
  return
}

// -----

func.func @a_barrier_of_other_values(%x: tensor<8xf32>) {
  // expected-error @below {{'stablehlo.optimization_barrier' op has results of other types than its operands}}
  %0 = "stablehlo.optimization_barrier"(%x) : (tensor<8xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @an_empty_region(%x: tensor<8xf32>) -> tensor<f32> {
  // expected-error @below {{'stablehlo.reduce' op combines result 0 by another op than add, multiply, maximum, minimum, and or or}}
  %0 = "stablehlo.reduce"(%x, %x) <{dimensions = array<i64: 0>}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
  }) : (tensor<8xf32>, tensor<8xf32>) -> tensor<f32>
  return %0 : tensor<f32>
}
