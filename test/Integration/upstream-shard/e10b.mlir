// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// A loop that carries a sharded value.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK: scf.for {{.*}} -> (tensor<64x32xf32, #dtensor.layout<#mesh, [?], (64, 32)>>)
// CHECK: generic "tanh"
// CHECK: @dynamic
// CHECK: scf.for {{.*}} -> (tensor<?x32xf32, #dtensor.layout<#mesh, [?], (B, 32)>>)
func.func @f(%x: tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (64, 32)>}) -> tensor<64x32xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %r = scf.for %i = %c0 to %c8 step %c1 iter_args(%v = %x) -> tensor<64x32xf32> {
    %e = tensor.empty() : tensor<64x32xf32>
    %0 = linalg.tanh ins(%v : tensor<64x32xf32>) outs(%e : tensor<64x32xf32>) -> tensor<64x32xf32>
    scf.yield %0 : tensor<64x32xf32>
  }
  return %r : tensor<64x32xf32>
}
func.func @dynamic(%x: tensor<?x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B, 32)>}, %n: index) -> tensor<?x32xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%v = %x) -> tensor<?x32xf32> {
    %0 = math.tanh %v : tensor<?x32xf32>
    scf.yield %0 : tensor<?x32xf32>
  }
  return %r : tensor<?x32xf32>
}
