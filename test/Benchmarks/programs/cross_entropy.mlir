// The loss of predicting one of 128256 words, whose logits no device ever holds
// all of: the last weight is cut by word. Three small all-reduces, of the
// maxima, the sums of exponentials and the logit of the label. As in the
// programs this is compared with, logits are rounded to bf16, then f32.

#tp = #dtensor.mesh<"tp" = ? {hint 2}>

#x = #dtensor.layout<#tp, [replicate], (T, 4096)>
#labels = #dtensor.layout<#tp, [replicate], (T)>
#weight = #dtensor.layout<#tp, [shard(1)], (4096, 128256)>
#loss = #dtensor.layout<#tp, [replicate], ()>

!logits = tensor<?x128256xf32>

// With the library's loss.
func.func @vocab_parallel_xent(
    %x: tensor<?x4096xbf16> {dtensor.layout = #x},
    %labels: tensor<?xi64> {dtensor.layout = #labels},
    %weight: tensor<4096x128256xbf16> {dtensor.layout = #weight})
    -> (tensor<f32> {dtensor.layout = #loss})
    attributes {dtensor.symbols = {T = {hint = 1000}}} {
  %0 = dtensor.matmul %x, %weight : (tensor<?x4096xbf16>, tensor<4096x128256xbf16>) -> tensor<?x128256xbf16>
  %1 = dtensor.cast %0 : (tensor<?x128256xbf16>) -> !logits
  %2 = dtensor.cross_entropy %1, %labels : (!logits, tensor<?xi64>) -> tensor<f32>
  return %2 : tensor<f32>
}

// The same from its pieces.
func.func @vocab_parallel_xent_pieces(
    %x: tensor<?x4096xbf16> {dtensor.layout = #x},
    %labels: tensor<?xi64> {dtensor.layout = #labels},
    %weight: tensor<4096x128256xbf16> {dtensor.layout = #weight})
    -> (tensor<f32> {dtensor.layout = #loss})
    attributes {dtensor.symbols = {T = {hint = 1000}}} {
  %0 = dtensor.matmul %x, %weight : (tensor<?x4096xbf16>, tensor<4096x128256xbf16>) -> tensor<?x128256xbf16>
  %1 = dtensor.cast %0 : (tensor<?x128256xbf16>) -> !logits
  %max = dtensor.amax %1 {dims = [1], keepdim} : (!logits) -> tensor<?x1xf32>
  %2 = dtensor.sub %1, %max : (!logits, tensor<?x1xf32>) -> !logits
  %3 = dtensor.exp %2 : (!logits) -> !logits
  %sum = dtensor.sum %3 {dims = [1], keepdim} : (!logits) -> tensor<?x1xf32>
  %log = dtensor.log %sum : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %index = dtensor.unsqueeze %labels {dims = [1]} : (tensor<?xi64>) -> tensor<?x1xi64>
  %label = dtensor.gather %1, %index {dim = 1} : (!logits, tensor<?x1xi64>) -> tensor<?x1xf32>
  %4 = dtensor.add %log, %max : (tensor<?x1xf32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %5 = dtensor.sub %4, %label : (tensor<?x1xf32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %loss = dtensor.mean %5 {dims = [0, 1]} : (tensor<?x1xf32>) -> tensor<f32>
  return %loss : tensor<f32>
}
