// RUN: dtensor-opt %s --dtensor-plan-pipeline | FileCheck %s
// RUN: sed -e 's/B1/4/g; s/B2/4/g; s/S1/2048/g; s/S2/2048/g; s/H[12]/8/g; s/D[12]/128/g; s/?x?x?x?/4x8x2048x128/g; s/?x/4x/g; s/(B,/(4,/g' %s | dtensor-opt --dtensor-plan-pipeline | FileCheck %s
// One token more for keys and values whose heads are sharded: nothing moves,
// whatever the extents of the caches are called.

#tp = #dtensor.mesh<"tp" = ? {divides 8}>
!q = tensor<?x32x1x128xbf16>
!new = tensor<?x8x1x128xbf16>
!cache = tensor<?x?x?x?xbf16>
#at = #dtensor.layout<#tp, [replicate], (1)>
#q = #dtensor.layout<#tp, [shard(1)], (B, 32, 1, 128)>
#new = #dtensor.layout<#tp, [shard(1)], (B, 8, 1, 128)>
#keys = #dtensor.layout<#tp, [shard(1)], (B1, H1, S1, D1)>
#values = #dtensor.layout<#tp, [shard(1)], (B2, H2, S2, D2)>

// CHECK-LABEL: @one_token_more
// CHECK-NOT: bytes
func.func @one_token_more(%q: !q {dtensor.layout = #q}, %k: !new {dtensor.layout = #new}, %v: !new {dtensor.layout = #new}, %at: tensor<1xi64> {dtensor.layout = #at}, %keys: !cache {dtensor.layout = #keys}, %values: !cache {dtensor.layout = #values})
    -> (!q {dtensor.layout = #q}, !cache {dtensor.layout = #keys}, !cache {dtensor.layout = #values}) {
  %0 = dtensor.scatter %keys, %at, %k {dim = 2, rows} : (!cache, tensor<1xi64>, !new) -> !cache
  %1 = dtensor.scatter %values, %at, %v {dim = 2, rows} : (!cache, tensor<1xi64>, !new) -> !cache
  %2 = dtensor.attention %q, %0, %1 : (!q, !cache, !cache) -> !q
  return %2, %0, %1 : !q, !cache, !cache
}
