// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// Rows of a table that is sharded by columns.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK: dtensor.embedding {{.*}} -> tensor<128x64xf32, #dtensor.layout<#mesh, [?], (128, 64)>>
func.func @f(%a: tensor<1024x64xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1)], (1024, 64)>},
    %i: tensor<128xi32>) -> tensor<128x64xf32> {
  %0 = dtensor.embedding %i, %a : (tensor<128xi32>, tensor<1024x64xf32>) -> tensor<128x64xf32>
  return %0 : tensor<128x64xf32>
}
