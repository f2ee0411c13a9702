// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// Gathered and cut again.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

#l0 = #dtensor.layout<#mesh, [replicate], (B, 32)>
#l1 = #dtensor.layout<#mesh, [shard(0)], (B, 32)>
// CHECK-COUNT-2: dtensor.constraint
func.func @f(%a: tensor<?x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B, 32)>}) -> tensor<?x32xf32> {
  %0 = dtensor.constraint %a to #l0 : tensor<?x32xf32>
  %1 = dtensor.constraint %0 to #l1 : tensor<?x32xf32>
  return %1 : tensor<?x32xf32>
}
