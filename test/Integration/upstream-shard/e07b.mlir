// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// Two pending sums that are added.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK: generic "matmul"
// CHECK: generic "matmul"
// CHECK: generic "add"
func.func @f(%a: tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1)], (64, 32)>}, %b: tensor<32x16xf32>,
    %a2: tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1)], (64, 32)>}, %b2: tensor<32x16xf32>, %c: tensor<64x16xf32>) -> tensor<64x16xf32> {
  %0 = linalg.matmul ins(%a, %b : tensor<64x32xf32>, tensor<32x16xf32>) outs(%c : tensor<64x16xf32>) -> tensor<64x16xf32>
  %1 = linalg.matmul ins(%a2, %b2 : tensor<64x32xf32>, tensor<32x16xf32>) outs(%c : tensor<64x16xf32>) -> tensor<64x16xf32>
  %2 = linalg.add ins(%0, %1 : tensor<64x16xf32>, tensor<64x16xf32>) outs(%c : tensor<64x16xf32>) -> tensor<64x16xf32>
  return %2 : tensor<64x16xf32>
}
