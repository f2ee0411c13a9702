// RUN: dtensor-opt %s -split-input-file -verify-diagnostics

func.func @contracted_extents_are_equal(%a: tensor<?x3xf32>, %b: tensor<4x?xf32>) {
  // expected-error @+1 {{rhs dimension 0 has extent 4, expected 3}}
  %0 = dtensor.matmul %a, %b : (tensor<?x3xf32>, tensor<4x?xf32>) -> tensor<?x?xf32>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = 2>
func.func @contracted_symbols_are_equal(%a: tensor<2x?xf32, #dtensor.layout<#mesh, [replicate], (2, 2*K + 2)>>, %b: tensor<?x2xf32, #dtensor.layout<#mesh, [replicate], (K, 2)>>) {
  // expected-error @+1 {{rhs dimension 0 has extent K, expected 2*K + 2}}
  %0 = dtensor.matmul %a, %b : (tensor<2x?xf32, #dtensor.layout<#mesh, [replicate], (2, 2*K + 2)>>, tensor<?x2xf32, #dtensor.layout<#mesh, [replicate], (K, 2)>>) -> tensor<2x2xf32, #dtensor.layout<#mesh, [replicate], (2, 2)>>
  return
}

// -----

func.func @batches_are_equal(%a: tensor<2x?x3xf32>, %b: tensor<5x3x?xf32>) {
  // expected-error @+1 {{rhs dimension 0 has extent 5, expected 2}}
  %0 = dtensor.matmul %a, %b : (tensor<2x?x3xf32>, tensor<5x3x?xf32>) -> tensor<2x?x?xf32>
  return
}

// -----

func.func @ranks_go_together(%a: tensor<2x3xf32>, %b: tensor<5x3x?xf32>) {
  // expected-error @+1 {{lhs has rank 2 and rhs 3, expected equal ranks or an rhs of rank 2}}
  %0 = dtensor.matmul %a, %b : (tensor<2x3xf32>, tensor<5x3x?xf32>) -> tensor<2x?xf32>
  return
}

// -----

func.func @a_vector_is_no_matrix(%a: tensor<3xf32>, %b: tensor<3x?xf32>) {
  // expected-error @+1 {{lhs has rank 1, expected at least 2}}
  %0 = dtensor.matmul %a, %b : (tensor<3xf32>, tensor<3x?xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @element_types_are_one(%a: tensor<3x3xf32>, %b: tensor<3x3xbf16>) {
  // expected-error @+1 {{operands have element types 'f32' and 'bf16'}}
  %0 = dtensor.matmul %a, %b : (tensor<3x3xf32>, tensor<3x3xbf16>) -> tensor<3x3xf32>
  return
}

// -----

func.func @products_are_not_narrowed(%a: tensor<3x3xf32>) {
  // expected-error @+1 {{cannot accumulate products of 'f32' in 'bf16'}}
  %0 = dtensor.matmul %a, %a : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xbf16>
  return
}

// -----

func.func @a_bias_has_the_width_of_the_weight(%x: tensor<?x64xf32>, %w: tensor<8x64xf32>, %b: tensor<64xf32>) {
  // expected-error @+1 {{bias dimension 0 has extent 64, expected 8}}
  %0 = dtensor.linear %x, %w, %b : (tensor<?x64xf32>, tensor<8x64xf32>, tensor<64xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @a_weight_has_two_dimensions(%x: tensor<?x64xf32>, %w: tensor<64xf32>) {
  // expected-error @+1 {{weight has rank 1, expected 2}}
  %0 = dtensor.linear %x, %w : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @a_weight_is_as_deep_as_the_input(%x: tensor<?x64xf32>, %w: tensor<8x32xf32>) {
  // expected-error @+1 {{weight dimension 1 has extent 32, expected 64}}
  %0 = dtensor.linear %x, %w : (tensor<?x64xf32>, tensor<8x32xf32>) -> tensor<?x8xf32>
  return
}
