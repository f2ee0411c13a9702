// Softmax and norms in both types, and a column sum.
#world = #dtensor.mesh<"dp" = ?>
#x = #dtensor.layout<#world, [shard(0)], (M, N)>
#w = #dtensor.layout<#world, [replicate], (N)>

func.func @softmax_f32(%x: tensor<?x?xf32> {dtensor.layout = #x}) -> tensor<?x?xf32> {
  %0 = dtensor.softmax %x {dim = 1} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

func.func @softmax_bf16(%x: tensor<?x?xbf16> {dtensor.layout = #x}) -> tensor<?x?xbf16> {
  %0 = dtensor.softmax %x {dim = 1} : (tensor<?x?xbf16>) -> tensor<?x?xbf16>
  return %0 : tensor<?x?xbf16>
}

func.func @norm_bf16(%x: tensor<?x?xbf16> {dtensor.layout = #x}, %r: tensor<?x?xbf16> {dtensor.layout = #x}, %w: tensor<?xbf16> {dtensor.layout = #w}) -> (tensor<?x?xbf16>, tensor<?x?xbf16>) {
  %0 = dtensor.add %x, %r : (tensor<?x?xbf16>, tensor<?x?xbf16>) -> tensor<?x?xbf16>
  %1 = dtensor.rms_norm %0, %w {trailing = 1} : (tensor<?x?xbf16>, tensor<?xbf16>) -> tensor<?x?xbf16>
  return %0, %1 : tensor<?x?xbf16>, tensor<?x?xbf16>
}

func.func @layer_norm_f32(%x: tensor<?x?xf32> {dtensor.layout = #x}, %w: tensor<?xf32> {dtensor.layout = #w}, %b: tensor<?xf32> {dtensor.layout = #w}) -> tensor<?x?xf32> {
  %0 = dtensor.layer_norm %x, %w, %b {trailing = 1} : (tensor<?x?xf32>, tensor<?xf32>, tensor<?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

func.func @columns(%x: tensor<?x?xf32> {dtensor.layout = #x}) -> tensor<?xf32> {
  %0 = dtensor.sum %x {dims = [0]} : (tensor<?x?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}
