// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// Ten rows on any number of ranks.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK: dtensor.generic "tanh" {{.*}} ins(%arg0 :
// CHECK: redistribute
func.func @f(%a: tensor<10x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (10, 32)>}, %c: tensor<10x32xf32>) -> tensor<10x32xf32> {
  %0 = linalg.tanh ins(%a : tensor<10x32xf32>) outs(%c : tensor<10x32xf32>) -> tensor<10x32xf32>
  return %0 : tensor<10x32xf32>
}
func.func @gather(%a: tensor<10x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (10, 32)>})
    -> (tensor<10x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate], (10, 32)>}) {
  return %a : tensor<10x32xf32>
}
