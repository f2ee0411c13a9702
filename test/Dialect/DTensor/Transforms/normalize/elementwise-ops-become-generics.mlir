// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// An op on scalars that upstream allows on tensors; scalars are used as they are.

#mesh = #dtensor.mesh<"tp" = ?>
#rows = #dtensor.layout<#mesh, [shard(0)], (B, S)>

// CHECK-LABEL: @static
// CHECK: dtensor.generic "cmpf"
// CHECK: -> tensor<4x8xi1,
// CHECK: dtensor.generic "extui"
// CHECK: -> tensor<4x8xi32,
func.func @static(%x: tensor<4x8xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (4, 8)>}, %y: tensor<4x8xf32>) -> tensor<4x8xi32> {
  %0 = arith.cmpf olt, %x, %y : tensor<4x8xf32>
  %1 = arith.extui %0 : tensor<4x8xi1> to tensor<4x8xi32>
  return %1 : tensor<4x8xi32>
}
// CHECK-LABEL: @dynamic
// CHECK: dtensor.generic "select" {{.*}} ins(%arg0, %arg1 :
// CHECK-NEXT: ^bb0(%[[X:.*]]: f32, %[[Y:.*]]: f32):
// CHECK-NEXT: arith.select %arg2, %[[X]], %[[Y]] : f32
func.func @dynamic(%x: tensor<?x?xf32> {dtensor.layout = #rows}, %y: tensor<?x?xf32>, %p: i1) -> tensor<?x?xf32> {
  %0 = arith.select %p, %x, %y : tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}
