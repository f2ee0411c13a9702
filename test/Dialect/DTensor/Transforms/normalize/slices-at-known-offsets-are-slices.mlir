// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// An offset from extents is an expression, one from the program is read at.

#mesh = #dtensor.mesh<"tp" = ?>
#rows = #dtensor.layout<#mesh, [shard(0)], (B, S)>

// CHECK-LABEL: @row
// CHECK: dtensor.check {{.*}}max(B, 3)
// CHECK: dtensor.slice %arg0 [2, 0] [1, S] [1, 1]
// CHECK: dtensor.reshape {{.*}} -> tensor<?xf32, {{.*}}(S)>>
func.func @row(%x: tensor<?x?xf32> {dtensor.layout = #rows}) -> tensor<?xf32> {
  %c1 = arith.constant 1 : index
  %s = tensor.dim %x, %c1 : tensor<?x?xf32>
  %0 = tensor.extract_slice %x[2, 0] [1, %s] [1, 1] : tensor<?x?xf32> to tensor<?xf32>
  return %0 : tensor<?xf32>
}
// CHECK-LABEL: @static
// CHECK-NOT: dtensor.check
// CHECK: dtensor.slice %arg0 [2, 0] [1, 3] [1, 1]
func.func @static(%x: tensor<8x3xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (8, 3)>}) -> tensor<1x3xf32> {
  %0 = tensor.extract_slice %x[2, 0] [1, 3] [1, 1] : tensor<8x3xf32> to tensor<1x3xf32>
  return %0 : tensor<1x3xf32>
}
// CHECK-LABEL: @looped
// CHECK: scf.for %[[I:[a-z0-9]+]] =
// CHECK: dtensor.generic "extract_slice" {{.*}} captures(%arg0 :
// CHECK: arith.addi %{{.*}}, %[[I]] : index
func.func @looped(%x: tensor<?x4xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (B, 4)>}, %n: index, %z: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %z) -> tensor<1x4xf32> {
    %s = tensor.extract_slice %x[%i, 0] [1, 4] [1, 1] : tensor<?x4xf32> to tensor<1x4xf32>
    %b = arith.addf %a, %s : tensor<1x4xf32>
    scf.yield %b : tensor<1x4xf32>
  }
  return %r : tensor<1x4xf32>
}
