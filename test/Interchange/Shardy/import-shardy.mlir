// RUN: dtensor-opt %s --split-input-file --dtensor-import-shardy | FileCheck %s
// RUN: dtensor-opt %s --split-input-file --dtensor-import-shardy --dtensor-propagate-pipeline -o /dev/null

// Shardings of a signature are layouts, those of ops constraints.
// CHECK: #[[MESH:.*]] = #dtensor.mesh<"x" = 2, "y" = 4>
// CHECK: module attributes {dtensor.mesh = #[[MESH]]}
// CHECK-NOT: sdy
sdy.mesh @mesh = <["x"=2, "y"=4]>

// CHECK-LABEL: func.func @of_static_shape(
// CHECK-SAME: %arg0: tensor<8x16xf32> {dtensor.layout = #dtensor.layout<#[[MESH]], [shard(0), ?], (8, 16)>}, %arg1: tensor<8x16xf32>)
// CHECK-SAME: -> (tensor<8x16xf32> {dtensor.layout = #dtensor.layout<#[[MESH]], [shard(1), shard(1)] order = ["y", "x"], (8, 16)>})
func.func @of_static_shape(%x: tensor<8x16xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"x", ?}, {?}]>},
                           %y: tensor<8x16xf32> {sdy.sharding = #sdy.sharding<@mesh, [{?}, {?}]>})
    -> (tensor<8x16xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {"y", "x"}]>}) {
  // CHECK: %[[SUM:.*]] = arith.addf %arg0, %arg1 : tensor<8x16xf32>
  // CHECK: %[[PIN:.*]] = dtensor.constraint %[[SUM]] to <#[[MESH]], [replicate, shard(1)], (8, 16)> : tensor<8x16xf32>
  %0 = arith.addf %x, %y {sdy.sharding = #sdy.sharding_per_value<[<@mesh, [{}, {"y"}]>]>} : tensor<8x16xf32>
  // CHECK: %[[CONSTRAINT:.*]] = dtensor.constraint %[[PIN]] to {{.*}}[shard(0), replicate]
  %1 = sdy.sharding_constraint %0 <@mesh, [{"x"}, {}]> : tensor<8x16xf32>
  // CHECK: math.tanh %[[CONSTRAINT]]
  %2 = math.tanh %1 : tensor<8x16xf32>
  // CHECK: %[[MOVED:.*]] = dtensor.constraint {{.*}}[replicate, replicate]
  %3 = sdy.reshard %2 <@mesh, [{}, {}]> : tensor<8x16xf32>
  // CHECK: return %[[MOVED]]
  return %3 : tensor<8x16xf32>
}

// -----

// A dynamic size is a symbol; where ops make two of them equal they become one.
sdy.mesh @mesh = <["x"=2]>

// CHECK-LABEL: func.func @of_dynamic_shape(
// CHECK-SAME: {dtensor.layout = #dtensor.layout<#{{.*}}, [shard(0)], (sdy_0, 16)>}
func.func @of_dynamic_shape(%x: tensor<?x16xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"x"}, {}]>}) -> tensor<?x16xf32> {
  // CHECK: dtensor.constraint {{.*}}, [replicate], (sdy_1, 16)>
  %0 = sdy.sharding_constraint %x <@mesh, [{}, {}]> : tensor<?x16xf32>
  return %0 : tensor<?x16xf32>
}

// -----

// Without uses a constraint is one of its operand, for all of its uses.
sdy.mesh @mesh = <["x"=2]>

// CHECK-LABEL: func.func @a_dangling_constraint(
func.func @a_dangling_constraint(%x: tensor<8xf32>) -> tensor<8xf32> {
  // CHECK: %[[PIN:.*]] = dtensor.constraint %arg0 {{.*}}[shard(0)]
  // CHECK: math.tanh %[[PIN]]
  %0 = math.tanh %x : tensor<8xf32>
  %1 = sdy.sharding_constraint %x <@mesh, [{"x"}]> : tensor<8xf32>
  return %0 : tensor<8xf32>
}

// -----

// An axis of which parts are used is several axes.
// CHECK: #dtensor.mesh<"x:(1)2" = 2, "x:(2)4" = 4>
sdy.mesh @mesh = <["x"=8]>

// CHECK-LABEL: func.func @parts_of_an_axis(
// CHECK-SAME: [shard(0), replicate], (8, 8)>
// CHECK-SAME: [shard(1), shard(1)], (8, 8)>
func.func @parts_of_an_axis(%x: tensor<8x8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"x":(1)2}, {}]>}) -> (tensor<8x8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {"x"}]>}) {
  return %x : tensor<8x8xf32>
}

// -----

// A pending sum, and a mesh without axes, which is that of the module.
sdy.mesh @mesh = <["x"=2]>
sdy.mesh @placeholder = <[]>

// CHECK-LABEL: func.func @pending_sums(
// CHECK-SAME: [partial(sum)], (8)>
// CHECK-SAME: [partial(sum)], (8)>
func.func @pending_sums(%x: tensor<8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}], unreduced={"x"}>},
                        %y: tensor<8xf32> {sdy.sharding = #sdy.sharding<@placeholder, [{?}]>})
    -> (tensor<8xf32> {sdy.sharding = #sdy.sharding<mesh<["x"=2]>, [{}], unreduced={"x"}>}, tensor<8xf32>) {
  // CHECK: dtensor.constraint {{.*}}[replicate], (8)>
  %0 = sdy.sharding_constraint %y <@placeholder, [{}]> : tensor<8xf32>
  return %x, %0 : tensor<8xf32>, tensor<8xf32>
}

// -----

// A number beside a tensor has nothing to shard.
sdy.mesh @mesh = <["x"=2]>

// CHECK-LABEL: func.func @numbers(
func.func @numbers(%c: i1, %x: tensor<8xf32>, %n: index) -> tensor<8xf32> {
  // CHECK: %[[BOTH:.*]]:2 = scf.if
  %0:2 = scf.if %c -> (index, tensor<8xf32>) {
    scf.yield %n, %x : index, tensor<8xf32>
  } else {
    scf.yield %n, %x : index, tensor<8xf32>
  } {sdy.sharding = #sdy.sharding_per_value<[<@mesh, []>, <@mesh, [{"x"}]>]>}
  // CHECK: dtensor.constraint %[[BOTH]]#1 to {{.*}}[shard(0)], (8)>
  return %0#1 : tensor<8xf32>
}
