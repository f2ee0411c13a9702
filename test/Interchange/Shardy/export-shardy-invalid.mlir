// RUN: dtensor-opt %s --split-input-file --verify-diagnostics --dtensor-export-shardy

#mesh = #dtensor.mesh<"x" = 2>
// expected-error @below {{argument 0: Shardy has no words for shard(0, unit = 4) on mesh axis "x"}}
func.func @a_unit(%x: tensor<12xf32, #dtensor.layout<#mesh, [shard(0, unit = 4)], (12)>>) {
  return
}

// -----

#mesh = #dtensor.mesh<"x" = 2>
// expected-error @below {{argument 0: Shardy has no words for partial(avg) on mesh axis "x"}}
func.func @a_pending_average(%x: tensor<8xf32, #dtensor.layout<#mesh, [partial(avg)], (8)>>) {
  return
}

// -----

#mesh = #dtensor.mesh<"x" = 2>
// expected-error @below {{result 0: Shardy has no words for ? of a scalar on mesh axis "x"}}
func.func private @an_open_scalar() -> tensor<f32, #dtensor.layout<#mesh, [?], ()>>

// -----

#mesh = #dtensor.mesh<"x" = ?>
// expected-error @below {{argument 0: mesh axis "x" has no known size, Shardy needs a number}}
func.func @a_mesh_of_any_size(%x: tensor<8xf32, #dtensor.layout<#mesh, [shard(0)], (8)>>) {
  return
}

// -----

#mesh = #dtensor.mesh<"x" = 2>
// expected-error @below {{argument 0: dimension 0 has size N, Shardy needs a number}}
func.func @a_tensor_of_any_size(%x: tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (N)>>) {
  return
}

// -----

#mesh = #dtensor.mesh<"x" = 2, "y" = 2>
// expected-error @below {{argument 0: dimension 0 of 6 elements is cut by 2 axes, 4 tiles of Shardy lie elsewhere}}
func.func @uneven_tiles(%x: tensor<6xf32, #dtensor.layout<#mesh, [shard(0), shard(0)], (6)>>) {
  return
}

// -----

#mesh = #dtensor.mesh<"x" = 2, "x:(1)2" = 2, "x:(2)2" = 2>
// expected-error @below {{argument 0: mesh has an axis "x", and axes that are parts of one of this name}}
func.func @two_axes_of_one_name(%x: tensor<8xf32, #dtensor.layout<#mesh, [shard(0), replicate, replicate], (8)>>) {
  return
}

// -----

#mesh = #dtensor.mesh<"x" = 2, "y" = 2>
// expected-error @below {{argument 0: Shardy has no words for ? on mesh axis "x", which may cut before axis "y"}}
func.func @an_axis_that_may_cut_before(%x: tensor<8xf32, #dtensor.layout<#mesh, [?, shard(0)], (8)>>) {
  return
}

// -----

#mesh = #dtensor.mesh<"x" = 2>
func.func @half_of_the_results(%c: i1, %x: tensor<8xf32, #dtensor.layout<#mesh, [shard(0)], (8)>>, %y: tensor<8xf32>) {
  // expected-error @below {{result 1 is a tensor without a layout}}
  %0:2 = scf.if %c -> (tensor<8xf32, #dtensor.layout<#mesh, [shard(0)], (8)>>, tensor<8xf32>) {
    scf.yield %x, %y : tensor<8xf32, #dtensor.layout<#mesh, [shard(0)], (8)>>, tensor<8xf32>
  } else {
    scf.yield %x, %y : tensor<8xf32, #dtensor.layout<#mesh, [shard(0)], (8)>>, tensor<8xf32>
  }
  return
}
