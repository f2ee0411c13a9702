// RUN: dtensor-opt %s -dtensor-results-to-out-params | FileCheck %s

// CHECK-LABEL: func.func @results_are_written_to_the_callers_buffers(
// CHECK-SAME: %[[X:[^:]*]]: tensor<?xf32> {bufferization.writable = false}
// CHECK-SAME: %[[OUT:[^:]*]]: memref<?xf32> {dtensor.result = 0 : i64})
// CHECK-NEXT: bufferization.materialize_in_destination %[[X]] in restrict writable %[[OUT]]
// CHECK-NEXT: return
func.func @results_are_written_to_the_callers_buffers(%x: tensor<?xf32>) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}

// CHECK-LABEL: func.func @a_scalar_result_has_rank_0(
// CHECK-SAME: %[[N:[^:]*]]: index, %[[OUT:[^:]*]]: memref<i64> {dtensor.name = "n", dtensor.result = 0 : i64})
// CHECK: %[[WIDE:.*]] = arith.index_cast %[[N]] : index to i64
// CHECK: memref.store %[[WIDE]], %[[OUT]][]
func.func @a_scalar_result_has_rank_0(%n: index) -> (index {dtensor.name = "n"}) {
  return %n : index
}

// CHECK-LABEL: func.func @a_donated_argument_may_be_overwritten(
// CHECK-SAME: tensor<4xf32> {bufferization.writable = true, dtensor.donated}
func.func @a_donated_argument_may_be_overwritten(%x: tensor<4xf32> {dtensor.donated}) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// CHECK-LABEL: func.func @a_change_in_place_is_written_to_the_argument(
// CHECK-SAME: %[[X:[^:]*]]: memref<4xf32> {dtensor.donated},
// CHECK-SAME: %{{[^:]*}}: f32, %[[OUT:[^:]*]]: memref<4xf32> {dtensor.result = 0 : i64})
// CHECK: %[[T:.*]] = bufferization.to_tensor %[[X]] restrict writable
// CHECK: %[[NEW:.*]] = tensor.insert %{{.*}} into %[[T]]
// CHECK: bufferization.materialize_in_destination %[[Y:.*]] in restrict writable %[[OUT]]
// CHECK-NEXT: bufferization.materialize_in_destination %[[NEW]] in restrict writable %[[X]]
func.func @a_change_in_place_is_written_to_the_argument(%x: tensor<4xf32> {dtensor.donated}, %v: f32)
    -> (tensor<4xf32> {dtensor.updates = 0}, tensor<4xf32>) {
  %i = arith.constant 1 : index
  %0 = tensor.insert %v into %x[%i] : tensor<4xf32>
  %1 = math.exp %0 : tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @arguments_that_change_places_are_copied_first(
// CHECK: %[[A:.*]] = bufferization.alloc_tensor() copy(
// CHECK-NEXT: %[[B:.*]] = bufferization.alloc_tensor() copy(
// CHECK-NEXT: bufferization.materialize_in_destination %[[A]]
// CHECK-NEXT: bufferization.materialize_in_destination %[[B]]
func.func @arguments_that_change_places_are_copied_first(%x: tensor<4xf32> {dtensor.donated}, %y: tensor<4xf32> {dtensor.donated})
    -> (tensor<4xf32> {dtensor.updates = 0}, tensor<4xf32> {dtensor.updates = 1}) {
  return %y, %x : tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @what_is_expanded_is_computed_in_a_view(
// CHECK-SAME: %[[X:[^:]*]]: tensor<?xf32>
// CHECK: %[[VIEW:.*]] = memref.collapse_shape %{{.*}} {{\[\[}}0, 1]] : memref<1x?xf32> into memref<?xf32>
// CHECK: bufferization.materialize_in_destination %[[X]] in restrict writable %[[VIEW]]
func.func @what_is_expanded_is_computed_in_a_view(%x: tensor<?xf32>, %n: index) -> tensor<1x?xf32> {
  %0 = tensor.expand_shape %x [[0, 1]] output_shape [1, %n] : tensor<?xf32> into tensor<1x?xf32>
  return %0 : tensor<1x?xf32>
}

// CHECK-LABEL: func.func @what_is_collapsed_is_computed_in_a_view(
// CHECK-SAME: %[[N:.*]]: index, %[[M:.*]]: index, %[[OUT:.*]]: memref<?xf32>
// CHECK: %[[VIEW:.*]] = memref.reinterpret_cast %[[OUT]] to offset: [0], sizes: [%[[N]], %[[M]]], strides: [%[[M]], 1] : memref<?xf32> to memref<?x?xf32>
// CHECK: %[[FILLED:.*]] = linalg.fill
// CHECK: bufferization.materialize_in_destination %[[FILLED]] in restrict writable %[[VIEW]]
func.func @what_is_collapsed_is_computed_in_a_view(%n: index, %m: index) -> tensor<?xf32> {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.empty(%n, %m) : tensor<?x?xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<?x?xf32>) -> tensor<?x?xf32>
  %2 = tensor.collapse_shape %1 [[0, 1]] : tensor<?x?xf32> into tensor<?xf32>
  return %2 : tensor<?xf32>
}

// CHECK-LABEL: func.func @a_static_shape_is_collapsed_in_a_view(
// CHECK: memref.reinterpret_cast %{{.*}} to offset: [0], sizes: [2, 3, 4], strides: [12, 4, 1] : memref<6x4xf32> to memref<2x3x4xf32>
func.func @a_static_shape_is_collapsed_in_a_view() -> tensor<6x4xf32> {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.empty() : tensor<2x3x4xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  %2 = tensor.collapse_shape %1 [[0, 1], [2]] : tensor<2x3x4xf32> into tensor<6x4xf32>
  return %2 : tensor<6x4xf32>
}

// CHECK-LABEL: func.func @callers_get_a_private_twin(
// CHECK: call @[[TWIN:a_donated_argument_may_be_overwritten_.*]](%{{.*}}) : (tensor<4xf32>) -> tensor<4xf32>
func.func @callers_get_a_private_twin(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = call @a_donated_argument_may_be_overwritten(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
// CHECK: func.func private @[[TWIN]](%{{.*}}: tensor<4xf32>{{.*}}) -> tensor<4xf32>
