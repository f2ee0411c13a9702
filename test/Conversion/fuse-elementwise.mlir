// RUN: dtensor-opt %s -pass-pipeline='builtin.module(func.func(dtensor-fuse-elementwise))' | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#vector = affine_map<(d0) -> (d0)>

// CHECK-LABEL: func.func @a_producer_goes_into_its_only_user(
// CHECK: math.exp
// CHECK-NEXT: arith.negf
func.func @a_producer_goes_into_its_only_user(%x: tensor<?x?xf32>, %e: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<?x?xf32>) outs(%e : tensor<?x?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = math.exp %a : f32
    linalg.yield %t : f32
  } -> tensor<?x?xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<?x?xf32>) outs(%e : tensor<?x?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = arith.negf %a : f32
    linalg.yield %t : f32
  } -> tensor<?x?xf32>
  return %1 : tensor<?x?xf32>
}

// CHECK-LABEL: func.func @a_producer_goes_into_a_reduction(
// CHECK: iterator_types = ["parallel", "reduction"]
// CHECK: math.exp
// CHECK-NEXT: arith.addf
func.func @a_producer_goes_into_a_reduction(%x: tensor<4x8xf32>, %e: tensor<4x8xf32>, %i: tensor<4xf32>) -> tensor<4xf32> {
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = math.exp %a : f32
    linalg.yield %t : f32
  } -> tensor<4x8xf32>
  %1 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%0 : tensor<4x8xf32>) outs(%i : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = arith.addf %a, %o : f32
    linalg.yield %t : f32
  } -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// CHECK-LABEL: func.func @nothing_is_computed_once_per_column(
// CHECK: math.exp
// CHECK-NEXT: linalg.yield
// CHECK: arith.addf
func.func @nothing_is_computed_once_per_column(%x: tensor<?xf32>, %i: tensor<?xf32>, %y: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %0 = linalg.generic {indexing_maps = [#vector, #vector], iterator_types = ["parallel"]} ins(%x : tensor<?xf32>) outs(%i : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = math.exp %a : f32
    linalg.yield %t : f32
  } -> tensor<?xf32>
  %1 = linalg.generic {indexing_maps = [#row, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%0, %y : tensor<?xf32>, tensor<?x?xf32>) outs(%y : tensor<?x?xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %t = arith.addf %a, %b : f32
    linalg.yield %t : f32
  } -> tensor<?x?xf32>
  return %1 : tensor<?x?xf32>
}

// CHECK-LABEL: func.func @a_slice_without_its_unit_dimensions_is_a_slice(
// CHECK: %[[S:.*]] = tensor.extract_slice %arg0[0, 1, 0] [%arg1, 1, %arg2] [1, 1, 1] : tensor<?x2x?xf32> to tensor<?x?xf32>
// CHECK-NEXT: return %[[S]]
func.func @a_slice_without_its_unit_dimensions_is_a_slice(%x: tensor<?x2x?xf32>, %m: index, %n: index) -> tensor<?x?xf32> {
  %0 = tensor.extract_slice %x[0, 1, 0] [%m, 1, %n] [1, 1, 1] : tensor<?x2x?xf32> to tensor<?x1x?xf32>
  %1 = tensor.collapse_shape %0 [[0, 1], [2]] : tensor<?x1x?xf32> into tensor<?x?xf32>
  return %1 : tensor<?x?xf32>
}

// CHECK-LABEL: func.func @a_static_slice_without_its_unit_dimensions_is_a_slice(
// CHECK: tensor.extract_slice {{.*}} : tensor<4x2x8xf32> to tensor<4x8xf32>
// CHECK-NEXT: return
func.func @a_static_slice_without_its_unit_dimensions_is_a_slice(%x: tensor<4x2x8xf32>) -> tensor<4x8xf32> {
  %0 = tensor.extract_slice %x[0, 1, 0] [4, 1, 8] [1, 1, 1] : tensor<4x2x8xf32> to tensor<4x1x8xf32>
  %1 = tensor.collapse_shape %0 [[0, 1], [2]] : tensor<4x1x8xf32> into tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}
