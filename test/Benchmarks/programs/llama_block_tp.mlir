// One block of a model of Llama 70B's size, over any number of devices that
// divides the 8 key heads, and any number T of tokens: hidden 8192, 64 query
// heads and 8 key heads of width 128, 28672 inner units. Causal, without rotary
// positions, as the programs it is compared with.

#tp = #dtensor.mesh<"tp" = ? {divides 8, hint 2}>

#whole = #dtensor.layout<#tp, [replicate], (T, 8192)>
#norm = #dtensor.layout<#tp, [replicate], (8192)>
#wq = #dtensor.layout<#tp, [shard(1)], (8192, 8192)>
#wkv = #dtensor.layout<#tp, [shard(1)], (8192, 1024)>
#wo = #dtensor.layout<#tp, [shard(0)], (8192, 8192)>
#wup = #dtensor.layout<#tp, [shard(1)], (8192, 28672)>
#wdown = #dtensor.layout<#tp, [shard(0)], (28672, 8192)>

!x = tensor<?x8192xbf16>
!kv = tensor<?x1024xbf16>
!up = tensor<?x28672xbf16>

// Every device has all tokens: two all-reduces.
func.func @llama_block_tp(%x: !x {dtensor.layout = #whole},
    %norm1: tensor<8192xbf16> {dtensor.layout = #norm},
    %norm2: tensor<8192xbf16> {dtensor.layout = #norm},
    %wq: tensor<8192x8192xbf16> {dtensor.layout = #wq},
    %wk: tensor<8192x1024xbf16> {dtensor.layout = #wkv},
    %wv: tensor<8192x1024xbf16> {dtensor.layout = #wkv},
    %wo: tensor<8192x8192xbf16> {dtensor.layout = #wo},
    %wgate: tensor<8192x28672xbf16> {dtensor.layout = #wup},
    %wup: tensor<8192x28672xbf16> {dtensor.layout = #wup},
    %wdown: tensor<28672x8192xbf16> {dtensor.layout = #wdown})
    -> (!x {dtensor.layout = #whole})
    attributes {dtensor.symbols = {T = {hint = 2048}}} {
  %0 = dtensor.rms_norm %x, %norm1 {eps = 1.0e-5} : (!x, tensor<8192xbf16>) -> !x
  %q0 = dtensor.matmul %0, %wq : (!x, tensor<8192x8192xbf16>) -> !x
  %q1 = dtensor.unflatten %q0 {dim = 1, sizes = [64, 128]} : (!x) -> tensor<?x64x128xbf16>
  %q = dtensor.permute %q1 {permutation = [1, 0, 2]} : (tensor<?x64x128xbf16>) -> tensor<64x?x128xbf16>
  %k0 = dtensor.matmul %0, %wk : (!x, tensor<8192x1024xbf16>) -> !kv
  %k1 = dtensor.unflatten %k0 {dim = 1, sizes = [8, 128]} : (!kv) -> tensor<?x8x128xbf16>
  %k = dtensor.permute %k1 {permutation = [1, 0, 2]} : (tensor<?x8x128xbf16>) -> tensor<8x?x128xbf16>
  %v0 = dtensor.matmul %0, %wv : (!x, tensor<8192x1024xbf16>) -> !kv
  %v1 = dtensor.unflatten %v0 {dim = 1, sizes = [8, 128]} : (!kv) -> tensor<?x8x128xbf16>
  %v = dtensor.permute %v1 {permutation = [1, 0, 2]} : (tensor<?x8x128xbf16>) -> tensor<8x?x128xbf16>
  %a0 = dtensor.attention %q, %k, %v {causal} : (tensor<64x?x128xbf16>, tensor<8x?x128xbf16>, tensor<8x?x128xbf16>) -> tensor<64x?x128xbf16>
  %a1 = dtensor.permute %a0 {permutation = [1, 0, 2]} : (tensor<64x?x128xbf16>) -> tensor<?x64x128xbf16>
  %a2 = dtensor.flatten %a1 {start = 1, end = 2} : (tensor<?x64x128xbf16>) -> !x
  %a3 = dtensor.matmul %a2, %wo : (!x, tensor<8192x8192xbf16>) -> !x
  %1 = dtensor.add %x, %a3 : (!x, !x) -> !x
  %2 = dtensor.rms_norm %1, %norm2 {eps = 1.0e-5} : (!x, tensor<8192xbf16>) -> !x
  %gate = dtensor.matmul %2, %wgate : (!x, tensor<8192x28672xbf16>) -> !up
  %up = dtensor.matmul %2, %wup : (!x, tensor<8192x28672xbf16>) -> !up
  %3 = dtensor.silu %gate : (!up) -> !up
  %4 = dtensor.mul %3, %up : (!up, !up) -> !up
  %5 = dtensor.matmul %4, %wdown : (!up, tensor<28672x8192xbf16>) -> !x
  %y = dtensor.add %1, %5 : (!x, !x) -> !x
  return %y : !x
}
