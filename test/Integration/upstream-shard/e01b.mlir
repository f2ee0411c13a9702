// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// A two-layer network whose weights alone are sharded.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK: dtensor.generic "matmul"
// CHECK-NEXT: ^bb0
// CHECK: dtensor.generic "tanh"
// CHECK: dtensor.generic "matmul"
// CHECK-NOT: addf"
func.func @f(%x: tensor<8x32xf32>,
    %w1: tensor<32x64xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1)], (32, 64)>},
    %w2: tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (64, 32)>}) -> tensor<8x32xf32> {
  %z = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<8x64xf32>
  %i1 = linalg.fill ins(%z : f32) outs(%e1 : tensor<8x64xf32>) -> tensor<8x64xf32>
  %h = linalg.matmul ins(%x, %w1 : tensor<8x32xf32>, tensor<32x64xf32>) outs(%i1 : tensor<8x64xf32>) -> tensor<8x64xf32>
  %i2 = tensor.empty() : tensor<8x64xf32>
  %t = linalg.tanh ins(%h : tensor<8x64xf32>) outs(%i2 : tensor<8x64xf32>) -> tensor<8x64xf32>
  %e3 = tensor.empty() : tensor<8x32xf32>
  %i3 = linalg.fill ins(%z : f32) outs(%e3 : tensor<8x32xf32>) -> tensor<8x32xf32>
  %y = linalg.matmul ins(%t, %w2 : tensor<8x64xf32>, tensor<64x32xf32>) outs(%i3 : tensor<8x32xf32>) -> tensor<8x32xf32>
  return %y : tensor<8x32xf32>
}
