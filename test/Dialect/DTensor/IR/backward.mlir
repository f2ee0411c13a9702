// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s
// Gradients on symbolic and static shapes.

// CHECK-LABEL: @amax_backward_of_dynamic_shape
func.func @amax_backward_of_dynamic_shape(%g: tensor<?x1xf32>, %a: tensor<?x?xf32>, %y: tensor<?x1xf32>) -> tensor<?x?xf32> {
  // CHECK: dtensor.amax_backward %arg0, %arg1, %arg2{{.*}} : (tensor<?x1xf32>, tensor<?x?xf32>, tensor<?x1xf32>) -> tensor<?x?xf32>
  %x = dtensor.amax_backward %g, %a, %y {dims = [1], keepdim} : (tensor<?x1xf32>, tensor<?x?xf32>, tensor<?x1xf32>) -> tensor<?x?xf32>
  return %x : tensor<?x?xf32>
}

// CHECK-LABEL: @amin_backward_of_dynamic_shape
func.func @amin_backward_of_dynamic_shape(%g: tensor<?x1xf32>, %a: tensor<?x?xf32>, %y: tensor<?x1xf32>) -> tensor<?x?xf32> {
  // CHECK: dtensor.amin_backward %arg0, %arg1, %arg2{{.*}} : (tensor<?x1xf32>, tensor<?x?xf32>, tensor<?x1xf32>) -> tensor<?x?xf32>
  %x = dtensor.amin_backward %g, %a, %y {dims = [1], keepdim} : (tensor<?x1xf32>, tensor<?x?xf32>, tensor<?x1xf32>) -> tensor<?x?xf32>
  return %x : tensor<?x?xf32>
}

// CHECK-LABEL: @attention_backward_of_dynamic_shape
func.func @attention_backward_of_dynamic_shape(%g: tensor<?x8x?x64xf32>, %q: tensor<?x8x?x64xf32>, %k: tensor<?x2x?x64xf32>, %v: tensor<?x2x?x64xf32>, %y: tensor<?x8x?x64xf32>) -> (tensor<?x8x?x64xf32>, tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>) {
  // CHECK: dtensor.attention_backward %arg0, %arg1, %arg2, %arg3, %arg4{{.*}} : (tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>, tensor<?x8x?x64xf32>) -> (tensor<?x8x?x64xf32>, tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>)
  %dq, %dk, %dv = dtensor.attention_backward %g, %q, %k, %v, %y {causal} : (tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>, tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>, tensor<?x8x?x64xf32>) -> (tensor<?x8x?x64xf32>, tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>)
  return %dq, %dk, %dv : tensor<?x8x?x64xf32>, tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>
}

// CHECK-LABEL: @dropout_backward_of_dynamic_shape
func.func @dropout_backward_of_dynamic_shape(%g: tensor<?x4xf32>, %x: tensor<?x4xi1>) -> tensor<?x4xf32> {
  // CHECK: dtensor.dropout_backward %arg0, %arg1{{.*}} : (tensor<?x4xf32>, tensor<?x4xi1>) -> tensor<?x4xf32>
  %y = dtensor.dropout_backward %g, %x {scale = 1.25} : (tensor<?x4xf32>, tensor<?x4xi1>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @elu_backward_of_dynamic_shape
func.func @elu_backward_of_dynamic_shape(%g: tensor<?x4xf32>, %x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.elu_backward %arg0, %arg1{{.*}} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.elu_backward %g, %x {alpha = 0.5} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @embedding_backward_of_dynamic_shape
func.func @embedding_backward_of_dynamic_shape(%g: tensor<?x?x8xf32>, %ids: tensor<?x?xi64>) -> tensor<?x8xf32> {
  // CHECK: dtensor.embedding_backward %arg0, %arg1{{.*}} : (tensor<?x?x8xf32>, tensor<?x?xi64>) -> tensor<?x8xf32>
  %dt = dtensor.embedding_backward %g, %ids {size = #dtensor.expr<V>, padding = 0} : (tensor<?x?x8xf32>, tensor<?x?xi64>) -> tensor<?x8xf32>
  return %dt : tensor<?x8xf32>
}

// CHECK-LABEL: @gather_backward_of_dynamic_shape
func.func @gather_backward_of_dynamic_shape(%g: tensor<?x?xf32>, %ids: tensor<?x?xi64>) -> tensor<?x?xf32> {
  // CHECK: dtensor.gather_backward %arg0, %arg1{{.*}} : (tensor<?x?xf32>, tensor<?x?xi64>) -> tensor<?x?xf32>
  %dx = dtensor.gather_backward %g, %ids {dim = 1, size = #dtensor.expr<N>} : (tensor<?x?xf32>, tensor<?x?xi64>) -> tensor<?x?xf32>
  return %dx : tensor<?x?xf32>
}

// CHECK-LABEL: @gelu_backward_of_dynamic_shape
func.func @gelu_backward_of_dynamic_shape(%g: tensor<?x4xf32>, %x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.gelu_backward %arg0, %arg1{{.*}} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.gelu_backward %g, %x {approximate = "tanh"} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @glu_backward_of_dynamic_shape
func.func @glu_backward_of_dynamic_shape(%g: tensor<?x4xf32>, %x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // CHECK: dtensor.glu_backward %arg0, %arg1{{.*}} : (tensor<?x4xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %dx = dtensor.glu_backward %g, %x {dim = 1} : (tensor<?x4xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %dx : tensor<?x8xf32>
}

// CHECK-LABEL: @group_norm_backward_of_dynamic_shape
func.func @group_norm_backward_of_dynamic_shape(%g: tensor<?x6x?xf32>, %x: tensor<?x6x?xf32>, %mean: tensor<?x2xf32>, %rstd: tensor<?x2xf32>, %w: tensor<6xf32>) -> (tensor<?x6x?xf32>, tensor<6xf32>, tensor<6xf32>) {
  // CHECK: dtensor.group_norm_backward %arg0, %arg1, %arg2, %arg3, %arg4{{.*}} : (tensor<?x6x?xf32>, tensor<?x6x?xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<6xf32>) -> (tensor<?x6x?xf32>, tensor<6xf32>, tensor<6xf32>)
  %dx, %dw, %db = dtensor.group_norm_backward %g, %x, %mean, %rstd, %w {groups = 2} : (tensor<?x6x?xf32>, tensor<?x6x?xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<6xf32>) -> (tensor<?x6x?xf32>, tensor<6xf32>, tensor<6xf32>)
  return %dx, %dw, %db : tensor<?x6x?xf32>, tensor<6xf32>, tensor<6xf32>
}

// CHECK-LABEL: @hardshrink_backward_of_dynamic_shape
func.func @hardshrink_backward_of_dynamic_shape(%g: tensor<?x4xf32>, %x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.hardshrink_backward %arg0, %arg1{{.*}} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.hardshrink_backward %g, %x {lambda = 1.0} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @hardsigmoid_backward_of_dynamic_shape
func.func @hardsigmoid_backward_of_dynamic_shape(%g: tensor<?x4xf32>, %x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.hardsigmoid_backward %arg0, %arg1 : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.hardsigmoid_backward %g, %x : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @hardswish_backward_of_dynamic_shape
func.func @hardswish_backward_of_dynamic_shape(%g: tensor<?x4xf32>, %x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.hardswish_backward %arg0, %arg1 : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.hardswish_backward %g, %x : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @hardtanh_backward_of_dynamic_shape
func.func @hardtanh_backward_of_dynamic_shape(%g: tensor<?x4xf32>, %x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.hardtanh_backward %arg0, %arg1{{.*}} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.hardtanh_backward %g, %x {high = 2.0} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @index_select_backward_of_dynamic_shape
func.func @index_select_backward_of_dynamic_shape(%g: tensor<?x?x4xf32>, %ids: tensor<?xi64>) -> tensor<?x?x4xf32> {
  // CHECK: dtensor.index_select_backward %arg0, %arg1{{.*}} : (tensor<?x?x4xf32>, tensor<?xi64>) -> tensor<?x?x4xf32>
  %dx = dtensor.index_select_backward %g, %ids {dim = 1, size = #dtensor.expr<N>} : (tensor<?x?x4xf32>, tensor<?xi64>) -> tensor<?x?x4xf32>
  return %dx : tensor<?x?x4xf32>
}

// CHECK-LABEL: @layer_norm_backward_of_dynamic_shape
func.func @layer_norm_backward_of_dynamic_shape(%g: tensor<?x?xf32>, %x: tensor<?x?xf32>, %mean: tensor<?x1xf32>, %rstd: tensor<?x1xf32>, %w: tensor<?xf32>) -> (tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>) {
  // CHECK: dtensor.layer_norm_backward %arg0, %arg1, %arg2, %arg3, %arg4{{.*}} : (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x1xf32>, tensor<?x1xf32>, tensor<?xf32>) -> (tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>)
  %dx, %dw, %db = dtensor.layer_norm_backward %g, %x, %mean, %rstd, %w {trailing = 1 : i64} : (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x1xf32>, tensor<?x1xf32>, tensor<?xf32>) -> (tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>)
  return %dx, %dw, %db : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
}

// CHECK-LABEL: @leaky_relu_backward_of_dynamic_shape
func.func @leaky_relu_backward_of_dynamic_shape(%g: tensor<?x4xf32>, %x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.leaky_relu_backward %arg0, %arg1{{.*}} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.leaky_relu_backward %g, %x {slope = 0.2} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @log_sigmoid_backward_of_dynamic_shape
func.func @log_sigmoid_backward_of_dynamic_shape(%g: tensor<?x4xf32>, %x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.log_sigmoid_backward %arg0, %arg1 : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.log_sigmoid_backward %g, %x : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @log_softmax_backward_of_dynamic_shape
func.func @log_softmax_backward_of_dynamic_shape(%g: tensor<?x?xf32>, %y: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // CHECK: dtensor.log_softmax_backward %arg0, %arg1{{.*}} : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %x = dtensor.log_softmax_backward %g, %y {dim = 1} : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  return %x : tensor<?x?xf32>
}

// CHECK-LABEL: @logit_backward_of_dynamic_shape
func.func @logit_backward_of_dynamic_shape(%g: tensor<?x4xf32>, %x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.logit_backward %arg0, %arg1{{.*}} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.logit_backward %g, %x {eps = 1.0e-6} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @mish_backward_of_dynamic_shape
func.func @mish_backward_of_dynamic_shape(%g: tensor<?x4xf32>, %x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.mish_backward %arg0, %arg1 : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.mish_backward %g, %x : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @rms_norm_backward_of_dynamic_shape
func.func @rms_norm_backward_of_dynamic_shape(%g: tensor<?x?xf32>, %x: tensor<?x?xf32>, %rstd: tensor<?x1xf32>, %w: tensor<?xf32>) -> (tensor<?x?xf32>, tensor<?xf32>) {
  // CHECK: dtensor.rms_norm_backward %arg0, %arg1, %arg2, %arg3{{.*}} : (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x1xf32>, tensor<?xf32>) -> (tensor<?x?xf32>, tensor<?xf32>)
  %dx, %dw = dtensor.rms_norm_backward %g, %x, %rstd, %w {trailing = 1 : i64} : (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x1xf32>, tensor<?xf32>) -> (tensor<?x?xf32>, tensor<?xf32>)
  return %dx, %dw : tensor<?x?xf32>, tensor<?xf32>
}

// CHECK-LABEL: @select_backward_of_dynamic_shape
func.func @select_backward_of_dynamic_shape(%g: tensor<?x4xf32>) -> tensor<?x?x4xf32> {
  // CHECK: dtensor.select_backward %arg0{{.*}} : (tensor<?x4xf32>) -> tensor<?x?x4xf32>
  %dx = dtensor.select_backward %g {dim = 1, size = #dtensor.expr<N>, index = 2} : (tensor<?x4xf32>) -> tensor<?x?x4xf32>
  return %dx : tensor<?x?x4xf32>
}

// CHECK-LABEL: @sigmoid_backward_of_dynamic_shape
func.func @sigmoid_backward_of_dynamic_shape(%g: tensor<?x4xf32>, %x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.sigmoid_backward %arg0, %arg1 : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.sigmoid_backward %g, %x : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @silu_backward_of_dynamic_shape
func.func @silu_backward_of_dynamic_shape(%g: tensor<?x4xf32>, %x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.silu_backward %arg0, %arg1 : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.silu_backward %g, %x : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @slice_backward_of_dynamic_shape
func.func @slice_backward_of_dynamic_shape(%g: tensor<?x4xf32>) -> tensor<?x?xf32> {
  // CHECK: dtensor.slice_backward %arg0{{.*}} : (tensor<?x4xf32>) -> tensor<?x?xf32>
  %dx = dtensor.slice_backward %g {dim = 1, size = #dtensor.expr<N>, start = 1, step = 2} : (tensor<?x4xf32>) -> tensor<?x?xf32>
  return %dx : tensor<?x?xf32>
}

// CHECK-LABEL: @softmax_backward_of_dynamic_shape
func.func @softmax_backward_of_dynamic_shape(%g: tensor<?x?xf32>, %y: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // CHECK: dtensor.softmax_backward %arg0, %arg1{{.*}} : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %x = dtensor.softmax_backward %g, %y {dim = 1} : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  return %x : tensor<?x?xf32>
}

// CHECK-LABEL: @softplus_backward_of_dynamic_shape
func.func @softplus_backward_of_dynamic_shape(%g: tensor<?x4xf32>, %x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.softplus_backward %arg0, %arg1{{.*}} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.softplus_backward %g, %x {beta = 2.0} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @softshrink_backward_of_dynamic_shape
func.func @softshrink_backward_of_dynamic_shape(%g: tensor<?x4xf32>, %x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.softshrink_backward %arg0, %arg1{{.*}} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.softshrink_backward %g, %x {lambda = 1.0} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @tanh_backward_of_dynamic_shape
func.func @tanh_backward_of_dynamic_shape(%g: tensor<?x4xf32>, %x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.tanh_backward %arg0, %arg1 : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.tanh_backward %g, %x : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @threshold_backward_of_dynamic_shape
func.func @threshold_backward_of_dynamic_shape(%g: tensor<?x4xf32>, %x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.threshold_backward %arg0, %arg1{{.*}} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.threshold_backward %g, %x {threshold = 0.0} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @amax_backward_of_static_shape
func.func @amax_backward_of_static_shape(%g: tensor<3x1xf32>, %a: tensor<3x3xf32>, %y: tensor<3x1xf32>) -> tensor<3x3xf32> {
  // CHECK: dtensor.amax_backward %arg0, %arg1, %arg2{{.*}} : (tensor<3x1xf32>, tensor<3x3xf32>, tensor<3x1xf32>) -> tensor<3x3xf32>
  %x = dtensor.amax_backward %g, %a, %y {dims = [1], keepdim} : (tensor<3x1xf32>, tensor<3x3xf32>, tensor<3x1xf32>) -> tensor<3x3xf32>
  return %x : tensor<3x3xf32>
}

// CHECK-LABEL: @amin_backward_of_static_shape
func.func @amin_backward_of_static_shape(%g: tensor<3x1xf32>, %a: tensor<3x3xf32>, %y: tensor<3x1xf32>) -> tensor<3x3xf32> {
  // CHECK: dtensor.amin_backward %arg0, %arg1, %arg2{{.*}} : (tensor<3x1xf32>, tensor<3x3xf32>, tensor<3x1xf32>) -> tensor<3x3xf32>
  %x = dtensor.amin_backward %g, %a, %y {dims = [1], keepdim} : (tensor<3x1xf32>, tensor<3x3xf32>, tensor<3x1xf32>) -> tensor<3x3xf32>
  return %x : tensor<3x3xf32>
}

// CHECK-LABEL: @attention_backward_of_static_shape
func.func @attention_backward_of_static_shape(%g: tensor<3x8x3x64xf32>, %q: tensor<3x8x3x64xf32>, %k: tensor<3x2x3x64xf32>, %v: tensor<3x2x3x64xf32>, %y: tensor<3x8x3x64xf32>) -> (tensor<3x8x3x64xf32>, tensor<3x2x3x64xf32>, tensor<3x2x3x64xf32>) {
  // CHECK: dtensor.attention_backward %arg0, %arg1, %arg2, %arg3, %arg4{{.*}} : (tensor<3x8x3x64xf32>, tensor<3x8x3x64xf32>, tensor<3x2x3x64xf32>, tensor<3x2x3x64xf32>, tensor<3x8x3x64xf32>) -> (tensor<3x8x3x64xf32>, tensor<3x2x3x64xf32>, tensor<3x2x3x64xf32>)
  %dq, %dk, %dv = dtensor.attention_backward %g, %q, %k, %v, %y {causal} : (tensor<3x8x3x64xf32>, tensor<3x8x3x64xf32>, tensor<3x2x3x64xf32>, tensor<3x2x3x64xf32>, tensor<3x8x3x64xf32>) -> (tensor<3x8x3x64xf32>, tensor<3x2x3x64xf32>, tensor<3x2x3x64xf32>)
  return %dq, %dk, %dv : tensor<3x8x3x64xf32>, tensor<3x2x3x64xf32>, tensor<3x2x3x64xf32>
}

// CHECK-LABEL: @dropout_backward_of_static_shape
func.func @dropout_backward_of_static_shape(%g: tensor<3x4xf32>, %x: tensor<3x4xi1>) -> tensor<3x4xf32> {
  // CHECK: dtensor.dropout_backward %arg0, %arg1{{.*}} : (tensor<3x4xf32>, tensor<3x4xi1>) -> tensor<3x4xf32>
  %y = dtensor.dropout_backward %g, %x {scale = 1.25} : (tensor<3x4xf32>, tensor<3x4xi1>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @elu_backward_of_static_shape
func.func @elu_backward_of_static_shape(%g: tensor<3x4xf32>, %x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.elu_backward %arg0, %arg1{{.*}} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.elu_backward %g, %x {alpha = 0.5} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @embedding_backward_of_static_shape
func.func @embedding_backward_of_static_shape(%g: tensor<3x3x8xf32>, %ids: tensor<3x3xi64>) -> tensor<5x8xf32> {
  // CHECK: dtensor.embedding_backward %arg0, %arg1{{.*}} : (tensor<3x3x8xf32>, tensor<3x3xi64>) -> tensor<5x8xf32>
  %dt = dtensor.embedding_backward %g, %ids {size = 5, padding = 0} : (tensor<3x3x8xf32>, tensor<3x3xi64>) -> tensor<5x8xf32>
  return %dt : tensor<5x8xf32>
}

// CHECK-LABEL: @gather_backward_of_static_shape
func.func @gather_backward_of_static_shape(%g: tensor<3x3xf32>, %ids: tensor<3x3xi64>) -> tensor<3x5xf32> {
  // CHECK: dtensor.gather_backward %arg0, %arg1{{.*}} : (tensor<3x3xf32>, tensor<3x3xi64>) -> tensor<3x5xf32>
  %dx = dtensor.gather_backward %g, %ids {dim = 1, size = 5} : (tensor<3x3xf32>, tensor<3x3xi64>) -> tensor<3x5xf32>
  return %dx : tensor<3x5xf32>
}

// CHECK-LABEL: @gelu_backward_of_static_shape
func.func @gelu_backward_of_static_shape(%g: tensor<3x4xf32>, %x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.gelu_backward %arg0, %arg1{{.*}} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.gelu_backward %g, %x {approximate = "tanh"} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @glu_backward_of_static_shape
func.func @glu_backward_of_static_shape(%g: tensor<3x4xf32>, %x: tensor<3x8xf32>) -> tensor<3x8xf32> {
  // CHECK: dtensor.glu_backward %arg0, %arg1{{.*}} : (tensor<3x4xf32>, tensor<3x8xf32>) -> tensor<3x8xf32>
  %dx = dtensor.glu_backward %g, %x {dim = 1} : (tensor<3x4xf32>, tensor<3x8xf32>) -> tensor<3x8xf32>
  return %dx : tensor<3x8xf32>
}

// CHECK-LABEL: @group_norm_backward_of_static_shape
func.func @group_norm_backward_of_static_shape(%g: tensor<3x6x3xf32>, %x: tensor<3x6x3xf32>, %mean: tensor<3x2xf32>, %rstd: tensor<3x2xf32>, %w: tensor<6xf32>) -> (tensor<3x6x3xf32>, tensor<6xf32>, tensor<6xf32>) {
  // CHECK: dtensor.group_norm_backward %arg0, %arg1, %arg2, %arg3, %arg4{{.*}} : (tensor<3x6x3xf32>, tensor<3x6x3xf32>, tensor<3x2xf32>, tensor<3x2xf32>, tensor<6xf32>) -> (tensor<3x6x3xf32>, tensor<6xf32>, tensor<6xf32>)
  %dx, %dw, %db = dtensor.group_norm_backward %g, %x, %mean, %rstd, %w {groups = 2} : (tensor<3x6x3xf32>, tensor<3x6x3xf32>, tensor<3x2xf32>, tensor<3x2xf32>, tensor<6xf32>) -> (tensor<3x6x3xf32>, tensor<6xf32>, tensor<6xf32>)
  return %dx, %dw, %db : tensor<3x6x3xf32>, tensor<6xf32>, tensor<6xf32>
}

// CHECK-LABEL: @hardshrink_backward_of_static_shape
func.func @hardshrink_backward_of_static_shape(%g: tensor<3x4xf32>, %x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.hardshrink_backward %arg0, %arg1{{.*}} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.hardshrink_backward %g, %x {lambda = 1.0} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @hardsigmoid_backward_of_static_shape
func.func @hardsigmoid_backward_of_static_shape(%g: tensor<3x4xf32>, %x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.hardsigmoid_backward %arg0, %arg1 : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.hardsigmoid_backward %g, %x : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @hardswish_backward_of_static_shape
func.func @hardswish_backward_of_static_shape(%g: tensor<3x4xf32>, %x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.hardswish_backward %arg0, %arg1 : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.hardswish_backward %g, %x : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @hardtanh_backward_of_static_shape
func.func @hardtanh_backward_of_static_shape(%g: tensor<3x4xf32>, %x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.hardtanh_backward %arg0, %arg1{{.*}} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.hardtanh_backward %g, %x {high = 2.0} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @index_select_backward_of_static_shape
func.func @index_select_backward_of_static_shape(%g: tensor<3x3x4xf32>, %ids: tensor<3xi64>) -> tensor<3x5x4xf32> {
  // CHECK: dtensor.index_select_backward %arg0, %arg1{{.*}} : (tensor<3x3x4xf32>, tensor<3xi64>) -> tensor<3x5x4xf32>
  %dx = dtensor.index_select_backward %g, %ids {dim = 1, size = 5} : (tensor<3x3x4xf32>, tensor<3xi64>) -> tensor<3x5x4xf32>
  return %dx : tensor<3x5x4xf32>
}

// CHECK-LABEL: @layer_norm_backward_of_static_shape
func.func @layer_norm_backward_of_static_shape(%g: tensor<3x3xf32>, %x: tensor<3x3xf32>, %mean: tensor<3x1xf32>, %rstd: tensor<3x1xf32>, %w: tensor<3xf32>) -> (tensor<3x3xf32>, tensor<3xf32>, tensor<3xf32>) {
  // CHECK: dtensor.layer_norm_backward %arg0, %arg1, %arg2, %arg3, %arg4{{.*}} : (tensor<3x3xf32>, tensor<3x3xf32>, tensor<3x1xf32>, tensor<3x1xf32>, tensor<3xf32>) -> (tensor<3x3xf32>, tensor<3xf32>, tensor<3xf32>)
  %dx, %dw, %db = dtensor.layer_norm_backward %g, %x, %mean, %rstd, %w {trailing = 1 : i64} : (tensor<3x3xf32>, tensor<3x3xf32>, tensor<3x1xf32>, tensor<3x1xf32>, tensor<3xf32>) -> (tensor<3x3xf32>, tensor<3xf32>, tensor<3xf32>)
  return %dx, %dw, %db : tensor<3x3xf32>, tensor<3xf32>, tensor<3xf32>
}

// CHECK-LABEL: @leaky_relu_backward_of_static_shape
func.func @leaky_relu_backward_of_static_shape(%g: tensor<3x4xf32>, %x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.leaky_relu_backward %arg0, %arg1{{.*}} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.leaky_relu_backward %g, %x {slope = 0.2} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @log_sigmoid_backward_of_static_shape
func.func @log_sigmoid_backward_of_static_shape(%g: tensor<3x4xf32>, %x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.log_sigmoid_backward %arg0, %arg1 : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.log_sigmoid_backward %g, %x : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @log_softmax_backward_of_static_shape
func.func @log_softmax_backward_of_static_shape(%g: tensor<3x3xf32>, %y: tensor<3x3xf32>) -> tensor<3x3xf32> {
  // CHECK: dtensor.log_softmax_backward %arg0, %arg1{{.*}} : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
  %x = dtensor.log_softmax_backward %g, %y {dim = 1} : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
  return %x : tensor<3x3xf32>
}

// CHECK-LABEL: @logit_backward_of_static_shape
func.func @logit_backward_of_static_shape(%g: tensor<3x4xf32>, %x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.logit_backward %arg0, %arg1{{.*}} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.logit_backward %g, %x {eps = 1.0e-6} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @mish_backward_of_static_shape
func.func @mish_backward_of_static_shape(%g: tensor<3x4xf32>, %x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.mish_backward %arg0, %arg1 : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.mish_backward %g, %x : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @rms_norm_backward_of_static_shape
func.func @rms_norm_backward_of_static_shape(%g: tensor<3x3xf32>, %x: tensor<3x3xf32>, %rstd: tensor<3x1xf32>, %w: tensor<3xf32>) -> (tensor<3x3xf32>, tensor<3xf32>) {
  // CHECK: dtensor.rms_norm_backward %arg0, %arg1, %arg2, %arg3{{.*}} : (tensor<3x3xf32>, tensor<3x3xf32>, tensor<3x1xf32>, tensor<3xf32>) -> (tensor<3x3xf32>, tensor<3xf32>)
  %dx, %dw = dtensor.rms_norm_backward %g, %x, %rstd, %w {trailing = 1 : i64} : (tensor<3x3xf32>, tensor<3x3xf32>, tensor<3x1xf32>, tensor<3xf32>) -> (tensor<3x3xf32>, tensor<3xf32>)
  return %dx, %dw : tensor<3x3xf32>, tensor<3xf32>
}

// CHECK-LABEL: @select_backward_of_static_shape
func.func @select_backward_of_static_shape(%g: tensor<3x4xf32>) -> tensor<3x5x4xf32> {
  // CHECK: dtensor.select_backward %arg0{{.*}} : (tensor<3x4xf32>) -> tensor<3x5x4xf32>
  %dx = dtensor.select_backward %g {dim = 1, size = 5, index = 2} : (tensor<3x4xf32>) -> tensor<3x5x4xf32>
  return %dx : tensor<3x5x4xf32>
}

// CHECK-LABEL: @sigmoid_backward_of_static_shape
func.func @sigmoid_backward_of_static_shape(%g: tensor<3x4xf32>, %x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.sigmoid_backward %arg0, %arg1 : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.sigmoid_backward %g, %x : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @silu_backward_of_static_shape
func.func @silu_backward_of_static_shape(%g: tensor<3x4xf32>, %x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.silu_backward %arg0, %arg1 : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.silu_backward %g, %x : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @slice_backward_of_static_shape
func.func @slice_backward_of_static_shape(%g: tensor<3x2xf32>) -> tensor<3x5xf32> {
  // CHECK: dtensor.slice_backward %arg0{{.*}} : (tensor<3x2xf32>) -> tensor<3x5xf32>
  %dx = dtensor.slice_backward %g {dim = 1, size = 5, start = 1, step = 2} : (tensor<3x2xf32>) -> tensor<3x5xf32>
  return %dx : tensor<3x5xf32>
}

// CHECK-LABEL: @softmax_backward_of_static_shape
func.func @softmax_backward_of_static_shape(%g: tensor<3x3xf32>, %y: tensor<3x3xf32>) -> tensor<3x3xf32> {
  // CHECK: dtensor.softmax_backward %arg0, %arg1{{.*}} : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
  %x = dtensor.softmax_backward %g, %y {dim = 1} : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
  return %x : tensor<3x3xf32>
}

// CHECK-LABEL: @softplus_backward_of_static_shape
func.func @softplus_backward_of_static_shape(%g: tensor<3x4xf32>, %x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.softplus_backward %arg0, %arg1{{.*}} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.softplus_backward %g, %x {beta = 2.0} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @softshrink_backward_of_static_shape
func.func @softshrink_backward_of_static_shape(%g: tensor<3x4xf32>, %x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.softshrink_backward %arg0, %arg1{{.*}} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.softshrink_backward %g, %x {lambda = 1.0} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @tanh_backward_of_static_shape
func.func @tanh_backward_of_static_shape(%g: tensor<3x4xf32>, %x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.tanh_backward %arg0, %arg1 : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.tanh_backward %g, %x : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @threshold_backward_of_static_shape
func.func @threshold_backward_of_static_shape(%g: tensor<3x4xf32>, %x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.threshold_backward %arg0, %arg1{{.*}} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.threshold_backward %g, %x {threshold = 0.0} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}
