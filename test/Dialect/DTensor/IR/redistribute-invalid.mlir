// RUN: dtensor-opt %s -split-input-file -verify-diagnostics

#mesh = #dtensor.mesh<"dp" = 2, "tp" = ?>
func.func @shard_to_partial(%x: tensor<?xf32, #dtensor.layout<#mesh, [replicate, shard(0)], (B)>>) {
  // expected-error @+1 {{cannot redistribute shard(0) to partial(sum) on axis "tp"}}
  %y = dtensor.redistribute %x : tensor<?xf32, #dtensor.layout<#mesh, [replicate, shard(0)], (B)>> to tensor<?xf32, #dtensor.layout<#mesh, [replicate, partial(sum)], (B)>>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = 4>
func.func @partial_to_another_kind(%x: tensor<8xf32, #dtensor.layout<#mesh, [partial(max)], (8)>>) {
  // expected-error @+1 {{cannot redistribute partial(max) to partial(sum) on axis "tp"}}
  %y = dtensor.redistribute %x : tensor<8xf32, #dtensor.layout<#mesh, [partial(max)], (8)>> to tensor<8xf32, #dtensor.layout<#mesh, [partial(sum)], (8)>>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @to_other_extents(%x: tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>>) {
  // expected-error @+1 {{extents of dimension 0 differ: B and N}}
  %y = dtensor.redistribute %x : tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>> to tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @to_another_rank(%x: tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>>) {
  // expected-error @+1 {{ranks differ: 1 and 2}}
  %y = dtensor.redistribute %x : tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>> to tensor<?x1xf32, #dtensor.layout<#mesh, [shard(0)], (B, 1)>>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @to_another_element_type(%x: tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>>) {
  // expected-error @+1 {{element types differ: 'f32' and 'f64'}}
  %y = dtensor.redistribute %x : tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>> to tensor<?xf64, #dtensor.layout<#mesh, [shard(0)], (B)>>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#other = #dtensor.mesh<"dp" = 2>
func.func @to_another_mesh(%x: tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>>) {
  // expected-error @+1 {{meshes differ: #dtensor.mesh<"tp" = ?> and #dtensor.mesh<"dp" = 2>}}
  %y = dtensor.redistribute %x : tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>> to tensor<?xf32, #dtensor.layout<#other, [shard(0)], (B)>>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @to_a_plain_tensor(%x: tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>>) {
  // expected-error @+1 {{result has no layout}}
  %y = dtensor.redistribute %x : tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>> to tensor<?xf32>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @plan_for_other_extents(%x: tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (B)>>) {
  // expected-error @+1 {{plan is for other extents than the operand's}}
  %y = dtensor.redistribute %x plan <#mesh, (N), []> : tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (B)>> to tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#other = #dtensor.mesh<"tp" = 2>
func.func @plan_for_another_mesh(%x: tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (B)>>) {
  // expected-error @+1 {{plan is for another mesh: #dtensor.mesh<"tp" = 2>, operand has #dtensor.mesh<"tp" = ?>}}
  %y = dtensor.redistribute %x plan <#other, (B), []> : tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (B)>> to tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>>
  return
}
