// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s

#mesh = #dtensor.mesh<"tp" = ?>

// CHECK-LABEL: @declared_symbols
// CHECK-SAME: dtensor.symbols = {B = {hint = 64 : i64, max = 4096 : i64, min = 1 : i64, multiple_of = 8 : i64}, S = {multiple_of = "tp"}}
func.func @declared_symbols(%x: tensor<?x?xf32, #dtensor.layout<#mesh, [shard(0)], (B, S)>>)
    attributes {dtensor.symbols = {B = {hint = 64, min = 1, max = 4096, multiple_of = 8}, S = {multiple_of = "tp"}}} {
  return
}

// CHECK-LABEL: @attributes_of_arguments_and_results
// CHECK-SAME: tensor<?xf32> {dtensor.donated, dtensor.layout = #dtensor.layout<#{{.+}}, [shard(0)], (B)>, dtensor.name = "x"}
// CHECK-SAME: index {dtensor.symbol = "B"}
// CHECK-SAME: -> (tensor<4xf32> {dtensor.layout = #dtensor.layout<#{{.+}}, [?], (4)>})
func.func private @attributes_of_arguments_and_results(
    tensor<?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B)>, dtensor.name = "x", dtensor.donated},
    index {dtensor.symbol = "B"}) -> (tensor<4xf32> {dtensor.layout = #dtensor.layout<#mesh, [?], (4)>})

// CHECK-LABEL: @the_local_form
// CHECK-SAME: dtensor.global_type = (tensor<?xf32, {{.+}}>) -> ()
func.func private @the_local_form(tensor<?xf32>, index {dtensor.symbol = "B"},
    index {dtensor.axis_size = "tp"}, index {dtensor.axis_index = "tp"}) attributes {
    dtensor.mesh = #mesh, dtensor.global_type = (tensor<?xf32, #dtensor.layout<#mesh, [shard(0)], (B)>>) -> ()}

// CHECK-LABEL: @a_result_is_what_becomes_of_an_argument
// CHECK-SAME: -> (tensor<?xf32> {dtensor.updates = 0 : i64})
func.func private @a_result_is_what_becomes_of_an_argument(
    tensor<?xf32> {dtensor.donated}) -> (tensor<?xf32> {dtensor.updates = 0})
