// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// A contraction over the sharded dimension whose result is wanted by rows.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

#l0 = #dtensor.layout<#mesh, [shard(0)], (64, 16)>
// CHECK: dtensor.constraint {{.*}} to <#mesh, [shard(0)], (64, 16)>
func.func @f(%a: tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1)], (64, 32)>}, %b: tensor<32x16xf32>, %c: tensor<64x16xf32>) -> tensor<64x16xf32> {
  %0 = linalg.matmul ins(%a, %b : tensor<64x32xf32>, tensor<32x16xf32>) outs(%c : tensor<64x16xf32>) -> tensor<64x16xf32>
  %1 = dtensor.constraint %0 to #l0 : tensor<64x16xf32>
  return %1 : tensor<64x16xf32>
}
