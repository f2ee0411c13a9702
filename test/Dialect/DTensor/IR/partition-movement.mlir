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
#l = #dtensor.layout<#mesh, [shard(1)], (4, T)>
#qw = #dtensor.layout<#mesh, [replicate], (4, T, 8)>
#lw = #dtensor.layout<#mesh, [replicate], (4, T)>
#ks = #dtensor.layout<#mesh, [shard(1)], (2, S, 8)>
#two = #dtensor.mesh<"x" = 2>
#q6 = #dtensor.layout<#two, [shard(1)], (4, 6, 8)>
#l6 = #dtensor.layout<#two, [shard(1)], (4, 6)>
#k3 = #dtensor.layout<#two, [replicate], (2, 3, 8)>
#q6w = #dtensor.layout<#two, [replicate], (4, 6, 8)>
#l6w = #dtensor.layout<#two, [replicate], (4, 6)>
#k3s = #dtensor.layout<#two, [shard(1)], (2, 3, 8)>
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

// CHECK-LABEL: @sharded_queries_move_the_diagonal_of_their_gradient
// CHECK-SAME: %[[S:[a-z0-9]+]]: index {dtensor.symbol = "S"}, %[[T:[a-z0-9]+]]: index {dtensor.symbol = "T"}
func.func @sharded_queries_move_the_diagonal_of_their_gradient(%q: tensor<4x?x8xf32, #q>, %k: tensor<2x?x8xf32, #k>, %l: tensor<4x?xf32, #l>) -> (tensor<4x?x8xf32, #q>, tensor<4x?xf32, #l>) {
  // CHECK: %[[ALL:.*]] = arith.addi %[[S]], %{{.*}} : index
  // CHECK: %[[OFFSET:.*]] = arith.minsi %{{.*}}, %[[T]] : index
  // CHECK: %[[HERE:.*]] = arith.addi %[[ALL]], %[[OFFSET]] : index
  // CHECK: dtensor.attention_query_grad %arg0, %arg0, %arg1, %arg1, %arg2, %[[HERE]] {causal}
  %0:2 = dtensor.attention_query_grad %q, %q, %k, %k, %l {causal} : (tensor<4x?x8xf32, #q>, tensor<4x?x8xf32, #q>, tensor<2x?x8xf32, #k>, tensor<2x?x8xf32, #k>, tensor<4x?xf32, #l>) -> (tensor<4x?x8xf32, #q>, tensor<4x?xf32, #l>)
  return %0#0, %0#1 : tensor<4x?x8xf32, #q>, tensor<4x?xf32, #l>
}

// CHECK-LABEL: @sharded_keys_move_the_diagonal_back
// CHECK-SAME: %[[S:[a-z0-9]+]]: index {dtensor.symbol = "S"}, %[[T:[a-z0-9]+]]: index {dtensor.symbol = "T"}
func.func @sharded_keys_move_the_diagonal_back(%q: tensor<4x?x8xf32, #qw>, %k: tensor<2x?x8xf32, #ks>, %l: tensor<4x?xf32, #lw>) -> (tensor<2x?x8xf32, #ks>, tensor<2x?x8xf32, #ks>) {
  // CHECK: %[[ALL:.*]] = arith.addi %[[S]], %{{.*}} : index
  // CHECK: %[[OFFSET:.*]] = arith.minsi %{{.*}}, %[[S]] : index
  // CHECK: %[[HERE:.*]] = arith.subi %[[ALL]], %[[OFFSET]] : index
  // CHECK: dtensor.attention_key_value_grad %arg0, %arg0, %arg1, %arg1, %arg2, %arg2, %[[HERE]] {causal}
  %0:2 = dtensor.attention_key_value_grad %q, %q, %k, %k, %l, %l {causal} : (tensor<4x?x8xf32, #qw>, tensor<4x?x8xf32, #qw>, tensor<2x?x8xf32, #ks>, tensor<2x?x8xf32, #ks>, tensor<4x?xf32, #lw>, tensor<4x?xf32, #lw>) -> (tensor<2x?x8xf32, #ks>, tensor<2x?x8xf32, #ks>)
  return %0#0, %0#1 : tensor<2x?x8xf32, #ks>, tensor<2x?x8xf32, #ks>
}

// Queries 0 to 2 and 3 to 5 of two ranks; of three keys, 0 and 1 and then 2.
// CHECK-LABEL: @a_static_diagonal_that_is_given_moves_both_ways
// CHECK-SAME: %[[D:[a-z0-9]+]]: index
func.func @a_static_diagonal_that_is_given_moves_both_ways(%q: tensor<4x6x8xf32, #q6>, %k: tensor<2x3x8xf32, #k3>, %l: tensor<4x6xf32, #l6>, %qw: tensor<4x6x8xf32, #q6w>, %ks: tensor<2x3x8xf32, #k3s>, %lw: tensor<4x6xf32, #l6w>, %d: index) -> (tensor<4x6x8xf32, #q6>, tensor<2x3x8xf32, #k3s>) {
  // CHECK: %[[FORTH:.*]] = arith.addi %[[D]], %{{.*}} : index
  // CHECK: dtensor.attention_query_grad %arg0, %arg0, %arg1, %arg1, %arg2, %[[FORTH]] {causal} : (tensor<4x3x8xf32>,
  // CHECK: %[[BACK:.*]] = arith.subi %[[D]], %{{.*}} : index
  // CHECK: dtensor.attention_key_value_grad %arg3, %arg3, %arg4, %arg4, %arg5, %arg5, %[[BACK]] {causal}
  %0:2 = dtensor.attention_query_grad %q, %q, %k, %k, %l, %d {causal} : (tensor<4x6x8xf32, #q6>, tensor<4x6x8xf32, #q6>, tensor<2x3x8xf32, #k3>, tensor<2x3x8xf32, #k3>, tensor<4x6xf32, #l6>, index) -> (tensor<4x6x8xf32, #q6>, tensor<4x6xf32, #l6>)
  %1:2 = dtensor.attention_key_value_grad %qw, %qw, %ks, %ks, %lw, %lw, %d {causal} : (tensor<4x6x8xf32, #q6w>, tensor<4x6x8xf32, #q6w>, tensor<2x3x8xf32, #k3s>, tensor<2x3x8xf32, #k3s>, tensor<4x6xf32, #l6w>, tensor<4x6xf32, #l6w>, index) -> (tensor<2x3x8xf32, #k3s>, tensor<2x3x8xf32, #k3s>)
  return %0#0, %1#0 : tensor<4x6x8xf32, #q6>, tensor<2x3x8xf32, #k3s>
}

// CHECK-LABEL: @each_rank_keeps_its_part_of_a_constant
func.func @each_rank_keeps_its_part_of_a_constant() -> tensor<3xf32, #c> {
  // CHECK: %[[ALL:.*]] = arith.constant dense<[1.0{{.*}}, 2.0{{.*}}, 3.0{{.*}}]> : tensor<3xf32>
  // CHECK: tensor.extract_slice %[[ALL]][%{{.*}}] [%{{.*}}] [1] : tensor<3xf32> to tensor<?xf32>
  %0 = dtensor.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32> to tensor<3xf32, #c>
  return %0 : tensor<3xf32, #c>
}
