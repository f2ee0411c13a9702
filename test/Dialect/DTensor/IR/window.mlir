// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s
// Windows, convolutions and pooling on symbolic and static shapes.

#mesh = #dtensor.mesh<"tp" = ?>
#bh = #dtensor.layout<#mesh, [shard(1)], (B, H)>
#out = #dtensor.layout<#mesh, [shard(1)], (B, H - 2, 3)>
#two = #dtensor.mesh<"tp" = 2>
#bh8 = #dtensor.layout<#two, [shard(1)], (4, 8)>
#out6 = #dtensor.layout<#two, [shard(1)], (4, 6, 3)>

// CHECK-LABEL: @unfold_of_dynamic_shape
func.func @unfold_of_dynamic_shape(%x: tensor<?x?xf32, #bh>) -> tensor<?x?x3xf32, #out> {
  // CHECK: dtensor.unfold %arg0 {{.*}} : (tensor<?x?xf32, {{.*}}>) -> tensor<?x?x3xf32, {{.*}}>
  %y = dtensor.unfold %x {dims = [1], sizes = [#dtensor.expr<H - 2>], kernel = [3], stride = [1], dilation = [1], offset = [0], divisor = [1], value = 0.0 : f32} : (tensor<?x?xf32, #bh>) -> tensor<?x?x3xf32, #out>
  return %y : tensor<?x?x3xf32, #out>
}

// CHECK-LABEL: @unfold_of_static_shape
func.func @unfold_of_static_shape(%x: tensor<4x8xf32, #bh8>) -> tensor<4x6x3xf32, #out6> {
  // CHECK: dtensor.unfold %arg0 {{.*}} : (tensor<4x8xf32, {{.*}}>) -> tensor<4x6x3xf32, {{.*}}>
  %y = dtensor.unfold %x {dims = [1], sizes = [6], kernel = [3], stride = [1], dilation = [1], offset = [0], divisor = [1], value = 0.0 : f32} : (tensor<4x8xf32, #bh8>) -> tensor<4x6x3xf32, #out6>
  return %y : tensor<4x6x3xf32, #out6>
}

// CHECK-LABEL: @convolution_of_dynamic_shape
func.func @convolution_of_dynamic_shape(%x: tensor<?x4x?x8xf32>, %w: tensor<6x4x3x3xf32>) -> tensor<?x6x?x4xf32> {
  // CHECK: dtensor.convolution %arg0, %arg1 {padding = [1, 1], stride = [2, 2]} : (tensor<?x4x?x8xf32>, tensor<6x4x3x3xf32>) -> tensor<?x6x?x4xf32>
  %y = dtensor.convolution %x, %w {padding = [1, 1], stride = [2, 2]} : (tensor<?x4x?x8xf32>, tensor<6x4x3x3xf32>) -> tensor<?x6x?x4xf32>
  return %y : tensor<?x6x?x4xf32>
}

// CHECK-LABEL: @convolution_of_static_shape
func.func @convolution_of_static_shape(%x: tensor<2x4x8xf32>, %w: tensor<6x2x3xf32>, %b: tensor<6xf32>) -> tensor<2x6x6xf32> {
  // CHECK: dtensor.convolution %arg0, %arg1, %arg2 {groups = 2 : i64} : (tensor<2x4x8xf32>, tensor<6x2x3xf32>, tensor<6xf32>) -> tensor<2x6x6xf32>
  %y = dtensor.convolution %x, %w, %b {groups = 2} : (tensor<2x4x8xf32>, tensor<6x2x3xf32>, tensor<6xf32>) -> tensor<2x6x6xf32>
  return %y : tensor<2x6x6xf32>
}

// CHECK-LABEL: @convolution_input_grad_of_dynamic_shape
func.func @convolution_input_grad_of_dynamic_shape(%gy: tensor<?x6x?xf32>, %w: tensor<6x4x3xf32>) -> tensor<?x4x?xf32> {
  // CHECK: dtensor.convolution_input_grad %arg0, %arg1
  %g = dtensor.convolution_input_grad %gy, %w {sizes = [#dtensor.expr<H>], padding = [1]} : (tensor<?x6x?xf32>, tensor<6x4x3xf32>) -> tensor<?x4x?xf32>
  return %g : tensor<?x4x?xf32>
}

// CHECK-LABEL: @convolution_input_grad_of_static_shape
func.func @convolution_input_grad_of_static_shape(%gy: tensor<2x6x4xf32>, %w: tensor<6x4x2xf32>) -> tensor<2x4x8xf32> {
  // CHECK: dtensor.convolution_input_grad %arg0, %arg1
  %g = dtensor.convolution_input_grad %gy, %w {sizes = [8], stride = [2]} : (tensor<2x6x4xf32>, tensor<6x4x2xf32>) -> tensor<2x4x8xf32>
  return %g : tensor<2x4x8xf32>
}

// CHECK-LABEL: @convolution_weight_grad_of_dynamic_shape
func.func @convolution_weight_grad_of_dynamic_shape(%x: tensor<?x4x?xf32>, %gy: tensor<?x6x?xf32>) -> tensor<6x4x3xf32> {
  // CHECK: dtensor.convolution_weight_grad %arg0, %arg1
  %g = dtensor.convolution_weight_grad %x, %gy {kernel = [3], padding = [1]} : (tensor<?x4x?xf32>, tensor<?x6x?xf32>) -> tensor<6x4x3xf32>
  return %g : tensor<6x4x3xf32>
}

// CHECK-LABEL: @convolution_weight_grad_of_static_shape
func.func @convolution_weight_grad_of_static_shape(%x: tensor<2x4x8xf32>, %gy: tensor<2x6x4xf32>) -> tensor<6x2x2xf32> {
  // CHECK: dtensor.convolution_weight_grad %arg0, %arg1
  %g = dtensor.convolution_weight_grad %x, %gy {kernel = [2], stride = [2], groups = 2} : (tensor<2x4x8xf32>, tensor<2x6x4xf32>) -> tensor<6x2x2xf32>
  return %g : tensor<6x2x2xf32>
}

// CHECK-LABEL: @max_pool_of_dynamic_shape
func.func @max_pool_of_dynamic_shape(%x: tensor<?x4x?xf32>) -> (tensor<?x4x?xf32>, tensor<?x4x?xi64>) {
  // CHECK: dtensor.max_pool %arg0
  %y, %i = dtensor.max_pool %x {kernel = [2], stride = [2]} : (tensor<?x4x?xf32>) -> (tensor<?x4x?xf32>, tensor<?x4x?xi64>)
  return %y, %i : tensor<?x4x?xf32>, tensor<?x4x?xi64>
}

// CHECK-LABEL: @max_pool_of_static_shape
func.func @max_pool_of_static_shape(%x: tensor<3x4x8xf32>) -> (tensor<3x4x4xf32>, tensor<3x4x4xi64>) {
  // CHECK: dtensor.max_pool %arg0
  %y, %i = dtensor.max_pool %x {kernel = [2], stride = [2]} : (tensor<3x4x8xf32>) -> (tensor<3x4x4xf32>, tensor<3x4x4xi64>)
  return %y, %i : tensor<3x4x4xf32>, tensor<3x4x4xi64>
}

// CHECK-LABEL: @max_pool_grad_of_dynamic_shape
func.func @max_pool_grad_of_dynamic_shape(%gy: tensor<?x4x4xf32>, %i: tensor<?x4x4xi64>) -> tensor<?x4x8xf32> {
  // CHECK: dtensor.max_pool_grad %arg0, %arg1
  %g = dtensor.max_pool_grad %gy, %i {sizes = [8], kernel = [2], stride = [2]} : (tensor<?x4x4xf32>, tensor<?x4x4xi64>) -> tensor<?x4x8xf32>
  return %g : tensor<?x4x8xf32>
}

// CHECK-LABEL: @avg_pool_of_dynamic_shape
func.func @avg_pool_of_dynamic_shape(%x: tensor<?x4x8xf32>) -> tensor<?x4x4xf32> {
  // CHECK: dtensor.avg_pool %arg0
  %y = dtensor.avg_pool %x {kernel = [2], stride = [2]} : (tensor<?x4x8xf32>) -> tensor<?x4x4xf32>
  return %y : tensor<?x4x4xf32>
}

// CHECK-LABEL: @avg_pool_grad_of_static_shape
func.func @avg_pool_grad_of_static_shape(%gy: tensor<2x4x4xf32>) -> tensor<2x4x8xf32> {
  // CHECK: dtensor.avg_pool_grad %arg0
  %g = dtensor.avg_pool_grad %gy {sizes = [8], kernel = [2], stride = [2]} : (tensor<2x4x4xf32>) -> tensor<2x4x8xf32>
  return %g : tensor<2x4x8xf32>
}

// CHECK-LABEL: @adaptive_avg_pool_of_dynamic_shape
func.func @adaptive_avg_pool_of_dynamic_shape(%x: tensor<?x4x?xf32>) -> tensor<?x4x2xf32> {
  // CHECK: dtensor.adaptive_avg_pool %arg0
  %y = dtensor.adaptive_avg_pool %x {sizes = [2]} : (tensor<?x4x?xf32>) -> tensor<?x4x2xf32>
  return %y : tensor<?x4x2xf32>
}

// CHECK-LABEL: @adaptive_avg_pool_of_static_shape
func.func @adaptive_avg_pool_of_static_shape(%x: tensor<2x4x7xf32>) -> tensor<2x4x2xf32> {
  // CHECK: dtensor.adaptive_avg_pool %arg0
  %y = dtensor.adaptive_avg_pool %x {sizes = [2]} : (tensor<2x4x7xf32>) -> tensor<2x4x2xf32>
  return %y : tensor<2x4x2xf32>
}

// CHECK-LABEL: @adaptive_avg_pool_grad_of_dynamic_shape
func.func @adaptive_avg_pool_grad_of_dynamic_shape(%g: tensor<?x4x2xf32>) -> tensor<?x4x?xf32> {
  // CHECK: dtensor.adaptive_avg_pool_grad %arg0 {sizes = [#dtensor.expr<H>]}
  %y = dtensor.adaptive_avg_pool_grad %g {sizes = [#dtensor.expr<H>]} : (tensor<?x4x2xf32>) -> tensor<?x4x?xf32>
  return %y : tensor<?x4x?xf32>
}

// CHECK-LABEL: @adaptive_avg_pool_grad_of_static_shape
func.func @adaptive_avg_pool_grad_of_static_shape(%g: tensor<2x4x2xf32>) -> tensor<2x4x7xf32> {
  // CHECK: dtensor.adaptive_avg_pool_grad %arg0 {sizes = [7]}
  %y = dtensor.adaptive_avg_pool_grad %g {sizes = [7]} : (tensor<2x4x2xf32>) -> tensor<2x4x7xf32>
  return %y : tensor<2x4x7xf32>
}
