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
