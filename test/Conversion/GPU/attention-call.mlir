// RUN: dtensor-opt %s -pass-pipeline='builtin.module(dtensor-add-context,func.func(dtensor-gpu-library-calls),canonicalize,cse)' | FileCheck %s

#swap = affine_map<(d0, d1, d2) -> (d1, d0, d2)>
#id = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#turn = affine_map<(d0, d1, d2) -> (d2, d0, d1)>

// CHECK-LABEL: func.func private @permuted_operands_are_read_in_place(
// CHECK-NOT: linalg.generic
// CHECK: dtensor_gpu.attention {{.*}} ins(%arg0 [1, 0, 2], %arg1 [0, 1, 2], %arg1 [0, 1, 2]
// CHECK-SAME: outs(%{{.*}} [0, 1, 2] : tensor<8x?x64xbf16>)
func.func private @permuted_operands_are_read_in_place(%q0: tensor<?x8x64xbf16>, %k: tensor<2x?x64xbf16>, %t: index) -> tensor<8x?x64xbf16> {
  %e = tensor.empty(%t) : tensor<8x?x64xbf16>
  %q = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%q0 : tensor<?x8x64xbf16>) outs(%e : tensor<8x?x64xbf16>) {
  ^bb0(%x: bf16, %y: bf16):
    linalg.yield %x : bf16
  } -> tensor<8x?x64xbf16>
  %r = dtensor.attention %q, %k, %k {causal} : (tensor<8x?x64xbf16>, tensor<2x?x64xbf16>, tensor<2x?x64xbf16>) -> tensor<8x?x64xbf16>
  return %r : tensor<8x?x64xbf16>
}

// CHECK-LABEL: func.func private @a_permuted_result_is_written_in_place(
// CHECK-NOT: linalg.generic
// CHECK: tensor.empty() : tensor<5x8x64xbf16>
// CHECK: dtensor_gpu.attention {{.*}} outs(%{{.*}} [1, 0, 2] : tensor<5x8x64xbf16>)
// CHECK-NOT: linalg.generic
func.func private @a_permuted_result_is_written_in_place(%q: tensor<8x5x64xbf16>, %k: tensor<2x7x64xbf16>) -> tensor<5x8x64xbf16> {
  %r = dtensor.attention %q, %k, %k : (tensor<8x5x64xbf16>, tensor<2x7x64xbf16>, tensor<2x7x64xbf16>) -> tensor<8x5x64xbf16>
  %e = tensor.empty() : tensor<5x8x64xbf16>
  %p = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%r : tensor<8x5x64xbf16>) outs(%e : tensor<5x8x64xbf16>) {
  ^bb0(%x: bf16, %y: bf16):
    linalg.yield %x : bf16
  } -> tensor<5x8x64xbf16>
  return %p : tensor<5x8x64xbf16>
}

// CHECK-LABEL: func.func private @a_depth_that_is_not_last_is_copied(
// CHECK: linalg.generic
// CHECK: dtensor_gpu.attention {{.*}} ins(%{{.*}} [0, 1, 2], %arg1 [0, 1, 2], %arg1 [0, 1, 2]
func.func private @a_depth_that_is_not_last_is_copied(%q0: tensor<64x8x?xbf16>, %k: tensor<2x?x64xbf16>, %t: index) -> tensor<8x?x64xbf16> {
  %e = tensor.empty(%t) : tensor<8x?x64xbf16>
  %q = linalg.generic {indexing_maps = [#turn, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%q0 : tensor<64x8x?xbf16>) outs(%e : tensor<8x?x64xbf16>) {
  ^bb0(%x: bf16, %y: bf16):
    linalg.yield %x : bf16
  } -> tensor<8x?x64xbf16>
  %r = dtensor.attention %q, %k, %k : (tensor<8x?x64xbf16>, tensor<2x?x64xbf16>, tensor<2x?x64xbf16>) -> tensor<8x?x64xbf16>
  return %r : tensor<8x?x64xbf16>
}

// CHECK-LABEL: func.func private @a_number_of_the_device_shifts_the_diagonal(
// CHECK-SAME: %[[D:[^:]*]]: tensor<i64>
// CHECK: %[[ZERO:.*]] = arith.constant 0 : index
// CHECK: dtensor_gpu.attention {{.*}} diagonal(%[[ZERO]] + %[[D]] : tensor<i64>)
// CHECK-SAME: causal = true
func.func private @a_number_of_the_device_shifts_the_diagonal(%q: tensor<8x1x64xbf16>, %k: tensor<2x?x64xbf16>, %d: tensor<i64>) -> tensor<8x1x64xbf16> {
  %r = dtensor.attention %q, %k, %k, %d {causal} : (tensor<8x1x64xbf16>, tensor<2x?x64xbf16>, tensor<2x?x64xbf16>, tensor<i64>) -> tensor<8x1x64xbf16>
  return %r : tensor<8x1x64xbf16>
}

// CHECK-LABEL: func.func private @the_gradient_of_a_query_is_a_call(
// CHECK-SAME: index, %[[D:[^:]*]]: index
// CHECK-NOT: linalg.generic
// CHECK: dtensor_gpu.attention_query_grad {{.*}} ins(%arg0 [0, 1, 2], %arg1 [1, 0, 2], %arg2 [0, 1, 2], %arg2 [0, 1, 2], %arg3
// CHECK-SAME: diagonal(%[[D]]) outs(%{{.*}} [1, 0, 2], %{{.*}} : tensor<?x8x64xbf16>, tensor<8x?xf32>) {causal = true}
// CHECK-NOT: linalg.generic
func.func private @the_gradient_of_a_query_is_a_call(%g: tensor<8x?x64xbf16>, %q0: tensor<?x8x64xbf16>, %k: tensor<2x?x64xbf16>, %l: tensor<8x?xf32>, %t: index, %d: index) -> (tensor<?x8x64xbf16>, tensor<8x?xf32>) {
  %e = tensor.empty(%t) : tensor<8x?x64xbf16>
  %q = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%q0 : tensor<?x8x64xbf16>) outs(%e : tensor<8x?x64xbf16>) {
  ^bb0(%x: bf16, %y: bf16):
    linalg.yield %x : bf16
  } -> tensor<8x?x64xbf16>
  %r:2 = dtensor.attention_query_grad %g, %q, %k, %k, %l, %d {causal} : (tensor<8x?x64xbf16>, tensor<8x?x64xbf16>, tensor<2x?x64xbf16>, tensor<2x?x64xbf16>, tensor<8x?xf32>, index) -> (tensor<8x?x64xbf16>, tensor<8x?xf32>)
  %o = tensor.empty(%t) : tensor<?x8x64xbf16>
  %p = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%r#0 : tensor<8x?x64xbf16>) outs(%o : tensor<?x8x64xbf16>) {
  ^bb0(%x: bf16, %y: bf16):
    linalg.yield %x : bf16
  } -> tensor<?x8x64xbf16>
  return %p, %r#1 : tensor<?x8x64xbf16>, tensor<8x?xf32>
}

// CHECK-LABEL: func.func private @a_permuted_logsumexp_is_copied(
// CHECK: dtensor_gpu.attention_query_grad {{.*}} outs(%{{.*}} [0, 1, 2], %{{.*}} : tensor<8x5x64xf32>, tensor<8x5xf32>) {causal = false}
// CHECK: linalg.generic
func.func private @a_permuted_logsumexp_is_copied(%q: tensor<8x5x64xf32>, %k: tensor<2x7x64xf32>, %l: tensor<8x5xf32>) -> (tensor<8x5x64xf32>, tensor<5x8xf32>) {
  %r:2 = dtensor.attention_query_grad %q, %q, %k, %k, %l {scale = 0.5} : (tensor<8x5x64xf32>, tensor<8x5x64xf32>, tensor<2x7x64xf32>, tensor<2x7x64xf32>, tensor<8x5xf32>) -> (tensor<8x5x64xf32>, tensor<8x5xf32>)
  %o = tensor.empty() : tensor<5x8xf32>
  %p = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%r#1 : tensor<8x5xf32>) outs(%o : tensor<5x8xf32>) {
  ^bb0(%x: f32, %y: f32):
    linalg.yield %x : f32
  } -> tensor<5x8xf32>
  return %r#0, %p : tensor<8x5x64xf32>, tensor<5x8xf32>
}

// CHECK-LABEL: func.func private @gradients_of_dynamic_keys_are_a_call(
// CHECK: %[[S:.*]] = tensor.dim %arg1, %c1
// CHECK: %[[T:.*]] = tensor.dim %arg0, %c1
// CHECK: %[[D:.*]] = arith.subi %[[S]], %[[T]] : index
// CHECK: dtensor_gpu.attention_key_value_grad {{.*}} ins(%arg0 [0, 1, 2], %arg0 [0, 1, 2], %arg1 [0, 1, 2], %arg1 [0, 1, 2], %arg2, %arg3
// CHECK-SAME: diagonal(%[[D]]) outs(%{{.*}} [0, 1, 2], %{{.*}} [0, 1, 2] : tensor<2x?x64xf16>, tensor<2x?x64xf16>) {causal = true}
func.func private @gradients_of_dynamic_keys_are_a_call(%q: tensor<8x?x64xf16>, %k: tensor<2x?x64xf16>, %l: tensor<8x?xf32>, %d: tensor<8x?xf32>) -> (tensor<2x?x64xf16>, tensor<2x?x64xf16>) {
  %r:2 = dtensor.attention_key_value_grad %q, %q, %k, %k, %l, %d {causal} : (tensor<8x?x64xf16>, tensor<8x?x64xf16>, tensor<2x?x64xf16>, tensor<2x?x64xf16>, tensor<8x?xf32>, tensor<8x?xf32>) -> (tensor<2x?x64xf16>, tensor<2x?x64xf16>)
  return %r#0, %r#1 : tensor<2x?x64xf16>, tensor<2x?x64xf16>
}

// CHECK-LABEL: func.func private @permuted_gradients_of_static_keys_are_written_in_place(
// CHECK-NOT: linalg.generic
// CHECK: dtensor_gpu.attention_key_value_grad {{.*}} outs(%{{.*}} [1, 0, 2], %{{.*}} [1, 0, 2] : tensor<7x2x64xbf16>, tensor<7x2x32xbf16>)
// CHECK-NOT: linalg.generic
func.func private @permuted_gradients_of_static_keys_are_written_in_place(%g: tensor<8x5x32xbf16>, %q: tensor<8x5x64xbf16>, %k: tensor<2x7x64xbf16>, %v: tensor<2x7x32xbf16>, %l: tensor<8x5xf32>) -> (tensor<7x2x64xbf16>, tensor<7x2x32xbf16>) {
  %r:2 = dtensor.attention_key_value_grad %g, %q, %k, %v, %l, %l : (tensor<8x5x32xbf16>, tensor<8x5x64xbf16>, tensor<2x7x64xbf16>, tensor<2x7x32xbf16>, tensor<8x5xf32>, tensor<8x5xf32>) -> (tensor<2x7x64xbf16>, tensor<2x7x32xbf16>)
  %e = tensor.empty() : tensor<7x2x64xbf16>
  %a = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%r#0 : tensor<2x7x64xbf16>) outs(%e : tensor<7x2x64xbf16>) {
  ^bb0(%x: bf16, %y: bf16):
    linalg.yield %x : bf16
  } -> tensor<7x2x64xbf16>
  %f = tensor.empty() : tensor<7x2x32xbf16>
  %b = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%r#1 : tensor<2x7x32xbf16>) outs(%f : tensor<7x2x32xbf16>) {
  ^bb0(%x: bf16, %y: bf16):
    linalg.yield %x : bf16
  } -> tensor<7x2x32xbf16>
  return %a, %b : tensor<7x2x64xbf16>, tensor<7x2x32xbf16>
}

// Scores, output, the inner products and three gradients.
// CHECK-LABEL: func.func private @doubles_become_products(
// CHECK-COUNT-6: dtensor_gpu.matmul
// CHECK-NOT: dtensor_gpu
// CHECK: return
func.func private @doubles_become_products(%g: tensor<8x?x64xf64>, %q: tensor<8x?x64xf64>, %k: tensor<8x?x64xf64>, %v: tensor<8x?x64xf64>, %l: tensor<8x?xf64>) -> (tensor<8x?x64xf64>, tensor<8x?x64xf64>, tensor<8x?x64xf64>, tensor<8x?x64xf64>) {
  %y = dtensor.attention %q, %k, %v : (tensor<8x?x64xf64>, tensor<8x?x64xf64>, tensor<8x?x64xf64>) -> tensor<8x?x64xf64>
  %r:2 = dtensor.attention_query_grad %g, %q, %k, %v, %l : (tensor<8x?x64xf64>, tensor<8x?x64xf64>, tensor<8x?x64xf64>, tensor<8x?x64xf64>, tensor<8x?xf64>) -> (tensor<8x?x64xf64>, tensor<8x?xf64>)
  %s:2 = dtensor.attention_key_value_grad %g, %q, %k, %v, %r#1, %l : (tensor<8x?x64xf64>, tensor<8x?x64xf64>, tensor<8x?x64xf64>, tensor<8x?x64xf64>, tensor<8x?xf64>, tensor<8x?xf64>) -> (tensor<8x?x64xf64>, tensor<8x?x64xf64>)
  return %y, %r#0, %s#0, %s#1 : tensor<8x?x64xf64>, tensor<8x?x64xf64>, tensor<8x?x64xf64>, tensor<8x?x64xf64>
}
