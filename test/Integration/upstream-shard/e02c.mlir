// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// An output size given as an index argument is that extent's symbol.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK: func.func @f({{.*}}(n0, 32)>>, {{.*}}, %{{.*}}: index {dtensor.symbol = "n0"})
func.func @f(%a: tensor<?x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (M, 32)>},
    %b: tensor<32x16xf32>, %m: index) -> tensor<?x16xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty(%m) : tensor<?x16xf32>
  %i = linalg.fill ins(%z : f32) outs(%e : tensor<?x16xf32>) -> tensor<?x16xf32>
  %0 = linalg.matmul ins(%a, %b : tensor<?x32xf32>, tensor<32x16xf32>) outs(%i : tensor<?x16xf32>) -> tensor<?x16xf32>
  return %0 : tensor<?x16xf32>
}
