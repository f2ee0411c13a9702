// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// A matrix product as a real program writes it, sizes taken by tensor.dim.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK: dtensor.generic "matmul"
// CHECK-NOT: dtensor.generic
// CHECK: return {{.*}}(M, [[N:d[0-9]+]])>>
func.func @f(%a: tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (M, K)>},
    %b: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = tensor.dim %a, %c0 : tensor<?x?xf32>
  %n = tensor.dim %b, %c1 : tensor<?x?xf32>
  %z = arith.constant 0.0 : f32
  %e = tensor.empty(%m, %n) : tensor<?x?xf32>
  %i = linalg.fill ins(%z : f32) outs(%e : tensor<?x?xf32>) -> tensor<?x?xf32>
  %0 = linalg.matmul ins(%a, %b : tensor<?x?xf32>, tensor<?x?xf32>) outs(%i : tensor<?x?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}
