// RUN: dtensor-opt %s --dtensor-partition-pipeline | FileCheck %s
// RUN: sed -e 's/x?x/x4096x/g; s/8, T/8, 4096/g; s/2, T/2, 4096/g' %s | dtensor-opt --dtensor-partition-pipeline | FileCheck %s
// The gradient of attention over a sharded sequence: in each of n - 1 steps a
// rank hands on its piece of the keys and of the values, and behind them their
// gradients. That is a gather of keys and values and a scatter of gradients,
// with one piece in memory; nothing else moves.

#sp = #dtensor.mesh<"sp" = ?>
!q = tensor<8x?x64xf32>
!kv = tensor<2x?x64xf32>
!l = tensor<8x?xf32>
#q = #dtensor.layout<#sp, [shard(1)], (8, T, 64)>
#kv = #dtensor.layout<#sp, [shard(1)], (2, T, 64)>
#l = #dtensor.layout<#sp, [shard(1)], (8, T)>

// CHECK-LABEL: @gradients_of_a_ring
// CHECK-NOT: dtensor.collective_permute
// CHECK: scf.for %{{.+}} = %c1 to %{{.+}} step %c1
// CHECK-COUNT-2: dtensor.collective_permute {{.*}} tensor<2x?x64xf32>
// CHECK: linalg.generic
// CHECK-COUNT-2: dtensor.collective_permute {{.*}} tensor<2x?x64xf32>
// CHECK-NOT: dtensor.{{all|reduce|collective}}
// CHECK: return
func.func @gradients_of_a_ring(%g: !q {dtensor.layout = #q}, %x: !q {dtensor.layout = #q}, %k: !kv {dtensor.layout = #kv}, %v: !kv {dtensor.layout = #kv}, %y: !q {dtensor.layout = #q}, %l: !l {dtensor.layout = #l}) -> (!q {dtensor.layout = #q}, !kv {dtensor.layout = #kv}, !kv {dtensor.layout = #kv}) {
  %dq, %dk, %dv = dtensor.ring_attention_backward %g, %x, %k, %v, %y, %l {causal} : (!q, !q, !kv, !kv, !q, !l) -> (!q, !kv, !kv)
  return %dq, %dk, %dv : !q, !kv, !kv
}
