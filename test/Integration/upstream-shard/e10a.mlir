// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// A two-layer network with a residual.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK: generic "matmul"
// CHECK: generic "tanh"
// CHECK: generic "matmul"
// CHECK: generic "add"
// CHECK-NOT: dtensor.generic
func.func @f(%x: tensor<?x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate], (B, 32)>},
    %w1: tensor<32x64xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1)], (32, 64)>},
    %w2: tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (64, 32)>}, %b: index) -> tensor<?x32xf32> {
  %z = arith.constant 0.0 : f32
  %e1 = tensor.empty(%b) : tensor<?x64xf32>
  %i1 = linalg.fill ins(%z : f32) outs(%e1 : tensor<?x64xf32>) -> tensor<?x64xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<?x32xf32>, tensor<32x64xf32>) outs(%i1 : tensor<?x64xf32>) -> tensor<?x64xf32>
  %t = linalg.tanh ins(%h : tensor<?x64xf32>) outs(%e1 : tensor<?x64xf32>) -> tensor<?x64xf32>
  %e3 = tensor.empty(%b) : tensor<?x32xf32>
  %i3 = linalg.fill ins(%z : f32) outs(%e3 : tensor<?x32xf32>) -> tensor<?x32xf32>
  %y = linalg.matmul ins(%t, %w2 : tensor<?x64xf32>, tensor<64x32xf32>) outs(%i3 : tensor<?x32xf32>) -> tensor<?x32xf32>
  %s = linalg.add ins(%x, %y : tensor<?x32xf32>, tensor<?x32xf32>) outs(%e3 : tensor<?x32xf32>) -> tensor<?x32xf32>
  return %s : tensor<?x32xf32>
}
