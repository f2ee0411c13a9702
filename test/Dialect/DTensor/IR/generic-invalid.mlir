// RUN: dtensor-opt %s -split-input-file -verify-diagnostics

func.func @a_map_is_missing(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{'dtensor.generic' op has 1 maps but 1 inputs and 1 results}}
  %y = dtensor.generic maps = [affine_map<(i) -> (i)>] iterators = [parallel] ins(%x : tensor<?xf32>) {
  ^bb0(%v: f32):
    dtensor.yield %v : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

func.func @unknown_iterator(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{iterator is "serial", expected parallel or reduction}}
  %y = dtensor.generic maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>] iterators = [serial] ins(%x : tensor<?xf32>) {
  ^bb0(%v: f32):
    dtensor.yield %v : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

func.func @map_with_symbols(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{map of input 0 has symbols}}
  %y = dtensor.generic maps = [affine_map<(i)[s] -> (i + s)>, affine_map<(i) -> (i)>] iterators = [parallel] ins(%x : tensor<?xf32>) {
  ^bb0(%v: f32):
    dtensor.yield %v : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

func.func @map_of_other_iterators(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{map of input 0 has 2 dimensions but there are 1 iterators}}
  %y = dtensor.generic maps = [affine_map<(i, j) -> (i)>, affine_map<(i) -> (i)>] iterators = [parallel] ins(%x : tensor<?xf32>) {
  ^bb0(%v: f32):
    dtensor.yield %v : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

func.func @map_of_another_rank(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{map of result 0 has 2 results but the tensor has rank 1}}
  %y = dtensor.generic maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i, 0)>] iterators = [parallel] ins(%x : tensor<?xf32>) {
  ^bb0(%v: f32):
    dtensor.yield %v : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

func.func @result_map_is_not_a_permutation(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{map of result 0 is not a projected permutation}}
  %y = dtensor.generic maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i + 1)>] iterators = [parallel] ins(%x : tensor<?xf32>) {
  ^bb0(%v: f32):
    dtensor.yield %v : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

func.func @result_runs_along_a_reduction(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{map of result 0 uses iterator 0, which is a reduction}}
  %y = dtensor.generic maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>] iterators = [reduction] reduce = [sum] ins(%x : tensor<?xf32>) {
  ^bb0(%v: f32):
    dtensor.yield %v : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

func.func @iterator_without_extent(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{extent of iterator 1 is not known: no tensor has it as a dimension}}
  %y = dtensor.generic maps = [affine_map<(i, j) -> (i + j)>, affine_map<(i, j) -> (i)>] iterators = [parallel, reduction] reduce = [sum] ins(%x : tensor<?xf32>) {
  ^bb0(%v: f32):
    dtensor.yield %v : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

func.func @reduction_kind_is_missing(%x: tensor<?xf32>) -> tensor<f32> {
  // expected-error @+1 {{has 0 reduction kinds, expected 1}}
  %y = dtensor.generic maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>] iterators = [reduction] ins(%x : tensor<?xf32>) {
  ^bb0(%v: f32):
    dtensor.yield %v : f32
  } -> tensor<f32>
  return %y : tensor<f32>
}

// -----

func.func @reduction_kind_without_reduction(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{has 1 reduction kinds, expected 0}}
  %y = dtensor.generic maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>] iterators = [parallel] reduce = [sum] ins(%x : tensor<?xf32>) {
  ^bb0(%v: f32):
    dtensor.yield %v : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

func.func @average_is_not_a_combiner(%x: tensor<?xf32>) -> tensor<f32> {
  // expected-error @+1 {{result 0 is reduced by avg, expected sum and a division}}
  %y = dtensor.generic maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>] iterators = [reduction] reduce = [avg] ins(%x : tensor<?xf32>) {
  ^bb0(%v: f32):
    dtensor.yield %v : f32
  } -> tensor<f32>
  return %y : tensor<f32>
}

// -----

func.func @sum_of_truth_values(%x: tensor<?xi1>) -> tensor<i1> {
  // expected-error @+1 {{result 0 of 'i1' cannot be reduced by sum}}
  %y = dtensor.generic maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>] iterators = [reduction] reduce = [sum] ins(%x : tensor<?xi1>) {
  ^bb0(%v: i1):
    dtensor.yield %v : i1
  } -> tensor<i1>
  return %y : tensor<i1>
}

// -----

func.func @body_takes_another_type(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{body argument 0 has type 'f64', expected 'f32'}}
  %y = dtensor.generic maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>] iterators = [parallel] ins(%x : tensor<?xf32>) {
  ^bb0(%v: f64):
    %t = arith.truncf %v : f64 to f32
    dtensor.yield %t : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

func.func @body_takes_too_few(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{body has 0 arguments, expected 1}}
  %y = dtensor.generic maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>] iterators = [parallel] ins(%x : tensor<?xf32>) {
    %t = arith.constant 0.0 : f32
    dtensor.yield %t : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

func.func @body_yields_another_type(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{body yields 'index' for result 0 of 'f32'}}
  %y = dtensor.generic maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>] iterators = [parallel] ins(%x : tensor<?xf32>) {
  ^bb0(%v: f32):
    %i = dtensor.index 0
    dtensor.yield %i : index
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

func.func @body_yields_too_many(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{body yields 2 values but there are 1 results}}
  %y = dtensor.generic maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>] iterators = [parallel] ins(%x : tensor<?xf32>) {
  ^bb0(%v: f32):
    dtensor.yield %v, %v : f32, f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

func.func @static_extents_differ(%x: tensor<4xf32>) -> tensor<8xf32> {
  // expected-error @+1 {{result 0 dimension 0 has extent 8 but input 0 dimension 0 on the same iterator has 4}}
  %y = dtensor.generic maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>] iterators = [parallel] ins(%x : tensor<4xf32>) {
  ^bb0(%v: f32):
    dtensor.yield %v : f32
  } -> tensor<8xf32>
  return %y : tensor<8xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#m2 = #dtensor.mesh<"dp" = 2>
func.func @symbolic_extents_differ(%x: tensor<?xf32, #dtensor.layout<#mesh, [?], (B)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [?], (B + 1)>> {
  // expected-error @+1 {{result 0 dimension 0 has extent B + 1 but input 0 dimension 0 on the same iterator has B}}
  %y = dtensor.generic maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>] iterators = [parallel] ins(%x : tensor<?xf32, #dtensor.layout<#mesh, [?], (B)>>) {
  ^bb0(%v: f32):
    dtensor.yield %v : f32
  } -> tensor<?xf32, #dtensor.layout<#mesh, [?], (B + 1)>>
  return %y : tensor<?xf32, #dtensor.layout<#mesh, [?], (B + 1)>>
}

// -----

func.func @broadcast_of_a_larger_extent(%x: tensor<4xf32>) -> tensor<8xf32> {
  // expected-error @+1 {{input 0 dimension 0 has extent 4 but is broadcast, expected 1}}
  %y = dtensor.generic maps = [affine_map<(i) -> (0)>, affine_map<(i) -> (i)>] iterators = [parallel] ins(%x : tensor<4xf32>) {
  ^bb0(%v: f32):
    dtensor.yield %v : f32
  } -> tensor<8xf32>
  return %y : tensor<8xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#m2 = #dtensor.mesh<"dp" = 2>
func.func @broadcast_of_a_symbolic_extent(%x: tensor<?xf32, #dtensor.layout<#mesh, [?], (B + 2)>>) -> tensor<?xf32, #dtensor.layout<#mesh, [?], (N)>> {
  // expected-error @+1 {{input 0 dimension 0 has extent B + 2 but is broadcast, expected 1}}
  %y = dtensor.generic maps = [affine_map<(i) -> (0)>, affine_map<(i) -> (i)>] iterators = [parallel] ins(%x : tensor<?xf32, #dtensor.layout<#mesh, [?], (B + 2)>>) {
  ^bb0(%v: f32):
    dtensor.yield %v : f32
  } -> tensor<?xf32, #dtensor.layout<#mesh, [?], (N)>>
  return %y : tensor<?xf32, #dtensor.layout<#mesh, [?], (N)>>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#m2 = #dtensor.mesh<"dp" = 2>
func.func @layout_on_one_side_only(%x: tensor<?xf32, #dtensor.layout<#mesh, [?], (B)>>) -> tensor<?xf32> {
  // expected-error @+1 {{some of its tensors have a layout, some do not}}
  %y = dtensor.generic maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>] iterators = [parallel] ins(%x : tensor<?xf32, #dtensor.layout<#mesh, [?], (B)>>) {
  ^bb0(%v: f32):
    dtensor.yield %v : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
#m2 = #dtensor.mesh<"dp" = 2>
func.func @two_meshes(%x: tensor<?xf32, #dtensor.layout<#mesh, [?], (B)>>) -> tensor<?xf32, #dtensor.layout<#m2, [?], (B)>> {
  // expected-error @+1 {{meshes differ: #dtensor.mesh<"tp" = ?> and #dtensor.mesh<"dp" = 2>}}
  %y = dtensor.generic maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>] iterators = [parallel] ins(%x : tensor<?xf32, #dtensor.layout<#mesh, [?], (B)>>) {
  ^bb0(%v: f32):
    dtensor.yield %v : f32
  } -> tensor<?xf32, #dtensor.layout<#m2, [?], (B)>>
  return %y : tensor<?xf32, #dtensor.layout<#m2, [?], (B)>>
}

// -----

func.func @position_of_a_missing_iterator() -> tensor<?xindex> {
  %y = dtensor.generic maps = [affine_map<(i) -> (i)>] iterators = [parallel] {
    // expected-error @+1 {{iterator 1 is out of range for 1 iterators}}
    %i = dtensor.index 1
    dtensor.yield %i : index
  } -> tensor<?xindex>
  return %y : tensor<?xindex>
}
