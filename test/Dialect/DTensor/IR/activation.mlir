// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s
// Activations on symbolic and static shapes.

// CHECK-LABEL: @elu_of_dynamic_shape
func.func @elu_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.elu %arg0 {{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.elu %x {alpha = 0.5} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @celu_of_dynamic_shape
func.func @celu_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.celu %arg0 {{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.celu %x {alpha = 0.5} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @selu_of_dynamic_shape
func.func @selu_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.selu %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.selu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @leaky_relu_of_dynamic_shape
func.func @leaky_relu_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.leaky_relu %arg0 {{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.leaky_relu %x {slope = 0.2} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @relu6_of_dynamic_shape
func.func @relu6_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.relu6 %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.relu6 %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @hardtanh_of_dynamic_shape
func.func @hardtanh_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.hardtanh %arg0 {{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.hardtanh %x {high = 2.0} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @hardsigmoid_of_dynamic_shape
func.func @hardsigmoid_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.hardsigmoid %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.hardsigmoid %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @hardswish_of_dynamic_shape
func.func @hardswish_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.hardswish %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.hardswish %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @softplus_of_dynamic_shape
func.func @softplus_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.softplus %arg0 {{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.softplus %x {beta = 2.0} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @mish_of_dynamic_shape
func.func @mish_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.mish %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.mish %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @log_sigmoid_of_dynamic_shape
func.func @log_sigmoid_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.log_sigmoid %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.log_sigmoid %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @softsign_of_dynamic_shape
func.func @softsign_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.softsign %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.softsign %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @tanhshrink_of_dynamic_shape
func.func @tanhshrink_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.tanhshrink %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.tanhshrink %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @hardshrink_of_dynamic_shape
func.func @hardshrink_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.hardshrink %arg0 {{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.hardshrink %x {lambda = 1.0} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @softshrink_of_dynamic_shape
func.func @softshrink_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.softshrink %arg0 {{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.softshrink %x {lambda = 1.0} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @threshold_of_dynamic_shape
func.func @threshold_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.threshold %arg0 {{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.threshold %x {threshold = 0.1, value = 0.0} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @logit_of_dynamic_shape
func.func @logit_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.logit %arg0 {{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.logit %x {eps = 1.0e-6} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @prelu_of_dynamic_shape
func.func @prelu_of_dynamic_shape(%a: tensor<?x4xf32>, %b: tensor<4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.prelu %arg0, %arg1 : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %y = dtensor.prelu %a, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @elu_of_static_shape
func.func @elu_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.elu %arg0 {{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.elu %x {alpha = 0.5} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @celu_of_static_shape
func.func @celu_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.celu %arg0 {{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.celu %x {alpha = 0.5} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @selu_of_static_shape
func.func @selu_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.selu %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.selu %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @leaky_relu_of_static_shape
func.func @leaky_relu_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.leaky_relu %arg0 {{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.leaky_relu %x {slope = 0.2} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @relu6_of_static_shape
func.func @relu6_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.relu6 %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.relu6 %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @hardtanh_of_static_shape
func.func @hardtanh_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.hardtanh %arg0 {{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.hardtanh %x {high = 2.0} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @hardsigmoid_of_static_shape
func.func @hardsigmoid_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.hardsigmoid %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.hardsigmoid %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @hardswish_of_static_shape
func.func @hardswish_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.hardswish %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.hardswish %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @softplus_of_static_shape
func.func @softplus_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.softplus %arg0 {{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.softplus %x {beta = 2.0} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @mish_of_static_shape
func.func @mish_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.mish %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.mish %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @log_sigmoid_of_static_shape
func.func @log_sigmoid_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.log_sigmoid %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.log_sigmoid %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @softsign_of_static_shape
func.func @softsign_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.softsign %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.softsign %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @tanhshrink_of_static_shape
func.func @tanhshrink_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.tanhshrink %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.tanhshrink %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @hardshrink_of_static_shape
func.func @hardshrink_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.hardshrink %arg0 {{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.hardshrink %x {lambda = 1.0} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @softshrink_of_static_shape
func.func @softshrink_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.softshrink %arg0 {{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.softshrink %x {lambda = 1.0} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @threshold_of_static_shape
func.func @threshold_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.threshold %arg0 {{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.threshold %x {threshold = 0.1, value = 0.0} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @logit_of_static_shape
func.func @logit_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.logit %arg0 {{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.logit %x {eps = 1.0e-6} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @prelu_of_static_shape
func.func @prelu_of_static_shape(%a: tensor<3x4xf32>, %b: tensor<4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.prelu %arg0, %arg1 : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  %y = dtensor.prelu %a, %b : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}
