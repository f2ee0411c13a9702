// One block of a Llama model, small: width 64, 8 query heads and 4 key heads of
// width 8, 96 hidden units. The sequence T is any length, also 0.
//
// Only weights and activations at the border are placed. That heads stay whole
// follows from attention; the fact that `tp` divides the 4 key heads proves that
// cutting weights into equal pieces cuts between heads. Without the fact the
// program is as right, on 3 devices too: pieces are then exchanged at launch if,
// and only if, they do not end where heads end.

#world = #dtensor.mesh<"tp" = ? {divides 4}>

#tokens = #dtensor.layout<#world, [replicate], (T, 64)>
#tokens_cut = #dtensor.layout<#world, [shard(0)], (T, 64)>
#norm = #dtensor.layout<#world, [replicate], (64)>
#frequencies = #dtensor.layout<#world, [replicate], (4)>
#wq = #dtensor.layout<#world, [shard(0)], (64, 64)>
#wkv = #dtensor.layout<#world, [shard(0)], (32, 64)>
#wo = #dtensor.layout<#world, [shard(1)], (64, 64)>
#wup = #dtensor.layout<#world, [shard(0)], (96, 64)>
#wdown = #dtensor.layout<#world, [shard(1)], (64, 96)>

// Tensor parallel: every device has all tokens between the layers. Two
// all-reduces.
func.func @tensor_parallel(
    %x: tensor<?x64xf32> {dtensor.layout = #tokens},
    %norm1: tensor<64xf32> {dtensor.layout = #norm},
    %wq: tensor<64x64xf32> {dtensor.layout = #wq},
    %wk: tensor<32x64xf32> {dtensor.layout = #wkv},
    %wv: tensor<32x64xf32> {dtensor.layout = #wkv},
    %wo: tensor<64x64xf32> {dtensor.layout = #wo},
    %frequencies: tensor<4xf32> {dtensor.layout = #frequencies},
    %norm2: tensor<64xf32> {dtensor.layout = #norm},
    %wgate: tensor<96x64xf32> {dtensor.layout = #wup},
    %wup: tensor<96x64xf32> {dtensor.layout = #wup},
    %wdown: tensor<64x96xf32> {dtensor.layout = #wdown})
    -> (tensor<?x64xf32> {dtensor.layout = #tokens})
    attributes {dtensor.symbols = {T = {hint = 128}}} {
  // Queries, keys and values, a head each in the first dimension.
  %0 = dtensor.rms_norm %x, %norm1 {eps = 1.0e-5} : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %q0 = dtensor.linear %0, %wq : (tensor<?x64xf32>, tensor<64x64xf32>) -> tensor<?x64xf32>
  %q1 = dtensor.unflatten %q0 {dim = 1, sizes = [8, 8]} : (tensor<?x64xf32>) -> tensor<?x8x8xf32>
  %q2 = dtensor.permute %q1 {permutation = [1, 0, 2]} : (tensor<?x8x8xf32>) -> tensor<8x?x8xf32>
  %k0 = dtensor.linear %0, %wk : (tensor<?x64xf32>, tensor<32x64xf32>) -> tensor<?x32xf32>
  %k1 = dtensor.unflatten %k0 {dim = 1, sizes = [4, 8]} : (tensor<?x32xf32>) -> tensor<?x4x8xf32>
  %k2 = dtensor.permute %k1 {permutation = [1, 0, 2]} : (tensor<?x4x8xf32>) -> tensor<4x?x8xf32>
  %v0 = dtensor.linear %0, %wv : (tensor<?x64xf32>, tensor<32x64xf32>) -> tensor<?x32xf32>
  %v1 = dtensor.unflatten %v0 {dim = 1, sizes = [4, 8]} : (tensor<?x32xf32>) -> tensor<?x4x8xf32>
  %v2 = dtensor.permute %v1 {permutation = [1, 0, 2]} : (tensor<?x4x8xf32>) -> tensor<4x?x8xf32>

  // Rotary positions: the halves of a head turn by position times frequency.
  %position = dtensor.iota {dim = 0, sizes = [#dtensor.expr<T>, 4]} : () -> tensor<?x4xf32>
  %angle = dtensor.mul %position, %frequencies : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %cos = dtensor.cos %angle : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %sin = dtensor.sin %angle : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %qa = dtensor.slice %q2 [0, 0, 0] [8, T, 4] [1, 1, 1] : (tensor<8x?x8xf32>) -> tensor<8x?x4xf32>
  %qb = dtensor.slice %q2 [0, 0, 4] [8, T, 4] [1, 1, 1] : (tensor<8x?x8xf32>) -> tensor<8x?x4xf32>
  %qac = dtensor.mul %qa, %cos : (tensor<8x?x4xf32>, tensor<?x4xf32>) -> tensor<8x?x4xf32>
  %qbs = dtensor.mul %qb, %sin : (tensor<8x?x4xf32>, tensor<?x4xf32>) -> tensor<8x?x4xf32>
  %qas = dtensor.mul %qa, %sin : (tensor<8x?x4xf32>, tensor<?x4xf32>) -> tensor<8x?x4xf32>
  %qbc = dtensor.mul %qb, %cos : (tensor<8x?x4xf32>, tensor<?x4xf32>) -> tensor<8x?x4xf32>
  %qc = dtensor.sub %qac, %qbs : (tensor<8x?x4xf32>, tensor<8x?x4xf32>) -> tensor<8x?x4xf32>
  %qd = dtensor.add %qas, %qbc : (tensor<8x?x4xf32>, tensor<8x?x4xf32>) -> tensor<8x?x4xf32>
  %q = dtensor.concat %qc, %qd {dim = 2} : (tensor<8x?x4xf32>, tensor<8x?x4xf32>) -> tensor<8x?x8xf32>
  %ka = dtensor.slice %k2 [0, 0, 0] [4, T, 4] [1, 1, 1] : (tensor<4x?x8xf32>) -> tensor<4x?x4xf32>
  %kb = dtensor.slice %k2 [0, 0, 4] [4, T, 4] [1, 1, 1] : (tensor<4x?x8xf32>) -> tensor<4x?x4xf32>
  %kac = dtensor.mul %ka, %cos : (tensor<4x?x4xf32>, tensor<?x4xf32>) -> tensor<4x?x4xf32>
  %kbs = dtensor.mul %kb, %sin : (tensor<4x?x4xf32>, tensor<?x4xf32>) -> tensor<4x?x4xf32>
  %kas = dtensor.mul %ka, %sin : (tensor<4x?x4xf32>, tensor<?x4xf32>) -> tensor<4x?x4xf32>
  %kbc = dtensor.mul %kb, %cos : (tensor<4x?x4xf32>, tensor<?x4xf32>) -> tensor<4x?x4xf32>
  %kc = dtensor.sub %kac, %kbs : (tensor<4x?x4xf32>, tensor<4x?x4xf32>) -> tensor<4x?x4xf32>
  %kd = dtensor.add %kas, %kbc : (tensor<4x?x4xf32>, tensor<4x?x4xf32>) -> tensor<4x?x4xf32>
  %k = dtensor.concat %kc, %kd {dim = 2} : (tensor<4x?x4xf32>, tensor<4x?x4xf32>) -> tensor<4x?x8xf32>

  // Two query heads share a key head.
  %a0 = dtensor.attention %q, %k, %v2 {causal} : (tensor<8x?x8xf32>, tensor<4x?x8xf32>, tensor<4x?x8xf32>) -> tensor<8x?x8xf32>
  %a1 = dtensor.permute %a0 {permutation = [1, 0, 2]} : (tensor<8x?x8xf32>) -> tensor<?x8x8xf32>
  %a2 = dtensor.flatten %a1 {start = 1, end = 2} : (tensor<?x8x8xf32>) -> tensor<?x64xf32>
  %a3 = dtensor.linear %a2, %wo : (tensor<?x64xf32>, tensor<64x64xf32>) -> tensor<?x64xf32>
  %1 = dtensor.add %x, %a3 : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>

  // SwiGLU.
  %2 = dtensor.rms_norm %1, %norm2 {eps = 1.0e-5} : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %3 = dtensor.linear %2, %wgate : (tensor<?x64xf32>, tensor<96x64xf32>) -> tensor<?x96xf32>
  %4 = dtensor.silu %3 : (tensor<?x96xf32>) -> tensor<?x96xf32>
  %5 = dtensor.linear %2, %wup : (tensor<?x64xf32>, tensor<96x64xf32>) -> tensor<?x96xf32>
  %6 = dtensor.mul %4, %5 : (tensor<?x96xf32>, tensor<?x96xf32>) -> tensor<?x96xf32>
  %7 = dtensor.linear %6, %wdown : (tensor<?x96xf32>, tensor<64x96xf32>) -> tensor<?x64xf32>
  %8 = dtensor.add %1, %7 : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  return %8 : tensor<?x64xf32>
}

// Sequence parallel: every device has some of the tokens between the layers, so
// that norms and residuals are not computed twice. Two all-gathers and two
// reduce-scatters.
func.func @sequence_parallel(
    %x: tensor<?x64xf32> {dtensor.layout = #tokens_cut},
    %norm1: tensor<64xf32> {dtensor.layout = #norm},
    %wq: tensor<64x64xf32> {dtensor.layout = #wq},
    %wk: tensor<32x64xf32> {dtensor.layout = #wkv},
    %wv: tensor<32x64xf32> {dtensor.layout = #wkv},
    %wo: tensor<64x64xf32> {dtensor.layout = #wo},
    %frequencies: tensor<4xf32> {dtensor.layout = #frequencies},
    %norm2: tensor<64xf32> {dtensor.layout = #norm},
    %wgate: tensor<96x64xf32> {dtensor.layout = #wup},
    %wup: tensor<96x64xf32> {dtensor.layout = #wup},
    %wdown: tensor<64x96xf32> {dtensor.layout = #wdown})
    -> (tensor<?x64xf32> {dtensor.layout = #tokens_cut})
    attributes {dtensor.symbols = {T = {hint = 128}}} {
  // Queries, keys and values, a head each in the first dimension.
  %0 = dtensor.rms_norm %x, %norm1 {eps = 1.0e-5} : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %q0 = dtensor.linear %0, %wq : (tensor<?x64xf32>, tensor<64x64xf32>) -> tensor<?x64xf32>
  %q1 = dtensor.unflatten %q0 {dim = 1, sizes = [8, 8]} : (tensor<?x64xf32>) -> tensor<?x8x8xf32>
  %q2 = dtensor.permute %q1 {permutation = [1, 0, 2]} : (tensor<?x8x8xf32>) -> tensor<8x?x8xf32>
  %k0 = dtensor.linear %0, %wk : (tensor<?x64xf32>, tensor<32x64xf32>) -> tensor<?x32xf32>
  %k1 = dtensor.unflatten %k0 {dim = 1, sizes = [4, 8]} : (tensor<?x32xf32>) -> tensor<?x4x8xf32>
  %k2 = dtensor.permute %k1 {permutation = [1, 0, 2]} : (tensor<?x4x8xf32>) -> tensor<4x?x8xf32>
  %v0 = dtensor.linear %0, %wv : (tensor<?x64xf32>, tensor<32x64xf32>) -> tensor<?x32xf32>
  %v1 = dtensor.unflatten %v0 {dim = 1, sizes = [4, 8]} : (tensor<?x32xf32>) -> tensor<?x4x8xf32>
  %v2 = dtensor.permute %v1 {permutation = [1, 0, 2]} : (tensor<?x4x8xf32>) -> tensor<4x?x8xf32>

  // Rotary positions: the halves of a head turn by position times frequency.
  %position = dtensor.iota {dim = 0, sizes = [#dtensor.expr<T>, 4]} : () -> tensor<?x4xf32>
  %angle = dtensor.mul %position, %frequencies : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %cos = dtensor.cos %angle : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %sin = dtensor.sin %angle : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %qa = dtensor.slice %q2 [0, 0, 0] [8, T, 4] [1, 1, 1] : (tensor<8x?x8xf32>) -> tensor<8x?x4xf32>
  %qb = dtensor.slice %q2 [0, 0, 4] [8, T, 4] [1, 1, 1] : (tensor<8x?x8xf32>) -> tensor<8x?x4xf32>
  %qac = dtensor.mul %qa, %cos : (tensor<8x?x4xf32>, tensor<?x4xf32>) -> tensor<8x?x4xf32>
  %qbs = dtensor.mul %qb, %sin : (tensor<8x?x4xf32>, tensor<?x4xf32>) -> tensor<8x?x4xf32>
  %qas = dtensor.mul %qa, %sin : (tensor<8x?x4xf32>, tensor<?x4xf32>) -> tensor<8x?x4xf32>
  %qbc = dtensor.mul %qb, %cos : (tensor<8x?x4xf32>, tensor<?x4xf32>) -> tensor<8x?x4xf32>
  %qc = dtensor.sub %qac, %qbs : (tensor<8x?x4xf32>, tensor<8x?x4xf32>) -> tensor<8x?x4xf32>
  %qd = dtensor.add %qas, %qbc : (tensor<8x?x4xf32>, tensor<8x?x4xf32>) -> tensor<8x?x4xf32>
  %q = dtensor.concat %qc, %qd {dim = 2} : (tensor<8x?x4xf32>, tensor<8x?x4xf32>) -> tensor<8x?x8xf32>
  %ka = dtensor.slice %k2 [0, 0, 0] [4, T, 4] [1, 1, 1] : (tensor<4x?x8xf32>) -> tensor<4x?x4xf32>
  %kb = dtensor.slice %k2 [0, 0, 4] [4, T, 4] [1, 1, 1] : (tensor<4x?x8xf32>) -> tensor<4x?x4xf32>
  %kac = dtensor.mul %ka, %cos : (tensor<4x?x4xf32>, tensor<?x4xf32>) -> tensor<4x?x4xf32>
  %kbs = dtensor.mul %kb, %sin : (tensor<4x?x4xf32>, tensor<?x4xf32>) -> tensor<4x?x4xf32>
  %kas = dtensor.mul %ka, %sin : (tensor<4x?x4xf32>, tensor<?x4xf32>) -> tensor<4x?x4xf32>
  %kbc = dtensor.mul %kb, %cos : (tensor<4x?x4xf32>, tensor<?x4xf32>) -> tensor<4x?x4xf32>
  %kc = dtensor.sub %kac, %kbs : (tensor<4x?x4xf32>, tensor<4x?x4xf32>) -> tensor<4x?x4xf32>
  %kd = dtensor.add %kas, %kbc : (tensor<4x?x4xf32>, tensor<4x?x4xf32>) -> tensor<4x?x4xf32>
  %k = dtensor.concat %kc, %kd {dim = 2} : (tensor<4x?x4xf32>, tensor<4x?x4xf32>) -> tensor<4x?x8xf32>

  // Two query heads share a key head.
  %a0 = dtensor.attention %q, %k, %v2 {causal} : (tensor<8x?x8xf32>, tensor<4x?x8xf32>, tensor<4x?x8xf32>) -> tensor<8x?x8xf32>
  %a1 = dtensor.permute %a0 {permutation = [1, 0, 2]} : (tensor<8x?x8xf32>) -> tensor<?x8x8xf32>
  %a2 = dtensor.flatten %a1 {start = 1, end = 2} : (tensor<?x8x8xf32>) -> tensor<?x64xf32>
  %a3 = dtensor.linear %a2, %wo : (tensor<?x64xf32>, tensor<64x64xf32>) -> tensor<?x64xf32>
  %1 = dtensor.add %x, %a3 : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>

  // SwiGLU.
  %2 = dtensor.rms_norm %1, %norm2 {eps = 1.0e-5} : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %3 = dtensor.linear %2, %wgate : (tensor<?x64xf32>, tensor<96x64xf32>) -> tensor<?x96xf32>
  %4 = dtensor.silu %3 : (tensor<?x96xf32>) -> tensor<?x96xf32>
  %5 = dtensor.linear %2, %wup : (tensor<?x64xf32>, tensor<96x64xf32>) -> tensor<?x96xf32>
  %6 = dtensor.mul %4, %5 : (tensor<?x96xf32>, tensor<?x96xf32>) -> tensor<?x96xf32>
  %7 = dtensor.linear %6, %wdown : (tensor<?x96xf32>, tensor<64x96xf32>) -> tensor<?x64xf32>
  %8 = dtensor.add %1, %7 : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  return %8 : tensor<?x64xf32>
}
