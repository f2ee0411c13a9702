// RUN: dtensor-opt %s --dtensor-plan-pipeline | FileCheck %s
// Attention over a sharded sequence: by cost, heads take its place or the keys
// are gathered.

#mesh = #dtensor.mesh<"sp" = ?>
#many = #dtensor.layout<#mesh, [shard(1)], (32, T, 128)>
#one = #dtensor.layout<#mesh, [shard(1)], (1, T, 128)>
#four = #dtensor.mesh<"sp" = 4>
#static = #dtensor.layout<#four, [shard(1)], (32, 8192, 128)>

// CHECK-LABEL: @heads_take_the_place_of_the_sequence
func.func @heads_take_the_place_of_the_sequence(%q: tensor<32x?x128xbf16, #many>, %k: tensor<32x?x128xbf16, #many>, %v: tensor<32x?x128xbf16, #many>) -> (tensor<32x?x128xbf16> {dtensor.layout = #many})
    attributes {dtensor.symbols = {T = {hint = 8192}}} {
  // CHECK-COUNT-3: dtensor.redistribute %arg{{[0-2]}} plan {{.*}} [all_to_all ["sp"] dim 0 from 1 to [shard(0)]
  // CHECK: dtensor.attention
  // CHECK: dtensor.redistribute %{{.*}} plan {{.*}} [all_to_all ["sp"] dim 1 from 0 to [shard(1)]
  // CHECK-NOT: dtensor.redistribute
  // CHECK: return
  %0 = dtensor.attention %q, %k, %v {causal} : (tensor<32x?x128xbf16, #many>, tensor<32x?x128xbf16, #many>, tensor<32x?x128xbf16, #many>) -> tensor<32x?x128xbf16>
  return %0 : tensor<32x?x128xbf16>
}

// CHECK-LABEL: @so_they_do_at_a_static_shape
func.func @so_they_do_at_a_static_shape(%q: tensor<32x8192x128xbf16, #static>, %k: tensor<32x8192x128xbf16, #static>, %v: tensor<32x8192x128xbf16, #static>) -> (tensor<32x8192x128xbf16> {dtensor.layout = #static}) {
  // CHECK-COUNT-3: [all_to_all ["sp"] dim 0 from 1 to [shard(0)]
  // CHECK: dtensor.attention
  // CHECK: [all_to_all ["sp"] dim 1 from 0 to [shard(1)]
  // CHECK: return
  %0 = dtensor.attention %q, %k, %v {causal} : (tensor<32x8192x128xbf16, #static>, tensor<32x8192x128xbf16, #static>, tensor<32x8192x128xbf16, #static>) -> tensor<32x8192x128xbf16>
  return %0 : tensor<32x8192x128xbf16>
}

// CHECK-LABEL: @keys_of_one_head_are_gathered
func.func @keys_of_one_head_are_gathered(%q: tensor<32x?x128xbf16, #many>, %k: tensor<1x?x128xbf16, #one>, %v: tensor<1x?x128xbf16, #one>) -> (tensor<32x?x128xbf16> {dtensor.layout = #many})
    attributes {dtensor.symbols = {T = {hint = 8192}}} {
  // CHECK-COUNT-2: dtensor.redistribute %arg{{[12]}} plan {{.*}} [all_gather ["sp"] dim 1
  // CHECK-NOT: dtensor.redistribute
  // CHECK: return
  %0 = dtensor.attention %q, %k, %v {causal} : (tensor<32x?x128xbf16, #many>, tensor<1x?x128xbf16, #one>, tensor<1x?x128xbf16, #one>) -> tensor<32x?x128xbf16>
  return %0 : tensor<32x?x128xbf16>
}
