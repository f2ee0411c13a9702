// RUN: dtensor-opt %s --split-input-file --verify-diagnostics --allow-unregistered-dialect \
// RUN:   --pass-pipeline="builtin.module(dtensor-import-shardy{drop},dtensor-normalize,dtensor-propagate{memory=0 compute=0},func.func(dtensor-elide),dtensor-export-shardy)"
// Examples of Shardy whose placements here it has no words for.

sdy.mesh @mesh = <["a"=2, "b"=2]>
// expected-error @below {{result 0: dimension 0 of 2 elements is cut by 2 axes, 4 tiles of Shardy lie elsewhere}}
func.func @reshape_split_dim_single_axis_fully_shards_major_factor(%x: tensor<8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"b", "a"}]>}) -> (tensor<2x4xf32>) {
  %0 = "stablehlo.reshape"(%x) : (tensor<8xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}
