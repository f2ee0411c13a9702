// RUN: dtensor-opt %s -dtensor-add-context -dtensor-lower-local -split-input-file | FileCheck %s

#mesh = #dtensor.mesh<"dp" = 2, "tp" = ?>

// Axes are packed 4 bits each, axis number + 1: [1, 0] is 0x12 = 18.
// CHECK-LABEL: func.func @a_gather_writes_into_an_empty_tensor(
// CHECK-SAME: %[[X:[^:]*]]: tensor<?x4xf32>, %[[N:[^:]*]]: index, %[[C:[^:]*]]: index, %[[CTX:[^:]*]]: !llvm.ptr
func.func @a_gather_writes_into_an_empty_tensor(%x: tensor<?x4xf32>, %n: index, %c: index) -> tensor<?x4xf32> {
  // CHECK: %[[DEST:.*]] = tensor.empty(%[[N]]) : tensor<?x4xf32>
  // CHECK-DAG: %[[DIM:.*]] = arith.constant 0 : i64
  // CHECK-DAG: %[[UNIT:.*]] = arith.constant 1 : i64
  // CHECK-DAG: %[[AXES:.*]] = arith.constant 18 : i64
  // CHECK-DAG: %[[F32:.*]] = arith.constant 1 : i32
  // CHECK: dtensor_rt.collective @dtensor_rt_all_gather %[[CTX]] : !llvm.ptr ins(%[[X]] : tensor<?x4xf32>) outs(%[[DEST]] : tensor<?x4xf32>) scalars(%[[DIM]], %[[UNIT]], %[[AXES]], %[[F32]] : i64, i64, i64, i32)
  %0 = dtensor.all_gather %x dim 0 extent %n capacity %c on #mesh axes [1, 0] : tensor<?x4xf32> -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: func.func @a_gather_of_static_sizes(
func.func @a_gather_of_static_sizes(%x: tensor<2x4xf32>, %n: index, %c: index) -> tensor<4x4xf32> {
  // CHECK: tensor.empty() : tensor<4x4xf32>
  %0 = dtensor.all_gather %x dim 0 extent %n capacity %c on #mesh axes [0] : tensor<2x4xf32> -> tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}

// CHECK-LABEL: func.func @an_average_is_a_sum_divided_by_the_ranks(
// CHECK-SAME: %[[X:[^:]*]]: tensor<?xbf16>, %[[TP:[^:]*]]: index {dtensor.axis_size = "tp"}
func.func @an_average_is_a_sum_divided_by_the_ranks(%x: tensor<?xbf16>, %tp: index {dtensor.axis_size = "tp"}) -> tensor<?xbf16> {
  // CHECK: %[[SUM:.*]] = dtensor_rt.collective @dtensor_rt_all_reduce
  // CHECK: %[[DP:.*]] = arith.constant 2 : index
  // CHECK: %[[ONE:.*]] = arith.muli %{{.*}}, %[[DP]] : index
  // CHECK: %[[RANKS:.*]] = arith.muli %[[ONE]], %[[TP]] : index
  // CHECK: linalg.generic {{.*}} ins(%[[SUM]] :
  // CHECK: arith.extf {{.*}} bf16 to f32
  // CHECK-NEXT: arith.divf {{.*}} : f32
  // CHECK-NEXT: arith.truncf {{.*}} f32 to bf16
  %0 = dtensor.all_reduce avg %x on #mesh axes [0, 1] : tensor<?xbf16>
  return %0 : tensor<?xbf16>
}

// CHECK-LABEL: func.func @a_scatter_takes_this_ranks_offset(
// CHECK-SAME: %[[X:[^:]*]]: tensor<?xi32>, %[[O:[^:]*]]: index, %[[S:[^:]*]]: index
func.func @a_scatter_takes_this_ranks_offset(%x: tensor<?xi32>, %o: index, %s: index) -> tensor<?xi32> {
  // CHECK: tensor.empty(%[[S]])
  // CHECK-DAG: %[[OFFSET:.*]] = arith.index_cast %[[O]] : index to i64
  // CHECK-DAG: %[[MAX:.*]] = arith.constant 1 : i32
  // CHECK-DAG: %[[I32:.*]] = arith.constant 5 : i32
  // CHECK: dtensor_rt.collective @dtensor_rt_reduce_scatter {{.*}} scalars(%{{[^,]*}}, %[[OFFSET]], %{{[^,]*}}, %{{[^,]*}}, %[[MAX]], %[[I32]] :
  %0 = dtensor.reduce_scatter max %x dim 0 offset %o size %s capacity %s on #mesh axes [0] : tensor<?xi32> -> tensor<?xi32>
  return %0 : tensor<?xi32>
}

// CHECK-LABEL: func.func @a_gather_in_units(
// CHECK-SAME: %{{[^:]*}}: tensor<?x4xf32>, %[[N:[^:]*]]: index, %[[U:[^:]*]]: index
func.func @a_gather_in_units(%x: tensor<?x4xf32>, %n: index, %u: index) -> tensor<?x4xf32> {
  // CHECK: %[[UNIT:.*]] = arith.index_cast %[[U]] : index to i64
  // CHECK: dtensor_rt.collective @dtensor_rt_all_gather {{.*}} scalars(%{{[^,]*}}, %[[UNIT]],
  %0 = dtensor.all_gather %x dim 0 extent %n capacity %n unit %u on #mesh axes [0] : tensor<?x4xf32> -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: func.func @an_exchange_changes_both_dimensions(
// CHECK-SAME: %{{[^:]*}}: tensor<?x?xf32>, %[[N:[^:]*]]: index, %[[O:[^:]*]]: index, %[[S:[^:]*]]: index
func.func @an_exchange_changes_both_dimensions(%x: tensor<?x?xf32>, %n: index, %o: index, %s: index) -> tensor<?x?xf32> {
  // CHECK: tensor.empty(%[[N]], %[[S]])
  // CHECK: dtensor_rt.collective @dtensor_rt_all_to_all
  %0 = dtensor.all_to_all %x gather 0 extent %n capacity %n split 1 offset %o size %s capacity %s on #mesh axes [0] : tensor<?x?xf32> -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// CHECK-LABEL: func.func @a_permute_has_the_senders_sizes(
// CHECK-SAME: %{{[^:]*}}: tensor<?x4xf32>, %[[Q:[^:]*]]: index, %[[S:[^:]*]]: index
func.func @a_permute_has_the_senders_sizes(%x: tensor<?x4xf32>, %q: index, %s: index) -> tensor<?x4xf32> {
  // CHECK: tensor.empty(%[[S]]) : tensor<?x4xf32>
  // CHECK: arith.index_cast %[[Q]] : index to i64
  // CHECK: dtensor_rt.collective @dtensor_rt_collective_permute
  %0 = dtensor.collective_permute %x source %q sizes(%s) on #mesh axes [0] : tensor<?x4xf32> -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>

// CHECK-LABEL: func.func @a_shard_slice_is_a_slice(
// CHECK-SAME: %[[X:[^:]*]]: tensor<?x4xf32>, %[[O:[^:]*]]: index, %[[S:[^:]*]]: index
func.func @a_shard_slice_is_a_slice(%x: tensor<?x4xf32>, %o: index, %s: index) -> tensor<?x4xf32> {
  // CHECK: tensor.extract_slice %[[X]][%[[O]], 0] [%[[S]], 4] [1, 1] : tensor<?x4xf32> to tensor<?x4xf32>
  %0 = dtensor.shard_slice %x dim 0 offset %o size %s : tensor<?x4xf32> -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: func.func @a_shard_slice_of_static_size(
// CHECK-SAME: %[[X:[^:]*]]: tensor<8x4xf32>, %[[O:[^:]*]]: index
func.func @a_shard_slice_of_static_size(%x: tensor<8x4xf32>, %o: index, %s: index) -> tensor<2x4xf32> {
  // CHECK: tensor.extract_slice %[[X]][%[[O]], 0] [2, 4] [1, 1] : tensor<8x4xf32> to tensor<2x4xf32>
  %0 = dtensor.shard_slice %x dim 0 offset %o size %s : tensor<8x4xf32> -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// CHECK-LABEL: func.func @axis_ops_are_the_functions_arguments(
// CHECK-SAME: %[[N:[^:]*]]: index {dtensor.axis_size = "tp"}, %[[R:[^:]*]]: index {dtensor.axis_index = "tp"}
func.func @axis_ops_are_the_functions_arguments(%n: index {dtensor.axis_size = "tp"}, %r: index {dtensor.axis_index = "tp"}) -> (index, index) {
  %0 = dtensor.axis_index #mesh "tp"
  %1 = dtensor.axis_size #mesh "tp"
  // CHECK: return %[[R]], %[[N]]
  return %0, %1 : index, index
}

// CHECK-LABEL: func.func @a_broken_check_ends_the_run(
// CHECK-SAME: %[[OK:[^:]*]]: i1, %[[A:[^:]*]]: index, %[[B:[^:]*]]: index, %[[CTX:[^:]*]]: !llvm.ptr
func.func @a_broken_check_ends_the_run(%ok: i1, %a: index, %b: index) {
  // CHECK: %[[BROKEN:.*]] = arith.xori %[[OK]]
  // CHECK: scf.if %[[BROKEN]] {
  // CHECK-NEXT: dtensor_rt.fail %[[CTX]] : !llvm.ptr, "{0} is not {1}"(%[[A]], %[[B]])
  dtensor.check %ok, "{0} is not {1}" (%a, %b)
  return
}
