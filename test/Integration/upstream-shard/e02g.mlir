// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// A size given as an argument and the sharded extent are one.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK: func.func @f({{.*}}[shard(0)], (n0, 32)>>, {{.*}}index {dtensor.symbol = "n0"}) -> tensor<{{.*}}[shard(0)], (n0, 32)>>
func.func @f(%a: tensor<?x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (M, 32)>}, %m: index)
    -> (tensor<?x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (M, 32)>}) {
  %e = tensor.empty(%m) : tensor<?x32xf32>
  %0 = linalg.tanh ins(%a : tensor<?x32xf32>) outs(%e : tensor<?x32xf32>) -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}
