// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// Resharding is declared by the layouts of the ends.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK: redistribute {{.*}}[shard(0)]{{.*}} to {{.*}}[replicate]
// CHECK: redistribute {{.*}}[shard(0)]{{.*}} to {{.*}}[shard(1)]
// CHECK: redistribute {{.*}}[replicate]{{.*}} to {{.*}}[shard(1)]
func.func @gather(%a: tensor<?x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B, 32)>})
    -> (tensor<?x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate], (B, 32)>}) {
  return %a : tensor<?x32xf32>
}
func.func @all_to_all(%a: tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B, S)>})
    -> (tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1)], (B, S)>}) {
  return %a : tensor<?x?xf32>
}
func.func @slice(%a: tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate], (B, S)>})
    -> (tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1)], (B, S)>}) {
  return %a : tensor<?x?xf32>
}
