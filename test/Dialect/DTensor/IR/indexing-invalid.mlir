// RUN: dtensor-opt %s -split-input-file -verify-diagnostics

#mesh = #dtensor.mesh<"x" = 2>
func.func @a_start_is_not_negative(%x: tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>>) {
  // expected-error @+1 {{dimension 0: start -1 is negative}}
  %0 = dtensor.slice %x [-1] [B] [1] : (tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>>
  return
}

// -----

func.func @a_step_is_at_least_one(%x: tensor<4xf32>) {
  // expected-error @+1 {{dimension 0: step 0 is below 1}}
  %0 = dtensor.slice %x [0] [4] [0] : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @a_slice_ends_inside(%x: tensor<4xf32>) {
  // expected-error @+1 {{dimension 0: the last element 5 is outside of extent 4}}
  %0 = dtensor.slice %x [1] [3] [2] : (tensor<4xf32>) -> tensor<3xf32>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = 2>
func.func @a_slice_ends_inside_of_a_symbol(%x: tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>>) {
  // expected-error @+1 {{dimension 0: the last element B is outside of extent B}}
  %0 = dtensor.slice %x [B] [1] [1] : (tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>>) -> tensor<1xf32, #dtensor.layout<#mesh, [replicate], (1)>>
  return
}

// -----

func.func @a_size_is_not_negative(%x: tensor<?xf32>) {
  // expected-error @+1 {{dimension 0: size -1 is negative}}
  %0 = dtensor.slice %x [0] [-1] [1] : (tensor<?xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @a_slice_says_all_dimensions(%x: tensor<4x?xf32>) {
  // expected-error @+1 {{has a list of 1 expressions for rank 2}}
  %0 = dtensor.slice %x [0] [4] [1] : (tensor<4x?xf32>) -> tensor<4x?xf32>
  return
}

// -----

func.func @sizes_are_those_of_the_result(%x: tensor<4xf32>) {
  // expected-error @+1 {{result dimension 0 has extent 3, expected 2}}
  %0 = dtensor.slice %x [0] [2] [1] : (tensor<4xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @a_slice_keeps_the_element_type(%x: tensor<4xf32>) {
  // expected-error @+1 {{operand has element type 'f32' and result 'f64'}}
  %0 = dtensor.slice %x [0] [4] [1] : (tensor<4xf32>) -> tensor<4xf64>
  return
}

// -----

func.func @something_is_joined() {
  // expected-error @+1 {{has no operands}}
  %0 = dtensor.concat {dim = 0} : () -> tensor<0xf32>
  return
}

// -----

func.func @joined_tensors_agree_elsewhere(%a: tensor<2x3xf32>, %b: tensor<2x4xf32>) {
  // expected-error @+1 {{operand 1 dimension 1 has extent 4, expected 3}}
  %0 = dtensor.concat %a, %b {dim = 0} : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<4x3xf32>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = 2>
func.func @joined_symbols_agree_elsewhere(%a: tensor<2x?xf32, #dtensor.layout<#mesh, [replicate], (2, B)>>, %b: tensor<2x?xf32, #dtensor.layout<#mesh, [replicate], (2, B + 1)>>) {
  // expected-error @+1 {{operand 1 dimension 1 has extent B + 1, expected B}}
  %0 = dtensor.concat %a, %b {dim = 0} : (tensor<2x?xf32, #dtensor.layout<#mesh, [replicate], (2, B)>>, tensor<2x?xf32, #dtensor.layout<#mesh, [replicate], (2, B + 1)>>) -> tensor<4x?xf32, #dtensor.layout<#mesh, [replicate], (4, B)>>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = 2>
func.func @joined_extents_add_up(%a: tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>>) {
  // expected-error @+1 {{result dimension 0 has extent 2*B + 1, expected 2*B}}
  %0 = dtensor.concat %a, %a {dim = 0} : (tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>>, tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [replicate], (2*B + 1)>>
  return
}

// -----

func.func @joined_ranks_are_one(%a: tensor<2xf32>, %b: tensor<2x4xf32>) {
  // expected-error @+1 {{operand 1 has rank 2, expected 1}}
  %0 = dtensor.concat %a, %b {dim = 0} : (tensor<2xf32>, tensor<2x4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @tensors_are_joined_along_a_dimension(%a: tensor<2xf32>) {
  // expected-error @+1 {{dim 1 is out of range for rank 1}}
  %0 = dtensor.concat %a {dim = 1} : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @indices_are_integers(%i: tensor<?xf32>, %t: tensor<?x8xf32>) {
  // expected-error @+1 {{indices have element type 'f32', expected integers}}
  %0 = dtensor.embedding %i, %t : (tensor<?xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @a_table_has_rows(%i: tensor<?xi64>, %t: tensor<f32>) {
  // expected-error @+1 {{table has rank 0, expected at least 1}}
  %0 = dtensor.embedding %i, %t : (tensor<?xi64>, tensor<f32>) -> tensor<?xf32>
  return
}

// -----

func.func @rows_keep_their_type(%i: tensor<?xi64>, %t: tensor<?x8xf32>) {
  // expected-error @+1 {{table has element type 'f32' and result 'f64'}}
  %0 = dtensor.embedding %i, %t : (tensor<?xi64>, tensor<?x8xf32>) -> tensor<?x8xf64>
  return
}

// -----

func.func @rows_keep_their_width(%i: tensor<?xi64>, %t: tensor<?x8xf32>) {
  // expected-error @+1 {{result dimension 1 has extent 4, expected 8}}
  %0 = dtensor.embedding %i, %t : (tensor<?xi64>, tensor<?x8xf32>) -> tensor<?x4xf32>
  return
}

// -----

func.func @gathered_ranks_are_one(%x: tensor<?x8xf32>, %i: tensor<?xi64>) {
  // expected-error @+1 {{indices have rank 1, expected 2}}
  %0 = dtensor.gather %x, %i {dim = 1} : (tensor<?x8xf32>, tensor<?xi64>) -> tensor<?xf32>
  return
}

// -----

func.func @gathered_extents_are_equal(%x: tensor<5x8xf32>, %i: tensor<4x1xi64>) {
  // expected-error @+1 {{indices dimension 0 has extent 4, expected 5}}
  %0 = dtensor.gather %x, %i {dim = 1} : (tensor<5x8xf32>, tensor<4x1xi64>) -> tensor<4x1xf32>
  return
}

// -----

func.func @a_gather_is_along_a_dimension(%x: tensor<5xf32>, %i: tensor<4xi64>) {
  // expected-error @+1 {{dim 1 is out of range for rank 1}}
  %0 = dtensor.gather %x, %i {dim = 1} : (tensor<5xf32>, tensor<4xi64>) -> tensor<4xf32>
  return
}

// -----

func.func @a_constant_has_its_shape() {
  // expected-error @+1 {{value has type 'tensor<2xf32>', result 'tensor<3xf32>'}}
  %0 = dtensor.constant dense<0.0> : tensor<2xf32> to tensor<3xf32>
  return
}

// -----

func.func @a_slice_fits_64_bits(%x: tensor<4xf32>) {
  // expected-error @+1 {{dimension 0: the last element overflows 64 bits}}
  %0 = dtensor.slice %x [9223372036854775807] [4] [9223372036854775807] : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @a_slice_lists_expressions(%x: tensor<4xf32>) {
  // expected-error @+1 {{expected integers and #dtensor.expr, found "a"}}
  %0 = "dtensor.slice"(%x) {starts = ["a"], sizes = [1], steps = [1]} : (tensor<4xf32>) -> tensor<1xf32>
  return
}

// -----

func.func @elements_are_numbers(%x: tensor<?xui8>) {
  // expected-error @+1 {{operand #0 must be variadic of ranked tensor of floating-point or signless integer or index values}}
  %0 = dtensor.concat %x {dim = 0} : (tensor<?xui8>) -> tensor<?xui8>
  return
}
