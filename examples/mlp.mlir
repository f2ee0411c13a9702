// Two linear layers with a ReLU between them, 128 -> 64 -> 1.
//
// Written on plain tensors: layouts stand only where they are wanted, the rest
// is found by propagation.

#world = #dtensor.mesh<"tp" = ? {hint 4}>

#x = #dtensor.layout<#world, [replicate], (B, 128)>
#y = #dtensor.layout<#world, [replicate], (B, 1)>
#w1 = #dtensor.layout<#world, [shard(0)], (64, 128)>
#b1 = #dtensor.layout<#world, [shard(0)], (64)>

// Every weight is cut along its outputs. The last layer has one output, so all
// but one device hold an empty piece of it.
#w2 = #dtensor.layout<#world, [shard(0)], (1, 64)>
#b2 = #dtensor.layout<#world, [shard(0)], (1)>

func.func @mlp(%x: tensor<?x128xf32> {dtensor.layout = #x},
               %w1: tensor<64x128xf32> {dtensor.layout = #w1},
               %b1: tensor<64xf32> {dtensor.layout = #b1},
               %w2: tensor<1x64xf32> {dtensor.layout = #w2},
               %b2: tensor<1xf32> {dtensor.layout = #b2})
    -> (tensor<?x1xf32> {dtensor.layout = #y}) {
  %0 = dtensor.linear %x, %w1, %b1 : (tensor<?x128xf32>, tensor<64x128xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %1 = dtensor.relu %0 : (tensor<?x64xf32>) -> tensor<?x64xf32>
  %2 = dtensor.linear %1, %w2, %b2 : (tensor<?x64xf32>, tensor<1x64xf32>, tensor<1xf32>) -> tensor<?x1xf32>
  return %2 : tensor<?x1xf32>
}

// The Megatron split: the second weight is cut along its inputs, where the
// first one left its outputs. The products of the pieces are a pending sum, and
// one all-reduce at the end is all that travels.
#w2_in = #dtensor.layout<#world, [shard(1)], (1, 64)>
#b2_whole = #dtensor.layout<#world, [replicate], (1)>

func.func @megatron(%x: tensor<?x128xf32> {dtensor.layout = #x},
                    %w1: tensor<64x128xf32> {dtensor.layout = #w1},
                    %b1: tensor<64xf32> {dtensor.layout = #b1},
                    %w2: tensor<1x64xf32> {dtensor.layout = #w2_in},
                    %b2: tensor<1xf32> {dtensor.layout = #b2_whole})
    -> (tensor<?x1xf32> {dtensor.layout = #y}) {
  %0 = dtensor.linear %x, %w1, %b1 : (tensor<?x128xf32>, tensor<64x128xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %1 = dtensor.relu %0 : (tensor<?x64xf32>) -> tensor<?x64xf32>
  %2 = dtensor.linear %1, %w2, %b2 : (tensor<?x64xf32>, tensor<1x64xf32>, tensor<1xf32>) -> tensor<?x1xf32>
  return %2 : tensor<?x1xf32>
}
