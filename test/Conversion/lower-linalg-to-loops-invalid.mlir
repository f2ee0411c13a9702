// RUN: dtensor-opt %s -dtensor-lower-linalg-to-loops -verify-diagnostics

func.func @tensors_have_no_loops(%v: f32, %e: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{still works on tensors, not on buffers}}
  %0 = linalg.fill ins(%v : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}
