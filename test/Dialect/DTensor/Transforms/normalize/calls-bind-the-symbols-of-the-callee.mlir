// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// A private function without a mesh is on its callers' and serves every extent.

#mesh = #dtensor.mesh<"tp" = ?>
#rows = #dtensor.layout<#mesh, [shard(0)], (B, S)>

// CHECK: func.func private @scale(%arg0: tensor<?x?xf32, #dtensor.layout<#mesh, [?], (d0, n0)>>, %arg1: index {dtensor.symbol = "n0"})
func.func private @scale(%x: tensor<?x?xf32>, %n: index) -> tensor<?x?xf32> {
  %w = tensor.empty(%n) : tensor<?xf32>
  %0 = dtensor.mul %x, %w : (tensor<?x?xf32>, tensor<?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}
// CHECK-LABEL: func.func @dynamic
// CHECK: dtensor.call @scale(%{{.*}}, %{{.*}}) {d0 = #dtensor.expr<B>, n0 = #dtensor.expr<S>}
func.func @dynamic(%x: tensor<?x?xf32> {dtensor.layout = #rows}) -> tensor<?x?xf32> {
  %c1 = arith.constant 1 : index
  %s = tensor.dim %x, %c1 : tensor<?x?xf32>
  %0 = func.call @scale(%x, %s) : (tensor<?x?xf32>, index) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}
// CHECK-LABEL: func.func @static
// CHECK: dtensor.call @scale(%{{.*}}, %{{.*}}) {d0 = #dtensor.expr<4>, n0 = #dtensor.expr<3>} : (tensor<4x3xf32
func.func @static(%x: tensor<4x3xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (4, 3)>}) -> tensor<?x?xf32> {
  %c3 = arith.constant 3 : index
  %c = tensor.cast %x : tensor<4x3xf32> to tensor<?x?xf32>
  %0 = func.call @scale(%c, %c3) : (tensor<?x?xf32>, index) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}
// CHECK: func.func @left_alone(%arg0: tensor<?xf32>) -> tensor<?xf32> {
func.func @left_alone(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = math.exp %x : tensor<?xf32>
  return %0 : tensor<?xf32>
}
