// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// A row-sharded matrix product added to a given output.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK: dtensor.generic "matmul"{{.*}}reduce = [sum]
// CHECK: dtensor.generic "addf"
func.func @f(%a: tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (64, 32)>}, %b: tensor<32x16xf32>, %c: tensor<64x16xf32>) -> tensor<64x16xf32> {
  %0 = linalg.matmul ins(%a, %b : tensor<64x32xf32>, tensor<32x16xf32>) outs(%c : tensor<64x16xf32>) -> tensor<64x16xf32>
  return %0 : tensor<64x16xf32>
}
