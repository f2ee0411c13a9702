#tp = #dtensor.mesh<"tp" = ? {hint 2}>

func.func @product(%x: tensor<?x16xf32> {dtensor.layout = #dtensor.layout<#tp, [replicate], (T, 16)>},
                   %w: tensor<16x8xf32> {dtensor.layout = #dtensor.layout<#tp, [shard(1)], (16, 8)>})
    -> (tensor<?x8xf32> {dtensor.layout = #dtensor.layout<#tp, [shard(1)], (T, 8)>}) {
  %y = dtensor.matmul %x, %w : (tensor<?x16xf32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
