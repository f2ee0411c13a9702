// RUN: dtensor-opt %s -dtensor-gpu-lower-launches -verify-diagnostics

func.func @a_branch_on_data(%x: memref<4xf32>, %ctx: !llvm.ptr {dtensor.context}, %i: index) -> f32 {
  // expected-error @below {{'memref.load' op would read the device's memory on the host: a scalar that the host needs cannot come from a tensor}}
  %0 = memref.load %x[%i] : memref<4xf32>
  return %0 : f32
}
