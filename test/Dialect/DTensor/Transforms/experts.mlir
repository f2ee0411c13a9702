// RUN: dtensor-opt %s --dtensor-plan-pipeline | FileCheck %s
// Tokens and experts on one axis: what an expert would write by hand.

#mesh = #dtensor.mesh<"ep" = ?>
#x = #dtensor.layout<#mesh, [shard(0)], (G, S, 4096)>
#slots = #dtensor.layout<#mesh, [shard(0)], (G, S, 2)>
#w = #dtensor.layout<#mesh, [shard(0)], (8, 4096, 4096)>

// CHECK-LABEL: @experts_take_and_give_by_all_to_all
func.func @experts_take_and_give_by_all_to_all(%x: tensor<?x?x4096xf32, #x>, %e: tensor<?x?x2xi64, #slots>, %p: tensor<?x?x2xf32, #slots>, %w: tensor<8x4096x4096xf32, #w>, %c: index {dtensor.symbol = "C"}) -> (tensor<?x?x4096xf32> {dtensor.layout = #x})
    attributes {dtensor.symbols = {G = {hint = 8}, S = {hint = 512}, C = {hint = 128}}} {
  // CHECK-NOT: dtensor.redistribute
  // CHECK: dtensor.redistribute %{{.*}} plan {{.*}} [all_to_all ["ep"] dim 1 from 0 to [shard(1)]
  // CHECK: dtensor.generic "grouped_matmul"
  // CHECK: dtensor.redistribute %{{.*}} plan {{.*}} [all_to_all ["ep"] dim 0 from 1 to [shard(0)]
  // CHECK-NOT: dtensor.redistribute
  // CHECK: return
  %s = dtensor.route_slots %e {count = 8, capacity = #dtensor.expr<C>} : (tensor<?x?x2xi64, #slots>) -> tensor<?x?x2xi64>
  %b = dtensor.dispatch %x, %s {count = 8, capacity = #dtensor.expr<C>} : (tensor<?x?x4096xf32, #x>, tensor<?x?x2xi64>) -> tensor<?x8x?x4096xf32>
  %h = dtensor.grouped_matmul %b, %w : (tensor<?x8x?x4096xf32>, tensor<8x4096x4096xf32, #w>) -> tensor<?x8x?x4096xf32>
  %y = dtensor.combine %h, %s, %p : (tensor<?x8x?x4096xf32>, tensor<?x?x2xi64>, tensor<?x?x2xf32, #slots>) -> tensor<?x?x4096xf32>
  return %y : tensor<?x?x4096xf32>
}
