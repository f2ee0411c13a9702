// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// A lookup written as a loop that reads a captured table.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK: dtensor.generic {{.*}}ins(%{{.*}} : tensor<128xi32{{.*}}captures(%{{.*}} : tensor<1024x64xf32
// CHECK: dtensor.index 1
// CHECK: tensor.extract
#i = affine_map<(d0, d1) -> (d0)>
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @f(%t: tensor<1024x64xf32>,
    %i: tensor<128xi32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (128)>}) -> tensor<128x64xf32> {
  %e = tensor.empty() : tensor<128x64xf32>
  %0 = linalg.generic {indexing_maps = [#i, #id], iterator_types = ["parallel", "parallel"]}
      ins(%i : tensor<128xi32>) outs(%e : tensor<128x64xf32>) {
  ^bb0(%id: i32, %o: f32):
    %k = arith.index_cast %id : i32 to index
    %j = linalg.index 1 : index
    %v = tensor.extract %t[%k, %j] : tensor<1024x64xf32>
    linalg.yield %v : f32
  } -> tensor<128x64xf32>
  return %0 : tensor<128x64xf32>
}
