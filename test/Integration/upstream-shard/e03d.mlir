// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// A causal mask: the loop's position is the global one.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK: dtensor.generic maps = {{.*}}ins(%arg0 :
// CHECK-DAG: dtensor.index 0
// CHECK-DAG: dtensor.index 1
// CHECK: arith.cmpi uge
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @f(%x: tensor<?x64xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (T, 64)>}, %e: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x64xf32>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%v: f32, %o: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %c = arith.cmpi uge, %i, %j : index
    %z = arith.constant 0.0 : f32
    %r = arith.select %c, %v, %z : f32
    linalg.yield %r : f32
  } -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}
