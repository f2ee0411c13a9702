// RUN: dtensor-opt %s --dtensor-partition-pipeline | FileCheck %s
// What a convolution moves.

#mesh = #dtensor.mesh<"x" = ?>
#h = #dtensor.layout<#mesh, [shard(2)], (N, 4, H)>
#n = #dtensor.layout<#mesh, [shard(0)], (N, 4, H)>
#c = #dtensor.layout<#mesh, [shard(1)], (N, 4, H)>
#w = #dtensor.layout<#mesh, [replicate], (6, 4, 3)>
#wo = #dtensor.layout<#mesh, [shard(0)], (6, 4, 3)>
#wc = #dtensor.layout<#mesh, [shard(1)], (6, 4, 3)>
#r = #dtensor.layout<#mesh, [replicate], (N, 4, H)>
#point = #dtensor.layout<#mesh, [replicate], (6, 4, 1)>
#four = #dtensor.mesh<"x" = 4>
#h16 = #dtensor.layout<#four, [shard(2)], (2, 4, 16)>
#h8 = #dtensor.layout<#four, [shard(2)], (2, 4, 8)>
#w4 = #dtensor.layout<#four, [replicate], (6, 4, 3)>
#w7 = #dtensor.layout<#four, [replicate], (6, 4, 7)>
#y16 = #dtensor.layout<#four, [shard(2)], (2, 6, 16)>
#y8 = #dtensor.layout<#four, [shard(2)], (2, 6, 8)>
#xy = #dtensor.mesh<"x" = ?, "y" = ?>
#nested = #dtensor.layout<#xy, [shard(2), shard(2)], (N, 4, H)>
#wxy = #dtensor.layout<#xy, [replicate, replicate], (6, 4, 3)>

// Both neighbours send one row, or short shards are gathered.
// CHECK-LABEL: @a_sharded_space_exchanges_edges
func.func @a_sharded_space_exchanges_edges(%x: tensor<?x4x?xf32, #h>, %w: tensor<6x4x3xf32, #w>) -> tensor<?x6x?xf32> {
  // CHECK: scf.if
  // CHECK: dtensor.collective_permute {{.*}} sizes(%{{.*}}, %c1)
  // CHECK: dtensor.collective_permute {{.*}} sizes(%{{.*}}, %c1)
  // CHECK: } else {
  // CHECK-NEXT: dtensor.all_gather
  // CHECK-NOT: dtensor.all_
  // CHECK: return
  %y = dtensor.convolution %x, %w {padding = [1]} : (tensor<?x4x?xf32, #h>, tensor<6x4x3xf32, #w>) -> tensor<?x6x?xf32>
  return %y : tensor<?x6x?xf32>
}

// CHECK-LABEL: @known_sizes_decide_for_the_exchange
func.func @known_sizes_decide_for_the_exchange(%x: tensor<2x4x16xf32, #h16>, %w: tensor<6x4x3xf32, #w4>) -> tensor<2x6x16xf32, #y16> {
  // CHECK-NOT: dtensor.all_gather
  // CHECK-COUNT-2: dtensor.collective_permute {{.*}} -> tensor<2x4x?xf32>
  // CHECK-NOT: dtensor.all_gather
  // CHECK: return
  %y = dtensor.convolution %x, %w {padding = [1]} : (tensor<2x4x16xf32, #h16>, tensor<6x4x3xf32, #w4>) -> tensor<2x6x16xf32, #y16>
  return %y : tensor<2x6x16xf32, #y16>
}

// CHECK-LABEL: @a_stride_has_one_neighbour
func.func @a_stride_has_one_neighbour(%x: tensor<2x4x16xf32, #h16>, %w: tensor<6x4x3xf32, #w4>) -> tensor<2x6x8xf32, #y8> {
  // CHECK-COUNT-1: dtensor.collective_permute
  // CHECK-NOT: dtensor.collective_permute
  // CHECK: return
  %y = dtensor.convolution %x, %w {padding = [1], stride = [2]} : (tensor<2x4x16xf32, #h16>, tensor<6x4x3xf32, #w4>) -> tensor<2x6x8xf32, #y8>
  return %y : tensor<2x6x8xf32, #y8>
}

// CHECK-LABEL: @known_sizes_decide_for_the_whole
func.func @known_sizes_decide_for_the_whole(%x: tensor<2x4x8xf32, #h8>, %w: tensor<6x4x7xf32, #w7>) -> tensor<2x6x8xf32, #y8> {
  // CHECK: dtensor.all_gather
  // CHECK-NOT: dtensor.collective_permute
  // CHECK: return
  %y = dtensor.convolution %x, %w {padding = [3]} : (tensor<2x4x8xf32, #h8>, tensor<6x4x7xf32, #w7>) -> tensor<2x6x8xf32, #y8>
  return %y : tensor<2x6x8xf32, #y8>
}

// CHECK-LABEL: @windows_of_one_element_need_nobody
func.func @windows_of_one_element_need_nobody(%x: tensor<?x4x?xf32, #h>, %w: tensor<6x4x1xf32, #point>) -> tensor<?x6x?xf32> {
  // CHECK-NOT: dtensor.all_
  // CHECK-NOT: dtensor.collective
  // CHECK: return
  %y = dtensor.convolution %x, %w : (tensor<?x4x?xf32, #h>, tensor<6x4x1xf32, #point>) -> tensor<?x6x?xf32>
  return %y : tensor<?x6x?xf32>
}

// CHECK-LABEL: @nested_shards_are_gathered
func.func @nested_shards_are_gathered(%x: tensor<?x4x?xf32, #nested>, %w: tensor<6x4x3xf32, #wxy>) -> tensor<?x6x?xf32> {
  // CHECK: dtensor.all_gather
  // CHECK-NOT: dtensor.collective_permute
  // CHECK: return
  %y = dtensor.convolution %x, %w {padding = [1]} : (tensor<?x4x?xf32, #nested>, tensor<6x4x3xf32, #wxy>) -> tensor<?x6x?xf32>
  return %y : tensor<?x6x?xf32>
}

// CHECK-LABEL: @a_batch_moves_nothing
func.func @a_batch_moves_nothing(%x: tensor<?x4x?xf32, #n>, %w: tensor<6x4x3xf32, #w>) -> tensor<?x6x?xf32> {
  // CHECK-NOT: dtensor.all_
  // CHECK-NOT: dtensor.collective
  // CHECK: return
  %y = dtensor.convolution %x, %w {padding = [1]} : (tensor<?x4x?xf32, #n>, tensor<6x4x3xf32, #w>) -> tensor<?x6x?xf32>
  return %y : tensor<?x6x?xf32>
}

// CHECK-LABEL: @channels_that_come_out_move_nothing
func.func @channels_that_come_out_move_nothing(%x: tensor<?x4x?xf32, #r>, %w: tensor<6x4x3xf32, #wo>) -> tensor<?x6x?xf32> {
  // CHECK-NOT: dtensor.all_
  // CHECK-NOT: dtensor.collective
  // CHECK: return
  %y = dtensor.convolution %x, %w {padding = [1]} : (tensor<?x4x?xf32, #r>, tensor<6x4x3xf32, #wo>) -> tensor<?x6x?xf32>
  return %y : tensor<?x6x?xf32>
}

// CHECK-LABEL: @channels_that_go_in_give_pending_sums
func.func @channels_that_go_in_give_pending_sums(%x: tensor<?x4x?xf32, #c>, %w: tensor<6x4x3xf32, #wc>) -> (tensor<?x6x?xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate], (N, 6, H)>}) {
  // CHECK: dtensor.all_reduce sum
  // CHECK-NOT: dtensor.all_
  // CHECK: return
  %y = dtensor.convolution %x, %w {padding = [1]} : (tensor<?x4x?xf32, #c>, tensor<6x4x3xf32, #wc>) -> tensor<?x6x?xf32>
  return %y : tensor<?x6x?xf32>
}
