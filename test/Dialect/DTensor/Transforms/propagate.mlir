// RUN: dtensor-opt %s -split-input-file -dtensor-normalize -dtensor-propagate -dtensor-verify-phase=phase=propagate | FileCheck %s

#mesh = #dtensor.mesh<"tp" = ? {hint 4}>
#x = #dtensor.layout<#mesh, [replicate], (512, 256)>
#w1 = #dtensor.layout<#mesh, [shard(1)], (256, 1024)>
#w2 = #dtensor.layout<#mesh, [shard(0)], (1024, 256)>

// CHECK-LABEL: @column_then_row_parallel_needs_one_reduction_static
func.func @column_then_row_parallel_needs_one_reduction_static(
    %x: tensor<512x256xf32> {dtensor.layout = #x}, %a: tensor<256x1024xf32> {dtensor.layout = #w1},
    %b: tensor<1024x256xf32> {dtensor.layout = #w2}) -> (tensor<512x256xf32> {dtensor.layout = #x}) {
  // CHECK-NOT: redistribute
  // CHECK: } -> tensor<512x1024xf32, #dtensor.layout<#mesh, [shard(1)], (512, 1024)>>
  %h = dtensor.matmul %x, %a : (tensor<512x256xf32>, tensor<256x1024xf32>) -> tensor<512x1024xf32>
  // CHECK: } -> tensor<512x1024xf32, #dtensor.layout<#mesh, [shard(1)], (512, 1024)>>
  %t = math.tanh %h : tensor<512x1024xf32>
  // CHECK: } -> tensor<512x256xf32, #dtensor.layout<#mesh, [partial(sum)], (512, 256)>>
  // CHECK: redistribute {{.*}}[partial(sum)]{{.*}} to {{.*}}[replicate]
  %y = dtensor.matmul %t, %b : (tensor<512x1024xf32>, tensor<1024x256xf32>) -> tensor<512x256xf32>
  return %y : tensor<512x256xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ? {hint 4}>
#x = #dtensor.layout<#mesh, [replicate], (B, K)>
#w1 = #dtensor.layout<#mesh, [shard(1)], (K, H)>
#w2 = #dtensor.layout<#mesh, [shard(0)], (H, K)>

// CHECK-LABEL: @column_then_row_parallel_needs_one_reduction_dynamic
func.func @column_then_row_parallel_needs_one_reduction_dynamic(
    %x: tensor<?x?xf32> {dtensor.layout = #x}, %a: tensor<?x?xf32> {dtensor.layout = #w1},
    %b: tensor<?x?xf32> {dtensor.layout = #w2}) -> (tensor<?x?xf32> {dtensor.layout = #x}) {
  // CHECK-NOT: redistribute
  // CHECK: } -> tensor<?x?xf32, #dtensor.layout<#mesh, [shard(1)], (B, H)>>
  %h = dtensor.matmul %x, %a : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  // CHECK: } -> tensor<?x?xf32, #dtensor.layout<#mesh, [shard(1)], (B, H)>>
  %t = math.tanh %h : tensor<?x?xf32>
  // CHECK: } -> tensor<?x?xf32, #dtensor.layout<#mesh, [partial(sum)], (B, K)>>
  // CHECK: redistribute {{.*}}[partial(sum)]{{.*}} to {{.*}}[replicate]
  %y = dtensor.matmul %t, %b : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ? {hint 4}>
#a = #dtensor.layout<#mesh, [shard(1)], (M, K)>
#b = #dtensor.layout<#mesh, [shard(0)], (K, N)>
#r = #dtensor.layout<#mesh, [replicate], (M, N)>

// CHECK-LABEL: @partial_products_are_added_before_they_are_reduced
func.func @partial_products_are_added_before_they_are_reduced(
    %a: tensor<?x?xf32> {dtensor.layout = #a}, %b: tensor<?x?xf32> {dtensor.layout = #b})
    -> (tensor<?x?xf32> {dtensor.layout = #r}) {
  %p = dtensor.matmul %a, %b : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %n = arith.negf %p : tensor<?x?xf32>
  // CHECK: dtensor.generic "addf"
  // CHECK: [partial(sum)]
  // CHECK-COUNT-1: redistribute
  // CHECK-NOT: redistribute
  %s = arith.addf %p, %n : tensor<?x?xf32>
  return %s : tensor<?x?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ? {hint 4}>
#x = #dtensor.layout<#mesh, [shard(0)], (B, 64)>

// The weight has no layout: it is replicated because that is what its only
// user wants.
// CHECK-LABEL: @an_unannotated_weight_follows_its_user
// CHECK-SAME: %{{.*}}: tensor<64x32xf32, #dtensor.layout<#mesh, [replicate], (64, 32)>>
func.func @an_unannotated_weight_follows_its_user(
    %x: tensor<?x64xf32> {dtensor.layout = #x}, %w: tensor<64x32xf32>) -> tensor<?x32xf32> {
  // CHECK-NOT: redistribute
  // CHECK: return {{.*}}[shard(0)], (B, 32)
  %y = dtensor.matmul %x, %w : (tensor<?x64xf32>, tensor<64x32xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#s = #dtensor.layout<#mesh, [shard(0)], (N, 32)>

// CHECK-LABEL: @what_a_loop_carries_keeps_one_layout
func.func @what_a_loop_carries_keeps_one_layout(%x: tensor<?x32xf32> {dtensor.layout = #s}, %n: index) -> tensor<?x32xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK: scf.for {{.*}} -> (tensor<?x32xf32, #dtensor.layout<#mesh, [shard(0)], (N, 32)>>)
  // CHECK: scf.yield {{.*}}[shard(0)]
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%v = %x) -> tensor<?x32xf32> {
    %0 = math.tanh %v : tensor<?x32xf32>
    scf.yield %0 : tensor<?x32xf32>
  }
  return %r : tensor<?x32xf32>
}

// CHECK-LABEL: @both_branches_give_one_layout
func.func @both_branches_give_one_layout(%x: tensor<?x32xf32> {dtensor.layout = #s}, %c: i1) -> tensor<?x32xf32> {
  // CHECK: scf.if {{.*}} -> (tensor<?x32xf32, #dtensor.layout<#mesh, [shard(0)], (N, 32)>>)
  %r = scf.if %c -> tensor<?x32xf32> {
    %0 = math.tanh %x : tensor<?x32xf32>
    scf.yield %0 : tensor<?x32xf32>
  } else {
    scf.yield %x : tensor<?x32xf32>
  }
  return %r : tensor<?x32xf32>
}

// -----

#mesh = #dtensor.mesh<"x" = ?>

func.func private @rows_whole(%x: tensor<?x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1)], (M, 32)>}) -> tensor<?x32xf32> {
  %0 = math.exp %x : tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}

// CHECK-LABEL: @a_call_gives_its_callee_the_layout_it_takes
func.func @a_call_gives_its_callee_the_layout_it_takes(%x: tensor<?x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (N, 32)>}) -> tensor<?x32xf32> {
  // CHECK: %[[MOVED:.+]] = dtensor.redistribute {{.*}}[shard(0)]{{.*}} to {{.*}}[shard(1)]
  // CHECK: dtensor.call @rows_whole(%[[MOVED]]) {M = #dtensor.expr<N>}
  %0 = func.call @rows_whole(%x) : (tensor<?x32xf32>) -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}

// -----

#mesh = #dtensor.mesh<"dp" = ? {hint 2}, "tp" = ? {hint 4}>

// CHECK-LABEL: @each_axis_is_decided
func.func @each_axis_is_decided(
    %x: tensor<?x64xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0), replicate], (B, 64)>},
    %w: tensor<64x128xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate, shard(1)], (64, 128)>}) -> tensor<?x128xf32> {
  // CHECK: } -> tensor<?x128xf32, #dtensor.layout<#mesh, [shard(0), shard(1)], (B, 128)>>
  %y = dtensor.matmul %x, %w : (tensor<?x64xf32>, tensor<64x128xf32>) -> tensor<?x128xf32>
  return %y : tensor<?x128xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ? {divides 8}>
#x = #dtensor.layout<#mesh, [replicate], (T, 256)>

// Splitting columns into heads wants whole heads on a rank; the weight, whose
// placement is open, is cut that way from the start.
// CHECK-LABEL: @a_unit_travels_to_the_weight
// CHECK-SAME: tensor<512x256xf32, #dtensor.layout<#mesh, [shard(0, unit = 64)], (512, 256)>>
func.func @a_unit_travels_to_the_weight(%x: tensor<?x256xf32> {dtensor.layout = #x}, %w: tensor<512x256xf32>)
    -> (tensor<?x8x64xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1)], (T, 8, 64)>}) {
  // CHECK: } -> tensor<?x512xf32, #dtensor.layout<#mesh, [shard(1, unit = 64)], (T, 512)>>
  // CHECK: dtensor.reshape {{.*}}[shard(1, unit = 64)]{{.*}} -> {{.*}}[shard(1)], (T, 8, 64)
  %q = dtensor.linear %x, %w : (tensor<?x256xf32>, tensor<512x256xf32>) -> tensor<?x512xf32>
  %r = dtensor.unflatten %q {dim = 1, sizes = [#dtensor.expr<8>, #dtensor.expr<64>]} : (tensor<?x512xf32>) -> tensor<?x8x64xf32>
  return %r : tensor<?x8x64xf32>
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#s = #dtensor.layout<#mesh, [shard(0)], (N)>

// CHECK-LABEL: @a_constraint_becomes_a_redistribution
func.func @a_constraint_becomes_a_redistribution(%x: tensor<?xf32> {dtensor.layout = #s}) -> tensor<?xf32> {
  // CHECK-NOT: constraint
  // CHECK: redistribute {{.*}} to tensor<?xf32, #dtensor.layout<#mesh, [replicate], (N)>>
  %0 = dtensor.constraint %x to <#mesh, [replicate], (N)> : tensor<?xf32>
  %1 = math.tanh %0 : tensor<?xf32>
  return %1 : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#p = #dtensor.layout<#mesh, [partial(sum)], (N, 4)>
#s = #dtensor.layout<#mesh, [shard(0)], (N, 4)>

// One redistribution serves the constraint and the softmax; it stands before
// the first of them.
// CHECK-LABEL: @a_shared_redistribution_stands_before_its_first_user
func.func @a_shared_redistribution_stands_before_its_first_user(%x: tensor<?x4xf32> {dtensor.layout = #p})
    -> (tensor<?x4xf32> {dtensor.layout = #s}, tensor<?x4xf32> {dtensor.layout = #s}) {
  // CHECK: %[[MOVED:.+]] = dtensor.redistribute
  // CHECK: dtensor.generic "relu" {{.*}} ins(%[[MOVED]]
  // CHECK-NOT: [partial(sum)]
  %0 = dtensor.constraint %x to <#mesh, [shard(0)], (N, 4)> : tensor<?x4xf32>
  %1 = dtensor.relu %0 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %2 = dtensor.softmax %x {dim = 1} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %1, %2 : tensor<?x4xf32>, tensor<?x4xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#heads = #dtensor.layout<#mesh, [shard(0)], (8, T, 16)>

// CHECK-LABEL: @attention_from_the_first_key_keeps_its_heads_sharded
func.func @attention_from_the_first_key_keeps_its_heads_sharded(
    %q: tensor<8x?x16xf32> {dtensor.layout = #heads}, %k: tensor<8x?x16xf32> {dtensor.layout = #heads})
    -> tensor<8x?x16xf32> {
  %zero = arith.constant 0 : index
  // CHECK-NOT: redistribute
  // CHECK: dtensor.attention {{.*}}, index) -> tensor<8x?x16xf32, #dtensor.layout<#mesh, [shard(0)]
  %0 = dtensor.attention %q, %k, %k, %zero {causal} : (tensor<8x?x16xf32>, tensor<8x?x16xf32>, tensor<8x?x16xf32>, index) -> tensor<8x?x16xf32>
  return %0 : tensor<8x?x16xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#rows = #dtensor.layout<#mesh, [shard(1)], (T, 4096)>
#cols = #dtensor.layout<#mesh, [shard(0)], (4096, 4096)>
#whole = #dtensor.layout<#mesh, [replicate], (T, 4096)>
#vector = #dtensor.layout<#mesh, [replicate], (4096)>

// Both users could take the sum pending, and reduce what they make of it: once
// where it is made is one collective less.
// CHECK-LABEL: @a_sum_of_two_users_is_taken_where_it_is_made
func.func @a_sum_of_two_users_is_taken_where_it_is_made(%x: tensor<?x4096xf32> {dtensor.layout = #rows}, %w: tensor<4096x4096xf32> {dtensor.layout = #cols}, %z: tensor<?x4096xf32> {dtensor.layout = #whole})
    -> (tensor<?x4096xf32> {dtensor.layout = #whole}, tensor<4096xf32> {dtensor.layout = #vector})
    attributes {dtensor.symbols = {T = {hint = 2048}}} {
  // CHECK: "matmul"
  // CHECK: dtensor.redistribute {{.*}}[partial(sum)]{{.*}} to
  // CHECK-NOT: dtensor.redistribute {{.*}}[partial(sum)]
  %0 = dtensor.matmul %x, %w : (tensor<?x4096xf32>, tensor<4096x4096xf32>) -> tensor<?x4096xf32>
  %1 = dtensor.mul %0, %z : (tensor<?x4096xf32>, tensor<?x4096xf32>) -> tensor<?x4096xf32>
  %2 = dtensor.sum %1 {dims = [0]} : (tensor<?x4096xf32>) -> tensor<4096xf32>
  %3 = dtensor.add %0, %z : (tensor<?x4096xf32>, tensor<?x4096xf32>) -> tensor<?x4096xf32>
  return %3, %2 : tensor<?x4096xf32>, tensor<4096xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#heads = #dtensor.layout<#mesh, [shard(1)], (T, 8192)>
#whole = #dtensor.layout<#mesh, [replicate], (T, 8192)>

// The weight has no placement. Whole on every rank it would save movement, and
// take the memory of all of it.
// CHECK-LABEL: @memory_of_a_weight_is_worth_some_movement
// CHECK-SAME: tensor<8192x8192xf32, #dtensor.layout<#mesh, [shard(0)], (8192, 8192)>>
func.func @memory_of_a_weight_is_worth_some_movement(%x: tensor<?x8192xf32> {dtensor.layout = #heads}, %w: tensor<8192x8192xf32>) -> (tensor<?x8192xf32> {dtensor.layout = #whole})
    attributes {dtensor.symbols = {T = {hint = 1024}}} {
  // CHECK: dtensor.redistribute {{.*}}[partial(sum)]{{.*}} to
  // CHECK-NOT: dtensor.redistribute {{.*}}[partial(sum)]
  %0 = dtensor.matmul %x, %w : (tensor<?x8192xf32>, tensor<8192x8192xf32>) -> tensor<?x8192xf32>
  return %0 : tensor<?x8192xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#pending = #dtensor.layout<#mesh, [partial(sum)], (1, T, 64)>
#whole = #dtensor.layout<#mesh, [replicate], (1, T, 64)>

// CHECK-LABEL: @dynamic_gradients_of_a_pending_sum_are_pending
func.func @dynamic_gradients_of_a_pending_sum_are_pending(%g: tensor<1x?x64xf32> {dtensor.layout = #pending}, %q: tensor<1x?x64xf32> {dtensor.layout = #whole}, %y: tensor<1x?x64xf32> {dtensor.layout = #whole})
    -> (tensor<1x?x64xf32> {dtensor.layout = #pending}, tensor<1x?x64xf32> {dtensor.layout = #pending}, tensor<1x?x64xf32> {dtensor.layout = #pending}) {
  // CHECK-NOT: redistribute
  // CHECK: dtensor.attention_query_grad {{.*}} -> ({{.*}}[partial(sum)]{{.*}}[replicate]
  // CHECK-NOT: redistribute
  // CHECK: dtensor.attention_key_value_grad {{.*}} -> ({{.*}}[partial(sum)]{{.*}}[partial(sum)]
  %0:3 = dtensor.attention_backward %g, %q, %q, %q, %y : (tensor<1x?x64xf32>, tensor<1x?x64xf32>, tensor<1x?x64xf32>, tensor<1x?x64xf32>, tensor<1x?x64xf32>) -> (tensor<1x?x64xf32>, tensor<1x?x64xf32>, tensor<1x?x64xf32>)
  return %0#0, %0#1, %0#2 : tensor<1x?x64xf32>, tensor<1x?x64xf32>, tensor<1x?x64xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#pending = #dtensor.layout<#mesh, [partial(sum)], (1, 128, 64)>
#whole = #dtensor.layout<#mesh, [replicate], (1, 128, 64)>

// CHECK-LABEL: @static_gradients_of_a_pending_sum_are_pending
func.func @static_gradients_of_a_pending_sum_are_pending(%g: tensor<1x128x64xf32> {dtensor.layout = #pending}, %q: tensor<1x128x64xf32> {dtensor.layout = #whole}, %y: tensor<1x128x64xf32> {dtensor.layout = #whole})
    -> (tensor<1x128x64xf32> {dtensor.layout = #pending}, tensor<1x128x64xf32> {dtensor.layout = #pending}, tensor<1x128x64xf32> {dtensor.layout = #pending}) {
  // CHECK-NOT: redistribute
  // CHECK: dtensor.attention_query_grad {{.*}} -> ({{.*}}[partial(sum)]{{.*}}[replicate]
  // CHECK-NOT: redistribute
  // CHECK: dtensor.attention_key_value_grad {{.*}} -> ({{.*}}[partial(sum)]{{.*}}[partial(sum)]
  %0:3 = dtensor.attention_backward %g, %q, %q, %q, %y : (tensor<1x128x64xf32>, tensor<1x128x64xf32>, tensor<1x128x64xf32>, tensor<1x128x64xf32>, tensor<1x128x64xf32>) -> (tensor<1x128x64xf32>, tensor<1x128x64xf32>, tensor<1x128x64xf32>)
  return %0#0, %0#1, %0#2 : tensor<1x128x64xf32>, tensor<1x128x64xf32>, tensor<1x128x64xf32>
}
