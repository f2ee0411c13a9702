// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// Two pending sums without inits, added by an elementwise op.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK-COUNT-2: generic "matmul"
// CHECK: generic "addf"
// CHECK-NOT: dtensor.generic
func.func @f(%a: tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1)], (M, K)>}, %b: tensor<?x16xf32>, %b2: tensor<?x16xf32>, %m: index) -> tensor<?x16xf32> {
  %e = tensor.empty(%m) : tensor<?x16xf32>
  %0 = linalg.matmul ins(%a, %b : tensor<?x?xf32>, tensor<?x16xf32>) outs(%e : tensor<?x16xf32>) -> tensor<?x16xf32>
  %1 = linalg.matmul ins(%a, %b2 : tensor<?x?xf32>, tensor<?x16xf32>) outs(%e : tensor<?x16xf32>) -> tensor<?x16xf32>
  %2 = arith.addf %0, %1 : tensor<?x16xf32>
  return %2 : tensor<?x16xf32>
}
