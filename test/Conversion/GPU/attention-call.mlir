// RUN: dtensor-opt %s -pass-pipeline='builtin.module(dtensor-add-context,func.func(dtensor-gpu-library-calls),canonicalize)' | FileCheck %s

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
