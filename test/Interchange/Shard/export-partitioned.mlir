// RUN: dtensor-opt %s --dtensor-export-shard \
// RUN:   | mlir-opt --pass-pipeline="builtin.module(func.func(sharding-propagation,shard-partition))" | FileCheck %s
// RUN: dtensor-opt %s --dtensor-partition-pipeline | FileCheck %s

// MLIR's own partitioner gives a rank what ours gives it.
// CHECK-LABEL: func.func @f(%arg0: tensor<16x32xf32>, %arg1: tensor<32x16xf32>, %arg2: tensor<16x16xf32>
// CHECK-SAME: -> tensor<16x16xf32>
#mesh = #dtensor.mesh<"x" = 4>
#rows = #dtensor.layout<#mesh, [shard(0)], (64, 16)>
func.func @f(
    %a: tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (64, 32)>},
    %b: tensor<32x16xf32> {dtensor.layout = #dtensor.layout<#mesh, [replicate], (32, 16)>},
    %c: tensor<64x16xf32> {dtensor.layout = #rows})
    -> (tensor<64x16xf32> {dtensor.layout = #rows}) {
  %0 = linalg.matmul ins(%a, %b : tensor<64x32xf32>, tensor<32x16xf32>) outs(%c : tensor<64x16xf32>) -> tensor<64x16xf32>
  return %0 : tensor<64x16xf32>
}
