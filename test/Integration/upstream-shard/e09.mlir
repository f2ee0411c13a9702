// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// A mesh of unknown size.

#mesh = #dtensor.mesh<"x" = ? {hint 2}, "y" = ? {hint 4}>

// CHECK: @a
// CHECK: generic "matmul"
// CHECK: @b
// CHECK: redistribute
// CHECK: @c
// CHECK: generic "tanh"
// CHECK: @d
// CHECK: generic "matmul"
func.func @a(%a: tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0), replicate], (64, 32)>}, %b: tensor<32x16xf32>, %c: tensor<64x16xf32>) -> tensor<64x16xf32> {
  %0 = linalg.matmul ins(%a, %b : tensor<64x32xf32>, tensor<32x16xf32>) outs(%c : tensor<64x16xf32>) -> tensor<64x16xf32>
  return %0 : tensor<64x16xf32>
}
func.func @b(%a: tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0), replicate], (64, 32)>})
    -> (tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate, replicate], (64, 32)>}) {
  return %a : tensor<64x32xf32>
}
func.func @c(%a: tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0), replicate], (64, 32)>}) -> tensor<64x32xf32> {
  %e = tensor.empty() : tensor<64x32xf32>
  %0 = linalg.tanh ins(%a : tensor<64x32xf32>) outs(%e : tensor<64x32xf32>) -> tensor<64x32xf32>
  return %0 : tensor<64x32xf32>
}
func.func @d(%a: tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1), replicate], (64, 32)>}, %b: tensor<32x16xf32>, %c: tensor<64x16xf32>) -> tensor<64x16xf32> {
  %0 = linalg.matmul ins(%a, %b : tensor<64x32xf32>, tensor<32x16xf32>) outs(%c : tensor<64x16xf32>) -> tensor<64x16xf32>
  return %0 : tensor<64x16xf32>
}
