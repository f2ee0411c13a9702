// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// Rows of a table that is sharded by rows.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK: dtensor.reshape
// CHECK: dtensor.embedding
// CHECK: @dynamic
// CHECK: dtensor.embedding {{.*}} -> tensor<?x?x64xf32{{.*}}(d0, d1, 64)>>
func.func @f(%a: tensor<1024x64xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (1024, 64)>},
    %i: tensor<8x16x1xi64>) -> tensor<8x16x64xf32> {
  %0 = tensor.gather %a[%i] gather_dims([0]) : (tensor<1024x64xf32>, tensor<8x16x1xi64>) -> tensor<8x16x64xf32>
  return %0 : tensor<8x16x64xf32>
}
func.func @dynamic(%a: tensor<?x64xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (V, 64)>},
    %i: tensor<?x?x1xi64>) -> tensor<?x?x64xf32> {
  %0 = tensor.gather %a[%i] gather_dims([0]) : (tensor<?x64xf32>, tensor<?x?x1xi64>) -> tensor<?x?x64xf32>
  return %0 : tensor<?x?x64xf32>
}
