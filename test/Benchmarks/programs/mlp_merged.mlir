// The layer of mlp.mlir with one weight for gate and up, [8192, 2, 28672]: one
// product instead of two. The second dimension tells which, so that cutting the
// inner units cuts both alike.

#tp = #dtensor.mesh<"tp" = ? {hint 2}>

#whole = #dtensor.layout<#tp, [replicate], (T, 8192)>
#wup = #dtensor.layout<#tp, [shard(2)], (8192, 2, 28672)>
#wdown = #dtensor.layout<#tp, [shard(0)], (28672, 8192)>

!x = tensor<?x8192xbf16>
!up = tensor<?x28672xbf16>
!both = tensor<?x2x28672xbf16>
!one = tensor<?x1x28672xbf16>

#th = affine_map<(t, c, i, h) -> (t, h)>
#hci = affine_map<(t, c, i, h) -> (h, c, i)>
#tci = affine_map<(t, c, i, h) -> (t, c, i)>

func.func @mlp_tp_merged(%x: !x {dtensor.layout = #whole},
                         %wup: tensor<8192x2x28672xbf16> {dtensor.layout = #wup},
                         %wdown: tensor<28672x8192xbf16> {dtensor.layout = #wdown})
    -> (!x {dtensor.layout = #whole})
    attributes {dtensor.symbols = {T = {hint = 2048}}} {
  %0 = dtensor.generic "gate_up" maps = [#th, #hci, #tci] iterators = [parallel, parallel, parallel, reduction] reduce = [sum]
      ins(%x, %wup : !x, tensor<8192x2x28672xbf16>) {
  ^bb0(%a: bf16, %b: bf16):
    %f = arith.extf %a : bf16 to f32
    %g = arith.extf %b : bf16 to f32
    %p = arith.mulf %f, %g : f32
    dtensor.yield %p : f32
  } -> tensor<?x2x28672xf32>
  %both = dtensor.cast %0 : (tensor<?x2x28672xf32>) -> !both
  %gate0 = dtensor.slice %both [0, 0, 0] [T, 1, 28672] [1, 1, 1] : (!both) -> !one
  %up0 = dtensor.slice %both [0, 1, 0] [T, 1, 28672] [1, 1, 1] : (!both) -> !one
  %gate = dtensor.squeeze %gate0 {dims = [1]} : (!one) -> !up
  %up = dtensor.squeeze %up0 {dims = [1]} : (!one) -> !up
  %1 = dtensor.silu %gate : (!up) -> !up
  %2 = dtensor.mul %1, %up : (!up, !up) -> !up
  %y = dtensor.matmul %2, %wdown : (!up, tensor<28672x8192xbf16>) -> !x
  return %y : !x
}
