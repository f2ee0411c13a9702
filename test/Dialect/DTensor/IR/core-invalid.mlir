// RUN: dtensor-opt %s -split-input-file -verify-diagnostics

#mesh = #dtensor.mesh<"tp" = ?>
func.func @constraint_of_another_rank(%x: tensor<?x4xf32>) {
  // expected-error @+1 {{layout has 1 extents but the tensor has rank 2}}
  %y = dtensor.constraint %x to <#mesh, [shard(0)], (B)> : tensor<?x4xf32>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @constraint_of_other_extents(%x: tensor<?xf32, #dtensor.layout<#mesh, [?], (B)>>) {
  // expected-error @+1 {{extents of dimension 0 differ: B and B + 1}}
  %y = dtensor.constraint %x to <#mesh, [shard(0)], (B + 1)> : tensor<?xf32, #dtensor.layout<#mesh, [?], (B)>>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @constraint_of_a_scalar_in_full(%x: f32) {
  // expected-error @+1 {{expected a ranked tensor, got 'f32'}}
  %y = dtensor.constraint %x to #dtensor.layout<#mesh, [shard(0)], (B)> : f32
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @constraint_without_a_type(%x: tensor<?xf32>) {
  // expected-error @+1 {{expected ':'}}
  %y = dtensor.constraint %x to #dtensor.layout<#mesh, [shard(0)], (B)>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @constraint_to_no_layout(%x: tensor<?xf32>) {
  // expected-error @+1 {{invalid kind of attribute specified}}
  %y = dtensor.constraint %x to #mesh : tensor<?xf32>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
// expected-error @+1 {{this attribute has no type, got 'f32'}}
func.func @a_layout_has_no_type(%x: tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B)> : f32}) {
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
// expected-error @+1 {{this attribute has no type, got 'f32'}}
func.func private @an_encoding_has_no_type(tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (B)> : f32>)

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#other = #dtensor.mesh<"tp" = 4>
func.func @constraint_on_another_mesh(%x: tensor<8xf32, #dtensor.layout<#mesh, [?], (8)>>) {
  // expected-error @+1 {{meshes differ: #dtensor.mesh<"tp" = ?> and #dtensor.mesh<"tp" = 4>}}
  %y = dtensor.constraint %x to <#other, [shard(0)], (8)> : tensor<8xf32, #dtensor.layout<#mesh, [?], (8)>>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @refine_to_different_extents(%x: tensor<?xf32, #dtensor.layout<#mesh, [?], (B)>>) {
  // expected-error @+1 {{extents of dimension 0 differ: B and B + 1}}
  %y = dtensor.refine %x : tensor<?xf32, #dtensor.layout<#mesh, [?], (B)>> to tensor<?xf32, #dtensor.layout<#mesh, [?], (B + 1)>>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @refine_to_other_placements(%x: tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (B)>>) {
  // expected-error @+1 {{placements differ: [shard(0)], (B) and [replicate], (N)}}
  %y = dtensor.refine %x : tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (B)>> to tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @refine_drops_the_layout(%x: tensor<8xf32, #dtensor.layout<#mesh, [shard(0)], (8)>>) {
  // expected-error @+1 {{only one of operand and result has a layout}}
  %y = dtensor.refine %x : tensor<8xf32, #dtensor.layout<#mesh, [shard(0)], (8)>> to tensor<8xf32>
  return
}

// -----

func.func @refine_to_another_rank(%x: tensor<8xf32>) {
  // expected-error @+1 {{ranks differ: 1 and 2}}
  %y = dtensor.refine %x : tensor<8xf32> to tensor<8x1xf32>
  return
}

// -----

func.func @refine_to_another_size(%x: tensor<8xf32>) {
  // expected-error @+1 {{extents of dimension 0 differ: 8 and 9}}
  %y = dtensor.refine %x : tensor<8xf32> to tensor<9xf32>
  return
}

// -----

func.func @call_of_nothing(%x: tensor<8xf32>) {
  // expected-error @+1 {{"layer" does not name a function}}
  dtensor.call @layer(%x) {} : (tensor<8xf32>) -> ()
  return
}

// -----

func.func private @layer(tensor<8xf32>)
func.func @call_with_too_few_operands() {
  // expected-error @+1 {{has 0 operands but the callee has 1}}
  dtensor.call @layer() {} : () -> ()
  return
}

// -----

func.func private @layer(f32)
func.func @call_with_another_scalar(%x: f64) {
  // expected-error @+1 {{operand 0 has type 'f64' but the callee has 'f32'}}
  dtensor.call @layer(%x) {} : (f64) -> ()
  return
}

// -----

func.func private @layer(f32)
func.func @call_with_a_plain_number(%x: f32) {
  // expected-error @+1 {{symbol "N" is not given an expression}}
  dtensor.call @layer(%x) {N = 4} : (f32) -> ()
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func private @layer(tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>>)
func.func @call_with_other_extents(%x: tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (K)>>) {
  // expected-error @+1 {{operand 0 dimension 0 has extent K but the callee's N is 2*K here}}
  dtensor.call @layer(%x) {N = #dtensor.expr<2*K>} : (tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (K)>>) -> ()
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func private @layer(tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>>)
func.func @call_with_other_placements(%x: tensor<?xf32, #dtensor.layout<#mesh, [replicate], (K)>>) {
  // expected-error @+1 {{operand 0 has type}}
  dtensor.call @layer(%x) {N = #dtensor.expr<K>} : (tensor<?xf32, #dtensor.layout<#mesh, [replicate], (K)>>) -> ()
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func private @layer(tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>>)
func.func @call_without_a_substitution(%x: tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>>) {
  // expected-error @+1 {{does not say what symbol "N" of the callee is}}
  dtensor.call @layer(%x) {} : (tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>>) -> ()
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @a_negative_priority(%x: tensor<?xf32>) {
  // expected-error @+1 {{attribute 'priority' failed to satisfy constraint: 64-bit signless integer attribute whose value is non-negative whose maximum value is 1000}}
  %y = dtensor.constraint %x to <#mesh, [shard(0)], (B)> {priority = -1} : tensor<?xf32>
  return
}

// -----

func.func @agreement_of_nothing() {
  // expected-error @+1 {{'dtensor.agree' op has 0 inputs and 0 results}}
  dtensor.agree : () -> ()
  return
}

// -----

func.func @agreement_with_a_result_too_many(%x: tensor<?xf32>) {
  // expected-error @+1 {{'dtensor.agree' op has 1 inputs and 2 results}}
  %0, %1 = dtensor.agree %x : (tensor<?xf32>) -> (tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @agreement_of_other_shapes(%x: tensor<4x?xf32>, %y: tensor<8x?xf32>) {
  // expected-error @+1 {{'dtensor.agree' op has inputs of different shapes: 'tensor<4x?xf32>' and 'tensor<8x?xf32>'}}
  %0, %1 = dtensor.agree %x, %y : (tensor<4x?xf32>, tensor<8x?xf32>) -> (tensor<4x?xf32>, tensor<8x?xf32>)
  return
}

// -----

func.func @agreement_changes_no_type(%x: tensor<?xf32>) {
  // expected-error @+1 {{'dtensor.agree' op element types differ: 'f32' and 'f64'}}
  %0 = dtensor.agree %x : (tensor<?xf32>) -> tensor<?xf64>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#cut = #dtensor.layout<#mesh, [shard(0)], (B)>
#whole = #dtensor.layout<#mesh, [replicate], (B)>
func.func @agreement_of_two_placements(%x: tensor<?xf32, #cut>, %y: tensor<?xf32, #cut>) {
  // expected-error @+1 {{'dtensor.agree' op placements differ: [shard(0)]}}
  %0, %1 = dtensor.agree %x, %y : (tensor<?xf32, #cut>, tensor<?xf32, #cut>) -> (tensor<?xf32, #cut>, tensor<?xf32, #whole>)
  return
}
