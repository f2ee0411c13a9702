// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// Softmax in named ops that keep the reduced dimension.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK: reduce = [max]
// CHECK: generic "sub"
// CHECK: generic "exp"
// CHECK: reduce = [sum]
// CHECK: generic "mul"
func.func @f(%x: tensor<?x?xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(1)], (B, S)>}) -> tensor<?x?xf32> {
  %m = dtensor.amax %x {dims = [1], keepdim} : (tensor<?x?xf32>) -> tensor<?x1xf32>
  %d = dtensor.sub %x, %m : (tensor<?x?xf32>, tensor<?x1xf32>) -> tensor<?x?xf32>
  %p = dtensor.exp %d : (tensor<?x?xf32>) -> tensor<?x?xf32>
  %s = dtensor.sum %p {dims = [1], keepdim} : (tensor<?x?xf32>) -> tensor<?x1xf32>
  %r = dtensor.reciprocal %s : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %q = dtensor.mul %p, %r : (tensor<?x?xf32>, tensor<?x1xf32>) -> tensor<?x?xf32>
  return %q : tensor<?x?xf32>
}
