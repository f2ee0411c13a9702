// RUN: dtensor-opt %s --dtensor-plan-pipeline | FileCheck %s
// RUN: sed -e 's/<?x?x/<8x512x/g; s/<?x8x?x/<8x8x128x/g; s/(G, S, /(8, 512, /g; s/<C>/<128>/g' %s | dtensor-opt --dtensor-plan-pipeline | FileCheck %s --check-prefix=STATIC
// Tokens and experts on one axis: the buffers go to the experts and come back by
// one all-to-all each, forward and backward, (n - 1) / n of a piece; gradients
// of the experts' weights stay where they are.

#ep = #dtensor.mesh<"ep" = ?>
#x = #dtensor.layout<#ep, [shard(0)], (G, S, 4096)>
#slots = #dtensor.layout<#ep, [shard(0)], (G, S, 2)>
#w = #dtensor.layout<#ep, [shard(0)], (8, 4096, 4096)>
!x = tensor<?x?x4096xbf16>
!e = tensor<?x?x2xi64>
!p = tensor<?x?x2xbf16>
!w = tensor<8x4096x4096xbf16>
!b = tensor<?x8x?x4096xbf16>

// CHECK-LABEL: @experts_and_their_gradients
// CHECK: plan {{.*}} [all_to_all ["ep"] dim 1 from 0 to [shard(1)] bytes 8192*C*size(ep)*(7 floordiv size(ep))*(G ceildiv size(ep))
// CHECK: plan {{.*}} [all_to_all ["ep"] dim 0 from 1 to [shard(0)]
// CHECK: plan {{.*}} [all_to_all ["ep"] dim 1 from 0 to [shard(1)]
// CHECK: plan {{.*}} [all_to_all ["ep"] dim 0 from 1 to [shard(0)]
// CHECK-NOT: plan
// STATIC-LABEL: @experts_and_their_gradients
// STATIC-COUNT-4: plan {{.*}} [all_to_all ["ep"]
// STATIC-NOT: plan
func.func @experts_and_their_gradients(%x: !x {dtensor.layout = #x}, %dy: !x {dtensor.layout = #x}, %e: !e {dtensor.layout = #slots}, %p: !p {dtensor.layout = #slots}, %w: !w {dtensor.layout = #w}, %c: index {dtensor.symbol = "C"})
    -> (!x {dtensor.layout = #x}, !x {dtensor.layout = #x}, !p {dtensor.layout = #slots}, !w {dtensor.layout = #w})
    attributes {dtensor.symbols = {G = {hint = 8}, S = {hint = 512}, C = {hint = 128}}} {
  %s = dtensor.route_slots %e {count = 8, capacity = #dtensor.expr<C>} : (!e) -> !e
  %b = dtensor.dispatch %x, %s {count = 8, capacity = #dtensor.expr<C>} : (!x, !e) -> !b
  %h = dtensor.grouped_matmul %b, %w : (!b, !w) -> !b
  %y = dtensor.combine %h, %s, %p : (!b, !e, !p) -> !x
  %dh, %dp = dtensor.combine_backward %dy, %h, %s, %p : (!x, !b, !e, !p) -> (!b, !p)
  %db, %dw = dtensor.grouped_matmul_backward %dh, %b, %w : (!b, !b, !w) -> (!b, !w)
  %dx = dtensor.dispatch_backward %db, %s : (!b, !e) -> !x
  return %y, %dx, %dp, %dw : !x, !x, !p, !w
}
