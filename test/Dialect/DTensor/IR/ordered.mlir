// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s
// Scatters, scans and sorts on symbolic and static shapes.

// CHECK-LABEL: @scatter_of_dynamic_shape
func.func @scatter_of_dynamic_shape(%x: tensor<?x4xf32>, %ids: tensor<?xi64>, %u: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.scatter %arg0, %arg1, %arg2 {{.*}} : (tensor<?x4xf32>, tensor<?xi64>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.scatter %x, %ids, %u {dim = 0, rows} : (tensor<?x4xf32>, tensor<?xi64>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @scatter_sum_of_dynamic_shape
func.func @scatter_sum_of_dynamic_shape(%ids: tensor<?xi64>, %u: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.scatter_sum %arg0, %arg1 {{.*}} : (tensor<?xi64>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.scatter_sum %ids, %u {dim = 0, size = #dtensor.expr<V>, rows} : (tensor<?xi64>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @scan_of_dynamic_shape
func.func @scan_of_dynamic_shape(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // CHECK: dtensor.scan %arg0 {{.*}} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  %y = dtensor.scan %x {dim = 1, kind = "sum"} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

// CHECK-LABEL: @sort_of_dynamic_shape
func.func @sort_of_dynamic_shape(%x: tensor<?x?xf32>) -> (tensor<?x?xf32>, tensor<?x?xi64>) {
  // CHECK: dtensor.sort %arg0 {{.*}} : (tensor<?x?xf32>) -> (tensor<?x?xf32>, tensor<?x?xi64>)
  %y, %i = dtensor.sort %x {dim = 1, descending} : (tensor<?x?xf32>) -> (tensor<?x?xf32>, tensor<?x?xi64>)
  return %y, %i : tensor<?x?xf32>, tensor<?x?xi64>
}

// CHECK-LABEL: @cumsum_of_dynamic_shape
func.func @cumsum_of_dynamic_shape(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // CHECK: dtensor.cumsum %arg0 {{.*}} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  %y = dtensor.cumsum %x {dim = 1} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

// CHECK-LABEL: @cumprod_of_dynamic_shape
func.func @cumprod_of_dynamic_shape(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // CHECK: dtensor.cumprod %arg0 {{.*}} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  %y = dtensor.cumprod %x {dim = 1} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

// CHECK-LABEL: @scatter_add_of_dynamic_shape
func.func @scatter_add_of_dynamic_shape(%x: tensor<?x?xf32>, %ids: tensor<?x?xi64>, %u: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // CHECK: dtensor.scatter_add %arg0, %arg1, %arg2 {{.*}} : (tensor<?x?xf32>, tensor<?x?xi64>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %y = dtensor.scatter_add %x, %ids, %u {dim = 1} : (tensor<?x?xf32>, tensor<?x?xi64>, tensor<?x?xf32>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

// CHECK-LABEL: @index_add_of_dynamic_shape
func.func @index_add_of_dynamic_shape(%x: tensor<?x4xf32>, %ids: tensor<?xi64>, %u: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.index_add %arg0, %arg1, %arg2 {{.*}} : (tensor<?x4xf32>, tensor<?xi64>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.index_add %x, %ids, %u {dim = 0} : (tensor<?x4xf32>, tensor<?xi64>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @index_put_of_dynamic_shape
func.func @index_put_of_dynamic_shape(%x: tensor<?x?x4xf32>, %v: tensor<?x4xf32>, %i: tensor<?xi64>, %j: tensor<?xi64>) -> tensor<?x?x4xf32> {
  // CHECK: dtensor.index_put %arg0, %arg1, %arg2, %arg3 {{.*}} : (tensor<?x?x4xf32>, tensor<?x4xf32>, tensor<?xi64>, tensor<?xi64>) -> tensor<?x?x4xf32>
  %y = dtensor.index_put %x, %v, %i, %j {accumulate} : (tensor<?x?x4xf32>, tensor<?x4xf32>, tensor<?xi64>, tensor<?xi64>) -> tensor<?x?x4xf32>
  return %y : tensor<?x?x4xf32>
}

// CHECK-LABEL: @topk_of_dynamic_shape
func.func @topk_of_dynamic_shape(%x: tensor<?x64xf32>) -> (tensor<?x2xf32>, tensor<?x2xi64>) {
  // CHECK: dtensor.topk %arg0 {{.*}} : (tensor<?x64xf32>) -> (tensor<?x2xf32>, tensor<?x2xi64>)
  %v, %i = dtensor.topk %x {dim = 1, k = 2} : (tensor<?x64xf32>) -> (tensor<?x2xf32>, tensor<?x2xi64>)
  return %v, %i : tensor<?x2xf32>, tensor<?x2xi64>
}

// CHECK-LABEL: @scatter_of_static_shape
func.func @scatter_of_static_shape(%x: tensor<3x4xf32>, %ids: tensor<3x2xi64>, %u: tensor<3x2xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.scatter %arg0, %arg1, %arg2 {{.*}} : (tensor<3x4xf32>, tensor<3x2xi64>, tensor<3x2xf32>) -> tensor<3x4xf32>
  %y = dtensor.scatter %x, %ids, %u {dim = 1} : (tensor<3x4xf32>, tensor<3x2xi64>, tensor<3x2xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @scatter_sum_of_static_shape
func.func @scatter_sum_of_static_shape(%ids: tensor<3xi64>, %u: tensor<3x4xf32>) -> tensor<7x4xf32> {
  // CHECK: dtensor.scatter_sum %arg0, %arg1 {{.*}} : (tensor<3xi64>, tensor<3x4xf32>) -> tensor<7x4xf32>
  %y = dtensor.scatter_sum %ids, %u {dim = 0, size = 7, rows} : (tensor<3xi64>, tensor<3x4xf32>) -> tensor<7x4xf32>
  return %y : tensor<7x4xf32>
}

// CHECK-LABEL: @scan_of_static_shape
func.func @scan_of_static_shape(%x: tensor<3x3xf32>) -> tensor<3x3xf32> {
  // CHECK: dtensor.scan %arg0 {{.*}} : (tensor<3x3xf32>) -> tensor<3x3xf32>
  %y = dtensor.scan %x {dim = 1, kind = "sum"} : (tensor<3x3xf32>) -> tensor<3x3xf32>
  return %y : tensor<3x3xf32>
}

// CHECK-LABEL: @sort_of_static_shape
func.func @sort_of_static_shape(%x: tensor<3x3xf32>) -> (tensor<3x3xf32>, tensor<3x3xi64>) {
  // CHECK: dtensor.sort %arg0 {{.*}} : (tensor<3x3xf32>) -> (tensor<3x3xf32>, tensor<3x3xi64>)
  %y, %i = dtensor.sort %x {dim = 1, descending} : (tensor<3x3xf32>) -> (tensor<3x3xf32>, tensor<3x3xi64>)
  return %y, %i : tensor<3x3xf32>, tensor<3x3xi64>
}

// CHECK-LABEL: @cumsum_of_static_shape
func.func @cumsum_of_static_shape(%x: tensor<3x3xf32>) -> tensor<3x3xf32> {
  // CHECK: dtensor.cumsum %arg0 {{.*}} : (tensor<3x3xf32>) -> tensor<3x3xf32>
  %y = dtensor.cumsum %x {dim = 1} : (tensor<3x3xf32>) -> tensor<3x3xf32>
  return %y : tensor<3x3xf32>
}

// CHECK-LABEL: @cumprod_of_static_shape
func.func @cumprod_of_static_shape(%x: tensor<3x3xf32>) -> tensor<3x3xf32> {
  // CHECK: dtensor.cumprod %arg0 {{.*}} : (tensor<3x3xf32>) -> tensor<3x3xf32>
  %y = dtensor.cumprod %x {dim = 1} : (tensor<3x3xf32>) -> tensor<3x3xf32>
  return %y : tensor<3x3xf32>
}

// CHECK-LABEL: @scatter_add_of_static_shape
func.func @scatter_add_of_static_shape(%x: tensor<3x3xf32>, %ids: tensor<3x3xi64>, %u: tensor<3x3xf32>) -> tensor<3x3xf32> {
  // CHECK: dtensor.scatter_add %arg0, %arg1, %arg2 {{.*}} : (tensor<3x3xf32>, tensor<3x3xi64>, tensor<3x3xf32>) -> tensor<3x3xf32>
  %y = dtensor.scatter_add %x, %ids, %u {dim = 1} : (tensor<3x3xf32>, tensor<3x3xi64>, tensor<3x3xf32>) -> tensor<3x3xf32>
  return %y : tensor<3x3xf32>
}

// CHECK-LABEL: @index_add_of_static_shape
func.func @index_add_of_static_shape(%x: tensor<3x4xf32>, %ids: tensor<3xi64>, %u: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.index_add %arg0, %arg1, %arg2 {{.*}} : (tensor<3x4xf32>, tensor<3xi64>, tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.index_add %x, %ids, %u {dim = 0} : (tensor<3x4xf32>, tensor<3xi64>, tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @index_put_of_static_shape
func.func @index_put_of_static_shape(%x: tensor<3x3x4xf32>, %v: tensor<3x4xf32>, %i: tensor<3xi64>, %j: tensor<3xi64>) -> tensor<3x3x4xf32> {
  // CHECK: dtensor.index_put %arg0, %arg1, %arg2, %arg3 {{.*}} : (tensor<3x3x4xf32>, tensor<3x4xf32>, tensor<3xi64>, tensor<3xi64>) -> tensor<3x3x4xf32>
  %y = dtensor.index_put %x, %v, %i, %j {accumulate} : (tensor<3x3x4xf32>, tensor<3x4xf32>, tensor<3xi64>, tensor<3xi64>) -> tensor<3x3x4xf32>
  return %y : tensor<3x3x4xf32>
}

// CHECK-LABEL: @topk_of_static_shape
func.func @topk_of_static_shape(%x: tensor<3x64xf32>) -> (tensor<3x2xf32>, tensor<3x2xi64>) {
  // CHECK: dtensor.topk %arg0 {{.*}} : (tensor<3x64xf32>) -> (tensor<3x2xf32>, tensor<3x2xi64>)
  %v, %i = dtensor.topk %x {dim = 1, k = 2, smallest} : (tensor<3x64xf32>) -> (tensor<3x2xf32>, tensor<3x2xi64>)
  return %v, %i : tensor<3x2xf32>, tensor<3x2xi64>
}
