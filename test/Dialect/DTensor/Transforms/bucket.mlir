// RUN: dtensor-opt %s -split-input-file -dtensor-plan -dtensor-bucket | FileCheck %s
// RUN: dtensor-opt %s -split-input-file -dtensor-plan -dtensor-bucket=limit=100 | FileCheck %s --check-prefix=LIMIT

#mesh = #dtensor.mesh<"x" = ?>
!a = tensor<?x4xf32, #dtensor.layout<#mesh, [partial(sum)], (N, 4)>>
!wa = tensor<?x4xf32, #dtensor.layout<#mesh, [replicate], (N, 4)>>
!b = tensor<8xf32, #dtensor.layout<#mesh, [partial(sum)], (8)>>
!wb = tensor<8xf32, #dtensor.layout<#mesh, [replicate], (8)>>
!m = tensor<8xf32, #dtensor.layout<#mesh, [partial(max)], (8)>>
!h = tensor<8xbf16, #dtensor.layout<#mesh, [partial(sum)], (8)>>
!wh = tensor<8xbf16, #dtensor.layout<#mesh, [replicate], (8)>>
#d0 = affine_map<(d0) -> (d0)>

// What has a larger limit than 100 bytes on one rank is alone under that limit.
// CHECK-LABEL: @sums_of_one_group_are_one
// LIMIT-LABEL: @sums_of_one_group_are_one
func.func @sums_of_one_group_are_one(%x: !a, %y: !b, %z: !b) -> (!wa, !wb, !wb) {
  // CHECK-COUNT-3: dtensor.redistribute {{.*}} {dtensor.bucket = 0 : i64}
  // LIMIT: dtensor.redistribute %arg0 plan {{.*}}]> : tensor
  %0 = dtensor.redistribute %x : !a to !wa
  %1 = dtensor.redistribute %y : !b to !wb
  %2 = dtensor.redistribute %z : !b to !wb
  return %0, %1, %2 : !wa, !wb, !wb
}

// CHECK-LABEL: @other_kinds_and_types_travel_alone
func.func @other_kinds_and_types_travel_alone(%x: !b, %y: !m, %z: !h) -> (!wb, !wb, !wh) {
  // CHECK-NOT: dtensor.bucket
  // CHECK: return
  %0 = dtensor.redistribute %x : !b to !wb
  %1 = dtensor.redistribute %y : !m to !wb
  %2 = dtensor.redistribute %z : !h to !wh
  return %0, %1, %2 : !wb, !wb, !wh
}

// CHECK-LABEL: @one_that_needs_another_waits_for_it
func.func @one_that_needs_another_waits_for_it(%x: !b, %y: !b) -> !wb {
  // CHECK-NOT: dtensor.bucket
  // CHECK: return
  %0 = dtensor.redistribute %x : !b to !wb
  %1 = dtensor.generic "mul" maps = [#d0, #d0, #d0] iterators = [parallel] ins(%y, %0 : !b, !wb) {
  ^bb0(%p: f32, %q: f32):
    %s = arith.mulf %p, %q : f32
    dtensor.yield %s : f32
  } -> !b
  %2 = dtensor.redistribute %1 : !b to !wb
  return %2 : !wb
}

// The users of the first stand between the two; the second one comes earlier.
// CHECK-LABEL: @users_wait_for_the_bucket
func.func @users_wait_for_the_bucket(%x: !b, %y: !b, %z: !b) -> (!wb, !wb, !wb) {
  // CHECK-COUNT-3: dtensor.bucket = 0
  // CHECK: generic "neg"
  %0 = dtensor.redistribute %x : !b to !wb
  %1 = dtensor.generic "neg" maps = [#d0, #d0] iterators = [parallel] ins(%0 : !wb) {
  ^bb0(%p: f32):
    %s = arith.negf %p : f32
    dtensor.yield %s : f32
  } -> !wb
  %2 = dtensor.redistribute %y : !b to !wb
  %3 = dtensor.redistribute %z : !b to !wb
  return %1, %2, %3 : !wb, !wb, !wb
}

// -----

// Packing 64 MiB takes longer than starting a collective does.
#mesh = #dtensor.mesh<"x" = 8>
!a = tensor<4096x4096xf32, #dtensor.layout<#mesh, [partial(sum)], (4096, 4096)>>
!w = tensor<4096x4096xf32, #dtensor.layout<#mesh, [replicate], (4096, 4096)>>

// CHECK-LABEL: @large_ones_travel_alone
func.func @large_ones_travel_alone(%x: !a, %y: !a) -> (!w, !w) {
  // CHECK-NOT: dtensor.bucket
  // CHECK: return
  %0 = dtensor.redistribute %x : !a to !w
  %1 = dtensor.redistribute %y : !a to !w
  return %0, %1 : !w, !w
}
