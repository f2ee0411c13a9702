// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// Views: a sharded dimension is split and joined.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK: dtensor.reshape {{.*}} -> tensor<8x8x32xf32
// CHECK: dtensor.reshape {{.*}} -> tensor<64x32xf32
// CHECK: dtensor.reshape {{.*}} -> tensor<8x8x32xf32
// CHECK: dtensor.reshape {{.*}} -> tensor<?x32xf32{{.*}}(B*S, 32)>>
func.func @expand(%a: tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (64, 32)>}) -> tensor<8x8x32xf32> {
  %0 = tensor.expand_shape %a [[0, 1], [2]] output_shape [8, 8, 32] : tensor<64x32xf32> into tensor<8x8x32xf32>
  return %0 : tensor<8x8x32xf32>
}
func.func @collapse(%a: tensor<8x8x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (8, 8, 32)>}) -> tensor<64x32xf32> {
  %0 = tensor.collapse_shape %a [[0, 1], [2]] : tensor<8x8x32xf32> into tensor<64x32xf32>
  return %0 : tensor<64x32xf32>
}
func.func @reshape(%a: tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (64, 32)>}) -> tensor<8x8x32xf32> {
  %s = arith.constant dense<[8, 8, 32]> : tensor<3xindex>
  %0 = tensor.reshape %a(%s) : (tensor<64x32xf32>, tensor<3xindex>) -> tensor<8x8x32xf32>
  return %0 : tensor<8x8x32xf32>
}
func.func @dynamic(%a: tensor<?x?x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B, S, 32)>}) -> tensor<?x32xf32> {
  %0 = tensor.collapse_shape %a [[0, 1], [2]] : tensor<?x?x32xf32> into tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}
