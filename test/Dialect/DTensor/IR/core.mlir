// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s
// RUN: dtensor-opt %s -canonicalize | FileCheck %s --check-prefix=FOLD

#mesh = #dtensor.mesh<"tp" = ?>
#open = #dtensor.layout<#mesh, [?], (B, 4)>
#n = #dtensor.layout<#mesh, [shard(0)], (N)>
#two_k = #dtensor.layout<#mesh, [shard(0)], (2*K)>

// CHECK-LABEL: @constraint_on_a_dynamic_tensor
// CHECK: dtensor.constraint %{{.+}} to <#{{.+}}, [shard(0)], (B, 4)> : tensor<?x4xf32, {{.+}}>
func.func @constraint_on_a_dynamic_tensor(%x: tensor<?x4xf32, #open>) {
  %y = dtensor.constraint %x to <#mesh, [shard(0)], (B, 4)> : tensor<?x4xf32, #open>
  return
}

// CHECK-LABEL: @constraint_on_a_plain_static_tensor
// CHECK: dtensor.constraint %{{.+}} to <#{{.+}}, [?], (8, 4)> : tensor<8x4xf32>
func.func @constraint_on_a_plain_static_tensor(%x: tensor<8x4xf32>) {
  %y = dtensor.constraint %x to <#mesh, [?], (8, 4)> : tensor<8x4xf32>
  return
}

// CHECK-LABEL: @constraint_with_its_layout_in_full
// CHECK: dtensor.constraint %{{.+}} to <#{{.+}}, [shard(0)], (B, 4)> : tensor<?x4xf32, {{.+}}>
// CHECK: dtensor.constraint %{{.+}} to <#{{.+}}, [shard(0)], (8)> {why} : tensor<8xf32>
// CHECK: dtensor.constraint %{{.+}} to <#{{.+}}, [shard(0)], (N)> : tensor<?xf32>
func.func @constraint_with_its_layout_in_full(%x: tensor<?x4xf32, #open>, %s: tensor<8xf32>, %n: tensor<?xf32>) {
  %0 = dtensor.constraint %x to #dtensor.layout<#mesh, [shard(0)], (B, 4)> : tensor<?x4xf32, #open>
  %1 = dtensor.constraint %s to #dtensor.layout<#mesh, [shard(0)], (8)> {why} : tensor<8xf32>
  %2 = dtensor.constraint %n to #n : tensor<?xf32>
  return
}

// CHECK-LABEL: @constraint_that_yields
// CHECK: dtensor.constraint %{{.+}} to <#{{.+}}, [shard(0)], (N)> {priority = 2 : i64} : tensor<?xf32>
func.func @constraint_that_yields(%x: tensor<?xf32>) {
  %0 = dtensor.constraint %x to #n {priority = 2} : tensor<?xf32>
  return
}

// CHECK-LABEL: @values_that_agree
// CHECK: %{{.+}}:2 = dtensor.agree %{{.+}}, %{{.+}} : (tensor<?x4xbf16>, tensor<?x4xf32>) -> (tensor<?x4xbf16>, tensor<?x4xf32>)
func.func @values_that_agree(%x: tensor<?x4xbf16>, %y: tensor<?x4xf32>) {
  %0, %1 = dtensor.agree %x, %y : (tensor<?x4xbf16>, tensor<?x4xf32>) -> (tensor<?x4xbf16>, tensor<?x4xf32>)
  return
}

// CHECK-LABEL: @refine_to_another_extent
// CHECK: dtensor.refine %{{.+}} : tensor<?xf32, {{.+}}(N)>> to tensor<?xf32, {{.+}}(2*K)>>
func.func @refine_to_another_extent(%x: tensor<?xf32, #n>) -> tensor<?xf32, #two_k> {
  %y = dtensor.refine %x : tensor<?xf32, #n> to tensor<?xf32, #two_k>
  return %y : tensor<?xf32, #two_k>
}

// CHECK-LABEL: @refine_to_a_static_size
// CHECK: dtensor.refine %{{.+}} : tensor<?xf32, {{.+}}(N)>> to tensor<8xf32, {{.+}}(N)>>
func.func @refine_to_a_static_size(%x: tensor<?xf32, #n>) -> tensor<8xf32, #n> {
  %y = dtensor.refine %x : tensor<?xf32, #n> to tensor<8xf32, #n>
  return %y : tensor<8xf32, #n>
}

// FOLD-LABEL: @refine_to_itself_is_nothing
// FOLD-SAME: (%[[X:.+]]: tensor
// FOLD-NEXT: return %[[X]]
func.func @refine_to_itself_is_nothing(%x: tensor<?xf32, #n>) -> tensor<?xf32, #n> {
  %y = dtensor.refine %x : tensor<?xf32, #n> to tensor<?xf32, #n>
  return %y : tensor<?xf32, #n>
}

// CHECK-LABEL: @extent_of_symbols
// CHECK: dtensor.extent <B*S>
// FOLD-LABEL: @extent_of_symbols
// FOLD: dtensor.extent <B*S>
func.func @extent_of_symbols() -> index {
  %n = dtensor.extent <S*B>
  return %n : index
}

// FOLD-LABEL: @extent_of_a_number_is_a_constant
// FOLD: arith.constant 12 : index
func.func @extent_of_a_number_is_a_constant() -> index {
  %n = dtensor.extent <3*4>
  return %n : index
}

func.func private @layer(%x: tensor<?xf32, #n>, %s: f32) -> tensor<?xf32, #n>

// CHECK-LABEL: @call_with_a_substitution
// CHECK: dtensor.call @layer(%{{.+}}, %{{.+}}) {N = #dtensor.expr<2*K>} : (tensor<?xf32, {{.+}}(2*K)>>, f32) -> tensor<?xf32, {{.+}}(2*K)>>
func.func @call_with_a_substitution(%x: tensor<?xf32, #two_k>, %s: f32) -> tensor<?xf32, #two_k> {
  %y = dtensor.call @layer(%x, %s) {N = #dtensor.expr<2*K>} : (tensor<?xf32, #two_k>, f32) -> tensor<?xf32, #two_k>
  return %y : tensor<?xf32, #two_k>
}

#eight = #dtensor.layout<#mesh, [shard(0)], (8)>

// The callee is dynamic, this call is not.
// CHECK-LABEL: @call_with_a_number
// CHECK: dtensor.call @layer(%{{.+}}, %{{.+}}) {N = #dtensor.expr<8>} : (tensor<8xf32, {{.+}}(8)>>, f32) -> tensor<8xf32, {{.+}}(8)>>
func.func @call_with_a_number(%x: tensor<8xf32, #eight>, %s: f32) -> tensor<8xf32, #eight> {
  %y = dtensor.call @layer(%x, %s) {N = #dtensor.expr<8>} : (tensor<8xf32, #eight>, f32) -> tensor<8xf32, #eight>
  return %y : tensor<8xf32, #eight>
}
