// RUN: dtensor-opt %s --dtensor-print-sharding-rules --split-input-file --verify-diagnostics

// Remarks name factors by kind: p is parallel, w must stay whole, sum is a
// reduction by sum.

#mesh = #dtensor.mesh<"x" = ?>
#a = #dtensor.layout<#mesh, [?], (T, 8*H)>
#b = #dtensor.layout<#mesh, [?], (T, H, 8)>
func.func @a_split_has_the_factors_of_its_parts(%x: tensor<?x?xf32, #a>) {
  // expected-remark @+1 {{p0 = T, p1 = H, p2 = 8 : ([p0, p1*p2]) -> ([p0, p1, p2]), partial (sum) -> (sum), partial (avg) -> (avg), partial (max) -> (max), partial (min) -> (min), partial (product) -> (product)}}
  %0 = dtensor.reshape %x : (tensor<?x?xf32, #a>) -> tensor<?x?x8xf32, #b>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#a = #dtensor.layout<#mesh, [?], (B, 1, S, 4)>
#b = #dtensor.layout<#mesh, [?], (B*S, 4)>
func.func @a_join_of_symbols_has_the_factors_of_its_parts(%x: tensor<?x1x?x4xf32, #a>) {
  // expected-remark @+1 {{p0 = B, p1 = S, p2 = 4 : ([p0, 1, p1, p2]) -> ([p0*p1, p2]), partial (sum) -> (sum), partial (avg) -> (avg), partial (max) -> (max), partial (min) -> (min), partial (product) -> (product)}}
  %0 = dtensor.reshape %x : (tensor<?x1x?x4xf32, #a>) -> tensor<?x4xf32, #b>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#a = #dtensor.layout<#mesh, [?], (3, 32)>
#b = #dtensor.layout<#mesh, [?], (3, 4, 8)>
func.func @a_static_split_is_like_a_symbolic_one(%x: tensor<3x32xf32, #a>) {
  // expected-remark @+1 {{p0 = 3, p1 = 4, p2 = 8 : ([p0, p1*p2]) -> ([p0, p1, p2]), partial (sum) -> (sum), partial (avg) -> (avg), partial (max) -> (max), partial (min) -> (min), partial (product) -> (product)}}
  %0 = dtensor.reshape %x : (tensor<3x32xf32, #a>) -> tensor<3x4x8xf32, #b>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#a = #dtensor.layout<#mesh, [?], (B + 1, 4)>
#b = #dtensor.layout<#mesh, [?], (4*B + 4)>
func.func @sums_divide_products(%x: tensor<?x4xf32, #a>) {
  // expected-remark @+1 {{p0 = B + 1, p1 = 4 : ([p0, p1]) -> ([p0*p1]), partial (sum) -> (sum), partial (avg) -> (avg), partial (max) -> (max), partial (min) -> (min), partial (product) -> (product)}}
  %0 = dtensor.reshape %x : (tensor<?x4xf32, #a>) -> tensor<?xf32, #b>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#a = #dtensor.layout<#mesh, [?], (6, 4)>
#b = #dtensor.layout<#mesh, [?], (8, 3)>
func.func @a_zigzag_shares_what_divides(%x: tensor<6x4xf32, #a>) {
  // expected-remark @+1 {{p0 = 2, w1 = 3, w2 = 4, w3 = 4, w4 = 3 : ([p0*w1, w2]) -> ([p0*w3, w4]), partial (sum) -> (sum), partial (avg) -> (avg), partial (max) -> (max), partial (min) -> (min), partial (product) -> (product)}}
  %0 = dtensor.reshape %x : (tensor<6x4xf32, #a>) -> tensor<8x3xf32, #b>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#a = #dtensor.layout<#mesh, [?], (6*B, S)>
#b = #dtensor.layout<#mesh, [?], (B*S, 6)>
func.func @a_symbolic_zigzag_shares_what_divides(%x: tensor<?x?xf32, #a>) {
  // expected-remark @+1 {{p0 = B, w1 = 6, w2 = S, w3 = S, w4 = 6 : ([p0*w1, w2]) -> ([p0*w3, w4]), partial (sum) -> (sum), partial (avg) -> (avg), partial (max) -> (max), partial (min) -> (min), partial (product) -> (product)}}
  %0 = dtensor.reshape %x : (tensor<?x?xf32, #a>) -> tensor<?x6xf32, #b>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#a = #dtensor.layout<#mesh, [?], (2*B, S)>
#b = #dtensor.layout<#mesh, [?], (B, 2*S)>
func.func @a_moved_boundary_has_three_factors(%x: tensor<?x?xf32, #a>) {
  // expected-remark @+1 {{p0 = B, p1 = 2, p2 = S : ([p0*p1, p2]) -> ([p0, p1*p2]), partial (sum) -> (sum), partial (avg) -> (avg), partial (max) -> (max), partial (min) -> (min), partial (product) -> (product)}}
  %0 = dtensor.reshape %x : (tensor<?x?xf32, #a>) -> tensor<?x?xf32, #b>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#a = #dtensor.layout<#mesh, [?], (B, N)>
#b = #dtensor.layout<#mesh, [?], (B, M, 3)>
func.func @what_is_not_proved_equal_stays_whole(%x: tensor<?x?xf32, #a>) {
  // expected-remark @+1 {{p0 = B, w1 = N, w2 = M, w3 = 3 : ([p0, w1]) -> ([p0, w2, w3]), partial (sum) -> (sum), partial (avg) -> (avg), partial (max) -> (max), partial (min) -> (min), partial (product) -> (product)}}
  %0 = dtensor.reshape %x : (tensor<?x?xf32, #a>) -> tensor<?x?x3xf32, #b>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#a = #dtensor.layout<#mesh, [?], (1, 1)>
#b = #dtensor.layout<#mesh, [?], ()>
func.func @a_scalar_has_no_factors(%x: tensor<1x1xf32, #a>) {
  // expected-remark @+1 {{ : ([1, 1]) -> ([]), partial (sum) -> (sum), partial (avg) -> (avg), partial (max) -> (max), partial (min) -> (min), partial (product) -> (product)}}
  %0 = dtensor.reshape %x : (tensor<1x1xf32, #a>) -> tensor<f32, #b>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#a = #dtensor.layout<#mesh, [?], (B, S)>
#b = #dtensor.layout<#mesh, [?], (B, 1)>
func.func @a_dimension_taken_whole_is_parallel(%x: tensor<?x?xf32, #a>) {
  // expected-remark @+1 {{p0 = B, w1 = S : ([p0, w1]) -> ([p0, 1]), partial (sum) -> (sum), partial (avg) -> (avg), partial (max) -> (max), partial (min) -> (min), partial (product) -> (product)}}
  %0 = dtensor.slice %x [0, S - 1] [B, 1] [1, 1] : (tensor<?x?xf32, #a>) -> tensor<?x1xf32, #b>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#a = #dtensor.layout<#mesh, [?], (6, 4)>
#b = #dtensor.layout<#mesh, [?], (6, 2)>
func.func @a_static_dimension_taken_whole_is_parallel(%x: tensor<6x4xf32, #a>) {
  // expected-remark @+1 {{p0 = 6, w1 = 4, w2 = 2 : ([p0, w1]) -> ([p0, w2]), partial (sum) -> (sum), partial (avg) -> (avg), partial (max) -> (max), partial (min) -> (min), partial (product) -> (product)}}
  %0 = dtensor.slice %x [0, 0] [6, 2] [1, 2] : (tensor<6x4xf32, #a>) -> tensor<6x2xf32, #b>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#a = #dtensor.layout<#mesh, [?], (B, S)>
#b = #dtensor.layout<#mesh, [?], (B, 4)>
#c = #dtensor.layout<#mesh, [?], (B, S + 4)>
func.func @a_join_keeps_its_dimension_whole(%x: tensor<?x?xf32, #a>, %y: tensor<?x4xf32, #b>) {
  // expected-remark @+1 {{p0 = B, w1 = S, w2 = 4, w3 = S + 4 : ([p0, w1], [p0, w2]) -> ([p0, w3]), partial (sum, sum) -> (sum), partial (avg, avg) -> (avg), partial (max, max) -> (max), partial (min, min) -> (min), partial (product, product) -> (product)}}
  %0 = dtensor.concat %x, %y {dim = 1} : (tensor<?x?xf32, #a>, tensor<?x4xf32, #b>) -> tensor<?x?xf32, #c>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#i = #dtensor.layout<#mesh, [?], (B, S)>
#t = #dtensor.layout<#mesh, [?], (V, 8)>
#y = #dtensor.layout<#mesh, [?], (B, S, 8)>
func.func @rows_of_a_table_are_summed_over_its_shards(%i: tensor<?x?xi64, #i>, %t: tensor<?x8xf32, #t>) {
  // expected-remark @+1 {{p0 = B, p1 = S, sum2 = V, p3 = 8 : ([p0, p1], [sum2, p3]) -> ([p0, p1, p3]), partial (-, sum) -> (sum), partial (-, avg) -> (avg)}}
  %0 = dtensor.embedding %i, %t : (tensor<?x?xi64, #i>, tensor<?x8xf32, #t>) -> tensor<?x?x8xf32, #y>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#i = #dtensor.layout<#mesh, [?], (5)>
#t = #dtensor.layout<#mesh, [?], (100, 8)>
#y = #dtensor.layout<#mesh, [?], (5, 8)>
func.func @a_static_table_is_like_a_symbolic_one(%i: tensor<5xi64, #i>, %t: tensor<100x8xf32, #t>) {
  // expected-remark @+1 {{p0 = 5, sum1 = 100, p2 = 8 : ([p0], [sum1, p2]) -> ([p0, p2]), partial (-, sum) -> (sum), partial (-, avg) -> (avg)}}
  %0 = dtensor.embedding %i, %t : (tensor<5xi64, #i>, tensor<100x8xf32, #t>) -> tensor<5x8xf32, #y>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#x = #dtensor.layout<#mesh, [?], (B, V)>
#i = #dtensor.layout<#mesh, [?], (B, 1)>
func.func @gathered_elements_are_summed_over_the_shards(%x: tensor<?x?xf32, #x>, %i: tensor<?x1xi64, #i>) {
  // expected-remark @+1 {{p0 = B, sum1 = V : ([p0, sum1], [p0, 1]) -> ([p0, 1]), partial (sum, -) -> (sum), partial (avg, -) -> (avg)}}
  %0 = dtensor.gather %x, %i {dim = 1} : (tensor<?x?xf32, #x>, tensor<?x1xi64, #i>) -> tensor<?x1xf32, #i>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#q = #dtensor.layout<#mesh, [?], (B, 8, T, 64)>
#k = #dtensor.layout<#mesh, [?], (B, 2, S, 64)>
func.func @groups_of_heads_are_minor(%q: tensor<?x8x?x64xf32, #q>, %k: tensor<?x2x?x64xf32, #k>) {
  // expected-remark @+1 {{p0 = B, p1 = 2, p2 = 4, w3 = S, w4 = 64, p5 = T, w6 = 64 : ([p0, p1*p2, p5, w4], [p0, p1, w3, w4], [p0, p1, w3, w6]) -> ([p0, p1*p2, p5, w6]), partial (-, -, sum) -> (sum), partial (-, -, avg) -> (avg)}}
  %0 = dtensor.attention %q, %k, %k {causal} : (tensor<?x8x?x64xf32, #q>, tensor<?x2x?x64xf32, #k>, tensor<?x2x?x64xf32, #k>) -> tensor<?x8x?x64xf32, #q>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#q = #dtensor.layout<#mesh, [?], (G*H, T, D)>
#k = #dtensor.layout<#mesh, [?], (H, S, D)>
func.func @groups_of_symbolic_heads_are_minor(%q: tensor<?x?x?xf32, #q>, %k: tensor<?x?x?xf32, #k>) {
  // expected-remark @+1 {{p0 = H, p1 = G, w2 = S, w3 = D, p4 = T, w5 = D : ([p0*p1, p4, w3], [p0, w2, w3], [p0, w2, w5]) -> ([p0*p1, p4, w5]), partial (-, -, sum) -> (sum), partial (-, -, avg) -> (avg)}}
  %0 = dtensor.attention %q, %k, %k : (tensor<?x?x?xf32, #q>, tensor<?x?x?xf32, #k>, tensor<?x?x?xf32, #k>) -> tensor<?x?x?xf32, #q>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#a = #dtensor.layout<#mesh, [?], (6, 4)>
func.func @every_dimension_of_a_constant_is_parallel() {
  // expected-remark @+1 {{p0 = 6, p1 = 4 : () -> ([p0, p1])}}
  %0 = dtensor.constant dense<1.0> : tensor<6x4xf32> to tensor<6x4xf32, #a>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#q = #dtensor.layout<#mesh, [?], (B, 8, T, 64)>
#k = #dtensor.layout<#mesh, [?], (B, 2, S, 64)>
#l = #dtensor.layout<#mesh, [?], (B, 8, T)>
func.func @keys_of_the_gradient_of_a_query_are_whole(%q: tensor<?x8x?x64xf32, #q>, %k: tensor<?x2x?x64xf32, #k>, %l: tensor<?x8x?xf32, #l>) {
  // expected-remark @+1 {{p0 = B, p1 = 2, p2 = 4, p3 = T, w4 = S, w5 = 64, w6 = 64 : ([p0, p1*p2, p3, w6], [p0, p1*p2, p3, w5], [p0, p1, w4, w5], [p0, p1, w4, w6], [p0, p1*p2, p3]) -> ([p0, p1*p2, p3, w5], [p0, p1*p2, p3]), partial (sum, -, -, -, sum) -> (sum, -), partial (avg, -, -, -, avg) -> (avg, -)}}
  %0:2 = dtensor.attention_query_grad %q, %q, %k, %k, %l : (tensor<?x8x?x64xf32, #q>, tensor<?x8x?x64xf32, #q>, tensor<?x2x?x64xf32, #k>, tensor<?x2x?x64xf32, #k>, tensor<?x8x?xf32, #l>) -> (tensor<?x8x?x64xf32, #q>, tensor<?x8x?xf32, #l>)
  return
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#q = #dtensor.layout<#mesh, [?], (B, 8, T, 64)>
#k = #dtensor.layout<#mesh, [?], (B, 2, S, 64)>
#l = #dtensor.layout<#mesh, [?], (B, 8, T)>
func.func @gradients_of_keys_are_sums_over_queries_and_groups(%q: tensor<?x8x?x64xf32, #q>, %k: tensor<?x2x?x64xf32, #k>, %l: tensor<?x8x?xf32, #l>, %d: index) {
  // expected-remark @+1 {{p0 = B, p1 = 2, sum2 = 4, sum3 = T, p4 = S, w5 = 64, w6 = 64 : ([p0, p1*sum2, sum3, w6], [p0, p1*sum2, sum3, w5], [p0, p1, p4, w5], [p0, p1, p4, w6], [p0, p1*sum2, sum3], [p0, p1*sum2, sum3], []) -> ([p0, p1, p4, w5], [p0, p1, p4, w6]), partial (sum, -, -, -, -, sum, -) -> (sum, sum), partial (avg, -, -, -, -, avg, -) -> (avg, avg)}}
  %0:2 = dtensor.attention_key_value_grad %q, %q, %k, %k, %l, %l, %d {causal} : (tensor<?x8x?x64xf32, #q>, tensor<?x8x?x64xf32, #q>, tensor<?x2x?x64xf32, #k>, tensor<?x2x?x64xf32, #k>, tensor<?x8x?xf32, #l>, tensor<?x8x?xf32, #l>, index) -> (tensor<?x2x?x64xf32, #k>, tensor<?x2x?x64xf32, #k>)
  return
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#q = #dtensor.layout<#mesh, [?], (8, 6, 64)>
#k = #dtensor.layout<#mesh, [?], (1, 5, 64)>
#v = #dtensor.layout<#mesh, [?], (1, 5, 32)>
#g = #dtensor.layout<#mesh, [?], (8, 6, 32)>
#l = #dtensor.layout<#mesh, [?], (8, 6)>
func.func @gradients_of_one_static_head(%g: tensor<8x6x32xf32, #g>, %q: tensor<8x6x64xf32, #q>, %k: tensor<1x5x64xf32, #k>, %v: tensor<1x5x32xf32, #v>, %l: tensor<8x6xf32, #l>) {
  // expected-remark @+1 {{p0 = 8, p1 = 6, w2 = 5, w3 = 64, w4 = 32 : ([p0, p1, w4], [p0, p1, w3], [1, w2, w3], [1, w2, w4], [p0, p1]) -> ([p0, p1, w3], [p0, p1]), partial (sum, -, -, -, sum) -> (sum, -), partial (avg, -, -, -, avg) -> (avg, -)}}
  %0:2 = dtensor.attention_query_grad %g, %q, %k, %v, %l : (tensor<8x6x32xf32, #g>, tensor<8x6x64xf32, #q>, tensor<1x5x64xf32, #k>, tensor<1x5x32xf32, #v>, tensor<8x6xf32, #l>) -> (tensor<8x6x64xf32, #q>, tensor<8x6xf32, #l>)
  // expected-remark @+1 {{sum0 = 8, sum1 = 6, p2 = 5, w3 = 64, w4 = 32 : ([sum0, sum1, w4], [sum0, sum1, w3], [1, p2, w3], [1, p2, w4], [sum0, sum1], [sum0, sum1]) -> ([1, p2, w3], [1, p2, w4]), partial (sum, -, -, -, -, sum) -> (sum, sum), partial (avg, -, -, -, -, avg) -> (avg, avg)}}
  %1:2 = dtensor.attention_key_value_grad %g, %q, %k, %v, %l, %l : (tensor<8x6x32xf32, #g>, tensor<8x6x64xf32, #q>, tensor<1x5x64xf32, #k>, tensor<1x5x32xf32, #v>, tensor<8x6xf32, #l>, tensor<8x6xf32, #l>) -> (tensor<1x5x64xf32, #k>, tensor<1x5x32xf32, #v>)
  return
}
