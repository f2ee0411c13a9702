// RUN: dtensor-opt %s -split-input-file -verify-diagnostics

func.func @an_index_is_inside(%x: tensor<?x3xf32>) {
  // expected-error @+1 {{index 3 is outside of extent 3}}
  %0 = dtensor.select %x {dim = 1, index = 3} : (tensor<?x3xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @an_index_is_not_negative(%x: tensor<?x3xf32>) {
  // expected-error @+1 {{index -1 is negative}}
  %0 = dtensor.select %x {dim = 1, index = -1} : (tensor<?x3xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @an_index_is_an_expression(%x: tensor<?x3xf32>) {
  // expected-error @+1 {{expected integers and #dtensor.expr, found "last"}}
  %0 = dtensor.select %x {dim = 1, index = "last"} : (tensor<?x3xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @stacked_tensors_have_one_shape(%a: tensor<3xf32>, %b: tensor<4xf32>) {
  // expected-error @+1 {{operand 1 dimension 0 has extent 4, expected 3}}
  %0 = dtensor.stack %a, %b {dim = 0} : (tensor<3xf32>, tensor<4xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @stacked_tensors_have_one_rank(%a: tensor<3xf32>, %b: tensor<f32>) {
  // expected-error @+1 {{operand 1 has rank 0, expected 1}}
  %0 = dtensor.stack %a, %b {dim = 0} : (tensor<3xf32>, tensor<f32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @a_stack_has_something() {
  // expected-error @+1 {{has no operands}}
  %0 = dtensor.stack {dim = 0} : () -> tensor<0xf32>
  return
}

// -----

func.func @parts_sum_to_the_extent(%x: tensor<5xf32>) {
  // expected-error @+1 {{dimension 0 has extent 5, expected 6}}
  %0, %1 = dtensor.split %x {dim = 0, sizes = [2, 4]} : (tensor<5xf32>) -> (tensor<2xf32>, tensor<4xf32>)
  return
}

// -----

func.func @a_part_is_a_result(%x: tensor<5xf32>) {
  // expected-error @+1 {{has 2 sizes and 1 results}}
  %0 = dtensor.split %x {dim = 0, sizes = [2, 3]} : (tensor<5xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @a_part_is_not_negative(%x: tensor<5xf32>) {
  // expected-error @+1 {{size -1 is negative}}
  %0, %1 = dtensor.split %x {dim = 0, sizes = [6, -1]} : (tensor<5xf32>) -> (tensor<6xf32>, tensor<?xf32>)
  return
}

// -----

func.func @every_row_is_a_result(%x: tensor<3x4xf32>) {
  // expected-error @+1 {{dimension 0 has extent 3, expected 2}}
  %0, %1 = dtensor.unbind %x {dim = 0} : (tensor<3x4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @no_parts_are_no_op(%x: tensor<3x4xf32>) {
  // expected-error @+1 {{has no results}}
  "dtensor.unbind"(%x) {dim = 0 : i64} : (tensor<3x4xf32>) -> ()
  return
}

// -----

func.func @chunks_are_rounded_up(%x: tensor<5xf32>) {
  // expected-error @+1 {{result 0 dimension 0 has extent 2, expected 3}}
  %0, %1 = dtensor.chunk %x {dim = 0} : (tensor<5xf32>) -> (tensor<2xf32>, tensor<3xf32>)
  return
}

// -----

func.func @a_border_is_not_negative(%x: tensor<5xf32>, %v: f32) {
  // expected-error @+1 {{border -1 is negative}}
  %0 = dtensor.pad %x, %v {low = [0], high = [-1]} : (tensor<5xf32>, f32) -> tensor<4xf32>
  return
}

// -----

func.func @every_dimension_has_borders(%x: tensor<5x2xf32>, %v: f32) {
  // expected-error @+1 {{low has 1 entries for rank 2}}
  %0 = dtensor.pad %x, %v {low = [0], high = [0, 1]} : (tensor<5x2xf32>, f32) -> tensor<5x3xf32>
  return
}

// -----

func.func @a_border_has_the_element_type(%x: tensor<5xf32>, %v: f64) {
  // expected-error @+1 {{operand has element type 'f64' and result 'f32'}}
  %0 = dtensor.pad %x, %v {low = [0], high = [1]} : (tensor<5xf32>, f64) -> tensor<6xf32>
  return
}

// -----

func.func @a_dimension_is_flipped_once(%x: tensor<5x2xf32>) {
  // expected-error @+1 {{dim 0 is given twice}}
  %0 = dtensor.flip %x {dims = [0, 0]} : (tensor<5x2xf32>) -> tensor<5x2xf32>
  return
}

// -----

func.func @every_rolled_dimension_has_a_shift(%x: tensor<5x2xf32>) {
  // expected-error @+1 {{has 1 dims and 2 shifts}}
  %0 = dtensor.roll %x {dims = [0], shifts = [1, 2]} : (tensor<5x2xf32>) -> tensor<5x2xf32>
  return
}

// -----

func.func @every_dimension_is_repeated(%x: tensor<5x2xf32>) {
  // expected-error @+1 {{repeats has 1 entries, expected at least 2}}
  %0 = dtensor.repeat %x {repeats = [2]} : (tensor<5x2xf32>) -> tensor<10x2xf32>
  return
}

// -----

func.func @nothing_is_repeated_a_negative_time(%x: tensor<5xf32>) {
  // expected-error @+1 {{repeat -2 is negative}}
  %0 = dtensor.repeat_interleave %x {dim = 0, repeats = -2} : (tensor<5xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @a_triangle_is_of_a_matrix(%x: tensor<5xf32>) {
  // expected-error @+1 {{operand has rank 1, expected at least 2}}
  %0 = dtensor.tril %x : (tensor<5xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @a_diagonal_is_of_two_dimensions(%x: tensor<5x5xf32>) {
  // expected-error @+1 {{dim 1 is given twice}}
  %0 = dtensor.diagonal %x {dim1 = 1, dim2 = 1} : (tensor<5x5xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @a_diagonal_ends_with_the_shorter_side(%x: tensor<5x3xf32>) {
  // expected-error @+1 {{result dimension 0 has extent 5, expected 3}}
  %0 = dtensor.diagonal %x {dim1 = 0, dim2 = 1} : (tensor<5x3xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @only_integers_are_hot(%x: tensor<5xf32>) {
  // expected-error @+1 {{operand has element type 'f32', expected integers}}
  %0 = dtensor.one_hot %x {classes = 3} : (tensor<5xf32>) -> tensor<5x3xi64>
  return
}

// -----

func.func @there_are_no_negative_classes(%x: tensor<5xi64>) {
  // expected-error @+1 {{the number of classes -3 is negative}}
  %0 = dtensor.one_hot %x {classes = -3} : (tensor<5xi64>) -> tensor<5x?xi64>
  return
}

// -----

func.func @halves_are_equal(%x: tensor<5xf32>) {
  // expected-error @+1 {{dimension 0 has extent 5, expected 4}}
  %0 = dtensor.glu %x {dim = 0} : (tensor<5xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @a_gate_is_a_float(%x: tensor<4xi32>) {
  // expected-error @+1 {{is not defined on element type 'i32'}}
  %0 = dtensor.glu %x {dim = 0} : (tensor<4xi32>) -> tensor<2xi32>
  return
}

// -----

func.func @rows_are_selected_along_a_dimension(%x: tensor<4xf32>, %i: tensor<2xi64>) {
  // expected-error @+1 {{dim 1 is out of range for rank 1}}
  %0 = dtensor.index_select %x, %i {dim = 1} : (tensor<4xf32>, tensor<2xi64>) -> tensor<4xf32>
  return
}

// -----

func.func @rows_are_as_many_as_indices(%x: tensor<4x2xf32>, %i: tensor<3xi64>) {
  // expected-error @+1 {{result dimension 0 has extent 4, expected 3}}
  %0 = dtensor.index_select %x, %i {dim = 0} : (tensor<4x2xf32>, tensor<3xi64>) -> tensor<4x2xf32>
  return
}
