// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s
// Symbolic and static dimensions, broadcast at the right.
// CHECK-LABEL: @binary_ops_of_dynamic_shape
func.func @binary_ops_of_dynamic_shape(%a: tensor<?x4xf32>, %b: tensor<4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.add %{{.*}}, %arg1 : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %0 = dtensor.add %a, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.sub %{{.*}}, %arg1 : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %1 = dtensor.sub %0, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.mul %{{.*}}, %arg1 : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %2 = dtensor.mul %1, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.div %{{.*}}, %arg1 : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %3 = dtensor.div %2, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.pow %{{.*}}, %arg1 : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %4 = dtensor.pow %3, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.maximum %{{.*}}, %arg1 : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %5 = dtensor.maximum %4, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.minimum %{{.*}}, %arg1 : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %6 = dtensor.minimum %5, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.atan2 %{{.*}}, %arg1 : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %7 = dtensor.atan2 %6, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.remainder %{{.*}}, %arg1 : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %8 = dtensor.remainder %7, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return %8 : tensor<?x4xf32>
}

// CHECK-LABEL: @unary_ops_of_dynamic_shape
func.func @unary_ops_of_dynamic_shape(%a: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.neg %{{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %0 = dtensor.neg %a : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.abs %{{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = dtensor.abs %0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.sign %{{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %2 = dtensor.sign %1 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.relu %{{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %3 = dtensor.relu %2 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.exp %{{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %4 = dtensor.exp %3 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.log %{{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %5 = dtensor.log %4 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.log1p %{{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %6 = dtensor.log1p %5 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.expm1 %{{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %7 = dtensor.expm1 %6 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.sqrt %{{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %8 = dtensor.sqrt %7 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.rsqrt %{{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %9 = dtensor.rsqrt %8 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.reciprocal %{{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %10 = dtensor.reciprocal %9 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.sin %{{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %11 = dtensor.sin %10 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.cos %{{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %12 = dtensor.cos %11 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.tanh %{{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %13 = dtensor.tanh %12 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.erf %{{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %14 = dtensor.erf %13 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.sigmoid %{{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %15 = dtensor.sigmoid %14 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.silu %{{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %16 = dtensor.silu %15 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.floor %{{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %17 = dtensor.floor %16 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.ceil %{{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %18 = dtensor.ceil %17 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.round %{{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %19 = dtensor.round %18 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.gelu %{{.*}} {approximate = "tanh"} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %g = dtensor.gelu %19 {approximate = "tanh"} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: dtensor.gelu %{{[0-9]+}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %h = dtensor.gelu %g : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %h : tensor<?x4xf32>
}

// CHECK-LABEL: @binary_ops_of_static_shape
func.func @binary_ops_of_static_shape(%a: tensor<3x4xf32>, %b: tensor<4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.add %{{.*}}, %arg1 : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  %0 = dtensor.add %a, %b : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.sub %{{.*}}, %arg1 : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  %1 = dtensor.sub %0, %b : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.mul %{{.*}}, %arg1 : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  %2 = dtensor.mul %1, %b : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.div %{{.*}}, %arg1 : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  %3 = dtensor.div %2, %b : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.pow %{{.*}}, %arg1 : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  %4 = dtensor.pow %3, %b : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.maximum %{{.*}}, %arg1 : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  %5 = dtensor.maximum %4, %b : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.minimum %{{.*}}, %arg1 : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  %6 = dtensor.minimum %5, %b : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.atan2 %{{.*}}, %arg1 : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  %7 = dtensor.atan2 %6, %b : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.remainder %{{.*}}, %arg1 : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  %8 = dtensor.remainder %7, %b : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32>
  return %8 : tensor<3x4xf32>
}

// CHECK-LABEL: @unary_ops_of_static_shape
func.func @unary_ops_of_static_shape(%a: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.neg %{{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %0 = dtensor.neg %a : (tensor<3x4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.abs %{{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %1 = dtensor.abs %0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.sign %{{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %2 = dtensor.sign %1 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.relu %{{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %3 = dtensor.relu %2 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.exp %{{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %4 = dtensor.exp %3 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.log %{{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %5 = dtensor.log %4 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.log1p %{{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %6 = dtensor.log1p %5 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.expm1 %{{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %7 = dtensor.expm1 %6 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.sqrt %{{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %8 = dtensor.sqrt %7 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.rsqrt %{{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %9 = dtensor.rsqrt %8 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.reciprocal %{{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %10 = dtensor.reciprocal %9 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.sin %{{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %11 = dtensor.sin %10 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.cos %{{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %12 = dtensor.cos %11 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.tanh %{{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %13 = dtensor.tanh %12 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.erf %{{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %14 = dtensor.erf %13 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.sigmoid %{{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %15 = dtensor.sigmoid %14 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.silu %{{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %16 = dtensor.silu %15 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.floor %{{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %17 = dtensor.floor %16 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.ceil %{{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %18 = dtensor.ceil %17 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.round %{{.*}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %19 = dtensor.round %18 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.gelu %{{.*}} {approximate = "tanh"} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %g = dtensor.gelu %19 {approximate = "tanh"} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  // CHECK: dtensor.gelu %{{[0-9]+}} : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %h = dtensor.gelu %g : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %h : tensor<3x4xf32>
}

// CHECK-LABEL: @truth_values_are_compared_combined_and_chosen_by
func.func @truth_values_are_compared_combined_and_chosen_by(%a: tensor<?xf32>, %b: tensor<?xf32>, %c: tensor<?xi1>, %s: f32) -> tensor<?xi32> {
  // CHECK: dtensor.compare %arg0, %arg1 {predicate = "lt"} : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xi1>
  %0 = dtensor.compare %a, %b {predicate = "lt"} : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xi1>
  // CHECK: dtensor.logical_and
  %1 = dtensor.logical_and %0, %c : (tensor<?xi1>, tensor<?xi1>) -> tensor<?xi1>
  // CHECK: dtensor.logical_or
  %2 = dtensor.logical_or %1, %c : (tensor<?xi1>, tensor<?xi1>) -> tensor<?xi1>
  // CHECK: dtensor.logical_xor
  %3 = dtensor.logical_xor %2, %c : (tensor<?xi1>, tensor<?xi1>) -> tensor<?xi1>
  // CHECK: dtensor.logical_not
  %4 = dtensor.logical_not %3 : (tensor<?xi1>) -> tensor<?xi1>
  // CHECK: dtensor.where %{{.*}}, %arg0, %arg3 : (tensor<?xi1>, tensor<?xf32>, f32) -> tensor<?xf32>
  %5 = dtensor.where %4, %a, %s : (tensor<?xi1>, tensor<?xf32>, f32) -> tensor<?xf32>
  // CHECK: dtensor.cast %{{.*}} : (tensor<?xf32>) -> tensor<?xi32>
  %6 = dtensor.cast %5 : (tensor<?xf32>) -> tensor<?xi32>
  return %6 : tensor<?xi32>
}
