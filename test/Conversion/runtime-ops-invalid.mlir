// RUN: dtensor-opt %s -split-input-file -verify-diagnostics

func.func @other_ranks(%c: !llvm.ptr, %x: memref<?xf32>, %y: memref<?x4xf32>) {
  // expected-error @+1 {{source and destination differ in rank: 'memref<?xf32>' and 'memref<?x4xf32>'}}
  dtensor_rt.collective @f %c : !llvm.ptr ins(%x : memref<?xf32>) outs(%y : memref<?x4xf32>)
  return
}

// -----

func.func @other_element_types(%c: !llvm.ptr, %x: memref<?xf32>, %y: memref<?xi32>) {
  // expected-error @+1 {{source and destination differ in element type: 'memref<?xf32>' and 'memref<?xi32>'}}
  dtensor_rt.collective @f %c : !llvm.ptr ins(%x : memref<?xf32>) outs(%y : memref<?xi32>)
  return
}

// -----

func.func @a_tensor_and_a_buffer(%c: !llvm.ptr, %x: tensor<?xf32>, %y: memref<?xf32>) {
  // expected-error @+1 {{mixes tensors and buffers}}
  dtensor_rt.collective @f %c : !llvm.ptr ins(%x : tensor<?xf32>) outs(%y : memref<?xf32>)
  return
}

// -----

func.func @no_result_on_tensors(%c: !llvm.ptr, %x: tensor<?xf32>) {
  // expected-error @+1 {{on tensors has no result}}
  dtensor_rt.collective @f %c : !llvm.ptr ins(%x : tensor<?xf32>) outs(%x : tensor<?xf32>)
  return
}
