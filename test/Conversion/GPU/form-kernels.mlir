// RUN: dtensor-opt %s -split-input-file -pass-pipeline='builtin.module(dtensor-add-context,dtensor-gpu-form-kernels)' | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// The maximum, the exponentials and their sum never reach memory.
// CHECK-LABEL: func.func private @softmax_is_one_kernel(
// CHECK-NOT: linalg.generic
// CHECK: dtensor_gpu.compute {{.*}} ins(%arg0 : tensor<?x?xf32>) outs(%{{.*}} : tensor<?x?xf32>)
// CHECK-NOT: dtensor_gpu.compute
// CHECK: return
// CHECK: gpu.func @kernel_rows_0
// CHECK: llvm.load {{.*}}alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
// CHECK: nvvm.shfl.sync
// CHECK: gpu.func @kernel_cluster_1
// CHECK: nvvm.cluster.arrive.relaxed
// CHECK: nvvm.cluster.wait
// CHECK: nvvm.mapa
// CHECK: gpu.func @kernel_loop_2
// CHECK: gpu.func @kernel_plain_3
func.func private @softmax_is_one_kernel(%x: tensor<?x?xf32>, %m: index, %n: index) -> tensor<?x?xf32> {
  %low = arith.constant 0xFF800000 : f32
  %zero = arith.constant -0.0 : f32
  %e1 = tensor.empty(%m) : tensor<?xf32>
  %e2 = tensor.empty(%m, %n) : tensor<?x?xf32>
  %i1 = linalg.fill ins(%low : f32) outs(%e1 : tensor<?xf32>) -> tensor<?xf32>
  %i2 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<?xf32>) -> tensor<?xf32>
  %0 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<?x?xf32>) outs(%i1 : tensor<?xf32>) {
  ^bb0(%a: f32, %c: f32):
    %s = arith.maximumf %c, %a : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  %1 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %0 : tensor<?x?xf32>, tensor<?xf32>) outs(%e2 : tensor<?x?xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %s = arith.subf %a, %b : f32
    %t = math.exp %s : f32
    linalg.yield %t : f32
  } -> tensor<?x?xf32>
  %2 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%1 : tensor<?x?xf32>) outs(%i2 : tensor<?xf32>) {
  ^bb0(%a: f32, %c: f32):
    %s = arith.addf %c, %a : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  %3 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%1, %2 : tensor<?x?xf32>, tensor<?xf32>) outs(%e2 : tensor<?x?xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %s = arith.divf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x?xf32>
  return %3 : tensor<?x?xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#column = affine_map<(d0, d1) -> (d1)>

// Sums along d1 and along d0 have no row in common.
// CHECK-LABEL: func.func private @two_directions_are_two_kernels(
// CHECK-COUNT-2: dtensor_gpu.compute
// CHECK-NOT: dtensor_gpu.compute
// CHECK: return
// CHECK: gpu.func @kernel_columns
func.func private @two_directions_are_two_kernels(%x: tensor<8x16xf32>, %r: tensor<8xf32>, %c: tensor<16xf32>) -> (tensor<8xf32>, tensor<16xf32>) {
  %0 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<8x16xf32>) outs(%r : tensor<8xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %b, %a : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  %1 = linalg.generic {indexing_maps = [#id, #column], iterator_types = ["reduction", "parallel"]} ins(%x : tensor<8x16xf32>) outs(%c : tensor<16xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %b, %a : f32
    linalg.yield %s : f32
  } -> tensor<16xf32>
  return %0, %1 : tensor<8xf32>, tensor<16xf32>
}

// -----

#vector = affine_map<(d0) -> (d0)>

// CHECK-LABEL: func.func private @a_value_that_leaves_between_stays_outside(
// CHECK: %[[A:.*]] = dtensor_gpu.compute
// CHECK: %[[B:.*]] = call @other(%[[A]]
// CHECK: dtensor_gpu.compute {{.*}} ins(%[[A]], %[[B]] :
func.func private @other(tensor<?xf32>, !llvm.ptr {dtensor.context}) -> tensor<?xf32>
func.func private @a_value_that_leaves_between_stays_outside(%x: tensor<?xf32>, %n: index, %p: !llvm.ptr) -> tensor<?xf32> {
  %e = tensor.empty(%n) : tensor<?xf32>
  %0 = linalg.generic {indexing_maps = [#vector, #vector], iterator_types = ["parallel"]} ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%a: f32, %c: f32):
    %s = math.exp %a : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  %1 = call @other(%0, %p) : (tensor<?xf32>, !llvm.ptr) -> tensor<?xf32>
  %2 = linalg.generic {indexing_maps = [#vector, #vector, #vector], iterator_types = ["parallel"]} ins(%0, %1 : tensor<?xf32>, tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  return %2 : tensor<?xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>

// Rows of a slice that lacks every second row are no one long row. They are read
// wide all the same: unit stride, 16 bytes of alignment, rows that begin at
// multiples of 4 elements; not that rows follow each other without gaps.
// CHECK-LABEL: func.func private @rows_of_a_slice_are_read_wide(
// CHECK: dtensor_gpu.compute {{.*}} variants [{conditions = array<i64: 0, 0, 1, 0, 2, 0, 16, 0, 3, 0, 0, 4,
// CHECK: gpu.func @kernel_wide_0
// CHECK: llvm.load {{.*}}alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
func.func private @rows_of_a_slice_are_read_wide(%x: tensor<?x2x?xf32>, %m: index, %n: index) -> tensor<?x?xf32> {
  %s = tensor.extract_slice %x[0, 1, 0] [%m, 1, %n] [1, 1, 1] : tensor<?x2x?xf32> to tensor<?x?xf32>
  %e = tensor.empty(%m, %n) : tensor<?x?xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%s : tensor<?x?xf32>) outs(%e : tensor<?x?xf32>) {
  ^bb0(%a: f32, %c: f32):
    %t = math.exp %a : f32
    linalg.yield %t : f32
  } -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}
