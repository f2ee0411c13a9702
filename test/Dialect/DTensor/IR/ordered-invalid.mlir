// RUN: dtensor-opt %s -split-input-file -verify-diagnostics

func.func @indices_are_integers(%x: tensor<4xf32>, %i: tensor<2xf32>, %u: tensor<2xf32>) {
  // expected-error @+1 {{indices have element type 'f32', expected integers}}
  %0 = dtensor.scatter %x, %i, %u {dim = 0} : (tensor<4xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @updates_have_the_element_type(%x: tensor<4xf32>, %i: tensor<2xi64>, %u: tensor<2xf64>) {
  // expected-error @+1 {{updates has element type 'f64', expected 'f32'}}
  %0 = dtensor.scatter %x, %i, %u {dim = 0} : (tensor<4xf32>, tensor<2xi64>, tensor<2xf64>) -> tensor<4xf32>
  return
}

// -----

func.func @there_is_one_update_per_index(%x: tensor<4xf32>, %i: tensor<2xi64>, %u: tensor<3xf32>) {
  // expected-error @+1 {{updates dimension 0 has extent 3, expected 2}}
  %0 = dtensor.scatter %x, %i, %u {dim = 0} : (tensor<4xf32>, tensor<2xi64>, tensor<3xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @other_dimensions_are_equal(%x: tensor<4x3xf32>, %i: tensor<2x2xi64>, %u: tensor<2x2xf32>) {
  // expected-error @+1 {{indices dimension 1 has extent 2, expected 3}}
  %0 = dtensor.scatter %x, %i, %u {dim = 0} : (tensor<4x3xf32>, tensor<2x2xi64>, tensor<2x2xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @indices_of_elements_have_the_rank(%x: tensor<4x3xf32>, %i: tensor<2xi64>, %u: tensor<2x3xf32>) {
  // expected-error @+1 {{indices have rank 1, expected 2}}
  %0 = dtensor.scatter %x, %i, %u {dim = 0} : (tensor<4x3xf32>, tensor<2xi64>, tensor<2x3xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @rows_are_whole(%x: tensor<4x3xf32>, %i: tensor<2xi64>, %u: tensor<2xf32>) {
  // expected-error @+1 {{updates have rank 1, expected 2}}
  %0 = dtensor.scatter %x, %i, %u {dim = 0, rows} : (tensor<4x3xf32>, tensor<2xi64>, tensor<2xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @truth_values_are_not_added(%x: tensor<4xi1>, %i: tensor<2xi64>, %u: tensor<2xi1>) {
  // expected-error @+1 {{cannot add elements of type 'i1'}}
  %0 = dtensor.scatter %x, %i, %u {dim = 0, add} : (tensor<4xi1>, tensor<2xi64>, tensor<2xi1>) -> tensor<4xi1>
  return
}

// -----

func.func @a_sum_has_its_size(%i: tensor<2xi64>, %u: tensor<2xf32>) {
  // expected-error @+1 {{result dimension 0 has extent 4, expected 5}}
  %0 = dtensor.scatter_sum %i, %u {dim = 0, size = 5} : (tensor<2xi64>, tensor<2xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @a_size_is_not_negative(%i: tensor<2xi64>, %u: tensor<2xf32>) {
  // expected-error @+1 {{size -5 is negative}}
  %0 = dtensor.scatter_sum %i, %u {dim = 0, size = -5} : (tensor<2xi64>, tensor<2xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @a_dimension_of_a_sum_is_not_negative(%i: tensor<2xi64>, %u: tensor<2xf32>) {
  // expected-error @+1 {{updates have rank 1, too low for dim -1 and 1 dimensions of indices}}
  %0 = dtensor.scatter_sum %i, %u {dim = -1, size = 5} : (tensor<2xi64>, tensor<2xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @a_sum_has_enough_dimensions(%i: tensor<2xi64>, %u: tensor<2xf32>) {
  // expected-error @+1 {{updates have rank 1, too low for dim 1 and 1 dimensions of indices}}
  %0 = dtensor.scatter_sum %i, %u {dim = 1, size = 5, rows} : (tensor<2xi64>, tensor<2xf32>) -> tensor<2x5xf32>
  return
}

// -----

func.func @a_scan_is_one_of_four(%x: tensor<?xf32>) {
  // expected-error @+1 {{kind is "mean", expected one of sum, product, max, min}}
  %0 = dtensor.scan %x {dim = 0, kind = "mean"} : (tensor<?xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @a_scan_has_a_dimension(%x: tensor<?xf32>) {
  // expected-error @+1 {{dim 1 is out of range for rank 1}}
  %0 = dtensor.cumsum %x {dim = 1} : (tensor<?xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @a_sum_fits_its_type(%x: tensor<?xi32>) {
  // expected-error @+1 {{cannot accumulate 'i32' in the result's element type 'i8'}}
  %0 = dtensor.cumsum %x {dim = 0} : (tensor<?xi32>) -> tensor<?xi8>
  return
}

// -----

func.func @a_sorted_tensor_has_the_element_type(%x: tensor<?xf32>) {
  // expected-error @+1 {{result has element type 'f64', expected 'f32'}}
  %0, %1 = dtensor.sort %x {dim = 0} : (tensor<?xf32>) -> (tensor<?xf64>, tensor<?xi64>)
  return
}

// -----

func.func @a_place_is_an_integer(%x: tensor<?xf32>) {
  // expected-error @+1 {{indices have element type 'f32', expected integers}}
  %0, %1 = dtensor.sort %x {dim = 0} : (tensor<?xf32>) -> (tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @places_have_the_shape(%x: tensor<3xf32>) {
  // expected-error @+1 {{result 1 dimension 0 has extent 4, expected 3}}
  %0, %1 = dtensor.sort %x {dim = 0} : (tensor<3xf32>) -> (tensor<3xf32>, tensor<4xi64>)
  return
}

// -----

func.func @there_are_enough_elements(%x: tensor<3xf32>) {
  // expected-error @+1 {{k is 4, but dimension 0 has extent 3}}
  %0, %1 = dtensor.topk %x {dim = 0, k = 4} : (tensor<3xf32>) -> (tensor<4xf32>, tensor<4xi64>)
  return
}

// -----

func.func @one_element_at_least(%x: tensor<?xf32>) {
  // expected-error @+1 {{k is 0, expected at least 1}}
  %0, %1 = dtensor.topk %x {dim = 0, k = 0} : (tensor<?xf32>) -> (tensor<0xf32>, tensor<0xi64>)
  return
}

// -----

func.func @indices_do_not_exceed_the_rank(%x: tensor<?xf32>, %v: tensor<?xf32>, %i: tensor<?xi64>) {
  // expected-error @+1 {{has 2 indices for rank 1}}
  %0 = dtensor.index_put %x, %v, %i, %i : (tensor<?xf32>, tensor<?xf32>, tensor<?xi64>, tensor<?xi64>) -> tensor<?xf32>
  return
}

// -----

func.func @indices_have_one_shape(%x: tensor<4x4xf32>, %v: tensor<2xf32>, %i: tensor<2xi64>, %j: tensor<3xi64>) {
  // expected-error @+1 {{index 1 dimension 0 has extent 3, expected 2}}
  %0 = dtensor.index_put %x, %v, %i, %j : (tensor<4x4xf32>, tensor<2xf32>, tensor<2xi64>, tensor<3xi64>) -> tensor<4x4xf32>
  return
}

// -----

func.func @values_have_the_shape_of_the_indices(%x: tensor<4x4xf32>, %v: tensor<3xf32>, %i: tensor<2xi64>) {
  // expected-error @+1 {{values have rank 1, expected 2}}
  %0 = dtensor.index_put %x, %v, %i : (tensor<4x4xf32>, tensor<3xf32>, tensor<2xi64>) -> tensor<4x4xf32>
  return
}
