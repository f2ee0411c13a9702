// The block of llama_block_tp.mlir with one weight for queries, keys and values,
// [8192, 8, 10, 128]: for each of the 8 key heads its 8 query heads, the key and
// the value; and one for gate and up, [8192, 2, 28672]. Cutting key heads and
// inner units cuts all alike. Attention and the gate read what the products made
// where it lies; key heads are the batch of the attention.

#tp = #dtensor.mesh<"tp" = ? {divides 8, hint 2}>

#whole = #dtensor.layout<#tp, [replicate], (T, 8192)>
#norm = #dtensor.layout<#tp, [replicate], (8192)>
#wqkv = #dtensor.layout<#tp, [shard(1)], (8192, 8, 10, 128)>
#wo = #dtensor.layout<#tp, [shard(0)], (8192, 8192)>
#wup = #dtensor.layout<#tp, [shard(2)], (8192, 2, 28672)>
#wdown = #dtensor.layout<#tp, [shard(0)], (28672, 8192)>

!x = tensor<?x8192xbf16>
!qkv = tensor<?x8x10x128xbf16>
!kv = tensor<?x8x1x128xbf16>
!up = tensor<?x28672xbf16>
!both = tensor<?x2x28672xbf16>
!one = tensor<?x1x28672xbf16>

#a = affine_map<(t, k, g, d, h) -> (t, h)>
#b = affine_map<(t, k, g, d, h) -> (h, k, g, d)>
#c = affine_map<(t, k, g, d, h) -> (t, k, g, d)>
#th = affine_map<(t, c, i, h) -> (t, h)>
#hci = affine_map<(t, c, i, h) -> (h, c, i)>
#tci = affine_map<(t, c, i, h) -> (t, c, i)>

func.func @llama_block_tp_merged(%x: !x {dtensor.layout = #whole},
    %norm1: tensor<8192xbf16> {dtensor.layout = #norm},
    %norm2: tensor<8192xbf16> {dtensor.layout = #norm},
    %wqkv: tensor<8192x8x10x128xbf16> {dtensor.layout = #wqkv},
    %wo: tensor<8192x8192xbf16> {dtensor.layout = #wo},
    %wup: tensor<8192x2x28672xbf16> {dtensor.layout = #wup},
    %wdown: tensor<28672x8192xbf16> {dtensor.layout = #wdown})
    -> (!x {dtensor.layout = #whole})
    attributes {dtensor.symbols = {T = {hint = 2048}}} {
  %0 = dtensor.rms_norm %x, %norm1 {eps = 1.0e-5} : (!x, tensor<8192xbf16>) -> !x
  %qkv0 = dtensor.generic "qkv" maps = [#a, #b, #c] iterators = [parallel, parallel, parallel, parallel, reduction] reduce = [sum]
      ins(%0, %wqkv : !x, tensor<8192x8x10x128xbf16>) {
  ^bb0(%s: bf16, %t: bf16):
    %f = arith.extf %s : bf16 to f32
    %g = arith.extf %t : bf16 to f32
    %p = arith.mulf %f, %g : f32
    dtensor.yield %p : f32
  } -> tensor<?x8x10x128xf32>
  %qkv = dtensor.cast %qkv0 : (tensor<?x8x10x128xf32>) -> !qkv
  %q0 = dtensor.slice %qkv [0, 0, 0, 0] [T, 8, 8, 128] [1, 1, 1, 1] : (!qkv) -> tensor<?x8x8x128xbf16>
  %k0 = dtensor.slice %qkv [0, 0, 8, 0] [T, 8, 1, 128] [1, 1, 1, 1] : (!qkv) -> !kv
  %v0 = dtensor.slice %qkv [0, 0, 9, 0] [T, 8, 1, 128] [1, 1, 1, 1] : (!qkv) -> !kv
  %q = dtensor.permute %q0 {permutation = [1, 2, 0, 3]} : (tensor<?x8x8x128xbf16>) -> tensor<8x8x?x128xbf16>
  %k = dtensor.permute %k0 {permutation = [1, 2, 0, 3]} : (!kv) -> tensor<8x1x?x128xbf16>
  %v = dtensor.permute %v0 {permutation = [1, 2, 0, 3]} : (!kv) -> tensor<8x1x?x128xbf16>
  %a0 = dtensor.attention %q, %k, %v {causal} : (tensor<8x8x?x128xbf16>, tensor<8x1x?x128xbf16>, tensor<8x1x?x128xbf16>) -> tensor<8x8x?x128xbf16>
  %a1 = dtensor.permute %a0 {permutation = [2, 0, 1, 3]} : (tensor<8x8x?x128xbf16>) -> tensor<?x8x8x128xbf16>
  %a2 = dtensor.flatten %a1 {start = 1, end = 3} : (tensor<?x8x8x128xbf16>) -> !x
  %a3 = dtensor.matmul %a2, %wo : (!x, tensor<8192x8192xbf16>) -> !x
  %1 = dtensor.add %x, %a3 : (!x, !x) -> !x
  %2 = dtensor.rms_norm %1, %norm2 {eps = 1.0e-5} : (!x, tensor<8192xbf16>) -> !x
  %gu = dtensor.generic "gate_up" maps = [#th, #hci, #tci] iterators = [parallel, parallel, parallel, reduction] reduce = [sum]
      ins(%2, %wup : !x, tensor<8192x2x28672xbf16>) {
  ^bb0(%a: bf16, %b: bf16):
    %f = arith.extf %a : bf16 to f32
    %g = arith.extf %b : bf16 to f32
    %p = arith.mulf %f, %g : f32
    dtensor.yield %p : f32
  } -> tensor<?x2x28672xf32>
  %both = dtensor.cast %gu : (tensor<?x2x28672xf32>) -> !both
  %gate0 = dtensor.slice %both [0, 0, 0] [T, 1, 28672] [1, 1, 1] : (!both) -> !one
  %up0 = dtensor.slice %both [0, 1, 0] [T, 1, 28672] [1, 1, 1] : (!both) -> !one
  %gate = dtensor.squeeze %gate0 {dims = [1]} : (!one) -> !up
  %up = dtensor.squeeze %up0 {dims = [1]} : (!one) -> !up
  %3 = dtensor.silu %gate : (!up) -> !up
  %4 = dtensor.mul %3, %up : (!up, !up) -> !up
  %5 = dtensor.matmul %4, %wdown : (!up, tensor<28672x8192xbf16>) -> !x
  %y = dtensor.add %1, %5 : (!x, !x) -> !x
  return %y : !x
}
