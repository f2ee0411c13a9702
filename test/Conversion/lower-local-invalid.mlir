// RUN: dtensor-opt %s -dtensor-add-context -dtensor-lower-local -split-input-file -verify-diagnostics

#mesh = #dtensor.mesh<"tp" = ?>
func.func @no_argument_for_the_coordinate() -> index {
  // expected-error @+1 {{needs an argument of the function with dtensor.axis_index = "tp"}}
  %0 = dtensor.axis_index #mesh "tp"
  return %0 : index
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @no_argument_for_the_divisor_of_an_average(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{needs an argument of the function with dtensor.axis_size = "tp"}}
  %0 = dtensor.all_reduce avg %x on #mesh axes [0] : tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

#mesh = #dtensor.mesh<"tp" = ?>
func.func @an_element_type_the_runtime_lacks(%x: tensor<?xi7>) -> tensor<?xi7> {
  // expected-error @+1 {{moves elements of type 'i7', which the runtime does not know}}
  %0 = dtensor.all_reduce sum %x on #mesh axes [0] : tensor<?xi7>
  return %0 : tensor<?xi7>
}

// -----

#layout = #dtensor.layout<#dtensor.mesh<"tp" = ?>, [replicate], (N)>
func.func @an_op_of_the_global_view(%x: tensor<?xf32, #layout>) -> tensor<?xf32, #layout> {
  // expected-error @+1 {{has no lowering to the local program of one rank}}
  %0 = dtensor.redistribute %x : tensor<?xf32, #layout> to tensor<?xf32, #layout>
  return %0 : tensor<?xf32, #layout>
}
