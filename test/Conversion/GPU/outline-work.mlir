// RUN: dtensor-opt %s -dtensor-gpu-outline-work | FileCheck %s

// CHECK-LABEL: func.func @equal_work_is_one_function(
// CHECK-SAME: %[[A:[^:]*]]: memref<?x4xf32>, %[[B:[^:]*]]: memref<?x4xf32>, %[[CTX:[^:]*]]: !llvm.ptr
// CHECK-NEXT: call @[[COPY:work.*]](%[[CTX]], %[[A]], %[[B]])
// CHECK-NEXT: call @[[COPY]](%[[CTX]], %[[B]], %[[A]])
// CHECK-NEXT: return
func.func @equal_work_is_one_function(%a: memref<?x4xf32>, %b: memref<?x4xf32>, %ctx: !llvm.ptr {dtensor.context}) {
  dtensor_gpu.copy %ctx : !llvm.ptr, %a, %b : memref<?x4xf32>, memref<?x4xf32>
  dtensor_gpu.copy %ctx : !llvm.ptr, %b, %a : memref<?x4xf32>, memref<?x4xf32>
  return
}

// CHECK-LABEL: func.func @an_operand_used_twice_is_another_form(
// CHECK-NOT: call @[[COPY]](
// CHECK: return
func.func @an_operand_used_twice_is_another_form(%a: memref<?x4xf32>, %ctx: !llvm.ptr {dtensor.context}) {
  dtensor_gpu.copy %ctx : !llvm.ptr, %a, %a : memref<?x4xf32>, memref<?x4xf32>
  return
}

// CHECK-LABEL: func.func @constants_move_along(
// CHECK: call @[[ONE:work.*]](%{{[^,]*}}, %{{[^,]*}}) :
// CHECK-NOT: call @[[ONE]](
// CHECK: return
func.func @constants_move_along(%a: memref<f32>, %ctx: !llvm.ptr {dtensor.context}) {
  %one = arith.constant 1.0 : f32
  %two = arith.constant 2.0 : f32
  dtensor_gpu.fill %ctx : !llvm.ptr, %one, %a : f32, memref<f32>
  dtensor_gpu.fill %ctx : !llvm.ptr, %two, %a : f32, memref<f32>
  return
}

// What reads the function's rank context finds it there.
// CHECK: func.func private @[[COPY]](%{{.*}}: !llvm.ptr {dtensor.context}, %{{.*}}: memref<?x4xf32>, %{{.*}}: memref<?x4xf32>)
