// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// Softmax written out as loops; inits are neutral and vanish.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK-COUNT-4: dtensor.generic
// CHECK-NOT: dtensor.generic
// CHECK-NOT: linalg.
#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
func.func @f(%x: tensor<128x64xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1)], (128, 64)>}) -> tensor<128x64xf32> {
  %ninf = arith.constant 0xFF800000 : f32
  %z = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<128xf32>
  %i1 = linalg.fill ins(%ninf : f32) outs(%e1 : tensor<128xf32>) -> tensor<128xf32>
  %m = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<128x64xf32>) outs(%i1 : tensor<128xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.maximumf %v, %o : f32
    linalg.yield %r : f32
  } -> tensor<128xf32>
  %e2 = tensor.empty() : tensor<128x64xf32>
  %p = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %m : tensor<128x64xf32>, tensor<128xf32>) outs(%e2 : tensor<128x64xf32>) {
  ^bb0(%v: f32, %mm: f32, %o: f32):
    %d = arith.subf %v, %mm : f32
    %r = math.exp %d : f32
    linalg.yield %r : f32
  } -> tensor<128x64xf32>
  %e3 = tensor.empty() : tensor<128xf32>
  %i3 = linalg.fill ins(%z : f32) outs(%e3 : tensor<128xf32>) -> tensor<128xf32>
  %sm = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%p : tensor<128x64xf32>) outs(%i3 : tensor<128xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.addf %v, %o : f32
    linalg.yield %r : f32
  } -> tensor<128xf32>
  %e4 = tensor.empty() : tensor<128x64xf32>
  %q = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%p, %sm : tensor<128x64xf32>, tensor<128xf32>) outs(%e4 : tensor<128x64xf32>) {
  ^bb0(%v: f32, %mm: f32, %o: f32):
    %r = arith.divf %v, %mm : f32
    linalg.yield %r : f32
  } -> tensor<128x64xf32>
  return %q : tensor<128x64xf32>
}
