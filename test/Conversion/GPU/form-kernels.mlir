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
// Rows of up to half the length have half the places.
// CHECK: gpu.func @kernel_cluster_1
// CHECK: scf.for {{.*}} -> (vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>, i32)
// CHECK: gpu.func @kernel_cluster_2
// The first row is on its way before the cluster has met, the next one while a
// row is computed; blocks send each other the maximum, then the sum.
// CHECK: nvvm.mbarrier.init
// CHECK: nvvm.cluster.arrive
// CHECK-COUNT-8: llvm.load {{.*}} -> vector<4xf32>
// CHECK: nvvm.cluster.wait
// CHECK: scf.for {{.*}} -> (vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>, i32)
// CHECK: scf.if
// CHECK-COUNT-8: llvm.load {{.*}} -> vector<4xf32>
// CHECK-COUNT-2: "st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.b32 [$0], $1, [$2];"
// CHECK-COUNT-8: llvm.store {{.*}} : vector<4xf32>
// CHECK: gpu.func @kernel_loop_3
// CHECK: gpu.func @kernel_plain_4
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

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#vector = affine_map<(d0) -> (d0)>

// What the kernels of a loss share are the logits as they came, not a copy of
// twice the size; also where only one of a row is looked up.
// CHECK-LABEL: func.func private @widened_numbers_stay_out_of_memory(
// CHECK: %[[TOP:.*]] = dtensor_gpu.compute {{.*}} ins(%arg0 : tensor<?x?xbf16>) outs(%{{.*}} : tensor<?xf32>)
// CHECK: %[[ALL:.*]] = call @sync(%[[TOP]]
// CHECK: dtensor_gpu.compute {{.*}} ins(%arg0, %[[ALL]] : tensor<?x?xbf16>, tensor<?xf32>) outs(%{{.*}} : tensor<?xf32>)
// CHECK: dtensor_gpu.compute {{.*}} ins(%arg1, %arg0 : tensor<?xindex>, tensor<?x?xbf16>) outs(%{{.*}} : tensor<?xf32>)
func.func private @sync(tensor<?xf32>, !llvm.ptr {dtensor.context}) -> tensor<?xf32>
func.func private @widened_numbers_stay_out_of_memory(%x: tensor<?x?xbf16>, %label: tensor<?xindex>, %m: index, %n: index, %p: !llvm.ptr) -> (tensor<?xf32>, tensor<?xf32>) {
  %low = arith.constant 0xFF800000 : f32
  %zero = arith.constant -0.0 : f32
  %e1 = tensor.empty(%m) : tensor<?xf32>
  %e2 = tensor.empty(%m, %n) : tensor<?x?xf32>
  %i1 = linalg.fill ins(%low : f32) outs(%e1 : tensor<?xf32>) -> tensor<?xf32>
  %i2 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<?xf32>) -> tensor<?xf32>
  %wide = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<?x?xbf16>) outs(%e2 : tensor<?x?xf32>) {
  ^bb0(%a: bf16, %c: f32):
    %s = arith.extf %a : bf16 to f32
    linalg.yield %s : f32
  } -> tensor<?x?xf32>
  %0 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%wide : tensor<?x?xf32>) outs(%i1 : tensor<?xf32>) {
  ^bb0(%a: f32, %c: f32):
    %s = arith.maximumf %c, %a : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  %1 = call @sync(%0, %p) : (tensor<?xf32>, !llvm.ptr) -> tensor<?xf32>
  %2 = linalg.generic {indexing_maps = [#id, #row, #row], iterator_types = ["parallel", "reduction"]} ins(%wide, %1 : tensor<?x?xf32>, tensor<?xf32>) outs(%i2 : tensor<?xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %s = arith.subf %a, %b : f32
    %t = math.exp %s : f32
    %u = arith.addf %c, %t : f32
    linalg.yield %u : f32
  } -> tensor<?xf32>
  %3 = linalg.generic {indexing_maps = [#vector, #vector], iterator_types = ["parallel"]} ins(%label : tensor<?xindex>) outs(%e1 : tensor<?xf32>) {
  ^bb0(%a: index, %c: f32):
    %i = linalg.index 0 : index
    %s = tensor.extract %wide[%i, %a] : tensor<?x?xf32>
    linalg.yield %s : f32
  } -> tensor<?xf32>
  return %2, %3 : tensor<?xf32>, tensor<?xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#first = affine_map<(d0, d1) -> (d0, 0)>
#in = affine_map<(d0, d1, d2) -> (d0, d1)>
#out = affine_map<(d0, d1, d2) -> (d0, d2)>

// A sum that keeps its dimension, now of extent 1, repeats nothing.
// CHECK-LABEL: func.func private @kept_dimensions_do_not_part_kernels(
// CHECK: dtensor_gpu.compute {{.*}} ins(%arg0, %arg1 : tensor<?x?xf32>, tensor<?x1xf32>) outs(%{{.*}} : tensor<?x1xf32>)
// CHECK-NOT: dtensor_gpu.compute
// CHECK: return
func.func private @kept_dimensions_do_not_part_kernels(%x: tensor<?x?xf32>, %top: tensor<?x1xf32>, %m: index, %n: index) -> tensor<?x1xf32> {
  %zero = arith.constant -0.0 : f32
  %e1 = tensor.empty(%m) : tensor<?x1xf32>
  %e2 = tensor.empty(%m, %n) : tensor<?x?xf32>
  %i1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<?x1xf32>) -> tensor<?x1xf32>
  %0 = linalg.generic {indexing_maps = [#id, #first, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %top : tensor<?x?xf32>, tensor<?x1xf32>) outs(%e2 : tensor<?x?xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %s = arith.subf %a, %b : f32
    %t = math.exp %s : f32
    linalg.yield %t : f32
  } -> tensor<?x?xf32>
  %1 = linalg.generic {indexing_maps = [#in, #out], iterator_types = ["parallel", "reduction", "parallel"]} ins(%0 : tensor<?x?xf32>) outs(%i1 : tensor<?x1xf32>) {
  ^bb0(%a: f32, %c: f32):
    %s = arith.addf %c, %a : f32
    linalg.yield %s : f32
  } -> tensor<?x1xf32>
  return %1 : tensor<?x1xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// What reads a row once walks over it, four accesses at a time: there is nothing
// that a cluster would keep.
// CHECK-LABEL: func.func private @one_walk_needs_no_cluster(
// CHECK: gpu.func @kernel_rows_0
// CHECK-NOT: cluster
// CHECK: gpu.func @kernel_loop_1
// CHECK: scf.for
// CHECK-COUNT-4: llvm.load {{.*}} -> vector<4xf32>
// CHECK: arith.addf
// CHECK-NOT: cluster
// CHECK: gpu.func @kernel_plain_2
func.func private @one_walk_needs_no_cluster(%x: tensor<?x?xf32>, %m: index) -> tensor<?xf32> {
  %zero = arith.constant -0.0 : f32
  %e = tensor.empty(%m) : tensor<?xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %0 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<?x?xf32>) outs(%i : tensor<?xf32>) {
  ^bb0(%a: f32, %c: f32):
    %s = arith.addf %c, %a : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#column = affine_map<(d0, d1) -> (d1)>

// Every row of a cluster is scaled by the same weight: it is in shared memory
// before the walk. Of eight places of 8 KiB three are read again for each row.
// CHECK-LABEL: func.func private @a_weight_is_kept_for_all_rows(
// CHECK: gpu.func @kernel_cluster_1
// CHECK-SAME: workgroup({{.*}} : memref<2048xvector<4xf32>, #gpu.address_space<workgroup>>
// CHECK: gpu.func @kernel_cluster_2
// CHECK-SAME: workgroup({{.*}} : memref<2560xvector<4xf32>, #gpu.address_space<workgroup>>
// CHECK: nvvm.cluster.arrive
// CHECK-COUNT-5: memref.store {{.*}} : memref<2560xvector<4xf32>
// CHECK: nvvm.cluster.wait
// CHECK: scf.for
// CHECK-NOT: memref.store {{.*}} : memref<2560xvector<4xf32>
// CHECK-COUNT-5: memref.load {{.*}} : memref<2560xvector<4xf32>
// CHECK-NOT: memref.load {{.*}} : memref<2560xvector<4xf32>
// CHECK: gpu.func @kernel_loop_3
func.func private @a_weight_is_kept_for_all_rows(%x: tensor<?x?xf32>, %w: tensor<?xf32>, %m: index, %n: index) -> tensor<?x?xf32> {
  %zero = arith.constant -0.0 : f32
  %e1 = tensor.empty(%m) : tensor<?xf32>
  %e2 = tensor.empty(%m, %n) : tensor<?x?xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e1 : tensor<?xf32>) -> tensor<?xf32>
  %0 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<?x?xf32>) outs(%i : tensor<?xf32>) {
  ^bb0(%a: f32, %c: f32):
    %s = arith.addf %c, %a : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  %1 = linalg.generic {indexing_maps = [#id, #row, #column, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %0, %w : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>) outs(%e2 : tensor<?x?xf32>) {
  ^bb0(%a: f32, %b: f32, %k: f32, %c: f32):
    %s = arith.divf %a, %b : f32
    %t = arith.mulf %s, %k : f32
    linalg.yield %t : f32
  } -> tensor<?x?xf32>
  return %1 : tensor<?x?xf32>
}

// -----

#id3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#kept = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
#summed = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#total = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>

// A sum that keeps its dimension, as PyTorch's users write norms, is read where
// that has its only element.
// CHECK-LABEL: func.func private @a_norm_with_a_kept_dimension_is_one_kernel(
// CHECK-NOT: linalg.generic
// CHECK: dtensor_gpu.compute {{.*}} ins(%arg0 : tensor<?x1x64xf32>) outs(%{{.*}} : tensor<?x1x64xf32>)
// CHECK-NOT: dtensor_gpu.compute
// CHECK: return
func.func private @a_norm_with_a_kept_dimension_is_one_kernel(%x: tensor<?x1x64xf32>, %m: index) -> tensor<?x1x64xf32> {
  %zero = arith.constant -0.0 : f32
  %e2 = tensor.empty(%m) : tensor<?x1x1xf32>
  %e3 = tensor.empty(%m) : tensor<?x1x64xf32>
  %i1 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<?x1x1xf32>) -> tensor<?x1x1xf32>
  %0 = linalg.generic {indexing_maps = [#summed, #total], iterator_types = ["parallel", "parallel", "reduction", "parallel"]} ins(%x : tensor<?x1x64xf32>) outs(%i1 : tensor<?x1x1xf32>) {
  ^bb0(%a: f32, %c: f32):
    %s = arith.addf %c, %a : f32
    linalg.yield %s : f32
  } -> tensor<?x1x1xf32>
  %1 = linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%0 : tensor<?x1x1xf32>) outs(%e2 : tensor<?x1x1xf32>) {
  ^bb0(%a: f32, %c: f32):
    %s = math.rsqrt %a : f32
    linalg.yield %s : f32
  } -> tensor<?x1x1xf32>
  %2 = linalg.generic {indexing_maps = [#id3, #kept, #id3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%x, %1 : tensor<?x1x64xf32>, tensor<?x1x1xf32>) outs(%e3 : tensor<?x1x64xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %s = arith.mulf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x1x64xf32>
  return %2 : tensor<?x1x64xf32>
}
