// The gated feed-forward layer of a model of Llama 70B's size, over any number
// of devices and any number T of tokens: hidden 8192, 28672 inner units.

#tp = #dtensor.mesh<"tp" = ? {hint 2}>

#whole = #dtensor.layout<#tp, [replicate], (T, 8192)>
#tokens = #dtensor.layout<#tp, [shard(0)], (T, 8192)>
#wup = #dtensor.layout<#tp, [shard(1)], (8192, 28672)>
#wdown = #dtensor.layout<#tp, [shard(0)], (28672, 8192)>

// Every device has all tokens: one all-reduce.
func.func @mlp_tp(%x: tensor<?x8192xbf16> {dtensor.layout = #whole},
                  %wgate: tensor<8192x28672xbf16> {dtensor.layout = #wup},
                  %wup: tensor<8192x28672xbf16> {dtensor.layout = #wup},
                  %wdown: tensor<28672x8192xbf16> {dtensor.layout = #wdown})
    -> (tensor<?x8192xbf16> {dtensor.layout = #whole})
    attributes {dtensor.symbols = {T = {hint = 2048}}} {
  %gate = dtensor.matmul %x, %wgate : (tensor<?x8192xbf16>, tensor<8192x28672xbf16>) -> tensor<?x28672xbf16>
  %up = dtensor.matmul %x, %wup : (tensor<?x8192xbf16>, tensor<8192x28672xbf16>) -> tensor<?x28672xbf16>
  %0 = dtensor.silu %gate : (tensor<?x28672xbf16>) -> tensor<?x28672xbf16>
  %1 = dtensor.mul %0, %up : (tensor<?x28672xbf16>, tensor<?x28672xbf16>) -> tensor<?x28672xbf16>
  %y = dtensor.matmul %1, %wdown : (tensor<?x28672xbf16>, tensor<28672x8192xbf16>) -> tensor<?x8192xbf16>
  return %y : tensor<?x8192xbf16>
}

// Every device has some of the tokens: one all-gather, one reduce-scatter.
func.func @mlp_sp(%x: tensor<?x8192xbf16> {dtensor.layout = #tokens},
                  %wgate: tensor<8192x28672xbf16> {dtensor.layout = #wup},
                  %wup: tensor<8192x28672xbf16> {dtensor.layout = #wup},
                  %wdown: tensor<28672x8192xbf16> {dtensor.layout = #wdown})
    -> (tensor<?x8192xbf16> {dtensor.layout = #tokens})
    attributes {dtensor.symbols = {T = {hint = 2048}}} {
  %gate = dtensor.matmul %x, %wgate : (tensor<?x8192xbf16>, tensor<8192x28672xbf16>) -> tensor<?x28672xbf16>
  %up = dtensor.matmul %x, %wup : (tensor<?x8192xbf16>, tensor<8192x28672xbf16>) -> tensor<?x28672xbf16>
  %0 = dtensor.silu %gate : (tensor<?x28672xbf16>) -> tensor<?x28672xbf16>
  %1 = dtensor.mul %0, %up : (tensor<?x28672xbf16>, tensor<?x28672xbf16>) -> tensor<?x28672xbf16>
  %y = dtensor.matmul %1, %wdown : (tensor<?x28672xbf16>, tensor<28672x8192xbf16>) -> tensor<?x8192xbf16>
  return %y : tensor<?x8192xbf16>
}
