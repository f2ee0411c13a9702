// RUN: dtensor-opt %s --dtensor-partition | FileCheck %s

#mesh = #dtensor.mesh<"x" = ?>
#th = #dtensor.layout<#mesh, [shard(1, unit = 8)], (T, 8*H)>
#thd = #dtensor.layout<#mesh, [shard(1)], (T, H, 8)>
#x = #dtensor.layout<#mesh, [shard(0)], (B, S)>
#flat = #dtensor.layout<#mesh, [shard(0, unit = S)], (B*S)>
#last = #dtensor.layout<#mesh, [shard(0)], (B, 1)>
#wide = #dtensor.layout<#mesh, [shard(0)], (B, 2*S)>
#ids = #dtensor.layout<#mesh, [replicate], (N)>
#table = #dtensor.layout<#mesh, [shard(0)], (V, 8)>
#rows = #dtensor.layout<#mesh, [partial(sum)], (N, 8)>
#q = #dtensor.layout<#mesh, [shard(1)], (4, T, 8)>
#k = #dtensor.layout<#mesh, [replicate], (2, S, 8)>
#c = #dtensor.layout<#mesh, [shard(0)], (3)>
#m = #dtensor.layout<#mesh, [replicate], (M, 3)>

// CHECK-LABEL: @heads_are_split_in_place
func.func @heads_are_split_in_place(%x: tensor<?x?xf32, #th>) -> tensor<?x?x8xf32, #thd> {
  // CHECK: tensor.expand_shape %arg0 {{\[\[}}0], [1, 2]] output_shape [%arg2, %{{.*}}, 8] : tensor<?x?xf32> into tensor<?x?x8xf32>
  %0 = dtensor.reshape %x : (tensor<?x?xf32, #th>) -> tensor<?x?x8xf32, #thd>
  return %0 : tensor<?x?x8xf32, #thd>
}

// CHECK-LABEL: @rows_are_joined_in_place
func.func @rows_are_joined_in_place(%x: tensor<?x?xf32, #x>) -> tensor<?xf32, #flat> {
  // CHECK: tensor.collapse_shape %arg0 {{\[\[}}0, 1]] : tensor<?x?xf32> into tensor<?xf32>
  %0 = dtensor.reshape %x : (tensor<?x?xf32, #x>) -> tensor<?xf32, #flat>
  return %0 : tensor<?xf32, #flat>
}

// CHECK-LABEL: @two_unknown_parts_are_given_as_a_shape
func.func @two_unknown_parts_are_given_as_a_shape(%x: tensor<?xf32, #flat>) -> tensor<?x?xf32, #x> {
  // CHECK: %[[SHAPE:.*]] = tensor.from_elements %{{.*}}, %arg2 : tensor<2xindex>
  // CHECK: tensor.reshape %arg0(%[[SHAPE]]) : (tensor<?xf32>, tensor<2xindex>) -> tensor<?x?xf32>
  %0 = dtensor.reshape %x : (tensor<?xf32, #flat>) -> tensor<?x?xf32, #x>
  return %0 : tensor<?x?xf32, #x>
}

// CHECK-LABEL: @products_that_are_not_proved_equal_are_compared
// CHECK-SAME: %[[M:[a-z0-9]+]]: index {dtensor.symbol = "M"}, %[[N:[a-z0-9]+]]: index {dtensor.symbol = "N"}
func.func @products_that_are_not_proved_equal_are_compared(%x: tensor<?xi64, #ids>, %y: tensor<?x3xi64, #m>) -> tensor<?x3xi64, #m> {
  // CHECK: %[[AFTER:.*]] = arith.muli %[[M]], %{{.*}} : index
  // CHECK: %[[EQUAL:.*]] = arith.cmpi eq, %[[N]], %[[AFTER]] : index
  // CHECK: dtensor.check %[[EQUAL]], "reshape of {0} elements to a shape of {1} elements"(%[[N]], %[[AFTER]])
  // CHECK: tensor.reshape
  %0 = dtensor.reshape %x : (tensor<?xi64, #ids>) -> tensor<?x3xi64, #m>
  return %0 : tensor<?x3xi64, #m>
}

// CHECK-LABEL: @a_dimension_taken_whole_keeps_its_shard
func.func @a_dimension_taken_whole_keeps_its_shard(%x: tensor<?x?xf32, #x>) -> tensor<?x1xf32, #last> {
  // CHECK: tensor.extract_slice %arg0[0, %{{.*}}] [%{{.*}}, 1] [1, 1] : tensor<?x?xf32> to tensor<?x1xf32>
  %0 = dtensor.slice %x [0, S - 1] [B, 1] [1, 1] : (tensor<?x?xf32, #x>) -> tensor<?x1xf32, #last>
  return %0 : tensor<?x1xf32, #last>
}

// CHECK-LABEL: @tensors_are_joined_behind_each_other
func.func @tensors_are_joined_behind_each_other(%x: tensor<?x?xf32, #x>) -> tensor<?x?xf32, #wide> {
  // CHECK: %[[EMPTY:.*]] = tensor.empty
  // CHECK: %[[FIRST:.*]] = tensor.insert_slice %arg0 into %[[EMPTY]][0, 0]
  // CHECK: tensor.insert_slice %arg0 into %[[FIRST]][0, %arg2]
  %0 = dtensor.concat %x, %x {dim = 1} : (tensor<?x?xf32, #x>, tensor<?x?xf32, #x>) -> tensor<?x?xf32, #wide>
  return %0 : tensor<?x?xf32, #wide>
}

// CHECK-LABEL: @rows_of_other_shards_are_neutral
// CHECK-SAME: %[[V:[a-z0-9]+]]: index {dtensor.symbol = "V"}
func.func @rows_of_other_shards_are_neutral(%i: tensor<?xi64, #ids>, %t: tensor<?x8xf32, #table>) -> tensor<?x8xf32, #rows> {
  // CHECK: linalg.generic
  // CHECK: %[[ROW:.*]] = arith.index_cast %{{.*}} : i64 to index
  // CHECK: %[[LOCAL:.*]] = arith.subi %[[ROW]]
  // CHECK: scf.if
  // CHECK-NEXT: tensor.extract %arg1[%[[LOCAL]], %{{.*}}]
  // CHECK: else
  // CHECK: arith.cmpi slt, %[[ROW]], %[[V]]
  // CHECK: arith.constant -0.0
  %0 = dtensor.embedding %i, %t : (tensor<?xi64, #ids>, tensor<?x8xf32, #table>) -> tensor<?x8xf32, #rows>
  return %0 : tensor<?x8xf32, #rows>
}

// CHECK-LABEL: @sharded_queries_move_the_diagonal
// CHECK-SAME: %[[S:[a-z0-9]+]]: index {dtensor.symbol = "S"}, %[[T:[a-z0-9]+]]: index {dtensor.symbol = "T"}
func.func @sharded_queries_move_the_diagonal(%q: tensor<4x?x8xf32, #q>, %k: tensor<2x?x8xf32, #k>) -> tensor<4x?x8xf32, #q> {
  // CHECK: %[[ALL:.*]] = arith.addi %[[S]], %{{.*}} : index
  // CHECK: %[[OFFSET:.*]] = arith.minsi %{{.*}}, %[[T]] : index
  // CHECK: %[[HERE:.*]] = arith.addi %[[ALL]], %[[OFFSET]] : index
  // CHECK: dtensor.attention %arg0, %arg1, %arg1, %[[HERE]] {causal}
  %0 = dtensor.attention %q, %k, %k {causal} : (tensor<4x?x8xf32, #q>, tensor<2x?x8xf32, #k>, tensor<2x?x8xf32, #k>) -> tensor<4x?x8xf32, #q>
  return %0 : tensor<4x?x8xf32, #q>
}

// CHECK-LABEL: @each_rank_keeps_its_part_of_a_constant
func.func @each_rank_keeps_its_part_of_a_constant() -> tensor<3xf32, #c> {
  // CHECK: %[[ALL:.*]] = arith.constant dense<[1.0{{.*}}, 2.0{{.*}}, 3.0{{.*}}]> : tensor<3xf32>
  // CHECK: tensor.extract_slice %[[ALL]][%{{.*}}] [%{{.*}}] [1] : tensor<3xf32> to tensor<?xf32>
  %0 = dtensor.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32> to tensor<3xf32, #c>
  return %0 : tensor<3xf32, #c>
}
