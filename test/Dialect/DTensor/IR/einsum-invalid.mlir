// RUN: dtensor-opt %s --verify-diagnostics --split-input-file

func.func @an_equation_has_an_arrow(%a: tensor<4x8xf32>) {
  // expected-error @+1 {{equation 'ij' has no '->'}}
  %0 = dtensor.einsum %a {equation = "ij"} : (tensor<4x8xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @names_are_letters(%a: tensor<4x8xf32>) {
  // expected-error @+1 {{equation has ' ', expected a letter}}
  %0 = dtensor.einsum %a {equation = "i j->i"} : (tensor<4x8xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @a_name_stands_once_in_an_operand(%a: tensor<4x8xf32>) {
  // expected-error @+1 {{equation has 'i' twice in 'ii'}}
  %0 = dtensor.einsum %a {equation = "ii->i"} : (tensor<4x8xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @every_operand_has_names(%a: tensor<4x8xf32>) {
  // expected-error @+1 {{equation is about 2 operands, there are 1}}
  %0 = dtensor.einsum %a {equation = "ij,j->i"} : (tensor<4x8xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @a_result_has_what_an_operand_has(%a: tensor<4x8xf32>) {
  // expected-error @+1 {{result has 'k', which no operand has}}
  %0 = dtensor.einsum %a {equation = "ij->k"} : (tensor<4x8xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @every_dimension_has_a_name(%a: tensor<4x8xf32>) {
  // expected-error @+1 {{operand 0 has rank 2, expected 3}}
  %0 = dtensor.einsum %a {equation = "ijk->i"} : (tensor<4x8xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @one_name_is_one_extent(%a: tensor<4x8xf32>) {
  // expected-error @+1 {{operand 1 dimension 0 has extent 4, expected 8}}
  %0 = dtensor.einsum %a, %a {equation = "ij,jk->ik"} : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @there_is_an_operand() {
  // expected-error @+1 {{has no operands}}
  %0 = dtensor.einsum {equation = "->"} : () -> tensor<f32>
  return
}

// -----

func.func @a_matrix_times_a_vector(%a: tensor<4x8xf32>) {
  // expected-error @+1 {{operand 1 has rank 2, expected 1}}
  %0 = dtensor.mv %a, %a : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @what_is_added_has_the_shape_of_the_product(%a: tensor<4x8xf32>, %b: tensor<8x3xf32>, %c: tensor<2xf32>) {
  // expected-error @+1 {{input dimension 0 has extent 2, expected 3}}
  %0 = dtensor.addmm %c, %a, %b : (tensor<2xf32>, tensor<4x8xf32>, tensor<8x3xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @what_is_added_has_no_more_dimensions(%a: tensor<4x8xf32>, %b: tensor<8x3xf32>, %c: tensor<1x4x3xf32>) {
  // expected-error @+1 {{input has rank 3, expected at most 2}}
  %0 = dtensor.addmm %c, %a, %b : (tensor<1x4x3xf32>, tensor<4x8xf32>, tensor<8x3xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @matrices_of_a_batch_have_three_dimensions(%a: tensor<4x8xf32>) {
  // expected-error @+1 {{lhs has rank 2, expected 3}}
  %0 = dtensor.baddbmm %a, %a, %a : (tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x4x8xf32>
  return
}

// -----

func.func @products_have_one_type(%a: tensor<4x8xf32>, %b: tensor<8x3xf64>) {
  // expected-error @+1 {{operands have element types}}
  %0 = dtensor.addmm %a, %a, %b : (tensor<4x8xf32>, tensor<4x8xf32>, tensor<8x3xf64>) -> tensor<4x3xf32>
  return
}
