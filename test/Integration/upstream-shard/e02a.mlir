// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// A matrix product of any extents: what must be equal becomes one symbol.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK: func.func @f({{.*}}(M, K)>>, {{.*}}(K, [[N:d[0-9]+]])>>, {{.*}}(M, [[N]])>>)
func.func @f(%a: tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (M, K)>}, %b: tensor<?x?xf32>, %c: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %0 = linalg.matmul ins(%a, %b : tensor<?x?xf32>, tensor<?x?xf32>) outs(%c : tensor<?x?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}
