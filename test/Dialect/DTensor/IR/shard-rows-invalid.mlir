// RUN: dtensor-opt %s --verify-diagnostics --split-input-file

#mesh = #dtensor.mesh<"tp" = 2>
#whole = #dtensor.layout<#mesh, [replicate], (6)>
#rows = #dtensor.layout<#mesh, [shard(0)], (2, 3)>
func.func @a_whole_dimension_has_no_shards(%x: tensor<6xf32, #whole>) {
  // expected-error @+1 {{needs a layout that shards dimension 0}}
  %0 = dtensor.stack_shards %x {dim = 0, value = 0.0 : f32} : (tensor<6xf32, #whole>) -> tensor<2x3xf32, #rows>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = 2>
#six = #dtensor.layout<#mesh, [shard(0)], (6)>
#rows = #dtensor.layout<#mesh, [shard(0)], (2, 3)>
func.func @a_shard_has_a_dimension(%x: tensor<6xf32, #six>) {
  // expected-error @+1 {{dim 1 is out of range for rank 1}}
  %0 = dtensor.stack_shards %x {dim = 1, value = 0.0 : f32} : (tensor<6xf32, #six>) -> tensor<2x3xf32, #rows>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = 2>
#six = #dtensor.layout<#mesh, [shard(0)], (6)>
#rows = #dtensor.layout<#mesh, [shard(0)], (3, 3)>
func.func @there_is_a_row_for_each_rank(%x: tensor<6xf32, #six>) {
  // expected-error @+1 {{rows dimension 0 has extent 3, expected 2}}
  %0 = dtensor.stack_shards %x {dim = 0, value = 0.0 : f32} : (tensor<6xf32, #six>) -> tensor<3x3xf32, #rows>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = 2>
#six = #dtensor.layout<#mesh, [shard(0)], (6)>
func.func @rows_are_one_dimension_more(%x: tensor<6xf32, #six>) {
  // expected-error @+1 {{rows have rank 1, expected 2}}
  %0 = dtensor.unstack_shards %x {dim = 0} : (tensor<6xf32, #six>) -> tensor<6xf32, #six>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = 2>
#six = #dtensor.layout<#mesh, [shard(0)], (6)>
#rows = #dtensor.layout<#mesh, [shard(0)], (2, 3)>
func.func @a_filling_has_the_element_type(%x: tensor<6xf32, #six>) {
  // expected-error @+1 {{value has type 'i64', expected 'f32'}}
  %0 = dtensor.stack_shards %x {dim = 0, value = 0 : i64} : (tensor<6xf32, #six>) -> tensor<2x3xf32, #rows>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = 2>
#six = #dtensor.layout<#mesh, [shard(0)], (6)>
#rows = #dtensor.layout<#mesh, [shard(0)], (2, 3)>
func.func @rows_have_the_element_type(%x: tensor<2x3xf64, #rows>) {
  // expected-error @+1 {{rows have element type 'f64', expected 'f32'}}
  %0 = dtensor.unstack_shards %x {dim = 0} : (tensor<2x3xf64, #rows>) -> tensor<6xf32, #six>
  return
}
