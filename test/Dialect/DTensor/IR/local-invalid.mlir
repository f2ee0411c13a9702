// RUN: dtensor-opt %s -split-input-file -verify-diagnostics

#mesh = #dtensor.mesh<"tp" = ?>
func.func @dim_out_of_range(%x: tensor<?x4xf32>, %n: index) {
  // expected-error @+1 {{dim 2 is out of range for rank 2}}
  %y = dtensor.all_gather %x dim 2 extent %n capacity %n on #mesh axes [0] : tensor<?x4xf32> -> tensor<?x4xf32>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @axis_out_of_range(%x: tensor<4xf32>) {
  // expected-error @+1 {{axis 1 is out of range for a mesh of 1 axes}}
  %y = dtensor.all_reduce sum %x on #mesh axes [1] : tensor<4xf32>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @axis_twice(%x: tensor<4xf32>) {
  // expected-error @+1 {{axis 0 appears twice}}
  %y = dtensor.all_reduce sum %x on #mesh axes [0, 0] : tensor<4xf32>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @no_axis(%x: tensor<?xf32>) {
  // expected-error @+1 {{names no mesh axis}}
  %y = dtensor.all_reduce sum %x on #mesh axes [] : tensor<?xf32>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @other_dims_differ(%x: tensor<?x4xf32>, %n: index) {
  // expected-error @+1 {{sizes of dimension 1 differ: 4 and 5}}
  %y = dtensor.all_gather %x dim 0 extent %n capacity %n on #mesh axes [0] : tensor<?x4xf32> -> tensor<?x5xf32>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @element_types_differ(%x: tensor<?x4xf32>, %n: index) {
  // expected-error @+1 {{element types differ: 'f32' and 'f64'}}
  %y = dtensor.reduce_scatter sum %x dim 0 offset %n size %n capacity %n on #mesh axes [0] : tensor<?x4xf32> -> tensor<?x4xf64>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @tensor_with_a_layout(%x: tensor<?xf32, #dtensor.layout<#mesh, [partial(sum)], (B)>>) {
  // expected-error @+1 {{is a local op, but}}
  %y = dtensor.all_reduce sum %x on #mesh axes [0] : tensor<?xf32, #dtensor.layout<#mesh, [partial(sum)], (B)>>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @gathers_what_it_splits(%x: tensor<?xf32>, %n: index) {
  // expected-error @+1 {{gathers and splits the same dim 0}}
  %y = dtensor.all_to_all %x gather 0 extent %n capacity %n split 0 offset %n size %n capacity %n on #mesh axes [0] : tensor<?xf32> -> tensor<?xf32>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @split_dim_out_of_range(%x: tensor<?xf32>, %n: index) {
  // expected-error @+1 {{split dim 1 is out of range for rank 1}}
  %y = dtensor.all_to_all %x gather 0 extent %n capacity %n split 1 offset %n size %n capacity %n on #mesh axes [0] : tensor<?xf32> -> tensor<?xf32>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @sizes_are_missing(%x: tensor<?xf32>, %q: index) {
  // expected-error @+1 {{has 0 sizes but result has 1 dynamic dimensions}}
  %y = dtensor.collective_permute %x source %q sizes() on #mesh axes [0] : tensor<?xf32> -> tensor<?xf32>
  return
}

// -----

func.func @slice_dim_out_of_range(%x: tensor<?xf32>, %n: index) {
  // expected-error @+1 {{dim -1 is out of range for rank 1}}
  %y = dtensor.shard_slice %x dim -1 offset %n size %n : tensor<?xf32> -> tensor<?xf32>
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @coordinate_on_a_missing_axis() {
  // expected-error @+1 {{"dp" is not an axis of the mesh}}
  %r = dtensor.axis_index #mesh "dp"
  return
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @size_of_a_missing_axis() {
  // expected-error @+1 {{"dp" is not an axis of the mesh}}
  %n = dtensor.axis_size #mesh "dp"
  return
}

// -----

func.func @merge_with_other_positions(%x: tensor<?xf32>, %i: tensor<?x4xi64>, %n: index) {
  // expected-error @+1 {{'dtensor.merge' op has values 'tensor<?xf32>' and positions 'tensor<?x4xi64>' of another shape}}
  %y, %p = dtensor.merge %x, %i and %x, %i begin %n count %n dim 0 : tensor<?xf32>, tensor<?x4xi64>
  return
}

// -----

func.func @merge_by_numbers(%x: tensor<?xf32>, %n: index) {
  // expected-error @+1 {{'dtensor.merge' op has positions of element type 'f32'}}
  %y, %p = dtensor.merge %x, %x and %x, %x begin %n count %n dim 0 : tensor<?xf32>, tensor<?xf32>
  return
}

// -----

func.func @merge_along_no_dimension(%x: tensor<?xf32>, %i: tensor<?xi64>, %n: index) {
  // expected-error @+1 {{'dtensor.merge' op dim is 1, but the rank is 1}}
  %y, %p = dtensor.merge %x, %i and %x, %i begin %n count %n dim 1 : tensor<?xf32>, tensor<?xi64>
  return
}
