// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s
// Parts, joins and rearrangements on symbolic and static shapes.

// CHECK-LABEL: @select_of_dynamic_shape
func.func @select_of_dynamic_shape(%x: tensor<?x?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.select %arg0 {{.*}} : (tensor<?x?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.select %x {dim = 1, index = #dtensor.expr<S - 1>} : (tensor<?x?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @stack_of_dynamic_shape
func.func @stack_of_dynamic_shape(%a: tensor<?x4xf32>, %b: tensor<?x4xf32>) -> tensor<?x2x4xf32> {
  // CHECK: dtensor.stack %arg0, %arg1 {{.*}} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x2x4xf32>
  %y = dtensor.stack %a, %b {dim = 1} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x2x4xf32>
  return %y : tensor<?x2x4xf32>
}

// CHECK-LABEL: @split_of_dynamic_shape
func.func @split_of_dynamic_shape(%x: tensor<?x?xf32>) -> (tensor<?x1xf32>, tensor<?x?xf32>) {
  // CHECK: dtensor.split %arg0 {{.*}} : (tensor<?x?xf32>) -> (tensor<?x1xf32>, tensor<?x?xf32>)
  %a, %b = dtensor.split %x {dim = 1, sizes = [1, #dtensor.expr<S - 1>]} : (tensor<?x?xf32>) -> (tensor<?x1xf32>, tensor<?x?xf32>)
  return %a, %b : tensor<?x1xf32>, tensor<?x?xf32>
}

// CHECK-LABEL: @chunk_of_dynamic_shape
func.func @chunk_of_dynamic_shape(%x: tensor<?x6xf32>) -> (tensor<?x3xf32>, tensor<?x3xf32>) {
  // CHECK: dtensor.chunk %arg0 {{.*}} : (tensor<?x6xf32>) -> (tensor<?x3xf32>, tensor<?x3xf32>)
  %a, %b = dtensor.chunk %x {dim = 1} : (tensor<?x6xf32>) -> (tensor<?x3xf32>, tensor<?x3xf32>)
  return %a, %b : tensor<?x3xf32>, tensor<?x3xf32>
}

// CHECK-LABEL: @unbind_of_dynamic_shape
func.func @unbind_of_dynamic_shape(%x: tensor<?x2xf32>) -> (tensor<?xf32>, tensor<?xf32>) {
  // CHECK: dtensor.unbind %arg0 {{.*}} : (tensor<?x2xf32>) -> (tensor<?xf32>, tensor<?xf32>)
  %a, %b = dtensor.unbind %x {dim = 1} : (tensor<?x2xf32>) -> (tensor<?xf32>, tensor<?xf32>)
  return %a, %b : tensor<?xf32>, tensor<?xf32>
}

// CHECK-LABEL: @pad_of_dynamic_shape
func.func @pad_of_dynamic_shape(%x: tensor<?x?xf32>, %v: f32) -> tensor<?x?xf32> {
  // CHECK: dtensor.pad %arg0, %arg1 {{.*}} : (tensor<?x?xf32>, f32) -> tensor<?x?xf32>
  %y = dtensor.pad %x, %v {low = [0, 1], high = [0, #dtensor.expr<P>]} : (tensor<?x?xf32>, f32) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

// CHECK-LABEL: @flip_of_dynamic_shape
func.func @flip_of_dynamic_shape(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // CHECK: dtensor.flip %arg0 {{.*}} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  %y = dtensor.flip %x {dims = [0, 1]} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

// CHECK-LABEL: @roll_of_dynamic_shape
func.func @roll_of_dynamic_shape(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // CHECK: dtensor.roll %arg0 {{.*}} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  %y = dtensor.roll %x {dims = [1], shifts = [-2]} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

// CHECK-LABEL: @repeat_of_dynamic_shape
func.func @repeat_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<3x?x8xf32> {
  // CHECK: dtensor.repeat %arg0 {{.*}} : (tensor<?x4xf32>) -> tensor<3x?x8xf32>
  %y = dtensor.repeat %x {repeats = [3, 1, 2]} : (tensor<?x4xf32>) -> tensor<3x?x8xf32>
  return %y : tensor<3x?x8xf32>
}

// CHECK-LABEL: @repeat_interleave_of_dynamic_shape
func.func @repeat_interleave_of_dynamic_shape(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.repeat_interleave %arg0 {{.*}} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = dtensor.repeat_interleave %x {dim = 0, repeats = 2} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @tril_of_dynamic_shape
func.func @tril_of_dynamic_shape(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // CHECK: dtensor.tril %arg0 {{.*}} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  %y = dtensor.tril %x {diagonal = 1 : i64} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

// CHECK-LABEL: @triu_of_dynamic_shape
func.func @triu_of_dynamic_shape(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // CHECK: dtensor.triu %arg0 {{.*}} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  %y = dtensor.triu %x {diagonal = 1 : i64} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

// CHECK-LABEL: @diagonal_of_dynamic_shape
func.func @diagonal_of_dynamic_shape(%x: tensor<?x?xf32>) -> tensor<?xf32> {
  // CHECK: dtensor.diagonal %arg0 {{.*}} : (tensor<?x?xf32>) -> tensor<?xf32>
  %y = dtensor.diagonal %x {dim1 = 0, dim2 = 1} : (tensor<?x?xf32>) -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// CHECK-LABEL: @one_hot_of_dynamic_shape
func.func @one_hot_of_dynamic_shape(%ids: tensor<?xi64>) -> tensor<?x10xi64> {
  // CHECK: dtensor.one_hot %arg0 {{.*}} : (tensor<?xi64>) -> tensor<?x10xi64>
  %y = dtensor.one_hot %ids {classes = 10} : (tensor<?xi64>) -> tensor<?x10xi64>
  return %y : tensor<?x10xi64>
}

// CHECK-LABEL: @glu_of_dynamic_shape
func.func @glu_of_dynamic_shape(%x: tensor<?x8xf32>) -> tensor<?x4xf32> {
  // CHECK: dtensor.glu %arg0 {{.*}} : (tensor<?x8xf32>) -> tensor<?x4xf32>
  %y = dtensor.glu %x {dim = 1} : (tensor<?x8xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @index_select_of_dynamic_shape
func.func @index_select_of_dynamic_shape(%x: tensor<?x?x4xf32>, %ids: tensor<?xi64>) -> tensor<?x?x4xf32> {
  // CHECK: dtensor.index_select %arg0, %arg1 {{.*}} : (tensor<?x?x4xf32>, tensor<?xi64>) -> tensor<?x?x4xf32>
  %y = dtensor.index_select %x, %ids {dim = 1} : (tensor<?x?x4xf32>, tensor<?xi64>) -> tensor<?x?x4xf32>
  return %y : tensor<?x?x4xf32>
}

// CHECK-LABEL: @select_of_static_shape
func.func @select_of_static_shape(%x: tensor<2x3x4xf32>) -> tensor<2x4xf32> {
  // CHECK: dtensor.select %arg0 {{.*}} : (tensor<2x3x4xf32>) -> tensor<2x4xf32>
  %y = dtensor.select %x {dim = 1, index = 2 : i64} : (tensor<2x3x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// CHECK-LABEL: @stack_of_static_shape
func.func @stack_of_static_shape(%a: tensor<3x4xf32>, %b: tensor<3x4xf32>) -> tensor<3x2x4xf32> {
  // CHECK: dtensor.stack %arg0, %arg1 {{.*}} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x2x4xf32>
  %y = dtensor.stack %a, %b {dim = 1} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x2x4xf32>
  return %y : tensor<3x2x4xf32>
}

// CHECK-LABEL: @split_of_static_shape
func.func @split_of_static_shape(%x: tensor<2x5xf32>) -> (tensor<2x1xf32>, tensor<2x4xf32>) {
  // CHECK: dtensor.split %arg0 {{.*}} : (tensor<2x5xf32>) -> (tensor<2x1xf32>, tensor<2x4xf32>)
  %a, %b = dtensor.split %x {dim = 1, sizes = [1, 4]} : (tensor<2x5xf32>) -> (tensor<2x1xf32>, tensor<2x4xf32>)
  return %a, %b : tensor<2x1xf32>, tensor<2x4xf32>
}

// CHECK-LABEL: @chunk_of_static_shape
func.func @chunk_of_static_shape(%x: tensor<2x5xf32>) -> (tensor<2x3xf32>, tensor<2x2xf32>) {
  // CHECK: dtensor.chunk %arg0 {{.*}} : (tensor<2x5xf32>) -> (tensor<2x3xf32>, tensor<2x2xf32>)
  %a, %b = dtensor.chunk %x {dim = 1} : (tensor<2x5xf32>) -> (tensor<2x3xf32>, tensor<2x2xf32>)
  return %a, %b : tensor<2x3xf32>, tensor<2x2xf32>
}

// CHECK-LABEL: @unbind_of_static_shape
func.func @unbind_of_static_shape(%x: tensor<3x2xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
  // CHECK: dtensor.unbind %arg0 {{.*}} : (tensor<3x2xf32>) -> (tensor<3xf32>, tensor<3xf32>)
  %a, %b = dtensor.unbind %x {dim = 1} : (tensor<3x2xf32>) -> (tensor<3xf32>, tensor<3xf32>)
  return %a, %b : tensor<3xf32>, tensor<3xf32>
}

// CHECK-LABEL: @pad_of_static_shape
func.func @pad_of_static_shape(%x: tensor<2x3xf32>, %v: f32) -> tensor<2x6xf32> {
  // CHECK: dtensor.pad %arg0, %arg1 {{.*}} : (tensor<2x3xf32>, f32) -> tensor<2x6xf32>
  %y = dtensor.pad %x, %v {low = [0, 1], high = [0, 2]} : (tensor<2x3xf32>, f32) -> tensor<2x6xf32>
  return %y : tensor<2x6xf32>
}

// CHECK-LABEL: @flip_of_static_shape
func.func @flip_of_static_shape(%x: tensor<3x3xf32>) -> tensor<3x3xf32> {
  // CHECK: dtensor.flip %arg0 {{.*}} : (tensor<3x3xf32>) -> tensor<3x3xf32>
  %y = dtensor.flip %x {dims = [0, 1]} : (tensor<3x3xf32>) -> tensor<3x3xf32>
  return %y : tensor<3x3xf32>
}

// CHECK-LABEL: @roll_of_static_shape
func.func @roll_of_static_shape(%x: tensor<3x3xf32>) -> tensor<3x3xf32> {
  // CHECK: dtensor.roll %arg0 {{.*}} : (tensor<3x3xf32>) -> tensor<3x3xf32>
  %y = dtensor.roll %x {dims = [1], shifts = [-2]} : (tensor<3x3xf32>) -> tensor<3x3xf32>
  return %y : tensor<3x3xf32>
}

// CHECK-LABEL: @repeat_of_static_shape
func.func @repeat_of_static_shape(%x: tensor<5x4xf32>) -> tensor<3x5x8xf32> {
  // CHECK: dtensor.repeat %arg0 {{.*}} : (tensor<5x4xf32>) -> tensor<3x5x8xf32>
  %y = dtensor.repeat %x {repeats = [3, 1, 2]} : (tensor<5x4xf32>) -> tensor<3x5x8xf32>
  return %y : tensor<3x5x8xf32>
}

// CHECK-LABEL: @repeat_interleave_of_static_shape
func.func @repeat_interleave_of_static_shape(%x: tensor<3x4xf32>) -> tensor<6x4xf32> {
  // CHECK: dtensor.repeat_interleave %arg0 {{.*}} : (tensor<3x4xf32>) -> tensor<6x4xf32>
  %y = dtensor.repeat_interleave %x {dim = 0, repeats = 2} : (tensor<3x4xf32>) -> tensor<6x4xf32>
  return %y : tensor<6x4xf32>
}

// CHECK-LABEL: @tril_of_static_shape
func.func @tril_of_static_shape(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.tril %arg0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = dtensor.tril %x : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @triu_of_static_shape
func.func @triu_of_static_shape(%x: tensor<3x3xf32>) -> tensor<3x3xf32> {
  // CHECK: dtensor.triu %arg0 {{.*}} : (tensor<3x3xf32>) -> tensor<3x3xf32>
  %y = dtensor.triu %x {diagonal = 1 : i64} : (tensor<3x3xf32>) -> tensor<3x3xf32>
  return %y : tensor<3x3xf32>
}

// CHECK-LABEL: @diagonal_of_static_shape
func.func @diagonal_of_static_shape(%x: tensor<3x4xf32>) -> tensor<2xf32> {
  // CHECK: dtensor.diagonal %arg0 {{.*}} : (tensor<3x4xf32>) -> tensor<2xf32>
  %y = dtensor.diagonal %x {dim1 = 0, dim2 = 1, offset = -1 : i64} : (tensor<3x4xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// CHECK-LABEL: @one_hot_of_static_shape
func.func @one_hot_of_static_shape(%ids: tensor<3xi64>) -> tensor<3x10xi64> {
  // CHECK: dtensor.one_hot %arg0 {{.*}} : (tensor<3xi64>) -> tensor<3x10xi64>
  %y = dtensor.one_hot %ids {classes = 10} : (tensor<3xi64>) -> tensor<3x10xi64>
  return %y : tensor<3x10xi64>
}

// CHECK-LABEL: @glu_of_static_shape
func.func @glu_of_static_shape(%x: tensor<3x8xf32>) -> tensor<3x4xf32> {
  // CHECK: dtensor.glu %arg0 {{.*}} : (tensor<3x8xf32>) -> tensor<3x4xf32>
  %y = dtensor.glu %x {dim = 1} : (tensor<3x8xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: @index_select_of_static_shape
func.func @index_select_of_static_shape(%x: tensor<2x5x4xf32>, %ids: tensor<3xi64>) -> tensor<2x3x4xf32> {
  // CHECK: dtensor.index_select %arg0, %arg1 {{.*}} : (tensor<2x5x4xf32>, tensor<3xi64>) -> tensor<2x3x4xf32>
  %y = dtensor.index_select %x, %ids {dim = 1} : (tensor<2x5x4xf32>, tensor<3xi64>) -> tensor<2x3x4xf32>
  return %y : tensor<2x3x4xf32>
}
