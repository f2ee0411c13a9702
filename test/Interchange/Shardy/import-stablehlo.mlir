// RUN: dtensor-opt %s --allow-unregistered-dialect --dtensor-import-shardy | FileCheck %s
// RUN: dtensor-opt %s --allow-unregistered-dialect --dtensor-import-shardy --dtensor-propagate-pipeline -o /dev/null
// Ops of StableHLO in MLIR's generic form are read without StableHLO.

sdy.mesh @mesh = <["x"=2]>

// CHECK-LABEL: func.func @pointwise_of_static_shape(
func.func @pointwise_of_static_shape(%x: tensor<8xf32>, %i: tensor<8xi32>, %c: tensor<8xi1>, %s: tensor<f32>) -> (tensor<8xf32>, tensor<8xi1>, tensor<8xi32>) {
  // CHECK: dtensor.exp %arg0
  %0 = "stablehlo.exponential"(%x) : (tensor<8xf32>) -> tensor<8xf32>
  // CHECK: dtensor.sub {{.*}} : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %1 = "stablehlo.subtract"(%0, %x) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  // CHECK: dtensor.where %arg2
  %2 = "stablehlo.select"(%c, %0, %1) : (tensor<8xi1>, tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  // CHECK: dtensor.clamp %{{[0-9]+}}, %arg3, %arg3
  %3 = "stablehlo.clamp"(%s, %2, %s) : (tensor<f32>, tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  // CHECK: dtensor.compare {{.*}} {predicate = "lt"}
  %4 = "stablehlo.compare"(%3, %x) <{comparison_direction = #stablehlo<comparison_direction LT>, compare_type = #stablehlo<comparison_type FLOAT>}> : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xi1>
  // CHECK: dtensor.logical_and
  %5 = "stablehlo.and"(%4, %c) : (tensor<8xi1>, tensor<8xi1>) -> tensor<8xi1>
  // CHECK: dtensor.bitwise_or
  %6 = "stablehlo.or"(%i, %i) : (tensor<8xi32>, tensor<8xi32>) -> tensor<8xi32>
  // CHECK: dtensor.cast
  %7 = "stablehlo.convert"(%6) : (tensor<8xi32>) -> tensor<8xf32>
  // CHECK: return %{{[0-9]+}},
  %8 = "stablehlo.optimization_barrier"(%7) : (tensor<8xf32>) -> tensor<8xf32>
  return %8, %5, %6 : tensor<8xf32>, tensor<8xi1>, tensor<8xi32>
}

// CHECK-LABEL: func.func @pointwise_of_dynamic_shape(
func.func @pointwise_of_dynamic_shape(%x: tensor<?xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"x"}]>}) -> tensor<?xf32> {
  // CHECK: %[[SUM:.*]] = dtensor.add
  // CHECK: dtensor.constraint %[[SUM]]
  %0 = "stablehlo.add"(%x, %x) {sdy.sharding = #sdy.sharding_per_value<[<@mesh, [{}]>]>} : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// CHECK-LABEL: func.func @products(
func.func @products(%a: tensor<4x8x2xf32>, %b: tensor<4x2x6xf32>, %m: tensor<2x6xf32>, %v: tensor<6xf32>) -> (tensor<4x8x6xf32>, tensor<2xf32>) {
  // CHECK: dtensor.einsum %arg0, %arg1 {equation = "acb,abd->acd"}
  %0 = "stablehlo.dot_general"(%a, %b) <{dot_dimension_numbers = #stablehlo.dot<lhs_batching_dimensions = [0], rhs_batching_dimensions = [0], lhs_contracting_dimensions = [2], rhs_contracting_dimensions = [1]>}> : (tensor<4x8x2xf32>, tensor<4x2x6xf32>) -> tensor<4x8x6xf32>
  // CHECK: dtensor.einsum %arg2, %arg3 {equation = "ba,a->b"}
  %1 = "stablehlo.dot"(%m, %v) : (tensor<2x6xf32>, tensor<6xf32>) -> tensor<2xf32>
  return %0, %1 : tensor<4x8x6xf32>, tensor<2xf32>
}

// CHECK-LABEL: func.func @views(
func.func @views(%x: tensor<4x6xf32>, %v: tensor<6xf32>) -> (tensor<24xf32>, tensor<4x6x2xf32>) {
  // CHECK: dtensor.permute %arg0 {permutation = [1, 0]} : (tensor<4x6xf32>) -> tensor<6x4xf32>
  %0 = "stablehlo.transpose"(%x) <{permutation = array<i64: 1, 0>}> : (tensor<4x6xf32>) -> tensor<6x4xf32>
  // CHECK: dtensor.reshape
  %1 = "stablehlo.reshape"(%0) : (tensor<6x4xf32>) -> tensor<24xf32>
  // CHECK: dtensor.unsqueeze %arg1 {dims = [0, 2]} : (tensor<6xf32>) -> tensor<1x6x1xf32>
  // CHECK: dtensor.expand {{.*}} : (tensor<1x6x1xf32>) -> tensor<4x6x2xf32>
  %2 = "stablehlo.broadcast_in_dim"(%v) <{broadcast_dimensions = dense<1> : tensor<1xi64>}> : (tensor<6xf32>) -> tensor<4x6x2xf32>
  return %1, %2 : tensor<24xf32>, tensor<4x6x2xf32>
}

// CHECK-LABEL: func.func @reductions(
func.func @reductions(%x: tensor<4x6xf32>, %i: tensor<4x6xi32>) -> (tensor<4xf32>, tensor<4xi32>, tensor<4xi64>) {
  // CHECK: arith.constant dense<0.000000e+00>
  %zero = "stablehlo.constant"() <{value = dense<0.0> : tensor<f32>}> : () -> tensor<f32>
  %low = "stablehlo.constant"() <{value = dense<0x80000000> : tensor<i32>}> : () -> tensor<i32>
  // CHECK: dtensor.sum %arg0 {dims = [1]} : (tensor<4x6xf32>) -> tensor<4xf32>
  // CHECK: dtensor.amax %arg1 {dims = [1]} : (tensor<4x6xi32>) -> tensor<4xi32>
  %0:2 = "stablehlo.reduce"(%x, %i, %zero, %low) <{dimensions = array<i64: 1>}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<i32>, %c: tensor<f32>, %d: tensor<i32>):
    %1 = "stablehlo.add"(%a, %c) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %2 = "stablehlo.maximum"(%d, %b) : (tensor<i32>, tensor<i32>) -> tensor<i32>
    "stablehlo.return"(%1, %2) : (tensor<f32>, tensor<i32>) -> ()
  }) : (tensor<4x6xf32>, tensor<4x6xi32>, tensor<f32>, tensor<i32>) -> (tensor<4xf32>, tensor<4xi32>)
  // CHECK: dtensor.iota {dim = 0
  %3 = "stablehlo.iota"() <{iota_dimension = 0 : i64}> : () -> tensor<4xi64>
  return %0#0, %0#1, %3 : tensor<4xf32>, tensor<4xi32>, tensor<4xi64>
}
