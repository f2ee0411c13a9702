// RUN: dtensor-opt %s --split-input-file --dtensor-export-shardy | FileCheck %s
// Layouts of types and of attributes are shardings; movement is a reshard.

// CHECK: sdy.mesh @mesh_1 = <["x"=2, "y"=4]>
#mesh = #dtensor.mesh<"x" = 2, "y" = 4>
#rows = #dtensor.layout<#mesh, [shard(0), replicate], (8, 8)>
#cols = #dtensor.layout<#mesh, [shard(1), shard(1)] order = ["y", "x"], (8, 8)>
#sums = #dtensor.layout<#mesh, [replicate, partial(max)], (8, 8)>

// A symbol of the name is there.
func.func private @mesh()

// CHECK-LABEL: func.func @typed(
// CHECK-SAME: %arg0: tensor<8x8xf32> {sdy.sharding = #sdy.sharding<@mesh_1, [{"x"}, {}]>})
// CHECK-SAME: -> (tensor<8x8xf32> {sdy.sharding = #sdy.sharding<@mesh_1, [{}, {"y", "x"}]>})
func.func @typed(%x: tensor<8x8xf32, #rows>) -> tensor<8x8xf32, #cols> {
  // CHECK: dtensor.tanh %arg0 {sdy.sharding = #sdy.sharding_per_value<[<@mesh_1, [{"x"}, {}]>]>} : (tensor<8x8xf32>) -> tensor<8x8xf32>
  %0 = dtensor.tanh %x : (tensor<8x8xf32, #rows>) -> tensor<8x8xf32, #rows>
  // CHECK: sdy.reshard %0 <@mesh_1, [{}, {"y", "x"}]> : tensor<8x8xf32>
  %1 = dtensor.redistribute %0 : tensor<8x8xf32, #rows> to tensor<8x8xf32, #cols>
  return %1 : tensor<8x8xf32, #cols>
}

// CHECK-LABEL: func.func @pending(
// CHECK-SAME: #sdy.sharding<@mesh_1, [{}, {}], unreduced=max{"y"}>
func.func @pending(%x: tensor<8x8xf32, #sums>) -> tensor<8x8xf32, #sums> {
  return %x : tensor<8x8xf32, #sums>
}

// CHECK-LABEL: func.func @plain(
// CHECK-SAME: %arg0: tensor<8x8xf32> {dtensor.name = "x", sdy.sharding = #sdy.sharding<@mesh_1, [{"x", ?}, {?}]>}
// CHECK-SAME: -> (tensor<8x8xf32> {sdy.sharding = #sdy.sharding<@mesh_1, [{?}, {?}], replicated={"y"}>})
func.func @plain(%x: tensor<8x8xf32> {dtensor.name = "x", dtensor.layout = #dtensor.layout<#mesh, [shard(0), ?], (8, 8)>})
    -> (tensor<8x8xf32> {dtensor.layout = #dtensor.layout<#mesh, [?, replicate], (8, 8)>}) {
  // CHECK: sdy.sharding_constraint %arg0 <@mesh_1, [{"x"}, {"y"}]> : tensor<8x8xf32>
  %0 = dtensor.constraint %x to <#mesh, [shard(0), shard(1)], (8, 8)> : tensor<8x8xf32>
  return %0 : tensor<8x8xf32>
}

// -----

// A mesh that only the module names.
// CHECK: sdy.mesh @mesh = <["x"=2]>
module attributes {dtensor.mesh = #dtensor.mesh<"x" = 2>} {
  // CHECK: func.func @nothing_is_said(%arg0: tensor<8xf32>) -> tensor<8xf32>
  func.func @nothing_is_said(%x: tensor<8xf32>) -> tensor<8xf32> {
    return %x : tensor<8xf32>
  }
}

// -----

// Parts are one axis again.
// CHECK: sdy.mesh @mesh = <["x"=8]>
#mesh = #dtensor.mesh<"x:(1)2" = 2, "x:(2)4" = 4>
// CHECK-LABEL: func.func @parts(
// CHECK-SAME: <@mesh, [{"x":(1)2}, {}]>
// CHECK-SAME: <@mesh, [{}, {"x"}]>
func.func @parts(%x: tensor<8x8xf32, #dtensor.layout<#mesh, [shard(0), replicate], (8, 8)>>, %y: tensor<8x8xf32, #dtensor.layout<#mesh, [shard(1), shard(1)], (8, 8)>>) {
  return
}

// -----

// A call and what it refines are a call of the values.
#mesh = #dtensor.mesh<"x" = 2>
#n = #dtensor.layout<#mesh, [shard(0)], (8)>
// CHECK-LABEL: func.func @caller(
func.func @caller(%x: tensor<8xf32, #n>) -> tensor<8xf32, #n> {
  // CHECK: call @callee(%arg0) {sdy.sharding = #sdy.sharding_per_value<[<@mesh, [{"x"}]>]>} : (tensor<8xf32>) -> tensor<8xf32>
  %0 = dtensor.call @callee(%x) {} : (tensor<8xf32, #n>) -> tensor<8xf32, #n>
  // CHECK-NOT: refine
  %1 = dtensor.refine %0 : tensor<8xf32, #n> to tensor<8xf32, #n>
  return %1 : tensor<8xf32, #n>
}
func.func @callee(%x: tensor<8xf32, #n>) -> tensor<8xf32, #n> {
  return %x : tensor<8xf32, #n>
}

// -----

// What a loop carries beside tensors has no dimension.
#mesh = #dtensor.mesh<"x" = 2>
#n = #dtensor.layout<#mesh, [shard(0)], (8)>
// CHECK-LABEL: func.func @a_loop(
func.func @a_loop(%x: tensor<8xf32, #n>, %n: index) -> tensor<8xf32, #n> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  // CHECK: scf.for {{.*}} -> (index, tensor<8xf32>)
  // CHECK: sdy.sharding = #sdy.sharding_per_value<[<@mesh, []>, <@mesh, [{"x"}]>]>
  %0:2 = scf.for %i = %zero to %n step %one iter_args(%a = %zero, %b = %x) -> (index, tensor<8xf32, #n>) {
    scf.yield %a, %b : index, tensor<8xf32, #n>
  }
  return %0#1 : tensor<8xf32, #n>
}
