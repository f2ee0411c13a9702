// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s
// RUN: dtensor-opt %s -resolve-ranked-shaped-type-result-dims -canonicalize | FileCheck %s --check-prefix=DIM

#mesh = #dtensor.mesh<"dp" = 2, "tp" = ?>

// CHECK-LABEL: @all_gather
// CHECK: dtensor.all_gather %{{.+}} dim 0 extent %{{.+}} capacity %{{.+}} on #{{.+}} axes [1] : tensor<?x4xf32> -> tensor<?x4xf32>
// DIM-LABEL: @all_gather
// DIM-SAME: , %[[N:[^:]+]]: index, %{{[^:]+}}: index)
// DIM: return %{{.+}}, %[[N]]
func.func @all_gather(%x: tensor<?x4xf32>, %n: index, %c: index) -> (tensor<?x4xf32>, index) {
  %zero = arith.constant 0 : index
  %y = dtensor.all_gather %x dim 0 extent %n capacity %c on #mesh axes [1] : tensor<?x4xf32> -> tensor<?x4xf32>
  %d = tensor.dim %y, %zero : tensor<?x4xf32>
  return %y, %d : tensor<?x4xf32>, index
}

// CHECK-LABEL: @all_gather_of_static_shards
// CHECK: axes [0, 1] : tensor<2x4xf32> -> tensor<8x4xf32>
func.func @all_gather_of_static_shards(%x: tensor<2x4xf32>, %n: index, %c: index) -> tensor<8x4xf32> {
  %y = dtensor.all_gather %x dim 0 extent %n capacity %c on #mesh axes [0, 1] : tensor<2x4xf32> -> tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}

// CHECK-LABEL: @units
// CHECK: dtensor.all_gather %{{.+}} dim 0 extent %{{.+}} capacity %{{.+}} unit %[[U:.+]] on
// CHECK: dtensor.all_to_all %{{.+}} gather 0 extent %{{.+}} capacity %{{.+}} unit %[[U]] split 1 offset %{{.+}} size %{{.+}} capacity %{{.+}} on
// CHECK: dtensor.all_to_all %{{.+}} gather 0 extent %{{.+}} capacity %{{.+}} split 1 offset %{{.+}} size %{{.+}} capacity %{{.+}} unit %[[U]] on
func.func @units(%x: tensor<?x?xf32>, %n: index, %u: index) -> (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) {
  %a = dtensor.all_gather %x dim 0 extent %n capacity %n unit %u on #mesh axes [1] : tensor<?x?xf32> -> tensor<?x?xf32>
  %b = dtensor.all_to_all %x gather 0 extent %n capacity %n unit %u split 1 offset %n size %n capacity %n on #mesh axes [1] : tensor<?x?xf32> -> tensor<?x?xf32>
  %c = dtensor.all_to_all %x gather 0 extent %n capacity %n split 1 offset %n size %n capacity %n unit %u on #mesh axes [1] : tensor<?x?xf32> -> tensor<?x?xf32>
  return %a, %b, %c : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>
}

// CHECK-LABEL: @all_reduce
// CHECK: dtensor.all_reduce sum %{{.+}} on #{{.+}} axes [0] : tensor<?x4xf32>
// DIM-LABEL: @all_reduce
// DIM: %[[D:.+]] = tensor.dim %arg0
// DIM: return %{{.+}}, %[[D]]
func.func @all_reduce(%x: tensor<?x4xf32>) -> (tensor<?x4xf32>, index) {
  %zero = arith.constant 0 : index
  %y = dtensor.all_reduce sum %x on #mesh axes [0] : tensor<?x4xf32>
  %d = tensor.dim %y, %zero : tensor<?x4xf32>
  return %y, %d : tensor<?x4xf32>, index
}

// CHECK-LABEL: @reduce_scatter
// CHECK: dtensor.reduce_scatter max %{{.+}} dim 0 offset %{{.+}} size %{{.+}} capacity %{{.+}} on #{{.+}} axes [1] : tensor<?x4xf32> -> tensor<?x4xf32>
// DIM-LABEL: @reduce_scatter
// DIM-SAME: index, %[[S:[^:]+]]: index, %{{[^:]+}}: index)
// DIM: return %{{.+}}, %[[S]]
func.func @reduce_scatter(%x: tensor<?x4xf32>, %o: index, %s: index, %c: index) -> (tensor<?x4xf32>, index) {
  %zero = arith.constant 0 : index
  %y = dtensor.reduce_scatter max %x dim 0 offset %o size %s capacity %c on #mesh axes [1] : tensor<?x4xf32> -> tensor<?x4xf32>
  %d = tensor.dim %y, %zero : tensor<?x4xf32>
  return %y, %d : tensor<?x4xf32>, index
}

// CHECK-LABEL: @all_to_all
// CHECK: dtensor.all_to_all %{{.+}} gather 0 extent %{{.+}} capacity %{{.+}} split 1 offset %{{.+}} size %{{.+}} capacity %{{.+}} on #{{.+}} axes [1] : tensor<?x?xf32> -> tensor<?x?xf32>
// DIM-LABEL: @all_to_all
// DIM-SAME: %[[N:[^:]+]]: index, %{{[^:]+}}: index, %{{[^:]+}}: index, %[[S:[^:]+]]: index, %{{[^:]+}}: index)
// DIM: return %{{.+}}, %[[N]], %[[S]]
func.func @all_to_all(%x: tensor<?x?xf32>, %n: index, %gc: index, %o: index, %s: index, %c: index) -> (tensor<?x?xf32>, index, index) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %y = dtensor.all_to_all %x gather 0 extent %n capacity %gc split 1 offset %o size %s capacity %c on #mesh axes [1] : tensor<?x?xf32> -> tensor<?x?xf32>
  %d0 = tensor.dim %y, %zero : tensor<?x?xf32>
  %d1 = tensor.dim %y, %one : tensor<?x?xf32>
  return %y, %d0, %d1 : tensor<?x?xf32>, index, index
}

// CHECK-LABEL: @collective_permute
// CHECK: dtensor.collective_permute %{{.+}} source %{{.+}} sizes(%{{.+}}) on #{{.+}} axes [1] : tensor<?x4xf32> -> tensor<?x4xf32>
// DIM-LABEL: @collective_permute
// DIM-SAME: %[[S:[^:]+]]: index) ->
// DIM: return %{{.+}}, %[[S]]
func.func @collective_permute(%x: tensor<?x4xf32>, %q: index, %s: index) -> (tensor<?x4xf32>, index) {
  %zero = arith.constant 0 : index
  %y = dtensor.collective_permute %x source %q sizes(%s) on #mesh axes [1] : tensor<?x4xf32> -> tensor<?x4xf32>
  %d = tensor.dim %y, %zero : tensor<?x4xf32>
  return %y, %d : tensor<?x4xf32>, index
}

// CHECK-LABEL: @collective_permute_of_static_tensors
// CHECK: sizes() on
func.func @collective_permute_of_static_tensors(%x: tensor<4xf32>, %q: index) -> tensor<4xf32> {
  %y = dtensor.collective_permute %x source %q sizes() on #mesh axes [0] : tensor<4xf32> -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// CHECK-LABEL: @shard_slice
// CHECK: dtensor.shard_slice %{{.+}} dim 0 offset %{{.+}} size %{{.+}} : tensor<?x4xf32> -> tensor<?x4xf32>
// DIM-LABEL: @shard_slice
// DIM-SAME: %[[S:[^:]+]]: index) ->
// DIM: return %{{.+}}, %[[S]]
func.func @shard_slice(%x: tensor<?x4xf32>, %o: index, %s: index) -> (tensor<?x4xf32>, index) {
  %zero = arith.constant 0 : index
  %y = dtensor.shard_slice %x dim 0 offset %o size %s : tensor<?x4xf32> -> tensor<?x4xf32>
  %d = tensor.dim %y, %zero : tensor<?x4xf32>
  return %y, %d : tensor<?x4xf32>, index
}

// CHECK-LABEL: @coordinates
// CHECK: dtensor.axis_index #{{.+}} "tp"
// CHECK: dtensor.axis_size #{{.+}} "tp"
func.func @coordinates() -> (index, index) {
  %r = dtensor.axis_index #mesh "tp"
  %n = dtensor.axis_size #mesh "tp"
  return %r, %n : index, index
}

// CHECK-LABEL: @a_launch_check
// CHECK: dtensor.check %{{.+}}, "extent of %x is {0}, expected {1}"(%{{.+}}, %{{.+}})
func.func @a_launch_check(%ok: i1, %a: index, %b: index) {
  dtensor.check %ok, "extent of %x is {0}, expected {1}" (%a, %b)
  return
}

// CHECK-LABEL: @merge_of_two_sorted_tensors
// CHECK: dtensor.merge %{{.+}}, %{{.+}} and %{{.+}}, %{{.+}} begin %{{.+}} count %{{.+}} dim 0 {descending} : tensor<?xf32>, tensor<?xi64>
func.func @merge_of_two_sorted_tensors(%a: tensor<?xf32>, %p: tensor<?xi64>, %b: tensor<?xf32>, %q: tensor<?xi64>, %o: index, %n: index) {
  %y, %i = dtensor.merge %a, %p and %b, %q begin %o count %n dim 0 {descending} : tensor<?xf32>, tensor<?xi64>
  return
}

// CHECK-LABEL: @merge_at_a_static_size
// CHECK: dtensor.merge {{.*}} : tensor<8x4xf32>, tensor<8x4xindex>
func.func @merge_at_a_static_size(%a: tensor<8x4xf32>, %p: tensor<8x4xindex>, %o: index, %n: index) {
  %y, %i = dtensor.merge %a, %p and %a, %p begin %o count %n dim 1 : tensor<8x4xf32>, tensor<8x4xindex>
  return
}
