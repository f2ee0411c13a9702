// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// Two mesh axes: a product and resharding in every direction.

#mesh = #dtensor.mesh<"x" = ? {hint 2}, "y" = ? {hint 4}>

// CHECK: generic "matmul"
// CHECK-COUNT-5: dtensor.redistribute
func.func @product(%a: tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0), shard(1)], (64, 32)>}, %b: tensor<32x16xf32>, %c: tensor<64x16xf32>) -> tensor<64x16xf32> {
  %0 = linalg.matmul ins(%a, %b : tensor<64x32xf32>, tensor<32x16xf32>) outs(%c : tensor<64x16xf32>) -> tensor<64x16xf32>
  return %0 : tensor<64x16xf32>
}
func.func @b(%a: tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0), shard(1)], (64, 32)>})
    -> (tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate, replicate], (64, 32)>}) {
  return %a : tensor<64x32xf32>
}
func.func @c(%a: tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0), shard(0)], (64, 32)>})
    -> (tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate, replicate], (64, 32)>}) {
  return %a : tensor<64x32xf32>
}
func.func @d(%a: tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0), shard(1)], (64, 32)>})
    -> (tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1), shard(0)], (64, 32)>}) {
  return %a : tensor<64x32xf32>
}
func.func @e(%a: tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0), shard(1)], (B, S)>})
    -> (tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0), replicate], (B, S)>}) {
  return %a : tensor<?x?xf32>
}
func.func @f(%a: tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate, replicate], (B, S)>})
    -> (tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0), shard(1)], (B, S)>}) {
  return %a : tensor<?x?xf32>
}
