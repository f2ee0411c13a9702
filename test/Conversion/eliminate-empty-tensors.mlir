// RUN: dtensor-opt %s -dtensor-eliminate-empty-tensors -cse | FileCheck %s

// CHECK-LABEL: func.func @a_result_is_computed_in_its_destination(
// CHECK-SAME: %[[OUT:[^:]*]]: memref<?xf32>
// CHECK-NOT: tensor.empty
// CHECK: bufferization.to_tensor %[[OUT]] restrict writable
func.func @a_result_is_computed_in_its_destination(%out: memref<?xf32>, %n: index, %v: f32) {
  %e = tensor.empty(%n) : tensor<?xf32>
  %0 = linalg.fill ins(%v : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  bufferization.materialize_in_destination %0 in restrict writable %out : (tensor<?xf32>, memref<?xf32>) -> ()
  return
}

// %a has the result's size only if the branch is taken.
// CHECK-LABEL: func.func @a_value_of_another_size_stays_apart(
// CHECK: %[[E:.*]] = tensor.empty(%{{.*}}) : tensor<?xf32>
// CHECK: linalg.fill {{.*}} outs(%[[E]] :
// CHECK: scf.if
// CHECK-NOT: tensor.empty
// CHECK: return
func.func @a_value_of_another_size_stays_apart(%out: memref<?xf32>, %n: index, %m: index, %v: f32, %same: i1) {
  %e = tensor.empty(%n) : tensor<?xf32>
  %a = linalg.fill ins(%v : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %0 = scf.if %same -> tensor<?xf32> {
    scf.yield %a : tensor<?xf32>
  } else {
    %f = tensor.empty(%m) : tensor<?xf32>
    %b = linalg.fill ins(%v : f32) outs(%f : tensor<?xf32>) -> tensor<?xf32>
    scf.yield %b : tensor<?xf32>
  }
  bufferization.materialize_in_destination %0 in restrict writable %out : (tensor<?xf32>, memref<?xf32>) -> ()
  return
}

// CHECK-LABEL: func.func @a_branch_computes_in_the_destination(
// CHECK-SAME: %[[OUT:[^:]*]]: memref<4xf32>
// CHECK: scf.if
// CHECK: %[[E:.*]] = bufferization.to_tensor %[[OUT]]
// CHECK-NEXT: linalg.fill {{.*}} outs(%[[E]] : tensor<4xf32>)
func.func @a_branch_computes_in_the_destination(%out: memref<4xf32>, %v: f32, %same: i1) {
  %0 = scf.if %same -> tensor<4xf32> {
    %e = tensor.empty() : tensor<4xf32>
    %a = linalg.fill ins(%v : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    scf.yield %a : tensor<4xf32>
  } else {
    %f = tensor.empty() : tensor<4xf32>
    %b = linalg.fill ins(%v : f32) outs(%f : tensor<4xf32>) -> tensor<4xf32>
    scf.yield %b : tensor<4xf32>
  }
  bufferization.materialize_in_destination %0 in restrict writable %out : (tensor<4xf32>, memref<4xf32>) -> ()
  return
}
