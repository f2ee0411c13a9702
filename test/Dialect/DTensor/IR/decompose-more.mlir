// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s

#mesh = #dtensor.mesh<"x" = ?>
#b = #dtensor.layout<#mesh, [?], (B)>
#bs = #dtensor.layout<#mesh, [?], (B, S)>
#kept = #dtensor.layout<#mesh, [?], (K)>

// CHECK-LABEL: @a_position_is_a_minimum_over_the_places_of_the_maximum
func.func @a_position_is_a_minimum_over_the_places_of_the_maximum(%x: tensor<?x?xf32, #bs>) -> tensor<?xi64> {
  // CHECK: %[[MAX:.*]] = dtensor.generic "amax" {{.*}} reduce = [max] ins(%arg0 :
  // CHECK: dtensor.generic "argmax" {{.*}} reduce = [min] ins(%arg0, %[[MAX]] :
  // CHECK: dtensor.index 1
  %0 = dtensor.argmax %x {dim = 1} : (tensor<?x?xf32, #bs>) -> tensor<?xi64>
  return %0 : tensor<?xi64>
}

// CHECK-LABEL: @a_variance_takes_two_sums
func.func @a_variance_takes_two_sums(%x: tensor<?x?xf32, #bs>) -> (tensor<?xf32>, tensor<?xf32>) {
  // CHECK: %[[SUM:.*]] = dtensor.generic "sum" {{.*}} reduce = [sum] ins(%arg0 :
  // CHECK: %[[MEAN:.*]] = dtensor.generic "mean" {{.*}} ins(%[[SUM]] :
  // CHECK: dtensor.generic "sum_squares" {{.*}} reduce = [sum] ins(%arg0, %[[MEAN]] :
  // CHECK: dtensor.generic "var_mean"
  %0, %1 = dtensor.var_mean %x {dims = [1]} : (tensor<?x?xf32, #bs>) -> (tensor<?xf32>, tensor<?xf32>)
  return %0, %1 : tensor<?xf32>, tensor<?xf32>
}

// CHECK-LABEL: @a_loss_looks_up_its_class
func.func @a_loss_looks_up_its_class(%x: tensor<?x?xf32, #bs>, %t: tensor<?xi64, #b>) -> tensor<f32> {
  // CHECK: %[[MAX:.*]] = dtensor.generic "amax"
  // CHECK: %[[SUM:.*]] = dtensor.generic "sum_exp" {{.*}} ins(%arg0, %[[MAX]] :
  // CHECK: %[[LSE:.*]]:2 = dtensor.generic "logsumexp" {{.*}} ins(%[[MAX]], %[[SUM]] :
  // CHECK: %[[PICKED:.*]] = dtensor.gather %arg0, %{{.*}} {dim = 1 : i64}
  // CHECK: dtensor.generic "cross_entropy" {{.*}} ins(%arg1, %{{.*}}, %[[LSE]]#0, %[[LSE]]#1 :
  // CHECK: dtensor.generic "count" {{.*}} ins(%arg1 :
  // CHECK: dtensor.generic "mean"
  %0 = dtensor.cross_entropy %x, %t : (tensor<?x?xf32, #bs>, tensor<?xi64, #b>) -> tensor<f32>
  return %0 : tensor<f32>
}

// CHECK-LABEL: @a_flip_selects_rows_backwards
func.func @a_flip_selects_rows_backwards(%x: tensor<?x?xf32, #bs>) -> tensor<?x?xf32> {
  // CHECK: %[[LAST:.*]] = dtensor.extent <B - 1>
  // CHECK: %[[INDEX:.*]] = dtensor.generic "index"
  // CHECK: arith.subi
  // CHECK: dtensor.index_select %arg0, %[[INDEX]] {dim = 0 : i64}
  %0 = dtensor.flip %x {dims = [0]} : (tensor<?x?xf32, #bs>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// The sizes say what the extent is: S is K + 2.
// CHECK-LABEL: @parts_are_slices
// CHECK-SAME: #dtensor.layout<#mesh, [?], (B, K + 2)>
func.func @parts_are_slices(%x: tensor<?x?xf32, #bs>, %k: tensor<?xf32, #kept>) -> (tensor<?x?xf32>, tensor<?x2xf32>) {
  // CHECK: dtensor.slice %{{.*}} [0, 0] [B, K] [1, 1]
  // CHECK: dtensor.slice %{{.*}} [0, K] [B, 2] [1, 1]
  %0, %1 = dtensor.split %x {dim = 1, sizes = [#dtensor.expr<K>, 2]} : (tensor<?x?xf32, #bs>) -> (tensor<?x?xf32>, tensor<?x2xf32>)
  return %0, %1 : tensor<?x?xf32>, tensor<?x2xf32>
}

// CHECK-LABEL: @an_index_is_checked_when_the_program_runs
func.func @an_index_is_checked_when_the_program_runs(%x: tensor<?x?xf32, #bs>) -> tensor<?xf32> {
  // CHECK: dtensor.check %{{.*}}, "the index of select is {0}, expected at most {1}"
  // CHECK: dtensor.slice %arg0 [0, 3] [B, 1] [1, 1]
  %0 = dtensor.select %x {dim = 1, index = 3} : (tensor<?x?xf32, #bs>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// CHECK-LABEL: @a_border_is_joined
func.func @a_border_is_joined(%x: tensor<?x?xf32, #bs>, %v: f32) -> tensor<?x?xf32> {
  // CHECK: %[[LOW:.*]] = dtensor.generic "full"
  // CHECK: %[[HIGH:.*]] = dtensor.generic "full"
  // CHECK: dtensor.concat %[[LOW]], %arg0, %[[HIGH]] {dim = 1 : i64}
  %0 = dtensor.pad %x, %v {low = [0, 1], high = [0, 2]} : (tensor<?x?xf32, #bs>, f32) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// CHECK-LABEL: @additions_at_indices_are_a_sum_and_an_addition
func.func @additions_at_indices_are_a_sum_and_an_addition(%x: tensor<?x?xbf16, #bs>, %i: tensor<?xi64, #kept>, %u: tensor<?x?xbf16, #dtensor.layout<#mesh, [?], (K, S)>>) -> tensor<?x?xbf16> {
  // CHECK: %[[WIDE:.*]] = dtensor.generic "cast" {{.*}} ins(%arg2 :
  // CHECK: %[[SUM:.*]] = dtensor.scatter_sum %arg1, %[[WIDE]] {dim = 0 : i64, rows, size = #dtensor.expr<B>}
  // CHECK: dtensor.generic "add" {{.*}} ins(%arg0, %[[SUM]] :
  %0 = dtensor.index_add %x, %i, %u {dim = 0} : (tensor<?x?xbf16, #bs>, tensor<?xi64, #kept>, tensor<?x?xbf16, #dtensor.layout<#mesh, [?], (K, S)>>) -> tensor<?x?xbf16>
  return %0 : tensor<?x?xbf16>
}
