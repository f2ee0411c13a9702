// RUN: dtensor-opt %s -split-input-file -verify-diagnostics

#mesh = #dtensor.mesh<"x" = 2>
func.func @symbols_that_differ_do_not_go_together(%a: tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>>, %b: tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B + 1)>>) {
  // expected-error @+1 {{operand 1 dimension 0 has extent B + 1, expected B}}
  %0 = dtensor.add %a, %b : (tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>>, tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B + 1)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>>
  return
}

// -----

func.func @numbers_that_differ_do_not_go_together(%a: tensor<2x3xf32>, %b: tensor<4xf32>) {
  // expected-error @+1 {{operand 1 dimension 0 has extent 4, expected 3}}
  %0 = dtensor.add %a, %b : (tensor<2x3xf32>, tensor<4xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @the_result_has_the_joined_extent(%a: tensor<1x3xf32>, %b: tensor<2x1xf32>) {
  // expected-error @+1 {{result dimension 0 has extent 1, expected 2}}
  %0 = dtensor.add %a, %b : (tensor<1x3xf32>, tensor<2x1xf32>) -> tensor<1x3xf32>
  return
}

// -----

func.func @the_result_has_the_larger_rank(%a: tensor<?x3xf32>, %b: tensor<3xf32>) {
  // expected-error @+1 {{result has rank 1, expected 2}}
  %0 = dtensor.add %a, %b : (tensor<?x3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @element_types_are_one(%a: tensor<?xf32>, %b: tensor<?xf64>) {
  // expected-error @+1 {{operand 1 has element type 'f64', expected 'f32'}}
  %0 = dtensor.add %a, %b : (tensor<?xf32>, tensor<?xf64>) -> tensor<?xf32>
  return
}

// -----

func.func @the_result_has_the_element_type(%a: tensor<?xf32>) {
  // expected-error @+1 {{result has element type 'f64', expected 'f32'}}
  %0 = dtensor.exp %a : (tensor<?xf32>) -> tensor<?xf64>
  return
}

// -----

func.func @integers_have_no_exponential(%a: tensor<?xi32>) {
  // expected-error @+1 {{is not defined on element type 'i32'}}
  %0 = dtensor.exp %a : (tensor<?xi32>) -> tensor<?xi32>
  return
}

// -----

func.func @a_condition_is_i1(%c: tensor<?xi8>, %a: tensor<?xf32>) {
  // expected-error @+1 {{operand 0 has element type 'i8', expected 'i1'}}
  %0 = dtensor.where %c, %a, %a : (tensor<?xi8>, tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @a_predicate_is_one_of_six(%a: tensor<?xf32>) {
  // expected-error @+1 {{predicate is "lesser", expected one of eq, ne, lt, le, gt, ge}}
  %0 = dtensor.compare %a, %a {predicate = "lesser"} : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xi1>
  return
}

// -----

func.func @gelu_has_one_approximation(%a: tensor<?xf32>) {
  // expected-error @+1 {{approximate is "erf", expected one of none, tanh}}
  %0 = dtensor.gelu %a {approximate = "erf"} : (tensor<?xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @scalars_alone_are_no_tensor(%a: f32) {
  // expected-error @+1 {{has no tensor operand}}
  %0 = dtensor.add %a, %a : (f32, f32) -> tensor<f32>
  return
}

// -----

#one = #dtensor.mesh<"x" = 2>
#two = #dtensor.mesh<"x" = 3>
func.func @meshes_do_not_mix(%a: tensor<4xf32, #dtensor.layout<#one, [replicate], (4)>>, %b: tensor<4xf32, #dtensor.layout<#two, [replicate], (4)>>) {
  // expected-error @+1 {{has tensors on two meshes}}
  %0 = dtensor.add %a, %b : (tensor<4xf32, #dtensor.layout<#one, [replicate], (4)>>, tensor<4xf32, #dtensor.layout<#two, [replicate], (4)>>) -> tensor<4xf32, #dtensor.layout<#one, [replicate], (4)>>
  return
}
