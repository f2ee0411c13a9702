// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// What an op equates has one name; a number beats a symbol, a declared name a
// derived one.

#mesh = #dtensor.mesh<"tp" = ?>
#rows = #dtensor.layout<#mesh, [shard(0)], (B, S)>

// CHECK: @static(%arg0: tensor<2x3xf32, {{.*}}(2, 3)>>, %arg1: tensor<2x3xf32, {{.*}}(2, 3)>>)
func.func @static(%x: tensor<?x?xf32> {dtensor.layout = #rows}, %y: tensor<2x3xf32>) -> tensor<?x?xf32> {
  %0 = tensor.cast %y : tensor<2x3xf32> to tensor<?x?xf32>
  %1 = arith.addf %x, %0 : tensor<?x?xf32>
  return %1 : tensor<?x?xf32>
}
// CHECK: @dynamic({{.*}}(B, S)>>, {{.*}}(B, S)>>, {{.*}}(S)>>) -> {{.*}}[?], (B, S)>>
// CHECK-SAME: dtensor.symbols = {B = {}, S = {hint = 64 : i64, max = 512 : i64}}
func.func @dynamic(%x: tensor<?x?xf32> {dtensor.layout = #rows}, %y: tensor<?x?xf32>, %w: tensor<?xf32>) -> tensor<?x?xf32>
    attributes {dtensor.symbols = {S = {max = 512, hint = 64}}} {
  %0 = dtensor.add %x, %y : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %1 = dtensor.mul %0, %w : (tensor<?x?xf32>, tensor<?xf32>) -> tensor<?x?xf32>
  return %1 : tensor<?x?xf32>
}
