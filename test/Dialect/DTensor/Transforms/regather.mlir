// RUN: dtensor-opt %s -dtensor-regather=keep=0 | FileCheck %s
// RUN: dtensor-opt %s -dtensor-regather=keep=1000000 | FileCheck %s --check-prefix=KEEP
// RUN: dtensor-opt %s -dtensor-regather | FileCheck %s --check-prefix=KEEP

#mesh = #dtensor.mesh<"x" = ?>
!rows = tensor<?x4xf32, #dtensor.layout<#mesh, [shard(0)], (N, 4)>>
!whole = tensor<?x4xf32, #dtensor.layout<#mesh, [replicate], (N, 4)>>
!fixed = tensor<8xf32, #dtensor.layout<#mesh, [shard(0)], (8)>>
!all = tensor<8xf32, #dtensor.layout<#mesh, [replicate], (8)>>

func.func private @use(!whole)
func.func private @use_fixed(!all)

// Forward a, b, backward b, a: the last one is still there.
// CHECK-LABEL: @backward_gathers_again_what_forward_gave_up
// KEEP-LABEL: @backward_gathers_again_what_forward_gave_up
func.func @backward_gathers_again_what_forward_gave_up(%x: !rows, %y: !rows) {
  // CHECK: %[[A:.*]] = dtensor.redistribute %arg0 :
  // CHECK: %[[B:.*]] = dtensor.redistribute %arg1 :
  // CHECK: call @use(%[[A]])
  // CHECK: call @use(%[[B]])
  // CHECK: call @use(%[[B]])
  // CHECK: %[[C:.*]] = dtensor.redistribute %arg0 {dtensor.again = 1 : i64}
  // CHECK: call @use(%[[C]])
  // CHECK: call @use(%[[C]])
  // KEEP-COUNT-2: dtensor.redistribute
  // KEEP-NOT: dtensor.redistribute
  %a = dtensor.redistribute %x : !rows to !whole
  %b = dtensor.redistribute %y : !rows to !whole
  dtensor.call @use(%a) {N = #dtensor.expr<N>} : (!whole) -> ()
  dtensor.call @use(%b) {N = #dtensor.expr<N>} : (!whole) -> ()
  dtensor.call @use(%b) {N = #dtensor.expr<N>} : (!whole) -> ()
  dtensor.call @use(%a) {N = #dtensor.expr<N>} : (!whole) -> ()
  dtensor.call @use(%a) {N = #dtensor.expr<N>} : (!whole) -> ()
  return
}

// CHECK-LABEL: @at_static_sizes
// KEEP-LABEL: @at_static_sizes
func.func @at_static_sizes(%x: !fixed, %y: !fixed) {
  // CHECK: redistribute %arg0 :
  // CHECK: redistribute %arg1 :
  // CHECK: redistribute %arg0 {dtensor.again = 1 : i64}
  // CHECK-NOT: redistribute
  %a = dtensor.redistribute %x : !fixed to !all
  %b = dtensor.redistribute %y : !fixed to !all
  dtensor.call @use_fixed(%a) {} : (!all) -> ()
  dtensor.call @use_fixed(%b) {} : (!all) -> ()
  dtensor.call @use_fixed(%b) {} : (!all) -> ()
  dtensor.call @use_fixed(%a) {} : (!all) -> ()
  return
}
