// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s
// Gradients of losses on symbolic and static shapes.

// CHECK-LABEL: @bce_loss_backward_of_dynamic_shape
func.func @bce_loss_backward_of_dynamic_shape(%g: tensor<f32>, %x: tensor<?x4xf32>, %t: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.bce_loss_backward %arg0, %arg1, %arg2{{.*}} : (tensor<f32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.bce_loss_backward %g, %x, %t {reduction = "sum"} : (tensor<f32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @bce_with_logits_loss_backward_of_dynamic_shape
func.func @bce_with_logits_loss_backward_of_dynamic_shape(%g: tensor<f32>, %x: tensor<?x4xf32>, %t: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.bce_with_logits_loss_backward %arg0, %arg1, %arg2{{.*}} : (tensor<f32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.bce_with_logits_loss_backward %g, %x, %t {reduction = "sum"} : (tensor<f32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @cross_entropy_backward_of_dynamic_shape
func.func @cross_entropy_backward_of_dynamic_shape(%g: tensor<f32>, %x: tensor<?x?xf32>, %t: tensor<?xi64>) -> tensor<?x?xf32> {
  // CHECK: dtensor.cross_entropy_backward %arg0, %arg1, %arg2{{.*}} : (tensor<f32>, tensor<?x?xf32>, tensor<?xi64>) -> tensor<?x?xf32>
  %y = dtensor.cross_entropy_backward %g, %x, %t {ignore_index = -1, smoothing = 0.1} : (tensor<f32>, tensor<?x?xf32>, tensor<?xi64>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

// CHECK-LABEL: @huber_loss_backward_of_dynamic_shape
func.func @huber_loss_backward_of_dynamic_shape(%g: tensor<f32>, %x: tensor<?x4xf32>, %t: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.huber_loss_backward %arg0, %arg1, %arg2{{.*}} : (tensor<f32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.huber_loss_backward %g, %x, %t {reduction = "sum", delta = 0.5} : (tensor<f32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @kl_div_loss_backward_of_dynamic_shape
func.func @kl_div_loss_backward_of_dynamic_shape(%g: tensor<f32>, %x: tensor<?x4xf32>, %t: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.kl_div_loss_backward %arg0, %arg1, %arg2{{.*}} : (tensor<f32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.kl_div_loss_backward %g, %x, %t {reduction = "sum", log_target} : (tensor<f32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @l1_loss_backward_of_dynamic_shape
func.func @l1_loss_backward_of_dynamic_shape(%g: tensor<f32>, %x: tensor<?x4xf32>, %t: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.l1_loss_backward %arg0, %arg1, %arg2{{.*}} : (tensor<f32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.l1_loss_backward %g, %x, %t {reduction = "sum"} : (tensor<f32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @mse_loss_backward_of_dynamic_shape
func.func @mse_loss_backward_of_dynamic_shape(%g: tensor<f32>, %x: tensor<?x4xf32>, %t: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.mse_loss_backward %arg0, %arg1, %arg2{{.*}} : (tensor<f32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.mse_loss_backward %g, %x, %t {reduction = "sum"} : (tensor<f32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @nll_loss_backward_of_dynamic_shape
func.func @nll_loss_backward_of_dynamic_shape(%g: tensor<f32>, %x: tensor<?x?xf32>, %t: tensor<?xi64>) -> tensor<?x?xf32> {
  // CHECK: dtensor.nll_loss_backward %arg0, %arg1, %arg2{{.*}} : (tensor<f32>, tensor<?x?xf32>, tensor<?xi64>) -> tensor<?x?xf32>
  %y = dtensor.nll_loss_backward %g, %x, %t {ignore_index = -1} : (tensor<f32>, tensor<?x?xf32>, tensor<?xi64>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

// CHECK-LABEL: @smooth_l1_loss_backward_of_dynamic_shape
func.func @smooth_l1_loss_backward_of_dynamic_shape(%g: tensor<f32>, %x: tensor<?x4xf32>, %t: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.smooth_l1_loss_backward %arg0, %arg1, %arg2{{.*}} : (tensor<f32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.smooth_l1_loss_backward %g, %x, %t {reduction = "sum", beta = 0.5} : (tensor<f32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @bce_loss_backward_of_static_shape
func.func @bce_loss_backward_of_static_shape(%g: tensor<f32>, %x: tensor<3x4xf32>, %t: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.bce_loss_backward %arg0, %arg1, %arg2{{.*}} : (tensor<f32>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.bce_loss_backward %g, %x, %t {reduction = "sum"} : (tensor<f32>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @bce_with_logits_loss_backward_of_static_shape
func.func @bce_with_logits_loss_backward_of_static_shape(%g: tensor<f32>, %x: tensor<3x4xf32>, %t: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.bce_with_logits_loss_backward %arg0, %arg1, %arg2{{.*}} : (tensor<f32>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.bce_with_logits_loss_backward %g, %x, %t {reduction = "sum"} : (tensor<f32>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @cross_entropy_backward_of_static_shape
func.func @cross_entropy_backward_of_static_shape(%g: tensor<f32>, %x: tensor<3x3xf32>, %t: tensor<3xi64>) -> tensor<3x3xf32> {
  // CHECK: dtensor.cross_entropy_backward %arg0, %arg1, %arg2{{.*}} : (tensor<f32>, tensor<3x3xf32>, tensor<3xi64>) -> tensor<3x3xf32>
  %y = dtensor.cross_entropy_backward %g, %x, %t {ignore_index = -1, smoothing = 0.1} : (tensor<f32>, tensor<3x3xf32>, tensor<3xi64>) -> tensor<3x3xf32>
  return %y : tensor<3x3xf32>
}

// CHECK-LABEL: @huber_loss_backward_of_static_shape
func.func @huber_loss_backward_of_static_shape(%g: tensor<f32>, %x: tensor<3x4xf32>, %t: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.huber_loss_backward %arg0, %arg1, %arg2{{.*}} : (tensor<f32>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.huber_loss_backward %g, %x, %t {reduction = "sum", delta = 0.5} : (tensor<f32>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @kl_div_loss_backward_of_static_shape
func.func @kl_div_loss_backward_of_static_shape(%g: tensor<f32>, %x: tensor<3x4xf32>, %t: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.kl_div_loss_backward %arg0, %arg1, %arg2{{.*}} : (tensor<f32>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.kl_div_loss_backward %g, %x, %t {reduction = "sum", log_target} : (tensor<f32>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @l1_loss_backward_of_static_shape
func.func @l1_loss_backward_of_static_shape(%g: tensor<f32>, %x: tensor<3x4xf32>, %t: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.l1_loss_backward %arg0, %arg1, %arg2{{.*}} : (tensor<f32>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.l1_loss_backward %g, %x, %t {reduction = "sum"} : (tensor<f32>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @mse_loss_backward_of_static_shape
func.func @mse_loss_backward_of_static_shape(%g: tensor<f32>, %x: tensor<3x4xf32>, %t: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.mse_loss_backward %arg0, %arg1, %arg2{{.*}} : (tensor<f32>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.mse_loss_backward %g, %x, %t {reduction = "sum"} : (tensor<f32>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @nll_loss_backward_of_static_shape
func.func @nll_loss_backward_of_static_shape(%g: tensor<f32>, %x: tensor<3x3xf32>, %t: tensor<3xi64>) -> tensor<3x3xf32> {
  // CHECK: dtensor.nll_loss_backward %arg0, %arg1, %arg2{{.*}} : (tensor<f32>, tensor<3x3xf32>, tensor<3xi64>) -> tensor<3x3xf32>
  %y = dtensor.nll_loss_backward %g, %x, %t {ignore_index = -1} : (tensor<f32>, tensor<3x3xf32>, tensor<3xi64>) -> tensor<3x3xf32>
  return %y : tensor<3x3xf32>
}

// CHECK-LABEL: @smooth_l1_loss_backward_of_static_shape
func.func @smooth_l1_loss_backward_of_static_shape(%g: tensor<f32>, %x: tensor<3x4xf32>, %t: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.smooth_l1_loss_backward %arg0, %arg1, %arg2{{.*}} : (tensor<f32>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.smooth_l1_loss_backward %g, %x, %t {reduction = "sum", beta = 0.5} : (tensor<f32>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}
