// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// What the op computes tells the extents of its result.

#mesh = #dtensor.mesh<"tp" = ?>
#rows = #dtensor.layout<#mesh, [shard(0)], (B, S)>

// CHECK-LABEL: @static
// CHECK: dtensor.concat {{.*}} -> tensor<8x3xf32, #dtensor.layout<#mesh, [?], (8, 3)>>
// CHECK: dtensor.slice %{{.*}} [1, 0] [2, 3] [1, 1] : {{.*}} -> tensor<2x3xf32, #dtensor.layout<#mesh, [?], (2, 3)>>
func.func @static(%x: tensor<4x3xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (4, 3)>}) -> tensor<2x3xf32> {
  %0 = dtensor.concat %x, %x {dim = 0} : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<8x3xf32>
  %1 = dtensor.slice %0 [1, 0] [2, 3] [1, 1] : (tensor<8x3xf32>) -> tensor<2x3xf32>
  return %1 : tensor<2x3xf32>
}
// CHECK-LABEL: @dynamic
// CHECK: dtensor.concat {{.*}}(2*B, S)>>
// CHECK: dtensor.reshape {{.*}}(2*B*S)>>
// CHECK: dtensor.embedding {{.*}} -> tensor<?x?x?xf32, {{.*}}(d0, d1, S)>>
func.func @dynamic(%x: tensor<?x?xf32> {dtensor.layout = #rows}, %i: tensor<?x?xi64>) -> (tensor<?xf32>, tensor<?x?x?xf32>) {
  %0 = dtensor.concat %x, %x {dim = 0} : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %1 = dtensor.reshape %0 {sizes = [#dtensor.expr<2*B*S>]} : (tensor<?x?xf32>) -> tensor<?xf32>
  %2 = dtensor.embedding %i, %x : (tensor<?x?xi64>, tensor<?x?xf32>) -> tensor<?x?x?xf32>
  return %1, %2 : tensor<?xf32>, tensor<?x?x?xf32>
}
