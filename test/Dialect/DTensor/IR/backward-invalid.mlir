// RUN: dtensor-opt %s -split-input-file -verify-diagnostics

func.func @a_gradient_has_the_type_of_its_input(%g: tensor<?xf32>, %x: tensor<?xf64>) {
  // expected-error @+1 {{operand 1 has element type 'f64', expected 'f32'}}
  %0 = dtensor.tanh_backward %g, %x : (tensor<?xf32>, tensor<?xf64>) -> tensor<?xf32>
  return
}

// -----

func.func @an_approximation_is_one_of_two(%g: tensor<?xf32>) {
  // expected-error @+1 {{approximate is "sine", expected one of none, tanh}}
  %0 = dtensor.gelu_backward %g, %g {approximate = "sine"} : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @softmax_is_along_a_dimension(%g: tensor<?xf32>) {
  // expected-error @+1 {{dim 1 is out of range for rank 1}}
  %0 = dtensor.softmax_backward %g, %g {dim = 1} : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @softmax_and_its_gradient_have_one_shape(%g: tensor<3x4xf32>, %y: tensor<3x5xf32>) {
  // expected-error @+1 {{operand 1 dimension 1 has extent 5, expected 4}}
  %0 = dtensor.log_softmax_backward %g, %y {dim = 1} : (tensor<3x4xf32>, tensor<3x5xf32>) -> tensor<3x4xf32>
  return
}

// -----

func.func @softmax_and_its_gradient_have_one_type(%g: tensor<?xf32>, %y: tensor<?xf16>) {
  // expected-error @+1 {{operand 1 has element type 'f16', expected 'f32'}}
  %0 = dtensor.softmax_backward %g, %y {dim = 0} : (tensor<?xf32>, tensor<?xf16>) -> tensor<?xf32>
  return
}

// -----

func.func @softmax_is_of_floats(%g: tensor<?xi32>) {
  // expected-error @+1 {{is not defined on element type 'i32'}}
  %0 = dtensor.softmax_backward %g, %g {dim = 0} : (tensor<?xi32>, tensor<?xi32>) -> tensor<?xi32>
  return
}

// -----

func.func @a_norm_is_over_dimensions(%x: tensor<3x4xf32>, %s: tensor<3x1xf32>) {
  // expected-error @+1 {{trailing 3 is out of range for rank 2}}
  %0 = dtensor.rms_norm_backward %x, %x, %s {trailing = 3} : (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x1xf32>) -> tensor<3x4xf32>
  return
}

// -----

func.func @a_statistic_has_extents_of_one(%x: tensor<3x4xf32>, %s: tensor<3xf32>) {
  // expected-error @+1 {{operand 2 has rank 1, expected 2}}
  %0 = dtensor.rms_norm_backward %x, %x, %s : (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3xf32>) -> tensor<3x4xf32>
  return
}

// -----

func.func @statistics_of_halves_are_wide(%x: tensor<3x4xbf16>, %s: tensor<3x1xbf16>) {
  // expected-error @+1 {{operand 2 has element type 'bf16', expected 'f32'}}
  %0 = dtensor.rms_norm_backward %x, %x, %s : (tensor<3x4xbf16>, tensor<3x4xbf16>, tensor<3x1xbf16>) -> tensor<3x4xbf16>
  return
}

// -----

func.func @rms_norm_has_no_bias(%x: tensor<3x4xf32>, %s: tensor<3x1xf32>) {
  // expected-error @+1 {{has 3 results, expected 1 to 2}}
  %0:3 = dtensor.rms_norm_backward %x, %x, %s : (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x1xf32>) -> (tensor<3x4xf32>, tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @a_gradient_needs_no_bias(%x: tensor<3x4xf32>, %s: tensor<3x1xf32>, %w: tensor<4xf32>) {
  // expected-error @+1 {{has 2 parameters, expected at most 1}}
  %0 = dtensor.layer_norm_backward %x, %x, %s, %s, %w, %w : (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x1xf32>, tensor<3x1xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  return
}

// -----

func.func @results_have_one_type(%x: tensor<3x4xf32>, %s: tensor<3x1xf32>) {
  // expected-error @+1 {{has results of element types 'f32' and 'f64'}}
  %0:2 = dtensor.rms_norm_backward %x, %x, %s : (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x1xf32>) -> (tensor<3x4xf32>, tensor<4xf64>)
  return
}

// -----

func.func @groups_have_equally_many_channels(%x: tensor<2x6x5xf32>, %s: tensor<2x4xf32>) {
  // expected-error @+1 {{input has 6 channels, not a multiple of 4}}
  %0 = dtensor.group_norm_backward %x, %x, %s, %s {groups = 4} : (tensor<2x6x5xf32>, tensor<2x6x5xf32>, tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x6x5xf32>
  return
}

// -----

func.func @there_is_a_group(%x: tensor<2x6x5xf32>, %s: tensor<2x4xf32>) {
  // expected-error @+1 {{groups is 0, expected at least 1}}
  %0 = dtensor.group_norm_backward %x, %x, %s, %s {groups = 0} : (tensor<2x6x5xf32>, tensor<2x6x5xf32>, tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x6x5xf32>
  return
}

// -----

func.func @groups_are_of_channels(%x: tensor<2xf32>, %s: tensor<2x4xf32>) {
  // expected-error @+1 {{input has rank 1, expected at least 2}}
  %0 = dtensor.group_norm_backward %x, %x, %s, %s {groups = 2} : (tensor<2xf32>, tensor<2xf32>, tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @an_extremum_has_a_reduced_shape(%g: tensor<4xf32>, %x: tensor<3x4xf32>) {
  // expected-error @+1 {{operand 0 dimension 0 has extent 4, expected 3}}
  %0 = dtensor.amax_backward %g, %x, %g {dims = [1]} : (tensor<4xf32>, tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  return
}

// -----

func.func @an_extremum_is_over_dimensions(%g: tensor<3xf32>, %x: tensor<3x4xf32>) {
  // expected-error @+1 {{dim 2 is out of range for rank 2}}
  %0 = dtensor.amin_backward %g, %x, %g {dims = [2]} : (tensor<3xf32>, tensor<3x4xf32>, tensor<3xf32>) -> tensor<3x4xf32>
  return
}

// -----

func.func @a_lookup_has_indices(%g: tensor<3x4xf32>, %i: tensor<3xf32>) {
  // expected-error @+1 {{indices have element type 'f32', expected integers}}
  %0 = dtensor.embedding_backward %g, %i {size = 5} : (tensor<3x4xf32>, tensor<3xf32>) -> tensor<5x4xf32>
  return
}

// -----

func.func @a_lookup_has_a_gradient_per_index(%g: tensor<3x4xf32>, %i: tensor<2xi64>) {
  // expected-error @+1 {{updates dimension 0 has extent 3, expected 2}}
  %0 = dtensor.embedding_backward %g, %i {size = 5} : (tensor<3x4xf32>, tensor<2xi64>) -> tensor<5x4xf32>
  return
}

// -----

func.func @indices_are_dimensions_of_the_gradient(%g: tensor<3xf32>, %i: tensor<3x2xi64>) {
  // expected-error @+1 {{gradient has rank 1, too low for dim 0 and 2 dimensions of indices}}
  %0 = dtensor.embedding_backward %g, %i {size = 5} : (tensor<3xf32>, tensor<3x2xi64>) -> tensor<5xf32>
  return
}

// -----

func.func @a_size_is_not_negative(%g: tensor<3x4xf32>, %i: tensor<3xi64>) {
  // expected-error @+1 {{size -1 is negative}}
  %0 = dtensor.index_select_backward %g, %i {dim = 0, size = -1} : (tensor<3x4xf32>, tensor<3xi64>) -> tensor<?x4xf32>
  return
}

// -----

func.func @a_size_is_an_expression(%g: tensor<3x4xf32>, %i: tensor<3x4xi64>) {
  // expected-error @+1 {{expected integers and #dtensor.expr, found "five"}}
  %0 = dtensor.gather_backward %g, %i {dim = 0, size = "five"} : (tensor<3x4xf32>, tensor<3x4xi64>) -> tensor<5x4xf32>
  return
}

// -----

func.func @truths_do_not_add_up(%g: tensor<3xi1>, %i: tensor<3xi64>) {
  // expected-error @+1 {{cannot add elements of type 'i1'}}
  %0 = dtensor.index_select_backward %g, %i {dim = 0, size = 5} : (tensor<3xi1>, tensor<3xi64>) -> tensor<5xi1>
  return
}

// -----

func.func @a_lookup_keeps_the_type(%g: tensor<3xf32>, %i: tensor<3xi64>) {
  // expected-error @+1 {{operand has element type 'f32' and result 'f64'}}
  %0 = dtensor.index_select_backward %g, %i {dim = 0, size = 5} : (tensor<3xf32>, tensor<3xi64>) -> tensor<5xf64>
  return
}

// -----

func.func @a_slice_is_inside(%g: tensor<3x4xf32>) {
  // expected-error @+1 {{the last element 7 is outside of extent 7}}
  %0 = dtensor.slice_backward %g {dim = 1, size = 7, start = 1, step = 2} : (tensor<3x4xf32>) -> tensor<3x7xf32>
  return
}

// -----

func.func @a_step_goes_forward(%g: tensor<3x4xf32>) {
  // expected-error @+1 {{step 0 is below 1}}
  %0 = dtensor.slice_backward %g {dim = 1, size = 7, start = 1, step = 0} : (tensor<3x4xf32>) -> tensor<3x7xf32>
  return
}

// -----

func.func @a_start_is_not_negative(%g: tensor<3x4xf32>) {
  // expected-error @+1 {{start -1 is negative}}
  %0 = dtensor.slice_backward %g {dim = 1, size = 7, start = -1, step = 1} : (tensor<3x4xf32>) -> tensor<3x7xf32>
  return
}

// -----

func.func @a_slice_keeps_the_type(%g: tensor<3x4xf32>) {
  // expected-error @+1 {{operand has element type 'f32' and result 'f16'}}
  %0 = dtensor.slice_backward %g {dim = 1, size = 7, start = 1, step = 1} : (tensor<3x4xf32>) -> tensor<3x7xf16>
  return
}

// -----

func.func @a_selected_position_is_inside(%g: tensor<3x4xf32>) {
  // expected-error @+1 {{the last element 5 is outside of extent 5}}
  %0 = dtensor.select_backward %g {dim = 2, size = 5, index = 5} : (tensor<3x4xf32>) -> tensor<3x4x5xf32>
  return
}

// -----

func.func @a_selected_dimension_is_one_of_the_result(%g: tensor<3x4xf32>) {
  // expected-error @+1 {{dim 3 is out of range for rank 3}}
  %0 = dtensor.select_backward %g {dim = 3, size = 5, index = 2} : (tensor<3x4xf32>) -> tensor<3x4x5xf32>
  return
}

// -----

func.func @glu_has_two_halves(%g: tensor<3x4xf32>) {
  // expected-error @+1 {{operand 1 dimension 1 has extent 4, expected 8}}
  %0 = dtensor.glu_backward %g, %g {dim = 1} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return
}

// -----

func.func @attention_has_heads(%x: tensor<3x4xf32>) {
  // expected-error @+1 {{query, key and value have ranks 2, 2 and 2, expected one of at least 3}}
  %0:3 = dtensor.attention_backward %x, %x, %x, %x, %x : (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>)
  return
}

// -----

func.func @heads_come_in_groups(%x: tensor<3x5x4xf32>, %k: tensor<2x5x4xf32>) {
  // expected-error @+1 {{query has 3 heads, not a multiple of the key's 2}}
  %0:3 = dtensor.attention_backward %x, %x, %k, %k, %x : (tensor<3x5x4xf32>, tensor<3x5x4xf32>, tensor<2x5x4xf32>, tensor<2x5x4xf32>, tensor<3x5x4xf32>) -> (tensor<3x5x4xf32>, tensor<2x5x4xf32>, tensor<2x5x4xf32>)
  return
}

// -----

func.func @attention_keeps_one_sum_per_query(%x: tensor<2x5x4xf32>, %l: tensor<2x4xf32>) {
  // expected-error @+1 {{operand 5 dimension 1 has extent 4, expected 5}}
  %0:3 = dtensor.attention_backward %x, %x, %x, %x, %x, %l : (tensor<2x5x4xf32>, tensor<2x5x4xf32>, tensor<2x5x4xf32>, tensor<2x5x4xf32>, tensor<2x5x4xf32>, tensor<2x4xf32>) -> (tensor<2x5x4xf32>, tensor<2x5x4xf32>, tensor<2x5x4xf32>)
  return
}

// -----

func.func @a_norm_keeps_wide_statistics(%x: tensor<3x4xf16>) {
  // expected-error @+1 {{a statistic has element type 'f16', expected 'f32'}}
  %0, %1 = dtensor.native_rms_norm %x : (tensor<3x4xf16>) -> (tensor<3x4xf16>, tensor<3x1xf16>)
  return
}
