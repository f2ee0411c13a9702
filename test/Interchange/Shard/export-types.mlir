// RUN: dtensor-opt %s --dtensor-export-shard | mlir-opt | FileCheck %s

// Layouts of types become annotations of plain tensors, a redistribute what the
// users of the value see.
// CHECK-LABEL: func @gather
// CHECK-SAME: (%[[X:.*]]: tensor<8xf32>) -> tensor<8xf32>
// CHECK: %[[A:.*]] = shard.shard %[[X]] to %{{.*}} : tensor<8xf32>
// CHECK: %[[R:.*]] = shard.shard %[[A]] to %{{.*}} annotate_for_users : tensor<8xf32>
#mesh = #dtensor.mesh<"tp" = 4>
!sharded = tensor<8xf32, #dtensor.layout<#mesh, [shard(0)], (8)>>
!whole = tensor<8xf32, #dtensor.layout<#mesh, [replicate], (8)>>
func.func @gather(%x: !sharded) -> !whole {
  %0 = dtensor.redistribute %x : !sharded to !whole
  return %0 : !whole
}
