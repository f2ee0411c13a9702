// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s

// CHECK-LABEL: @softmax_and_norms_of_dynamic_shape
func.func @softmax_and_norms_of_dynamic_shape(%x: tensor<?x?xf32>, %w: tensor<?xf32>, %z: tensor<?x2x4xbf16>, %v: tensor<2x4xbf16>) {
  // CHECK: dtensor.softmax %arg0 {dim = 1 : i64} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  %r0 = dtensor.softmax %x {dim = 1 : i64} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  // CHECK: dtensor.log_softmax %arg0 {dim = 0 : i64} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  %r1 = dtensor.log_softmax %x {dim = 0 : i64} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  // CHECK: dtensor.layer_norm %arg0, %arg1, %arg1 : (tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>) -> tensor<?x?xf32>
  %r2 = dtensor.layer_norm %x, %w, %w : (tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>) -> tensor<?x?xf32>
  // CHECK: dtensor.layer_norm %arg0 : (tensor<?x?xf32>) -> tensor<?x?xf32>
  %r3 = dtensor.layer_norm %x : (tensor<?x?xf32>) -> tensor<?x?xf32>
  // CHECK: dtensor.rms_norm %arg2, %arg3 {eps = 9.9999999999999995E-7 : f64, trailing = 2 : i64} : (tensor<?x2x4xbf16>, tensor<2x4xbf16>) -> tensor<?x2x4xbf16>
  %r4 = dtensor.rms_norm %z, %v {eps = 9.9999999999999995E-7 : f64, trailing = 2 : i64} : (tensor<?x2x4xbf16>, tensor<2x4xbf16>) -> tensor<?x2x4xbf16>
  return
}

// CHECK-LABEL: @softmax_and_norms_of_static_shape
func.func @softmax_and_norms_of_static_shape(%x: tensor<6x6xf32>, %w: tensor<6xf32>, %z: tensor<6x2x4xbf16>, %v: tensor<2x4xbf16>) {
  // CHECK: dtensor.softmax %arg0 {dim = 1 : i64} : (tensor<6x6xf32>) -> tensor<6x6xf32>
  %r0 = dtensor.softmax %x {dim = 1 : i64} : (tensor<6x6xf32>) -> tensor<6x6xf32>
  // CHECK: dtensor.log_softmax %arg0 {dim = 0 : i64} : (tensor<6x6xf32>) -> tensor<6x6xf32>
  %r1 = dtensor.log_softmax %x {dim = 0 : i64} : (tensor<6x6xf32>) -> tensor<6x6xf32>
  // CHECK: dtensor.layer_norm %arg0, %arg1, %arg1 : (tensor<6x6xf32>, tensor<6xf32>, tensor<6xf32>) -> tensor<6x6xf32>
  %r2 = dtensor.layer_norm %x, %w, %w : (tensor<6x6xf32>, tensor<6xf32>, tensor<6xf32>) -> tensor<6x6xf32>
  // CHECK: dtensor.layer_norm %arg0 : (tensor<6x6xf32>) -> tensor<6x6xf32>
  %r3 = dtensor.layer_norm %x : (tensor<6x6xf32>) -> tensor<6x6xf32>
  // CHECK: dtensor.rms_norm %arg2, %arg3 {eps = 9.9999999999999995E-7 : f64, trailing = 2 : i64} : (tensor<6x2x4xbf16>, tensor<2x4xbf16>) -> tensor<6x2x4xbf16>
  %r4 = dtensor.rms_norm %z, %v {eps = 9.9999999999999995E-7 : f64, trailing = 2 : i64} : (tensor<6x2x4xbf16>, tensor<2x4xbf16>) -> tensor<6x2x4xbf16>
  return
}

// CHECK-LABEL: @attention_of_symbolic_heads
func.func @attention_of_symbolic_heads(%q: tensor<?x?x?x64xf32>, %kv: tensor<?x?x?x64xf32>, %d: index) {
  // CHECK: dtensor.attention %arg0, %arg1, %arg1 {causal} : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> tensor<?x?x?x64xf32>
  %r0 = dtensor.attention %q, %kv, %kv {causal} : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> tensor<?x?x?x64xf32>
  // CHECK: dtensor.attention %arg0, %arg1, %arg1, %arg2 {causal, scale = 1.250000e-01 : f64} : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, index) -> tensor<?x?x?x64xf32>
  %r1 = dtensor.attention %q, %kv, %kv, %d {causal, scale = 1.250000e-01 : f64} : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, index) -> tensor<?x?x?x64xf32>
  return
}

// CHECK-LABEL: @attention_of_static_shape
func.func @attention_of_static_shape(%q: tensor<8x5x64xbf16>, %k: tensor<2x7x64xbf16>, %v: tensor<2x7x32xbf16>) {
  // CHECK: dtensor.attention %arg0, %arg1, %arg2 : (tensor<8x5x64xbf16>, tensor<2x7x64xbf16>, tensor<2x7x32xbf16>) -> tensor<8x5x32xbf16>
  %r0 = dtensor.attention %q, %k, %v : (tensor<8x5x64xbf16>, tensor<2x7x64xbf16>, tensor<2x7x32xbf16>) -> tensor<8x5x32xbf16>
  return
}

// CHECK-LABEL: @gradients_of_a_ring
func.func @gradients_of_a_ring(%q: tensor<8x?x64xbf16>, %k: tensor<2x?x64xbf16>, %l: tensor<8x?xf32>) {
  // CHECK: dtensor.ring_attention_backward %arg0, %arg0, %arg1, %arg1, %arg0 {causal} : (tensor<8x?x64xbf16>, tensor<8x?x64xbf16>, tensor<2x?x64xbf16>, tensor<2x?x64xbf16>, tensor<8x?x64xbf16>) -> (tensor<8x?x64xbf16>, tensor<2x?x64xbf16>, tensor<2x?x64xbf16>)
  %0:3 = dtensor.ring_attention_backward %q, %q, %k, %k, %q {causal} : (tensor<8x?x64xbf16>, tensor<8x?x64xbf16>, tensor<2x?x64xbf16>, tensor<2x?x64xbf16>, tensor<8x?x64xbf16>) -> (tensor<8x?x64xbf16>, tensor<2x?x64xbf16>, tensor<2x?x64xbf16>)
  // CHECK: dtensor.ring_attention_backward %arg0, %arg0, %arg1, %arg1, %arg0, %arg2 {scale = 5.000000e-01 : f64}
  %1:3 = dtensor.ring_attention_backward %q, %q, %k, %k, %q, %l {scale = 0.5 : f64} : (tensor<8x?x64xbf16>, tensor<8x?x64xbf16>, tensor<2x?x64xbf16>, tensor<2x?x64xbf16>, tensor<8x?x64xbf16>, tensor<8x?xf32>) -> (tensor<8x?x64xbf16>, tensor<2x?x64xbf16>, tensor<2x?x64xbf16>)
  return
}

// CHECK-LABEL: @gradients_of_dynamic_shape
func.func @gradients_of_dynamic_shape(%g: tensor<?x8x?x64xbf16>, %q: tensor<?x8x?x64xbf16>, %k: tensor<?x2x?x64xbf16>, %v: tensor<?x2x?x64xbf16>, %l: tensor<?x8x?xf32>, %d: index) {
  // CHECK: dtensor.attention_query_grad %arg0, %arg1, %arg2, %arg3, %arg4 {causal} : (tensor<?x8x?x64xbf16>, tensor<?x8x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x8x?xf32>) -> (tensor<?x8x?x64xbf16>, tensor<?x8x?xf32>)
  %0:2 = dtensor.attention_query_grad %g, %q, %k, %v, %l {causal} : (tensor<?x8x?x64xbf16>, tensor<?x8x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x8x?xf32>) -> (tensor<?x8x?x64xbf16>, tensor<?x8x?xf32>)
  // CHECK: dtensor.attention_query_grad %arg0, %arg1, %arg2, %arg3, %arg4, %arg5 {causal, scale = 1.250000e-01 : f64}
  %1:2 = dtensor.attention_query_grad %g, %q, %k, %v, %l, %d {causal, scale = 0.125 : f64} : (tensor<?x8x?x64xbf16>, tensor<?x8x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x8x?xf32>, index) -> (tensor<?x8x?x64xbf16>, tensor<?x8x?xf32>)
  // CHECK: dtensor.attention_key_value_grad %arg0, %arg1, %arg2, %arg3, %arg4, %arg4 {causal} : (tensor<?x8x?x64xbf16>, tensor<?x8x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x8x?xf32>, tensor<?x8x?xf32>) -> (tensor<?x2x?x64xbf16>, tensor<?x2x?x64xbf16>)
  %2:2 = dtensor.attention_key_value_grad %g, %q, %k, %v, %l, %l {causal} : (tensor<?x8x?x64xbf16>, tensor<?x8x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x8x?xf32>, tensor<?x8x?xf32>) -> (tensor<?x2x?x64xbf16>, tensor<?x2x?x64xbf16>)
  // CHECK: dtensor.attention_key_value_grad %arg0, %arg1, %arg2, %arg3, %arg4, %arg4, %arg5 {causal, scale = 1.250000e-01 : f64}
  %3:2 = dtensor.attention_key_value_grad %g, %q, %k, %v, %l, %l, %d {causal, scale = 0.125 : f64} : (tensor<?x8x?x64xbf16>, tensor<?x8x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x8x?xf32>, tensor<?x8x?xf32>, index) -> (tensor<?x2x?x64xbf16>, tensor<?x2x?x64xbf16>)
  return
}

// CHECK-LABEL: @gradients_of_static_shape
func.func @gradients_of_static_shape(%g: tensor<8x5x32xbf16>, %q: tensor<8x5x64xbf16>, %k: tensor<2x7x64xbf16>, %v: tensor<2x7x32xbf16>, %l: tensor<8x5xf32>) {
  // CHECK: dtensor.attention_query_grad %arg0, %arg1, %arg2, %arg3, %arg4 : (tensor<8x5x32xbf16>, tensor<8x5x64xbf16>, tensor<2x7x64xbf16>, tensor<2x7x32xbf16>, tensor<8x5xf32>) -> (tensor<8x5x64xbf16>, tensor<8x5xf32>)
  %0:2 = dtensor.attention_query_grad %g, %q, %k, %v, %l : (tensor<8x5x32xbf16>, tensor<8x5x64xbf16>, tensor<2x7x64xbf16>, tensor<2x7x32xbf16>, tensor<8x5xf32>) -> (tensor<8x5x64xbf16>, tensor<8x5xf32>)
  // CHECK: dtensor.attention_key_value_grad %arg0, %arg1, %arg2, %arg3, %arg4, %arg4 : (tensor<8x5x32xbf16>, tensor<8x5x64xbf16>, tensor<2x7x64xbf16>, tensor<2x7x32xbf16>, tensor<8x5xf32>, tensor<8x5xf32>) -> (tensor<2x7x64xbf16>, tensor<2x7x32xbf16>)
  %1:2 = dtensor.attention_key_value_grad %g, %q, %k, %v, %l, %l : (tensor<8x5x32xbf16>, tensor<8x5x64xbf16>, tensor<2x7x64xbf16>, tensor<2x7x32xbf16>, tensor<8x5xf32>, tensor<8x5xf32>) -> (tensor<2x7x64xbf16>, tensor<2x7x32xbf16>)
  return
}
