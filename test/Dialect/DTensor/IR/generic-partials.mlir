// RUN: dtensor-opt %s -dtensor-print-sharding-rules -verify-diagnostics -o /dev/null

// On which partial values a body may run, derived from the body alone.

#mesh = #dtensor.mesh<"tp" = ?>
#n = #dtensor.layout<#mesh, [?], (N)>
#scalar = #dtensor.layout<#mesh, [?], ()>
#four = #dtensor.layout<#mesh, [?], (4)>
#id = affine_map<(i) -> (i)>
#none = affine_map<(i) -> ()>

func.func @addition_of_two_is_linear_together(%a0: tensor<?xf32, #n>, %a1: tensor<?xf32, #n>) {
  // expected-remark-re @+1 {{{{\[p0\]\), partial \(sum, sum\) -> \(sum\), partial \(avg, -\) -> \(avg\), partial \(avg, avg\) -> \(avg\), partial \(-, avg\) -> \(avg\)$}}}}
  %0 = dtensor.generic maps = [#id, #id, #id] iterators = [parallel]
      ins(%a0, %a1 : tensor<?xf32, #n>, tensor<?xf32, #n>) {
  ^bb0(%x: f32, %y: f32):
    %t = arith.addf %x, %y : f32
    dtensor.yield %t : f32
  } -> tensor<?xf32, #n>
  return
}

func.func @static_twin_of_an_addition(%a0: tensor<4xf32, #four>, %a1: tensor<4xf32, #four>) {
  // expected-remark-re @+1 {{{{p0 = 4 .*, partial \(sum, sum\) -> \(sum\), partial \(avg, -\)}}}}
  %0 = dtensor.generic maps = [#id, #id, #id] iterators = [parallel]
      ins(%a0, %a1 : tensor<4xf32, #four>, tensor<4xf32, #four>) {
  ^bb0(%x: f32, %y: f32):
    %t = arith.addf %x, %y : f32
    dtensor.yield %t : f32
  } -> tensor<4xf32, #four>
  return
}

func.func @multiplication_is_linear_in_each(%a0: tensor<?xf32, #n>, %a1: tensor<?xf32, #n>) {
  // expected-remark-re @+1 {{{{, partial \(sum, -\) -> \(sum\), partial \(-, sum\) -> \(sum\), partial \(avg, -\) -> \(avg\), partial \(-, avg\) -> \(avg\), partial \(product, product\) -> \(product\)$}}}}
  %0 = dtensor.generic maps = [#id, #id, #id] iterators = [parallel]
      ins(%a0, %a1 : tensor<?xf32, #n>, tensor<?xf32, #n>) {
  ^bb0(%x: f32, %y: f32):
    %t = arith.mulf %x, %y : f32
    dtensor.yield %t : f32
  } -> tensor<?xf32, #n>
  return
}

func.func @a_square_is_not_linear(%a0: tensor<?xf32, #n>) {
  // expected-remark-re @+1 {{{{\[p0\]\), partial \(product\) -> \(product\)$}}}}
  %0 = dtensor.generic maps = [#id, #id] iterators = [parallel]
      ins(%a0 : tensor<?xf32, #n>) {
  ^bb0(%x: f32):
    %t = arith.mulf %x, %x : f32
    dtensor.yield %t : f32
  } -> tensor<?xf32, #n>
  return
}

func.func @quotient_is_linear_in_the_dividend(%a0: tensor<?xf32, #n>, %a1: tensor<?xf32, #n>) {
  // expected-remark-re @+1 {{{{\[p0\]\), partial \(sum, -\) -> \(sum\), partial \(avg, -\) -> \(avg\)$}}}}
  %0 = dtensor.generic maps = [#id, #id, #id] iterators = [parallel]
      ins(%a0, %a1 : tensor<?xf32, #n>, tensor<?xf32, #n>) {
  ^bb0(%x: f32, %y: f32):
    %t = arith.divf %x, %y : f32
    dtensor.yield %t : f32
  } -> tensor<?xf32, #n>
  return
}

func.func @fused_multiply_add(%a0: tensor<?xf32, #n>, %a1: tensor<?xf32, #n>, %a2: tensor<?xf32, #n>) {
  // expected-remark-re @+1 {{{{, partial \(sum, -, sum\) -> \(sum\), partial \(-, sum, sum\) -> \(sum\), partial \(avg, -, -\)}}}}
  %0 = dtensor.generic maps = [#id, #id, #id, #id] iterators = [parallel]
      ins(%a0, %a1, %a2 : tensor<?xf32, #n>, tensor<?xf32, #n>, tensor<?xf32, #n>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %t = math.fma %x, %y, %z : f32
    dtensor.yield %t : f32
  } -> tensor<?xf32, #n>
  return
}

func.func @a_constant_is_added_once_a_rank(%a0: tensor<?xf32, #n>) {
  %one = arith.constant 1.0 : f32
  // expected-remark-re @+1 {{{{\[p0\]\), partial \(avg\) -> \(avg\), partial \(max\) -> \(max\), partial \(min\) -> \(min\)$}}}}
  %0 = dtensor.generic maps = [#id, #id] iterators = [parallel]
      ins(%a0 : tensor<?xf32, #n>) {
  ^bb0(%x: f32):
    %t = arith.addf %x, %one : f32
    dtensor.yield %t : f32
  } -> tensor<?xf32, #n>
  return
}

func.func @adding_zero_changes_nothing(%a0: tensor<?xf32, #n>) {
  %zero = arith.constant 0.0 : f32
  // expected-remark-re @+1 {{{{\[p0\]\), partial \(sum\) -> \(sum\), partial \(avg\)}}}}
  %0 = dtensor.generic maps = [#id, #id] iterators = [parallel]
      ins(%a0 : tensor<?xf32, #n>) {
  ^bb0(%x: f32):
    %t = arith.addf %x, %zero : f32
    dtensor.yield %t : f32
  } -> tensor<?xf32, #n>
  return
}

func.func @negation_swaps_max_and_min(%a0: tensor<?xf32, #n>) {
  // expected-remark-re @+1 {{{{\[p0\]\), partial \(sum\) -> \(sum\), partial \(avg\) -> \(avg\), partial \(max\) -> \(min\), partial \(min\) -> \(max\)$}}}}
  %0 = dtensor.generic maps = [#id, #id] iterators = [parallel]
      ins(%a0 : tensor<?xf32, #n>) {
  ^bb0(%x: f32):
    %t = arith.negf %x : f32
    dtensor.yield %t : f32
  } -> tensor<?xf32, #n>
  return
}

func.func @a_negative_factor_swaps_max_and_min(%a0: tensor<?xf32, #n>) {
  %c = arith.constant -2.0 : f32
  // expected-remark-re @+1 {{{{, partial \(max\) -> \(min\), partial \(min\) -> \(max\)$}}}}
  %0 = dtensor.generic maps = [#id, #id] iterators = [parallel]
      ins(%a0 : tensor<?xf32, #n>) {
  ^bb0(%x: f32):
    %t = arith.mulf %x, %c : f32
    dtensor.yield %t : f32
  } -> tensor<?xf32, #n>
  return
}

func.func @the_exponential_is_increasing(%a0: tensor<?xf32, #n>) {
  // expected-remark-re @+1 {{{{\[p0\]\), partial \(max\) -> \(max\), partial \(min\) -> \(min\)$}}}}
  %0 = dtensor.generic maps = [#id, #id] iterators = [parallel]
      ins(%a0 : tensor<?xf32, #n>) {
  ^bb0(%x: f32):
    %t = math.exp %x : f32
    dtensor.yield %t : f32
  } -> tensor<?xf32, #n>
  return
}

func.func @a_root_needs_what_only_a_minimum_promises(%a0: tensor<?xf32, #n>) {
  // expected-remark-re @+1 {{{{\[p0\]\), partial \(min\) -> \(min\)$}}}}
  %0 = dtensor.generic maps = [#id, #id] iterators = [parallel]
      ins(%a0 : tensor<?xf32, #n>) {
  ^bb0(%x: f32):
    %t = math.sqrt %x : f32
    dtensor.yield %t : f32
  } -> tensor<?xf32, #n>
  return
}

func.func @maxima_of_many_go_together(%a0: tensor<?xf32, #n>, %a1: tensor<?xf32, #n>) {
  // expected-remark-re @+1 {{{{\[p0\]\), partial \(max, -\) -> \(max\), partial \(-, max\) -> \(max\), partial \(max, max\) -> \(max\), partial \(min, -\) -> \(min\), partial \(-, min\) -> \(min\)$}}}}
  %0 = dtensor.generic maps = [#id, #id, #id] iterators = [parallel]
      ins(%a0, %a1 : tensor<?xf32, #n>, tensor<?xf32, #n>) {
  ^bb0(%x: f32, %y: f32):
    %t = arith.maximumf %x, %y : f32
    dtensor.yield %t : f32
  } -> tensor<?xf32, #n>
  return
}

func.func @a_comparison_needs_whole_values(%a0: tensor<?xf32, #n>, %a1: tensor<?xf32, #n>) {
  // expected-remark-re @+1 {{{{\[p0\]\)$}}}}
  %0 = dtensor.generic maps = [#id, #id, #id] iterators = [parallel]
      ins(%a0, %a1 : tensor<?xf32, #n>, tensor<?xf32, #n>) {
  ^bb0(%x: f32, %y: f32):
    %t = arith.cmpf olt, %x, %y : f32
    dtensor.yield %t : i1
  } -> tensor<?xi1, #n>
  return
}

func.func @selection_under_a_whole_condition(%a0: tensor<?xi1, #n>, %a1: tensor<?xf32, #n>, %a2: tensor<?xf32, #n>) {
  // expected-remark-re @+1 {{{{\[p0\]\), partial \(-, sum, sum\) -> \(sum\), partial \(-, avg, -\) -> \(avg\), partial \(-, avg, avg\) -> \(avg\), partial \(-, -, avg\) -> \(avg\), partial \(-, max, -\) -> \(max\), partial \(-, -, max\) -> \(max\), partial \(-, max, max\) -> \(max\)}}}}
  %0 = dtensor.generic maps = [#id, #id, #id, #id] iterators = [parallel]
      ins(%a0, %a1, %a2 : tensor<?xi1, #n>, tensor<?xf32, #n>, tensor<?xf32, #n>) {
  ^bb0(%x: i1, %y: f32, %z: f32):
    %t = arith.select %x, %y, %z : f32
    dtensor.yield %t : f32
  } -> tensor<?xf32, #n>
  return
}

func.func @a_mask_with_zero_is_linear(%a0: tensor<?xi1, #n>, %a1: tensor<?xf32, #n>) {
  %zero = arith.constant 0.0 : f32
  // expected-remark-re @+1 {{{{\[p0\]\), partial \(-, sum\) -> \(sum\)}}}}
  %0 = dtensor.generic maps = [#id, #id, #id] iterators = [parallel]
      ins(%a0, %a1 : tensor<?xi1, #n>, tensor<?xf32, #n>) {
  ^bb0(%x: i1, %y: f32):
    %t = arith.select %x, %y, %zero : f32
    dtensor.yield %t : f32
  } -> tensor<?xf32, #n>
  return
}

func.func @float_casts_are_linear(%a0: tensor<?xbf16, #n>) {
  // expected-remark-re @+1 {{{{\[p0\]\), partial \(sum\) -> \(sum\), partial \(avg\) -> \(avg\), partial \(max\) -> \(max\), partial \(min\) -> \(min\), partial \(product\) -> \(product\)$}}}}
  %0 = dtensor.generic maps = [#id, #id] iterators = [parallel]
      ins(%a0 : tensor<?xbf16, #n>) {
  ^bb0(%x: bf16):
    %t = arith.extf %x : bf16 to f32
    dtensor.yield %t : f32
  } -> tensor<?xf32, #n>
  return
}

func.func @or_of_truth_values_is_a_maximum(%a0: tensor<?xi1, #n>) {
  // expected-remark-re @+1 {{{{\[p0\]\), partial \(max\) -> \(max\), partial \(min\) -> \(min\)$}}}}
  %0 = dtensor.generic maps = [#id, #id] iterators = [parallel]
      ins(%a0 : tensor<?xi1, #n>) {
  ^bb0(%x: i1):
    %t = arith.uitofp %x : i1 to f32
    dtensor.yield %t : f32
  } -> tensor<?xf32, #n>
  return
}

func.func @a_signed_truth_value_is_not_increasing(%a0: tensor<?xi1, #n>) {
  // expected-remark-re @+1 {{{{\[p0\]\)$}}}}
  %0 = dtensor.generic maps = [#id, #id] iterators = [parallel]
      ins(%a0 : tensor<?xi1, #n>) {
  ^bb0(%x: i1):
    %t = arith.sitofp %x : i1 to f32
    dtensor.yield %t : f32
  } -> tensor<?xf32, #n>
  return
}

func.func @a_result_without_partial_inputs_stays_whole(%a0: tensor<?xf32, #n>, %a1: tensor<?xf32, #n>) {
  // expected-remark-re @+1 {{{{, partial \(sum, -\) -> \(sum, -\), partial \(sum, sum\) -> \(sum, sum\), partial \(-, sum\) -> \(-, sum\), partial \(avg}}}}
  %0:2 = dtensor.generic maps = [#id, #id, #id, #id] iterators = [parallel]
      ins(%a0, %a1 : tensor<?xf32, #n>, tensor<?xf32, #n>) {
  ^bb0(%x: f32, %y: f32):
    dtensor.yield %x, %y : f32, f32
  } -> (tensor<?xf32, #n>, tensor<?xf32, #n>)
  return
}

func.func @one_nonlinear_result_forbids_all(%a0: tensor<?xf32, #n>) {
  // expected-remark-re @+1 {{{{\[p0\]\), partial \(max\) -> \(max, max\), partial \(min\) -> \(min, min\)$}}}}
  %0:2 = dtensor.generic maps = [#id, #id, #id] iterators = [parallel]
      ins(%a0 : tensor<?xf32, #n>) {
  ^bb0(%x: f32):
    %t = math.exp %x : f32
    dtensor.yield %x, %t : f32, f32
  } -> (tensor<?xf32, #n>, tensor<?xf32, #n>)
  return
}

func.func @a_sum_may_wait_in_a_sum(%a0: tensor<?xf32, #n>) {
  // expected-remark-re @+1 {{{{, partial \(sum\) -> \(sum\), partial \(avg\) -> \(avg\)$}}}}
  %0 = dtensor.generic maps = [#id, #none] iterators = [reduction] reduce = [sum]
      ins(%a0 : tensor<?xf32, #n>) {
  ^bb0(%x: f32):
    dtensor.yield %x : f32
  } -> tensor<f32, #scalar>
  return
}

func.func @a_maximum_may_wait_in_a_maximum(%a0: tensor<?xf32, #n>) {
  // expected-remark-re @+1 {{{{, partial \(max\) -> \(max\)$}}}}
  %0 = dtensor.generic maps = [#id, #none] iterators = [reduction] reduce = [max]
      ins(%a0 : tensor<?xf32, #n>) {
  ^bb0(%x: f32):
    dtensor.yield %x : f32
  } -> tensor<f32, #scalar>
  return
}

func.func @an_index_is_whole(%a0: tensor<?xindex, #n>) {
  // expected-remark-re @+1 {{{{\[p0\]\), partial \(avg\) -> \(avg\)$}}}}
  %0 = dtensor.generic maps = [#id, #id] iterators = [parallel]
      ins(%a0 : tensor<?xindex, #n>) {
  ^bb0(%x: index):
    %i = dtensor.index 0
    %t = arith.addi %x, %i : index
    dtensor.yield %t : index
  } -> tensor<?xindex, #n>
  return
}

func.func @nine_inputs_go_together_only(%a0: tensor<?xf32, #n>, %a1: tensor<?xf32, #n>, %a2: tensor<?xf32, #n>, %a3: tensor<?xf32, #n>, %a4: tensor<?xf32, #n>, %a5: tensor<?xf32, #n>, %a6: tensor<?xf32, #n>, %a7: tensor<?xf32, #n>, %a8: tensor<?xf32, #n>) {
  // expected-remark-re @+1 {{{{\[p0\]\), partial \(sum, sum, sum, sum, sum, sum, sum, sum, sum\) -> \(sum\), partial \(avg, avg, avg, avg, avg, avg, avg, avg, avg\) -> \(avg\)$}}}}
  %0 = dtensor.generic maps = [#id, #id, #id, #id, #id, #id, #id, #id, #id, #id] iterators = [parallel]
      ins(%a0, %a1, %a2, %a3, %a4, %a5, %a6, %a7, %a8 : tensor<?xf32, #n>, tensor<?xf32, #n>, tensor<?xf32, #n>, tensor<?xf32, #n>, tensor<?xf32, #n>, tensor<?xf32, #n>, tensor<?xf32, #n>, tensor<?xf32, #n>, tensor<?xf32, #n>) {
  ^bb0(%x: f32, %y: f32, %z: f32, %u: f32, %v: f32, %w: f32, %p: f32, %q: f32, %r: f32):
    %t0 = arith.addf %x, %y : f32
    %t1 = arith.addf %t0, %z : f32
    %t2 = arith.addf %t1, %u : f32
    %t3 = arith.addf %t2, %v : f32
    %t4 = arith.addf %t3, %w : f32
    %t5 = arith.addf %t4, %p : f32
    %t6 = arith.addf %t5, %q : f32
    %t7 = arith.addf %t6, %r : f32
    dtensor.yield %t7 : f32
  } -> tensor<?xf32, #n>
  return
}
