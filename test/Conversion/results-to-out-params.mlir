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

// CHECK-LABEL: func.func @callers_get_a_private_twin(
// CHECK: call @[[TWIN:a_donated_argument_may_be_overwritten_.*]](%{{.*}}) : (tensor<4xf32>) -> tensor<4xf32>
func.func @callers_get_a_private_twin(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = call @a_donated_argument_may_be_overwritten(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
// CHECK: func.func private @[[TWIN]](%{{.*}}: tensor<4xf32>{{.*}}) -> tensor<4xf32>
