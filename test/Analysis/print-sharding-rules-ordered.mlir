// RUN: dtensor-opt %s --dtensor-print-sharding-rules --split-input-file --verify-diagnostics

#mesh = #dtensor.mesh<"x" = ?>
#x = #dtensor.layout<#mesh, [?], (A, V, B)>
#i = #dtensor.layout<#mesh, [?], (I, J)>
#y = #dtensor.layout<#mesh, [?], (A, I, J, B)>
func.func @selected_rows_are_summed_over_the_shards(%x: tensor<?x?x?xf32, #x>, %i: tensor<?x?xi64, #i>) {
  // expected-remark @+1 {{p0 = I, p1 = J, p2 = A, sum3 = V, p4 = B : ([p2, sum3, p4], [p0, p1]) -> ([p2, p0, p1, p4])}}
  %0 = dtensor.index_select %x, %i {dim = 1} : (tensor<?x?x?xf32, #x>, tensor<?x?xi64, #i>) -> tensor<?x?x?x?xf32, #y>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#x = #dtensor.layout<#mesh, [?], (V, B)>
#i = #dtensor.layout<#mesh, [?], (K)>
#u = #dtensor.layout<#mesh, [?], (K, B)>
func.func @written_rows_are_whole_lists(%x: tensor<?x?xf32, #x>, %i: tensor<?xi64, #i>, %u: tensor<?x?xf32, #u>) {
  // expected-remark @+1 {{p0 = V, p1 = B, w2 = K : ([p0, p1], [w2], [w2, p1]) -> ([p0, p1])}}
  %0 = dtensor.scatter %x, %i, %u {dim = 0, rows} : (tensor<?x?xf32, #x>, tensor<?xi64, #i>, tensor<?x?xf32, #u>) -> tensor<?x?xf32, #x>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#i = #dtensor.layout<#mesh, [?], (K)>
#u = #dtensor.layout<#mesh, [?], (K, B)>
#y = #dtensor.layout<#mesh, [?], (V, B)>
func.func @summed_rows_may_be_anywhere(%i: tensor<?xi64, #i>, %u: tensor<?x?xf32, #u>) {
  // expected-remark @+1 {{p0 = V, p1 = B, sum2 = K : ([sum2], [sum2, p1]) -> ([p0, p1])}}
  %0 = dtensor.scatter_sum %i, %u {dim = 0, size = #dtensor.expr<V>, rows} : (tensor<?xi64, #i>, tensor<?x?xf32, #u>) -> tensor<?x?xf32, #y>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#i = #dtensor.layout<#mesh, [?], (3, 5)>
#y = #dtensor.layout<#mesh, [?], (7, 5)>
func.func @summed_elements_share_the_other_dimensions(%i: tensor<3x5xi64, #i>, %u: tensor<3x5xf32, #i>) {
  // expected-remark @+1 {{p0 = 7, p1 = 5, sum2 = 3 : ([sum2, p1], [sum2, p1]) -> ([p0, p1])}}
  %0 = dtensor.scatter_sum %i, %u {dim = 0, size = 7} : (tensor<3x5xi64, #i>, tensor<3x5xf32, #i>) -> tensor<7x5xf32, #y>
  return
}

// -----

#mesh = #dtensor.mesh<"x" = ?>
#x = #dtensor.layout<#mesh, [?], (A, B)>
#y = #dtensor.layout<#mesh, [?], (A, 3)>
#u = #dtensor.layout<#mesh, [?], (A, B - 2, 3)>
func.func @what_is_sorted_is_whole(%x: tensor<?x?xf32, #x>) {
  // expected-remark @+1 {{p0 = A, p1 = B : ([p0, p1]) -> ([p0, p1]), partial (sum) -> (sum), partial (avg) -> (avg)}}
  %0 = dtensor.scan %x {dim = 1, kind = "sum"} : (tensor<?x?xf32, #x>) -> tensor<?x?xf32, #x>
  // expected-remark @+1 {{w0 = A, p1 = B : ([w0, p1]) -> ([w0, p1], [w0, p1])}}
  %1, %2 = dtensor.sort %x {dim = 0} : (tensor<?x?xf32, #x>) -> (tensor<?x?xf32, #x>, tensor<?x?xi64, #x>)
  // expected-remark @+1 {{p0 = A, p1 = B : ([p0, p1]) -> ([p0, 1], [p0, 1])}}
  %3, %4 = dtensor.topk %x {dim = 1, k = 3} : (tensor<?x?xf32, #x>) -> (tensor<?x3xf32, #y>, tensor<?x3xi64, #y>)
  // expected-remark @+1 {{p0 = A, p1 = B, w2 = 3 : ([p0, p1]) -> ([p0, p1, w2]), partial (sum) -> (sum), partial (avg) -> (avg)}}
  %5 = dtensor.unfold %x {dims = [1], sizes = [#dtensor.expr<B - 2>], kernel = [3], stride = [1], dilation = [1], offset = [0], divisor = [1], value = 0.0 : f32} : (tensor<?x?xf32, #x>) -> tensor<?x?x3xf32, #u>
  return
}
