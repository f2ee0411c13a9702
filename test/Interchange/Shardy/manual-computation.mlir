// RUN: dtensor-opt %s --allow-unregistered-dialect --dtensor-import-shardy | FileCheck %s
// RUN: dtensor-opt %s --allow-unregistered-dialect --dtensor-import-shardy --dtensor-propagate-pipeline -o /dev/null
// What one rank computes element by element is, on all ranks, the same of the
// whole tensors.

sdy.mesh @mesh = <["x"=2, "y"=4]>

// CHECK-LABEL: func.func @of_static_shape(
func.func @of_static_shape(%x: tensor<8x16xf32>, %y: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // CHECK: %[[X:.*]] = dtensor.constraint %arg0 to {{.*}}[shard(0), ?], (8, 16)>
  // CHECK: %[[Y:.*]] = dtensor.constraint %arg1 to {{.*}}[shard(0), ?], (8, 16)>
  // CHECK: %[[SUM:.*]] = dtensor.add %[[X]], %[[Y]] : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
  // CHECK: %[[TANH:.*]] = math.tanh %[[SUM]] : tensor<8x16xf32>
  // CHECK: %[[OUT:.*]] = dtensor.constraint %[[TANH]] to {{.*}}[shard(0), replicate], (8, 16)>
  // CHECK: return %[[OUT]]
  %0 = sdy.manual_computation(%x, %y) in_shardings=[<@mesh, [{"x", ?}, {?}]>, <@mesh, [{"x", ?}, {?}]>] out_shardings=[<@mesh, [{"x"}, {}]>] manual_axes={"x"} (%a: tensor<4x16xf32>, %b: tensor<4x16xf32>) {
    %1 = "stablehlo.add"(%a, %b) : (tensor<4x16xf32>, tensor<4x16xf32>) -> tensor<4x16xf32>
    %2 = math.tanh %1 : tensor<4x16xf32>
    sdy.return %2 : tensor<4x16xf32>
  } : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}

// CHECK-LABEL: func.func @of_dynamic_shape(
func.func @of_dynamic_shape(%x: tensor<?x16xf32>) -> tensor<?x16xf32> {
  // CHECK: math.tanh {{.*}} : tensor<?x16xf32>
  %0 = sdy.manual_computation(%x) in_shardings=[<@mesh, [{"x"}, {"y"}]>] out_shardings=[<@mesh, [{"x"}, {"y"}]>] manual_axes={"x", "y"} (%a: tensor<?x4xf32>) {
    %1 = math.tanh %a : tensor<?x4xf32>
    sdy.return %1 : tensor<?x4xf32>
  } : (tensor<?x16xf32>) -> tensor<?x16xf32>
  return %0 : tensor<?x16xf32>
}

// A constant of one number is so however it is cut.
// CHECK-LABEL: func.func @constants(
func.func @constants(%x: tensor<8xf32>, %y: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  // CHECK: %[[WHOLE:.*]] = arith.constant dense<2.000000e+00> : tensor<8xf32>
  // CHECK: dtensor.mul {{.*}}, %[[WHOLE]] : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  // CHECK: %[[OTHER:.*]] = arith.constant dense<2.000000e+00> : tensor<8xf32>
  // CHECK: arith.addf {{.*}}, %[[OTHER]] : tensor<8xf32>
  %0:2 = sdy.manual_computation(%x, %y) in_shardings=[<@mesh, [{"x"}]>, <@mesh, [{"x"}]>] out_shardings=[<@mesh, [{"x"}]>, <@mesh, [{"x"}]>] manual_axes={"x"} (%a: tensor<4xf32>, %b: tensor<4xf32>) {
    %two = "stablehlo.constant"() <{value = dense<2.0> : tensor<4xf32>}> : () -> tensor<4xf32>
    %1 = "stablehlo.multiply"(%a, %two) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %2 = arith.addf %b, %two : tensor<4xf32>
    sdy.return %1, %2 : tensor<4xf32>, tensor<4xf32>
  } : (tensor<8xf32>, tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>)
  return %0#0, %0#1 : tensor<8xf32>, tensor<8xf32>
}

// Without manual axes the body may have any op.
// CHECK-LABEL: func.func @without_manual_axes(
func.func @without_manual_axes(%x: tensor<8x16xf32>) -> tensor<16x8xf32> {
  // CHECK: dtensor.permute {{.*}} : (tensor<8x16xf32>) -> tensor<16x8xf32>
  %0 = sdy.manual_computation(%x) in_shardings=[<@mesh, [{"x"}, {}]>] out_shardings=[<@mesh, [{"y"}, {}]>] manual_axes={} (%a: tensor<8x16xf32>) {
    %1 = "stablehlo.transpose"(%a) <{permutation = array<i64: 1, 0>}> : (tensor<8x16xf32>) -> tensor<16x8xf32>
    sdy.return %1 : tensor<16x8xf32>
  } : (tensor<8x16xf32>) -> tensor<16x8xf32>
  return %0 : tensor<16x8xf32>
}
