// RUN: dtensor-opt %s --dtensor-plan-pipeline | FileCheck %s
// RUN: dtensor-opt %s --dtensor-partition-pipeline | FileCheck %s --check-prefix=LOCAL
// RUN: sed -e 's/<?x/<4096x/g; s/(T, /(4096, /g' %s | dtensor-opt --dtensor-partition-pipeline | FileCheck %s --check-prefix=LOCAL
// Whole weights, sharded tokens: the gradients of all weights and biases travel
// in one all-reduce, 2 (n - 1) / n of their bytes.

#dp = #dtensor.mesh<"dp" = ?>
#x = #dtensor.layout<#dp, [shard(0)], (T, 256)>
#w = #dtensor.layout<#dp, [replicate], (256, 256)>
#b = #dtensor.layout<#dp, [replicate], (256)>
!x = tensor<?x256xf32>
!w = tensor<256x256xf32>
!b = tensor<256xf32>

// CHECK-LABEL: @gradients_travel_together
// CHECK-COUNT-4: plan {{.*}} [all_reduce ["dp"] sum to [replicate] {{.*}} {dtensor.bucket = 0 : i64}
// CHECK-NOT: plan
// CHECK: sgd
// LOCAL-LABEL: @gradients_travel_together
// LOCAL-COUNT-4: tensor.insert_slice
// LOCAL: dtensor.all_reduce sum {{.*}} : tensor<131584xf32>
// LOCAL-NOT: dtensor.all_reduce
func.func @gradients_travel_together(%x: !x {dtensor.layout = #x}, %dy: !x {dtensor.layout = #x}, %w1: !w {dtensor.layout = #w}, %b1: !b {dtensor.layout = #b}, %w2: !w {dtensor.layout = #w}, %b2: !b {dtensor.layout = #b})
   -> (!w {dtensor.layout = #w}, !b {dtensor.layout = #b}, !w {dtensor.layout = #w}, !b {dtensor.layout = #b})
   attributes {dtensor.symbols = {T = {hint = 4096}}} {
  %lr = arith.constant 0.1 : f32
  %a0 = dtensor.matmul %x, %w1 : (!x, !w) -> !x
  %a = dtensor.add %a0, %b1 : (!x, !b) -> !x
  %h = dtensor.tanh %a : (!x) -> !x
  %dh = dtensor.matmul %dy, %w2 {transpose_b} : (!x, !w) -> !x
  %da = dtensor.mul %dh, %h : (!x, !x) -> !x
  %d2 = dtensor.matmul %h, %dy {transpose_a} : (!x, !x) -> !w
  %e2 = dtensor.sum %dy {dims = [0]} : (!x) -> !b
  %d1 = dtensor.matmul %x, %da {transpose_a} : (!x, !x) -> !w
  %e1 = dtensor.sum %da {dims = [0]} : (!x) -> !b
  %n1, %m1, %n2, %m2 = dtensor.sgd_step lr(%lr) params(%w1, %b1, %w2, %b2) grads(%d1, %e1, %d2, %e2) : (f32, !w, !b, !w, !b, !w, !b, !w, !b) -> (!w, !b, !w, !b)
  return %n1, %m1, %n2, %m2 : !w, !b, !w, !b
}
