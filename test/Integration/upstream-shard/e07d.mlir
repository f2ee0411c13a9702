// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// One sharded value read replicated by two users.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

#l0 = #dtensor.layout<#mesh, [replicate], (B, 32)>
// CHECK-COUNT-2: dtensor.constraint
func.func @f(%x: tensor<?x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B, 32)>}, %e: tensor<?x32xf32>) -> (tensor<?x32xf32>, tensor<?x32xf32>) {
  %x1 = dtensor.constraint %x to #l0 : tensor<?x32xf32>
  %x2 = dtensor.constraint %x to #l0 : tensor<?x32xf32>
  %0 = linalg.tanh ins(%x1 : tensor<?x32xf32>) outs(%e : tensor<?x32xf32>) -> tensor<?x32xf32>
  %1 = linalg.exp ins(%x2 : tensor<?x32xf32>) outs(%e : tensor<?x32xf32>) -> tensor<?x32xf32>
  return %0, %1 : tensor<?x32xf32>, tensor<?x32xf32>
}
