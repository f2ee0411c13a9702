// RUN: dtensor-opt %s --dtensor-import-shard --split-input-file | FileCheck %s

// A program that was not exported: names of axes and of extents are made.
// CHECK: #[[MESH:.*]] = #dtensor.mesh<"d0" = 4, "d1" = ?>
// CHECK-LABEL: func @dynamic
// CHECK-SAME: tensor<?x8xf32> {dtensor.layout = #dtensor.layout<#[[MESH]], [shard(0), shard(0)] order = ["d1", "d0"], (s0, 8)>}
// CHECK-SAME: -> (tensor<?x8xf32> {dtensor.layout = #dtensor.layout<#[[MESH]], [replicate, shard(1)], (s2, 8)>})
// CHECK: %[[T:.*]] = math.tanh %arg0
// CHECK: %[[C:.*]] = dtensor.constraint %[[T]] to <#[[MESH]], [shard(0), replicate], (s1, 8)>
// CHECK: return %[[C]]
shard.grid @grid(shape = 4x?)
func.func @dynamic(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %s = shard.sharding @grid split_axes = [[1, 0]] : !shard.sharding
  %0 = shard.shard %x to %s annotate_for_users : tensor<?x8xf32>
  %1 = math.tanh %0 : tensor<?x8xf32>
  %t = shard.sharding @grid split_axes = [[0], []] : !shard.sharding
  %2 = shard.shard %1 to %t : tensor<?x8xf32>
  %u = shard.sharding @grid split_axes = [[], [1]] : !shard.sharding
  %3 = shard.shard %2 to %u annotate_for_users : tensor<?x8xf32>
  return %3 : tensor<?x8xf32>
}

// -----

// A made name is not one that the function has.
// CHECK-LABEL: func @names
// CHECK-SAME: (s0, s2)
shard.grid @grid(shape = 4)
func.func @names(%x: tensor<?x?xf32>) attributes {dtensor.symbols = {s1 = {}}} {
  %s = shard.sharding @grid split_axes = [[]] : !shard.sharding
  %0 = shard.shard %x to %s : tensor<?x?xf32>
  return
}

// -----

// Offsets of a layout, a halo of nothing, an argument with other users, a
// scalar.
// CHECK-LABEL: func @rest
// CHECK-SAME: (%arg0: tensor<10xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (10)>}, %arg1: tensor<8xf32>, %arg2: tensor<f32> {dtensor.layout = #dtensor.layout<#mesh, [replicate], ()>})
// CHECK: dtensor.constraint %arg1 to <#mesh, [shard(0)], (8)> {shard.annotate_for_users}
shard.grid @grid(shape = 4)
func.func @rest(%x: tensor<10xf32>, %y: tensor<8xf32>, %z: tensor<f32>) -> tensor<8xf32> {
  %s = shard.sharding @grid split_axes = [[0]] sharded_dims_offsets = [0, 3, 6, 9, 10] : !shard.sharding
  %0 = shard.shard %x to %s : tensor<10xf32>
  %t = shard.sharding @grid split_axes = [[0]] halo_sizes = [0, 0] : !shard.sharding
  %1 = shard.shard %y to %t annotate_for_users : tensor<8xf32>
  %2 = arith.addf %1, %y : tensor<8xf32>
  %u = shard.sharding @grid split_axes = [[]] : !shard.sharding
  %3 = shard.shard %z to %u : tensor<f32>
  return %2 : tensor<8xf32>
}
