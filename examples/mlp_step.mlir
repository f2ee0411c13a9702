// One training step of a feed-forward block: forward, gradients and SGD with
// momentum, as a front end writes them. %g is the gradient of %y; the tokens may
// be any number, and the weights may be changed in place.
//
// The hidden features are sharded: the sum of %y is one all-reduce, that of the
// gradient of %x the other. Everything else is local, the weights' gradients and
// the dropout, too: its numbers depend on where an element is in the global
// tensor and not on the mesh.

#world = #dtensor.mesh<"tp" = ?>
#tokens = #dtensor.layout<#world, [replicate], (T, 256)>
#up = #dtensor.layout<#world, [shard(1)], (256, 1024)>
#down = #dtensor.layout<#world, [shard(0)], (1024, 256)>
#one = #dtensor.layout<#world, [replicate], ()>

func.func @step(%x: tensor<?x256xf32> {dtensor.layout = #tokens},
                %g: tensor<?x256xf32> {dtensor.layout = #tokens},
                %w1: tensor<256x1024xf32> {dtensor.layout = #up, dtensor.donated},
                %w2: tensor<1024x256xf32> {dtensor.layout = #down, dtensor.donated},
                %m1: tensor<256x1024xf32> {dtensor.layout = #up, dtensor.donated},
                %m2: tensor<1024x256xf32> {dtensor.layout = #down, dtensor.donated},
                %seed: tensor<i64> {dtensor.layout = #one})
    -> (tensor<?x256xf32> {dtensor.layout = #tokens},
        tensor<?x256xf32> {dtensor.layout = #tokens},
        tensor<256x1024xf32> {dtensor.layout = #up},
        tensor<1024x256xf32> {dtensor.layout = #down},
        tensor<256x1024xf32> {dtensor.layout = #up},
        tensor<1024x256xf32> {dtensor.layout = #down})
    attributes {dtensor.symbols = {T = {hint = 2048}}} {
  %lr = arith.constant 0.1 : f32
  %offset = arith.constant 0 : i64
  %a = dtensor.matmul %x, %w1 : (tensor<?x256xf32>, tensor<256x1024xf32>) -> tensor<?x1024xf32>
  %h = dtensor.gelu %a : (tensor<?x1024xf32>) -> tensor<?x1024xf32>
  %d, %kept = dtensor.dropout %h, %seed, %offset {p = 0.1} : (tensor<?x1024xf32>, tensor<i64>, i64) -> (tensor<?x1024xf32>, tensor<?x1024xi1>)
  %y = dtensor.matmul %d, %w2 : (tensor<?x1024xf32>, tensor<1024x256xf32>) -> tensor<?x256xf32>

  %dd = dtensor.matmul %g, %w2 {transpose_b} : (tensor<?x256xf32>, tensor<1024x256xf32>) -> tensor<?x1024xf32>
  %dh = dtensor.dropout_backward %dd, %kept {scale = 1.1111111111111112} : (tensor<?x1024xf32>, tensor<?x1024xi1>) -> tensor<?x1024xf32>
  %da = dtensor.gelu_backward %dh, %a : (tensor<?x1024xf32>, tensor<?x1024xf32>) -> tensor<?x1024xf32>
  %dx = dtensor.matmul %da, %w1 {transpose_b} : (tensor<?x1024xf32>, tensor<256x1024xf32>) -> tensor<?x256xf32>
  %d2 = dtensor.matmul %d, %g {transpose_a} : (tensor<?x1024xf32>, tensor<?x256xf32>) -> tensor<1024x256xf32>
  %d1 = dtensor.matmul %x, %da {transpose_a} : (tensor<?x256xf32>, tensor<?x1024xf32>) -> tensor<256x1024xf32>

  %new:4 = dtensor.sgd_step lr(%lr) params(%w1, %w2) grads(%d1, %d2) momenta(%m1, %m2) {momentum = 0.9} : (f32, tensor<256x1024xf32>, tensor<1024x256xf32>, tensor<256x1024xf32>, tensor<1024x256xf32>, tensor<256x1024xf32>, tensor<1024x256xf32>) -> (tensor<256x1024xf32>, tensor<1024x256xf32>, tensor<256x1024xf32>, tensor<1024x256xf32>)
  return %y, %dx, %new#0, %new#1, %new#2, %new#3 : tensor<?x256xf32>, tensor<?x256xf32>, tensor<256x1024xf32>, tensor<1024x256xf32>, tensor<256x1024xf32>, tensor<1024x256xf32>
}
