// RUN: dtensor-opt %s -pass-pipeline='builtin.module(func.func(dtensor-fuse-elementwise))' | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#column = affine_map<(d0, d1) -> (d1)>
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

// CHECK-LABEL: func.func @a_long_source_is_not_computed_once_per_column(
// CHECK-COUNT-10: arith.muli
// CHECK-NEXT: linalg.yield
// CHECK: arith.addi
func.func @a_long_source_is_not_computed_once_per_column(%x: i64, %i: tensor<?xi64>, %y: tensor<?x?xi64>) -> tensor<?x?xi64> {
  %0 = linalg.generic {indexing_maps = [#vector], iterator_types = ["parallel"]} outs(%i : tensor<?xi64>) {
  ^bb0(%o: i64):
    %p = linalg.index 0 : index
    %0 = arith.index_cast %p : index to i64
    %1 = arith.muli %0, %x : i64
    %2 = arith.muli %1, %0 : i64
    %3 = arith.muli %2, %1 : i64
    %4 = arith.muli %3, %2 : i64
    %5 = arith.muli %4, %3 : i64
    %6 = arith.muli %5, %4 : i64
    %7 = arith.muli %6, %5 : i64
    %8 = arith.muli %7, %6 : i64
    %9 = arith.muli %8, %7 : i64
    %10 = arith.muli %9, %8 : i64
    linalg.yield %10 : i64
  } -> tensor<?xi64>
  %1 = linalg.generic {indexing_maps = [#row, #id], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<?xi64>) outs(%y : tensor<?x?xi64>) {
  ^bb0(%a: i64, %o: i64):
    %t = arith.addi %a, %a : i64
    linalg.yield %t : i64
  } -> tensor<?x?xi64>
  return %1 : tensor<?x?xi64>
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

#bthd = affine_map<(b, h, t, d) -> (b, t, h, d)>
#bhtd = affine_map<(b, h, t, d) -> (b, h, t, d)>
#swap = affine_map<(d0, d1) -> (d1, d0)>

// CHECK-LABEL: func.func @a_transposition_that_moves_a_one_is_a_view(
// CHECK-SAME: %[[X:.*]]: tensor<2x1x8x4xf32>
// CHECK-NOT: linalg.generic
// CHECK: %[[ALL:.*]] = tensor.collapse_shape %[[X]] {{\[\[}}0], [1, 2], [3]] : tensor<2x1x8x4xf32> into tensor<2x8x4xf32>
// CHECK: tensor.expand_shape %[[ALL]] {{\[\[}}0], [1], [2, 3]] output_shape [2, 8, 1, 4] : tensor<2x8x4xf32> into tensor<2x8x1x4xf32>
func.func @a_transposition_that_moves_a_one_is_a_view(%x: tensor<2x1x8x4xf32>, %e: tensor<2x8x1x4xf32>) -> tensor<2x8x1x4xf32> {
  %0 = linalg.generic {indexing_maps = [#bthd, #bhtd], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%x : tensor<2x1x8x4xf32>) outs(%e : tensor<2x8x1x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<2x8x1x4xf32>
  return %0 : tensor<2x8x1x4xf32>
}

// CHECK-LABEL: func.func @a_dynamic_transposition_that_moves_a_one_is_a_view(
// CHECK-NOT: linalg.generic
// CHECK: tensor.expand_shape {{.*}} {{\[\[}}0], [1], [2, 3]] output_shape [%{{.*}}, %{{.*}}, 1, %{{.*}}] : tensor<?x?x?xf32> into tensor<?x?x1x?xf32>
func.func @a_dynamic_transposition_that_moves_a_one_is_a_view(%x: tensor<?x1x?x?xf32>, %e: tensor<?x?x1x?xf32>) -> tensor<?x?x1x?xf32> {
  %0 = linalg.generic {indexing_maps = [#bthd, #bhtd], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%x : tensor<?x1x?x?xf32>) outs(%e : tensor<?x?x1x?xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<?x?x1x?xf32>
  return %0 : tensor<?x?x1x?xf32>
}

// CHECK-LABEL: func.func @a_row_becomes_a_column(
// CHECK: %[[ALL:.*]] = tensor.collapse_shape %{{.*}} {{\[\[}}0, 1]] : tensor<1x?xf32> into tensor<?xf32>
// CHECK: tensor.expand_shape %[[ALL]] {{\[\[}}0, 1]] output_shape [%{{.*}}, 1] : tensor<?xf32> into tensor<?x1xf32>
func.func @a_row_becomes_a_column(%x: tensor<1x?xf32>, %e: tensor<?x1xf32>) -> tensor<?x1xf32> {
  %0 = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<1x?xf32>) outs(%e : tensor<?x1xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<?x1xf32>
  return %0 : tensor<?x1xf32>
}

// CHECK-LABEL: func.func @other_transpositions_move_elements(
// CHECK-COUNT-2: linalg.generic
func.func @other_transpositions_move_elements(%x: tensor<?x?xf32>, %e: tensor<?x?xf32>, %y: tensor<2x3xf32>, %f: tensor<3x2xf32>) -> (tensor<?x?xf32>, tensor<3x2xf32>) {
  %0 = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<?x?xf32>) outs(%e : tensor<?x?xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<?x?xf32>
  %1 = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel"]} ins(%y : tensor<2x3xf32>) outs(%f : tensor<3x2xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<3x2xf32>
  return %0, %1 : tensor<?x?xf32>, tensor<3x2xf32>
}

// CHECK-LABEL: func.func @what_follows_from_fewer_numbers_is_computed_by_each_user(
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]} ins(%arg0, %arg1 : tensor<?xi64>, tensor<?xi64>)
// CHECK: arith.cmpi eq
// CHECK: arith.addf
// CHECK: linalg.generic {{.*}}ins(%arg0, %arg1, %arg2 : tensor<?xi64>, tensor<?xi64>, tensor<?x?xf32>)
// CHECK: arith.cmpi eq
// CHECK: arith.subf
// CHECK-NOT: linalg.generic
func.func @what_follows_from_fewer_numbers_is_computed_by_each_user(%t: tensor<?xi64>, %c: tensor<?xi64>, %x: tensor<?x?xf32>, %e: tensor<?x?xf32>, %i: tensor<?xf32>) -> (tensor<?xf32>, tensor<?x?xf32>) {
  %one = arith.constant 1.0 : f32
  %zero = arith.constant 0.0 : f32
  %0 = linalg.generic {indexing_maps = [#row, #column, #id], iterator_types = ["parallel", "parallel"]} ins(%t, %c : tensor<?xi64>, tensor<?xi64>) outs(%e : tensor<?x?xf32>) {
  ^bb0(%a: i64, %b: i64, %o: f32):
    %s = arith.cmpi eq, %a, %b : i64
    %w = arith.select %s, %one, %zero : f32
    linalg.yield %w : f32
  } -> tensor<?x?xf32>
  %1 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%0 : tensor<?x?xf32>) outs(%i : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %o : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  %2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%0, %x : tensor<?x?xf32>, tensor<?x?xf32>) outs(%e : tensor<?x?xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %d = arith.subf %a, %b : f32
    linalg.yield %d : f32
  } -> tensor<?x?xf32>
  return %1, %2 : tensor<?xf32>, tensor<?x?xf32>
}

// Exponentials are dear, and a whole operand would be read twice.
// CHECK-LABEL: func.func @what_is_dear_is_computed_once(
// CHECK-COUNT-1: math.exp
// CHECK-NOT: math.exp
// CHECK: return
func.func @what_is_dear_is_computed_once(%t: tensor<4xf32>, %x: tensor<4x8xf32>, %e: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %0 = linalg.generic {indexing_maps = [#row, #id], iterator_types = ["parallel", "parallel"]} ins(%t : tensor<4xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = math.exp %a : f32
    linalg.yield %s : f32
  } -> tensor<4x8xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%0, %x : tensor<4x8xf32>, tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %d = arith.subf %a, %b : f32
    linalg.yield %d : f32
  } -> tensor<4x8xf32>
  %2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%0, %x : tensor<4x8xf32>, tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %d = arith.mulf %a, %b : f32
    linalg.yield %d : f32
  } -> tensor<4x8xf32>
  return %1, %2 : tensor<4x8xf32>, tensor<4x8xf32>
}
