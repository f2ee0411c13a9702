// RUN: dtensor-opt %s --split-input-file --verify-diagnostics --allow-unregistered-dialect --dtensor-import-shardy

// expected-error @below {{argument 0: no mesh is named @mesh}}
func.func @an_unknown_mesh(%x: tensor<8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"x"}]>}) {
  return
}

// -----

sdy.mesh @mesh = <["x"=2]>
// expected-error @below {{argument 0: no axis of mesh <["x"=2]> is named "y"}}
func.func @an_unknown_axis(%x: tensor<8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"y"}]>}) {
  return
}

// -----

sdy.mesh @mesh = <["x"=2]>
sdy.mesh @other = <["x"=4]>
func.func @two_meshes(%x: tensor<8xf32>) -> tensor<8xf32> {
  // expected-note @below {{this is on mesh <["x"=2]>}}
  %0 = sdy.sharding_constraint %x <@mesh, [{"x"}]> : tensor<8xf32>
  // expected-error @below {{sharding is on mesh <["x"=4]>, a module here has one mesh}}
  %1 = sdy.sharding_constraint %0 <@other, [{"x"}]> : tensor<8xf32>
  return %1 : tensor<8xf32>
}

// -----

sdy.mesh @mesh = <["x"=2], device_ids=[1, 0]>
// expected-error @below {{mesh <["x"=2], device_ids=[1, 0]>: a mesh here has axes, and its ranks are row-major}}
func.func @other_devices(%x: tensor<8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"x"}]>}) {
  return
}

// -----

sdy.mesh @mesh = <["x"=2]>
// expected-error @below {{argument 0: "<@mesh, [{"x"}p1]>": dimension 0 has priority 1, here all placements are chosen together}}
func.func @a_priority(%x: tensor<8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"x"}p1]>}) {
  return
}

// -----

sdy.mesh @mesh = <["x"=2]>
// expected-error @below {{result 0: "<@mesh, [{?}, {}]>": dimension 1 is closed and another one is open, here axis "x" is free for all dimensions or for none}}
func.func @open_and_closed(%x: tensor<8x8xf32>) -> (tensor<8x8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{?}, {}]>}) {
  return %x : tensor<8x8xf32>
}

// -----

sdy.mesh @mesh = <["x"=2, "y"=2]>
// expected-error @below {{argument 0: "<@mesh, [{"y", ?}]>": axis "x" is free, here it may cut before axis "y"}}
func.func @an_axis_that_may_cut_before(%x: tensor<8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"y", ?}]>}) {
  return
}

// -----

sdy.mesh @mesh = <["x"=6]>
// expected-error @below {{parts of mesh axis "x" end at 2 and at 3 of 6, which have no parts in common}}
func.func @parts_that_do_not_fit(%x: tensor<8x8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"x":(1)2}, {}]>},
                                 %y: tensor<8x8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"x":(1)3}, {}]>}) {
  return
}

// -----

sdy.mesh @mesh = <["x"=2, "y"=2]>
// expected-error @below {{argument 0: dimension 0 of 6 elements is cut by 2 axes, 4 tiles of Shardy lie elsewhere}}
func.func @uneven_tiles(%x: tensor<6xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"x", "y"}]>}) {
  return
}

// -----

sdy.mesh @mesh = <["x"=2]>
// expected-error @below {{argument 0: "<@mesh, [{"x"}]>": 1 dimensions for a tensor of rank 2}}
func.func @another_rank(%x: tensor<8x8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"x"}]>}) {
  return
}

// -----

sdy.mesh @mesh = <["x"=2]>
// expected-error @below {{argument 0: a sharding of 'f32', which is no ranked tensor}}
func.func @no_tensor(%x: f32 {sdy.sharding = #sdy.sharding<@mesh, []>}) {
  return
}

// -----

// expected-error @below {{argument 0: attribute "sdy.sharding" is "rows", which is no sharding}}
func.func @no_sharding(%x: tensor<8xf32> {sdy.sharding = "rows"}) {
  return
}

// -----

sdy.mesh @mesh = <["x"=2]>
// expected-error @below {{argument 0 has several shardings}}
func.func @several_shardings(%x: tensor<8xf32> {sdy.sharding = #sdy.sharding_per_value<[<@mesh, [{}]>]>}) {
  return
}

// -----

sdy.mesh @mesh = <["x"=2]>
func.func @too_many_shardings(%x: tensor<8xf32>) -> tensor<8xf32> {
  // expected-error @below {{has 2 shardings for 1 results}}
  %0 = math.tanh %x {sdy.sharding = #sdy.sharding_per_value<[<@mesh, [{}]>, <@mesh, [{}]>]>} : tensor<8xf32>
  return %0 : tensor<8xf32>
}
