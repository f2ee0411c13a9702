// RUN: dtensor-opt %s --dtensor-export-shard --split-input-file 2>/dev/null | FileCheck %s
// RUN: dtensor-opt %s --split-input-file -o %t.before
// RUN: dtensor-opt %s --split-input-file --dtensor-export-shard --dtensor-import-shard 2>/dev/null | diff %t.before -

// Names, facts and extents stand beside what the dialect says.
// CHECK: shard.grid @mesh(shape = 2x?) {dtensor.axes = ["dp", "tp"], dtensor.axis_facts = ["", "divides 64"]}
// CHECK-LABEL: func @dynamic
// CHECK-SAME: (%[[X:.*]]: tensor<?x8xf32>)
// CHECK: %[[S:.*]] = shard.sharding @mesh split_axes = {{\[\[}}], [1, 0]]
// CHECK: shard.shard %[[X]] to %[[S]] {dtensor.extents = ["2*B", "8"]}
#mesh = #dtensor.mesh<"dp" = 2, "tp" = ? {divides 64}>
func.func @dynamic(%x: tensor<?x8xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1), shard(1)] order = ["tp", "dp"], (2*B, 8)>}) {
  return
}

// -----

// Uneven shards say where they begin.
// CHECK-LABEL: func @uneven
// CHECK: shard.sharding @mesh split_axes = {{\[\[}}0]] sharded_dims_offsets = [0, 3, 6, 9, 10]
#mesh = #dtensor.mesh<"tp" = 4>
func.func @uneven(%x: tensor<10xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (10)>}) {
  return
}

// -----

// Where a value is comes before where its users want it.
// CHECK-LABEL: func @in_the_middle
// CHECK: %[[A:.*]] = shard.shard %arg0 to %{{.*}} : tensor<8xf32>
// CHECK: %[[T:.*]] = math.tanh %[[A]]
// CHECK: %[[C:.*]] = shard.shard %[[T]] to %{{.*}} : tensor<8xf32>
// CHECK: %[[R:.*]] = shard.shard %[[C]] to %{{.*}} annotate_for_users : tensor<8xf32>
// CHECK: return %[[R]]
#mesh = #dtensor.mesh<"tp" = 4>
func.func @in_the_middle(%x: tensor<8xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (8)>})
    -> (tensor<8xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate], (8)>}) {
  %0 = math.tanh %x : tensor<8xf32>
  %1 = dtensor.constraint %0 to <#mesh, [shard(0)], (8)> : tensor<8xf32>
  return %1 : tensor<8xf32>
}

// -----

// What could be read as the layout of the argument says that it is not.
// CHECK-LABEL: func @free_argument
// CHECK: shard.shard %arg0 to %{{.*}} {dtensor.of = "constraint"}
// CHECK: shard.shard %arg1 to %{{.*}} annotate_for_users {dtensor.of = "result"}
#mesh = #dtensor.mesh<"tp" = 4>
func.func @free_argument(%x: tensor<8xf32>, %y: tensor<8xf32>)
    -> (tensor<8xf32>, tensor<8xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate], (8)>}) {
  %0 = dtensor.constraint %x to <#mesh, [shard(0)], (8)> : tensor<8xf32>
  return %0, %y : tensor<8xf32>, tensor<8xf32>
}

// -----

// The mesh of a function that no layout names.
// CHECK-LABEL: func @whole
// CHECK-SAME: attributes {dtensor.grid = @mesh}
#mesh = #dtensor.mesh<"tp" = 4>
func.func @whole(%x: tensor<8xf32>) attributes {dtensor.mesh = #mesh} {
  return
}
