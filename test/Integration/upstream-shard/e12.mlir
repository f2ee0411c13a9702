// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// A batch of products on two axes that shard one dimension.

#mesh = #dtensor.mesh<"x" = ? {hint 2}, "y" = ? {hint 4}>

// CHECK: func.func @f({{.*}}(B, M, 64)>>, {{.*}}(B, 64, [[N:d[0-9]+]])>>, {{.*}}(B, M, [[N]])>>)
// CHECK: generic "batch_matmul"
func.func @f(%a: tensor<?x?x64xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0), shard(0)], (B, M, 64)>},
    %b: tensor<?x64x?xf32>, %c: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  %0 = linalg.batch_matmul ins(%a, %b : tensor<?x?x64xf32>, tensor<?x64x?xf32>) outs(%c : tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  return %0 : tensor<?x?x?xf32>
}
