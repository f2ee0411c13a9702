// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// A contraction over the sharded dimension.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK: dtensor.generic "matmul"{{.*}}(M, 64)>>
// CHECK: dtensor.generic "addf"{{.*}}(M, 16)>>
func.func @f(%a: tensor<?x64xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1)], (M, 64)>}, %b: tensor<64x16xf32>, %c: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %0 = linalg.matmul ins(%a, %b : tensor<?x64xf32>, tensor<64x16xf32>) outs(%c : tensor<?x16xf32>) -> tensor<?x16xf32>
  return %0 : tensor<?x16xf32>
}
