// RUN: dtensor-opt %s -split-input-file -verify-diagnostics

func.func @a_reshape_keeps_the_number_of_elements(%x: tensor<4x6xf32>) {
  // expected-error @+1 {{operand has 24 elements and result 25}}
  %0 = dtensor.reshape %x : (tensor<4x6xf32>) -> tensor<5x5xf32>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = 2>
func.func @a_reshape_keeps_the_product_of_symbols(%x: tensor<?x4xf32, #dtensor.layout<#mesh, [replicate], (B, 4)>>) {
  // expected-error @+1 {{operand has 4*B elements and result 4*B + 4}}
  %0 = dtensor.reshape %x : (tensor<?x4xf32, #dtensor.layout<#mesh, [replicate], (B, 4)>>) -> tensor<?x2xf32, #dtensor.layout<#mesh, [replicate], (2*B + 2, 2)>>
  return
}

// -----

func.func @a_reshape_keeps_the_element_type(%x: tensor<?xf32>) {
  // expected-error @+1 {{operand has element type 'f32' and result 'i32'}}
  %0 = dtensor.reshape %x : (tensor<?xf32>) -> tensor<?xi32>
  return
}

// -----

func.func @a_squeezed_dimension_is_one(%x: tensor<?x3xf32>) {
  // expected-error @+1 {{operand dimension 1 has extent 3, expected 1}}
  %0 = dtensor.squeeze %x {dims = [1]} : (tensor<?x3xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @an_unsqueezed_dimension_is_one(%x: tensor<?xf32>) {
  // expected-error @+1 {{result dimension 0 has extent 3, expected 1}}
  %0 = dtensor.unsqueeze %x {dims = [0]} : (tensor<?xf32>) -> tensor<3x?xf32>
  return
}

// -----

func.func @a_new_dimension_is_in_the_result(%x: tensor<?xf32>) {
  // expected-error @+1 {{dim 2 is out of range for rank 2}}
  %0 = dtensor.unsqueeze %x {dims = [2]} : (tensor<?xf32>) -> tensor<?x1xf32>
  return
}

// -----

func.func @a_flattened_range_is_not_reversed(%x: tensor<?x2xf32>) {
  // expected-error @+1 {{start 1 is above end 0}}
  %0 = dtensor.flatten %x {start = 1, end = 0} : (tensor<?x2xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @a_flattened_range_is_inside(%x: tensor<?x2xf32>) {
  // expected-error @+1 {{end 2 is out of range for rank 2}}
  %0 = dtensor.flatten %x {start = 0, end = 2} : (tensor<?x2xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @flatten_multiplies(%x: tensor<3x2xf32>) {
  // expected-error @+1 {{result dimension 0 has extent 5, expected 6}}
  %0 = dtensor.flatten %x {start = 0, end = 1} : (tensor<3x2xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @unflatten_divides(%x: tensor<?x6xf32>) {
  // expected-error @+1 {{the product of `sizes` has extent 8, expected 6}}
  %0 = dtensor.unflatten %x {dim = 1, sizes = [2, 4]} : (tensor<?x6xf32>) -> tensor<?x2x4xf32>
  return
}

// -----

func.func @unflatten_needs_sizes(%x: tensor<?x6xf32>) {
  // expected-error @+1 {{needs `sizes`: result type 'tensor<?x?x4xf32>' has dynamic dimensions and no layout}}
  %0 = dtensor.unflatten %x {dim = 1} : (tensor<?x6xf32>) -> tensor<?x?x4xf32>
  return
}

// -----

func.func @unflatten_keeps_the_other_dimensions(%x: tensor<2x3x6xf32>) {
  // expected-error @+1 {{result has rank 1, expected at least 2}}
  %0 = dtensor.unflatten %x {dim = 2} : (tensor<2x3x6xf32>) -> tensor<36xf32>
  return
}

// -----

func.func @sizes_are_numbers_or_expressions(%x: tensor<?x6xf32>) {
  // expected-error @+1 {{expected integers and #dtensor.expr, found "two"}}
  %0 = dtensor.unflatten %x {dim = 1, sizes = ["two", 3]} : (tensor<?x6xf32>) -> tensor<?x2x3xf32>
  return
}

// -----

func.func @a_permutation_has_all_dimensions(%x: tensor<?x6xf32>) {
  // expected-error @+1 {{permutation has 1 entries for rank 2}}
  %0 = dtensor.permute %x {permutation = [0]} : (tensor<?x6xf32>) -> tensor<?x6xf32>
  return
}

// -----

func.func @a_permutation_is_one(%x: tensor<?x6xf32>) {
  // expected-error @+1 {{dim 0 is given twice}}
  %0 = dtensor.permute %x {permutation = [0, 0]} : (tensor<?x6xf32>) -> tensor<?x6xf32>
  return
}

// -----

func.func @a_permutation_moves_extents(%x: tensor<5x6xf32>) {
  // expected-error @+1 {{result dimension 0 has extent 5, expected 6}}
  %0 = dtensor.permute %x {permutation = [1, 0]} : (tensor<5x6xf32>) -> tensor<5x6xf32>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = 2>
func.func @a_symbol_is_never_stretched(%x: tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>>) {
  // expected-error @+1 {{result dimension 0 has extent B + 1, expected B}}
  %0 = dtensor.expand %x : (tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B + 1)>>
  return
}

// -----

func.func @a_number_is_never_stretched(%x: tensor<2xf32>) {
  // expected-error @+1 {{result dimension 1 has extent 3, expected 2}}
  %0 = dtensor.expand %x : (tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @expansion_drops_no_dimension(%x: tensor<1x2xf32>) {
  // expected-error @+1 {{result has rank 1, expected at least 2}}
  %0 = dtensor.expand %x : (tensor<1x2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @a_fill_is_of_the_element_type(%c: f32) {
  // expected-error @+1 {{operand has element type 'f32' and result 'f64'}}
  %0 = dtensor.full %c : (f32) -> tensor<2xf64>
  return
}

// -----

func.func @a_position_is_along_a_dimension() {
  // expected-error @+1 {{dim 1 is out of range for rank 1}}
  %0 = dtensor.iota {dim = 1} : () -> tensor<2xi64>
  return
}

// -----

func.func @a_position_is_a_number() {
  // expected-error @+1 {{is not defined on element type 'i1'}}
  %0 = dtensor.iota {dim = 0} : () -> tensor<2xi1>
  return
}

// -----

func.func @a_size_is_not_negative(%x: tensor<?x6xf32>) {
  // expected-error @+1 {{size -2 is negative}}
  %0 = dtensor.unflatten %x {dim = 1, sizes = [-2, -3]} : (tensor<?x6xf32>) -> tensor<?x?x?xf32>
  return
}

// -----

func.func @a_product_fits_64_bits(%x: tensor<4611686018427387904x4xi8>) {
  // expected-error @+1 {{the extent of result dimension 0 overflows 64 bits}}
  %0 = dtensor.flatten %x {start = 0, end = 1} : (tensor<4611686018427387904x4xi8>) -> tensor<?xi8>
  return
}

// -----

func.func @a_size_fits_64_bits(%c: f32) {
  // expected-error @+1 {{expected integers and #dtensor.expr, found 18446744073709551615 : i128}}
  %0 = dtensor.full %c {sizes = [18446744073709551615 : i128]} : (f32) -> tensor<?xf32>
  return
}
