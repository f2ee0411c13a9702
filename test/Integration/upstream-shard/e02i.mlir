// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// Index arithmetic beside a sharded op.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK: %[[N:.*]] = dtensor.extent <2*n0>
// CHECK: return %{{.*}}, %[[N]]
func.func @f(%a: tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (64, 32)>}, %m: index)
    -> (tensor<64x32xf32>, index) {
  %e = tensor.empty() : tensor<64x32xf32>
  %0 = linalg.tanh ins(%a : tensor<64x32xf32>) outs(%e : tensor<64x32xf32>) -> tensor<64x32xf32>
  %n = arith.addi %m, %m : index
  return %0, %n : tensor<64x32xf32>, index
}
