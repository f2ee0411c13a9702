// Work that is as fast as memory: every number is read once and written once.
// Rows may have any length N; the devices share them out. bf16, computed in f32
// inside a row.

#tp = #dtensor.mesh<"tp" = ? {hint 2}>

#rows = #dtensor.layout<#tp, [shard(0)], (M, N)>
#weight = #dtensor.layout<#tp, [replicate], (N)>

!x = tensor<?x?xbf16>

// Four steps of one pass: silu(2 x + 1) * x.
func.func @pointwise_chain(%x: !x {dtensor.layout = #rows})
    -> (!x {dtensor.layout = #rows})
    attributes {dtensor.symbols = {M = {hint = 65536}, N = {hint = 8192}}} {
  %two = arith.constant 2.0 : bf16
  %one = arith.constant 1.0 : bf16
  %0 = dtensor.mul %x, %two : (!x, bf16) -> !x
  %1 = dtensor.add %0, %one : (!x, bf16) -> !x
  %2 = dtensor.silu %1 : (!x) -> !x
  %3 = dtensor.mul %2, %x : (!x, !x) -> !x
  return %3 : !x
}

func.func @softmax(%x: !x {dtensor.layout = #rows})
    -> (!x {dtensor.layout = #rows})
    attributes {dtensor.symbols = {M = {hint = 65536}, N = {hint = 8192}}} {
  %0 = dtensor.softmax %x {dim = 1} : (!x) -> !x
  return %0 : !x
}

func.func @rms_norm(%x: !x {dtensor.layout = #rows},
                    %weight: tensor<?xbf16> {dtensor.layout = #weight})
    -> (!x {dtensor.layout = #rows})
    attributes {dtensor.symbols = {M = {hint = 65536}, N = {hint = 8192}}} {
  %0 = dtensor.rms_norm %x, %weight {eps = 1.0e-5} : (!x, tensor<?xbf16>) -> !x
  return %0 : !x
}
