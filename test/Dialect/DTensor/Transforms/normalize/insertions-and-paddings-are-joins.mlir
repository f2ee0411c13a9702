// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// A dimension that is covered whole is left alone.

#mesh = #dtensor.mesh<"tp" = ?>
#rows = #dtensor.layout<#mesh, [shard(0)], (B, S)>

// CHECK-LABEL: @insert
// CHECK: dtensor.check {{.*}}max(S, n0 + 4)
// CHECK: %[[A:.*]] = dtensor.slice %arg0 [0, 0] [B, n0] [1, 1]
// CHECK: %[[C:.*]] = dtensor.slice %arg0 [0, n0 + 4] [B, S - n0 - 4] [1, 1]
// CHECK: dtensor.concat %[[A]], %arg1, %[[C]] {dim = 1 : i64} {{.*}} -> tensor<?x?xf32, {{.*}}(B, S)>>
func.func @insert(%x: tensor<?x?xf32> {dtensor.layout = #rows}, %y: tensor<?x4xf32>, %o: index) -> tensor<?x?xf32> {
  %c0 = arith.constant 0 : index
  %b = tensor.dim %x, %c0 : tensor<?x?xf32>
  %0 = tensor.insert_slice %y into %x[0, %o] [%b, 4] [1, 1] : tensor<?x4xf32> into tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}
// CHECK-LABEL: @pad
// CHECK: dtensor.concat %{{.*}}, %arg0, %{{.*}} {dim = 0 : i64} {{.*}}(B + n0 + 1, S)>>
// CHECK: dtensor.concat {{.*}} {dim = 1 : i64} {{.*}}(B + n0 + 1, S + 2)>>
func.func @pad(%x: tensor<?x?xf32> {dtensor.layout = #rows}, %n: index) -> tensor<?x?xf32> {
  %z = arith.constant 0.0 : f32
  %0 = tensor.pad %x low[1, 0] high[%n, 2] {
  ^bb0(%i: index, %j: index):
    tensor.yield %z : f32
  } : tensor<?x?xf32> to tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}
// CHECK-LABEL: @static
// CHECK: dtensor.concat %{{.*}}, %arg0 {dim = 0 : i64} {{.*}}-> tensor<5x3xf32, {{.*}}(5, 3)>>
func.func @static(%x: tensor<4x3xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (4, 3)>}) -> tensor<5x3xf32> {
  %z = arith.constant 0.0 : f32
  %0 = tensor.pad %x low[1, 0] high[0, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %z : f32
  } : tensor<4x3xf32> to tensor<5x3xf32>
  return %0 : tensor<5x3xf32>
}
