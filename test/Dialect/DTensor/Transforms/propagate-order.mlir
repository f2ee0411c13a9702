// RUN: dtensor-opt %s --dtensor-plan-pipeline | FileCheck %s
// Axes of one dimension keep the order in which they are stated to nest.

#mesh = #dtensor.mesh<"dp" = 2, "tp" = 4>
#inner = #dtensor.layout<#mesh, [shard(0), shard(0)] order = ["tp", "dp"], (N, 8)>
#static = #dtensor.layout<#mesh, [shard(0), shard(0)] order = ["tp", "dp"], (64, 8)>
#outer = #dtensor.layout<#mesh, [shard(0), shard(0)], (N, 8)>

// CHECK-LABEL: func.func @a_step_moves_nothing_of_dynamic_shape(
// CHECK-NOT: dtensor.redistribute
// CHECK: return
func.func @a_step_moves_nothing_of_dynamic_shape(%x: tensor<?x8xf32> {dtensor.layout = #inner}, %y: tensor<?x8xf32> {dtensor.layout = #inner}) -> (tensor<?x8xf32> {dtensor.layout = #inner}) {
  %0 = dtensor.mul %x, %y : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = dtensor.add %x, %0 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}

// The argument and the result of which nothing is said follow.
// CHECK-LABEL: func.func @a_step_moves_nothing_of_static_shape(
// CHECK-SAME: %arg1: tensor<64x8xf32, #dtensor.layout<#{{[a-z0-9]+}}, [shard(0), shard(0)] order = ["tp", "dp"], (64, 8)>>)
// CHECK-SAME: -> tensor<64x8xf32, #dtensor.layout<#{{[a-z0-9]+}}, [shard(0), shard(0)] order = ["tp", "dp"], (64, 8)>>
// CHECK-NOT: dtensor.redistribute
// CHECK: return
func.func @a_step_moves_nothing_of_static_shape(%x: tensor<64x8xf32> {dtensor.layout = #static}, %y: tensor<64x8xf32>) -> tensor<64x8xf32> {
  %0 = dtensor.mul %y, %x : (tensor<64x8xf32>, tensor<64x8xf32>) -> tensor<64x8xf32>
  return %0 : tensor<64x8xf32>
}

// One of three is moved, not two.
// CHECK-LABEL: func.func @most_of_them_count(
// CHECK-COUNT-1: dtensor.redistribute %arg0
// CHECK-NOT: dtensor.redistribute
// CHECK: return
func.func @most_of_them_count(%x: tensor<?x8xf32> {dtensor.layout = #outer}, %y: tensor<?x8xf32> {dtensor.layout = #inner}) -> (tensor<?x8xf32> {dtensor.layout = #inner}) {
  %0 = dtensor.add %x, %y : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// What a loop carries, and what a branch gives, has one order.
// CHECK-LABEL: func.func @control_flow(
// CHECK-NOT: dtensor.redistribute
// CHECK: return
func.func @control_flow(%x: tensor<?x8xf32> {dtensor.layout = #inner}, %n: index, %c: i1) -> (tensor<?x8xf32> {dtensor.layout = #inner}) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %0 = scf.for %i = %zero to %n step %one iter_args(%a = %x) -> tensor<?x8xf32> {
    %1 = dtensor.add %a, %x : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
    scf.yield %1 : tensor<?x8xf32>
  }
  %2 = scf.if %c -> tensor<?x8xf32> {
    %3 = math.tanh %0 : tensor<?x8xf32>
    scf.yield %3 : tensor<?x8xf32>
  } else {
    scf.yield %0 : tensor<?x8xf32>
  }
  return %2 : tensor<?x8xf32>
}

// CHECK-LABEL: func.func @calls(
// CHECK-NOT: dtensor.redistribute
// CHECK: return
func.func @calls(%x: tensor<?x8xf32> {dtensor.layout = #inner}) -> tensor<?x8xf32> {
  %0 = func.call @callee(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = math.tanh %0 : tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}
func.func @callee(%x: tensor<?x8xf32> {dtensor.layout = #inner}) -> tensor<?x8xf32> {
  %0 = math.tanh %x : tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}
