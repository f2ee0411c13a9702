// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s

#mesh = #dtensor.mesh<"x" = ?>
#one = #dtensor.layout<#mesh, [?], ()>
#b = #dtensor.layout<#mesh, [?], (B)>
#bs = #dtensor.layout<#mesh, [?], (B, S)>
#b1 = #dtensor.layout<#mesh, [?], (B, 1)>
#s = #dtensor.layout<#mesh, [?], (S)>
#q = #dtensor.layout<#mesh, [?], (B, 8, T, 64)>
#k = #dtensor.layout<#mesh, [?], (B, 2, S, 64)>
#l = #dtensor.layout<#mesh, [?], (B, 8, T)>
#q5 = #dtensor.layout<#mesh, [?], (8, 5, 64)>
#k7 = #dtensor.layout<#mesh, [?], (2, 7, 64)>

// CHECK-LABEL: @a_number_depends_on_its_global_position
func.func @a_number_depends_on_its_global_position(%x: tensor<?x?xf32, #bs>, %seed: tensor<i64, #one>, %offset: i64) -> tensor<?x?xf32> {
  // CHECK: dtensor.generic "rand" {{.*}} ins(%arg1 :
  // CHECK: %[[ROW:.*]] = dtensor.index 0
  // CHECK: %[[ROW64:.*]] = arith.index_cast %[[ROW]] : index to i64
  // CHECK: %[[COLUMN:.*]] = dtensor.index 1
  // CHECK: arith.muli %{{.*}}, %{{.*}} : i64
  // CHECK: %[[COLUMN64:.*]] = arith.index_cast %[[COLUMN]] : index to i64
  // CHECK: %[[POSITION:.*]] = arith.addi %{{.*}}, %[[COLUMN64]] : i64
  // CHECK: arith.trunci %[[POSITION]] : i64 to i32
  // CHECK: arith.shrui %[[POSITION]]
  // Two per round of ten, but for the one whose words nobody takes.
  // CHECK-COUNT-19: arith.mului_extended
  // CHECK-NOT: arith.mului_extended
  %0 = dtensor.rand %seed, %offset {sizes = [#dtensor.expr<B>, #dtensor.expr<S>]} : (tensor<i64, #one>, i64) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// CHECK-LABEL: @a_gradient_of_softmax_takes_one_sum
func.func @a_gradient_of_softmax_takes_one_sum(%g: tensor<?x?xf32, #bs>, %y: tensor<?x?xf32, #bs>) -> tensor<?x?xf32> {
  // CHECK: %[[SUM:.*]] = dtensor.generic "sum" {{.*}} reduce = [sum] ins(%arg0, %arg1 :
  // CHECK: dtensor.generic "softmax_backward" {{.*}} ins(%arg0, %arg1, %[[SUM]] :
  %0 = dtensor.softmax_backward %g, %y {dim = 1} : (tensor<?x?xf32, #bs>, tensor<?x?xf32, #bs>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// CHECK-LABEL: @a_gradient_of_a_norm_takes_two_sums_per_row_and_two_per_column
func.func @a_gradient_of_a_norm_takes_two_sums_per_row_and_two_per_column(%g: tensor<?x?xf32, #bs>, %x: tensor<?x?xf32, #bs>, %m: tensor<?x1xf32, #b1>, %r: tensor<?x1xf32, #b1>, %w: tensor<?xf32, #s>) -> (tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>) {
  // CHECK: dtensor.generic "sum_hz" {{.*}} reduce = [sum] ins(%arg0, %arg1, %arg2, %arg3, %arg4 :
  // CHECK: dtensor.generic "sum_h" {{.*}} reduce = [sum]
  // CHECK: dtensor.generic "layer_norm_backward"
  // CHECK: dtensor.generic "grad_weight" {{.*}} iterators = [reduction, parallel] reduce = [sum]
  // CHECK: dtensor.generic "grad_bias" {{.*}} iterators = [reduction, parallel] reduce = [sum]
  %0:3 = dtensor.layer_norm_backward %g, %x, %m, %r, %w : (tensor<?x?xf32, #bs>, tensor<?x?xf32, #bs>, tensor<?x1xf32, #b1>, tensor<?x1xf32, #b1>, tensor<?xf32, #s>) -> (tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>)
  return %0#0, %0#1, %0#2 : tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>
}

// CHECK-LABEL: @a_gradient_of_a_lookup_is_a_sum_at_indices
func.func @a_gradient_of_a_lookup_is_a_sum_at_indices(%g: tensor<?x?xbf16, #bs>, %i: tensor<?xi32, #b>) -> tensor<50x?xbf16> {
  // CHECK: %[[IDS:.*]] = dtensor.generic "padding" {{.*}} ins(%arg1 :
  // CHECK: %[[WIDE:.*]] = dtensor.generic "cast" {{.*}} ins(%arg0 :
  // CHECK: dtensor.scatter_sum %[[IDS]], %[[WIDE]] {dim = 0 : i64, rows, size = #dtensor.expr<50>}
  // CHECK: dtensor.generic "cast"
  %0 = dtensor.embedding_backward %g, %i {size = 50, padding = 3} : (tensor<?x?xbf16, #bs>, tensor<?xi32, #b>) -> tensor<50x?xbf16>
  return %0 : tensor<50x?xbf16>
}

// CHECK-LABEL: @a_gradient_of_a_slice_selects_what_is_there
func.func @a_gradient_of_a_slice_selects_what_is_there(%g: tensor<?x?xf32, #bs>) -> tensor<?x?xf32> {
  // CHECK: %[[INDEX:.*]] = dtensor.generic "index"
  // CHECK: dtensor.index_select %arg0, %[[INDEX]] {dim = 1 : i64}
  %0 = dtensor.slice_backward %g {dim = 1, size = #dtensor.expr<2*S + 1>, start = 1, step = 2} : (tensor<?x?xf32, #bs>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// No lookup: every rank knows which classes are its own.
// CHECK-LABEL: @a_gradient_of_classes_compares_positions
func.func @a_gradient_of_classes_compares_positions(%g: tensor<f32, #one>, %x: tensor<?x?xf32, #bs>, %t: tensor<?xi64, #b>) -> tensor<?x?xf32> {
  // CHECK-NOT: dtensor.gather
  // CHECK: dtensor.generic "cross_entropy_backward"
  // CHECK: %[[CLASS:.*]] = dtensor.index 1
  // CHECK: %[[NUMBER:.*]] = arith.index_cast %[[CLASS]] : index to i64
  // CHECK: arith.cmpi eq, %[[NUMBER]]
  %0 = dtensor.cross_entropy_backward %g, %x, %t {reduction = "sum"} : (tensor<f32, #one>, tensor<?x?xf32, #bs>, tensor<?xi64, #b>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// CHECK-LABEL: @a_parameter_is_one_loop_nest
func.func @a_parameter_is_one_loop_nest(%p: tensor<?x?xf32, #bs>, %g: tensor<?x?xf32, #bs>, %m: tensor<?x?xf32, #bs>, %v: tensor<?x?xf32, #bs>, %t: tensor<i64, #one>) -> (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) {
  // CHECK: %[[NUMBERS:.*]]:3 = dtensor.generic "optimizer" {{.*}} ins(%arg4 :
  // CHECK-COUNT-2: math.expm1
  // CHECK: dtensor.generic "adamw_step" {{.*}} ins(%arg0, %arg1, %arg2, %arg3, %[[NUMBERS]]#0, %[[NUMBERS]]#1, %[[NUMBERS]]#2 :
  // CHECK-NOT: dtensor.generic
  %lr = arith.constant 1.0e-3 : f32
  %0:3 = dtensor.adamw_step lr(%lr) step(%t) params(%p) grads(%g) means(%m) squares(%v) : (f32, tensor<i64, #one>, tensor<?x?xf32, #bs>, tensor<?x?xf32, #bs>, tensor<?x?xf32, #bs>, tensor<?x?xf32, #bs>) -> (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>)
  return %0#0, %0#1, %0#2 : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>
}

// CHECK-LABEL: @gradients_of_attention_are_two_ops
func.func @gradients_of_attention_are_two_ops(%g: tensor<?x8x?x64xbf16, #q>, %q: tensor<?x8x?x64xbf16, #q>, %k: tensor<?x2x?x64xbf16, #k>, %y: tensor<?x8x?x64xbf16, #q>, %l: tensor<?x8x?xf32, #l>) -> (tensor<?x8x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x2x?x64xbf16>) {
  // CHECK: %[[DELTA:.*]] = dtensor.generic "delta" {{.*}} reduce = [sum] ins(%arg0, %arg3 :
  // CHECK: dtensor.attention_query_grad %arg0, %arg1, %arg2, %arg2, %[[DELTA]] {causal, scale = 5.000000e-01 : f64}
  // CHECK: dtensor.attention_key_value_grad %arg0, %arg1, %arg2, %arg2, %arg4, %[[DELTA]] {causal, scale = 5.000000e-01 : f64}
  %0:3 = dtensor.attention_backward %g, %q, %k, %k, %y, %l {causal, scale = 0.5} : (tensor<?x8x?x64xbf16, #q>, tensor<?x8x?x64xbf16, #q>, tensor<?x2x?x64xbf16, #k>, tensor<?x2x?x64xbf16, #k>, tensor<?x8x?x64xbf16, #q>, tensor<?x8x?xf32, #l>) -> (tensor<?x8x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x2x?x64xbf16>)
  return %0#0, %0#1, %0#2 : tensor<?x8x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x2x?x64xbf16>
}

// CHECK-LABEL: @gradients_of_static_attention_share_a_logsumexp
func.func @gradients_of_static_attention_share_a_logsumexp(%q: tensor<8x5x64xf32, #q5>, %k: tensor<2x7x64xf32, #k7>) -> (tensor<8x5x64xf32>, tensor<2x7x64xf32>, tensor<2x7x64xf32>) {
  // CHECK: %[[DELTA:.*]] = dtensor.generic "delta" {{.*}} reduce = [sum] ins(%arg0, %arg0 :
  // CHECK: %{{.*}}, %[[SUM:.*]] = dtensor.attention_query_grad %arg0, %arg0, %arg1, %arg1, %[[DELTA]] :
  // CHECK: dtensor.attention_key_value_grad %arg0, %arg0, %arg1, %arg1, %[[SUM]], %[[DELTA]] :
  %0:3 = dtensor.attention_backward %q, %q, %k, %k, %q : (tensor<8x5x64xf32, #q5>, tensor<8x5x64xf32, #q5>, tensor<2x7x64xf32, #k7>, tensor<2x7x64xf32, #k7>, tensor<8x5x64xf32, #q5>) -> (tensor<8x5x64xf32>, tensor<2x7x64xf32>, tensor<2x7x64xf32>)
  return %0#0, %0#1, %0#2 : tensor<8x5x64xf32>, tensor<2x7x64xf32>, tensor<2x7x64xf32>
}
