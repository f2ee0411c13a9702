// RUN: dtensor-opt %s --dtensor-expand --dtensor-verify-phase=phase=propagate --dtensor-plan | FileCheck %s

#mesh = #dtensor.mesh<"x" = ?>
#n = #dtensor.layout<#mesh, [shard(0)], (N)>
#whole = #dtensor.layout<#mesh, [replicate], (N)>
#bn = #dtensor.layout<#mesh, [shard(1)], (B, N)>
#pending = #dtensor.layout<#mesh, [partial(sum)], (N)>
#k = #dtensor.layout<#mesh, [replicate], (B, 2)>
#k20 = #dtensor.layout<#mesh, [replicate], (B, 20)>
#rows = #dtensor.layout<#mesh, [shard(0)], (B, N)>
#rows2 = #dtensor.layout<#mesh, [shard(0)], (B, 2)>
#two = #dtensor.mesh<"x" = 2>
#eight = #dtensor.layout<#two, [shard(0)], (8)>
#nested = #dtensor.mesh<"x" = ?, "y" = ?>
#xy = #dtensor.layout<#nested, [shard(0), shard(0)], (N)>
#xp = #dtensor.layout<#nested, [shard(0), partial(sum)], (N)>

// One total per rank is all that moves.
// CHECK-LABEL: @a_sharded_scan_gathers_one_total_per_rank
func.func @a_sharded_scan_gathers_one_total_per_rank(%x: tensor<?xf32, #n>) -> tensor<?xf32, #n> {
  // CHECK: %[[ROWS:.*]] = dtensor.stack_shards %arg0 {{.*}} -> tensor<?x?xf32, {{.*}}[shard(0)], (size(x), N ceildiv size(x))>>
  // CHECK: %[[TOTAL:.*]] = dtensor.generic "scan_total" {{.*}} ins(%[[ROWS]] :
  // CHECK: dtensor.redistribute %[[TOTAL]] plan {{.*}} [all_gather ["x"] dim 0 to [replicate] bytes 4*size(x) - 4]
  // CHECK: dtensor.scan %[[ROWS]] {dim = 1 : i64, kind = "sum"}
  // CHECK: dtensor.generic "scan_prefix"
  // CHECK: %[[ALL:.*]] = dtensor.generic "scan_join"
  // CHECK: dtensor.unstack_shards %[[ALL]]
  // CHECK-NOT: dtensor.redistribute
  // CHECK: return
  %y = dtensor.scan %x {dim = 0, kind = "sum"} : (tensor<?xf32, #n>) -> tensor<?xf32, #n>
  return %y : tensor<?xf32, #n>
}

// CHECK-LABEL: @so_does_one_of_static_shape
func.func @so_does_one_of_static_shape(%x: tensor<8xi64, #eight>) -> tensor<8xi64, #eight> {
  // CHECK: dtensor.stack_shards %arg0 {dim = 0 : i64, value = -9223372036854775808 : i64} {{.*}} -> tensor<2x4xi64, {{.*}}[shard(0)], (2, 4)>>
  // CHECK: plan {{.*}} [all_gather ["x"] dim 0 to [replicate] bytes 8]
  // CHECK-NOT: dtensor.redistribute
  // CHECK: return
  %y = dtensor.scan %x {dim = 0, kind = "max"} : (tensor<8xi64, #eight>) -> tensor<8xi64, #eight>
  return %y : tensor<8xi64, #eight>
}

// CHECK-LABEL: @nested_shards_are_one_row_each
func.func @nested_shards_are_one_row_each(%x: tensor<?xf32, #xy>) -> tensor<?xf32, #xy> {
  // CHECK: dtensor.stack_shards %arg0 {{.*}} -> tensor<?x?xf32, {{.*}}[shard(0), shard(0)], (size(x)*size(y), N ceildiv (size(x)*size(y)))>>
  // CHECK: plan {{.*}} [all_gather ["x", "y"] dim 0
  // CHECK-NOT: dtensor.redistribute
  // CHECK: return
  %y = dtensor.scan %x {dim = 0, kind = "sum"} : (tensor<?xf32, #xy>) -> tensor<?xf32, #xy>
  return %y : tensor<?xf32, #xy>
}

// CHECK-LABEL: @a_pending_sum_is_taken_before_totals_are
func.func @a_pending_sum_is_taken_before_totals_are(%x: tensor<?xf32, #xp>) -> tensor<?xf32, #xp> {
  // CHECK: %[[SUM:.*]] = dtensor.redistribute %arg0 plan {{.*}} [all_reduce ["y"] sum
  // CHECK: dtensor.stack_shards %[[SUM]]
  // CHECK: plan {{.*}} [all_gather ["x"] dim 0
  // CHECK: plan {{.*}} [init_partial ["y"] sum
  %y = dtensor.scan %x {dim = 0, kind = "sum"} : (tensor<?xf32, #xp>) -> tensor<?xf32, #xp>
  return %y : tensor<?xf32, #xp>
}

// CHECK-LABEL: @a_scan_of_a_whole_dimension_stays
func.func @a_scan_of_a_whole_dimension_stays(%x: tensor<?xf32, #whole>, %p: tensor<?xf32, #pending>) -> (tensor<?xf32, #whole>, tensor<?xf32, #pending>) {
  // CHECK-NEXT: dtensor.scan %arg0
  // CHECK-NEXT: dtensor.scan %arg1
  // CHECK-NEXT: return
  %y = dtensor.scan %x {dim = 0, kind = "sum"} : (tensor<?xf32, #whole>) -> tensor<?xf32, #whole>
  %q = dtensor.scan %p {dim = 0, kind = "sum"} : (tensor<?xf32, #pending>) -> tensor<?xf32, #pending>
  return %y, %q : tensor<?xf32, #whole>, tensor<?xf32, #pending>
}

// One collective for values and places: 8 bytes for each candidate.
// CHECK-LABEL: @a_sharded_topk_gathers_its_candidates
func.func @a_sharded_topk_gathers_its_candidates(%x: tensor<?x?xf32, #bn>) -> (tensor<?x2xf32, #k>, tensor<?x2xi64, #k>) {
  // CHECK: %[[PACKED:.*]] = dtensor.generic "topk_pack" {{.*}} ins(%arg0 :
  // CHECK: %[[ROWS:.*]] = dtensor.stack_shards %[[PACKED]]
  // CHECK: %[[FIRST:.*]] = dtensor.generic "topk" {{.*}} reduce = [max] ins(%[[ROWS]] :
  // CHECK: dtensor.generic "topk" {{.*}} reduce = [max] ins(%[[ROWS]], %[[FIRST]] :
  // CHECK: %[[OWN:.*]] = dtensor.generic "topk_join"
  // CHECK: %[[ALL:.*]] = dtensor.redistribute %[[OWN]] plan {{.*}} [all_gather ["x"] dim 1 to [replicate] bytes 16*B*size(x) - 16*B]
  // CHECK: dtensor.generic "topk" {{.*}} reduce = [max] ins(%[[ALL]] :
  // CHECK-COUNT-2: dtensor.generic "topk_unpack"
  // CHECK-NOT: dtensor.redistribute
  // CHECK: return
  %v, %i = dtensor.topk %x {dim = 1, k = 2} : (tensor<?x?xf32, #bn>) -> (tensor<?x2xf32, #k>, tensor<?x2xi64, #k>)
  return %v, %i : tensor<?x2xf32, #k>, tensor<?x2xi64, #k>
}

// CHECK-LABEL: @many_largest_elements_are_sorted_where_they_are
func.func @many_largest_elements_are_sorted_where_they_are(%x: tensor<?x?xf32, #bn>) -> (tensor<?x20xf32, #k20>, tensor<?x20xi64, #k20>) {
  // CHECK: %[[ROWS:.*]] = dtensor.stack_shards
  // CHECK: dtensor.sort %[[ROWS]] {descending, dim = 2 : i64}
  // CHECK: dtensor.slice {{.*}} [B, size(x), min(N ceildiv size(x), 20)]
  // CHECK: plan {{.*}} [all_gather ["x"] dim 1
  // CHECK: dtensor.sort %{{.*}} {descending, dim = 1 : i64}
  // CHECK-NOT: dtensor.redistribute
  // CHECK: return
  %v, %i = dtensor.topk %x {dim = 1, k = 20} : (tensor<?x?xf32, #bn>) -> (tensor<?x20xf32, #k20>, tensor<?x20xi64, #k20>)
  return %v, %i : tensor<?x20xf32, #k20>, tensor<?x20xi64, #k20>
}

// CHECK-LABEL: @topk_of_other_shards_moves_nothing
func.func @topk_of_other_shards_moves_nothing(%x: tensor<?x?xbf16, #rows>) -> (tensor<?x2xbf16, #rows2>, tensor<?x2xi64, #rows2>) {
  // CHECK-NOT: dtensor.redistribute
  // CHECK-NOT: dtensor.stack_shards
  // CHECK: return
  %v, %i = dtensor.topk %x {dim = 1, k = 2} : (tensor<?x?xbf16, #rows>) -> (tensor<?x2xbf16, #rows2>, tensor<?x2xi64, #rows2>)
  return %v, %i : tensor<?x2xbf16, #rows2>, tensor<?x2xi64, #rows2>
}

// CHECK-LABEL: @long_elements_are_gathered_and_sorted
func.func @long_elements_are_gathered_and_sorted(%x: tensor<?x?xf64, #bn>) -> (tensor<?x2xf64, #k>, tensor<?x2xi64, #k>) {
  // CHECK: dtensor.redistribute %arg0 plan {{.*}} [all_gather ["x"] dim 1
  // CHECK: dtensor.sort
  %v, %i = dtensor.topk %x {dim = 1, k = 2} : (tensor<?x?xf64, #bn>) -> (tensor<?x2xf64, #k>, tensor<?x2xi64, #k>)
  return %v, %i : tensor<?x2xf64, #k>, tensor<?x2xi64, #k>
}
