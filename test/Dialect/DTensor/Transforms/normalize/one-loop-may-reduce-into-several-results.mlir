// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// Each result has its own way of combining.

#mesh = #dtensor.mesh<"tp" = ?>
#rows = #dtensor.layout<#mesh, [shard(0)], (B, S)>

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
// CHECK: dtensor.generic maps = {{.*}} reduce = [sum, product] ins(%arg0 :
// CHECK-NEXT: ^bb0(%[[V:.*]]: f32):
// CHECK-NEXT: %[[Q:.*]] = arith.mulf %[[V]], %[[V]] : f32
// CHECK-NEXT: dtensor.yield %[[V]], %[[Q]] : f32, f32
// CHECK: dtensor.generic "mulf" {{.*}} ins(%arg1,
func.func @two(%x: tensor<?x?xf32> {dtensor.layout = #rows}, %p: tensor<?xf32>, %e: index) -> (tensor<?xf32>, tensor<?xf32>) {
  %z = arith.constant 0.0 : f32
  %n = tensor.empty(%e) : tensor<?xf32>
  %i = linalg.fill ins(%z : f32) outs(%n : tensor<?xf32>) -> tensor<?xf32>
  %0:2 = linalg.generic {indexing_maps = [#id, #row, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x?xf32>) outs(%i, %p : tensor<?xf32>, tensor<?xf32>) {
  ^bb0(%v: f32, %a: f32, %c: f32):
    %s = arith.addf %v, %a : f32
    %q = arith.mulf %v, %v : f32
    %r = arith.mulf %c, %q : f32
    linalg.yield %s, %r : f32, f32
  } -> (tensor<?xf32>, tensor<?xf32>)
  return %0#0, %0#1 : tensor<?xf32>, tensor<?xf32>
}
