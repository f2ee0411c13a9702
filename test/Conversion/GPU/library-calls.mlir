// RUN: dtensor-opt %s -pass-pipeline='builtin.module(dtensor-add-context,func.func(dtensor-gpu-library-calls))' | FileCheck %s

#mk = affine_map<(d0, d1, d2) -> (d0, d2)>
#nk = affine_map<(d0, d1, d2) -> (d1, d2)>
#mn = affine_map<(d0, d1, d2) -> (d0, d1)>
#id = affine_map<(d0, d1) -> (d0, d1)>
#t = affine_map<(d0, d1) -> (d1, d0)>

// CHECK-LABEL: func.func private @a_transposed_operand_is_not_copied(
// CHECK-NOT: linalg.generic
// CHECK: dtensor_gpu.matmul {{.*}}, %arg0 {{\[\[}}0], [1]] * %arg1 {{\[\[}}1], [0]] {{.*}} outs(%{{.*}} {{\[\[}}0], [1]]
func.func private @a_transposed_operand_is_not_copied(%a: tensor<?x?xf32>, %b: tensor<?x?xf32>, %m: index, %n: index) -> tensor<?x?xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%m, %n) : tensor<?x?xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<?x?xf32>) -> tensor<?x?xf32>
  %0 = linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %b : tensor<?x?xf32>, tensor<?x?xf32>) outs(%i : tensor<?x?xf32>) {
  ^bb0(%x: f32, %y: f32, %c: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// Widening in front, rounding behind: the library reads and writes bf16.
// CHECK-LABEL: func.func private @casts_are_taken_in(
// CHECK: dtensor_gpu.matmul {{.*}}, %arg0 {{.*}} * %arg1 {{.*}} : tensor<4x8xbf16>, tensor<16x8xbf16> outs(%{{.*}} : tensor<4x16xbf16>)
func.func private @casts_are_taken_in(%a: tensor<4x8xbf16>, %b: tensor<16x8xbf16>) -> tensor<4x16xbf16> {
  %zero = arith.constant -0.0 : f32
  %ea = tensor.empty() : tensor<4x8xf32>
  %eb = tensor.empty() : tensor<16x8xf32>
  %e = tensor.empty() : tensor<4x16xf32>
  %r = tensor.empty() : tensor<4x16xbf16>
  %wa = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<4x8xbf16>) outs(%ea : tensor<4x8xf32>) {
  ^bb0(%x: bf16, %c: f32):
    %w = arith.extf %x : bf16 to f32
    linalg.yield %w : f32
  } -> tensor<4x8xf32>
  %wb = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%b : tensor<16x8xbf16>) outs(%eb : tensor<16x8xf32>) {
  ^bb0(%x: bf16, %c: f32):
    %w = arith.extf %x : bf16 to f32
    linalg.yield %w : f32
  } -> tensor<16x8xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<4x16xf32>) -> tensor<4x16xf32>
  %0 = linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = ["parallel", "parallel", "reduction"]} ins(%wa, %wb : tensor<4x8xf32>, tensor<16x8xf32>) outs(%i : tensor<4x16xf32>) {
  ^bb0(%x: f32, %y: f32, %c: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<4x16xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<4x16xf32>) outs(%r : tensor<4x16xbf16>) {
  ^bb0(%x: f32, %c: bf16):
    %w = arith.truncf %x : f32 to bf16
    linalg.yield %w : bf16
  } -> tensor<4x16xbf16>
  return %1 : tensor<4x16xbf16>
}

// CHECK-LABEL: func.func private @whole_numbers_stay_loops(
// CHECK-NOT: dtensor_gpu.matmul
// CHECK: linalg.generic
func.func private @whole_numbers_stay_loops(%a: tensor<4x8xi32>, %b: tensor<16x8xi32>, %i: tensor<4x16xi32>) -> tensor<4x16xi32> {
  %0 = linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %b : tensor<4x8xi32>, tensor<16x8xi32>) outs(%i : tensor<4x16xi32>) {
  ^bb0(%x: i32, %y: i32, %c: i32):
    %p = arith.muli %x, %y : i32
    %s = arith.addi %c, %p : i32
    linalg.yield %s : i32
  } -> tensor<4x16xi32>
  return %0 : tensor<4x16xi32>
}

// The residual of a layer: the library adds it before it rounds.
// CHECK-LABEL: func.func private @an_addition_is_taken_in(
// CHECK-NOT: linalg.generic
// CHECK: dtensor_gpu.matmul {{.*}} addend(%arg2 : tensor<?x?xbf16>) outs(
// CHECK-NOT: linalg.generic
func.func private @an_addition_is_taken_in(%a: tensor<?x?xbf16>, %b: tensor<?x?xbf16>, %x: tensor<?x?xbf16>, %m: index, %n: index) -> tensor<?x?xbf16> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%m, %n) : tensor<?x?xf32>
  %r = tensor.empty(%m, %n) : tensor<?x?xbf16>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<?x?xf32>) -> tensor<?x?xf32>
  %0 = linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %b : tensor<?x?xbf16>, tensor<?x?xbf16>) outs(%i : tensor<?x?xf32>) {
  ^bb0(%s: bf16, %t: bf16, %c: f32):
    %u = arith.extf %s : bf16 to f32
    %v = arith.extf %t : bf16 to f32
    %p = arith.mulf %u, %v : f32
    %q = arith.addf %c, %p : f32
    linalg.yield %q : f32
  } -> tensor<?x?xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<?x?xf32>) outs(%r : tensor<?x?xbf16>) {
  ^bb0(%s: f32, %c: bf16):
    %w = arith.truncf %s : f32 to bf16
    linalg.yield %w : bf16
  } -> tensor<?x?xbf16>
  %2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %1 : tensor<?x?xbf16>, tensor<?x?xbf16>) outs(%r : tensor<?x?xbf16>) {
  ^bb0(%s: bf16, %t: bf16, %c: bf16):
    %w = arith.addf %s, %t : bf16
    linalg.yield %w : bf16
  } -> tensor<?x?xbf16>
  return %2 : tensor<?x?xbf16>
}

// A pending sum: one rank adds the value, the others nothing.
// CHECK-LABEL: func.func private @an_addition_on_one_rank_is_taken_in(
// CHECK: dtensor_gpu.matmul {{.*}} addend(%arg2 : tensor<4x16xf32>) if %arg3 outs(
// CHECK-NEXT: return
func.func private @an_addition_on_one_rank_is_taken_in(%a: tensor<4x8xf32>, %b: tensor<16x8xf32>, %x: tensor<4x16xf32>, %first: i1) -> tensor<4x16xf32> {
  %zero = arith.constant -0.0 : f32
  %e = tensor.empty() : tensor<4x16xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<4x16xf32>) -> tensor<4x16xf32>
  %0 = linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %b : tensor<4x8xf32>, tensor<16x8xf32>) outs(%i : tensor<4x16xf32>) {
  ^bb0(%s: f32, %t: f32, %c: f32):
    %p = arith.mulf %s, %t : f32
    %q = arith.addf %c, %p : f32
    linalg.yield %q : f32
  } -> tensor<4x16xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x16xf32>) outs(%e : tensor<4x16xf32>) {
  ^bb0(%s: f32, %c: f32):
    %w = arith.select %first, %s, %zero : f32
    linalg.yield %w : f32
  } -> tensor<4x16xf32>
  %2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%1, %0 : tensor<4x16xf32>, tensor<4x16xf32>) outs(%e : tensor<4x16xf32>) {
  ^bb0(%s: f32, %t: f32, %c: f32):
    %w = arith.addf %s, %t : f32
    linalg.yield %w : f32
  } -> tensor<4x16xf32>
  return %2 : tensor<4x16xf32>
}

// CHECK-LABEL: func.func private @an_addition_of_two_uses_stays(
// CHECK: dtensor_gpu.matmul
// CHECK-NOT: addend
// CHECK: linalg.generic
func.func private @an_addition_of_two_uses_stays(%a: tensor<4x8xf32>, %b: tensor<16x8xf32>, %x: tensor<4x16xf32>) -> (tensor<4x16xf32>, tensor<4x16xf32>) {
  %zero = arith.constant -0.0 : f32
  %e = tensor.empty() : tensor<4x16xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<4x16xf32>) -> tensor<4x16xf32>
  %0 = linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %b : tensor<4x8xf32>, tensor<16x8xf32>) outs(%i : tensor<4x16xf32>) {
  ^bb0(%s: f32, %t: f32, %c: f32):
    %p = arith.mulf %s, %t : f32
    %q = arith.addf %c, %p : f32
    linalg.yield %q : f32
  } -> tensor<4x16xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %0 : tensor<4x16xf32>, tensor<4x16xf32>) outs(%e : tensor<4x16xf32>) {
  ^bb0(%s: f32, %t: f32, %c: f32):
    %w = arith.addf %s, %t : f32
    linalg.yield %w : f32
  } -> tensor<4x16xf32>
  return %0, %1 : tensor<4x16xf32>, tensor<4x16xf32>
}

#tgd = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3)>
#gdn = affine_map<(d0, d1, d2, d3) -> (d2, d3, d1)>
#tn = affine_map<(d0, d1, d2, d3) -> (d0, d1)>

// The two dimensions that are summed over are no one dimension in memory.
// CHECK-LABEL: func.func private @a_slice_with_gaps_is_packed(
// CHECK: %[[S:.*]] = tensor.extract_slice
// CHECK: %[[P:.*]] = bufferization.alloc_tensor() copy(%[[S]]) : tensor<?x4x5xf32>
// CHECK: dtensor_gpu.matmul {{.*}}, %[[P]] {{\[\[}}0], [1, 2]] * %arg1 {{\[\[}}0, 1], [2]]
func.func private @a_slice_with_gaps_is_packed(%x: tensor<?x4x8xf32>, %w: tensor<4x5x6xf32>, %t: index) -> tensor<?x6xf32> {
  %zero = arith.constant -0.0 : f32
  %s = tensor.extract_slice %x[0, 0, 1] [%t, 4, 5] [1, 1, 1] : tensor<?x4x8xf32> to tensor<?x4x5xf32>
  %e = tensor.empty(%t) : tensor<?x6xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<?x6xf32>) -> tensor<?x6xf32>
  %0 = linalg.generic {indexing_maps = [#tgd, #gdn, #tn], iterator_types = ["parallel", "parallel", "reduction", "reduction"]} ins(%s, %w : tensor<?x4x5xf32>, tensor<4x5x6xf32>) outs(%i : tensor<?x6xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %q = arith.addf %c, %p : f32
    linalg.yield %q : f32
  } -> tensor<?x6xf32>
  return %0 : tensor<?x6xf32>
}

// Cutting the outer one of the two leaves them side by side.
// CHECK-LABEL: func.func private @a_slice_without_gaps_stays_in_place(
// CHECK-NOT: alloc_tensor
// CHECK: dtensor_gpu.matmul
func.func private @a_slice_without_gaps_stays_in_place(%x: tensor<3x9x5xf32>, %w: tensor<4x5x6xf32>) -> tensor<3x6xf32> {
  %zero = arith.constant -0.0 : f32
  %s = tensor.extract_slice %x[0, 2, 0] [3, 4, 5] [1, 1, 1] : tensor<3x9x5xf32> to tensor<3x4x5xf32>
  %e = tensor.empty() : tensor<3x6xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<3x6xf32>) -> tensor<3x6xf32>
  %0 = linalg.generic {indexing_maps = [#tgd, #gdn, #tn], iterator_types = ["parallel", "parallel", "reduction", "reduction"]} ins(%s, %w : tensor<3x4x5xf32>, tensor<4x5x6xf32>) outs(%i : tensor<3x6xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %q = arith.addf %c, %p : f32
    linalg.yield %q : f32
  } -> tensor<3x6xf32>
  return %0 : tensor<3x6xf32>
}
