// RUN: dtensor-opt %s --dtensor-normalize | FileCheck %s
// Arithmetic on extents is done at compile time; an exact split is checked.

#mesh = #dtensor.mesh<"tp" = ?>
#rows = #dtensor.layout<#mesh, [shard(0)], (B, S)>

// CHECK-LABEL: @static
// CHECK: dtensor.reshape {{.*}} -> tensor<2x4x3xf32, {{.*}}(2, 4, 3)>>
func.func @static(%x: tensor<8x3xf32> {dtensor.layout = #dtensor.layout<#mesh, [shard(0)], (8, 3)>}) -> tensor<2x4x3xf32> {
  %0 = tensor.expand_shape %x [[0, 1], [2]] output_shape [2, 4, 3] : tensor<8x3xf32> into tensor<2x4x3xf32>
  return %0 : tensor<2x4x3xf32>
}
// CHECK-LABEL: @dynamic
// CHECK: dtensor.check {{.*}} is B = {0}, expected 4*(B floordiv 4) = {1}
// CHECK: dtensor.reshape {{.*}} -> tensor<?x4x?xf32, {{.*}}(B floordiv 4, 4, S)>>
// CHECK: dtensor.reshape {{.*}} -> tensor<?xf32, {{.*}}(B*S)>>
func.func @dynamic(%x: tensor<?x?xf32> {dtensor.layout = #rows}) -> (tensor<?x4x?xf32>, tensor<?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %b = tensor.dim %x, %c0 : tensor<?x?xf32>
  %s = tensor.dim %x, %c1 : tensor<?x?xf32>
  %q = arith.divui %b, %c4 : index
  %0 = tensor.expand_shape %x [[0, 1], [2]] output_shape [%q, 4, %s] : tensor<?x?xf32> into tensor<?x4x?xf32>
  %n = arith.muli %b, %s : index
  %shape = tensor.from_elements %n : tensor<1xindex>
  %1 = tensor.reshape %x(%shape) : (tensor<?x?xf32>, tensor<1xindex>) -> tensor<?xf32>
  return %0, %1 : tensor<?x4x?xf32>, tensor<?xf32>
}
