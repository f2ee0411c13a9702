// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s

#mesh = #dtensor.mesh<"x" = ?>
#bs = #dtensor.layout<#mesh, [?], (B, S)>
#fixed = #dtensor.layout<#mesh, [?], (3, 5)>

// CHECK-DAG: #[[ID:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1) -> (d0)>
// CHECK-DAG: #[[STRETCHED:.*]] = affine_map<(d0, d1) -> (d0, 0)>
// CHECK-DAG: #[[SWAPPED:.*]] = affine_map<(d0, d1) -> (d1, d0)>
// CHECK-DAG: #[[KEPT:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[KN:.*]] = affine_map<(d0, d1, d2) -> (d2, d1)>

// CHECK-LABEL: @softmax_subtracts_the_maximum
func.func @softmax_subtracts_the_maximum(%x: tensor<?x?xbf16, #bs>) -> tensor<?x?xbf16, #bs> {
  // CHECK: %[[MAX:.*]] = dtensor.generic "amax" maps = [#[[ID]], #[[ROW]]] iterators = [parallel, reduction] reduce = [max]
  // CHECK: %[[EXP:.*]] = dtensor.generic "exp" {{.*}} ins(%arg0, %[[MAX]] :
  // CHECK: arith.subf {{.*}} : f32
  // CHECK: math.exp {{.*}} : f32
  // CHECK: %[[SUM:.*]] = dtensor.generic "sum" {{.*}} reduce = [sum] ins(%[[EXP]] :
  // CHECK: dtensor.generic "div" {{.*}} ins(%[[EXP]], %[[SUM]] :
  // CHECK: arith.truncf
  %0 = dtensor.softmax %x {dim = 1} : (tensor<?x?xbf16, #bs>) -> tensor<?x?xbf16, #bs>
  return %0 : tensor<?x?xbf16, #bs>
}

// CHECK-LABEL: @a_mean_divides_by_the_global_extent
func.func @a_mean_divides_by_the_global_extent(%x: tensor<?x?xf32, #bs>) -> tensor<?x1xf32> {
  // CHECK: %[[SUM:.*]] = dtensor.generic "mean" maps = [#[[ID]]{{.*}}, #[[KEPT]]] iterators = [parallel, reduction, parallel] reduce = [sum]
  // CHECK: %[[COUNT:.*]] = dtensor.extent <S>
  // CHECK: dtensor.generic "mean" {{.*}} ins(%[[SUM]] :
  // CHECK: arith.divf
  %0 = dtensor.mean %x {dims = [1], keepdim} : (tensor<?x?xf32, #bs>) -> tensor<?x1xf32>
  return %0 : tensor<?x1xf32>
}

// CHECK-LABEL: @a_static_mean_divides_by_a_number
func.func @a_static_mean_divides_by_a_number(%x: tensor<3x5xf32, #fixed>) -> tensor<f32> {
  // CHECK: arith.constant 15 : index
  // CHECK: arith.divf
  %0 = dtensor.mean %x {dims = [0, 1]} : (tensor<3x5xf32, #fixed>) -> tensor<f32>
  return %0 : tensor<f32>
}

// CHECK-LABEL: @a_literal_one_is_stretched
func.func @a_literal_one_is_stretched(%x: tensor<?x?xf32, #bs>, %y: tensor<?x1xf32, #dtensor.layout<#mesh, [?], (B, 1)>>) -> tensor<?x?xf32> {
  // CHECK: dtensor.generic "mul" maps = [#[[ID]], #[[STRETCHED]], #[[ID]]] iterators = [parallel, parallel]
  // CHECK: arith.mulf
  %0 = dtensor.mul %x, %y : (tensor<?x?xf32, #bs>, tensor<?x1xf32, #dtensor.layout<#mesh, [?], (B, 1)>>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// CHECK-LABEL: @a_product_of_bf16_is_accumulated_in_f32
func.func @a_product_of_bf16_is_accumulated_in_f32(%x: tensor<?x?xbf16, #bs>, %w: tensor<?x?xbf16, #dtensor.layout<#mesh, [?], (S, N)>>) -> tensor<?x?xbf16> {
  // CHECK: %[[WIDE:.*]] = dtensor.generic "matmul" maps = [#[[KEPT]], #[[KN]], #{{.*}}] iterators = [parallel, parallel, reduction] reduce = [sum]
  // CHECK: arith.mulf {{.*}} : f32
  // CHECK: -> tensor<?x?xf32
  // CHECK: dtensor.generic "cast" {{.*}} ins(%[[WIDE]] :
  // CHECK: arith.truncf
  %0 = dtensor.matmul %x, %w : (tensor<?x?xbf16, #bs>, tensor<?x?xbf16, #dtensor.layout<#mesh, [?], (S, N)>>) -> tensor<?x?xbf16>
  return %0 : tensor<?x?xbf16>
}

// CHECK-LABEL: @a_permutation_is_a_map
func.func @a_permutation_is_a_map(%x: tensor<?x?xf32, #bs>) -> tensor<?x?xf32> {
  // CHECK: dtensor.generic "permute" maps = [#[[SWAPPED]], #[[ID]]]
  %0 = dtensor.permute %x {permutation = [1, 0]} : (tensor<?x?xf32, #bs>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// CHECK-LABEL: @views_are_reshapes_and_fills_have_no_input
func.func @views_are_reshapes_and_fills_have_no_input(%x: tensor<?x?xf32, #bs>, %c: f32) -> (tensor<?xf32>, tensor<?xi32>, tensor<?xf32>) {
  // CHECK: dtensor.reshape %arg0 : {{.*}} -> tensor<?xf32, #dtensor.layout<#mesh, [?], (B*S)>>
  %0 = dtensor.flatten %x {start = 0, end = 1} : (tensor<?x?xf32, #bs>) -> tensor<?xf32>
  // CHECK: dtensor.generic "iota"
  // CHECK: dtensor.index 0
  %1 = dtensor.iota {dim = 0, sizes = [#dtensor.expr<S>]} : () -> tensor<?xi32>
  // CHECK: dtensor.generic "full"
  // CHECK: dtensor.yield %arg1 : f32
  %2 = dtensor.full %c {sizes = [#dtensor.expr<B>]} : (f32) -> tensor<?xf32>
  return %0, %1, %2 : tensor<?xf32>, tensor<?xi32>, tensor<?xf32>
}

// CHECK-LABEL: @plain_lookups_get_their_extents
func.func @plain_lookups_get_their_extents(%i: tensor<?x?xi64, #dtensor.layout<#mesh, [?], (B, S)>>, %t: tensor<100x8xf32, #dtensor.layout<#mesh, [?], (100, 8)>>) -> tensor<?x?x8xf32> {
  // CHECK: dtensor.embedding {{.*}} -> tensor<?x?x8xf32, #dtensor.layout<#mesh, [?], (B, S, 8)>>
  %0 = dtensor.embedding %i, %t : (tensor<?x?xi64, #dtensor.layout<#mesh, [?], (B, S)>>, tensor<100x8xf32, #dtensor.layout<#mesh, [?], (100, 8)>>) -> tensor<?x?x8xf32>
  return %0 : tensor<?x?x8xf32>
}
