// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s
// RUN: dtensor-opt %s --dtensor-partition | FileCheck %s --check-prefix=LOCAL

#mesh = #dtensor.mesh<"tp" = ?>
#by_rows = #dtensor.layout<#mesh, [shard(0)], (N)>
#one_row_each = #dtensor.layout<#mesh, [shard(0)], (size(tp), N ceildiv size(tp))>
#two = #dtensor.mesh<"tp" = 2>
#six = #dtensor.layout<#two, [shard(0)], (6)>
#two_by_three = #dtensor.layout<#two, [shard(0)], (2, 3)>

// CHECK-LABEL: @stack_shards_of_dynamic_shape
// LOCAL-LABEL: @stack_shards_of_dynamic_shape
func.func @stack_shards_of_dynamic_shape(%x: tensor<?xf32, #by_rows>) -> tensor<?x?xf32, #one_row_each> {
  // CHECK: dtensor.stack_shards %arg0 {dim = 0 : i64, value = 0.000000e+00 : f32} : (tensor<?xf32, {{.*}}>) -> tensor<?x?xf32, {{.*}}>
  // LOCAL: linalg.generic
  // LOCAL: scf.if
  // LOCAL: tensor.extract %arg0
  %y = dtensor.stack_shards %x {dim = 0, value = 0.0 : f32} : (tensor<?xf32, #by_rows>) -> tensor<?x?xf32, #one_row_each>
  return %y : tensor<?x?xf32, #one_row_each>
}

// CHECK-LABEL: @unstack_shards_of_dynamic_shape
// LOCAL-LABEL: @unstack_shards_of_dynamic_shape
func.func @unstack_shards_of_dynamic_shape(%x: tensor<?x?xf32, #one_row_each>) -> tensor<?xf32, #by_rows> {
  // CHECK: dtensor.unstack_shards %arg0 {dim = 0 : i64} : (tensor<?x?xf32, {{.*}}>) -> tensor<?xf32, {{.*}}>
  // LOCAL: tensor.extract_slice %arg0[0, 0] [1, %{{.*}}] [1, 1]
  %y = dtensor.unstack_shards %x {dim = 0} : (tensor<?x?xf32, #one_row_each>) -> tensor<?xf32, #by_rows>
  return %y : tensor<?xf32, #by_rows>
}

// CHECK-LABEL: @shards_of_static_shape
// LOCAL-LABEL: @shards_of_static_shape
func.func @shards_of_static_shape(%x: tensor<6xf32, #six>) -> tensor<6xf32, #six> {
  // CHECK: dtensor.stack_shards {{.*}} -> tensor<2x3xf32
  // LOCAL: -> tensor<1x3xf32>
  // LOCAL: tensor.extract_slice %{{.*}}[0, 0] [1, 3] [1, 1] : tensor<1x3xf32> to tensor<3xf32>
  %y = dtensor.stack_shards %x {dim = 0, value = 0.0 : f32} : (tensor<6xf32, #six>) -> tensor<2x3xf32, #two_by_three>
  %z = dtensor.unstack_shards %y {dim = 0} : (tensor<2x3xf32, #two_by_three>) -> tensor<6xf32, #six>
  return %z : tensor<6xf32, #six>
}
