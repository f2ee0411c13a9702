// RUN: dtensor-opt %s -split-input-file -verify-diagnostics

func.func @softmax_is_along_a_dimension(%x: tensor<?xf32>) {
  // expected-error @+1 {{dim 1 is out of range for rank 1}}
  %0 = dtensor.softmax %x {dim = 1} : (tensor<?xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @softmax_needs_floats(%x: tensor<?xi32>) {
  // expected-error @+1 {{is not defined on element type 'i32'}}
  %0 = dtensor.softmax %x {dim = 0} : (tensor<?xi32>) -> tensor<?xi32>
  return
}

// -----

func.func @softmax_keeps_the_shape(%x: tensor<4xf32>) {
  // expected-error @+1 {{result dimension 0 has extent 3, expected 4}}
  %0 = dtensor.softmax %x {dim = 0} : (tensor<4xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @a_norm_is_over_dimensions(%x: tensor<?xf32>) {
  // expected-error @+1 {{trailing 2 is out of range for rank 1}}
  %0 = dtensor.layer_norm %x {trailing = 2} : (tensor<?xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @a_norm_is_over_some_dimension(%x: tensor<?xf32>) {
  // expected-error @+1 {{trailing 0 is out of range for rank 1}}
  %0 = dtensor.layer_norm %x {trailing = 0} : (tensor<?xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @a_weight_has_the_normalized_shape(%x: tensor<?x4xf32>, %w: tensor<3xf32>) {
  // expected-error @+1 {{parameter 0 dimension 0 has extent 3, expected 4}}
  %0 = dtensor.layer_norm %x, %w : (tensor<?x4xf32>, tensor<3xf32>) -> tensor<?x4xf32>
  return
}

// -----

func.func @a_weight_has_the_normalized_rank(%x: tensor<?x4xf32>, %w: tensor<4xf32>) {
  // expected-error @+1 {{parameter 0 has rank 1, expected 2}}
  %0 = dtensor.layer_norm %x, %w {trailing = 2} : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return
}

// -----

func.func @rms_norm_has_no_bias(%x: tensor<?x4xf32>, %w: tensor<4xf32>) {
  // expected-error @+1 {{has 2 parameters, expected at most 1}}
  %0 = dtensor.rms_norm %x, %w, %w : (tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return
}

// -----

func.func @parameters_have_the_element_type(%x: tensor<?x4xf32>, %w: tensor<4xf64>) {
  // expected-error @+1 {{operand has element type 'f64' and result 'f32'}}
  %0 = dtensor.rms_norm %x, %w : (tensor<?x4xf32>, tensor<4xf64>) -> tensor<?x4xf32>
  return
}

// -----

func.func @attention_has_heads(%q: tensor<?x4xf32>) {
  // expected-error @+1 {{query has rank 2, expected at least 3}}
  %0 = dtensor.attention %q, %q, %q : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}

// -----

func.func @attention_ranks_are_one(%q: tensor<2x?x4xf32>, %k: tensor<1x2x?x4xf32>) {
  // expected-error @+1 {{key has rank 4, expected 3}}
  %0 = dtensor.attention %q, %k, %q : (tensor<2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
  return
}

// -----

func.func @heads_are_grouped_evenly(%q: tensor<8x?x4xf32>, %k: tensor<3x?x4xf32>) {
  // expected-error @+1 {{query has 8 heads, not a multiple of the key's 3}}
  %0 = dtensor.attention %q, %k, %k : (tensor<8x?x4xf32>, tensor<3x?x4xf32>, tensor<3x?x4xf32>) -> tensor<8x?x4xf32>
  return
}

// -----

func.func @keys_are_as_wide_as_queries(%q: tensor<8x?x4xf32>, %k: tensor<2x?x8xf32>) {
  // expected-error @+1 {{key dimension 2 has extent 8, expected 4}}
  %0 = dtensor.attention %q, %k, %k : (tensor<8x?x4xf32>, tensor<2x?x8xf32>, tensor<2x?x8xf32>) -> tensor<8x?x8xf32>
  return
}

// -----

func.func @values_are_as_many_as_keys(%q: tensor<8x?x4xf32>, %k: tensor<2x6x4xf32>, %v: tensor<2x7x4xf32>) {
  // expected-error @+1 {{value dimension 1 has extent 7, expected 6}}
  %0 = dtensor.attention %q, %k, %v : (tensor<8x?x4xf32>, tensor<2x6x4xf32>, tensor<2x7x4xf32>) -> tensor<8x?x4xf32>
  return
}

// -----

func.func @a_diagonal_is_for_causal_attention(%q: tensor<8x?x4xf32>, %d: index) {
  // expected-error @+1 {{has a diagonal but is not causal}}
  %0 = dtensor.attention %q, %q, %q, %d : (tensor<8x?x4xf32>, tensor<8x?x4xf32>, tensor<8x?x4xf32>, index) -> tensor<8x?x4xf32>
  return
}

// -----

func.func @attention_needs_floats(%q: tensor<8x?x4xi32>) {
  // expected-error @+1 {{is not defined on element type 'i32'}}
  %0 = dtensor.attention %q, %q, %q : (tensor<8x?x4xi32>, tensor<8x?x4xi32>, tensor<8x?x4xi32>) -> tensor<8x?x4xi32>
  return
}

// -----

func.func @queries_do_not_attend_to_no_heads(%q: tensor<8x?x4xf32>, %k: tensor<0x?x4xf32>) {
  // expected-error @+1 {{query has 8 heads, not a multiple of the key's 0}}
  %0 = dtensor.attention %q, %k, %k : (tensor<8x?x4xf32>, tensor<0x?x4xf32>, tensor<0x?x4xf32>) -> tensor<8x?x4xf32>
  return
}

// -----

func.func @a_ring_of_three_heads(%q: tensor<8x?x4xf32>, %k: tensor<3x?x4xf32>) {
  // expected-error @+1 {{'dtensor.ring_attention_backward' op query has 8 heads, not a multiple of the key's 3}}
  %0:3 = dtensor.ring_attention_backward %q, %q, %k, %k, %q : (tensor<8x?x4xf32>, tensor<8x?x4xf32>, tensor<3x?x4xf32>, tensor<3x?x4xf32>, tensor<8x?x4xf32>) -> (tensor<8x?x4xf32>, tensor<3x?x4xf32>, tensor<3x?x4xf32>)
  return
}

// -----

func.func @sums_of_a_ring_are_wide(%q: tensor<8x?x4xbf16>, %l: tensor<8x?xbf16>) {
  // expected-error @+1 {{'dtensor.ring_attention_backward' op operand 5}}
  %0:3 = dtensor.ring_attention_backward %q, %q, %q, %q, %q, %l : (tensor<8x?x4xbf16>, tensor<8x?x4xbf16>, tensor<8x?x4xbf16>, tensor<8x?x4xbf16>, tensor<8x?x4xbf16>, tensor<8x?xbf16>) -> (tensor<8x?x4xbf16>, tensor<8x?x4xbf16>, tensor<8x?x4xbf16>)
  return
}

// -----

func.func @a_diagonal_of_the_device_is_one_number(%q: tensor<8x?x4xf32>, %d: tensor<2xi64>) {
  // expected-error @+1 {{has a diagonal of rank 1 and element type 'i64', expected an index or a tensor of rank 0 of i64}}
  %0 = dtensor.attention %q, %q, %q, %d {causal} : (tensor<8x?x4xf32>, tensor<8x?x4xf32>, tensor<8x?x4xf32>, tensor<2xi64>) -> tensor<8x?x4xf32>
  return
}

// -----

func.func @gradients_of_attention_have_heads(%x: tensor<?x4xf32>, %l: tensor<?xf32>) {
  // expected-error @+1 {{query, key and value have ranks 2, 2 and 2, expected one of at least 3}}
  %0:2 = dtensor.attention_query_grad %x, %x, %x, %x, %l : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?xf32>) -> (tensor<?x4xf32>, tensor<?xf32>)
  return
}

// -----

func.func @gradients_of_one_rank(%x: tensor<8x?x4xf32>, %k: tensor<1x2x?x4xf32>, %l: tensor<8x?xf32>) {
  // expected-error @+1 {{query, key and value have ranks 3, 4 and 3, expected one of at least 3}}
  %0:2 = dtensor.attention_key_value_grad %x, %x, %k, %x, %l, %l : (tensor<8x?x4xf32>, tensor<8x?x4xf32>, tensor<1x2x?x4xf32>, tensor<8x?x4xf32>, tensor<8x?xf32>, tensor<8x?xf32>) -> (tensor<1x2x?x4xf32>, tensor<8x?x4xf32>)
  return
}

// -----

func.func @gradients_of_three_heads(%x: tensor<8x?x4xf32>, %k: tensor<3x?x4xf32>, %l: tensor<8x?xf32>) {
  // expected-error @+1 {{'dtensor.attention_key_value_grad' op query has 8 heads, not a multiple of the key's 3}}
  %0:2 = dtensor.attention_key_value_grad %x, %x, %k, %k, %l, %l : (tensor<8x?x4xf32>, tensor<8x?x4xf32>, tensor<3x?x4xf32>, tensor<3x?x4xf32>, tensor<8x?xf32>, tensor<8x?xf32>) -> (tensor<3x?x4xf32>, tensor<3x?x4xf32>)
  return
}

// -----

func.func @a_gradient_is_as_wide_as_values(%g: tensor<8x?x6xf32>, %x: tensor<8x?x4xf32>, %k: tensor<2x?x4xf32>, %l: tensor<8x?xf32>) {
  // expected-error @+1 {{operand 0 dimension 2 has extent 6, expected 4}}
  %0:2 = dtensor.attention_query_grad %g, %x, %k, %k, %l : (tensor<8x?x6xf32>, tensor<8x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<8x?xf32>) -> (tensor<8x?x4xf32>, tensor<8x?xf32>)
  return
}

// -----

func.func @gradients_of_as_many_values_as_keys(%x: tensor<8x?x4xf32>, %k: tensor<2x6x4xf32>, %v: tensor<2x7x4xf32>, %l: tensor<8x?xf32>) {
  // expected-error @+1 {{operand 3 dimension 1 has extent 7, expected 6}}
  %0:2 = dtensor.attention_key_value_grad %x, %x, %k, %v, %l, %l : (tensor<8x?x4xf32>, tensor<8x?x4xf32>, tensor<2x6x4xf32>, tensor<2x7x4xf32>, tensor<8x?xf32>, tensor<8x?xf32>) -> (tensor<2x6x4xf32>, tensor<2x7x4xf32>)
  return
}

// -----

func.func @every_row_has_a_delta(%x: tensor<8x?x4xf32>, %k: tensor<2x?x4xf32>, %l: tensor<8x?x4xf32>) {
  // expected-error @+1 {{operand 4 has rank 3, expected 2}}
  %0:2 = dtensor.attention_query_grad %x, %x, %k, %k, %l : (tensor<8x?x4xf32>, tensor<8x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<8x?x4xf32>) -> (tensor<8x?x4xf32>, tensor<8x?xf32>)
  return
}

// -----

func.func @rows_of_a_gradient_are_wide(%x: tensor<8x?x4xbf16>, %k: tensor<2x?x4xbf16>, %l: tensor<8x?xbf16>) {
  // expected-error @+1 {{operand 4 has element type 'bf16', expected 'f32'}}
  %0:2 = dtensor.attention_key_value_grad %x, %x, %k, %k, %l, %l : (tensor<8x?x4xbf16>, tensor<8x?x4xbf16>, tensor<2x?x4xbf16>, tensor<2x?x4xbf16>, tensor<8x?xbf16>, tensor<8x?xbf16>) -> (tensor<2x?x4xbf16>, tensor<2x?x4xbf16>)
  return
}

// -----

func.func @a_logsumexp_is_wide(%x: tensor<8x?x4xbf16>, %k: tensor<2x?x4xbf16>, %l: tensor<8x?xf32>) {
  // expected-error @+1 {{has results of element types 'bf16' and 'bf16'}}
  %0:2 = dtensor.attention_query_grad %x, %x, %k, %k, %l : (tensor<8x?x4xbf16>, tensor<8x?x4xbf16>, tensor<2x?x4xbf16>, tensor<2x?x4xbf16>, tensor<8x?xf32>) -> (tensor<8x?x4xbf16>, tensor<8x?xbf16>)
  return
}

// -----

func.func @gradients_have_one_element_type(%x: tensor<8x?x4xf32>, %k: tensor<2x?x4xbf16>, %l: tensor<8x?xf32>) {
  // expected-error @+1 {{operand 2 has element type 'bf16', expected 'f32'}}
  %0:2 = dtensor.attention_query_grad %x, %x, %k, %k, %l : (tensor<8x?x4xf32>, tensor<8x?x4xf32>, tensor<2x?x4xbf16>, tensor<2x?x4xbf16>, tensor<8x?xf32>) -> (tensor<8x?x4xf32>, tensor<8x?xf32>)
  return
}

// -----

func.func @gradients_need_floats(%x: tensor<8x?x4xi32>, %l: tensor<8x?xi32>) {
  // expected-error @+1 {{is not defined on element type 'i32'}}
  %0:2 = dtensor.attention_query_grad %x, %x, %x, %x, %l : (tensor<8x?x4xi32>, tensor<8x?x4xi32>, tensor<8x?x4xi32>, tensor<8x?x4xi32>, tensor<8x?xi32>) -> (tensor<8x?x4xi32>, tensor<8x?xi32>)
  return
}

// -----

func.func @a_diagonal_is_for_causal_gradients(%x: tensor<8x?x4xf32>, %l: tensor<8x?xf32>, %d: index) {
  // expected-error @+1 {{has a diagonal but is not causal}}
  %0:2 = dtensor.attention_key_value_grad %x, %x, %x, %x, %l, %l, %d : (tensor<8x?x4xf32>, tensor<8x?x4xf32>, tensor<8x?x4xf32>, tensor<8x?x4xf32>, tensor<8x?xf32>, tensor<8x?xf32>, index) -> (tensor<8x?x4xf32>, tensor<8x?x4xf32>)
  return
}

// -----

func.func @a_gradient_has_the_shape_of_its_key(%x: tensor<8x?x4xf32>, %k: tensor<2x?x4xf32>, %l: tensor<8x?xf32>) {
  // expected-error @+1 {{result 0 dimension 0 has extent 8, expected 2}}
  %0:2 = dtensor.attention_key_value_grad %x, %x, %k, %k, %l, %l : (tensor<8x?x4xf32>, tensor<8x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<8x?xf32>, tensor<8x?xf32>) -> (tensor<8x?x4xf32>, tensor<2x?x4xf32>)
  return
}

// -----

func.func @a_logsumexp_has_no_depth(%x: tensor<8x?x4xf32>, %k: tensor<2x?x4xf32>, %l: tensor<8x?xf32>) {
  // expected-error @+1 {{result 1 has rank 3, expected 2}}
  %0:2 = dtensor.attention_query_grad %x, %x, %k, %k, %l : (tensor<8x?x4xf32>, tensor<8x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<8x?xf32>) -> (tensor<8x?x4xf32>, tensor<8x?x4xf32>)
  return
}
