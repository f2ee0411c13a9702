// RUN: dtensor-opt %s --verify-diagnostics --split-input-file

func.func @space_has_three_dimensions_at_most(%x: tensor<1x1x1x1x1x1xf32>) {
  // expected-error @+1 {{operand has rank 6, expected 3 to 5}}
  %0 = dtensor.convolution %x, %x : (tensor<1x1x1x1x1x1xf32>, tensor<1x1x1x1x1x1xf32>) -> tensor<1x1x1x1x1x1xf32>
  return
}

// -----

func.func @a_weight_has_the_rank(%x: tensor<1x1x8xf32>, %w: tensor<1x1xf32>) {
  // expected-error @+1 {{second operand has rank 2, expected 3}}
  %0 = dtensor.convolution %x, %w : (tensor<1x1x8xf32>, tensor<1x1xf32>) -> tensor<1x1x8xf32>
  return
}

// -----

func.func @channels_agree(%x: tensor<1x4x8xf32>, %w: tensor<6x3x3xf32>) {
  // expected-error @+1 {{input dimension 1 has extent 4, expected 3}}
  %0 = dtensor.convolution %x, %w : (tensor<1x4x8xf32>, tensor<6x3x3xf32>) -> tensor<1x6x6xf32>
  return
}

// -----

func.func @groups_divide_the_channels(%x: tensor<1x4x8xf32>, %w: tensor<5x2x3xf32>) {
  // expected-error @+1 {{groups is 2, which does not divide 5 channels}}
  %0 = dtensor.convolution %x, %w {groups = 2} : (tensor<1x4x8xf32>, tensor<5x2x3xf32>) -> tensor<1x5x6xf32>
  return
}

// -----

func.func @there_is_a_group(%x: tensor<1x4x8xf32>, %w: tensor<5x4x3xf32>) {
  // expected-error @+1 {{groups is 0, expected at least 1}}
  %0 = dtensor.convolution %x, %w {groups = 0} : (tensor<1x4x8xf32>, tensor<5x4x3xf32>) -> tensor<1x5x6xf32>
  return
}

// -----

func.func @a_stride_is_positive(%x: tensor<1x4x8xf32>, %w: tensor<5x4x3xf32>) {
  // expected-error @+1 {{stride is 0, expected at least 1}}
  %0 = dtensor.convolution %x, %w {stride = [0]} : (tensor<1x4x8xf32>, tensor<5x4x3xf32>) -> tensor<1x5x6xf32>
  return
}

// -----

func.func @there_is_one_padding_per_dimension(%x: tensor<1x4x8xf32>, %w: tensor<5x4x3xf32>) {
  // expected-error @+1 {{padding has 2 entries, expected 1}}
  %0 = dtensor.convolution %x, %w {padding = [1, 1]} : (tensor<1x4x8xf32>, tensor<5x4x3xf32>) -> tensor<1x5x8xf32>
  return
}

// -----

func.func @a_bias_is_a_vector(%x: tensor<1x4x8xf32>, %w: tensor<5x4x3xf32>, %b: tensor<1x5xf32>) {
  // expected-error @+1 {{bias has rank 2, expected 1}}
  %0 = dtensor.convolution %x, %w, %b : (tensor<1x4x8xf32>, tensor<5x4x3xf32>, tensor<1x5xf32>) -> tensor<1x5x6xf32>
  return
}

// -----

func.func @a_convolution_has_one_element_type(%x: tensor<1x4x8xf32>, %w: tensor<5x4x3xf64>) {
  // expected-error @+1 {{operand has element type 'f64' and result 'f32'}}
  %0 = dtensor.convolution %x, %w : (tensor<1x4x8xf32>, tensor<5x4x3xf64>) -> tensor<1x5x6xf32>
  return
}

// -----

func.func @windows_are_as_many_as_fit(%x: tensor<1x4x8xf32>, %w: tensor<5x4x3xf32>) {
  // expected-error @+1 {{result dimension 2 has extent 8, expected 6}}
  %0 = dtensor.convolution %x, %w : (tensor<1x4x8xf32>, tensor<5x4x3xf32>) -> tensor<1x5x8xf32>
  return
}

// -----

func.func @a_gradient_has_the_windows(%g: tensor<1x6x8xf32>, %w: tensor<6x4x3xf32>) {
  // expected-error @+1 {{gradient dimension 2 has extent 8, expected 6}}
  %0 = dtensor.convolution_input_grad %g, %w {sizes = [8]} : (tensor<1x6x8xf32>, tensor<6x4x3xf32>) -> tensor<1x4x8xf32>
  return
}

// -----

func.func @an_input_has_its_space(%g: tensor<1x6x8xf32>, %w: tensor<6x4x3xf32>) {
  // expected-error @+1 {{sizes has 2 entries, expected 1}}
  %0 = dtensor.convolution_input_grad %g, %w {sizes = [10, 1]} : (tensor<1x6x8xf32>, tensor<6x4x3xf32>) -> tensor<1x4x10xf32>
  return
}

// -----

func.func @a_weight_has_its_space(%x: tensor<1x4x8xf32>, %g: tensor<1x6x6xf32>) {
  // expected-error @+1 {{kernel has 2 entries, expected 1}}
  %0 = dtensor.convolution_weight_grad %x, %g {kernel = [3, 3]} : (tensor<1x4x8xf32>, tensor<1x6x6xf32>) -> tensor<6x4x3xf32>
  return
}

// -----

func.func @a_window_is_not_empty(%x: tensor<1x8xf32>) {
  // expected-error @+1 {{kernel is 0, expected at least 1}}
  %0 = dtensor.avg_pool %x {kernel = [0]} : (tensor<1x8xf32>) -> tensor<1x8xf32>
  return
}

// -----

func.func @windows_have_the_rank_at_most(%x: tensor<8xf32>) {
  // expected-error @+1 {{kernel has 2 entries for rank 1}}
  %0 = dtensor.avg_pool %x {kernel = [2, 2]} : (tensor<8xf32>) -> tensor<7xf32>
  return
}

// -----

func.func @integers_have_no_average(%x: tensor<1x8xi32>) {
  // expected-error @+1 {{is not defined on element type 'i32'}}
  %0 = dtensor.avg_pool %x {kernel = [2]} : (tensor<1x8xi32>) -> tensor<1x7xi32>
  return
}

// -----

func.func @places_of_maxima_are_integers(%x: tensor<1x8xf32>) {
  // expected-error @+1 {{indices have element type 'f32', expected integers}}
  %0, %1 = dtensor.max_pool %x {kernel = [2]} : (tensor<1x8xf32>) -> (tensor<1x7xf32>, tensor<1x7xf32>)
  return
}

// -----

func.func @a_pool_gradient_has_the_windows(%x: tensor<1x8xf32>) {
  // expected-error @+1 {{operand 0 dimension 1 has extent 8, expected 7}}
  %0 = dtensor.avg_pool_grad %x {sizes = [8], kernel = [2]} : (tensor<1x8xf32>) -> tensor<1x8xf32>
  return
}

// -----

func.func @an_adaptive_pool_has_a_size(%x: tensor<1x8xf32>) {
  // expected-error @+1 {{size is 0, expected at least 1}}
  %0 = dtensor.adaptive_avg_pool %x {sizes = [0]} : (tensor<1x8xf32>) -> tensor<1x0xf32>
  return
}

// -----

func.func @sizes_have_the_rank_at_most(%x: tensor<8xf32>) {
  // expected-error @+1 {{sizes has 2 entries for rank 1}}
  %0 = dtensor.adaptive_avg_pool %x {sizes = [1, 1]} : (tensor<8xf32>) -> tensor<1x1xf32>
  return
}

// -----

func.func @an_unfold_has_an_entry_per_dimension(%x: tensor<8xf32>) {
  // expected-error @+1 {{kernel has 2 entries, expected 1}}
  %0 = dtensor.unfold %x {dims = [0], sizes = [6], kernel = [3, 3], stride = [1], dilation = [1], offset = [0], divisor = [1], value = 0.0 : f32} : (tensor<8xf32>) -> tensor<6x3xf32>
  return
}

// -----

func.func @an_unfold_goes_forward(%x: tensor<8xf32>) {
  // expected-error @+1 {{stride -1 is out of range}}
  %0 = dtensor.unfold %x {dims = [0], sizes = [6], kernel = [3], stride = [-1], dilation = [1], offset = [0], divisor = [1], value = 0.0 : f32} : (tensor<8xf32>) -> tensor<6x3xf32>
  return
}

// -----

func.func @a_border_has_the_element_type(%x: tensor<8xf32>) {
  // expected-error @+1 {{value has type 'i64', expected 'f32'}}
  %0 = dtensor.unfold %x {dims = [0], sizes = [6], kernel = [3], stride = [1], dilation = [1], offset = [0], divisor = [1], value = 0 : i64} : (tensor<8xf32>) -> tensor<6x3xf32>
  return
}

// -----

func.func @there_are_no_fewer_than_no_windows(%x: tensor<8xf32>) {
  // expected-error @+1 {{extent -1 is negative}}
  %0 = dtensor.unfold %x {dims = [0], sizes = [-1], kernel = [3], stride = [1], dilation = [1], offset = [0], divisor = [1], value = 0.0 : f32} : (tensor<8xf32>) -> tensor<?x3xf32>
  return
}

// -----

func.func @windows_keep_the_element_type(%x: tensor<8xf32>) {
  // expected-error @+1 {{operand has element type 'f32' and result 'f64'}}
  %0 = dtensor.unfold %x {dims = [0], sizes = [6], kernel = [3], stride = [1], dilation = [1], offset = [0], divisor = [1], value = 0.0 : f32} : (tensor<8xf32>) -> tensor<6x3xf64>
  return
}

// -----

func.func @a_gradient_of_an_adaptive_pool_has_a_space(%g: tensor<8xf32>) {
  // expected-error @+1 {{sizes has 2 entries for rank 1}}
  %0 = dtensor.adaptive_avg_pool_grad %g {sizes = [1, 1]} : (tensor<8xf32>) -> tensor<1x1xf32>
  return
}

// -----

func.func @an_adaptive_pool_has_windows(%g: tensor<1x0xf32>) {
  // expected-error @+1 {{has no windows}}
  %0 = dtensor.adaptive_avg_pool_grad %g {sizes = [3]} : (tensor<1x0xf32>) -> tensor<1x3xf32>
  return
}
