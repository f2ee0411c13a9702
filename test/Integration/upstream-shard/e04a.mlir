// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// Softmax along the sharded dimension.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK: reduce = [max]
// CHECK: reduce = [sum]
// CHECK: @dynamic(%arg0: {{.*}}(B, S)>>, %arg1: {{.*}}(B, S)>>)
// CHECK: reduce = [max]
func.func @f(%a: tensor<128x64xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1)], (128, 64)>}) -> tensor<128x64xf32> {
  %e = tensor.empty() : tensor<128x64xf32>
  %0 = linalg.softmax dimension(1) ins(%a : tensor<128x64xf32>) outs(%e : tensor<128x64xf32>) -> tensor<128x64xf32>
  return %0 : tensor<128x64xf32>
}
func.func @dynamic(%a: tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1)], (B, S)>}, %e: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %0 = linalg.softmax dimension(1) ins(%a : tensor<?x?xf32>) outs(%e : tensor<?x?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}
