// RUN: dtensor-opt %s -dtensor-add-context | FileCheck %s

// CHECK-LABEL: func.func private @every_function_gets_a_context(
// CHECK-SAME: %{{.*}}: tensor<?xf32>, %{{.*}}: !llvm.ptr {dtensor.context})
func.func private @every_function_gets_a_context(%x: tensor<?xf32>) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}

// CHECK-LABEL: func.func @calls_forward_the_context(
// CHECK-SAME: %[[X:.*]]: tensor<?xf32>, %[[CTX:.*]]: !llvm.ptr {dtensor.context})
func.func @calls_forward_the_context(%x: tensor<?xf32>) -> tensor<?xf32> {
  // CHECK: call @every_function_gets_a_context(%[[X]], %[[CTX]])
  %0 = call @every_function_gets_a_context(%x) : (tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}
