// RUN: dtensor-opt %s -dtensor-gpu-finish-kernels | FileCheck %s

// CHECK-LABEL: gpu.func @both_halves_of_a_product_are_instructions_of_32_bits
// CHECK-NOT: mului_extended
// CHECK-DAG: %[[LOW:.*]] = arith.muli %[[A:.*]], %[[B:.*]] : i32
// CHECK-DAG: %[[HIGH:.*]] = llvm.call_intrinsic "llvm.nvvm.mulhi.ui"(%[[A]], %[[B]]) : (i32, i32) -> i32
// CHECK: arith.xori %[[LOW]], %[[HIGH]]
gpu.module @kernels {
  gpu.func @both_halves_of_a_product_are_instructions_of_32_bits(%a: i32, %b: i32, %y: !llvm.ptr<1>) kernel {
    %low, %high = arith.mului_extended %a, %b : i32
    %0 = arith.xori %low, %high : i32
    llvm.store %0, %y : i32, !llvm.ptr<1>
    gpu.return
  }
}
func.func @run(%context: !llvm.ptr, %n: i64, %a: i32, %y: !llvm.ptr) {
  dtensor_gpu.launch %context : !llvm.ptr, @kernels::@both_halves_of_a_product_are_instructions_of_32_bits grid %n block %n (%a, %a, %y) : i32, i32, !llvm.ptr
  return
}
