// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s
// Every op of arithmetic, on symbolic and static shapes.

// CHECK-LABEL: @exp2_of_dynamic_shape
func.func @exp2_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.exp2 %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.exp2 %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @log2_of_dynamic_shape
func.func @log2_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.log2 %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.log2 %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @log10_of_dynamic_shape
func.func @log10_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.log10 %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.log10 %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @tan_of_dynamic_shape
func.func @tan_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.tan %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.tan %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @asin_of_dynamic_shape
func.func @asin_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.asin %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.asin %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @acos_of_dynamic_shape
func.func @acos_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.acos %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.acos %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @atan_of_dynamic_shape
func.func @atan_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.atan %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.atan %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @sinh_of_dynamic_shape
func.func @sinh_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.sinh %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.sinh %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @cosh_of_dynamic_shape
func.func @cosh_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.cosh %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.cosh %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @asinh_of_dynamic_shape
func.func @asinh_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.asinh %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.asinh %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @acosh_of_dynamic_shape
func.func @acosh_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.acosh %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.acosh %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @atanh_of_dynamic_shape
func.func @atanh_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.atanh %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.atanh %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @erfc_of_dynamic_shape
func.func @erfc_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.erfc %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.erfc %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @trunc_of_dynamic_shape
func.func @trunc_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.trunc %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.trunc %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @frac_of_dynamic_shape
func.func @frac_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.frac %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.frac %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @deg2rad_of_dynamic_shape
func.func @deg2rad_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.deg2rad %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.deg2rad %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @rad2deg_of_dynamic_shape
func.func @rad2deg_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.rad2deg %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.rad2deg %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @square_of_dynamic_shape
func.func @square_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.square %arg0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.square %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @bitwise_not_of_dynamic_shape
func.func @bitwise_not_of_dynamic_shape(%x: tensor<?xi32>) -> tensor<?xi32> {
  // CHECK: dtensor.bitwise_not %arg0 : (tensor<?xi32>) -> tensor<?xi32>
  %y = dtensor.bitwise_not %x : (tensor<?xi32>) -> tensor<?xi32>
  return %y : tensor<?xi32>
}

// CHECK-LABEL: @isnan_of_dynamic_shape
func.func @isnan_of_dynamic_shape(%x: tensor<?xf32>) -> tensor<?xi1> {
  // CHECK: dtensor.isnan %arg0 : (tensor<?xf32>) -> tensor<?xi1>
  %y = dtensor.isnan %x : (tensor<?xf32>) -> tensor<?xi1>
  return %y : tensor<?xi1>
}

// CHECK-LABEL: @isinf_of_dynamic_shape
func.func @isinf_of_dynamic_shape(%x: tensor<?xf32>) -> tensor<?xi1> {
  // CHECK: dtensor.isinf %arg0 : (tensor<?xf32>) -> tensor<?xi1>
  %y = dtensor.isinf %x : (tensor<?xf32>) -> tensor<?xi1>
  return %y : tensor<?xi1>
}

// CHECK-LABEL: @isfinite_of_dynamic_shape
func.func @isfinite_of_dynamic_shape(%x: tensor<?xf32>) -> tensor<?xi1> {
  // CHECK: dtensor.isfinite %arg0 : (tensor<?xf32>) -> tensor<?xi1>
  %y = dtensor.isfinite %x : (tensor<?xf32>) -> tensor<?xi1>
  return %y : tensor<?xi1>
}

// CHECK-LABEL: @signbit_of_dynamic_shape
func.func @signbit_of_dynamic_shape(%x: tensor<?xf32>) -> tensor<?xi1> {
  // CHECK: dtensor.signbit %arg0 : (tensor<?xf32>) -> tensor<?xi1>
  %y = dtensor.signbit %x : (tensor<?xf32>) -> tensor<?xi1>
  return %y : tensor<?xi1>
}

// CHECK-LABEL: @nan_to_num_of_dynamic_shape
func.func @nan_to_num_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.nan_to_num %arg0 {{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.nan_to_num %x {posinf = 1.0e4} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @fmod_of_dynamic_shape
func.func @fmod_of_dynamic_shape(%a: tensor<?x4xf32>, %b: tensor<4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.fmod %arg0, %arg1 : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %y = dtensor.fmod %a, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @floor_divide_of_dynamic_shape
func.func @floor_divide_of_dynamic_shape(%a: tensor<?x4xf32>, %b: tensor<4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.floor_divide %arg0, %arg1 : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %y = dtensor.floor_divide %a, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @fmax_of_dynamic_shape
func.func @fmax_of_dynamic_shape(%a: tensor<?x4xf32>, %b: tensor<4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.fmax %arg0, %arg1 : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %y = dtensor.fmax %a, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @fmin_of_dynamic_shape
func.func @fmin_of_dynamic_shape(%a: tensor<?x4xf32>, %b: tensor<4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.fmin %arg0, %arg1 : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %y = dtensor.fmin %a, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @copysign_of_dynamic_shape
func.func @copysign_of_dynamic_shape(%a: tensor<?x4xf32>, %b: tensor<4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.copysign %arg0, %arg1 : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %y = dtensor.copysign %a, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @hypot_of_dynamic_shape
func.func @hypot_of_dynamic_shape(%a: tensor<?x4xf32>, %b: tensor<4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.hypot %arg0, %arg1 : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %y = dtensor.hypot %a, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @logaddexp_of_dynamic_shape
func.func @logaddexp_of_dynamic_shape(%a: tensor<?x4xf32>, %b: tensor<4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.logaddexp %arg0, %arg1 : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %y = dtensor.logaddexp %a, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @logaddexp2_of_dynamic_shape
func.func @logaddexp2_of_dynamic_shape(%a: tensor<?x4xf32>, %b: tensor<4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.logaddexp2 %arg0, %arg1 : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %y = dtensor.logaddexp2 %a, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @xlogy_of_dynamic_shape
func.func @xlogy_of_dynamic_shape(%a: tensor<?x4xf32>, %b: tensor<4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.xlogy %arg0, %arg1 : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %y = dtensor.xlogy %a, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @heaviside_of_dynamic_shape
func.func @heaviside_of_dynamic_shape(%a: tensor<?x4xf32>, %b: tensor<4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.heaviside %arg0, %arg1 : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %y = dtensor.heaviside %a, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @bitwise_and_of_dynamic_shape
func.func @bitwise_and_of_dynamic_shape(%a: tensor<?xi32>, %b: tensor<?xi32>) -> tensor<?xi32> {
  // CHECK: dtensor.bitwise_and %arg0, %arg1 : (tensor<?xi32>, tensor<?xi32>) -> tensor<?xi32>
  %y = dtensor.bitwise_and %a, %b : (tensor<?xi32>, tensor<?xi32>) -> tensor<?xi32>
  return %y : tensor<?xi32>
}

// CHECK-LABEL: @bitwise_or_of_dynamic_shape
func.func @bitwise_or_of_dynamic_shape(%a: tensor<?xi32>, %b: tensor<?xi32>) -> tensor<?xi32> {
  // CHECK: dtensor.bitwise_or %arg0, %arg1 : (tensor<?xi32>, tensor<?xi32>) -> tensor<?xi32>
  %y = dtensor.bitwise_or %a, %b : (tensor<?xi32>, tensor<?xi32>) -> tensor<?xi32>
  return %y : tensor<?xi32>
}

// CHECK-LABEL: @bitwise_xor_of_dynamic_shape
func.func @bitwise_xor_of_dynamic_shape(%a: tensor<?xi32>, %b: tensor<?xi32>) -> tensor<?xi32> {
  // CHECK: dtensor.bitwise_xor %arg0, %arg1 : (tensor<?xi32>, tensor<?xi32>) -> tensor<?xi32>
  %y = dtensor.bitwise_xor %a, %b : (tensor<?xi32>, tensor<?xi32>) -> tensor<?xi32>
  return %y : tensor<?xi32>
}

// CHECK-LABEL: @shift_left_of_dynamic_shape
func.func @shift_left_of_dynamic_shape(%a: tensor<?xi32>, %b: tensor<?xi32>) -> tensor<?xi32> {
  // CHECK: dtensor.shift_left %arg0, %arg1 : (tensor<?xi32>, tensor<?xi32>) -> tensor<?xi32>
  %y = dtensor.shift_left %a, %b : (tensor<?xi32>, tensor<?xi32>) -> tensor<?xi32>
  return %y : tensor<?xi32>
}

// CHECK-LABEL: @shift_right_of_dynamic_shape
func.func @shift_right_of_dynamic_shape(%a: tensor<?xi32>, %b: tensor<?xi32>) -> tensor<?xi32> {
  // CHECK: dtensor.shift_right %arg0, %arg1 : (tensor<?xi32>, tensor<?xi32>) -> tensor<?xi32>
  %y = dtensor.shift_right %a, %b : (tensor<?xi32>, tensor<?xi32>) -> tensor<?xi32>
  return %y : tensor<?xi32>
}

// CHECK-LABEL: @clamp_of_dynamic_shape
func.func @clamp_of_dynamic_shape(%x: tensor<?x4xf32>, %a: tensor<4xf32>, %b: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.clamp %arg0, %arg1, %arg2 : (tensor<?x4xf32>, tensor<4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.clamp %x, %a, %b : (tensor<?x4xf32>, tensor<4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @lerp_of_dynamic_shape
func.func @lerp_of_dynamic_shape(%x: tensor<?x4xf32>, %a: tensor<4xf32>, %b: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.lerp %arg0, %arg1, %arg2 : (tensor<?x4xf32>, tensor<4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.lerp %x, %a, %b : (tensor<?x4xf32>, tensor<4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @addcmul_of_dynamic_shape
func.func @addcmul_of_dynamic_shape(%x: tensor<?x4xf32>, %a: tensor<4xf32>, %b: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.addcmul %arg0, %arg1, %arg2 : (tensor<?x4xf32>, tensor<4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.addcmul %x, %a, %b : (tensor<?x4xf32>, tensor<4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @addcdiv_of_dynamic_shape
func.func @addcdiv_of_dynamic_shape(%x: tensor<?x4xf32>, %a: tensor<4xf32>, %b: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.addcdiv %arg0, %arg1, %arg2 : (tensor<?x4xf32>, tensor<4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.addcdiv %x, %a, %b : (tensor<?x4xf32>, tensor<4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @masked_fill_of_dynamic_shape
func.func @masked_fill_of_dynamic_shape(%x: tensor<?x4xf32>, %mask: tensor<?x1xi1>, %v: f32) -> tensor<?x4xf32> {
  // CHECK: dtensor.masked_fill %arg0, %arg1, %arg2 : (tensor<?x4xf32>, tensor<?x1xi1>, f32) -> tensor<?x4xf32>
  %y = dtensor.masked_fill %x, %mask, %v : (tensor<?x4xf32>, tensor<?x1xi1>, f32) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @exp2_of_static_shape
func.func @exp2_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.exp2 %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.exp2 %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @log2_of_static_shape
func.func @log2_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.log2 %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.log2 %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @log10_of_static_shape
func.func @log10_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.log10 %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.log10 %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @tan_of_static_shape
func.func @tan_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.tan %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.tan %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @asin_of_static_shape
func.func @asin_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.asin %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.asin %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @acos_of_static_shape
func.func @acos_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.acos %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.acos %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @atan_of_static_shape
func.func @atan_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.atan %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.atan %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @sinh_of_static_shape
func.func @sinh_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.sinh %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.sinh %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @cosh_of_static_shape
func.func @cosh_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.cosh %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.cosh %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @asinh_of_static_shape
func.func @asinh_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.asinh %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.asinh %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @acosh_of_static_shape
func.func @acosh_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.acosh %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.acosh %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @atanh_of_static_shape
func.func @atanh_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.atanh %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.atanh %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @erfc_of_static_shape
func.func @erfc_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.erfc %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.erfc %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @trunc_of_static_shape
func.func @trunc_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.trunc %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.trunc %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @frac_of_static_shape
func.func @frac_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.frac %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.frac %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @deg2rad_of_static_shape
func.func @deg2rad_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.deg2rad %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.deg2rad %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @rad2deg_of_static_shape
func.func @rad2deg_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.rad2deg %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.rad2deg %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @square_of_static_shape
func.func @square_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.square %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.square %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @bitwise_not_of_static_shape
func.func @bitwise_not_of_static_shape(%x: tensor<3xi32>) -> tensor<3xi32> {
  // CHECK: dtensor.bitwise_not %arg0 : (tensor<3xi32>) -> tensor<3xi32>
  %y = dtensor.bitwise_not %x : (tensor<3xi32>) -> tensor<3xi32>
  return %y : tensor<3xi32>
}

// CHECK-LABEL: @isnan_of_static_shape
func.func @isnan_of_static_shape(%x: tensor<3xf32>) -> tensor<3xi1> {
  // CHECK: dtensor.isnan %arg0 : (tensor<3xf32>) -> tensor<3xi1>
  %y = dtensor.isnan %x : (tensor<3xf32>) -> tensor<3xi1>
  return %y : tensor<3xi1>
}

// CHECK-LABEL: @isinf_of_static_shape
func.func @isinf_of_static_shape(%x: tensor<3xf32>) -> tensor<3xi1> {
  // CHECK: dtensor.isinf %arg0 : (tensor<3xf32>) -> tensor<3xi1>
  %y = dtensor.isinf %x : (tensor<3xf32>) -> tensor<3xi1>
  return %y : tensor<3xi1>
}

// CHECK-LABEL: @isfinite_of_static_shape
func.func @isfinite_of_static_shape(%x: tensor<3xf32>) -> tensor<3xi1> {
  // CHECK: dtensor.isfinite %arg0 : (tensor<3xf32>) -> tensor<3xi1>
  %y = dtensor.isfinite %x : (tensor<3xf32>) -> tensor<3xi1>
  return %y : tensor<3xi1>
}

// CHECK-LABEL: @signbit_of_static_shape
func.func @signbit_of_static_shape(%x: tensor<3xf32>) -> tensor<3xi1> {
  // CHECK: dtensor.signbit %arg0 : (tensor<3xf32>) -> tensor<3xi1>
  %y = dtensor.signbit %x : (tensor<3xf32>) -> tensor<3xi1>
  return %y : tensor<3xi1>
}

// CHECK-LABEL: @nan_to_num_of_static_shape
func.func @nan_to_num_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.nan_to_num %arg0 {{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.nan_to_num %x {posinf = 1.0e4} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @fmod_of_static_shape
func.func @fmod_of_static_shape(%a: tensor<3x4xf32>, %b: tensor<4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.fmod %arg0, %arg1 : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  %y = dtensor.fmod %a, %b : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @floor_divide_of_static_shape
func.func @floor_divide_of_static_shape(%a: tensor<3x4xf32>, %b: tensor<4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.floor_divide %arg0, %arg1 : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  %y = dtensor.floor_divide %a, %b : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @fmax_of_static_shape
func.func @fmax_of_static_shape(%a: tensor<3x4xf32>, %b: tensor<4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.fmax %arg0, %arg1 : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  %y = dtensor.fmax %a, %b : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @fmin_of_static_shape
func.func @fmin_of_static_shape(%a: tensor<3x4xf32>, %b: tensor<4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.fmin %arg0, %arg1 : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  %y = dtensor.fmin %a, %b : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @copysign_of_static_shape
func.func @copysign_of_static_shape(%a: tensor<3x4xf32>, %b: tensor<4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.copysign %arg0, %arg1 : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  %y = dtensor.copysign %a, %b : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @hypot_of_static_shape
func.func @hypot_of_static_shape(%a: tensor<3x4xf32>, %b: tensor<4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.hypot %arg0, %arg1 : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  %y = dtensor.hypot %a, %b : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @logaddexp_of_static_shape
func.func @logaddexp_of_static_shape(%a: tensor<3x4xf32>, %b: tensor<4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.logaddexp %arg0, %arg1 : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  %y = dtensor.logaddexp %a, %b : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @logaddexp2_of_static_shape
func.func @logaddexp2_of_static_shape(%a: tensor<3x4xf32>, %b: tensor<4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.logaddexp2 %arg0, %arg1 : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  %y = dtensor.logaddexp2 %a, %b : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @xlogy_of_static_shape
func.func @xlogy_of_static_shape(%a: tensor<3x4xf32>, %b: tensor<4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.xlogy %arg0, %arg1 : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  %y = dtensor.xlogy %a, %b : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @heaviside_of_static_shape
func.func @heaviside_of_static_shape(%a: tensor<3x4xf32>, %b: tensor<4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.heaviside %arg0, %arg1 : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  %y = dtensor.heaviside %a, %b : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @bitwise_and_of_static_shape
func.func @bitwise_and_of_static_shape(%a: tensor<3xi32>, %b: tensor<3xi32>) -> tensor<3xi32> {
  // CHECK: dtensor.bitwise_and %arg0, %arg1 : (tensor<3xi32>, tensor<3xi32>) -> tensor<3xi32>
  %y = dtensor.bitwise_and %a, %b : (tensor<3xi32>, tensor<3xi32>) -> tensor<3xi32>
  return %y : tensor<3xi32>
}

// CHECK-LABEL: @bitwise_or_of_static_shape
func.func @bitwise_or_of_static_shape(%a: tensor<3xi32>, %b: tensor<3xi32>) -> tensor<3xi32> {
  // CHECK: dtensor.bitwise_or %arg0, %arg1 : (tensor<3xi32>, tensor<3xi32>) -> tensor<3xi32>
  %y = dtensor.bitwise_or %a, %b : (tensor<3xi32>, tensor<3xi32>) -> tensor<3xi32>
  return %y : tensor<3xi32>
}

// CHECK-LABEL: @bitwise_xor_of_static_shape
func.func @bitwise_xor_of_static_shape(%a: tensor<3xi32>, %b: tensor<3xi32>) -> tensor<3xi32> {
  // CHECK: dtensor.bitwise_xor %arg0, %arg1 : (tensor<3xi32>, tensor<3xi32>) -> tensor<3xi32>
  %y = dtensor.bitwise_xor %a, %b : (tensor<3xi32>, tensor<3xi32>) -> tensor<3xi32>
  return %y : tensor<3xi32>
}

// CHECK-LABEL: @shift_left_of_static_shape
func.func @shift_left_of_static_shape(%a: tensor<3xi32>, %b: tensor<3xi32>) -> tensor<3xi32> {
  // CHECK: dtensor.shift_left %arg0, %arg1 : (tensor<3xi32>, tensor<3xi32>) -> tensor<3xi32>
  %y = dtensor.shift_left %a, %b : (tensor<3xi32>, tensor<3xi32>) -> tensor<3xi32>
  return %y : tensor<3xi32>
}

// CHECK-LABEL: @shift_right_of_static_shape
func.func @shift_right_of_static_shape(%a: tensor<3xi32>, %b: tensor<3xi32>) -> tensor<3xi32> {
  // CHECK: dtensor.shift_right %arg0, %arg1 : (tensor<3xi32>, tensor<3xi32>) -> tensor<3xi32>
  %y = dtensor.shift_right %a, %b : (tensor<3xi32>, tensor<3xi32>) -> tensor<3xi32>
  return %y : tensor<3xi32>
}

// CHECK-LABEL: @clamp_of_static_shape
func.func @clamp_of_static_shape(%x: tensor<3x4xf32>, %a: tensor<4xf32>, %b: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.clamp %arg0, %arg1, %arg2 : (tensor<3x4xf32>, tensor<4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.clamp %x, %a, %b : (tensor<3x4xf32>, tensor<4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @lerp_of_static_shape
func.func @lerp_of_static_shape(%x: tensor<3x4xf32>, %a: tensor<4xf32>, %b: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.lerp %arg0, %arg1, %arg2 : (tensor<3x4xf32>, tensor<4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.lerp %x, %a, %b : (tensor<3x4xf32>, tensor<4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @addcmul_of_static_shape
func.func @addcmul_of_static_shape(%x: tensor<3x4xf32>, %a: tensor<4xf32>, %b: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.addcmul %arg0, %arg1, %arg2 : (tensor<3x4xf32>, tensor<4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.addcmul %x, %a, %b : (tensor<3x4xf32>, tensor<4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @addcdiv_of_static_shape
func.func @addcdiv_of_static_shape(%x: tensor<3x4xf32>, %a: tensor<4xf32>, %b: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.addcdiv %arg0, %arg1, %arg2 : (tensor<3x4xf32>, tensor<4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.addcdiv %x, %a, %b : (tensor<3x4xf32>, tensor<4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @masked_fill_of_static_shape
func.func @masked_fill_of_static_shape(%x: tensor<3x4xf32>, %mask: tensor<3x1xi1>, %v: f32) -> tensor<3x4xf32> {
  // CHECK: dtensor.masked_fill %arg0, %arg1, %arg2 : (tensor<3x4xf32>, tensor<3x1xi1>, f32) -> tensor<3x4xf32>
  %y = dtensor.masked_fill %x, %mask, %v : (tensor<3x4xf32>, tensor<3x1xi1>, f32) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}
