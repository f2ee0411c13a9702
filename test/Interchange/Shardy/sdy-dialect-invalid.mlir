// RUN: dtensor-opt %s --split-input-file --verify-diagnostics

// expected-error @below {{"<["x"]>": expected '=' at column 6}}
sdy.mesh @mesh = <["x"]>

// -----

// expected-error @below {{mesh axis "x" has size 0, expected at least 1 and below 2^31 ranks in all}}
sdy.mesh @mesh = <["x"=0]>

// -----

// expected-error @below {{mesh <["x"=2, "x"=2]> has two axes named "x", or one without a name}}
sdy.mesh @mesh = <["x"=2, "x"=2]>

// -----

// expected-error @below {{device_ids are not a permutation of the 2 ranks of the mesh}}
sdy.mesh @mesh = <["x"=2], device_ids=[1, 1]>

// -----

// expected-error @below {{expected '<'}}
sdy.mesh @mesh = ["x"=2]

// -----

// expected-error @below {{expected '>'}}
sdy.mesh @mesh = <["x"=2] * >

// -----

// expected-error @below {{expected a name in quotes at column 13}}
func.func @an_axis_without_quotes(%x: tensor<8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{x}]>}) {
  return
}

// -----

sdy.mesh @mesh = <["x"=2]>
func.func @too_few_shardings(%x: tensor<8xf32>) -> tensor<8xf32> {
  // expected-error @below {{'sdy.manual_computation' op has 0 in_shardings, expected 1}}
  %0 = sdy.manual_computation(%x) in_shardings=[] out_shardings=[<@mesh, [{}]>] manual_axes={"x"} (%a: tensor<8xf32>) {
    sdy.return %a : tensor<8xf32>
  } : (tensor<8xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// -----

sdy.mesh @mesh = <["x"=2]>
func.func @too_few_returned(%x: tensor<8xf32>) -> tensor<8xf32> {
  // expected-error @below {{'sdy.manual_computation' op has 0 returned values, expected 1}}
  %0 = sdy.manual_computation(%x) in_shardings=[<@mesh, [{}]>] out_shardings=[<@mesh, [{}]>] manual_axes={"x"} (%a: tensor<8xf32>) {
  } : (tensor<8xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}
