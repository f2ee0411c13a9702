// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// tensor.dim of a sharded value is its global size.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK: %[[N:.*]] = dtensor.extent <B>
// CHECK: return %[[N]] : index
func.func @f(%a: tensor<?x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B, 32)>}) -> index {
  %c0 = arith.constant 0 : index
  %m = tensor.dim %a, %c0 : tensor<?x32xf32>
  return %m : index
}
