// Shards are merged on the device: the host reads nothing that a walk has found,
// which would be an error.
// RUN: dtensor-compile %s --target=cuda --emit=kernels -o - | FileCheck %s
// RUN: sed 's/"tp" = ?/"tp" = 4/' %s | dtensor-compile - --target=cuda --emit=kernels -o - | FileCheck %s
// CHECK-LABEL: func.func @merges(
// CHECK: gpu.module
// CHECK: gpu.func @loops
#mesh = #dtensor.mesh<"tp" = ?>
#cut = #dtensor.layout<#mesh, [shard(0)], (N)>
func.func @merges(%x: tensor<?xf32> {dtensor.layout = #cut}) -> (tensor<?xf32> {dtensor.layout = #cut}) {
  %0, %1 = dtensor.sort %x {dim = 0, merges} : (tensor<?xf32>) -> (tensor<?xf32>, tensor<?xi64>)
  return %0 : tensor<?xf32>
}
