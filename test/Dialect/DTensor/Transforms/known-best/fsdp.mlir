// RUN: dtensor-opt %s --dtensor-plan-pipeline | FileCheck %s
// RUN: sed -e 's/<?x/<16384x/g; s/(T, /(16384, /g' %s | dtensor-opt --dtensor-plan-pipeline | FileCheck %s --check-prefix=STATIC
// Sharded weights: one gather of each, one scatter of its gradient, (n - 1) / n of
// its 2 bytes per element, and what tensor parallelism moves on its own axis.

#dp = #dtensor.mesh<"dp" = ?>
#x = #dtensor.layout<#dp, [shard(0)], (T, 4096)>
#up = #dtensor.layout<#dp, [shard(0)], (4096, 16384)>
#down = #dtensor.layout<#dp, [shard(0)], (16384, 4096)>
#all_up = #dtensor.layout<#dp, [replicate], (4096, 16384)>
#all_down = #dtensor.layout<#dp, [replicate], (16384, 4096)>
#both = #dtensor.mesh<"dp" = ?, "tp" = ?>
#x2 = #dtensor.layout<#both, [shard(0), replicate], (T, 4096)>
#up2 = #dtensor.layout<#both, [shard(0), shard(1)], (4096, 16384)>
#down2 = #dtensor.layout<#both, [shard(0), shard(0)] order = ["tp", "dp"], (16384, 4096)>
!x = tensor<?x4096xbf16>
!h = tensor<?x16384xbf16>
!up = tensor<4096x16384xbf16>
!down = tensor<16384x4096xbf16>
!master = tensor<4096x16384xf32>

// CHECK-LABEL: @an_mlp_of_sharded_weights
// CHECK: plan {{.*}} [all_gather ["dp"] dim 0 to [replicate] bytes 32768*size(dp)*(4095 floordiv size(dp)) + 32768*size(dp) - 32768*(4095 floordiv size(dp)) - 32768]>
// CHECK: plan {{.*}} [all_gather ["dp"] dim 0 to [replicate] bytes 8192*size(dp)*(16383 floordiv size(dp)) + 8192*size(dp) - 8192*(16383 floordiv size(dp)) - 8192]>
// CHECK: plan {{.*}} [reduce_scatter ["dp"] sum dim 0 to [shard(0)] bytes 32768*size(dp)*(4095 floordiv size(dp)) + 32768*size(dp) - 32768*(4095 floordiv size(dp)) - 32768]>
// CHECK: plan {{.*}} [reduce_scatter ["dp"] sum dim 0 to [shard(0)] bytes 8192*size(dp)*(16383 floordiv size(dp)) + 8192*size(dp) - 8192*(16383 floordiv size(dp)) - 8192]>
// CHECK-NOT: plan
// STATIC-LABEL: @an_mlp_of_sharded_weights
// STATIC-COUNT-2: plan {{.*}} [all_gather ["dp"] dim 0 to [replicate] bytes
// STATIC-COUNT-2: plan {{.*}} [reduce_scatter ["dp"] sum dim 0 to [shard(0)] bytes
// STATIC-NOT: plan
func.func @an_mlp_of_sharded_weights(%x: !x {dtensor.layout = #x}, %dy: !x {dtensor.layout = #x}, %w1: !up {dtensor.layout = #up}, %w2: !down {dtensor.layout = #down})
   -> (!x {dtensor.layout = #x}, !x {dtensor.layout = #x}, !up {dtensor.layout = #up}, !down {dtensor.layout = #down})
   attributes {dtensor.symbols = {T = {hint = 16384}}} {
  %a = dtensor.matmul %x, %w1 : (!x, !up) -> !h
  %h = dtensor.gelu %a : (!h) -> !h
  %y = dtensor.matmul %h, %w2 : (!h, !down) -> !x
  %dh = dtensor.matmul %dy, %w2 {transpose_b} : (!x, !down) -> !h
  %da = dtensor.gelu_backward %dh, %a : (!h, !h) -> !h
  %dx = dtensor.matmul %da, %w1 {transpose_b} : (!h, !up) -> !x
  %d2 = dtensor.matmul %h, %dy {transpose_a} : (!h, !x) -> !down
  %d1 = dtensor.matmul %x, %da {transpose_a} : (!x, !h) -> !up
  return %y, %dx, %d1, %d2 : !x, !x, !up, !down
}

// CHECK-LABEL: @whole_weights_have_their_gradients_reduced
// CHECK-COUNT-2: plan {{.*}} [all_reduce ["dp"] sum to [replicate] bytes 4*size(dp)*(67108863 floordiv size(dp)) + 4*size(dp) - 4*(67108863 floordiv size(dp)) - 4]>
// CHECK-NOT: plan
// STATIC-LABEL: @whole_weights_have_their_gradients_reduced
// STATIC-COUNT-2: plan {{.*}} [all_reduce ["dp"] sum to [replicate] bytes
// STATIC-NOT: plan
func.func @whole_weights_have_their_gradients_reduced(%x: !x {dtensor.layout = #x}, %dy: !x {dtensor.layout = #x}, %w1: !up {dtensor.layout = #all_up}, %w2: !down {dtensor.layout = #all_down})
   -> (!x {dtensor.layout = #x}, !x {dtensor.layout = #x}, !up {dtensor.layout = #all_up}, !down {dtensor.layout = #all_down})
   attributes {dtensor.symbols = {T = {hint = 16384}}} {
  %a = dtensor.matmul %x, %w1 : (!x, !up) -> !h
  %h = dtensor.gelu %a : (!h) -> !h
  %y = dtensor.matmul %h, %w2 : (!h, !down) -> !x
  %dh = dtensor.matmul %dy, %w2 {transpose_b} : (!x, !down) -> !h
  %da = dtensor.gelu_backward %dh, %a : (!h, !h) -> !h
  %dx = dtensor.matmul %da, %w1 {transpose_b} : (!h, !up) -> !x
  %d2 = dtensor.matmul %h, %dy {transpose_a} : (!h, !x) -> !down
  %d1 = dtensor.matmul %x, %da {transpose_a} : (!x, !h) -> !up
  return %y, %dx, %d1, %d2 : !x, !x, !up, !down
}

// A weight of 4 bytes per element that is used in 2 moves 2.
// CHECK-LABEL: @a_weight_is_cast_before_it_is_gathered
// CHECK: generic "cast"
// CHECK: plan {{.*}} [all_gather ["dp"] dim 0 to [replicate] bytes 32768*size(dp)*(4095 floordiv size(dp)) + 32768*size(dp) - 32768*(4095 floordiv size(dp)) - 32768]>
// CHECK-NOT: plan
// STATIC-LABEL: @a_weight_is_cast_before_it_is_gathered
// STATIC: generic "cast"
// STATIC: plan {{.*}} [all_gather
// STATIC-NOT: plan
func.func @a_weight_is_cast_before_it_is_gathered(%x: !x {dtensor.layout = #x}, %w1: !master {dtensor.layout = #up})
   -> (!h {dtensor.layout = #dtensor.layout<#dp, [shard(0)], (T, 16384)>})
   attributes {dtensor.symbols = {T = {hint = 16384}}} {
  %c = dtensor.cast %w1 : (!master) -> !up
  %a = dtensor.matmul %x, %c : (!x, !up) -> !h
  return %a : !h
}

// CHECK-LABEL: @sharded_weights_beside_tensor_parallelism
// CHECK-COUNT-2: plan {{.*}} [all_gather ["dp"] dim 0 to [replicate, shard
// CHECK-COUNT-2: plan {{.*}} [all_reduce ["tp"] sum to [shard(0), replicate] bytes 4*size(tp)*((4096*(T ceildiv size(dp))) ceildiv size(tp)) - 4*((4096*(T ceildiv size(dp))) ceildiv size(tp))]>
// CHECK: plan {{.*}} [reduce_scatter ["dp"] sum dim 0 to [shard(0), shard(1)] bytes
// CHECK: plan {{.*}} [reduce_scatter ["dp"] sum dim 0 to [shard(0), shard(0)] order = ["tp", "dp"] bytes 8192*size(dp)*(16383 floordiv (size(dp)*size(tp))) + 8192*size(dp) - 8192*(16383 floordiv (size(dp)*size(tp))) - 8192]>
// CHECK-NOT: plan
// STATIC-LABEL: @sharded_weights_beside_tensor_parallelism
// STATIC-COUNT-2: plan {{.*}} [all_gather ["dp"] dim 0 to [replicate, shard
// STATIC-COUNT-2: plan {{.*}} [all_reduce ["tp"] sum to [shard(0), replicate] bytes
// STATIC-COUNT-2: plan {{.*}} [reduce_scatter ["dp"] sum dim 0 to [shard(0), shard
// STATIC-NOT: plan
func.func @sharded_weights_beside_tensor_parallelism(%x: !x {dtensor.layout = #x2}, %dy: !x {dtensor.layout = #x2}, %w1: !up {dtensor.layout = #up2}, %w2: !down {dtensor.layout = #down2})
   -> (!x {dtensor.layout = #x2}, !x {dtensor.layout = #x2}, !up {dtensor.layout = #up2}, !down {dtensor.layout = #down2})
   attributes {dtensor.symbols = {T = {hint = 16384}}} {
  %a = dtensor.matmul %x, %w1 : (!x, !up) -> !h
  %h = dtensor.gelu %a : (!h) -> !h
  %y = dtensor.matmul %h, %w2 : (!h, !down) -> !x
  %dh = dtensor.matmul %dy, %w2 {transpose_b} : (!x, !down) -> !h
  %da = dtensor.gelu_backward %dh, %a : (!h, !h) -> !h
  %dx = dtensor.matmul %da, %w1 {transpose_b} : (!h, !up) -> !x
  %d2 = dtensor.matmul %h, %dy {transpose_a} : (!h, !x) -> !down
  %d1 = dtensor.matmul %x, %da {transpose_a} : (!x, !h) -> !up
  return %y, %dx, %d1, %d2 : !x, !x, !up, !down
}
