// RUN: dtensor-opt %s --dtensor-import-shardy=drop | FileCheck %s
// With `drop` open and closed dimensions together are closed, priorities go, and
// free axes may cut before others.

sdy.mesh @mesh = <["x"=2, "y"=4]>

// CHECK-LABEL: func.func @dropped(
// CHECK-SAME: [shard(0), replicate], (8, 8)>
// CHECK-SAME: [shard(0), ?], (8, 8)>
// CHECK-SAME: [?, shard(0)], (8, 8)>
func.func @dropped(%x: tensor<8x8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"x", ?}, {}]>},
                   %y: tensor<8x8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"x", ?}p2, {?}]>},
                   %z: tensor<8x8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"y", ?}, {?}]>}) -> tensor<8x8xf32> {
  return %x : tensor<8x8xf32>
}
