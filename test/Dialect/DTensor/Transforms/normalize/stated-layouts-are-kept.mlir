// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// Types that carry a layout stay; composite ops between them become core ops.

#mesh = #dtensor.mesh<"tp" = ?>
#rows = #dtensor.layout<#mesh, [shard(0)], (B, S)>

#cols = #dtensor.layout<#mesh, [shard(1)], (B, S)>
// CHECK: func.func @stated(%arg0: tensor<?x?xf32, #dtensor.layout<#mesh, [shard(0)], (B, S)>>) -> tensor<?x?xf32, #dtensor.layout<#mesh, [shard(1)], (B, S)>>
// CHECK: dtensor.redistribute %arg0 {{.*}} to {{.*}}[shard(1)], (B, S)>>
// CHECK: reduce = [max] {{.*}}[shard(1)], (B, S)>>)
// CHECK: dtensor.generic "div"
// CHECK: -> tensor<?x?xf32, #dtensor.layout<#mesh, [shard(1)], (B, S)>>
func.func @stated(%x: tensor<?x?xf32, #rows>) -> tensor<?x?xf32, #cols> {
  %0 = dtensor.redistribute %x : tensor<?x?xf32, #rows> to tensor<?x?xf32, #cols>
  %1 = dtensor.softmax %0 {dim = 1} : (tensor<?x?xf32, #cols>) -> tensor<?x?xf32, #cols>
  return %1 : tensor<?x?xf32, #cols>
}
