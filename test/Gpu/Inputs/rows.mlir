// Rows of any length in every kind of kernel: kept in registers, in a cluster of
// blocks, in a loop, and along columns.
#world = #dtensor.mesh<"dp" = ?>
#x = #dtensor.layout<#world, [shard(0)], (M, N)>
#l = #dtensor.layout<#world, [shard(0)], (M)>
#w = #dtensor.layout<#world, [replicate], (N)>
!f = tensor<?x?xf32>
!h = tensor<?x?xbf16>

func.func @softmax_f32(%x: !f {dtensor.layout = #x}) -> !f {
  %0 = dtensor.softmax %x {dim = 1} : (!f) -> !f
  return %0 : !f
}
func.func @softmax_bf16(%x: !h {dtensor.layout = #x}) -> !h {
  %0 = dtensor.softmax %x {dim = 1} : (!h) -> !h
  return %0 : !h
}
func.func @log_softmax_f32(%x: !f {dtensor.layout = #x}) -> !f {
  %0 = dtensor.log_softmax %x {dim = 1} : (!f) -> !f
  return %0 : !f
}
func.func @log_softmax_bf16(%x: !h {dtensor.layout = #x}) -> !h {
  %0 = dtensor.log_softmax %x {dim = 1} : (!h) -> !h
  return %0 : !h
}
func.func @norm_bf16(%x: !h {dtensor.layout = #x}, %r: !h {dtensor.layout = #x}, %w: tensor<?xbf16> {dtensor.layout = #w}) -> (!h, !h) {
  %0 = dtensor.add %x, %r : (!h, !h) -> !h
  %1 = dtensor.rms_norm %0, %w {trailing = 1} : (!h, tensor<?xbf16>) -> !h
  return %0, %1 : !h, !h
}
func.func @layer_norm_f32(%x: !f {dtensor.layout = #x}, %w: tensor<?xf32> {dtensor.layout = #w}, %b: tensor<?xf32> {dtensor.layout = #w}) -> !f {
  %0 = dtensor.layer_norm %x, %w, %b {trailing = 1} : (!f, tensor<?xf32>, tensor<?xf32>) -> !f
  return %0 : !f
}
func.func @chain_bf16(%x: !h {dtensor.layout = #x}) -> !h {
  %two = arith.constant 2.0 : bf16
  %one = arith.constant 1.0 : bf16
  %0 = dtensor.mul %x, %two : (!h, bf16) -> !h
  %1 = dtensor.add %0, %one : (!h, bf16) -> !h
  %2 = dtensor.silu %1 : (!h) -> !h
  %3 = dtensor.mul %2, %x : (!h, !h) -> !h
  return %3 : !h
}
func.func @chain_f32(%x: !f {dtensor.layout = #x}) -> !f {
  %0 = dtensor.silu %x : (!f) -> !f
  %1 = dtensor.mul %0, %x : (!f, !f) -> !f
  return %1 : !f
}
func.func @argmax_f32(%x: !f {dtensor.layout = #x}) -> tensor<?xi64> {
  %0 = dtensor.argmax %x {dim = 1} : (!f) -> tensor<?xi64>
  return %0 : tensor<?xi64>
}
func.func @columns_f32(%x: !f {dtensor.layout = #x}) -> tensor<?xf32> {
  %0 = dtensor.sum %x {dims = [0]} : (!f) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}
func.func @sum_f32(%x: !f {dtensor.layout = #x}) -> tensor<?xf32> {
  %0 = dtensor.sum %x {dims = [1]} : (!f) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}
func.func @loss_f32(%x: !f {dtensor.layout = #x}, %t: tensor<?xi64> {dtensor.layout = #l}) -> tensor<f32> {
  %0 = dtensor.cross_entropy %x, %t : (!f, tensor<?xi64>) -> tensor<f32>
  return %0 : tensor<f32>
}
func.func @gate_bf16(%x: !h {dtensor.layout = #x}) -> !h {
  %0 = dtensor.slice %x [0, 0] [M, N floordiv 2] [1, 1] : (!h) -> !h
  %1 = dtensor.slice %x [0, N floordiv 2] [M, N floordiv 2] [1, 1] : (!h) -> !h
  %2 = dtensor.silu %0 : (!h) -> !h
  %3 = dtensor.mul %2, %1 : (!h, !h) -> !h
  return %3 : !h
}
