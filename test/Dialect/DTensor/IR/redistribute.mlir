// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s
// RUN: dtensor-opt %s -canonicalize | FileCheck %s --check-prefix=FOLD

#mesh = #dtensor.mesh<"tp" = ?>
#part = #dtensor.layout<#mesh, [partial(sum)], (B, 4)>
#shard = #dtensor.layout<#mesh, [shard(0)], (B, 4)>
#whole = #dtensor.layout<#mesh, [replicate], (B, 4)>
#static_shard = #dtensor.layout<#mesh, [shard(0)], (8)>
#static_whole = #dtensor.layout<#mesh, [replicate], (8)>

// CHECK-LABEL: @shard_to_replicate
// CHECK: dtensor.redistribute %{{.+}} : tensor<?x4xf32, {{.+}}[shard(0)], (B, 4)>> to tensor<?x4xf32, {{.+}}[replicate], (B, 4)>>
// FOLD-LABEL: @shard_to_replicate
// FOLD: dtensor.redistribute
func.func @shard_to_replicate(%x: tensor<?x4xf32, #shard>) -> tensor<?x4xf32, #whole> {
  %y = dtensor.redistribute %x : tensor<?x4xf32, #shard> to tensor<?x4xf32, #whole>
  return %y : tensor<?x4xf32, #whole>
}

// CHECK-LABEL: @with_a_plan
// CHECK: dtensor.redistribute %{{.+}} plan <#{{.+}}, (B, 4), [all_gather ["tp"] dim 0 to [replicate] bytes 16*B]> :
func.func @with_a_plan(%x: tensor<?x4xf32, #shard>) -> tensor<?x4xf32, #whole> {
  %y = dtensor.redistribute %x plan <#mesh, (B, 4), [all_gather ["tp"] dim 0 to [replicate] bytes 16*B]>
      : tensor<?x4xf32, #shard> to tensor<?x4xf32, #whole>
  return %y : tensor<?x4xf32, #whole>
}

// CHECK-LABEL: @with_a_plan_in_full
// CHECK: dtensor.redistribute %{{.+}} plan <#{{.+}}, (B, 4), [all_gather {{.+}}]> : tensor<?x4xf32, {{.+}}> to
// CHECK: dtensor.redistribute %{{.+}} plan <#{{.+}}, (8), []> {why} : tensor<8xf32, {{.+}}> to
func.func @with_a_plan_in_full(%x: tensor<?x4xf32, #shard>, %s: tensor<8xf32, #static_shard>) {
  %0 = dtensor.redistribute %x plan #dtensor.plan<#mesh, (B, 4), [all_gather ["tp"] dim 0 to [replicate] bytes 16*B]>
      : tensor<?x4xf32, #shard> to tensor<?x4xf32, #whole>
  %1 = dtensor.redistribute %s plan #dtensor.plan<#mesh, (8), []> {why} : tensor<8xf32, #static_shard> to tensor<8xf32, #static_whole>
  return
}

// FOLD-LABEL: @to_the_same_layout
// FOLD-SAME: (%[[X:.+]]: tensor
// FOLD-NEXT: return %[[X]]
func.func @to_the_same_layout(%x: tensor<?x4xf32, #shard>) -> tensor<?x4xf32, #shard> {
  %y = dtensor.redistribute %x : tensor<?x4xf32, #shard> to tensor<?x4xf32, #shard>
  return %y : tensor<?x4xf32, #shard>
}

// FOLD-LABEL: @there_and_back
// FOLD-SAME: (%[[X:.+]]: tensor
// FOLD-NEXT: return %[[X]]
func.func @there_and_back(%x: tensor<?x4xf32, #shard>) -> tensor<?x4xf32, #shard> {
  %y = dtensor.redistribute %x : tensor<?x4xf32, #shard> to tensor<?x4xf32, #whole>
  %z = dtensor.redistribute %y : tensor<?x4xf32, #whole> to tensor<?x4xf32, #shard>
  return %z : tensor<?x4xf32, #shard>
}

// FOLD-LABEL: @there_and_back_static
// FOLD-SAME: (%[[X:.+]]: tensor
// FOLD-NEXT: return %[[X]]
func.func @there_and_back_static(%x: tensor<8xf32, #static_shard>) -> tensor<8xf32, #static_shard> {
  %y = dtensor.redistribute %x : tensor<8xf32, #static_shard> to tensor<8xf32, #static_whole>
  %z = dtensor.redistribute %y : tensor<8xf32, #static_whole> to tensor<8xf32, #static_shard>
  return %z : tensor<8xf32, #static_shard>
}

// FOLD-LABEL: @a_partial_made_and_reduced_is_nothing
// FOLD-SAME: (%[[X:.+]]: tensor
// FOLD-NEXT: return %[[X]]
func.func @a_partial_made_and_reduced_is_nothing(%x: tensor<?x4xf32, #whole>) -> tensor<?x4xf32, #whole> {
  %y = dtensor.redistribute %x : tensor<?x4xf32, #whole> to tensor<?x4xf32, #part>
  %z = dtensor.redistribute %y : tensor<?x4xf32, #part> to tensor<?x4xf32, #whole>
  return %z : tensor<?x4xf32, #whole>
}

// The plan of either step says nothing about the merged one.
// FOLD-LABEL: @a_reduction_and_a_slice_are_one
// FOLD-NEXT: %[[Y:.+]] = dtensor.redistribute %{{.+}} : tensor<?x4xf32, {{.+}}[partial(sum)], (B, 4)>> to tensor<?x4xf32, {{.+}}[shard(0)], (B, 4)>>
// FOLD-NEXT: return %[[Y]]
func.func @a_reduction_and_a_slice_are_one(%x: tensor<?x4xf32, #part>) -> tensor<?x4xf32, #shard> {
  %y = dtensor.redistribute %x plan <#mesh, (B, 4), [all_reduce ["tp"] sum to [replicate]]> : tensor<?x4xf32, #part> to tensor<?x4xf32, #whole>
  %z = dtensor.redistribute %y : tensor<?x4xf32, #whole> to tensor<?x4xf32, #shard>
  return %z : tensor<?x4xf32, #shard>
}

// A shard cannot become partial directly.
// FOLD-LABEL: @gather_before_partial_stays
// FOLD-COUNT-2: dtensor.redistribute
func.func @gather_before_partial_stays(%x: tensor<?x4xf32, #shard>) -> tensor<?x4xf32, #part> {
  %y = dtensor.redistribute %x : tensor<?x4xf32, #shard> to tensor<?x4xf32, #whole>
  %z = dtensor.redistribute %y : tensor<?x4xf32, #whole> to tensor<?x4xf32, #part>
  return %z : tensor<?x4xf32, #part>
}

// Slicing a value that is needed whole anyway is free.
// FOLD-LABEL: @a_value_used_twice_is_not_reduced_twice
// FOLD: dtensor.redistribute {{.+}}[partial(sum)]{{.+}} to {{.+}}[replicate]
// FOLD: dtensor.redistribute {{.+}}[replicate]{{.+}} to {{.+}}[shard(0)]
func.func @a_value_used_twice_is_not_reduced_twice(%x: tensor<?x4xf32, #part>) -> (tensor<?x4xf32, #whole>, tensor<?x4xf32, #shard>) {
  %y = dtensor.redistribute %x : tensor<?x4xf32, #part> to tensor<?x4xf32, #whole>
  %z = dtensor.redistribute %y : tensor<?x4xf32, #whole> to tensor<?x4xf32, #shard>
  return %y, %z : tensor<?x4xf32, #whole>, tensor<?x4xf32, #shard>
}
