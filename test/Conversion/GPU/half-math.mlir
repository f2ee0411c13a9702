// RUN: dtensor-opt %s -split-input-file -dtensor-gpu-finish-kernels | FileCheck %s

// CHECK-LABEL: gpu.func @what_is_rounded_to_half_uses_single_instructions
// CHECK-NOT: math.exp
// CHECK-DAG: %[[LOG:.*]] = arith.constant 1.44269502 : f32
// CHECK: %[[POWER:.*]] = arith.mulf %{{.*}}, %[[LOG]] : f32
// CHECK: %[[E:.*]] = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz"(%[[POWER]])
// CHECK: %[[Q:.*]] = llvm.call_intrinsic "llvm.nvvm.div.full"(%{{.*}}, %[[E]])
// CHECK: arith.truncf %[[Q]] : f32 to bf16
gpu.module @kernels {
  gpu.func @what_is_rounded_to_half_uses_single_instructions(%x: f32, %y: !llvm.ptr<1>) kernel {
    %0 = math.exp %x : f32
    %1 = arith.divf %x, %0 : f32
    %2 = arith.truncf %1 : f32 to bf16
    llvm.store %2, %y : bf16, !llvm.ptr<1>
    gpu.return
  }
}
func.func @run(%context: !llvm.ptr, %n: i64, %x: f32, %y: !llvm.ptr) {
  dtensor_gpu.launch %context : !llvm.ptr, @kernels::@what_is_rounded_to_half_uses_single_instructions grid %n block %n (%x, %y) : f32, !llvm.ptr
  return
}

// -----

// The sum in f32 would show every error.
// CHECK-LABEL: gpu.func @what_is_stored_whole_is_computed_whole
// CHECK: math.exp
// CHECK: arith.divf
// CHECK-NOT: llvm.call_intrinsic
gpu.module @kernels {
  gpu.func @what_is_stored_whole_is_computed_whole(%x: f32, %y: !llvm.ptr<1>, %z: !llvm.ptr<1>) kernel {
    %0 = math.exp %x : f32
    %1 = arith.divf %x, %0 : f32
    %2 = arith.truncf %1 : f32 to bf16
    llvm.store %2, %y : bf16, !llvm.ptr<1>
    llvm.store %1, %z : f32, !llvm.ptr<1>
    gpu.return
  }
}
func.func @run(%context: !llvm.ptr, %n: i64, %x: f32, %y: !llvm.ptr) {
  dtensor_gpu.launch %context : !llvm.ptr, @kernels::@what_is_stored_whole_is_computed_whole grid %n block %n (%x, %y, %y) : f32, !llvm.ptr, !llvm.ptr
  return
}

// -----

// Scaled, the inverse of no divisor is infinite.
// CHECK-LABEL: gpu.func @one_divisor_of_many_is_inverted_once
// CHECK: arith.select
// CHECK: %[[SCALE:.*]] = arith.select
// CHECK: %[[SCALED:.*]] = arith.mulf %{{.*}}, %[[SCALE]] : f32
// CHECK: %[[INVERSE:.*]] = arith.divf %{{.*}}, %[[SCALED]] : f32
// CHECK-COUNT-2: arith.mulf %{{.*}}, %[[INVERSE]] : f32
// CHECK-NOT: arith.divf
gpu.module @kernels {
  gpu.func @one_divisor_of_many_is_inverted_once(%x: f32, %y: !llvm.ptr<1>) kernel {
    %0 = math.absf %x : f32
    %1 = arith.divf %x, %0 : f32
    %2 = arith.truncf %1 : f32 to f16
    llvm.store %2, %y : f16, !llvm.ptr<1>
    %3 = arith.addf %x, %x : f32
    %4 = arith.divf %3, %0 : f32
    %5 = arith.truncf %4 : f32 to f16
    llvm.store %5, %y : f16, !llvm.ptr<1>
    gpu.return
  }
}
func.func @run(%context: !llvm.ptr, %n: i64, %x: f32, %y: !llvm.ptr) {
  dtensor_gpu.launch %context : !llvm.ptr, @kernels::@one_divisor_of_many_is_inverted_once grid %n block %n (%x, %y) : f32, !llvm.ptr
  return
}

// -----

// CHECK-LABEL: gpu.func @pairs_of_bf16_are_widened_as_words
// CHECK: %[[WORDS:.*]] = llvm.bitcast %{{.*}} : vector<2xbf16> to vector<1xi32>
// CHECK: arith.shli
// CHECK: arith.andi
// CHECK-NOT: arith.extf
gpu.module @kernels {
  gpu.func @pairs_of_bf16_are_widened_as_words(%x: vector<2xbf16>, %y: !llvm.ptr<1>) kernel {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %0 = llvm.extractelement %x[%c0 : i32] : vector<2xbf16>
    %1 = llvm.extractelement %x[%c1 : i32] : vector<2xbf16>
    %2 = arith.extf %0 : bf16 to f32
    %3 = arith.extf %1 : bf16 to f32
    %4 = arith.addf %2, %3 : f32
    llvm.store %4, %y : f32, !llvm.ptr<1>
    gpu.return
  }
}
func.func @run(%context: !llvm.ptr, %n: i64, %x: vector<2xbf16>, %y: !llvm.ptr) {
  dtensor_gpu.launch %context : !llvm.ptr, @kernels::@pairs_of_bf16_are_widened_as_words grid %n block %n (%x, %y) : vector<2xbf16>, !llvm.ptr
  return
}
