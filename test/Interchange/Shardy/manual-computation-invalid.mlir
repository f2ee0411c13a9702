// RUN: dtensor-opt %s --split-input-file --verify-diagnostics --allow-unregistered-dialect --dtensor-import-shardy

sdy.mesh @mesh = <["x"=2]>
func.func @not_pointwise(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  // expected-note @below {{in this manual computation}}
  %0 = sdy.manual_computation(%x) in_shardings=[<@mesh, [{"x"}, {}]>] out_shardings=[<@mesh, [{"x"}, {}]>] manual_axes={"x"} (%a: tensor<4x8xf32>) {
    // expected-error @below {{'stablehlo.all_reduce' op is not pointwise: it would see the elements of other ranks, too}}
    %1 = "stablehlo.all_reduce"(%a) : (tensor<4x8xf32>) -> tensor<4x8xf32>
    sdy.return %1 : tensor<4x8xf32>
  } : (tensor<8x8xf32>) -> tensor<8x8xf32>
  return %0 : tensor<8x8xf32>
}

// -----

sdy.mesh @mesh = <["x"=2]>
func.func @cut_differently(%x: tensor<8x4xf32>, %y: tensor<4x8xf32>) -> tensor<8x4xf32> {
  // expected-note @below {{in this manual computation}}
  %0 = sdy.manual_computation(%x, %y) in_shardings=[<@mesh, [{"x"}, {}]>, <@mesh, [{}, {"x"}]>] out_shardings=[<@mesh, [{"x"}, {}]>] manual_axes={"x"} (%a: tensor<4x4xf32>, %b: tensor<4x4xf32>) {
    // expected-error @below {{'arith.addf' op has operands that manual axes cut differently}}
    %1 = arith.addf %a, %b : tensor<4x4xf32>
    sdy.return %1 : tensor<4x4xf32>
  } : (tensor<8x4xf32>, tensor<4x8xf32>) -> tensor<8x4xf32>
  return %0 : tensor<8x4xf32>
}

// -----

sdy.mesh @mesh = <["x"=2]>
func.func @another_result(%x: tensor<8x4xf32>) -> tensor<4x8xf32> {
  // expected-error @below {{'sdy.manual_computation' op result 0 is cut by other manual axes inside than <@mesh, [{}, {"x"}]> says}}
  %0 = sdy.manual_computation(%x) in_shardings=[<@mesh, [{"x"}, {}]>] out_shardings=[<@mesh, [{}, {"x"}]>] manual_axes={"x"} (%a: tensor<4x4xf32>) {
    sdy.return %a : tensor<4x4xf32>
  } : (tensor<8x4xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// -----

sdy.mesh @mesh = <["x"=2]>
func.func @uneven_pieces(%x: tensor<7xf32>) -> tensor<7xf32> {
  // expected-error @below {{'sdy.manual_computation' op operand 0 is 'tensor<4xf32>' inside and 'tensor<7xf32>' outside, which its manual axes do not cut into equal pieces}}
  %0 = sdy.manual_computation(%x) in_shardings=[<@mesh, [{"x"}]>] out_shardings=[<@mesh, [{"x"}]>] manual_axes={"x"} (%a: tensor<4xf32>) {
    sdy.return %a : tensor<4xf32>
  } : (tensor<7xf32>) -> tensor<7xf32>
  return %0 : tensor<7xf32>
}

// -----

sdy.mesh @mesh = <["x"=2]>
func.func @an_unknown_axis(%x: tensor<8xf32>) -> tensor<8xf32> {
  // expected-error @below {{'sdy.manual_computation' op has a manual axis "y", which mesh <["x"=2]> has not}}
  %0 = sdy.manual_computation(%x) in_shardings=[<@mesh, [{}]>] out_shardings=[<@mesh, [{}]>] manual_axes={"y"} (%a: tensor<8xf32>) {
    sdy.return %a : tensor<8xf32>
  } : (tensor<8xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// -----

sdy.mesh @mesh = <["x"=2, "y"=2]>
func.func @a_sharding_inside(%x: tensor<8xf32>) -> tensor<8xf32> {
  // expected-note @below {{in this manual computation}}
  %0 = sdy.manual_computation(%x) in_shardings=[<@mesh, [{"x"}]>] out_shardings=[<@mesh, [{"x"}]>] manual_axes={"x"} (%a: tensor<4xf32>) {
    // expected-error @below {{'math.tanh' op has a sharding of its own, along other axes than the manual ones}}
    %1 = math.tanh %a {sdy.sharding = #sdy.sharding_per_value<[<@mesh, [{"y"}]>]>} : tensor<4xf32>
    sdy.return %1 : tensor<4xf32>
  } : (tensor<8xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// -----

sdy.mesh @mesh = <["x"=2]>
func.func @a_list_of_numbers(%x: tensor<8xindex>) -> tensor<8xindex> {
  // expected-note @below {{in this manual computation}}
  %0 = sdy.manual_computation(%x) in_shardings=[<@mesh, [{"x"}]>] out_shardings=[<@mesh, [{"x"}]>] manual_axes={"x"} (%a: tensor<4xindex>) {
    // expected-error @below {{'arith.constant' op is not pointwise: it would see the elements of other ranks, too}}
    %1 = arith.constant dense<[1, 2, 3, 4]> : tensor<4xindex>
    %2 = arith.addi %a, %1 : tensor<4xindex>
    sdy.return %2 : tensor<4xindex>
  } : (tensor<8xindex>) -> tensor<8xindex>
  return %0 : tensor<8xindex>
}

// -----

sdy.mesh @mesh = <["x"=2]>
func.func @constants_alone(%x: tensor<8xf32>) -> tensor<8xf32> {
  // expected-note @below {{in this manual computation}}
  %0 = sdy.manual_computation(%x) in_shardings=[<@mesh, [{"x"}]>] out_shardings=[<@mesh, [{"x"}]>] manual_axes={"x"} (%a: tensor<4xf32>) {
    %1 = arith.constant dense<1.0> : tensor<4xf32>
    // expected-error @below {{'math.tanh' op computes with constants alone}}
    %2 = math.tanh %1 : tensor<4xf32>
    sdy.return %2 : tensor<4xf32>
  } : (tensor<8xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// -----

sdy.mesh @mesh = <["x"=2]>
func.func @a_constant_alone(%x: tensor<8xf32>) -> tensor<8xf32> {
  // expected-error @below {{'sdy.manual_computation' op result 0 is cut by other manual axes inside than <@mesh, [{"x"}]> says}}
  %0 = sdy.manual_computation(%x) in_shardings=[<@mesh, [{"x"}]>] out_shardings=[<@mesh, [{"x"}]>] manual_axes={"x"} (%a: tensor<4xf32>) {
    %1 = arith.constant dense<1.0> : tensor<4xf32>
    sdy.return %1 : tensor<4xf32>
  } : (tensor<8xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// -----

sdy.mesh @mesh = <["x"=2]>
func.func @terms_of_a_sum(%x: tensor<8xf32>) -> tensor<8xf32> {
  // expected-error @below {{'sdy.manual_computation' op has terms of a pending reduction inside: <@mesh, [{}], unreduced={"x"}>}}
  %0 = sdy.manual_computation(%x) in_shardings=[<@mesh, [{}], unreduced={"x"}>] out_shardings=[<@mesh, [{}]>] manual_axes={"x"} (%a: tensor<8xf32>) {
    %1 = math.tanh %a : tensor<8xf32>
    sdy.return %1 : tensor<8xf32>
  } : (tensor<8xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// -----

// Each rank would have the piece of another one.
sdy.mesh @mesh = <["x"=2, "y"=2]>
func.func @pieces_in_another_order(%x: tensor<8xf32>) -> tensor<8xf32> {
  // expected-error @below {{'sdy.manual_computation' op result 0 is cut by other manual axes inside than <@mesh, [{"y", "x"}]> says}}
  %0 = sdy.manual_computation(%x) in_shardings=[<@mesh, [{"x", "y"}]>] out_shardings=[<@mesh, [{"y", "x"}]>] manual_axes={"x", "y"} (%a: tensor<2xf32>) {
    sdy.return %a : tensor<2xf32>
  } : (tensor<8xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}
