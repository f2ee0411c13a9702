// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// A slice, a join, a transposition and a conditional of a sharded tensor.

#mesh = #dtensor.mesh<"x" = ? {hint 4}>

// CHECK: dtensor.slice %arg0 [0, 0] [64, 16] [1, 1]
// CHECK: dtensor.concat %arg0, %arg1 {dim = 1
// CHECK: dtensor.generic "transpose"
// CHECK: scf.if {{.*}}(B, 32)>>
func.func @slice(%a: tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (64, 32)>}) -> tensor<64x16xf32> {
  %0 = tensor.extract_slice %a[0, 0] [64, 16] [1, 1] : tensor<64x32xf32> to tensor<64x16xf32>
  return %0 : tensor<64x16xf32>
}
func.func @join(%a: tensor<64x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (64, 32)>}, %b: tensor<64x32xf32>) -> tensor<64x64xf32> {
  %0 = tensor.concat dim(1) %a, %b : (tensor<64x32xf32>, tensor<64x32xf32>) -> tensor<64x64xf32>
  return %0 : tensor<64x64xf32>
}
func.func @transpose(%a: tensor<?x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B, 32)>}, %e: tensor<32x?xf32>) -> tensor<32x?xf32> {
  %0 = linalg.transpose ins(%a : tensor<?x32xf32>) outs(%e : tensor<32x?xf32>) permutation = [1, 0]
  return %0 : tensor<32x?xf32>
}
func.func @either(%a: tensor<?x32xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B, 32)>}, %p: i1) -> tensor<?x32xf32> {
  %0 = scf.if %p -> tensor<?x32xf32> {
    scf.yield %a : tensor<?x32xf32>
  } else {
    %n = arith.negf %a : tensor<?x32xf32>
    scf.yield %n : tensor<?x32xf32>
  }
  return %0 : tensor<?x32xf32>
}
