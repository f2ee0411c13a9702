// The layer of mlp.mlir on a grid: tokens are shared out among "data", weights
// among "tp".

#grid = #dtensor.mesh<"data" = ? {hint 2}, "tp" = ? {hint 2}>

#tokens = #dtensor.layout<#grid, [shard(0), replicate], (T, 8192)>
#wup = #dtensor.layout<#grid, [replicate, shard(1)], (8192, 28672)>
#wdown = #dtensor.layout<#grid, [replicate, shard(0)], (28672, 8192)>

func.func @mlp_2d(%x: tensor<?x8192xbf16> {dtensor.layout = #tokens},
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
