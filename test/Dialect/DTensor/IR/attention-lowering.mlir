// RUN: dtensor-opt %s --dtensor-add-context --dtensor-lower-local | FileCheck %s

// CHECK-LABEL: @static_heads_are_split_into_groups
func.func @static_heads_are_split_into_groups(%q: tensor<4x5x8xbf16>, %k: tensor<2x7x8xbf16>) -> tensor<4x5x8xbf16> {
  // CHECK: tensor.expand_shape %{{.*}} output_shape [2, 2, 5, 8] : tensor<4x5x8xbf16> into tensor<2x2x5x8xbf16>
  // CHECK: linalg.fill {{.*}} -> tensor<2x2x5x7xf32>
  // CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]
  // CHECK: arith.mulf {{.*}} : f32
  // CHECK: arith.maximumf
  // CHECK: math.exp
  // CHECK: arith.truncf
  // CHECK: tensor.collapse_shape {{.*}} : tensor<2x2x5x8xbf16> into tensor<4x5x8xbf16>
  %0 = dtensor.attention %q, %k, %k : (tensor<4x5x8xbf16>, tensor<2x7x8xbf16>, tensor<2x7x8xbf16>) -> tensor<4x5x8xbf16>
  return %0 : tensor<4x5x8xbf16>
}

// CHECK-LABEL: @dynamic_heads_are_split_into_groups
func.func @dynamic_heads_are_split_into_groups(%q: tensor<?x?x?x8xf32>, %k: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  // CHECK: %[[HEADS:.*]] = arith.maxui
  // CHECK: arith.divui %{{.*}}, %[[HEADS]] : index
  // CHECK: tensor.reshape {{.*}} -> tensor<?x?x?x?x8xf32>
  // CHECK: tensor.collapse_shape {{.*}} : tensor<?x?x?x?x8xf32> into tensor<?x?x?x8xf32>
  %0 = dtensor.attention %q, %k, %k {scale = 0.5} : (tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32>
  return %0 : tensor<?x?x?x8xf32>
}

// CHECK-LABEL: @keys_behind_the_diagonal_are_hidden
// CHECK-SAME: %[[D:[a-z0-9]+]]: index
func.func @keys_behind_the_diagonal_are_hidden(%q: tensor<2x?x8xf32>, %k: tensor<2x?x8xf32>, %d: index) -> tensor<2x?x8xf32> {
  // CHECK: %[[ROW:.*]] = linalg.index 2
  // CHECK: %[[COLUMN:.*]] = linalg.index 3
  // CHECK: %[[LAST:.*]] = arith.addi %[[ROW]], %[[D]] : index
  // CHECK: arith.cmpi sle, %[[COLUMN]], %[[LAST]] : index
  %0 = dtensor.attention %q, %k, %k, %d {causal} : (tensor<2x?x8xf32>, tensor<2x?x8xf32>, tensor<2x?x8xf32>, index) -> tensor<2x?x8xf32>
  return %0 : tensor<2x?x8xf32>
}

// CHECK-LABEL: @the_diagonal_is_a_number_of_the_device
// CHECK-SAME: %[[D:[^:]*]]: tensor<i64>
// CHECK: %[[N:.*]] = tensor.extract %[[D]][] : tensor<i64>
// CHECK: arith.index_cast %[[N]] : i64 to index
func.func @the_diagonal_is_a_number_of_the_device(%q: tensor<2x?x8xf32>, %k: tensor<2x?x8xf32>, %d: tensor<i64>) -> tensor<2x?x8xf32> {
  %0 = dtensor.attention %q, %k, %k, %d {causal} : (tensor<2x?x8xf32>, tensor<2x?x8xf32>, tensor<2x?x8xf32>, tensor<i64>) -> tensor<2x?x8xf32>
  return %0 : tensor<2x?x8xf32>
}

// CHECK-LABEL: @the_gradient_of_a_static_query
func.func @the_gradient_of_a_static_query(%g: tensor<4x5x6xbf16>, %q: tensor<4x5x8xbf16>, %k: tensor<2x7x8xbf16>, %v: tensor<2x7x6xbf16>, %d: tensor<4x5xf32>) -> (tensor<4x5x8xbf16>, tensor<4x5xf32>) {
  // CHECK: tensor.expand_shape %arg1 {{.*}} : tensor<4x5x8xbf16> into tensor<2x2x5x8xbf16>
  // CHECK: tensor.expand_shape %arg0 {{.*}} : tensor<4x5x6xbf16> into tensor<2x2x5x6xbf16>
  // CHECK: arith.maximumf
  // CHECK: math.exp
  // CHECK: arith.addf
  // CHECK: math.log
  // CHECK: tensor.expand_shape %arg4 {{.*}} : tensor<4x5xf32> into tensor<2x2x5xf32>
  // CHECK: math.exp
  // CHECK: arith.truncf
  // CHECK: tensor.collapse_shape {{.*}} : tensor<2x2x5x8xbf16> into tensor<4x5x8xbf16>
  // CHECK: tensor.collapse_shape {{.*}} : tensor<2x2x5xf32> into tensor<4x5xf32>
  %0:2 = dtensor.attention_query_grad %g, %q, %k, %v, %d : (tensor<4x5x6xbf16>, tensor<4x5x8xbf16>, tensor<2x7x8xbf16>, tensor<2x7x6xbf16>, tensor<4x5xf32>) -> (tensor<4x5x8xbf16>, tensor<4x5xf32>)
  return %0#0, %0#1 : tensor<4x5x8xbf16>, tensor<4x5xf32>
}

// CHECK-LABEL: @the_gradient_of_a_dynamic_query
// CHECK-SAME: %[[D:[a-z0-9]+]]: index
func.func @the_gradient_of_a_dynamic_query(%q: tensor<?x?x?x8xf64>, %k: tensor<?x?x?x8xf64>, %l: tensor<?x?x?xf64>, %d: index) -> (tensor<?x?x?x8xf64>, tensor<?x?x?xf64>) {
  // CHECK: arith.addi %{{.*}}, %[[D]] : index
  // CHECK: math.log {{.*}} : f64
  // CHECK: tensor.collapse_shape {{.*}} : tensor<?x?x?x?x8xf64> into tensor<?x?x?x8xf64>
  // CHECK: tensor.collapse_shape {{.*}} : tensor<?x?x?x?xf64> into tensor<?x?x?xf64>
  %0:2 = dtensor.attention_query_grad %q, %q, %k, %k, %l, %d {causal} : (tensor<?x?x?x8xf64>, tensor<?x?x?x8xf64>, tensor<?x?x?x8xf64>, tensor<?x?x?x8xf64>, tensor<?x?x?xf64>, index) -> (tensor<?x?x?x8xf64>, tensor<?x?x?xf64>)
  return %0#0, %0#1 : tensor<?x?x?x8xf64>, tensor<?x?x?xf64>
}

// CHECK-LABEL: @static_gradients_of_keys_are_sums_over_groups
func.func @static_gradients_of_keys_are_sums_over_groups(%g: tensor<4x5x6xbf16>, %q: tensor<4x5x8xbf16>, %k: tensor<2x7x8xbf16>, %v: tensor<2x7x6xbf16>, %l: tensor<4x5xf32>) -> (tensor<2x7x8xbf16>, tensor<2x7x6xbf16>) {
  // CHECK-NOT: math.log
  // CHECK: math.exp
  // CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction", "reduction", "parallel", "parallel"]{{.*}} outs(%{{.*}} : tensor<2x7x8xf32>)
  // CHECK: arith.truncf
  // CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction", "reduction", "parallel", "parallel"]{{.*}} outs(%{{.*}} : tensor<2x7x6xf32>)
  // CHECK: arith.truncf
  %0:2 = dtensor.attention_key_value_grad %g, %q, %k, %v, %l, %l : (tensor<4x5x6xbf16>, tensor<4x5x8xbf16>, tensor<2x7x8xbf16>, tensor<2x7x6xbf16>, tensor<4x5xf32>, tensor<4x5xf32>) -> (tensor<2x7x8xbf16>, tensor<2x7x6xbf16>)
  return %0#0, %0#1 : tensor<2x7x8xbf16>, tensor<2x7x6xbf16>
}

// CHECK-LABEL: @dynamic_gradients_of_keys_hide_what_is_behind_the_diagonal
func.func @dynamic_gradients_of_keys_hide_what_is_behind_the_diagonal(%q: tensor<4x?x8xf32>, %k: tensor<2x?x8xf32>, %l: tensor<4x?xf32>) -> (tensor<2x?x8xf32>, tensor<2x?x8xf32>) {
  // CHECK: %[[S:.*]] = tensor.dim %arg1, %c1
  // CHECK: %[[T:.*]] = tensor.dim %arg0, %c1
  // CHECK: %[[D:.*]] = arith.subi %[[S]], %[[T]] : index
  // CHECK: %[[LAST:.*]] = arith.addi %{{.*}}, %[[D]] : index
  // CHECK: arith.cmpi sle, %{{.*}}, %[[LAST]] : index
  %0:2 = dtensor.attention_key_value_grad %q, %q, %k, %k, %l, %l {causal} : (tensor<4x?x8xf32>, tensor<4x?x8xf32>, tensor<2x?x8xf32>, tensor<2x?x8xf32>, tensor<4x?xf32>, tensor<4x?xf32>) -> (tensor<2x?x8xf32>, tensor<2x?x8xf32>)
  return %0#0, %0#1 : tensor<2x?x8xf32>, tensor<2x?x8xf32>
}
