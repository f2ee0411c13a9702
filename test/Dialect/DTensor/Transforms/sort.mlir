// RUN: dtensor-compile %s --emit=planned -o - | FileCheck %s
// Sorting along a sharded dimension.

#mesh = #dtensor.mesh<"tp" = ?>
#cube = #dtensor.mesh<"a" = ?, "b" = ?, "tp" = ?>
#nested = #dtensor.layout<#cube, [shard(0), shard(0), shard(1)] order = ["b", "a", "tp"], (B, N)>
#columns = #dtensor.layout<#mesh, [shard(1)], (B, N)>
#static = #dtensor.layout<#mesh, [shard(1)], (1024, 65536)>
#vector = #dtensor.layout<#mesh, [shard(0)], (N)>
#whole = #dtensor.layout<#mesh, [replicate], (N)>
#million = #dtensor.layout<#mesh, [shard(0)], (1000000)>

// Rows take the place of columns, and nobody has more than a shard.
// CHECK-LABEL: @a_shard_moves_to_a_dimension_that_is_not_sorted
// CHECK: dtensor.redistribute %arg0 plan {{.*}}[all_to_all ["tp"] dim 0 from 1 to [shard(0)]
// CHECK: dtensor.sort
// CHECK: dtensor.redistribute {{.*}}[all_to_all ["tp"] dim 1 from 0 to [shard(1)]
// CHECK-NOT: all_gather
func.func @a_shard_moves_to_a_dimension_that_is_not_sorted(%x: tensor<?x?xf32> {dtensor.layout = #columns}) -> (tensor<?x?xf32> {dtensor.layout = #columns})
    attributes {dtensor.symbols = {B = {hint = 1024}, N = {hint = 65536}}} {
  %0, %1 = dtensor.sort %x {dim = 1} : (tensor<?x?xf32>) -> (tensor<?x?xf32>, tensor<?x?xi64>)
  return %0 : tensor<?x?xf32>
}

// CHECK-LABEL: @so_it_does_at_a_static_shape
// CHECK: [all_to_all ["tp"] dim 0 from 1 to [shard(0)]
// CHECK: [all_to_all ["tp"] dim 1 from 0 to [shard(1)]
// CHECK-NOT: all_gather
func.func @so_it_does_at_a_static_shape(%x: tensor<1024x65536xf32> {dtensor.layout = #static}) -> (tensor<1024x65536xf32> {dtensor.layout = #static}) {
  %0, %1 = dtensor.sort %x {dim = 1} : (tensor<1024x65536xf32>) -> (tensor<1024x65536xf32>, tensor<1024x65536xi64>)
  return %0 : tensor<1024x65536xf32>
}

// A short vector is gathered: few large steps take less than many small ones.
// CHECK-LABEL: @a_vector_is_gathered
// CHECK: [all_gather ["tp"] dim 0 to [replicate]
func.func @a_vector_is_gathered(%x: tensor<?xf32> {dtensor.layout = #vector}) -> (tensor<?xf32> {dtensor.layout = #vector}) {
  %0, %1 = dtensor.sort %x {dim = 0} : (tensor<?xf32>) -> (tensor<?xf32>, tensor<?xi64>)
  return %0 : tensor<?xf32>
}

// Pairs of ranks merge what they have; nobody has the whole.
// CHECK-LABEL: @a_long_vector_is_merged
// CHECK-NOT: dtensor.redistribute
// CHECK: dtensor.sort {{.*}} merges
// CHECK-NOT: dtensor.redistribute
// CHECK: return
func.func @a_long_vector_is_merged(%x: tensor<?xf32> {dtensor.layout = #vector}) -> (tensor<?xf32> {dtensor.layout = #vector}, tensor<?xi64> {dtensor.layout = #vector})
    attributes {dtensor.symbols = {N = {hint = 1000000}}} {
  %0, %1 = dtensor.sort %x {dim = 0} : (tensor<?xf32>) -> (tensor<?xf32>, tensor<?xi64>)
  return %0, %1 : tensor<?xf32>, tensor<?xi64>
}

// CHECK-LABEL: @so_it_is_at_a_static_size
// CHECK-NOT: dtensor.redistribute
// CHECK: dtensor.sort {{.*}} merges
// CHECK-NOT: dtensor.redistribute
// CHECK: return
func.func @so_it_is_at_a_static_size(%x: tensor<1000000xf32> {dtensor.layout = #million}) -> (tensor<1000000xf32> {dtensor.layout = #million}) {
  %0, %1 = dtensor.sort %x {dim = 0} : (tensor<1000000xf32>) -> (tensor<1000000xf32>, tensor<1000000xi64>)
  return %0 : tensor<1000000xf32>
}

// Who wants the result whole gathers the operand.
// CHECK-LABEL: @a_whole_result_of_a_vector
// CHECK: [all_gather ["tp"] dim 0 to [replicate]
// CHECK-NOT: all_gather
// CHECK: return
func.func @a_whole_result_of_a_vector(%x: tensor<?xf32> {dtensor.layout = #vector}) -> (tensor<?xf32> {dtensor.layout = #whole}, tensor<?xi64> {dtensor.layout = #whole}) {
  %0, %1 = dtensor.sort %x {dim = 0} : (tensor<?xf32>) -> (tensor<?xf32>, tensor<?xi64>)
  return %0, %1 : tensor<?xf32>, tensor<?xi64>
}

// Rows are cut by other axes, the last of them first.
// CHECK-LABEL: @rows_may_be_cut_in_any_order
// CHECK-NOT: dtensor.redistribute
// CHECK: dtensor.sort {{.*}} merges
// CHECK-NOT: dtensor.redistribute
// CHECK: return
func.func @rows_may_be_cut_in_any_order(%x: tensor<?x?xf32> {dtensor.layout = #nested}) -> (tensor<?x?xf32> {dtensor.layout = #nested})
    attributes {dtensor.symbols = {B = {hint = 4}, N = {hint = 1000000}}} {
  %0, %1 = dtensor.sort %x {dim = 1} : (tensor<?x?xf32>) -> (tensor<?x?xf32>, tensor<?x?xi64>)
  return %0 : tensor<?x?xf32>
}
