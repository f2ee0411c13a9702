// RUN: dtensor-opt %s -split-input-file -dtensor-elide | FileCheck %s

#mesh = #dtensor.mesh<"x" = ?>
!partial = tensor<?x4xf32, #dtensor.layout<#mesh, [partial(sum)], (N, 4)>>
!whole = tensor<?x4xf32, #dtensor.layout<#mesh, [replicate], (N, 4)>>
!rows = tensor<?x4xf32, #dtensor.layout<#mesh, [shard(0)], (N, 4)>>

// CHECK-LABEL: @reduce_then_slice_is_a_reduce_scatter
func.func @reduce_then_slice_is_a_reduce_scatter(%x: !partial) -> !rows {
  // CHECK: redistribute {{.*}}[partial(sum)]{{.*}} to {{.*}}[shard(0)]
  // CHECK-NOT: redistribute
  %0 = dtensor.redistribute %x : !partial to !whole
  %1 = dtensor.redistribute %0 : !whole to !rows
  return %1 : !rows
}

// CHECK-LABEL: @gather_then_slice_is_nothing
func.func @gather_then_slice_is_nothing(%x: !rows) -> !rows {
  // CHECK-NOT: redistribute
  %0 = dtensor.redistribute %x : !rows to !whole
  %1 = dtensor.redistribute %0 : !whole to !rows
  return %1 : !rows
}

// The reduced value is needed anyway: a slice of it is cheaper than another
// collective.
// CHECK-LABEL: @a_value_with_other_users_is_not_reduced_twice
func.func @a_value_with_other_users_is_not_reduced_twice(%x: !partial) -> (!whole, !rows) {
  // CHECK-COUNT-1: [partial(sum)]{{.*}} to
  // CHECK: redistribute {{.*}}[replicate]{{.*}} to {{.*}}[shard(0)]
  %0 = dtensor.redistribute %x : !partial to !whole
  %1 = dtensor.redistribute %0 : !whole to !rows
  return %0, %1 : !whole, !rows
}

// CHECK-LABEL: @one_gather_serves_two_users
func.func @one_gather_serves_two_users(%x: !rows) -> (!whole, !whole) {
  // CHECK-COUNT-1: redistribute
  // CHECK-NOT: redistribute
  %0 = dtensor.redistribute %x : !rows to !whole
  %1 = dtensor.redistribute %x : !rows to !whole
  return %0, %1 : !whole, !whole
}

// CHECK-LABEL: @a_gather_of_what_a_loop_does_not_change_leaves_it
func.func @a_gather_of_what_a_loop_does_not_change_leaves_it(%x: !rows, %y: !whole, %n: index) -> !whole {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK: redistribute
  // CHECK: scf.for
  // CHECK-NOT: redistribute
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%v = %y) -> !whole {
    %g = dtensor.redistribute %x : !rows to !whole
    %s = dtensor.generic "add" maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>]
        iterators = [parallel, parallel] ins(%v, %g : !whole, !whole) {
    ^bb0(%a: f32, %b: f32):
      %0 = arith.addf %a, %b : f32
      dtensor.yield %0 : f32
    } -> !whole
    scf.yield %s : !whole
  }
  return %r : !whole
}

// CHECK-LABEL: @sums_are_added_before_they_are_reduced
func.func @sums_are_added_before_they_are_reduced(%x: !partial, %y: !partial) -> !whole {
  %0 = dtensor.redistribute %x : !partial to !whole
  %1 = dtensor.redistribute %y : !partial to !whole
  // CHECK: generic "add"
  // CHECK: redistribute {{.*}}[partial(sum)]{{.*}} to {{.*}}[replicate]
  // CHECK-NOT: redistribute
  %2 = dtensor.generic "add" maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>]
      iterators = [parallel, parallel] ins(%0, %1 : !whole, !whole) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
    dtensor.yield %s : f32
  } -> !whole
  return %2 : !whole
}

// CHECK-LABEL: @maxima_are_not_added_before_they_are_reduced
func.func @maxima_are_not_added_before_they_are_reduced(
    %x: tensor<8x4xf32, #dtensor.layout<#mesh, [partial(max)], (8, 4)>>,
    %y: tensor<8x4xf32, #dtensor.layout<#mesh, [partial(max)], (8, 4)>>) -> tensor<8x4xf32, #dtensor.layout<#mesh, [replicate], (8, 4)>> {
  // CHECK-COUNT-2: redistribute
  // CHECK: generic "add"
  %0 = dtensor.redistribute %x : tensor<8x4xf32, #dtensor.layout<#mesh, [partial(max)], (8, 4)>> to tensor<8x4xf32, #dtensor.layout<#mesh, [replicate], (8, 4)>>
  %1 = dtensor.redistribute %y : tensor<8x4xf32, #dtensor.layout<#mesh, [partial(max)], (8, 4)>> to tensor<8x4xf32, #dtensor.layout<#mesh, [replicate], (8, 4)>>
  %2 = dtensor.generic "add" maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>]
      iterators = [parallel, parallel] ins(%0, %1 : tensor<8x4xf32, #dtensor.layout<#mesh, [replicate], (8, 4)>>, tensor<8x4xf32, #dtensor.layout<#mesh, [replicate], (8, 4)>>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
    dtensor.yield %s : f32
  } -> tensor<8x4xf32, #dtensor.layout<#mesh, [replicate], (8, 4)>>
  return %2 : tensor<8x4xf32, #dtensor.layout<#mesh, [replicate], (8, 4)>>
}

// -----

#mesh = #dtensor.mesh<"x" = ?, "y" = ?>
!pending = tensor<?x4xf32, #dtensor.layout<#mesh, [replicate, partial(sum)], (N, 4)>>
!whole = tensor<?x4xf32, #dtensor.layout<#mesh, [replicate, replicate], (N, 4)>>
!rows = tensor<?x4xf32, #dtensor.layout<#mesh, [shard(0), replicate], (N, 4)>>

// Two axes: the sum that one user has is what the other one slices, whoever
// comes first.
// CHECK-LABEL: @a_sum_that_is_there_is_not_taken_again
func.func @a_sum_that_is_there_is_not_taken_again(%x: !pending) -> (!rows, !whole) {
  // CHECK: %[[W:.*]] = dtensor.redistribute %arg0 : {{.*}} to {{.*}}[replicate, replicate]
  // CHECK: %[[R:.*]] = dtensor.redistribute %[[W]] : {{.*}} to {{.*}}[shard(0), replicate]
  // CHECK: return %[[R]], %[[W]]
  %0 = dtensor.redistribute %x : !pending to !rows
  %1 = dtensor.redistribute %x : !pending to !whole
  return %0, %1 : !rows, !whole
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
!rows = tensor<?x4xf32, #dtensor.layout<#mesh, [shard(0)], (N, 4)>>
!whole = tensor<?x4xf32, #dtensor.layout<#mesh, [replicate], (N, 4)>>
!rows_half = tensor<?x4xbf16, #dtensor.layout<#mesh, [shard(0)], (N, 4)>>
!whole_half = tensor<?x4xbf16, #dtensor.layout<#mesh, [replicate], (N, 4)>>
#id = affine_map<(d0, d1) -> (d0, d1)>

// CHECK-LABEL: @a_gather_moves_behind_a_cast_to_half
func.func @a_gather_moves_behind_a_cast_to_half(%x: !rows) -> !whole_half {
  // CHECK: generic "cast"
  // CHECK: redistribute {{.*}}xbf16{{.*}} to
  // CHECK-NOT: redistribute
  %0 = dtensor.redistribute %x : !rows to !whole
  %1 = dtensor.generic "cast" maps = [#id, #id] iterators = [parallel, parallel] ins(%0 : !whole) {
  ^bb0(%a: f32):
    %s = arith.truncf %a : f32 to bf16
    dtensor.yield %s : bf16
  } -> !whole_half
  return %1 : !whole_half
}

// CHECK-LABEL: @a_gather_moves_before_a_cast_from_half
func.func @a_gather_moves_before_a_cast_from_half(%x: !rows_half) -> !whole {
  // CHECK: redistribute {{.*}}xbf16{{.*}} to
  // CHECK: generic "cast"
  // CHECK-NOT: redistribute
  %0 = dtensor.generic "cast" maps = [#id, #id] iterators = [parallel, parallel] ins(%x : !rows_half) {
  ^bb0(%a: bf16):
    %s = arith.extf %a : bf16 to f32
    dtensor.yield %s : f32
  } -> !rows
  %1 = dtensor.redistribute %0 : !rows to !whole
  return %1 : !whole
}

// -----

#mesh = #dtensor.mesh<"x" = 2>
!pending = tensor<8x4xf32, #dtensor.layout<#mesh, [partial(sum)], (8, 4)>>
!whole = tensor<8x4xf32, #dtensor.layout<#mesh, [replicate], (8, 4)>>
!whole_half = tensor<8x4xbf16, #dtensor.layout<#mesh, [replicate], (8, 4)>>
#id = affine_map<(d0, d1) -> (d0, d1)>

// Rounding before the sum is not rounding after it.
// CHECK-LABEL: @a_reduction_stays_before_a_cast
func.func @a_reduction_stays_before_a_cast(%x: !pending) -> !whole_half {
  // CHECK: redistribute {{.*}}xf32{{.*}} to
  // CHECK: generic "cast"
  %0 = dtensor.redistribute %x : !pending to !whole
  %1 = dtensor.generic "cast" maps = [#id, #id] iterators = [parallel, parallel] ins(%0 : !whole) {
  ^bb0(%a: f32):
    %s = arith.truncf %a : f32 to bf16
    dtensor.yield %s : bf16
  } -> !whole_half
  return %1 : !whole_half
}

// -----

// What is added is cut in the order that is stated, not in the mesh's.
#mesh = #dtensor.mesh<"dp" = ?, "tp" = ?, "pp" = ?>
!partial = tensor<?x4xf32, #dtensor.layout<#mesh, [shard(0), shard(0), partial(sum)] order = ["tp", "dp", "pp"], (N, 4)>>
!reduced = tensor<?x4xf32, #dtensor.layout<#mesh, [shard(0), shard(0), replicate] order = ["tp", "dp", "pp"], (N, 4)>>

// CHECK-LABEL: @a_stated_order_stays
func.func @a_stated_order_stays(%x: !partial, %y: !partial) -> !reduced {
  %0 = dtensor.redistribute %x : !partial to !reduced
  %1 = dtensor.redistribute %y : !partial to !reduced
  // CHECK: generic "add"
  // CHECK: -> tensor<?x4xf32, {{.*}}[shard(0), shard(0), partial(sum)] order = ["tp", "dp", "pp"]
  // CHECK: redistribute {{.*}}[shard(0), shard(0), partial(sum)] order = ["tp", "dp", "pp"]{{.*}} to {{.*}}[shard(0), shard(0), replicate] order = ["tp", "dp", "pp"]
  // CHECK-NOT: redistribute
  %2 = dtensor.generic "add" maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>]
      iterators = [parallel, parallel] ins(%0, %1 : !reduced, !reduced) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
    dtensor.yield %s : f32
  } -> !reduced
  return %2 : !reduced
}

// -----

#mesh = #dtensor.mesh<"x" = ?, "y" = ?>
#all = affine_map<(d0) -> (d0)>
#none = affine_map<(d0) -> ()>
!scale = tensor<f32, #dtensor.layout<#mesh, [partial(avg), replicate], ()>>
!least = tensor<?xf32, #dtensor.layout<#mesh, [replicate, partial(min)], (N)>>
!whole = tensor<?xf32, #dtensor.layout<#mesh, [replicate, replicate], (N)>>
!mean = tensor<?xf32, #dtensor.layout<#mesh, [partial(avg), replicate], (N)>>
!least6 = tensor<6xf32, #dtensor.layout<#mesh, [replicate, partial(min)], (6)>>
!whole6 = tensor<6xf32, #dtensor.layout<#mesh, [replicate, replicate], (6)>>
!mean6 = tensor<6xf32, #dtensor.layout<#mesh, [partial(avg), replicate], (6)>>

// A value is pending in one way only.
// CHECK-LABEL: @a_result_that_is_a_pending_average_takes_no_pending_minima
func.func @a_result_that_is_a_pending_average_takes_no_pending_minima(%s: !scale, %x: !least, %y: !least) -> !mean {
  // CHECK-COUNT-2: redistribute {{.*}}partial(min){{.*}} to {{.*}}[replicate, replicate]
  // CHECK: dtensor.generic "scaled"
  // CHECK-NEXT: ^bb0
  %0 = dtensor.redistribute %x : !least to !whole
  %1 = dtensor.redistribute %y : !least to !whole
  %2 = dtensor.generic "scaled" maps = [#none, #all, #all, #all] iterators = [parallel] ins(%s, %0, %1 : !scale, !whole, !whole) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %d = arith.subf %b, %c : f32
    %e = arith.mulf %a, %d : f32
    dtensor.yield %e : f32
  } -> !mean
  return %2 : !mean
}

// CHECK-LABEL: @nor_does_one_of_static_shape
func.func @nor_does_one_of_static_shape(%s: !scale, %x: !least6, %y: !least6) -> !mean6 {
  // CHECK-COUNT-2: redistribute {{.*}}partial(min){{.*}} to {{.*}}[replicate, replicate]
  // CHECK: dtensor.generic "scaled"
  %0 = dtensor.redistribute %x : !least6 to !whole6
  %1 = dtensor.redistribute %y : !least6 to !whole6
  %2 = dtensor.generic "scaled" maps = [#none, #all, #all, #all] iterators = [parallel] ins(%s, %0, %1 : !scale, !whole6, !whole6) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %d = arith.subf %b, %c : f32
    %e = arith.mulf %a, %d : f32
    dtensor.yield %e : f32
  } -> !mean6
  return %2 : !mean6
}
