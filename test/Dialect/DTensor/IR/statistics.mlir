// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s
// Statistics and truth on symbolic and static shapes.

// CHECK-LABEL: @var_of_dynamic_shape
func.func @var_of_dynamic_shape(%x: tensor<?x?xf32>) -> tensor<?x1xf32> {
  // CHECK: dtensor.var %arg0 {{.*}} : (tensor<?x?xf32>) -> tensor<?x1xf32>
  %y = dtensor.var %x {dims = [1], keepdim, correction = 0.0} : (tensor<?x?xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// CHECK-LABEL: @std_of_dynamic_shape
func.func @std_of_dynamic_shape(%x: tensor<?x?xf32>) -> tensor<?x1xf32> {
  // CHECK: dtensor.std %arg0 {{.*}} : (tensor<?x?xf32>) -> tensor<?x1xf32>
  %y = dtensor.std %x {dims = [1], keepdim, correction = 0.0} : (tensor<?x?xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// CHECK-LABEL: @logsumexp_of_dynamic_shape
func.func @logsumexp_of_dynamic_shape(%x: tensor<?x?xf32>) -> tensor<?x1xf32> {
  // CHECK: dtensor.logsumexp %arg0 {{.*}} : (tensor<?x?xf32>) -> tensor<?x1xf32>
  %y = dtensor.logsumexp %x {dims = [1], keepdim} : (tensor<?x?xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// CHECK-LABEL: @norm_of_dynamic_shape
func.func @norm_of_dynamic_shape(%x: tensor<?x?xf32>) -> tensor<?x1xf32> {
  // CHECK: dtensor.norm %arg0 {{.*}} : (tensor<?x?xf32>) -> tensor<?x1xf32>
  %y = dtensor.norm %x {dims = [1], keepdim, ord = 1.0} : (tensor<?x?xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// CHECK-LABEL: @var_mean_of_dynamic_shape
func.func @var_mean_of_dynamic_shape(%x: tensor<?x?xf32>) -> (tensor<?xf32>, tensor<?xf32>) {
  // CHECK: dtensor.var_mean %arg0 {{.*}} : (tensor<?x?xf32>) -> (tensor<?xf32>, tensor<?xf32>)
  %v, %m = dtensor.var_mean %x {dims = [1]} : (tensor<?x?xf32>) -> (tensor<?xf32>, tensor<?xf32>)
  return %v, %m : tensor<?xf32>, tensor<?xf32>
}

// CHECK-LABEL: @argmax_of_dynamic_shape
func.func @argmax_of_dynamic_shape(%x: tensor<?x?xf32>) -> tensor<?x1xi64> {
  // CHECK: dtensor.argmax %arg0 {{.*}} : (tensor<?x?xf32>) -> tensor<?x1xi64>
  %y = dtensor.argmax %x {dim = 1, keepdim} : (tensor<?x?xf32>) -> tensor<?x1xi64>
  return %y : tensor<?x1xi64>
}

// CHECK-LABEL: @argmin_of_dynamic_shape
func.func @argmin_of_dynamic_shape(%x: tensor<?x?xf32>) -> tensor<?x1xi64> {
  // CHECK: dtensor.argmin %arg0 {{.*}} : (tensor<?x?xf32>) -> tensor<?x1xi64>
  %y = dtensor.argmin %x {dim = 1, keepdim} : (tensor<?x?xf32>) -> tensor<?x1xi64>
  return %y : tensor<?x1xi64>
}

// CHECK-LABEL: @any_of_dynamic_shape
func.func @any_of_dynamic_shape(%x: tensor<?x?xf32>) -> tensor<?xi1> {
  // CHECK: dtensor.any %arg0 {{.*}} : (tensor<?x?xf32>) -> tensor<?xi1>
  %y = dtensor.any %x {dims = [1]} : (tensor<?x?xf32>) -> tensor<?xi1>
  return %y : tensor<?xi1>
}

// CHECK-LABEL: @all_of_dynamic_shape
func.func @all_of_dynamic_shape(%x: tensor<?x?xf32>) -> tensor<?xi1> {
  // CHECK: dtensor.all %arg0 {{.*}} : (tensor<?x?xf32>) -> tensor<?xi1>
  %y = dtensor.all %x {dims = [1]} : (tensor<?x?xf32>) -> tensor<?xi1>
  return %y : tensor<?xi1>
}

// CHECK-LABEL: @count_nonzero_of_dynamic_shape
func.func @count_nonzero_of_dynamic_shape(%x: tensor<?x?xf32>) -> tensor<?xi64> {
  // CHECK: dtensor.count_nonzero %arg0 {{.*}} : (tensor<?x?xf32>) -> tensor<?xi64>
  %y = dtensor.count_nonzero %x {dims = [1]} : (tensor<?x?xf32>) -> tensor<?xi64>
  return %y : tensor<?xi64>
}

// CHECK-LABEL: @var_of_static_shape
func.func @var_of_static_shape(%x: tensor<3x3xf32>) -> tensor<3x1xf32> {
  // CHECK: dtensor.var %arg0 {{.*}} : (tensor<3x3xf32>) -> tensor<3x1xf32>
  %y = dtensor.var %x {dims = [1], keepdim, correction = 0.0} : (tensor<3x3xf32>) -> tensor<3x1xf32>
  return %y : tensor<3x1xf32>
}

// CHECK-LABEL: @std_of_static_shape
func.func @std_of_static_shape(%x: tensor<3x3xf32>) -> tensor<3x1xf32> {
  // CHECK: dtensor.std %arg0 {{.*}} : (tensor<3x3xf32>) -> tensor<3x1xf32>
  %y = dtensor.std %x {dims = [1], keepdim, correction = 0.0} : (tensor<3x3xf32>) -> tensor<3x1xf32>
  return %y : tensor<3x1xf32>
}

// CHECK-LABEL: @logsumexp_of_static_shape
func.func @logsumexp_of_static_shape(%x: tensor<3x3xf32>) -> tensor<3x1xf32> {
  // CHECK: dtensor.logsumexp %arg0 {{.*}} : (tensor<3x3xf32>) -> tensor<3x1xf32>
  %y = dtensor.logsumexp %x {dims = [1], keepdim} : (tensor<3x3xf32>) -> tensor<3x1xf32>
  return %y : tensor<3x1xf32>
}

// CHECK-LABEL: @norm_of_static_shape
func.func @norm_of_static_shape(%x: tensor<3x3xf32>) -> tensor<3x1xf32> {
  // CHECK: dtensor.norm %arg0 {{.*}} : (tensor<3x3xf32>) -> tensor<3x1xf32>
  %y = dtensor.norm %x {dims = [1], keepdim, ord = 1.0} : (tensor<3x3xf32>) -> tensor<3x1xf32>
  return %y : tensor<3x1xf32>
}

// CHECK-LABEL: @var_mean_of_static_shape
func.func @var_mean_of_static_shape(%x: tensor<3x3xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
  // CHECK: dtensor.var_mean %arg0 {{.*}} : (tensor<3x3xf32>) -> (tensor<3xf32>, tensor<3xf32>)
  %v, %m = dtensor.var_mean %x {dims = [1]} : (tensor<3x3xf32>) -> (tensor<3xf32>, tensor<3xf32>)
  return %v, %m : tensor<3xf32>, tensor<3xf32>
}

// CHECK-LABEL: @argmax_of_static_shape
func.func @argmax_of_static_shape(%x: tensor<3x3xf32>) -> tensor<3x1xi64> {
  // CHECK: dtensor.argmax %arg0 {{.*}} : (tensor<3x3xf32>) -> tensor<3x1xi64>
  %y = dtensor.argmax %x {dim = 1, keepdim} : (tensor<3x3xf32>) -> tensor<3x1xi64>
  return %y : tensor<3x1xi64>
}

// CHECK-LABEL: @argmin_of_static_shape
func.func @argmin_of_static_shape(%x: tensor<3x3xf32>) -> tensor<3x1xi64> {
  // CHECK: dtensor.argmin %arg0 {{.*}} : (tensor<3x3xf32>) -> tensor<3x1xi64>
  %y = dtensor.argmin %x {dim = 1, keepdim} : (tensor<3x3xf32>) -> tensor<3x1xi64>
  return %y : tensor<3x1xi64>
}

// CHECK-LABEL: @any_of_static_shape
func.func @any_of_static_shape(%x: tensor<3x3xf32>) -> tensor<3xi1> {
  // CHECK: dtensor.any %arg0 {{.*}} : (tensor<3x3xf32>) -> tensor<3xi1>
  %y = dtensor.any %x {dims = [1]} : (tensor<3x3xf32>) -> tensor<3xi1>
  return %y : tensor<3xi1>
}

// CHECK-LABEL: @all_of_static_shape
func.func @all_of_static_shape(%x: tensor<3x3xf32>) -> tensor<3xi1> {
  // CHECK: dtensor.all %arg0 {{.*}} : (tensor<3x3xf32>) -> tensor<3xi1>
  %y = dtensor.all %x {dims = [1]} : (tensor<3x3xf32>) -> tensor<3xi1>
  return %y : tensor<3xi1>
}

// CHECK-LABEL: @count_nonzero_of_static_shape
func.func @count_nonzero_of_static_shape(%x: tensor<3x3xf32>) -> tensor<3xi64> {
  // CHECK: dtensor.count_nonzero %arg0 {{.*}} : (tensor<3x3xf32>) -> tensor<3xi64>
  %y = dtensor.count_nonzero %x {dims = [1]} : (tensor<3x3xf32>) -> tensor<3xi64>
  return %y : tensor<3xi64>
}
