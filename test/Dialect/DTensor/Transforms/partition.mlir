// RUN: dtensor-opt %s -split-input-file -dtensor-plan -dtensor-partition -dtensor-verify-phase=phase=partition -cse -canonicalize | FileCheck %s

#mesh = #dtensor.mesh<"tp" = 4>

// Sizes that are the same number on every rank stay in the type.
// CHECK-LABEL: @an_even_shard_of_a_static_tensor_is_static
// CHECK-SAME: (%{{.*}}: tensor<2x4xf32>, %{{.*}}: index {dtensor.axis_size = "tp"}, %[[R:.+]]: index {dtensor.axis_index = "tp"}) -> tensor<8x4xf32>
func.func @an_even_shard_of_a_static_tensor_is_static(%x: tensor<8x4xf32, #dtensor.layout<#mesh, [shard(0)], (8, 4)>>) -> tensor<8x4xf32, #dtensor.layout<#mesh, [replicate], (8, 4)>> {
  // CHECK-DAG: %[[N:.+]] = arith.constant 8 : index
  // CHECK-DAG: %[[C:.+]] = arith.constant 2 : index
  // CHECK: dtensor.all_gather %{{.*}} dim 0 extent %[[N]] capacity %[[C]] {{.*}} : tensor<2x4xf32> -> tensor<8x4xf32>
  %0 = dtensor.redistribute %x : tensor<8x4xf32, #dtensor.layout<#mesh, [shard(0)], (8, 4)>> to tensor<8x4xf32, #dtensor.layout<#mesh, [replicate], (8, 4)>>
  return %0 : tensor<8x4xf32, #dtensor.layout<#mesh, [replicate], (8, 4)>>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>

// After its own arguments: symbols, sizes of the axes, coordinates.
// CHECK-LABEL: @a_dynamic_shard_is_gathered_to_its_global_extent
// CHECK-SAME: (%{{.*}}: tensor<?x4xf32>, %[[B:.+]]: index {dtensor.symbol = "B"}, %[[N:.+]]: index {dtensor.axis_size = "tp"}, %[[R:.+]]: index {dtensor.axis_index = "tp"})
// CHECK-SAME: dtensor.global_type =
func.func @a_dynamic_shard_is_gathered_to_its_global_extent(%x: tensor<?x4xf32, #dtensor.layout<#mesh, [shard(0)], (B, 4)>>) -> tensor<?x4xf32, #dtensor.layout<#mesh, [replicate], (B, 4)>> {
  // CHECK: %[[C:.+]] = arith.ceildivsi %[[B]], %[[N]]
  // CHECK: dtensor.all_gather %{{.*}} dim 0 extent %[[B]] capacity %[[C]]
  %0 = dtensor.redistribute %x : tensor<?x4xf32, #dtensor.layout<#mesh, [shard(0)], (B, 4)>> to tensor<?x4xf32, #dtensor.layout<#mesh, [replicate], (B, 4)>>
  return %0 : tensor<?x4xf32, #dtensor.layout<#mesh, [replicate], (B, 4)>>
}

// CHECK-LABEL: @a_slice_begins_at_rank_times_chunk
// CHECK-SAME: %[[B:[^ ]+]]: index {dtensor.symbol = "B"}, %[[N:[^ ]+]]: index {dtensor.axis_size = "tp"}, %[[R:[^ ]+]]: index {dtensor.axis_index = "tp"}
func.func @a_slice_begins_at_rank_times_chunk(%x: tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (B)>> {
  // CHECK: %[[C:.+]] = arith.ceildivsi %[[B]], %[[N]]
  // CHECK: %[[START:.+]] = arith.muli %[[R]], %[[C]]
  // CHECK: %[[OFFSET:.+]] = arith.minsi %{{.*}}
  // CHECK: dtensor.shard_slice %{{.*}} dim 0 offset %[[OFFSET]]
  %0 = dtensor.redistribute %x : tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>> to tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (B)>>
  return %0 : tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (B)>>
}

// CHECK-LABEL: @a_replicated_value_becomes_partial_at_coordinate_0
// CHECK-SAME: %[[R:[^ ]+]]: index {dtensor.axis_index = "tp"}
func.func @a_replicated_value_becomes_partial_at_coordinate_0(%x: tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [partial(sum)], (B)>> {
  // CHECK-DAG: %[[ZERO:.+]] = arith.constant 0 : index
  // CHECK-DAG: %[[NEUTRAL:.+]] = arith.constant -0.000000e+00 : f32
  // CHECK: %[[FIRST:.+]] = arith.cmpi eq, %[[R]], %[[ZERO]]
  // CHECK: arith.select %[[FIRST]], %{{.*}}, %[[NEUTRAL]]
  %0 = dtensor.redistribute %x : tensor<?xf32, #dtensor.layout<#mesh, [replicate], (B)>> to tensor<?xf32, #dtensor.layout<#mesh, [partial(sum)], (B)>>
  return %0 : tensor<?xf32, #dtensor.layout<#mesh, [partial(sum)], (B)>>
}

// The choice depends on extents and mesh alone, so all ranks make the same.
// CHECK-LABEL: @a_regroup_is_skipped_where_the_pieces_agree
func.func @a_regroup_is_skipped_where_the_pieces_agree(%x: tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (D*H)>>, %h: tensor<?x?xf32, #dtensor.layout<#mesh, [replicate], (H, D)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [shard(0, unit = D)], (D*H)>> {
  // CHECK: %[[AGREE:.+]] = arith.cmpi eq
  // CHECK: scf.if %[[AGREE]]
  // CHECK-NEXT: scf.yield
  // CHECK-NEXT: } else {
  // CHECK-NEXT: all_gather
  // CHECK-NEXT: shard_slice
  %0 = dtensor.redistribute %x : tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (D*H)>> to tensor<?xf32, #dtensor.layout<#mesh, [shard(0, unit = D)], (D*H)>>
  return %0 : tensor<?xf32, #dtensor.layout<#mesh, [shard(0, unit = D)], (D*H)>>
}

// CHECK-LABEL: @an_extent_is_the_global_one
// CHECK-SAME: %[[B:[^ ]+]]: index {dtensor.symbol = "B"}
func.func @an_extent_is_the_global_one(%x: tensor<?x4xf32, #dtensor.layout<#mesh, [shard(0)], (B, 4)>>) -> index {
  // CHECK: return %[[B]]
  %0 = dtensor.extent <B>
  return %0 : index
}

// CHECK-LABEL: @a_stated_equality_is_checked_at_entry
// CHECK-SAME: %[[B:[^ ]+]]: index {dtensor.symbol = "B"}, %[[C:[^ ]+]]: index {dtensor.symbol = "C"}
func.func @a_stated_equality_is_checked_at_entry(%x: tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (B)>>, %y: tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (C)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (2*C)>> {
  // CHECK: %[[DOUBLE:.+]] = arith.muli %[[C]]
  // CHECK: %[[EQUAL:.+]] = arith.cmpi eq, %[[B]], %[[DOUBLE]]
  // CHECK: dtensor.check %[[EQUAL]], "dimension 0 has extent B = {0}, but it must equal 2*C = {1}"(%[[B]], %[[DOUBLE]])
  %0 = dtensor.refine %x : tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (B)>> to tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (2*C)>>
  return %0 : tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (2*C)>>
}

// CHECK-LABEL: func.func private @half
func.func private @half(%x: tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (M)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (M)>> {
  return %x : tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (M)>>
}

// CHECK-LABEL: @a_call_forwards_symbols_sizes_and_coordinates
// CHECK-SAME: (%[[X:.+]]: tensor<?xf32>, %[[B:.+]]: index {dtensor.symbol = "B"}, %[[N:.+]]: index {dtensor.axis_size = "tp"}, %[[R:.+]]: index {dtensor.axis_index = "tp"})
func.func @a_call_forwards_symbols_sizes_and_coordinates(%x: tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (B)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (B)>> {
  // CHECK: call @half(%[[X]], %[[B]], %[[N]], %[[R]])
  %0 = dtensor.call @half(%x) {M = #dtensor.expr<B>} : (tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (B)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (B)>>
  return %0 : tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (B)>>
}
