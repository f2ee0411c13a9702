// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// One number in every element needs no storage.

#mesh = #dtensor.mesh<"tp" = ?>
#rows = #dtensor.layout<#mesh, [shard(0)], (B, S)>

// CHECK: dtensor.generic "full"
// CHECK-NEXT: %[[C:.*]] = arith.constant 2.000000e+00 : f32
// CHECK-NEXT: dtensor.yield %[[C]] : f32
// CHECK: dtensor.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32> to tensor<2xf32, #dtensor.layout<#mesh, [?], (2)>>
func.func @constants(%x: tensor<2xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (2)>}) -> tensor<2xf32> {
  %0 = arith.constant dense<2.0> : tensor<2xf32>
  %1 = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %2 = arith.addf %0, %1 : tensor<2xf32>
  %3 = arith.addf %2, %x : tensor<2xf32>
  return %3 : tensor<2xf32>
}
