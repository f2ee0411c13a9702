// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s
// RUN: dtensor-opt %s -mlir-print-op-generic | dtensor-opt | FileCheck %s

#mesh = #dtensor.mesh<"tp" = ?>
#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(i) -> (i)>

// CHECK-LABEL: func.func @matmul_of_dynamic_extents
// CHECK: dtensor.generic "matmul" maps = [#{{.+}}, #{{.+}}, #{{.+}}] iterators = [parallel, parallel, reduction] reduce = [sum] ins(%{{.+}}, %{{.+}} : tensor<?x64xf32, {{.+}}>, tensor<64x?xf32, {{.+}}>) {
// CHECK-NEXT: ^bb0(%[[X:.+]]: f32, %[[W:.+]]: f32):
// CHECK-NEXT:   %[[P:.+]] = arith.mulf %[[X]], %[[W]] : f32
// CHECK-NEXT:   dtensor.yield %[[P]] : f32
// CHECK-NEXT: } -> tensor<?x?xf32, {{.+}}>
func.func @matmul_of_dynamic_extents(
    %a: tensor<?x64xf32, #dtensor.layout<#mesh, [?], (B, 64)>>,
    %b: tensor<64x?xf32, #dtensor.layout<#mesh, [?], (64, N)>>)
    -> tensor<?x?xf32, #dtensor.layout<#mesh, [?], (B, N)>> {
  %y = dtensor.generic "matmul" maps = [#mk, #kn, #mn] iterators = [parallel, parallel, reduction] reduce = [sum]
      ins(%a, %b : tensor<?x64xf32, #dtensor.layout<#mesh, [?], (B, 64)>>, tensor<64x?xf32, #dtensor.layout<#mesh, [?], (64, N)>>) {
  ^bb0(%x: f32, %w: f32):
    %p = arith.mulf %x, %w : f32
    dtensor.yield %p : f32
  } -> tensor<?x?xf32, #dtensor.layout<#mesh, [?], (B, N)>>
  return %y : tensor<?x?xf32, #dtensor.layout<#mesh, [?], (B, N)>>
}

// CHECK-LABEL: func.func @matmul_of_static_plain_tensors
// CHECK: dtensor.generic maps = {{.+}} ins(%{{.+}} : tensor<4x64xf32>, tensor<64x8xf32>) {
// CHECK: } -> tensor<4x8xf32>
func.func @matmul_of_static_plain_tensors(%a: tensor<4x64xf32>, %b: tensor<64x8xf32>) -> tensor<4x8xf32> {
  %y = dtensor.generic maps = [#mk, #kn, #mn] iterators = [parallel, parallel, reduction] reduce = [sum]
      ins(%a, %b : tensor<4x64xf32>, tensor<64x8xf32>) {
  ^bb0(%x: f32, %w: f32):
    %p = arith.mulf %x, %w : f32
    dtensor.yield %p : f32
  } -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// CHECK-LABEL: func.func @positions_without_inputs
// CHECK: dtensor.generic maps = [#{{.+}}] iterators = [parallel] {
// CHECK-NEXT: dtensor.index 0
func.func @positions_without_inputs() -> tensor<?xindex, #dtensor.layout<#mesh, [?], (N)>> {
  %y = dtensor.generic maps = [#id] iterators = [parallel] {
    %i = dtensor.index 0
    dtensor.yield %i : index
  } -> tensor<?xindex, #dtensor.layout<#mesh, [?], (N)>>
  return %y : tensor<?xindex, #dtensor.layout<#mesh, [?], (N)>>
}

// CHECK-LABEL: func.func @captures_and_outside_scalars
// CHECK: ins(%{{.+}} : tensor<?xindex>) captures(%{{.+}} : tensor<?xf32>) attributes {note = 1 : i64} {
// CHECK-NEXT: ^bb0(%[[I:.+]]: index, %[[T:.+]]: tensor<?xf32>):
// CHECK-NEXT: tensor.extract %[[T]][%[[I]]] : tensor<?xf32>
func.func @captures_and_outside_scalars(%i: tensor<?xindex>, %t: tensor<?xf32>, %s: f32) -> tensor<?xf32> {
  %y = dtensor.generic maps = [#id, #id] iterators = [parallel]
      ins(%i : tensor<?xindex>) captures(%t : tensor<?xf32>) attributes {note = 1 : i64} {
  ^bb0(%at: index, %table: tensor<?xf32>):
    %v = tensor.extract %table[%at] : tensor<?xf32>
    %p = arith.mulf %v, %s : f32
    dtensor.yield %p : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// CHECK-LABEL: func.func @two_results_reduced_in_two_ways
// CHECK: reduce = [sum, max]
// CHECK: -> (tensor<?xf32>, tensor<?x1xf32>)
func.func @two_results_reduced_in_two_ways(%x: tensor<?x?xf32>) -> (tensor<?xf32>, tensor<?x1xf32>) {
  %y:2 = dtensor.generic maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, 0)>]
      iterators = [parallel, reduction] reduce = [sum, max] ins(%x : tensor<?x?xf32>) {
  ^bb0(%v: f32):
    dtensor.yield %v, %v : f32, f32
  } -> (tensor<?xf32>, tensor<?x1xf32>)
  return %y#0, %y#1 : tensor<?xf32>, tensor<?x1xf32>
}

// CHECK-LABEL: func.func @windows_of_a_convolution
// CHECK: dtensor.generic "conv"
func.func @windows_of_a_convolution(%x: tensor<?xf32>, %w: tensor<3xf32>) -> tensor<?xf32> {
  %y = dtensor.generic "conv" maps = [affine_map<(i, k) -> (i + k)>, affine_map<(i, k) -> (k)>, affine_map<(i, k) -> (i)>]
      iterators = [parallel, reduction] reduce = [sum] ins(%x, %w : tensor<?xf32>, tensor<3xf32>) {
  ^bb0(%a: f32, %b: f32):
    %p = arith.mulf %a, %b : f32
    dtensor.yield %p : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// CHECK-LABEL: func.func @a_scalar_of_rank_zero
// CHECK: iterators = []
func.func @a_scalar_of_rank_zero(%x: tensor<f32, #dtensor.layout<#mesh, [replicate], ()>>) -> tensor<f32, #dtensor.layout<#mesh, [?], ()>> {
  %y = dtensor.generic maps = [affine_map<() -> ()>, affine_map<() -> ()>] iterators = []
      ins(%x : tensor<f32, #dtensor.layout<#mesh, [replicate], ()>>) {
  ^bb0(%v: f32):
    dtensor.yield %v : f32
  } -> tensor<f32, #dtensor.layout<#mesh, [?], ()>>
  return %y : tensor<f32, #dtensor.layout<#mesh, [?], ()>>
}
