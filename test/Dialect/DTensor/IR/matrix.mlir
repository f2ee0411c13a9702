// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s

// CHECK-LABEL: @a_dynamic_batch_times_one_matrix
func.func @a_dynamic_batch_times_one_matrix(%a: tensor<?x?x64xbf16>, %b: tensor<64x?xbf16>) -> tensor<?x?x?xbf16> {
  // CHECK: dtensor.matmul %arg0, %arg1 : (tensor<?x?x64xbf16>, tensor<64x?xbf16>) -> tensor<?x?x?xbf16>
  %0 = dtensor.matmul %a, %b : (tensor<?x?x64xbf16>, tensor<64x?xbf16>) -> tensor<?x?x?xbf16>
  return %0 : tensor<?x?x?xbf16>
}

// CHECK-LABEL: @static_matrices_are_read_transposed
func.func @static_matrices_are_read_transposed(%a: tensor<2x4x3xi8>, %b: tensor<2x5x4xi8>) -> tensor<2x3x5xi32> {
  // CHECK: dtensor.matmul %arg0, %arg1 {transpose_a, transpose_b} : (tensor<2x4x3xi8>, tensor<2x5x4xi8>) -> tensor<2x3x5xi32>
  %0 = dtensor.matmul %a, %b {transpose_a, transpose_b} : (tensor<2x4x3xi8>, tensor<2x5x4xi8>) -> tensor<2x3x5xi32>
  return %0 : tensor<2x3x5xi32>
}

// CHECK-LABEL: @linear_with_and_without_a_bias
func.func @linear_with_and_without_a_bias(%x: tensor<?x64xf32>, %w: tensor<?x64xf32>, %b: tensor<?xf32>) -> tensor<?x?xf32> {
  // CHECK: dtensor.linear %arg0, %arg1, %arg2 : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?xf32>) -> tensor<?x?xf32>
  %0 = dtensor.linear %x, %w, %b : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?xf32>) -> tensor<?x?xf32>
  // CHECK: dtensor.linear %arg0, %arg1 : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x?xf32>
  %1 = dtensor.linear %x, %w : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x?xf32>
  return %1 : tensor<?x?xf32>
}
