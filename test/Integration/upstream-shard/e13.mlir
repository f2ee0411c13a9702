// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// A convolution sharded by images.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK: generic "conv_2d_nhwc_hwcf"
// CHECK: @dynamic
// CHECK: generic "conv_2d_nhwc_hwcf"
func.func @f(%a: tensor<8x34x34x16xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (8, 34, 34, 16)>},
    %b: tensor<3x3x16x32xf32>, %c: tensor<8x32x32x32xf32>) -> tensor<8x32x32x32xf32> {
  %0 = linalg.conv_2d_nhwc_hwcf ins(%a, %b : tensor<8x34x34x16xf32>, tensor<3x3x16x32xf32>) outs(%c : tensor<8x32x32x32xf32>) -> tensor<8x32x32x32xf32>
  return %0 : tensor<8x32x32x32xf32>
}
func.func @dynamic(%a: tensor<?x34x34x16xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B, 34, 34, 16)>},
    %b: tensor<3x3x16x32xf32>, %c: tensor<?x32x32x32xf32>) -> tensor<?x32x32x32xf32> {
  %0 = linalg.conv_2d_nhwc_hwcf ins(%a, %b : tensor<?x34x34x16xf32>, tensor<3x3x16x32xf32>) outs(%c : tensor<?x32x32x32xf32>) -> tensor<?x32x32x32xf32>
  return %0 : tensor<?x32x32x32xf32>
}
