// RUN: dtensor-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{attribute "dtensor.symbols" is not a dictionary}}
func.func private @symbols_are_a_number() attributes {dtensor.symbols = 4}

// -----

// expected-error @+1 {{symbol "B": facts are not a dictionary}}
func.func private @facts_are_a_number() attributes {dtensor.symbols = {B = 4}}

// -----

// expected-error @+1 {{symbol "B": unknown key "hnit", expected min, max, multiple_of or hint}}
func.func private @misspelled_key() attributes {dtensor.symbols = {B = {hnit = 4}}}

// -----

// expected-error @+1 {{symbol "B": max is not a 64-bit integer}}
func.func private @fact_of_another_type() attributes {dtensor.symbols = {B = {max = 4.0}}}

// -----

// expected-error @+1 {{symbol "B": max is -1, expected at least 0}}
func.func private @negative_bound() attributes {dtensor.symbols = {B = {max = -1}}}

// -----

// expected-error @+1 {{symbol "B": multiple_of is 0, expected at least 1}}
func.func private @multiple_of_zero() attributes {dtensor.symbols = {B = {multiple_of = 0}}}

// -----

// expected-error @+1 {{symbol "B": min 8 is above max 4}}
func.func private @bounds_that_cross() attributes {dtensor.symbols = {B = {min = 8, max = 4}}}

// -----

// expected-error @+1 {{symbol "B": multiple_of names axis "tp" but the function has no mesh}}
func.func private @axis_without_a_mesh() attributes {dtensor.symbols = {B = {multiple_of = "tp"}}}

// -----

#mesh = #dtensor.mesh<"dp" = 2>
// expected-error @+1 {{symbol "B": multiple_of names axis "tp" which is not an axis of the mesh}}
func.func private @unknown_axis() attributes {dtensor.mesh = #mesh, dtensor.symbols = {B = {multiple_of = "tp"}}}

// -----

// expected-error @+1 {{attribute "dtensor.mesh" is not a mesh}}
func.func private @mesh_is_a_string() attributes {dtensor.mesh = "tp"}

// -----

// expected-error @+1 {{attribute "dtensor.global_type" is not a function type}}
func.func private @global_type_is_a_scalar() attributes {dtensor.global_type = f32}

// -----

// expected-error @+1 {{argument 0: attribute "dtensor.layout" is not a layout}}
func.func private @layout_is_a_string(tensor<4xf32> {dtensor.layout = "shard"})

// -----

#mesh = #dtensor.mesh<"tp" = ?>
// expected-error @+1 {{argument 0: attribute "dtensor.layout" on 'f32', which is not a ranked tensor}}
func.func private @layout_of_a_scalar(f32 {dtensor.layout = #dtensor.layout<#mesh, [replicate], ()>})

// -----

#mesh = #dtensor.mesh<"tp" = ?>
// expected-error @+1 {{result 1: layout has 1 extents but the tensor has rank 2}}
func.func private @layout_of_another_rank() -> (f32, tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate], (B)>})

// -----

// expected-error @+1 {{argument 1: attribute "dtensor.symbol" on 'i64', expected index}}
func.func private @symbol_of_another_type(f32, i64 {dtensor.symbol = "B"})

// -----

// expected-error @+1 {{argument 0: attribute "dtensor.axis_size" is not a string}}
func.func private @axis_is_a_number(index {dtensor.axis_size = 0})

// -----

// expected-error @+1 {{argument 0: attribute "dtensor.name" is not a string}}
func.func private @name_is_a_number(f32 {dtensor.name = 0})

// -----

// expected-error @+1 {{argument 0: attribute "dtensor.donated" takes no value}}
func.func private @donated_with_a_value(tensor<4xf32> {dtensor.donated = true})

// -----

// expected-error @+1 {{result 0: attribute "dtensor.updates" is 1 : i64, expected the number of an argument}}
func.func private @updates_no_argument(tensor<4xf32> {dtensor.donated}) -> (tensor<4xf32> {dtensor.updates = 1})

// -----

// expected-error @+1 {{result 0 updates argument 0, which is not donated}}
func.func private @updates_what_is_not_donated(tensor<4xf32>) -> (tensor<4xf32> {dtensor.updates = 0})

// -----

// expected-error @+1 {{result 0 has type 'tensor<5xf32>' and updates argument 0 of type 'tensor<4xf32>'}}
func.func private @updates_another_type(tensor<4xf32> {dtensor.donated}) -> (tensor<5xf32> {dtensor.updates = 0})
