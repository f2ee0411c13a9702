// RUN: dtensor-opt %s | dtensor-opt | FileCheck %s

#mesh = #dtensor.mesh<"x" = ?>
#bs = #dtensor.layout<#mesh, [shard(0)], (B, S)>
#b1 = #dtensor.layout<#mesh, [shard(0)], (B, 1)>
#half = #dtensor.layout<#mesh, [replicate], (B, S floordiv 2)>

// CHECK-LABEL: @slices_of_symbols
func.func @slices_of_symbols(%x: tensor<?x?xf32, #bs>, %y: tensor<?x?xf32>) {
  // CHECK: dtensor.slice %arg1 [0, S - 1] [B, 1] [1, 1] : (tensor<?x?xf32>) -> tensor<?x1xf32>
  %r0 = dtensor.slice %y [0, S - 1] [B, 1] [1, 1] : (tensor<?x?xf32>) -> tensor<?x1xf32>
  // CHECK: dtensor.slice %arg1 [0, 1] [B, S floordiv 2] [1, 2] : (tensor<?x?xf32>) -> tensor<?x?xf32>
  %r1 = dtensor.slice %y [0, 1] [B, S floordiv 2] [1, 2] : (tensor<?x?xf32>) -> tensor<?x?xf32>
  // CHECK: dtensor.slice %arg0 [0, S - 1] [B, 1] [1, 1] : (tensor<?x?xf32, #{{.*}}>) -> tensor<?x1xf32, #{{.*}}>
  %s = dtensor.slice %x [0, S - 1] [B, 1] [1, 1] : (tensor<?x?xf32, #bs>) -> tensor<?x1xf32, #b1>
  // CHECK: dtensor.slice %arg0 [0, 0] [B, S floordiv 2] [1, 2]
  %h = dtensor.slice %x [0, 0] [B, S floordiv 2] [1, 2] : (tensor<?x?xf32, #bs>) -> tensor<?x?xf32, #half>
  return
}

// CHECK-LABEL: @lookups_and_joins_of_dynamic_shape
func.func @lookups_and_joins_of_dynamic_shape(%x: tensor<?x4xf32>, %ids: tensor<?x?xi64>, %table: tensor<?x8xbf16>, %col: tensor<?x1xi32>) {
  // CHECK: dtensor.concat %arg0, %arg0 {dim = 1 : i64} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x8xf32>
  %r0 = dtensor.concat %x, %x {dim = 1 : i64} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x8xf32>
  // CHECK: dtensor.embedding %arg1, %arg2 : (tensor<?x?xi64>, tensor<?x8xbf16>) -> tensor<?x?x8xbf16>
  %r1 = dtensor.embedding %ids, %table : (tensor<?x?xi64>, tensor<?x8xbf16>) -> tensor<?x?x8xbf16>
  // CHECK: dtensor.gather %arg0, %arg3 {dim = 1 : i64} : (tensor<?x4xf32>, tensor<?x1xi32>) -> tensor<?x1xf32>
  %r2 = dtensor.gather %x, %col {dim = 1 : i64} : (tensor<?x4xf32>, tensor<?x1xi32>) -> tensor<?x1xf32>
  return
}

// CHECK-LABEL: @lookups_and_joins_of_static_shape
func.func @lookups_and_joins_of_static_shape(%x: tensor<3x4xf32>, %ids: tensor<3x3xi64>, %table: tensor<3x8xbf16>, %col: tensor<3x1xi32>) {
  // CHECK: dtensor.concat %arg0, %arg0 {dim = 1 : i64} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x8xf32>
  %r0 = dtensor.concat %x, %x {dim = 1 : i64} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x8xf32>
  // CHECK: dtensor.embedding %arg1, %arg2 : (tensor<3x3xi64>, tensor<3x8xbf16>) -> tensor<3x3x8xbf16>
  %r1 = dtensor.embedding %ids, %table : (tensor<3x3xi64>, tensor<3x8xbf16>) -> tensor<3x3x8xbf16>
  // CHECK: dtensor.gather %arg0, %arg3 {dim = 1 : i64} : (tensor<3x4xf32>, tensor<3x1xi32>) -> tensor<3x1xf32>
  %r2 = dtensor.gather %x, %col {dim = 1 : i64} : (tensor<3x4xf32>, tensor<3x1xi32>) -> tensor<3x1xf32>
  // CHECK: dtensor.slice %arg0 [1, 0] [2, 2] [1, 2] : (tensor<3x4xf32>) -> tensor<2x2xf32>
  %r3 = dtensor.slice %x [1, 0] [2, 2] [1, 2] : (tensor<3x4xf32>) -> tensor<2x2xf32>
  return
}

// CHECK-LABEL: @a_constant_has_a_layout
func.func @a_constant_has_a_layout() {
  // CHECK: dtensor.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32> to tensor<2xf32, #{{.*}}>
  %0 = dtensor.constant dense<[1.0, 2.0]> : tensor<2xf32> to tensor<2xf32, #dtensor.layout<#mesh, [shard(0)], (2)>>
  // CHECK: dtensor.constant dense<1> : tensor<i32> to tensor<i32>
  %1 = dtensor.constant dense<1> : tensor<i32> to tensor<i32>
  return
}
